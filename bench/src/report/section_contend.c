/* SPDX-License-Identifier: MIT */
/*
 * The report's charts of contention: curves over numbers, maps of two axes, rows
 * of names. Each takes the largest set of points that differ in nothing else.
 */
#include "report_parts.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* With fewer values there is no curve to speak of. */
#define LEAST_CURVE 3

static void skip_all_but(struct page *page, size_t source)
{
	for (size_t i = 0; i < page->data.source_count; i++)
		page->skip[i] = i != source;
}

static bool label_categories(struct page *page, struct chart *chart, const struct slice *slice)
{
	if (!chart_init(chart, slice->columns, page->err))
		return false;
	for (size_t i = 0; i < slice->columns; i++)
		axis_label(chart->categories[i], sizeof(*chart->categories), slice->x_axis,
			   slice->x[i]);
	return true;
}

static void list(struct words *words, const char *item)
{
	say(words, "%s%s", words->length ? ", " : "", item);
}

/* --- curves -------------------------------------------------------------- */

/* A single point of a source is no line; it may have one in another slice. */
static bool has_line(const struct slice *slice, size_t source)
{
	size_t points = 0;

	for (size_t i = 0; i < slice->columns; i++)
		points += slice_point(slice, source, 0, i) != NULL;
	return points > 1;
}

/* @source is named, and has a style of its own, where it is not the only one. */
static bool add_line(struct page *page, struct chart *chart, const struct slice *slice,
		     size_t source, bool several, const struct side *side, bool together)
{
	struct series *series = chart_add(chart, together ? side->ink : side->alone_ink, page->err);

	if (!series)
		return false;
	snprintf(series->label, sizeof(series->label), "%s%s%s",
		 several ? page->data.sources[source].label : side->name, several ? ", " : " ",
		 together ? "together" : "alone");
	series->style = several ? (unsigned)source : 0;
	series->open = !together;
	for (size_t i = 0; i < slice->columns; i++)
		series->marks[i] = mark_of(slice_point(slice, source, 0, i),
					   together ? side->together : side->alone);
	return true;
}

/* First and last column where both sides were at work; false without two of them. */
static bool ends_of(const struct slice *slice, size_t source, size_t *first, size_t *last)
{
	*first = SIZE_MAX;
	for (size_t i = 0; i < slice->columns; i++) {
		const json_t *point = slice_point(slice, source, 0, i);

		if (isnan(mark_of(point, "device_slowdown").value) ||
		    isnan(mark_of(point, "cpu_slowdown").value))
			continue;
		*first = *first == SIZE_MAX ? i : *first;
		*last = i;
	}
	return *first != SIZE_MAX && *first < *last;
}

static void say_end(struct words *words, const json_t *point, const struct side *side)
{
	say_number(words, NUMBER_RATE, mark_of(point, side->together).value);
	say(words, " (");
	say_slowdown(words, mark_of(point, side->slowdown));
	say(words, ")");
}

/* "the device goes from 12 M op/s (1.1× slower) to …", for @only or for both sides. */
static void say_trend(struct words *words, const struct slice *slice, size_t source,
		      const struct side *only)
{
	const char *separator = "";
	size_t first, last;

	if (!ends_of(slice, source, &first, &last))
		return;
	for (size_t i = 0; i < COUNT(sides); i++) {
		if (only && only != &sides[i])
			continue;
		say(words, "%sthe %s goes from ", separator, sides[i].name);
		say_end(words, slice_point(slice, source, 0, first), &sides[i]);
		say(words, " to ");
		say_end(words, slice_point(slice, source, 0, last), &sides[i]);
		separator = ", ";
	}
}

static void say_range(struct words *words, const struct slice *slice, size_t source, bool several)
{
	size_t first, last;

	if (!ends_of(slice, source, &first, &last)) {
		say(words, "%s sides were at work in fewer than two of these points",
		    several ? "both" : "Both");
		return;
	}
	say(words, "%s, from ", several ? "together" : "Together");
	say_axis(words, slice->x_axis, slice->x[first]);
	say(words, " to ");
	say_axis(words, slice->x_axis, slice->x[last]);
	say(words, ", ");
}

