/* SPDX-License-Identifier: MIT */
/*
 * Finding the points of a chart among all measured ones: group them by the axes
 * that the chart does not show, take the largest group.
 */
#include "slice.h"

#include "result.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_NAME 24

static bool no_memory(struct error *err)
{
	return fail(err, EXIT_NO_MEMORY, "no memory for the points of the report");
}

/* At most @most bytes of @text, with an ellipsis for what is left out. */
static void shorten(char *out, size_t size, const char *text, size_t length, size_t most)
{
	bool cut = length > most;

	if (cut) {
		length = most;
		while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	snprintf(out, size, "%.*s%s", (int)length, text, cut ? "…" : "");
}

/* File names without directory and ".json". */
static void short_file_name(char *out, size_t size, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t length = strlen(base);

	if (length > 5 && !strcmp(base + length - 5, ".json"))
		length -= 5;
	shorten(out, size, base, length, SHORT_NAME);
}

static bool label_taken(const struct dataset *data, size_t before, const char *label)
{
	for (size_t i = 0; i < before; i++) {
		if (!strcmp(data->sources[i].label, label))
			return true;
	}
	return false;
}

/* The result's name where there are several, else the device's; numbered where these are equal. */
static void label_source(struct dataset *data, size_t index, const char *result_name)
{
	struct source *source = &data->sources[index];
	const char *device = json_string_value(json_object_get(source->device, "name"));
	char label[40];

	if (result_name)
		short_file_name(label, sizeof(label), result_name);
	else
		shorten(label, sizeof(label), device, strlen(device), SHORT_NAME);
	memcpy(source->label, label, sizeof(label));
	for (unsigned n = 2; label_taken(data, index, source->label); n++)
		snprintf(source->label, sizeof(source->label), "%s #%u", label, n);
}

/* The source of points of @device, new where it has none yet; SIZE_MAX without memory. */
static size_t source_of(struct dataset *data, const json_t *result, const json_t *device)
{
	struct source *grown;

	for (size_t i = 0; i < data->source_count; i++) {
		if (data->sources[i].device == device)
			return i;
	}
	grown = realloc(data->sources, (data->source_count + 1) * sizeof(*grown));
	if (!grown)
		return SIZE_MAX;
	data->sources = grown;
	grown[data->source_count] = (struct source){ .result = result, .device = device };
	return data->source_count++;
}

static bool add_points(struct dataset *data, const json_t *result)
{
	const json_t *devices = json_object_get(result, "devices"), *point;
	const json_t *points = json_object_get(result, "points");
	struct entry *grown;
	size_t i;

	grown = realloc(data->entries,
			(data->entry_count + json_array_size(points) + 1) * sizeof(*grown));
	if (!grown)
		return false;
	data->entries = grown;
	json_array_foreach (points, i, point) {
		json_int_t index = json_integer_value(json_object_get(point, "device"));
		const json_t *device = json_array_get(devices, (size_t)index);
		size_t source = device ? source_of(data, result, device) : SIZE_MAX;

		if (!device)
			continue;
		if (source == SIZE_MAX)
			return false;
		data->entries[data->entry_count++] =
			(struct entry){ source, point, json_object_get(point, "axes") };
	}
	return true;
}

static size_t axis_index(const struct dataset *data, const char *axis)
{
	size_t i = 0;

	while (i < data->axis_count && strcmp(data->axes[i], axis))
		i++;
	return i;
}

static bool collect_axes(struct dataset *data)
{
	for (size_t i = 0; i < data->entry_count; i++) {
		const char *name;
		json_t *value;

		json_object_foreach ((json_t *)data->entries[i].axes, name, value) {
			const char **grown;

			if (axis_index(data, name) < data->axis_count)
				continue;
			grown = realloc(data->axes, (data->axis_count + 1) * sizeof(*grown));
			if (!grown)
				return false;
			data->axes = grown;
			grown[data->axis_count++] = name;
		}
	}
	return true;
}

/* The first entry's value that equals @value stands for all of them. */
static const json_t *intern(const struct dataset *data, size_t entries, size_t axis,
			    const json_t *value)
{
	for (size_t i = 0; value && i < entries; i++) {
		const json_t *known = data->values[i * data->axis_count + axis];

		if (json_equal(known, value))
			return known;
	}
	return value;
}

static bool collect_values(struct dataset *data)
{
	data->values = calloc(data->entry_count * data->axis_count + 1, sizeof(*data->values));
	if (!data->values)
		return false;
	for (size_t i = 0; i < data->entry_count; i++) {
		for (size_t axis = 0; axis < data->axis_count; axis++)
			data->values[i * data->axis_count + axis] =
				intern(data, i, axis,
				       json_object_get(data->entries[i].axes, data->axes[axis]));
	}
	return true;
}

bool dataset_fill(struct dataset *data, json_t *const *results, const char *const *names,
		  size_t count, struct error *err)
{
	size_t done = 0;
	bool ok = true;

	*data = (struct dataset){ 0 };
	for (size_t i = 0; ok && i < count; i++)
		ok = add_points(data, results[i]);
	if (!ok || !collect_axes(data) || !collect_values(data)) {
		dataset_clear(data);
		return no_memory(err);
	}
	for (size_t i = 0; i < count && data->source_count > 1; i++) {
		for (; done < data->source_count && data->sources[done].result == results[i];
		     done++)
			label_source(data, done, count > 1 ? names[i] : NULL);
	}
	return true;
}

void dataset_clear(struct dataset *data)
{
	free(data->sources);
	free(data->entries);
	free(data->axes);
	free(data->values);
	*data = (struct dataset){ 0 };
}

bool point_has_figures(const json_t *point)
{
	const char *status = json_string_value(json_object_get(point, "status"));

	return !strcmp(status, "ok") || !strcmp(status, "partial");
}

/* The axes that a slice shows, as indices; y is axis_count where there is none. */
struct shown {
	size_t x;
	size_t y;
};

static const json_t *value_of(const struct dataset *data, size_t entry, size_t axis)
{
	return axis < data->axis_count ? data->values[entry * data->axis_count + axis] : NULL;
}

static bool fits(const struct dataset *data, const struct slice_query *query, struct shown shown,
		 size_t index)
{
	const struct entry *entry = &data->entries[index];
	const char *workload = json_string_value(json_object_get(entry->point, "workload"));

	return !strcmp(workload, query->workload) && point_has_figures(entry->point) &&
	       !(query->skip && query->skip[entry->source]) && value_of(data, index, shown.x) &&
	       (!query->y || value_of(data, index, shown.y)) &&
	       (!query->measure || result_find_measure(entry->point, query->measure));
}

/*
 * Whether two points differ in shown axes only. An axis that one of them does
 * not have (how to be random, where nothing is) is no difference, unless @strict.
 */
static bool go_together(const struct dataset *data, struct shown shown, size_t a, size_t b,
			bool strict)
{
	for (size_t axis = 0; axis < data->axis_count; axis++) {
		const json_t *left = value_of(data, a, axis), *right = value_of(data, b, axis);

		if (axis != shown.x && axis != shown.y && left != right &&
		    (strict || (left && right)))
			return false;
	}
	return true;
}

static int by_number(const void *a, const void *b)
{
	double left = json_number_value(*(const json_t *const *)a);
	double right = json_number_value(*(const json_t *const *)b);

	return (left > right) - (left < right);
}

/* Numbers in their order, names in the order in which they were measured. */
static void sort_numbers(const json_t **values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!json_is_number(values[i]))
			return;
	}
	qsort(values, count, sizeof(*values), by_number);
}

