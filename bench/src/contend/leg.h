/* SPDX-License-Identifier: MIT */
/*
 * One contention leg: the device, the CPU threads, or both, hammering the field
 * for one window.
 */
#ifndef BENCH_LEG_H
#define BENCH_LEG_H

#include "contend.h"

#include <stdbool.h>

/* Who takes part. */
enum leg_kind { LEG_DEVICE = 1, LEG_CPU = 2, LEG_BOTH = LEG_DEVICE | LEG_CPU };

struct leg_result {
	double device_rate; /* operations per second; 0 where the side sat out */
	double cpu_rate;
	double overlap;		  /* time in which all sides ran, of the time in which any did */
	double fairness;	  /* Jain's index over all workers that ran */
	double cpu_share;	  /* of all operations */
	double device_cpu_share;  /* CPU device: CPU time its threads got, of what they need */
	double transfers;	  /* pages changing sides, per second; NAN: not counted */
	double cpu_waits;	  /* waits of CPU threads for a hold to end, per second */
	struct counters counters; /* of the time in which the sides worked */
	uint32_t resident;	  /* work-items that stood at the gate when it opened */
};

/*
 * Run one leg and verify its invariant. A lost update is EXIT_LOST_UPDATE, a
 * device that hangs or fails EXIT_DEVICE_LOST. The CPU threads' latencies are
 * added to @latency.
 */
bool leg_run(struct contention *contention, enum leg_kind kind, struct histogram *latency,
	     struct leg_result *result, struct error *err);

/* Gateless mode: find the number of steps that lasts about a window. */
bool leg_calibrate(struct contention *contention, struct error *err);

#endif
