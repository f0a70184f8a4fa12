/* SPDX-License-Identifier: MIT */
/*
 * What a driver counts of pages that go from one side to the other.
 */
#ifndef BENCH_COUNTERS_H
#define BENCH_COUNTERS_H

#include "histogram.h"

#include <jansson.h>
#include <stdint.h>

#define COUNTERS_HELD 32

struct counters {
	uint64_t acquired;	/* pages that the device got */
	uint64_t revoked_cpu;	/* pages that a CPU took back from it */
	uint64_t revoked_other; /* pages that it lost to anything else */
	uint64_t refused;	/* pages that it wanted and did not get */
	uint64_t retries;	/* takings that had to be begun again */
	uint64_t waits_cpu;	/* a CPU waited for a hold to end */
	uint64_t waits_device;	/* the device waited for the CPU's turn to end */
	/* Pages lost after they were held for 2^i to 2^(i+1) - 1 ns; first and last: beyond. */
	uint64_t held[COUNTERS_HELD];
};

/* What was counted between two readings. */
struct counters counters_between(const struct counters *before, const struct counters *after);

/* Pages that changed sides, in either direction. */
uint64_t counters_transfers(const struct counters *counters);

/* Add the hold times, each rounded down to a power of two, which is all that is known. */
void counters_held(const struct counters *counters, struct histogram *histogram);

/* By name, without the hold times; the caller's. */
json_t *counters_json(const struct counters *counters);

#endif
