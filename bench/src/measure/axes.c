/* SPDX-License-Identifier: MIT */
/*
 * Axes: parsing value lists and multiplying them out.
 */
#include "axes.h"

#include "device.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINTS_MAX 100000

const char *const layout_names[LAYOUT_COUNT + 1] = {
	[LAYOUT_WORD] = "word",
	[LAYOUT_LINE] = "line",
	[LAYOUT_LINE_PER_WORKER] = "line-per-worker",
	[LAYOUT_PAGE_PER_WORKER] = "page-per-worker",
	[LAYOUT_RANDOM] = "random",
};

const char *const distribution_names[DISTRIBUTION_COUNT + 1] = { "uniform", "zipf" };

const struct axis axes[AXIS_COUNT] = {
	[AXIS_OP] = { "op", "the atomic operation, the same on both sides",
		      "fetch_add, fetch_sub, exchange, compare_exchange (in a loop), fetch_min, "
		      "fetch_max, fetch_and, fetch_or, fetch_xor, load, store, flag (test-and-set)",
		      "fetch_add" },
	[AXIS_TYPE] = { "type", "operand type", "int, uint, long, ulong, float, double", "uint" },
	[AXIS_ORDER] = { "order", "memory order", "relaxed, acquire, release, acq_rel, seq_cst",
			 "relaxed" },
	[AXIS_SCOPE] = { "scope", "memory scope of the device's side",
			 "work_group, device, all_devices", "all_devices" },
	[AXIS_LAYOUT] = { "layout", "which words the workers meet on",
			  "word (all on one), line (own words of one cache line), line-per-worker, "
			  "page-per-worker, random (over working_set)",
			  "word" },
	[AXIS_WORKING_SET] = { "working_set", "bytes that layout=random covers",
			       "bytes, or with a suffix K, M, G, T (powers of 1024)", "1M" },
	[AXIS_DISTRIBUTION] = { "distribution", "how layout=random picks its words",
				"uniform, zipf (exponent 0.99)", "uniform" },
	[AXIS_WORK_ITEMS] = { "work_items", "work-items on the device",
			      "1 to 16777216, or auto (CPU device: one per compute unit; else 256 "
			      "per compute unit)",
			      "auto" },
	[AXIS_GROUP_SIZE] = { "group_size", "work-items in a work-group",
			      "1 to the device's limit, or auto (CPU device: 1; else 64)", "auto" },
	[AXIS_CPU_THREADS] = { "cpu_threads", "host threads",
			       "0 and up, or all (CPU device: half of the CPUs, the rest is its; "
			       "else one "
			       "per CPU)",
			       "all" },
	[AXIS_PLACEMENT] = { "placement", "where the host threads run",
			     "spread, same-core, share-cache, other-package, other-node (seen from "
			     "the device's CPUs), near, far (from a GPU), cpus:FIRST-LAST",
			     "spread" },
	[AXIS_THINK] = { "think_ns", "what a host thread does between two operations",
			 "nanoseconds, 0 to 1000000000", "0" },
	[AXIS_HOLD] = { "hold_ns", "how long the device keeps a page that the CPU wants",
			"nanoseconds, 0 to 10000000, or default; for devices that take pages from "
			"the CPU",
			"default" },
};

/* --- single values ------------------------------------------------------ */

static bool parse_number(const char *text, uint64_t low, uint64_t high, uint64_t *out)
{
	char *end;

	errno = 0;
	if (!isdigit((unsigned char)text[0]))
		return false;
	*out = strtoull(text, &end, 10);
	return !errno && !*end && *out >= low && *out <= high;
}

static bool parse_bytes(const char *text, uint64_t *out)
{
	static const char suffixes[] = "KMGT";
	const char *suffix;
	char *end;

	errno = 0;
	if (!isdigit((unsigned char)text[0]))
		return false;
	*out = strtoull(text, &end, 10);
	if (errno)
		return false;
	if (!*end)
		return *out >= 64;
	suffix = strchr(suffixes, toupper((unsigned char)*end));
	if (!suffix || end[1] || *out > 1u << 20)
		return false;
	*out <<= 10 * (suffix - suffixes + 1);
	return *out >= 64;
}

static bool parse_name(const char *const *names, const char *text, int *out)
{
	*out = name_index(names, text);
	return *out >= 0;
}

static bool parse_auto(const char *text, uint64_t high, uint32_t *out)
{
	uint64_t number = 0;

	if (strcmp(text, "auto") && !parse_number(text, 1, high, &number))
		return false;
	*out = (uint32_t)number;
	return true;
}

static bool known_placement(const char *text)
{
	static const char *const names[] = { "spread",	      "same-core",  "share-cache",
					     "other-package", "other-node", "near",
					     "far",	      NULL };

	return name_index(names, text) >= 0 || (!strncmp(text, "cpus:", 5) && text[5]);
}