static size_t position(const json_t *const *values, size_t count, const json_t *value)
{
	size_t i = 0;

	while (i < count && values[i] != value)
		i++;
	return i;
}

/* The distinct values of @axis in @group. NULL without memory. */
static const json_t **distinct(const struct dataset *data, const size_t *group, size_t size,
			       size_t axis, size_t *count)
{
	const json_t **values = calloc(size, sizeof(*values));

	*count = 0;
	for (size_t i = 0; values && i < size; i++) {
		const json_t *value = value_of(data, group[i], axis);

		if (position(values, *count, value) == *count)
			values[(*count)++] = value;
	}
	if (values)
		sort_numbers(values, *count);
	return values;
}

static size_t points_of_row(const struct slice *slice, size_t row)
{
	size_t count = 0;

	for (size_t i = 0; i < slice->sources * slice->columns; i++)
		count += slice_point(slice, i / slice->columns, row, i % slice->columns) != NULL;
	return count;
}

static size_t points_of_column(const struct slice *slice, size_t column)
{
	size_t count = 0;

	for (size_t i = 0; i < slice->sources * slice->rows; i++)
		count += slice_point(slice, i / slice->rows, i % slice->rows, column) != NULL;
	return count;
}

/* Leave out row @row, or column @column, whichever is there. */
static void leave_out(struct slice *slice, size_t row, size_t column)
{
	size_t to = 0;

	for (size_t i = 0; i < slice->sources * slice->rows * slice->columns; i++) {
		if (i / slice->columns % slice->rows != row && i % slice->columns != column)
			slice->points[to++] = slice->points[i];
	}
	if (row < slice->rows) {
		slice->rows--;
		memmove(&slice->y[row], &slice->y[row + 1],
			(slice->rows - row) * sizeof(*slice->y));
	} else {
		slice->columns--;
		memmove(&slice->x[column], &slice->x[column + 1],
			(slice->columns - column) * sizeof(*slice->x));
	}
}