static bool add_source_lines(struct page *page, struct figure *figure, struct chart *chart,
			     const struct slice *slice, size_t source, const struct side *only)
{
	for (size_t i = 0; i < COUNT(sides); i++) {
		if (only && only != &sides[i])
			continue;
		if (!add_line(page, chart, slice, source, only, &sides[i], false) ||
		    !add_line(page, chart, slice, source, only, &sides[i], true))
			return false;
	}
	if (figure->caption.length)
		say(&figure->caption, " ");
	if (only)
		say(&figure->caption, "%s: ", page->data.sources[source].label);
	say_range(&figure->caption, slice, source, only);
	say_trend(&figure->caption, slice, source, only);
	say(&figure->caption, ".");
	return true;
}

/* Both sides of one source, or one side of several. */
static bool curve_panel(struct page *page, const struct slice *slice, const struct side *only,
			const char *title)
{
	struct figure figure = { 0 };
	struct chart chart;

	if (!label_categories(page, &chart, slice))
		return false;
	chart.number = NUMBER_RATE;
	chart.value_title = "operations per second";
	chart.category_title = axis_words_of(slice->x_axis)->title;
	say(&figure.title, "%s", title);
	say_axes(&figure.shared, slice->axes, slice->x_axis, NULL);
	for (size_t source = 0; source < slice->sources; source++) {
		if (has_line(slice, source) &&
		    !add_source_lines(page, &figure, &chart, slice, source, only)) {
			chart_clear(&chart);
			return false;
		}
	}
	return figure_chart(page, &figure, &chart, chart_lines);
}

static bool curve_panels(struct page *page, const struct slice *slice)
{
	const char *axis = axis_words_of(slice->x_axis)->title;
	struct words title = { 0 };
	size_t covered = 0, last = 0;

	for (size_t source = 0; source < slice->sources; source++) {
		if (!has_line(slice, source))
			continue;
		covered++;
		last = source;
	}
	if (covered == 1) {
		say(&title, "Throughput over %s", axis);
		say_source(&title, page, last);
		return curve_panel(page, slice, NULL, title.text);
	}
	for (size_t i = 0; i < COUNT(sides); i++) {
		title = (struct words){ 0 };
		say(&title, "Throughput of the %s over %s", sides[i].name, axis);
		if (!curve_panel(page, slice, &sides[i], title.text))
			return false;
	}
	return true;
}

/* The same curve elsewhere (another layout, more work-items), to compare with. */
static bool contrasting_curve(struct page *page, const struct slice *slice,
			      const struct slice_query *query)
{
	struct slice_query other = *query;
	struct slice contrast;
	bool ok = true;

	if (page->data.source_count > 1)
		return true;
	other.apart = slice;
	if (!slice_find(&page->data, &other, &contrast, page->err))
		return false;
	if (contrast.columns)
		ok = curve_panels(page, &contrast);
	slice_clear(&contrast);
	return ok;
}

static bool any_line(const struct slice *slice)
{
	for (size_t source = 0; source < slice->sources; source++) {
		if (has_line(slice, source))
			return true;
	}
	return false;
}

/* Sources that share their other axes are in one chart, the others have charts of their own. */
static bool curves_over(struct page *page, const char *axis, bool *drawn)
{
	const struct slice_query query = { .workload = "contend", .x = axis, .skip = page->skip };
	bool ok = true, more = true;

	*drawn = false;
	memset(page->skip, 0, page->data.source_count * sizeof(*page->skip));
	while (ok && more) {
		struct slice slice;

		if (!slice_find(&page->data, &query, &slice, page->err))
			return false;
		more = slice.columns >= LEAST_CURVE && any_line(&slice);
		if (more)
			ok = curve_panels(page, &slice) && contrasting_curve(page, &slice, &query);
		for (size_t source = 0; source < slice.sources; source++)
			page->skip[source] |= has_line(&slice, source);
		*drawn |= more;
		slice_clear(&slice);
	}
	return ok;
}

