/* SPDX-License-Identifier: MIT */
/*
 * Statistics against known answers, and what rests on them: the clock's
 * calibration and the decision when to stop sampling.
 */
#include "clock.h"
#include "sampler.h"
#include "stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%.17g is not within %g of %.17g", value, tolerance, expected);
}

static double uniform(uint64_t *random)
{
	return (double)(stats_random(random) >> 11) * 0x1p-53;
}

static void fill_uniform(double *values, size_t count, uint64_t *random)
{
	for (size_t i = 0; i < count; i++)
		values[i] = uniform(random);
}

static void test_samples_grow(void **state)
{
	struct samples set = { 0 };

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		assert_true(samples_add(&set, i));
	assert_int_equal(set.count, 1000);
	for (unsigned i = 0; i < 1000; i++)
		assert_near(set.values[i], i, 0);
	samples_clear(&set);
	assert_null(set.values);
	assert_int_equal(set.count, 0);
}

static void test_median(void **state)
{
	const double odd[] = { 9, 1, 5 };
	const double even[] = { 4, 1, 3, 2 };

	(void)state;
	assert_near(stats_median(odd, 3), 5, 0);
	assert_near(stats_median(even, 4), 2.5, 0);
	assert_near(stats_median(odd, 1), 9, 0);
	assert_true(isnan(stats_median(odd, 0)));
	/* The caller's order stays. */
	assert_near(odd[0], 9, 0);
	assert_near(odd[1], 1, 0);
}

static void test_quantile(void **state)
{
	const double values[] = { 40, 10, 30, 20, 50 };
	const double infinite[] = { 1, INFINITY, INFINITY };

	(void)state;
	assert_near(stats_quantile(values, 5, 0), 10, 0);
	assert_near(stats_quantile(values, 5, 1), 50, 0);
	assert_near(stats_quantile(values, 5, 0.25), 20, 0);
	assert_near(stats_quantile(values, 5, 0.1), 14, 1e-12);
	assert_near(stats_quantile(values, 5, 0.9), 46, 1e-12);
	assert_true(isnan(stats_quantile(values, 0, 0.5)));
	assert_true(isinf(stats_quantile(infinite, 3, 0.75)));
	assert_near(stats_quantile(infinite, 3, 0), 1, 0);
}

/* The published test vector of SplitMix64 for this seed. */
static void test_random(void **state)
{
	const uint64_t expected[] = { 6457827717110365317u, 3203168211198807973u,
				      9817491932198370423u, 4593380528125082431u,
				      16408922859458223821u };
	uint64_t random = 1234567;

	(void)state;
	for (size_t i = 0; i < COUNT(expected); i++)
		assert_true(stats_random(&random) == expected[i]);
}

static void test_bootstrap_known(void **state)
{
	const double three[] = { 3, 1, 2 };
	const double one[] = { 7 };
	struct interval interval;

	(void)state;
	/* 7 of the 27 resamples of three values have the lowest as their median. */
	interval = stats_bootstrap_median(three, 3, 1);
	assert_near(interval.low, 1, 0);
	assert_near(interval.high, 3, 0);

	interval = stats_bootstrap_median(one, 1, 1);
	assert_near(interval.low, 7, 0);
	assert_near(interval.high, 7, 0);

	interval = stats_bootstrap_median(one, 0, 1);
	assert_true(isnan(interval.low) && isnan(interval.high));
}

/* Values that lie evenly give intervals that do, over many seeds. */
static void test_bootstrap_is_centred(void **state)
{
	enum { SEEDS = 200 };

	(void)state;
	for (size_t count = 20; count <= 21; count++) {
		double values[21];
		double middles = 0;

		for (size_t i = 0; i < count; i++)
			values[i] = (double)i;
		for (unsigned seed = 0; seed < SEEDS; seed++) {
			const struct interval interval =
				stats_bootstrap_median(values, count, seed);

			middles += (interval.low + interval.high) / 2;
		}
		assert_near(middles / SEEDS, (double)(count - 1) / 2, 0.1);
	}
}

static void test_bootstrap_seed(void **state)
{
	double values[64];
	uint64_t random = 5;
	struct interval first, again, other;

	(void)state;
	fill_uniform(values, COUNT(values), &random);
	first = stats_bootstrap_median(values, COUNT(values), 42);
	again = stats_bootstrap_median(values, COUNT(values), 42);
	other = stats_bootstrap_median(values, COUNT(values), 43);
	assert_memory_equal(&first, &again, sizeof(first));
	assert_true(memcmp(&first, &other, sizeof(first)) != 0);
}

