/* SPDX-License-Identifier: MIT */
/*
 * Medians, bootstrap intervals, effect size and fairness.
 */
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Efron & Tibshirani ask for 1000 or more resamples where percentiles are read off. */
#define RESAMPLES 1000

bool samples_add(struct samples *set, double value)
{
	if (set->count == set->capacity) {
		const size_t capacity = set->capacity ? 2 * set->capacity : 32;
		double *values = realloc(set->values, capacity * sizeof(*values));

		if (!values)
			return false;
		set->values = values;
		set->capacity = capacity;
	}
	set->values[set->count++] = value;
	return true;
}

void samples_clear(struct samples *set)
{
	free(set->values);
	*set = (struct samples){ 0 };
}

static int compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double *sorted_copy(const double *values, size_t count)
{
	double *copy = malloc(count * sizeof(*copy));

	if (!copy)
		return NULL;
	memcpy(copy, values, count * sizeof(*copy));
	qsort(copy, count, sizeof(*copy), compare_doubles);
	return copy;
}

static double sorted_quantile(const double *sorted, size_t count, double q)
{
	const double rank = q * (double)(count - 1);
	const size_t below = (size_t)rank;
	const double fraction = rank - (double)below;

	/* Also keeps infinities out of a subtraction that would make them NAN. */
	if (fraction == 0 || sorted[below] == sorted[below + 1])
		return sorted[below];
	return sorted[below] + fraction * (sorted[below + 1] - sorted[below]);
}

double stats_quantile(const double *values, size_t count, double q)
{
	double *sorted;
	double value;

	if (count == 0)
		return NAN;
	sorted = sorted_copy(values, count);
	if (!sorted)
		return NAN;
	value = sorted_quantile(sorted, count, q);
	free(sorted);
	return value;
}

double stats_median(const double *values, size_t count)
{
	return stats_quantile(values, count, 0.5);
}

uint64_t stats_random(uint64_t *state)
{
	uint64_t z = *state += 0x9E3779B97F4A7C15u;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

/* A sample to draw from with replacement: its values in order, and how often each was drawn. */
struct urn {
	double *sorted;
	unsigned *drawn;
	size_t count;
};

static void urn_clear(struct urn *urn)
{
	free(urn->sorted);
	free(urn->drawn);
}

static bool urn_fill(struct urn *urn, const double *values, size_t count)
{
	*urn = (struct urn){
		.sorted = sorted_copy(values, count),
		.drawn = malloc(count * sizeof(*urn->drawn)),
		.count = count,
	};
	return urn->sorted && urn->drawn;
}

/* The value at @rank of what was drawn. */
static double urn_value(const struct urn *urn, size_t rank)
{
	size_t i = 0;

	for (size_t seen = urn->drawn[0]; seen <= rank; seen += urn->drawn[i])
		i++;
	return urn->sorted[i];
}

/* Counting draws of sorted values finds each resample's median without sorting it. */
static double urn_resample_median(const struct urn *urn, uint64_t *random)
{
	const size_t count = urn->count;
	double low, high;

	memset(urn->drawn, 0, count * sizeof(*urn->drawn));
	for (size_t i = 0; i < count; i++)
		urn->drawn[(stats_random(random) >> 32) * count >> 32]++;

	low = urn_value(urn, (count - 1) / 2);
	high = urn_value(urn, count / 2);
	return low == high ? low : low + (high - low) / 2;
}

static struct interval percentile_interval(double *estimates)
{
	qsort(estimates, RESAMPLES, sizeof(*estimates), compare_doubles);
	return (struct interval){
		.low = sorted_quantile(estimates, RESAMPLES, 0.025),
		.high = sorted_quantile(estimates, RESAMPLES, 0.975),
	};
}

struct interval stats_bootstrap_median(const double *values, size_t count, uint64_t seed)
{
	struct interval interval = { NAN, NAN };
	double medians[RESAMPLES];
	struct urn urn;

	if (count == 0)
		return interval;
	if (urn_fill(&urn, values, count)) {
		for (unsigned i = 0; i < RESAMPLES; i++)
			medians[i] = urn_resample_median(&urn, &seed);
		interval = percentile_interval(medians);
	}
	urn_clear(&urn);
	return interval;
}

/* Nothing against nothing is no change. */
static double ratio(double b, double a)
{
	return a == 0 && b == 0 ? 1 : b / a;
}

struct interval stats_bootstrap_ratio(const double *a, size_t na, const double *b, size_t nb,
				      uint64_t seed)
{
	struct interval interval = { NAN, NAN };
	double ratios[RESAMPLES];
	struct urn urn_a = { 0 };
	struct urn urn_b = { 0 };

	if (na == 0 || nb == 0)
		return interval;
	if (urn_fill(&urn_a, a, na) && urn_fill(&urn_b, b, nb)) {
		for (unsigned i = 0; i < RESAMPLES; i++) {
			const double median_a = urn_resample_median(&urn_a, &seed);

			ratios[i] = ratio(urn_resample_median(&urn_b, &seed), median_a);
		}
		interval = percentile_interval(ratios);
	}
	urn_clear(&urn_a);
	urn_clear(&urn_b);
	return interval;
}

double stats_relative_width(struct interval interval, double median)
{
	const double width = (interval.high - interval.low) / fabs(median);

	return isfinite(width) ? width : INFINITY;
}

double stats_cliffs_delta(const double *a, size_t na, const double *b, size_t nb)
{
	double more = 0;

	if (na == 0 || nb == 0)
		return NAN;
	for (size_t i = 0; i < na; i++) {
		for (size_t j = 0; j < nb; j++)
			more += (b[j] > a[i]) - (b[j] < a[i]);
	}
	return more / ((double)na * (double)nb);
}

double stats_jain(const double *shares, size_t count)
{
	double sum = 0;
	double squares = 0;

	for (size_t i = 0; i < count; i++) {
		sum += shares[i];
		squares += shares[i] * shares[i];
	}
	return squares > 0 ? sum * sum / ((double)count * squares) : NAN;
}
