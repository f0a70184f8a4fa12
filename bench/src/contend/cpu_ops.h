/* SPDX-License-Identifier: MIT */
/*
 * The CPU's half of a contention leg: the steps of steps.h as tight loops, one
 * per operation, type, order and way of finding the word.
 */
#ifndef BENCH_CPU_OPS_H
#define BENCH_CPU_OPS_H

#include "field.h"

#include <stdbool.h>
#include <stdint.h>

struct cpu_worker {
	const struct field *field;
	enum order order;
	uint32_t me; /* number among all workers */
	bool fresh;
	struct outcome outcome;
};

/* Take @count steps. */
typedef void cpu_steps(struct cpu_worker *worker, uint64_t count);

/* NULL where combination_refusal() has a reason. */
cpu_steps *cpu_steps_for(enum op op, enum type type);

/* Put @worker to the start of a leg. */
void cpu_worker_reset(struct cpu_worker *worker);

#endif
