/* SPDX-License-Identifier: MIT */
/*
 * CPU time that threads really got.
 */
#ifndef BENCH_CPUTIME_H
#define BENCH_CPUTIME_H

#include <stdint.h>

/* Of the calling thread, in nanoseconds. */
uint64_t cputime_own_ns(void);

/*
 * Of all other threads of this process together, in nanoseconds, up to now.
 * CLOCK_PROCESS_CPUTIME_ID will not do: it knows of threads that run on other
 * CPUs only what the last tick saw, which is up to 4 ms ago. 0 where /proc is
 * missing.
 */
uint64_t cputime_others_ns(void);

#endif