/* The percentile interval of a median is known to cover at about its nominal rate. */
static void test_bootstrap_covers(void **state)
{
	enum { TRIALS = 400, SIZE = 31 };
	uint64_t random = 2024;
	unsigned covered = 0;

	(void)state;
	for (unsigned i = 0; i < TRIALS; i++) {
		double values[SIZE];
		struct interval interval;

		fill_uniform(values, SIZE, &random);
		interval = stats_bootstrap_median(values, SIZE, i);
		covered += interval.low <= 0.5 && 0.5 <= interval.high;
	}
	assert_in_range(covered, TRIALS * 90 / 100, TRIALS * 99 / 100);
}

static void test_bootstrap_shrinks(void **state)
{
	double values[1600];
	uint64_t random = 7;
	struct interval few, many;

	(void)state;
	fill_uniform(values, COUNT(values), &random);
	few = stats_bootstrap_median(values, 100, 1);
	many = stats_bootstrap_median(values, COUNT(values), 1);
	assert_true(few.low < few.high);
	/* 16 times the samples: a quarter of the width, give or take. */
	assert_near((many.high - many.low) / (few.high - few.low), 0.25, 0.15);
}

static void test_bootstrap_ratio(void **state)
{
	const double flat[] = { 4, 4, 4, 4, 4 };
	const double zero[] = { 0, 0, 0, 0, 0 };
	double a[101], b[101];
	uint64_t random = 11;
	struct interval ratio, again;

	(void)state;
	for (size_t i = 0; i < COUNT(a); i++) {
		a[i] = 100 + uniform(&random);
		b[i] = 250 + uniform(&random);
	}
	ratio = stats_bootstrap_ratio(a, COUNT(a), b, COUNT(b), 3);
	assert_true(ratio.low < 250.5 / 100.5 && 250.5 / 100.5 < ratio.high);
	assert_near(ratio.high - ratio.low, 0, 0.02);
	again = stats_bootstrap_ratio(a, COUNT(a), b, COUNT(b), 3);
	assert_memory_equal(&ratio, &again, sizeof(ratio));

	ratio = stats_bootstrap_ratio(flat, 5, flat, 5, 3);
	assert_near(ratio.low, 1, 0);
	assert_near(ratio.high, 1, 0);

	ratio = stats_bootstrap_ratio(zero, 5, flat, 5, 3);
	assert_true(isinf(ratio.low) && isinf(ratio.high));
	ratio = stats_bootstrap_ratio(zero, 5, zero, 5, 3);
	assert_near(ratio.low, 1, 0);
	ratio = stats_bootstrap_ratio(flat, 0, flat, 5, 3);
	assert_true(isnan(ratio.low));
}

static void test_relative_width(void **state)
{
	(void)state;
	assert_near(stats_relative_width((struct interval){ 9, 11 }, 10), 0.2, 1e-15);
	assert_near(stats_relative_width((struct interval){ -11, -9 }, -10), 0.2, 1e-15);
	assert_true(isinf(stats_relative_width((struct interval){ 0, 0 }, 0)));
	assert_true(isinf(stats_relative_width((struct interval){ 1, INFINITY }, 2)));
	assert_true(isinf(stats_relative_width((struct interval){ NAN, NAN }, NAN)));
}

/* By way of Mann and Whitney: delta = 2U / (na nb) - 1, U from the rank sum of b. */
static double delta_by_ranks(const double *a, size_t na, const double *b, size_t nb)
{
	double rank_sum = 0;

	for (size_t i = 0; i < nb; i++) {
		double below = 0;
		double tied = 0;

		for (size_t j = 0; j < na; j++) {
			below += a[j] < b[i];
			tied += a[j] == b[i];
		}
		for (size_t j = 0; j < nb; j++) {
			below += b[j] < b[i];
			tied += b[j] == b[i];
		}
		rank_sum += below + (tied + 1) / 2;
	}
	return 2 * (rank_sum - (double)nb * (double)(nb + 1) / 2) / (double)(na * nb) - 1;
}

