/* SPDX-License-Identifier: MIT */
/*
 * Log-linear latency histogram: fixed size, 32 buckets an octave (3% wide), in
 * nanoseconds. Hand-written because Debian 12 packages no HdrHistogram for C.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <jansson.h>
#include <stdint.h>

#define HISTOGRAM_SUB_BITS 5
#define HISTOGRAM_BUCKETS  ((64 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

struct histogram {
	uint64_t count;
	uint64_t max;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t ns);
void histogram_add_many(struct histogram *histogram, uint64_t ns, uint64_t count);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* Lower bound of bucket @index, in ns. */
uint64_t histogram_bucket_low(unsigned index);

/* The smallest value with at least @quantile of all values at or below it; NAN when empty. */
double histogram_quantile(const struct histogram *histogram, double quantile);

/* A schema "histogram" object; NULL when empty. */
json_t *histogram_json(const struct histogram *histogram, const char *name);

#endif