/* A row or column with a single point is no part of a map, but of a curve. */
static void prune(struct slice *slice)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t row = 0; row < slice->rows; row++) {
			if (points_of_row(slice, row) > 1)
				continue;
			leave_out(slice, row--, SIZE_MAX);
			changed = true;
		}
		for (size_t column = 0; column < slice->columns; column++) {
			if (points_of_column(slice, column) > 1)
				continue;
			leave_out(slice, SIZE_MAX, column--);
			changed = true;
		}
	}
}

/* Of several points for one place the first measured has it. */
static bool slice_build(const struct dataset *data, const struct slice_query *query,
			struct shown shown, const size_t *group, size_t size, struct slice *slice)
{
	*slice = (struct slice){ .x_axis = query->x,
				 .y_axis = query->y,
				 .sources = data->source_count,
				 .axes = data->entries[group[0]].axes };
	slice->x = distinct(data, group, size, shown.x, &slice->columns);
	slice->y = distinct(data, group, size, shown.y, &slice->rows);
	slice->points =
		calloc(slice->sources * slice->rows * slice->columns + 1, sizeof(*slice->points));
	if (!slice->x || !slice->y || !slice->points)
		return false;
	for (size_t i = 0; i < size; i++) {
		const struct entry *entry = &data->entries[group[i]];
		size_t column =
			position(slice->x, slice->columns, value_of(data, group[i], shown.x));
		size_t row = position(slice->y, slice->rows, value_of(data, group[i], shown.y));
		const json_t **place =
			&slice->points[(entry->source * slice->rows + row) * slice->columns +
				       column];

		*place = *place ? *place : entry->point;
	}
	if (query->y)
		prune(slice);
	return true;
}

static size_t slice_score(const struct slice *slice, const struct slice_query *query)
{
	size_t score = 0, cells = slice->sources * slice->rows * slice->columns;

	if (slice->columns < 2 || (query->y && slice->rows < 2))
		return 0;
	for (size_t i = 0; i < cells; i++) {
		score += slice->points[i] != NULL;
		score += slice->points[i] &&
			 result_find_measure(slice->points[i], "device_slowdown");
	}
	return score;
}

