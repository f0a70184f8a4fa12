/* SPDX-License-Identifier: MIT */
/*
 * One process of a test: leader of a group of its own, so that all it starts can be killed
 * with it, and with a terminal for its output: a program that crashes has then written what
 * it knew, which in a pipe would be lost in its buffer.
 */
#ifndef CTS_LAUNCH_H
#define CTS_LAUNCH_H

#include "error.h"

#include <stddef.h>
#include <sys/types.h>

struct launch {
	pid_t pid;
	int output; /* not blocking */
};

/* EXIT_NO_INPUT where there is no such program, EXIT_BAD_DATA where it cannot run here. */
bool launch_start(struct launch *launch, const char *const *argv, struct error *err);

/* Signal @number to the whole group. */
void launch_signal(const struct launch *launch, int number);

/* Whether the leader has ended; it stays until it is reaped. */
bool launch_ended(const struct launch *launch);

/*
 * The output that is there now: 0 for none, -1 when there will be no more.
 */
ssize_t launch_read(const struct launch *launch, char *bytes, size_t size);

/* After launch_ended(): kill what is left of the group; the leader's status. */
int launch_reap(struct launch *launch);

#endif
