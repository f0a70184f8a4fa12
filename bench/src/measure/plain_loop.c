/* SPDX-License-Identifier: MIT */
/*
 * Plain C11 atomics in plain POSIX threads.
 */
#include "plain_loop.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

struct shared {
	hwloc_topology_t topology;
	atomic_uint arrived;
	_Alignas(128) atomic_bool go;
	_Alignas(128) atomic_bool stop;
};

struct adder {
	_Alignas(128) struct shared *shared;
	hwloc_const_cpuset_t cpu;
	_Atomic uint32_t *word;
	uint64_t count;
	double seconds;
	double cpu_seconds;
	pthread_t thread;
};

static double now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void *add(void *data)
{
	struct adder *adder = data;
	struct shared *shared = adder->shared;
	_Atomic uint32_t *word = adder->word;
	uint64_t count = 0;
	double cpu_start;
	double start;

	hwloc_set_cpubind(shared->topology, adder->cpu, HWLOC_CPUBIND_THREAD);
	atomic_fetch_add(&shared->arrived, 1);
	while (!atomic_load_explicit(&shared->go, memory_order_acquire))
		;
	cpu_start = now(CLOCK_THREAD_CPUTIME_ID);
	start = now(CLOCK_MONOTONIC);
	while (!atomic_load_explicit(&shared->stop, memory_order_relaxed)) {
		for (int i = 0; i < 256; i++)
			atomic_fetch_add_explicit(word, 1, memory_order_relaxed);
		count += 256;
	}
	adder->seconds = now(CLOCK_MONOTONIC) - start;
	adder->cpu_seconds = now(CLOCK_THREAD_CPUTIME_ID) - cpu_start;
	adder->count = count;
	return NULL;
}

static void sleep_for(double seconds)
{
	const struct timespec time = { .tv_sec = (time_t)seconds,
				       .tv_nsec =
					       (long)((seconds - (double)(time_t)seconds) * 1e9) };

	nanosleep(&time, NULL);
}

static double run(struct shared *shared, struct adder *adders, unsigned threads, double seconds,
		  double *cpu_share)
{
	unsigned started = 0;
	double rate = 0.0;

	*cpu_share = 1.0;
	while (started < threads &&
	       !pthread_create(&adders[started].thread, NULL, add, &adders[started]))
		started++;
	while (started == threads && atomic_load(&shared->arrived) < threads)
		sleep_for(20e-6);
	atomic_store_explicit(&shared->go, true, memory_order_release);
	sleep_for(seconds);
	atomic_store_explicit(&shared->stop, true, memory_order_release);
	for (unsigned i = 0; i < started; i++) {
		pthread_join(adders[i].thread, NULL);
		rate += (double)adders[i].count / adders[i].seconds;
		*cpu_share = fmin(*cpu_share, adders[i].cpu_seconds / adders[i].seconds);
	}
	return started == threads ? rate : -1.0;
}

/* Every addition is in some word. */
static bool adds_up(const struct adder *adders, unsigned threads, bool one_word)
{
	uint32_t sum = 0;
	uint32_t held = 0;

	for (unsigned i = 0; i < threads; i++) {
		sum += (uint32_t)adders[i].count;
		if (!one_word || !i)
			held += atomic_load(adders[i].word);
	}
	return sum == held;
}

double plain_loop_rate(hwloc_topology_t topology, const hwloc_cpuset_t *cpus, unsigned threads,
		       unsigned stride, double seconds, double *cpu_share)
{
	const size_t bytes = (size_t)4096 * (1 + (size_t)threads * stride / 4096);
	unsigned char *words = aligned_alloc(4096, bytes);
	struct adder *adders = aligned_alloc(128, threads * sizeof(*adders));
	struct shared shared = { .topology = topology };
	double rate = -1.0;

	if (words && adders) {
		for (size_t i = 0; i < bytes; i++)
			words[i] = 0;
		for (unsigned i = 0; i < threads; i++)
			adders[i] = (struct adder){ .shared = &shared,
						    .cpu = cpus[i],
						    .word = (void *)(words + (size_t)i * stride) };
		rate = run(&shared, adders, threads, seconds, cpu_share);
		if (rate >= 0.0 && !adds_up(adders, threads, !stride))
			rate = -1.0;
	}
	free(adders);
	free(words);
	return rate;
}
