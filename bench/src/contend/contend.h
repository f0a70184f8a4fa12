/* SPDX-License-Identifier: MIT */
/*
 * What a contention point owns while it is measured; contend.c sets it up, leg.c
 * uses it, and the self-check borrows it.
 */
#ifndef BENCH_CONTEND_H
#define BENCH_CONTEND_H

#include "control.h"
#include "cpu_ops.h"
#include "crew.h"
#include "field.h"
#include "histogram.h"
#include "workload.h"

/* A CPU thread's part: its worker and what it noted down. */
struct cpu_side {
	struct cpu_worker worker;
	struct histogram latency;
	uint64_t interval; /* steps between two timed ones */
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t cpu_time_ns;
	/* Neighbours in the array must not share a line: the adjacent one is prefetched too. */
	char padding[128];
};

struct contention {
	const struct session *session;
	struct point point; /* resolved: no "auto" left */
	struct field field;
	struct memory control;
	struct memory outcomes; /* the work-items', in the device's order */
	struct outcome *all;	/* CPU threads' and work-items', for the verifier */
	struct crew *crew;	/* NULL without CPU threads */
	struct cpu_side *cpu;
	cpu_steps *steps;
	uint64_t think_iterations;
	struct kernel *kernel;
	enum gate gate;
	uint64_t gateless_steps; /* per work-item, without a gate */
	bool oversubscribed;
	bool takes_turns; /* virtual device: the CPUs may be emulated, one after another */
};

/*
 * Everything but the measuring. EXIT_UNAVAILABLE: the point cannot be measured
 * on this device or machine, and why.
 */
bool contention_create(struct contention *contention, const struct session *session,
		       const struct point *point, struct error *err);
void contention_destroy(struct contention *contention);

#endif
