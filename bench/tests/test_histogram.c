/* SPDX-License-Identifier: MIT */
/*
 * The histogram against sorted values: what it rounds, and by how much at most.
 */
#include "histogram.h"
#include "stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct histogram *make_histogram(void)
{
	struct histogram *histogram = calloc(1, sizeof(*histogram));

	assert_non_null(histogram);
	return histogram;
}

static void test_buckets_cover(void **state)
{
	(void)state;
	assert_true(histogram_bucket_low(0) == 0);
	for (unsigned i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
		const uint64_t low = histogram_bucket_low(i);
		const uint64_t width = histogram_bucket_low(i + 1) - low;

		assert_true(width >= 1);
		assert_true(width == 1 || width <= low / 32);
	}
	/* The last one reaches to the end: 63 << 58 is its low bound. */
	assert_true(histogram_bucket_low(HISTOGRAM_BUCKETS - 1) == (uint64_t)63 << 58);
}

/* Both ends of every bucket, and nothing else, are counted in it. */
static void test_bucket_ends(void **state)
{
	struct histogram *histogram = make_histogram();

	(void)state;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		const bool last = i + 1 == HISTOGRAM_BUCKETS;

		histogram_add(histogram, histogram_bucket_low(i));
		histogram_add(histogram, last ? UINT64_MAX : histogram_bucket_low(i + 1) - 1);
		assert_true(histogram->buckets[i] == 2);
	}
	assert_true(histogram->count == 2 * HISTOGRAM_BUCKETS);
	assert_true(histogram->max == UINT64_MAX);
	free(histogram);
}

static int compare_u64(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a;
	const uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Random bits at a random scale: every octave gets its share. */
static uint64_t random_value(uint64_t *random)
{
	const unsigned shift = stats_random(random) % 63;

	return (stats_random(random) >> 1) >> shift;
}

static void test_quantile_error(void **state)
{
	enum { VALUES = 100000 };
	static const double quantiles[] = { 0, 0.001, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1 };
	struct histogram *histogram = make_histogram();
	uint64_t *values = malloc(VALUES * sizeof(*values));
	uint64_t random = 17;

	(void)state;
	assert_non_null(values);
	for (unsigned i = 0; i < VALUES; i++) {
		values[i] = random_value(&random);
		histogram_add(histogram, values[i]);
	}
	qsort(values, VALUES, sizeof(*values), compare_u64);

	for (unsigned i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		const double rank = fmax(ceil(quantiles[i] * VALUES), 1);
		const double exact = (double)values[(size_t)rank - 1];
		const double got = histogram_quantile(histogram, quantiles[i]);

		assert_true(got >= exact);
		assert_true(got <= exact * (1 + 1.0 / 32));
	}
	assert_true(histogram_quantile(histogram, 1) == (double)values[VALUES - 1]);
	free(values);
	free(histogram);
}

static void test_quantile_small(void **state)
{
	struct histogram *histogram = make_histogram();

	(void)state;
	assert_true(isnan(histogram_quantile(histogram, 0.5)));
	for (uint64_t ns = 1; ns <= 10; ns++)
		histogram_add(histogram, ns);
	assert_true(histogram_quantile(histogram, 0) == 1);
	assert_true(histogram_quantile(histogram, 0.1) == 1);
	assert_true(histogram_quantile(histogram, 0.11) == 2);
	assert_true(histogram_quantile(histogram, 0.5) == 5);
	assert_true(histogram_quantile(histogram, 0.95) == 10);
	assert_true(histogram_quantile(histogram, 1) == 10);

	/* Never above the largest value seen, whatever the bucket's upper end. */
	histogram_add(histogram, 1000000);
	assert_true(histogram_quantile(histogram, 1) == 1000000);
	free(histogram);
}

static void test_merge(void **state)
{
	struct histogram *whole = make_histogram();
	struct histogram *parts[2] = { make_histogram(), make_histogram() };
	uint64_t random = 23;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		const uint64_t value = random_value(&random);

		histogram_add(whole, value);
		histogram_add(parts[i % 3 == 0], value);
	}
	histogram_add(whole, UINT64_MAX);
	histogram_add(parts[1], UINT64_MAX);
	histogram_merge(parts[0], parts[1]);
	assert_memory_equal(parts[0], whole, sizeof(*whole));
	free(parts[0]);
	free(parts[1]);
	free(whole);
}

static void test_json(void **state)
{
	struct histogram *histogram = make_histogram();
	json_t *json, *expected;

	(void)state;
	assert_null(histogram_json(histogram, "latency"));

	/* 96 to 97 share a bucket; 3 stands alone. */
	histogram_add(histogram, 3);
	histogram_add(histogram, 96);
	histogram_add(histogram, 97);
	histogram_add(histogram, 97);
	json = histogram_json(histogram, "latency");
	expected = json_pack("{s:s, s:s, s:i, s:f, s:f, s:f, s:f, s:f, s:i, s:[[i, i], [i, i]]}",
			     "name", "latency", "unit", "ns", "count", 4, "p50", 97.0, "p90", 97.0,
			     "p99", 97.0, "p99_9", 97.0, "p99_99", 97.0, "max", 97, "buckets", 3, 1,
			     96, 3);
	assert_non_null(json);
	assert_non_null(expected);
	assert_true(json_equal(json, expected));
	json_decref(json);
	json_decref(expected);

	/* No negative number for what no JSON integer holds. */
	histogram_add(histogram, UINT64_MAX);
	json = histogram_json(histogram, "latency");
	assert_true(json_number_value(json_object_get(json, "max")) == (double)UINT64_MAX);
	json_decref(json);
	free(histogram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buckets_cover),  cmocka_unit_test(test_bucket_ends),
		cmocka_unit_test(test_quantile_error), cmocka_unit_test(test_quantile_small),
		cmocka_unit_test(test_merge),	       cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
