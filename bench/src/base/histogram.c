/* SPDX-License-Identifier: MIT */
/*
 * The log-linear histogram: values below 32 have a bucket each, every octave
 * above is cut into 32.
 */
#include "histogram.h"

#include <math.h>
#include <stdbool.h>

#define SUB_BUCKETS (1u << HISTOGRAM_SUB_BITS)

static unsigned bucket_index(uint64_t ns)
{
	unsigned shift;

	if (ns < SUB_BUCKETS)
		return (unsigned)ns;
	shift = 63 - (unsigned)__builtin_clzll(ns) - HISTOGRAM_SUB_BITS;
	return (shift << HISTOGRAM_SUB_BITS) + (unsigned)(ns >> shift);
}

uint64_t histogram_bucket_low(unsigned index)
{
	const unsigned octave = index >> HISTOGRAM_SUB_BITS;

	if (octave == 0)
		return index;
	return (uint64_t)(SUB_BUCKETS + index % SUB_BUCKETS) << (octave - 1);
}

void histogram_add_many(struct histogram *histogram, uint64_t ns, uint64_t count)
{
	histogram->count += count;
	histogram->buckets[bucket_index(ns)] += count;
	if (count && ns > histogram->max)
		histogram->max = ns;
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
	histogram_add_many(histogram, ns, 1);
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	into->count += from->count;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
	if (from->max > into->max)
		into->max = from->max;
}

/* The upper end of the bucket, so that "at or below" holds; off by less than 1/32. */
double histogram_quantile(const struct histogram *histogram, double quantile)
{
	const double wanted = quantile * (double)histogram->count;
	uint64_t seen = 0;

	if (histogram->count == 0)
		return NAN;
	for (unsigned i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
		const uint64_t high = histogram_bucket_low(i + 1) - 1;

		seen += histogram->buckets[i];
		if (high >= histogram->max)
			break;
		if (seen > 0 && (double)seen >= wanted)
			return (double)high;
	}
	return (double)histogram->max;
}

/* A clock that went backwards wraps to what no JSON integer holds. */
static json_t *json_ns(uint64_t ns)
{
	return ns <= INT64_MAX ? json_integer((json_int_t)ns) : json_real((double)ns);
}

static json_t *buckets_json(const struct histogram *histogram)
{
	json_t *buckets = json_array();

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		const uint64_t count = histogram->buckets[i];

		if (count == 0)
			continue;
		json_array_append_new(buckets, json_pack("[o, I]", json_ns(histogram_bucket_low(i)),
							 (json_int_t)count));
	}
	return buckets;
}

json_t *histogram_json(const struct histogram *histogram, const char *name)
{
	if (histogram->count == 0)
		return NULL;
	return json_pack(
		"{s:s, s:s, s:I, s:f, s:f, s:f, s:f, s:f, s:o, s:o}", "name", name, "unit", "ns",
		"count", (json_int_t)histogram->count, "p50", histogram_quantile(histogram, 0.5),
		"p90", histogram_quantile(histogram, 0.9), "p99",
		histogram_quantile(histogram, 0.99), "p99_9", histogram_quantile(histogram, 0.999),
		"p99_99", histogram_quantile(histogram, 0.9999), "max", json_ns(histogram->max),
		"buckets", buckets_json(histogram));
}
