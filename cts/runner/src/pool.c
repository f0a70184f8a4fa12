/* SPDX-License-Identifier: MIT */
/*
 * The pool: one thread that waits for output, for ends, for deadlines and for the user.
 */
#include "pool.h"

#include "clock.h"
#include "launch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define NS_PER_S    1000000000ull
/* From asking a group to end until it is made to. */
#define GRACE_NS    (2 * NS_PER_S)
/* How long output is waited for that a process which left its group may hold open. */
#define DRAIN_NS    (NS_PER_S / 5)
#define CAPTURE_MAX (1u << 20)

struct slot {
	bool busy;
	bool open;   /* more output may come */
	bool asked;  /* to end, by SIGTERM */
	bool killed; /* by SIGKILL */
	bool timed_out;
	uint64_t deadline;
	struct launch launch;
	struct pool_task task;
};

struct pool {
	const struct pool_client *client;
	void *context;
	struct slot *slots;
	struct pollfd *wait; /* the signals, then a slot each */
	unsigned count;
	bool interrupted;
};

static int signals = -1;

bool pool_begin(struct error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return fail(err, EXIT_INTERNAL, "no signalfd here: %s", strerror(errno));
	return true;
}

/* --- one process ----------------------------------------------------------- */

static void start(struct pool *pool, struct slot *slot, const struct pool_task *task)
{
	struct error err = { 0 };

	*slot = (struct slot){ .task = *task, .open = true };
	if (!launch_start(&slot->launch, task->argv, &err)) {
		pool->client->done(pool->context, task->data, NULL, &err);
		return;
	}
	slot->busy = true;
	slot->deadline = clock_ns() + (uint64_t)(task->limit_s * (double)NS_PER_S);
}

/* False when there is nothing to read for now. */
static bool read_some(struct pool *pool, struct slot *slot)
{
	char bytes[16384];
	const ssize_t got = launch_read(&slot->launch, bytes, sizeof(bytes));

	if (got < 0)
		slot->open = false;
	if (got > 0)
		pool->client->output(pool->context, slot->task.data, bytes, (size_t)got);
	return got > 0;
}

/* Ask, and after a while force, a group to end. */
static void press(struct slot *slot, uint64_t now)
{
	if (!slot->asked) {
		launch_signal(&slot->launch, SIGTERM);
		slot->asked = true;
		slot->deadline = now + GRACE_NS;
	} else if (!slot->killed && now >= slot->deadline) {
		launch_signal(&slot->launch, SIGKILL);
		slot->killed = true;
	}
}

/* What the process has written before it ended is still to come. */
static void drain(struct pool *pool, struct slot *slot)
{
	const uint64_t until = clock_ns() + DRAIN_NS;
	struct pollfd wait = { .fd = slot->launch.output, .events = POLLIN };

	while (slot->open && clock_ns() < until) {
		if (!read_some(pool, slot) && slot->open)
			poll(&wait, 1, (int)(DRAIN_NS / 1000000 / 4));
	}
}

static void finish(struct pool *pool, struct slot *slot)
{
	struct ending ending = { .timed_out = slot->timed_out, .limit_s = slot->task.limit_s };

	ending.status = launch_reap(&slot->launch);
	if (!pool->interrupted)
		drain(pool, slot);
	close(slot->launch.output);
	slot->busy = false;
	if (!pool->interrupted)
		pool->client->done(pool->context, slot->task.data, &ending, NULL);
}

static void look_after(struct pool *pool, struct slot *slot, bool readable)
{
	const uint64_t now = clock_ns();

	/* Once: who writes without end is not to keep the others waiting. */
	if (readable)
		read_some(pool, slot);
	if (launch_ended(&slot->launch)) {
		finish(pool, slot);
		return;
	}
	if (now >= slot->deadline && !slot->asked)
		slot->timed_out = true;
	if (pool->interrupted || slot->timed_out)
		press(slot, now);
}

/* --- all of them ------------------------------------------------------------ */

static void fill_slots(struct pool *pool)
{
	struct pool_task task;

	for (unsigned i = 0; i < pool->count; i++) {
		/* What could not be started is over at once. */
		while (!pool->slots[i].busy && pool->client->next(pool->context, &task))
			start(pool, &pool->slots[i], &task);
	}
}

