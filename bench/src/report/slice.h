/* SPDX-License-Identifier: MIT */
/*
 * Which measured points belong in one chart: those that differ in the axes the
 * chart shows, and in nothing else.
 */
#ifndef BENCH_SLICE_H
#define BENCH_SLICE_H

#include "error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* A device of a result, as a reader tells it from the others. */
struct source {
	const json_t *result;
	const json_t *device;
	char label[48]; /* "" where there is only one */
};

struct entry {
	size_t source;
	const json_t *point;
	const json_t *axes;
};

struct dataset {
	struct source *sources;
	size_t source_count;
	struct entry *entries;
	size_t entry_count;
	const char **axes; /* every axis of any point */
	size_t axis_count;
	const json_t **values; /* by entry, axis; equal ones are the same pointer, NULL: has none */
};

/* Borrows @results; @names tell them apart. */
bool dataset_fill(struct dataset *data, json_t *const *results, const char *const *names,
		  size_t count, struct error *err);
void dataset_clear(struct dataset *data);

/* Whether the figures of @point may be shown: it was measured and no update was lost. */
bool point_has_figures(const json_t *point);

struct slice_query {
	const char *workload;
	const char *x;
	const char *y;		   /* or NULL */
	const char *measure;	   /* points without it are left out; or NULL */
	const bool *skip;	   /* by source; or NULL */
	const struct slice *apart; /* as large, and one axis apart from this one; or NULL */
};

/* The points of one chart, borrowed. */
struct slice {
	const char *x_axis;
	const char *y_axis;
	size_t columns;
	size_t rows; /* 1 without a second axis */
	size_t sources;
	const json_t **x;
	const json_t **y;
	const json_t **points; /* by source, row, column; NULL where there is none */
	const json_t *axes;    /* of the point they all go with */
};

/*
 * The largest slice that fits @query, the first of equals; points with both
 * sides at work count double. No columns where there is none.
 */
bool slice_find(const struct dataset *data, const struct slice_query *query, struct slice *slice,
		struct error *err);
void slice_clear(struct slice *slice);

const json_t *slice_point(const struct slice *slice, size_t source, size_t row, size_t column);

#endif
