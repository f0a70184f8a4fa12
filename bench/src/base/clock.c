/* SPDX-License-Identifier: MIT */
/*
 * What the clock costs, how fast the spin loop runs, and sleeping to a deadline.
 */
#include "clock.h"

#include "stats.h"

#include <errno.h>
#include <pthread.h>

#define CLOCK_BATCHES 101
#define CLOCK_READS   64
#define SPIN_RUNS     9
#define SPIN_RUN_NS   500000

static pthread_once_t overhead_once = PTHREAD_ONCE_INIT;
static double overhead_ns;
static pthread_once_t spin_once = PTHREAD_ONCE_INIT;
static double spins_per_ns;

void clock_sleep_until(uint64_t deadline)
{
	const struct timespec until = {
		.tv_sec = (time_t)(deadline / 1000000000u),
		.tv_nsec = (long)(deadline % 1000000000u),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

static void measure_overhead(void)
{
	double costs[CLOCK_BATCHES];

	for (unsigned i = 0; i < CLOCK_BATCHES; i++) {
		const uint64_t start = clock_ns();

		for (unsigned j = 1; j < CLOCK_READS; j++)
			clock_ns();
		costs[i] = (double)(clock_ns() - start) / CLOCK_READS;
	}
	overhead_ns = stats_median(costs, CLOCK_BATCHES);
}

double clock_overhead_ns(void)
{
	pthread_once(&overhead_once, measure_overhead);
	return overhead_ns;
}

static uint64_t time_spin(uint64_t iterations)
{
	const uint64_t start = clock_ns();

	clock_spin(iterations);
	return clock_ns() - start;
}

/* Growing the count until it lasts also brings the core up to speed. */
static void calibrate_spin(void)
{
	uint64_t iterations = 1024;
	uint64_t best;

	while ((best = time_spin(iterations)) < SPIN_RUN_NS)
		iterations *= 2;

	/* Preemption and a busy sibling only ever add time, so the shortest run is the truest. */
	for (unsigned i = 1; i < SPIN_RUNS; i++) {
		const uint64_t took = time_spin(iterations);

		if (took < best)
			best = took;
	}
	spins_per_ns = (double)iterations / (double)best;
}

uint64_t clock_spin_iterations(uint64_t ns)
{
	double iterations;

	if (ns == 0)
		return 0;

	pthread_once(&spin_once, calibrate_spin);
	iterations = (double)ns * spins_per_ns;
	if (iterations >= (double)UINT64_MAX)
		return UINT64_MAX;
	return iterations < 1 ? 1 : (uint64_t)(iterations + 0.5);
}
