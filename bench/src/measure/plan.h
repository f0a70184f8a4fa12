/* SPDX-License-Identifier: MIT */
/*
 * What a run measures, and how hard it tries: the profiles, or what the user
 * asked for.
 */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include "axes.h"
#include "device.h"
#include "workload.h"

#include <stdbool.h>
#include <stddef.h>

struct profile {
	const char *name;
	const char *summary;
	struct effort effort;
};
extern const struct profile profiles[]; /* ended by a NULL name */
const struct profile *profile_find(const char *name);

/* A request: no workloads and no axes means the profile's own points. */
struct request {
	const struct profile *profile;
	unsigned workloads; /* bit i: workloads[i]; 0: all */
	struct axis_lists lists;
	bool has_axes;
};

struct plan_entry {
	const struct workload *workload;
	struct point point;
};

struct plan {
	struct plan_entry *entries;
	size_t count;
};

/*
 * The points for one device on a machine with @cpus CPUs. EXIT_USAGE_ERROR
 * where an axis was given that none of the workloads reads.
 */
bool plan_make(struct plan *plan, const struct request *request, const struct device *dev,
	       unsigned cpus, struct error *err);
void plan_clear(struct plan *plan);

/* The most host threads that any point uses. */
unsigned plan_cpu_threads(const struct plan *plan);

#endif
