// SPDX-License-Identifier: MIT
/*
 * A function on an engine has its client's memory and code as they are: the heap, the stack
 * of the client, libm, errno of each thread, pointers to functions, and the clock.
 */
#include "vm.h"

#include <math.h>

#define THREADS 3
#define COUNT	1000

struct work {
	double *in, *out;
	double (*functions[2])(double);
	int *on_stack;
	int errnos[THREADS];
	const void *errno_at[THREADS];
	uint64_t time_ns;
	double checks[THREADS];
};

static const char text[] = "read-only data";
static int data = 40;
static int zeroed;

static void use_libc(void *argument, unsigned int thread)
{
	struct work *work = argument;
	volatile double negative = -1.0;
	char copy[sizeof(text)];

	errno = 0;
	work->errno_at[thread] = &errno;
	work->checks[thread] = log(negative);
	work->errnos[thread] = errno;
	for (size_t i = thread; i < COUNT; i += THREADS)
		work->out[i] = work->functions[i & 1](work->in[i]);
	if (thread)
		return;
	memcpy(copy, text, sizeof(copy));
	if (strcmp(copy, text))
		return;
	++data;
	zeroed = 7;
	*work->on_stack += 3;
	work->time_ns = now_ns();
	/* The engine's own errno of the first thread: it stays until the next time. */
	errno = 1234;
}

static void look_at_errno(void *argument, unsigned int thread)
{
	if (!thread)
		*(int *)argument = errno;
}

/* The stack is as large as was asked for. */
static void use_stack(void *argument, unsigned int thread)
{
	volatile char *large = __builtin_alloca(3 << 20);

	for (size_t i = 0; i < 3 << 20; i += PAGE)
		large[i] = (char)(i / PAGE + thread);
	*(volatile char *)argument = large[100 * PAGE];
}

int main(void)
{
	const struct svma_engine_options options = { .stack_size = 4 << 20 };
	struct svma_device *device = open_vsvm();
	struct svma_engine *engine;
	struct work *work = calloc(1, sizeof(*work));
	uint64_t before = now_ns();
	int on_stack = 39, seen = 0, own;

	equal(svma_engine_start(&engine, device, THREADS, &options, NULL), 0);
	check(work);
	work->in = malloc(COUNT * sizeof(double));
	work->out = malloc(COUNT * sizeof(double));
	check(work->in && work->out);
	work->functions[0] = sin;
	work->functions[1] = exp;
	work->on_stack = &on_stack;
	for (int i = 0; i < COUNT; i++)
		work->in[i] = i * 0.01;
	errno = own = 99;
	run_engine(engine, use_libc, work);
	equal(errno, own);
	for (int i = 0; i < COUNT; i++)
		if (work->out[i] != (i & 1 ? exp : sin)(work->in[i]))
			fail("%d: %g", i, work->out[i]);
	for (int i = 0; i < THREADS; i++) {
		equal(work->errnos[i], EDOM);
		check(isnan(work->checks[i]));
		check(work->errno_at[i] != &errno);
		check(work->errno_at[i] != work->errno_at[(i + 1) % THREADS]);
	}
	equal(data, 41);
	equal(zeroed, 7);
	equal(on_stack, 42);
	check(work->time_ns >= before && work->time_ns <= now_ns());
	run_engine(engine, look_at_errno, &seen);
	equal(seen, 1234);
	run_engine(engine, use_stack, &seen);
	check((unsigned char)seen >= 100 && (unsigned char)seen < 100 + THREADS);
	svma_engine_stop(engine);
	svma_close(device);
	free(work->in);
	free(work->out);
	free(work);
	return 0;
}
