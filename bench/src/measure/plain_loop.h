/* SPDX-License-Identifier: MIT */
/*
 * The yardstick of the self-check: C11 threads in a plain loop. It shares no
 * code with the harness, so that it cannot share its mistakes.
 */
#ifndef BENCH_PLAIN_LOOP_H
#define BENCH_PLAIN_LOOP_H

#include <hwloc.h>
#include <stdbool.h>

/*
 * Relaxed fetch_add on 32-bit words by @threads threads for @seconds, thread i
 * bound to @cpus[i]. @stride: bytes between two threads' words, 0 for one word.
 * Operations per second of all threads; negative where it could not run or the
 * sum is wrong. *@cpu_share: the smallest part of its time that a thread really
 * had a CPU.
 */
double plain_loop_rate(hwloc_topology_t topology, const hwloc_cpuset_t *cpus, unsigned threads,
		       unsigned stride, double seconds, double *cpu_share);

#endif
