/* SPDX-License-Identifier: MIT */
/*
 * Running processes, several at a time, each with a time limit. Nothing that a process or
 * what it leaves behind does keeps the pool waiting beyond that.
 */
#ifndef CTS_POOL_H
#define CTS_POOL_H

#include "error.h"
#include "transcript.h"

struct pool_task {
	const char *const *argv; /* until @done */
	double limit_s;
	void *data;
};

struct pool_client {
	/* The next task; false when there is none left. */
	bool (*next)(void *context, struct pool_task *task);
	void (*output)(void *context, void *data, const char *bytes, size_t size);
	/* It ended, or (@ending is NULL) could not be started, as @err says. */
	void (*done)(void *context, void *data, const struct ending *ending,
		     const struct error *err);
};

/*
 * Block the signals that pool_run() wants to hear of. To be called before any pool_run(), and
 * before there are threads.
 */
bool pool_begin(struct error *err);

/*
 * Run all tasks, @jobs at a time. False with EXIT_INTERRUPTED after SIGINT, SIGTERM or SIGHUP:
 * what was running is killed, and not done.
 */
bool pool_run(unsigned jobs, const struct pool_client *client, void *context, struct error *err);

/* Run one process to its end; what it wrote, the caller's, cut after 1 MiB. NULL and @err. */
char *pool_capture(const char *const *argv, double limit_s, struct ending *ending,
		   struct error *err);

#endif