/* In how many axes two slices differ, those that they show left aside. */
static size_t distance(const struct slice *a, const struct slice *b)
{
	const char *name;
	json_t *value;
	size_t count = 0;

	json_object_foreach ((json_t *)a->axes, name, value) {
		const json_t *other = json_object_get(b->axes, name);

		count += strcmp(name, a->x_axis) && (!a->y_axis || strcmp(name, a->y_axis)) &&
			 other && !json_equal(value, other);
	}
	return count;
}

struct search {
	const struct dataset *data;
	const struct slice_query *query;
	struct shown shown;
	size_t *fitting; /* entries that fit the query */
	size_t fitting_count;
	size_t *anchors; /* those that stand for all that share their axes */
	size_t anchor_count;
	size_t *group;
	struct slice best;
	size_t score;
};

static bool is_better(const struct search *search, const struct slice *slice, size_t score)
{
	const struct slice *apart = search->query->apart;

	if (!apart)
		return score > search->score;
	return score >= slice_score(apart, search->query) && distance(slice, apart) == 1;
}

/* The points that go with entry @anchor, itself first. */
static size_t collect_group(const struct search *search, size_t anchor)
{
	size_t size = 0;

	search->group[size++] = anchor;
	for (size_t i = 0; i < search->fitting_count; i++) {
		size_t index = search->fitting[i];

		if (index != anchor &&
		    go_together(search->data, search->shown, anchor, index, false))
			search->group[size++] = index;
	}
	return size;
}

static bool consider(struct search *search, size_t anchor)
{
	size_t size = collect_group(search, anchor);
	struct slice slice;
	size_t score;

	if (!slice_build(search->data, search->query, search->shown, search->group, size, &slice)) {
		slice_clear(&slice);
		return false;
	}
	score = slice_score(&slice, search->query);
	if (!is_better(search, &slice, score)) {
		slice_clear(&slice);
		return true;
	}
	slice_clear(&search->best);
	search->best = slice;
	search->score = score;
	return true;
}

static bool is_new_anchor(const struct search *search, size_t index)
{
	for (size_t i = 0; i < search->anchor_count; i++) {
		if (go_together(search->data, search->shown, search->anchors[i], index, true))
			return false;
	}
	return true;
}

static bool search_all(struct search *search)
{
	for (size_t i = 0; i < search->data->entry_count; i++) {
		if (fits(search->data, search->query, search->shown, i))
			search->fitting[search->fitting_count++] = i;
	}
	for (size_t i = 0; i < search->fitting_count; i++) {
		if (!is_new_anchor(search, search->fitting[i]))
			continue;
		search->anchors[search->anchor_count++] = search->fitting[i];
		if (!consider(search, search->fitting[i]))
			return false;
	}
	return true;
}

bool slice_find(const struct dataset *data, const struct slice_query *query, struct slice *slice,
		struct error *err)
{
	size_t room = data->entry_count + 1;
	struct search search = {
		.data = data,
		.query = query,
		.shown = { axis_index(data, query->x),
			   query->y ? axis_index(data, query->y) : data->axis_count },
		.fitting = calloc(room, sizeof(size_t)),
		.anchors = calloc(room, sizeof(size_t)),
		.group = calloc(room, sizeof(size_t)),
	};
	bool ok = search.fitting && search.anchors && search.group && search_all(&search);

	free(search.fitting);
	free(search.anchors);
	free(search.group);
	*slice = search.best;
	if (ok)
		return true;
	slice_clear(slice);
	return no_memory(err);
}

void slice_clear(struct slice *slice)
{
	free(slice->x);
	free(slice->y);
	free(slice->points);
	*slice = (struct slice){ 0 };
}

const json_t *slice_point(const struct slice *slice, size_t source, size_t row, size_t column)
{
	return slice->points[(source * slice->rows + row) * slice->columns + column];
}
