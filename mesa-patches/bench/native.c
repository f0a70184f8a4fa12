/* SPDX-License-Identifier: MIT */
/*
 * The steps of svmatomic-bench's contend (bench/src/contend/steps.h) by native
 * threads, one to a CPU, on one word: "OPERATION THREADS RATE SAMPLES", with the median of
 * the windows in which all threads ran for 95% of the time. The benchmark itself has no place for
 * as many threads as there are CPUs beside a device that is made of them, too.
 *
 *	native THREADS [TRIES]
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TYPE		uint32_t
#define UTYPE		uint32_t
#define TYPE_MAX	UINT32_MAX
#define BITS		32
#define IS_FLOATING	0
#define ORDER		memory_order_relaxed
#define FETCH_ADD(p, v) atomic_fetch_add_explicit(p, v, ORDER)
#define FETCH_SUB(p, v) atomic_fetch_sub_explicit(p, v, ORDER)
#define FETCH_AND(p, v) atomic_fetch_and_explicit(p, v, ORDER)
#define FETCH_OR(p, v)	atomic_fetch_or_explicit(p, v, ORDER)
#define FETCH_XOR(p, v) atomic_fetch_xor_explicit(p, v, ORDER)
#define EXCHANGE(p, v)	atomic_exchange_explicit(p, v, ORDER)
#define LOAD(p)		atomic_load_explicit(p, ORDER)
#define LOAD_RELAXED(p) atomic_load_explicit(p, memory_order_relaxed)
#define STORE(p, v)	atomic_store_explicit(p, v, ORDER)
#define TRY_ADD(p, g, d)                                                                           \
	atomic_compare_exchange_strong_explicit(p, g, *(g) + (d), ORDER, memory_order_relaxed)
#define FETCH_MIN(p, v) choose(p, v, false)
#define FETCH_MAX(p, v) choose(p, v, true)

typedef _Atomic TYPE word;

static inline TYPE choose(word *p, TYPE value, bool most)
{
	TYPE old = atomic_load_explicit(p, memory_order_relaxed);
	TYPE wanted;

	do
		wanted = (value > old) == most ? value : old;
	while (!atomic_compare_exchange_weak_explicit(p, &old, wanted, ORDER,
						      memory_order_relaxed));
	return old;
}

#include "steps.h"

#define WINDOW_NS 2000000
#define BLOCK	  64
#define MOST	  64

struct thread {
	_Alignas(128) pthread_t id;
	unsigned me;
	uint64_t ops;
	double wall;
	double cpu;
};

static _Alignas(128) word shared;
static _Alignas(128) atomic_uint ready;
static _Alignas(128) atomic_bool go;
static _Alignas(128) atomic_bool stop;
static _Alignas(128) atomic_ulong sink;

static double now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void begin(struct thread *thread)
{
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(thread->me, &cpu);
	pthread_setaffinity_np(pthread_self(), sizeof(cpu), &cpu);
	atomic_fetch_add(&ready, 1);
	while (!atomic_load_explicit(&go, memory_order_acquire))
		;
	thread->wall = now(CLOCK_MONOTONIC);
	thread->cpu = now(CLOCK_THREAD_CPUTIME_ID);
}

static void end(struct thread *thread)
{
	thread->wall = now(CLOCK_MONOTONIC) - thread->wall;
	thread->cpu = now(CLOCK_THREAD_CPUTIME_ID) - thread->cpu;
}

#define WORK(OP)                                                                                   \
	static void *work_##OP(void *data)                                                         \
	{                                                                                          \
		struct thread *thread = data;                                                      \
		word *p = &shared;                                                                 \
		const uint32_t me = thread->me;                                                    \
		const bool steady = true;                                                          \
		bool fresh = true;                                                                 \
		TYPE acc = INITIAL_##OP;                                                           \
		uint64_t i = 0;                                                                    \
		uint64_t ops = 0;                                                                  \
		uint64_t violations = 0;                                                           \
                                                                                                   \
		begin(thread);                                                                     \
		while (!atomic_load_explicit(&stop, memory_order_relaxed))                         \
			for (int b = 0; b < BLOCK; b++, i++) {                                     \
				STEP_##OP;                                                         \
			}                                                                          \
		end(thread);                                                                       \
		thread->ops = ops;                                                                 \
		atomic_fetch_add(&sink, acc + violations + fresh + steady + me);                   \
		return NULL;                                                                       \
	}

#define OPS(DO)                                                                                    \
	DO(fetch_add)                                                                              \
	DO(fetch_sub)                                                                              \
	DO(exchange)                                                                               \
	DO(compare_exchange)                                                                       \
	DO(fetch_min) DO(fetch_max) DO(fetch_and) DO(fetch_or) DO(fetch_xor) DO(load) DO(store)

OPS(WORK)

#define START_fetch_add	       0
#define START_fetch_sub	       0
#define START_exchange	       0
#define START_compare_exchange 0
#define START_fetch_min	       TYPE_MAX
#define START_fetch_max	       0
#define START_fetch_and	       TYPE_MAX
#define START_fetch_or	       0
#define START_fetch_xor	       0
#define START_load	       LOAD_PATTERN
#define START_store	       0

static const struct {
	const char *name;
	void *(*work)(void *data);
	TYPE start;
} ops[] = {
#define ROW(OP) { #OP, work_##OP, START_##OP },
	OPS(ROW)
};

static double window(void *(*work)(void *), TYPE start, unsigned threads, double *share)
{
	struct thread all[MOST] = { 0 };
	const struct timespec length = { .tv_nsec = WINDOW_NS };
	const struct timespec moment = { .tv_nsec = 20000 };
	double rate = 0.0;

	atomic_store(&shared, start);
	atomic_store(&ready, 0);
	atomic_store(&go, false);
	atomic_store(&stop, false);
	for (unsigned i = 0; i < threads; i++) {
		all[i].me = i;
		if (pthread_create(&all[i].id, NULL, work, &all[i]))
			exit(1);
	}
	while (atomic_load(&ready) < threads)
		nanosleep(&moment, NULL);
	atomic_store(&go, true);
	nanosleep(&length, NULL);
	atomic_store(&stop, true);
	*share = 1.0;
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(all[i].id, NULL);
		rate += (double)all[i].ops / all[i].wall;
		if (all[i].cpu / all[i].wall < *share)
			*share = all[i].cpu / all[i].wall;
	}
	return rate;
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	const unsigned threads = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
	const int tries = argc > 2 ? atoi(argv[2]) : 100;

	if (threads < 1 || threads > MOST || tries < 1) {
		fprintf(stderr, "usage: native THREADS [TRIES]\n");
		return 64;
	}
	for (size_t op = 0; op < sizeof(ops) / sizeof(ops[0]); op++) {
		double rates[1024];
		int count = 0;

		for (int i = 0; i < tries && count < 9; i++) {
			double share;
			const double rate = window(ops[op].work, ops[op].start, threads, &share);

			if (share > 0.95)
				rates[count++] = rate;
		}
		qsort(rates, (size_t)count, sizeof(rates[0]), ascending);
		if (count)
			printf("%s %u %.1f %d\n", ops[op].name, threads, rates[count / 2] / 1e6,
			       count);
		else
			printf("%s %u - 0\n", ops[op].name, threads);
	}
	return 0;
}
