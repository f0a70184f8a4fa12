/* SPDX-License-Identifier: MIT */
/*
 * The axes of the benchmark: their names, values and defaults, and the cross
 * product of the values asked for.
 */
#ifndef BENCH_AXES_H
#define BENCH_AXES_H

#include "atomics.h"
#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum axis_id {
	AXIS_OP,
	AXIS_TYPE,
	AXIS_ORDER,
	AXIS_SCOPE,
	AXIS_LAYOUT,
	AXIS_WORKING_SET,
	AXIS_DISTRIBUTION,
	AXIS_WORK_ITEMS,
	AXIS_GROUP_SIZE,
	AXIS_CPU_THREADS,
	AXIS_PLACEMENT,
	AXIS_THINK,
	AXIS_HOLD,
	AXIS_COUNT,
};

#define AXIS_BIT(id) (1u << (id))

enum layout {
	LAYOUT_WORD,
	LAYOUT_LINE,
	LAYOUT_LINE_PER_WORKER,
	LAYOUT_PAGE_PER_WORKER,
	LAYOUT_RANDOM,
	LAYOUT_COUNT,
};
extern const char *const layout_names[LAYOUT_COUNT + 1];

enum distribution { DISTRIBUTION_UNIFORM, DISTRIBUTION_ZIPF, DISTRIBUTION_COUNT };
extern const char *const distribution_names[DISTRIBUTION_COUNT + 1];

/* A point of the cross product. 0 work-items, group size: the device's default. */
struct point {
	enum op op;
	enum type type;
	enum order order;
	enum scope scope;
	enum layout layout;
	uint64_t working_set; /* bytes, LAYOUT_RANDOM */
	enum distribution distribution;
	uint32_t work_items;
	uint32_t group_size;
	uint32_t cpu_threads;
	char placement[64];
	uint64_t think_ns;
	uint64_t hold_ns; /* or DEVICE_HOLD_DEFAULT */
};

struct axis {
	const char *name;
	const char *summary;
	const char *values;  /* what is accepted, in words */
	const char *initial; /* default value list */
};
extern const struct axis axes[AXIS_COUNT];

/* The default of AXIS_WORKING_SET, AXIS_THINK or AXIS_HOLD as a number. */
uint64_t axis_default_number(enum axis_id axis);

/* The lists asked for, one string per axis ("word,line"); NULL: the default. */
struct axis_lists {
	char *list[AXIS_COUNT];
};

/* "name=v1,v2": EXIT_USAGE_ERROR names an unknown axis or value and lists the known ones. */
bool axis_lists_set(struct axis_lists *lists, const char *assignment, struct error *err);
void axis_lists_clear(struct axis_lists *lists);

/*
 * The cross product over the axes in @used (AXIS_BIT mask); the others keep
 * their defaults. "all" among the CPU threads is @cpus. The caller frees
 * *@points.
 */
bool axis_lists_points(const struct axis_lists *lists, unsigned used, unsigned cpus,
		       struct point **points, size_t *count, struct error *err);

#endif