static void test_cliffs_delta(void **state)
{
	const double low[] = { 1, 2, 3 };
	const double high[] = { 4, 5, 6, 7 };
	const double tied_a[] = { 1, 2, 2 };
	const double tied_b[] = { 2, 2, 3 };
	uint64_t random = 99;

	(void)state;
	assert_near(stats_cliffs_delta(low, 3, high, 4), 1, 0);
	assert_near(stats_cliffs_delta(high, 4, low, 3), -1, 0);
	assert_near(stats_cliffs_delta(low, 3, low, 3), 0, 0);
	assert_near(stats_cliffs_delta(tied_a, 3, tied_b, 3), 5.0 / 9, 1e-15);
	assert_true(isnan(stats_cliffs_delta(low, 0, high, 4)));

	for (unsigned trial = 0; trial < 200; trial++) {
		const size_t na = 1 + stats_random(&random) % 12;
		const size_t nb = 1 + stats_random(&random) % 12;
		double a[12], b[12];

		for (size_t i = 0; i < na; i++)
			a[i] = (double)(stats_random(&random) % 8);
		for (size_t i = 0; i < nb; i++)
			b[i] = (double)(stats_random(&random) % 8);
		assert_near(stats_cliffs_delta(a, na, b, nb), delta_by_ranks(a, na, b, nb), 1e-12);
	}
}

static void test_jain(void **state)
{
	const double fair[] = { 1, 1, 1, 1 };
	const double greedy[] = { 1, 0, 0, 0 };
	const double half[] = { 3, 3, 0, 0 };
	const double nothing[] = { 0, 0 };
	const double uneven[] = { 1, 2, 3 };

	(void)state;
	assert_near(stats_jain(fair, 4), 1, 0);
	assert_near(stats_jain(greedy, 4), 0.25, 0);
	assert_near(stats_jain(half, 4), 0.5, 0);
	assert_near(stats_jain(uneven, 3), 36.0 / 42, 1e-15);
	assert_true(isnan(stats_jain(nothing, 2)));
	assert_true(isnan(stats_jain(fair, 0)));
}

static bool interrupt_now;

static bool interrupted(void)
{
	return interrupt_now;
}

static struct session make_session(void)
{
	static const struct device_ops nothing_counted;
	static struct device device = { .ops = &nothing_counted };

	return (struct session){
		.device = &device,
		.effort = { .min_samples = 5, .max_samples = 50, .width = 0.05, .budget_s = 60 },
		.seed = 1,
		.interrupted = interrupted,
	};
}

/* Samples spread evenly over +-@spread around 100, until the sampler has enough. */
static void run_sampler(struct sampler *sampler, const struct session *session, double spread)
{
	struct samples set = { 0 };
	const struct samples *watched[] = { &set };

	sampler_begin(sampler, session);
	while (sampler_more(sampler, watched, 1)) {
		const double step = sampler->taken % 2 ? spread : -spread;

		assert_true(samples_add(&set, 100 + step));
		sampler->taken++;
	}
	samples_clear(&set);
}

static void test_sampler_interval(void **state)
{
	const struct session session = make_session();
	struct sampler sampler;

	(void)state;
	run_sampler(&sampler, &session, 0.5);
	assert_string_equal(sampler.stopped_by, "interval");
	assert_int_equal(sampler.taken, 5);
}

static void test_sampler_samples(void **state)
{
	const struct session session = make_session();
	struct sampler sampler;

	(void)state;
	run_sampler(&sampler, &session, 50);
	assert_string_equal(sampler.stopped_by, "samples");
	assert_int_equal(sampler.taken, 50);
}

static void test_sampler_budget(void **state)
{
	struct session session = make_session();
	struct sampler sampler;

	(void)state;
	session.effort.max_samples = 1000000;
	session.effort.budget_s = 0.02;
	run_sampler(&sampler, &session, 50);
	assert_string_equal(sampler.stopped_by, "budget");
	assert_true(clock_ns() - sampler.started_ns >= 20000000);

	/* However small the budget, one sample is taken. */
	session.effort.budget_s = 0;
	run_sampler(&sampler, &session, 50);
	assert_string_equal(sampler.stopped_by, "budget");
	assert_int_equal(sampler.taken, 1);
}

static void test_sampler_interrupt(void **state)
{
	const struct session session = make_session();
	struct sampler sampler;
	json_t *point = json_object();

	(void)state;
	interrupt_now = true;
	run_sampler(&sampler, &session, 50);
	interrupt_now = false;
	assert_string_equal(sampler.stopped_by, "interrupt");
	assert_int_equal(sampler.taken, 0);

	sampler.taken = 7;
	sampler.rejected = 2;
	sampler_describe(&sampler, point);
	assert_string_equal(json_string_value(json_object_get(point, "stopped_by")), "interrupt");
	assert_int_equal(json_integer_value(json_object_get(point, "samples_taken")), 7);
	assert_int_equal(json_integer_value(json_object_get(point, "samples_rejected")), 2);
	json_decref(point);
}