bool report_curves(struct page *page)
{
	struct words missing = { 0 };
	bool drawn;

	section_open(page, "Contention",
		     "Both sides work on the same words with atomics: each alone, then both "
		     "together. Marks are medians, whiskers their 95% intervals.");
	for (size_t i = 0; axis_words[i].name; i++) {
		if (axis_words[i].kind == AXIS_IS_NAME)
			continue;
		if (!curves_over(page, axis_words[i].name, &drawn))
			return false;
		if (!drawn)
			list(&missing, axis_words[i].title);
	}
	section_close(page);
	if (missing.length)
		absent(page,
		       "No curve over %s: fewer than three usable values with all else equal.",
		       missing.text);
	return true;
}

/* --- heat maps ----------------------------------------------------------- */

/* The point with the greatest slow-down or the least; NULL where there is none. */
static const json_t *extreme(const struct slice *slice, size_t source, const struct side *side,
			     bool greatest)
{
	const json_t *best = NULL;

	for (size_t i = 0; i < slice->rows * slice->columns; i++) {
		const json_t *point =
			slice_point(slice, source, i / slice->columns, i % slice->columns);
		double value = mark_of(point, side->slowdown).value;
		double than = mark_of(best, side->slowdown).value;

		if (!isnan(value) && (isnan(than) || (greatest ? value > than : value < than)))
			best = point;
	}
	return best;
}

/* "8.3× at 16 CPU threads, 64 work-items". */
static void say_extreme(struct words *words, const struct slice *slice, const json_t *point,
			const struct side *side)
{
	const json_t *axes = json_object_get(point, "axes");

	say_number(words, NUMBER_RATIO, mark_of(point, side->slowdown).value);
	say(words, " at ");
	say_axis(words, slice->x_axis, json_object_get(axes, slice->x_axis));
	say(words, ", ");
	say_axis(words, slice->y_axis, json_object_get(axes, slice->y_axis));
}

static bool heat_panel(struct page *page, const struct slice *slice, size_t source,
		       const struct side *side, struct heat *heat)
{
	const json_t *most = extreme(slice, source, side, true);
	struct figure figure = { 0 };
	bool ok;

	if (!most)
		return true;
	for (size_t i = 0; i < slice->rows * slice->columns; i++)
		heat->values[i] =
			mark_of(slice_point(slice, source, i / slice->columns, i % slice->columns),
				side->slowdown)
				.value;
	say(&figure.title, "%s slow-down: %s × %s", side == &sides[0] ? "Device" : side->name,
	    heat->row_title, heat->column_title);
	say_source(&figure.title, page, source);
	say_axes(&figure.shared, slice->axes, slice->x_axis, slice->y_axis);
	say(&figure.caption, "The %s is slowed most, ", side->name);
	say_extreme(&figure.caption, slice, most, side);
	say(&figure.caption, "; least, ");
	say_extreme(&figure.caption, slice, extreme(slice, source, side, false), side);
	say(&figure.caption, ".");
	heat->ramp = side->ramp;
	heat->id = figure_open(page, &figure);
	heat->alt = figure.alt.text;
	ok = chart_heat(page->out, heat, page->err);
	figure_close(page, &figure);
	return ok;
}

