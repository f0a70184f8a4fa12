/* SPDX-License-Identifier: MIT */
/*
 * What every workload offers to the commands: a name, words for `describe`, and
 * a function that measures one point.
 */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include "axes.h"
#include "crew.h"
#include "device.h"
#include "error.h"
#include "topology.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* When to stop sampling a point. */
struct effort {
	uint64_t window_ns; /* length of a contend leg */
	unsigned min_samples;
	unsigned max_samples;
	double width;	    /* wanted relative width of the 95% interval */
	double budget_s;    /* per point */
	unsigned rounds;    /* handoff: round trips per sample */
	unsigned app_scale; /* apps: input size = base << app_scale */
};

struct session {
	const struct topology *topology;
	struct device *device;
	unsigned device_index; /* in the result's devices */
	struct effort effort;
	uint64_t seed;
	double timeout_s;     /* past it a kernel counts as hanging */
	bool allow_unclaimed; /* measure atomics that the device does not promise */
	bool no_gate;	      /* do without a start gate even where there is one */
	bool broken;	      /* build the non-atomic kernel the verifier must catch */
	bool (*interrupted)(void);
};

struct workload {
	const char *name;
	const char *summary;	 /* one line, for `list` */
	const char *description; /* paragraphs, for `describe` */
	unsigned axes;		 /* bit i: it reads axis i of enum axis_id */
	/*
	 * Measure one point: a schema "point" object, or NULL with @err set on
	 * a failure that ends the run (a lost update: *@out holds the point).
	 */
	bool (*measure)(const struct session *session, const struct point *point, json_t **out,
			struct error *err);
};

extern const struct workload workload_contend;
extern const struct workload workload_handoff;
extern const struct workload workload_histogram;
extern const struct workload workload_queue;
extern const struct workload workload_hash;
extern const struct workload workload_bfs;
extern const struct workload workload_steal;

extern const struct workload *const workloads[]; /* NULL-ended */
const struct workload *workload_find(const char *name);

#endif