/* Every watched measure has to be narrow, and have samples. */
static void test_sampler_watches_all(void **state)
{
	const struct session session = make_session();
	struct samples narrow = { 0 };
	struct samples wide = { 0 };
	struct samples empty = { 0 };
	const struct samples *both[] = { &narrow, &wide };
	const struct samples *starved[] = { &narrow, &empty };
	struct sampler sampler;

	(void)state;
	sampler_begin(&sampler, &session);
	for (unsigned i = 0; i < 10; i++) {
		assert_true(samples_add(&narrow, 100));
		assert_true(samples_add(&wide, i % 2 ? 10 : 1000));
		sampler.taken++;
	}
	assert_true(sampler_more(&sampler, both, 2));
	assert_true(sampler_more(&sampler, starved, 2));
	assert_null(sampler.stopped_by);
	assert_false(sampler_more(&sampler, both, 1));
	assert_string_equal(sampler.stopped_by, "interval");
	samples_clear(&narrow);
	samples_clear(&wide);
}

/* A point whose every leg is rejected gets twice its budget, and comes to an end. */
static void test_sampler_counts_rejected(void **state)
{
	struct session session = make_session();
	struct samples empty = { 0 };
	const struct samples *watched[] = { &empty };
	struct sampler sampler;

	(void)state;
	session.effort.budget_s = 0.01;
	sampler_begin(&sampler, &session);
	while (sampler_more(&sampler, watched, 1))
		sampler.rejected++;
	assert_string_equal(sampler.stopped_by, "budget");
	assert_int_equal(sampler.taken, 0);
	assert_true(clock_ns() - sampler.started_ns >= 20000000);
}

static void test_clock_sleep(void **state)
{
	const uint64_t deadline = clock_ns() + 3000000;

	(void)state;
	clock_sleep_until(deadline);
	assert_true(clock_ns() >= deadline);
	clock_sleep_until(deadline);
}

static void test_clock_overhead(void **state)
{
	const double overhead = clock_overhead_ns();

	(void)state;
	assert_true(overhead > 0 && overhead < 100000);
	assert_near(clock_overhead_ns(), overhead, 0);
}

static void test_clock_spin(void **state)
{
	const uint64_t iterations = clock_spin_iterations(200000);
	uint64_t best = UINT64_MAX;

	(void)state;
	assert_int_equal(clock_spin_iterations(0), 0);
	assert_true(clock_spin_iterations(1) >= 1);
	assert_true(clock_spin_iterations(UINT64_MAX) > clock_spin_iterations(UINT64_MAX / 1024));
	assert_near((double)clock_spin_iterations(20000000), 100.0 * (double)iterations, 100);

	/* A busy sibling halves a core's speed, so only the order of magnitude is certain. */
	for (unsigned i = 0; i < 50; i++) {
		const uint64_t start = clock_ns();
		uint64_t took;

		clock_spin(iterations);
		took = clock_ns() - start;
		best = took < best ? took : best;
	}
	assert_in_range(best, 20000, 2000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples_grow),
		cmocka_unit_test(test_median),
		cmocka_unit_test(test_quantile),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_bootstrap_known),
		cmocka_unit_test(test_bootstrap_is_centred),
		cmocka_unit_test(test_bootstrap_seed),
		cmocka_unit_test(test_bootstrap_covers),
		cmocka_unit_test(test_bootstrap_shrinks),
		cmocka_unit_test(test_bootstrap_ratio),
		cmocka_unit_test(test_relative_width),
		cmocka_unit_test(test_cliffs_delta),
		cmocka_unit_test(test_jain),
		cmocka_unit_test(test_sampler_interval),
		cmocka_unit_test(test_sampler_samples),
		cmocka_unit_test(test_sampler_budget),
		cmocka_unit_test(test_sampler_interrupt),
		cmocka_unit_test(test_sampler_watches_all),
		cmocka_unit_test(test_sampler_counts_rejected),
		cmocka_unit_test(test_clock_sleep),
		cmocka_unit_test(test_clock_overhead),
		cmocka_unit_test(test_clock_spin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
