/* SPDX-License-Identifier: MIT */
/*
 * Time in nanoseconds on CLOCK_MONOTONIC.
 */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Sleep until clock_ns() reaches @deadline. */
void clock_sleep_until(uint64_t deadline);

/* Median cost of clock_ns() here, measured once per process. */
double clock_overhead_ns(void);

/* Burn about @ns without touching memory: iterations of clock_spin(). */
uint64_t clock_spin_iterations(uint64_t ns);

static inline void clock_spin(uint64_t iterations)
{
	/* The empty asm keeps the loop; a pause would cost differently on every core. */
	for (uint64_t i = 0; i < iterations; i++)
		__asm__ volatile("" ::: "memory");
}

/*
 * Between two looks at a word that another CPU is to change. Emulators that run one CPU
 * after another take it for the end of this one's turn.
 */
static inline void clock_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__asm__ volatile("pause");
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

#endif
