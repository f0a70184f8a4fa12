/* SPDX-License-Identifier: MIT */
/*
 * When to stop sampling a point: once every watched measure's 95% interval is
 * narrow enough, or the budget is spent, or the user has had enough.
 */
#ifndef BENCH_SAMPLER_H
#define BENCH_SAMPLER_H

#include "counters.h"
#include "stats.h"
#include "workload.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* With fewer samples a median says little; a point gets up to twice its budget for them. */
#define SAMPLER_ENOUGH 3

struct sampler {
	const struct session *session;
	uint64_t started_ns;
	unsigned taken;
	unsigned rejected;
	struct counters counters; /* when it began */
	const char *stopped_by;	  /* "interval", "budget", "samples", "interrupt" */
};

void sampler_begin(struct sampler *sampler, const struct session *session);

/*
 * Whether to take another sample, given the sets that matter so far. Call it
 * before each; count what came of the sample in taken and rejected.
 */
bool sampler_more(struct sampler *sampler, const struct samples *const *watched, size_t count);

/* Set stopped_by, samples_taken and samples_rejected in @point. */
void sampler_describe(const struct sampler *sampler, json_t *point);

#endif