static bool heat_panels(struct page *page, const struct slice *slice, size_t source)
{
	struct heat heat = { .column_title = axis_words_of(slice->x_axis)->title,
			     .row_title = axis_words_of(slice->y_axis)->title,
			     .columns = calloc(slice->columns, sizeof(*heat.columns)),
			     .column_count = slice->columns,
			     .rows = calloc(slice->rows, sizeof(*heat.rows)),
			     .row_count = slice->rows,
			     .values = calloc(slice->rows * slice->columns, sizeof(*heat.values)) };
	bool ok = (heat.values && heat.columns && heat.rows) || no_memory(page);

	for (size_t i = 0; ok && i < slice->columns; i++)
		axis_label(heat.columns[i], sizeof(*heat.columns), slice->x_axis, slice->x[i]);
	for (size_t i = 0; ok && i < slice->rows; i++)
		axis_label(heat.rows[i], sizeof(*heat.rows), slice->y_axis, slice->y[i]);
	for (size_t i = 0; ok && i < COUNT(sides); i++)
		ok = heat_panel(page, slice, source, &sides[i], &heat);
	free(heat.columns);
	free(heat.rows);
	free(heat.values);
	return ok;
}

static size_t longest_label(const char *axis, const json_t *const *values, size_t count)
{
	size_t longest = 0;

	for (size_t i = 0; i < count; i++) {
		char label[32];

		axis_label(label, sizeof(label), axis, values[i]);
		longest = strlen(label) > longest ? strlen(label) : longest;
	}
	return longest;
}

/* Names go to the side, where they have room, and so does the axis with more values. */
static bool wants_turning(const struct slice *slice)
{
	size_t x = longest_label(slice->x_axis, slice->x, slice->columns);
	size_t y = longest_label(slice->y_axis, slice->y, slice->rows);

	return x > y || (x == y && slice->columns > slice->rows);
}

static bool heat_of(struct page *page, size_t source, const char *x, const char *y, bool *drawn)
{
	struct slice_query query = { .workload = "contend",
				     .x = x,
				     .y = y,
				     .measure = "device_slowdown",
				     .skip = page->skip };
	struct slice slice;
	bool ok = true;

	skip_all_but(page, source);
	if (!slice_find(&page->data, &query, &slice, page->err))
		return false;
	if (slice.columns && wants_turning(&slice)) {
		slice_clear(&slice);
		query.x = y;
		query.y = x;
		if (!slice_find(&page->data, &query, &slice, page->err))
			return false;
	}
	if (slice.columns) {
		ok = heat_panels(page, &slice, source);
		*drawn = true;
	}
	slice_clear(&slice);
	return ok;
}

/* Every pair of axes where there is one source; of several, the first pair there is. */
bool report_heat_maps(struct page *page)
{
	static const char *const pairs[][2] = {
		{ "cpu_threads", "work_items" },
		{ "think_ns", "layout" },
		{ "think_ns", "work_items" },
		{ "hold_ns", "think_ns" },
		{ "op", "layout" },
	};
	struct words missing = { 0 };

	section_open(page, "CPU against device, over two axes",
		     "Slow-down is throughput alone divided by throughput together: 1× is "
		     "undisturbed, 4× a quarter of the speed. The more a "
		     "cell stands out, the slower.");
	for (size_t i = 0; i < COUNT(pairs); i++) {
		bool drawn = false;

		for (size_t source = 0; source < page->data.source_count; source++) {
			if (!heat_of(page, source, pairs[i][0], pairs[i][1], &drawn))
				return false;
		}
		if (drawn && page->data.source_count > 1)
			break;
		if (drawn)
			continue;
		list(&missing, axis_words_of(pairs[i][0])->title);
		say(&missing, " × %s", axis_words_of(pairs[i][1])->title);
	}
	section_close(page);
	if (missing.length)
		absent(page,
		       "No map of %s: no usable points that vary in both, with all else equal.",
		       missing.text);
	return true;
}

/* --- operations, layouts and other names ---------------------------------- */

