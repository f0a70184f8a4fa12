/* SPDX-License-Identifier: MIT */
/*
 * Building the "point" object of a result (schema/result.schema.json).
 */
#ifndef BENCH_POINT_H
#define BENCH_POINT_H

#include "histogram.h"
#include "result.h"
#include "sampler.h"
#include "workload.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * A point with its axes: those that @workload reads, in the values that were
 * really used. NULL and @err where memory runs out.
 */
json_t *point_new(const struct session *session, const struct workload *workload,
		  const struct point *point, struct error *err);

/* Add a note, once. */
__attribute__((format(printf, 2, 3))) void point_note(json_t *point, const char *format, ...);

/* The point was not measured, and why. */
__attribute__((format(printf, 2, 3))) void point_refuse(json_t *point, const char *format, ...);

/*
 * What every measured point says: that it is verified, when sampling stopped and
 * why, the device's counters, and partial where the user cut it short. Then its
 * figures, one after another; an empty set or histogram is left out.
 */
void point_describe(json_t *point, const struct session *session, const struct sampler *sampler);
void point_measure(json_t *point, const char *name, const char *unit, enum better better,
		   const struct samples *samples, uint64_t seed);
void point_histogram(json_t *point, const struct histogram *histogram, const char *name);

/* The point's invariant broke: a result without a number. */
void point_lost_update(json_t *point, const char *reason);

/* A CPU device that could not be partitioned, and what that means. */
void point_note_confined(const struct device *dev, json_t *point);

/* The work-items and group size that "auto" stands for on this device. */
void point_resolve(const struct device *dev, struct point *point);

/*
 * What the device cannot do of what @point asks for, in words, or NULL.
 * Narrowings that are measured all the same (scope, order) become notes.
 */
const char *point_missing(const struct session *session, const struct workload *workload,
			  const struct point *point);
void point_note_fallbacks(const struct session *session, const struct point *point, json_t *json);

#endif
