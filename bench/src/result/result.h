/* SPDX-License-Identifier: MIT */
/*
 * The result document: built while measuring, saved as JSON, read back by
 * `report` and `compare`. schema/result.schema.json is its contract.
 */
#ifndef BENCH_RESULT_H
#define BENCH_RESULT_H

#include "error.h"
#include "stats.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define RESULT_SCHEMA "svmatomic-bench/1"

/* Which way is better, for `compare` and the report. */
enum better { BETTER_HIGHER, BETTER_LOWER, BETTER_NEITHER };

/*
 * A measure: its samples, their median and the 95% bootstrap interval of the
 * median. @unit is one of "op/s", "1/s", "ns", "s", "ratio", "share".
 */
json_t *result_measure(const char *name, const char *unit, enum better better,
		       const struct samples *samples, uint64_t seed);

/* The measure @name of @point, or NULL. Borrowed. */
const json_t *result_find_measure(const json_t *point, const char *name);

/* Median of the measure @name of @point; NAN where there is none. */
double result_median(const json_t *point, const char *name);

/*
 * One line naming a point: "contend fetch_add/uint word 64x2 think_ns=100", with
 * work-items x CPU threads, and of the rest what is not the default.
 */
void result_point_label(const json_t *point, char *out, size_t size);

/*
 * Read a result. EXIT_NO_INPUT where the file cannot be read, EXIT_BAD_DATA
 * where it is not JSON or not a result this version knows. The caller's.
 */
json_t *result_load(const char *path, struct error *err);

/*
 * Write text to @path so that no reader ever sees half of it: to a temporary
 * name in the same directory, synced, then renamed. "-" and paths that exist
 * and are no regular files (/dev/stdout) are written directly.
 */
bool result_write_text(const char *path, const char *text, size_t size, struct error *err);

/* The same with the text that @put prints; it returns false where it cannot. */
bool result_write(const char *path, bool (*put)(FILE *out, const json_t *result),
		  const json_t *result, struct error *err);
bool result_write_json(const char *path, const json_t *result, struct error *err);
bool result_write_csv(const char *path, const json_t *result, struct error *err);

#endif