/* Put one value into @point. */
static bool parse_value(enum axis_id axis, const char *text, unsigned cpus, struct point *point)
{
	uint64_t number = 0;
	int name = 0;

	switch (axis) {
	case AXIS_OP:
		if (!parse_name(op_names, text, &name))
			return false;
		point->op = (enum op)name;
		return true;
	case AXIS_TYPE:
		if (!parse_name(type_names, text, &name))
			return false;
		point->type = (enum type)name;
		return true;
	case AXIS_ORDER:
		if (!parse_name(order_names, text, &name))
			return false;
		point->order = (enum order)name;
		return true;
	case AXIS_SCOPE:
		if (!parse_name(scope_names, text, &name))
			return false;
		point->scope = (enum scope)name;
		return true;
	case AXIS_LAYOUT:
		if (!parse_name(layout_names, text, &name))
			return false;
		point->layout = (enum layout)name;
		return true;
	case AXIS_DISTRIBUTION:
		if (!parse_name(distribution_names, text, &name))
			return false;
		point->distribution = (enum distribution)name;
		return true;
	case AXIS_WORKING_SET:
		return parse_bytes(text, &point->working_set);
	case AXIS_WORK_ITEMS:
		return parse_auto(text, 1u << 24, &point->work_items);
	case AXIS_GROUP_SIZE:
		return parse_auto(text, 1u << 16, &point->group_size);
	case AXIS_CPU_THREADS:
		number = cpus;
		if (strcmp(text, "all") && !parse_number(text, 0, 4096, &number))
			return false;
		point->cpu_threads = (uint32_t)number;
		return true;
	case AXIS_PLACEMENT:
		if (!known_placement(text) || strlen(text) >= sizeof(point->placement))
			return false;
		strcpy(point->placement, text);
		return true;
	case AXIS_THINK:
		return parse_number(text, 0, 1000000000, &point->think_ns);
	case AXIS_HOLD:
		point->hold_ns = DEVICE_HOLD_DEFAULT;
		return !strcmp(text, "default") || parse_number(text, 0, 10000000, &point->hold_ns);
	case AXIS_COUNT:
		break;
	}
	return false;
}

uint64_t axis_default_number(enum axis_id axis)
{
	struct point scratch = { 0 };

	parse_value(axis, axes[axis].initial, 1, &scratch);
	return axis == AXIS_WORKING_SET ? scratch.working_set
	       : axis == AXIS_HOLD	? scratch.hold_ns
					: scratch.think_ns;
}

/* --- lists -------------------------------------------------------------- */

/*
 * The value that starts at *@at, copied to @out; *@at moves past it. A comma
 * inside cpus:0,2 belongs to the CPU list when a digit follows.
 */
static bool next_value(const char **at, char *out, size_t size)
{
	const char *end = *at;
	const bool cpu_list = !strncmp(*at, "cpus:", 5);

	if (!**at)
		return false;
	while (*end && (*end != ',' || (cpu_list && isdigit((unsigned char)end[1]))))
		end++;
	snprintf(out, size, "%.*s", (int)(end - *at), *at);
	*at = *end ? end + 1 : end;
	return true;
}

static bool check_list(enum axis_id axis, const char *list, struct error *err)
{
	struct point scratch = { 0 };
	char value[128];
	const char *at = list;

	if (!*list)
		return fail(err, EXIT_USAGE_ERROR, "axis %s has no value; give %s", axes[axis].name,
			    axes[axis].values);
	while (next_value(&at, value, sizeof(value)))
		if (!parse_value(axis, value, 1, &scratch))
			return fail(err, EXIT_USAGE_ERROR, "axis %s has no value '%s'; give %s",
				    axes[axis].name, value, axes[axis].values);
	return true;
}

static int axis_index(const char *name, size_t length)
{
	for (int i = 0; i < AXIS_COUNT; i++)
		if (strlen(axes[i].name) == length && !strncmp(axes[i].name, name, length))
			return i;
	return -1;
}

bool axis_lists_set(struct axis_lists *lists, const char *assignment, struct error *err)
{
	const char *equals = strchr(assignment, '=');
	char *copy;
	int axis;

	if (!equals)
		return fail(err, EXIT_USAGE_ERROR, "'%s' is no axis; write NAME=VALUE[,VALUE...]",
			    assignment);
	axis = axis_index(assignment, (size_t)(equals - assignment));
	if (axis < 0)
		return fail(err, EXIT_USAGE_ERROR,
			    "there is no axis '%.*s'; `svmatomic-bench list axes` names them",
			    (int)(equals - assignment), assignment);
	if (!check_list((enum axis_id)axis, equals + 1, err))
		return false;
	copy = strdup(equals + 1);
	if (!copy)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	free(lists->list[axis]);
	lists->list[axis] = copy;
	return true;
}

void axis_lists_clear(struct axis_lists *lists)
{
	for (int i = 0; i < AXIS_COUNT; i++)
		free(lists->list[i]);
	*lists = (struct axis_lists){ 0 };
}

/* --- cross product ------------------------------------------------------ */

static const char *list_of(const struct axis_lists *lists, enum axis_id axis, unsigned used)
{
	if (!(used & AXIS_BIT(axis)) || !lists->list[axis])
		return axes[axis].initial;
	return lists->list[axis];
}

static size_t count_values(const char *list)
{
	char value[128];
	size_t count = 0;

	while (next_value(&list, value, sizeof(value)))
		count++;
	return count;
}

static void nth_value(const char *list, size_t n, char *out, size_t size)
{
	do
		next_value(&list, out, size);
	while (n--);
}

bool axis_lists_points(const struct axis_lists *lists, unsigned used, unsigned cpus,
		       struct point **points, size_t *count, struct error *err)
{
	size_t counts[AXIS_COUNT];
	size_t total = 1;

	for (int i = 0; i < AXIS_COUNT; i++) {
		counts[i] = count_values(list_of(lists, (enum axis_id)i, used));
		total *= counts[i];
		if (total > POINTS_MAX)
			return fail(err, EXIT_USAGE_ERROR,
				    "the axes multiply to more than %d points; give fewer values",
				    POINTS_MAX);
	}
	*points = calloc(total, sizeof(**points));
	if (!*points)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	for (size_t n = 0; n < total; n++) {
		size_t rest = n;

		/* The last axis turns fastest. */
		for (int i = AXIS_COUNT - 1; i >= 0; i--) {
			char value[128];

			nth_value(list_of(lists, (enum axis_id)i, used), rest % counts[i], value,
				  sizeof(value));
			rest /= counts[i];
			parse_value((enum axis_id)i, value, cpus, &(*points)[n]);
		}
	}
	*count = total;
	return true;
}