static void say_most_and_least(struct words *words, const struct slice *slice, size_t source,
			       const struct side *side)
{
	struct mark most = { .value = 0 }, least = { .value = INFINITY };
	size_t worst = 0, best = 0;

	for (size_t i = 0; i < slice->columns; i++) {
		struct mark mark = mark_of(slice_point(slice, source, 0, i), side->slowdown);

		if (mark.value > most.value) {
			most = mark;
			worst = i;
		}
		if (mark.value < least.value) {
			least = mark;
			best = i;
		}
	}
	if (!(most.value > 0))
		return;
	if (worst == best) {
		say(words, "%sThe %s was measured together with ", words->length ? " " : "",
		    side->name);
		say_axis(words, slice->x_axis, slice->x[worst]);
		say(words, " only (");
		say_slowdown(words, most);
		say(words, ").");
		return;
	}
	say(words, "%sThe %s suffers most with ", words->length ? " " : "", side->name);
	say_axis(words, slice->x_axis, slice->x[worst]);
	say(words, " (");
	say_slowdown(words, most);
	say(words, "), least with ");
	say_axis(words, slice->x_axis, slice->x[best]);
	say(words, " (");
	say_slowdown(words, least);
	say(words, ").");
}

static bool add_row_series(struct page *page, struct chart *chart, const struct slice *slice,
			   size_t source, unsigned side, bool together)
{
	const struct side *its = &sides[side];
	struct series *series = chart_add(chart, together ? its->ink : its->alone_ink, page->err);

	if (!series)
		return false;
	snprintf(series->label, sizeof(series->label), "%s %s", its->name,
		 together ? "together" : "alone");
	series->lane = side;
	series->open = !together;
	for (size_t i = 0; i < slice->columns; i++) {
		const json_t *point = slice_point(slice, source, 0, i);
		double slowdown = mark_of(point, its->slowdown).value;

		series->marks[i] = mark_of(point, together ? its->together : its->alone);
		if (together && !isnan(slowdown))
			chart_number(series->notes[i], sizeof(*series->notes), NUMBER_RATIO,
				     slowdown);
	}
	return true;
}

static bool name_panel(struct page *page, const struct slice *slice, size_t source)
{
	struct figure figure = { 0 };
	struct chart chart;

	if (!label_categories(page, &chart, slice))
		return false;
	chart.number = NUMBER_RATE;
	chart.value_title = "operations per second";
	chart.connect = true;
	for (unsigned side = 0; side < COUNT(sides); side++) {
		if (!add_row_series(page, &chart, slice, source, side, false) ||
		    !add_row_series(page, &chart, slice, source, side, true)) {
			chart_clear(&chart);
			return false;
		}
		say_most_and_least(&figure.caption, slice, source, &sides[side]);
	}
	if (!figure.caption.length)
		say(&figure.caption, "Never were both sides at work.");
	say(&figure.title, "Throughput by %s", axis_words_of(slice->x_axis)->title);
	say_source(&figure.title, page, source);
	say_axes(&figure.shared, slice->axes, slice->x_axis, NULL);
	return figure_chart(page, &figure, &chart, chart_rows);
}

static bool names_of(struct page *page, const char *axis, bool *drawn)
{
	const struct slice_query query = { .workload = "contend", .x = axis, .skip = page->skip };

	*drawn = false;
	for (size_t source = 0; source < page->data.source_count; source++) {
		struct slice slice;
		bool ok = true;

		skip_all_but(page, source);
		if (!slice_find(&page->data, &query, &slice, page->err))
			return false;
		if (slice.columns) {
			ok = name_panel(page, &slice, source);
			*drawn = true;
		}
		slice_clear(&slice);
		if (!ok)
			return false;
	}
	return true;
}

bool report_named_axes(struct page *page)
{
	struct words missing = { 0 };
	bool drawn;

	section_open(page, "Operations and layouts",
		     "From hollow (alone) to filled (together): the longer the line, the more the "
		     "other side costs. At the right, the slow-down.");
	for (size_t i = 0; axis_words[i].name; i++) {
		if (axis_words[i].kind != AXIS_IS_NAME)
			continue;
		if (!names_of(page, axis_words[i].name, &drawn))
			return false;
		if (!drawn)
			list(&missing, axis_words[i].title);
	}
	section_close(page);
	if (missing.length)
		absent(page, "No chart by %s: fewer than two usable values with all else equal.",
		       missing.text);
	return true;
}
