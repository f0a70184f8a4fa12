/* SPDX-License-Identifier: MIT */
/*
 * Statistics of noisy samples: medians, bootstrap intervals, effect size,
 * fairness. Nothing here takes a mean of wall-clock times.
 */
#ifndef BENCH_STATS_H
#define BENCH_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing set of samples. Zero-initialise; free with samples_clear(). */
struct samples {
	double *values;
	size_t count;
	size_t capacity;
};

/* False where memory runs out; the set is then as it was. */
bool samples_add(struct samples *set, double value);
void samples_clear(struct samples *set);

struct interval {
	double low;
	double high;
};

/* NAN for an empty set. The input is left in its order. */
double stats_median(const double *values, size_t count);

/* Linear interpolation between closest ranks, q in [0, 1]; NAN when empty. */
double stats_quantile(const double *values, size_t count, double q);

/*
 * 95% percentile-bootstrap interval of the median (Efron & Tibshirani, An
 * Introduction to the Bootstrap, 1993, ch. 13), with a fixed number of
 * resamples. The same @seed gives the same interval.
 */
struct interval stats_bootstrap_median(const double *values, size_t count, uint64_t seed);

/* The same for median(b) / median(a). */
struct interval stats_bootstrap_ratio(const double *a, size_t na, const double *b, size_t nb,
				      uint64_t seed);

/* (high - low) / |median|; INFINITY where that has no meaning. */
double stats_relative_width(struct interval interval, double median);

/*
 * Cliff's delta of b over a, in [-1, 1]: P(b > a) - P(b < a) (Cliff,
 * Psychological Bulletin 114(3), 1993).
 */
double stats_cliffs_delta(const double *a, size_t na, const double *b, size_t nb);

/*
 * Jain's fairness index (Jain, Chiu, Hawe, DEC-TR-301, 1984): 1 when all get
 * the same, 1/count when one gets everything. NAN when nobody gets anything.
 */
double stats_jain(const double *shares, size_t count);

/* The seeded generator used throughout (SplitMix64, Steele et al., OOPSLA 2014). */
uint64_t stats_random(uint64_t *state);

#endif