static bool any_busy(const struct pool *pool)
{
	for (unsigned i = 0; i < pool->count; i++)
		if (pool->slots[i].busy)
			return true;
	return false;
}

/* Milliseconds until the next deadline, -1 for ever. A group that is killed needs none. */
static int next_deadline(const struct pool *pool)
{
	uint64_t next = UINT64_MAX;
	const uint64_t now = clock_ns();

	for (unsigned i = 0; i < pool->count; i++) {
		const struct slot *slot = &pool->slots[i];

		if (slot->busy && !slot->killed && slot->deadline < next)
			next = slot->deadline;
	}
	if (next == UINT64_MAX)
		return -1;
	if (next <= now)
		return 0;
	next = (next - now) / 1000000 + 1;
	return next > 60000 ? 60000 : (int)next;
}

static void wait_for_something(struct pool *pool)
{
	pool->wait[0] = (struct pollfd){ .fd = signals, .events = POLLIN };
	for (unsigned i = 0; i < pool->count; i++) {
		const struct slot *slot = &pool->slots[i];

		pool->wait[i + 1] = (struct pollfd){
			.fd = slot->busy && slot->open ? slot->launch.output : -1,
			.events = POLLIN,
		};
	}
	poll(pool->wait, pool->count + 1, next_deadline(pool));
}

/* A second Ctrl-C is for those who ignore SIGTERM. */
static void hear_signals(struct pool *pool)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		for (unsigned i = 0; pool->interrupted && i < pool->count; i++)
			if (pool->slots[i].busy)
				launch_signal(&pool->slots[i].launch, SIGKILL);
		pool->interrupted = true;
	}
}

static void turn(struct pool *pool)
{
	wait_for_something(pool);
	hear_signals(pool);
	for (unsigned i = 0; i < pool->count; i++)
		if (pool->slots[i].busy)
			look_after(pool, &pool->slots[i], pool->wait[i + 1].revents != 0);
}

bool pool_run(unsigned jobs, const struct pool_client *client, void *context, struct error *err)
{
	struct pool pool = { .client = client, .context = context, .count = jobs };
	bool ok;

	pool.slots = calloc(jobs, sizeof(*pool.slots));
	pool.wait = calloc(jobs + 1, sizeof(*pool.wait));
	ok = (pool.slots && pool.wait) || fail(err, EXIT_NO_MEMORY, "out of memory");
	while (ok) {
		if (!pool.interrupted)
			fill_slots(&pool);
		if (!any_busy(&pool))
			break;
		turn(&pool);
	}
	free(pool.slots);
	free(pool.wait);
	if (pool.interrupted)
		return fail(err, EXIT_INTERRUPTED, "interrupted");
	return ok;
}

/* --- one process for what it writes ------------------------------------------ */

struct capture {
	const struct pool_task *task;
	FILE *text;
	size_t size;
	struct ending *ending;
	struct error *err;
	bool ok;
};

static bool capture_next(void *context, struct pool_task *task)
{
	struct capture *capture = context;

	if (!capture->task)
		return false;
	*task = *capture->task;
	capture->task = NULL;
	return true;
}

static void capture_output(void *context, void *data, const char *bytes, size_t size)
{
	struct capture *capture = context;

	(void)data;
	if (capture->size + size > CAPTURE_MAX)
		return;
	capture->size += size;
	fwrite(bytes, 1, size, capture->text);
}

static void capture_done(void *context, void *data, const struct ending *ending,
			 const struct error *err)
{
	struct capture *capture = context;

	(void)data;
	capture->ok = ending;
	if (ending)
		*capture->ending = *ending;
	else
		fail(capture->err, err->code, "%s", err->text);
}

char *pool_capture(const char *const *argv, double limit_s, struct ending *ending,
		   struct error *err)
{
	static const struct pool_client client = { capture_next, capture_output, capture_done };
	const struct pool_task task = { .argv = argv, .limit_s = limit_s };
	struct capture capture = { .task = &task, .ending = ending, .err = err };
	char *text = NULL;
	size_t size = 0;
	bool ran;

	capture.text = open_memstream(&text, &size);
	if (!capture.text) {
		fail(err, EXIT_NO_MEMORY, "out of memory");
		return NULL;
	}
	ran = pool_run(1, &client, &capture, err);
	fclose(capture.text);
	if (ran && capture.ok)
		return text;
	free(text);
	return NULL;
}
