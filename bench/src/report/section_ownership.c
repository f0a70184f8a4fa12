/* SPDX-License-Identifier: MIT */
/*
 * The report's section on devices that take pages from the CPU: how often pages change
 * hands, for how long they are kept, and who gets how much done.
 */
#include "report_parts.h"

#include <math.h>

/* As many as there are line styles. */
#define MOST_LINES 4

static bool changes_hands(const struct entry *entry)
{
	return point_has_figures(entry->point) && !isnan(mark_of(entry->point, "transfers").value);
}

static size_t count_points(const struct page *page)
{
	size_t count = 0;

	for (size_t i = 0; i < page->data.entry_count; i++)
		count += changes_hands(&page->data.entries[i]);
	return count;
}

/* --- the chart ----------------------------------------------------------- */

static void say_ends(struct words *words, const struct slice *slice, size_t source, size_t row,
		     const char *label)
{
	const struct mark first = mark_of(slice_point(slice, source, row, 0), "transfers");
	const struct mark last =
		mark_of(slice_point(slice, source, row, slice->columns - 1), "transfers");

	if (isnan(first.value) || isnan(last.value))
		return;
	say(words, "%s%s: from ", words->length ? " " : "", label);
	say_number(words, NUMBER_COUNT, first.value);
	say(words, " to ");
	say_number(words, NUMBER_COUNT, last.value);
	say(words, " per second.");
}

static bool add_line(struct page *page, struct chart *chart, struct figure *figure,
		     const struct slice *slice, size_t source, size_t row)
{
	struct series *series = chart_add(chart, INK_HANDOFF, page->err);
	struct words label = { 0 };

	if (!series)
		return false;
	say_axis(&label, slice->y_axis, slice->y[row]);
	snprintf(series->label, sizeof(series->label), "%.60s", label.text);
	series->style = (unsigned)row;
	for (size_t i = 0; i < slice->columns; i++)
		series->marks[i] = mark_of(slice_point(slice, source, row, i), "transfers");
	say_ends(&figure->caption, slice, source, row, series->label);
	return true;
}

static bool transfers_panel(struct page *page, const struct slice *slice, size_t source)
{
	const size_t lines = slice->rows < MOST_LINES ? slice->rows : MOST_LINES;
	struct figure figure = { 0 };
	struct chart chart;

	if (!chart_init(&chart, slice->columns, page->err))
		return false;
	for (size_t i = 0; i < slice->columns; i++)
		axis_label(chart.categories[i], sizeof(*chart.categories), slice->x_axis,
			   slice->x[i]);
	chart.number = NUMBER_COUNT;
	chart.value_title = "pages changing hands per second";
	chart.category_title = axis_words_of(slice->x_axis)->title;
	say(&figure.title, "Pages changing hands over %s", chart.category_title);
	say_source(&figure.title, page, source);
	say_axes(&figure.shared, slice->axes, slice->x_axis, slice->y_axis);
	for (size_t row = 0; row < lines; row++) {
		if (!add_line(page, &chart, &figure, slice, source, row)) {
			chart_clear(&chart);
			return false;
		}
	}
	if (slice->rows > lines)
		say(&figure.caption, " Not drawn, but in the table: %zu more.",
		    slice->rows - lines);
	return figure_chart(page, &figure, &chart, chart_lines);
}

static bool transfers_of(struct page *page, size_t source, bool *drawn)
{
	const struct slice_query query = { .workload = "contend",
					   .x = "hold_ns",
					   .y = "think_ns",
					   .measure = "transfers",
					   .skip = page->skip };
	struct slice slice;
	bool ok = true;

	for (size_t i = 0; i < page->data.source_count; i++)
		page->skip[i] = i != source;
	if (!slice_find(&page->data, &query, &slice, page->err))
		return false;
	if (slice.columns > 1) {
		ok = transfers_panel(page, &slice, source);
		*drawn = true;
	}
	slice_clear(&slice);
	return ok;
}

/* --- the table ----------------------------------------------------------- */

static void row(struct page *page, const struct entry *entry)
{
	const json_t *held = histogram_of(entry->point, "held");
	const json_t *latency = histogram_of(entry->point, "cpu_together");
	struct words axes = { 0 };

	if (page->data.source_count > 1)
		say(&axes, "%s: ", page->data.sources[entry->source].label);
	say_axes(&axes, entry->axes, NULL, NULL);
	fputs("<tr>", page->out);
	table_cell(page, axes.text);
	table_number(page, NUMBER_COUNT, mark_of(entry->point, "transfers").value);
	table_number(page, NUMBER_COUNT, mark_of(entry->point, "cpu_waits").value);
	table_number(page, NUMBER_NS, number_of(held, "p50"));
	table_number(page, NUMBER_NS, number_of(held, "p99"));
	for (size_t i = 0; i < COUNT(sides); i++)
		table_number(page, NUMBER_RATE, mark_of(entry->point, sides[i].together).value);
	table_share(page, mark_of(entry->point, "fairness").value);
	table_number(page, NUMBER_NS, number_of(latency, "p99_9"));
	fputs("</tr>\n", page->out);
}

static void ownership_table(struct page *page, size_t count)
{
	static const char *const columns[] = { "Point",	      "Pages changing hands/s",
					       "CPU waits/s", "Kept, p50",
					       "Kept, p99",   "device, op/s",
					       "CPU, op/s",   "Fairness",
					       "CPU op p99.9" };

	fprintf(page->out, "<details><summary>All %zu points</summary>\n", count);
	table_open(page, columns, COUNT(columns));
	for (size_t i = 0; i < page->data.entry_count; i++)
		if (changes_hands(&page->data.entries[i]))
			row(page, &page->data.entries[i]);
	table_close(page);
	fputs("</details>\n", page->out);
}

bool report_ownership(struct page *page)
{
	const size_t count = count_points(page);
	bool drawn = false;

	/* Most devices have no part in this, and nothing is missing. */
	if (!count)
		return true;
	section_open(page, "Pages changing hands",
		     "The device takes a page before it changes it atomically, and the CPU takes "
		     "it back when it wants it, but not before the hold has ended. Counted by the "
		     "kernel while both sides worked; how long pages were kept is known to a "
		     "power of two, rounded down.");
	for (size_t source = 0; source < page->data.source_count; source++)
		if (!transfers_of(page, source, &drawn))
			return false;
	section_close(page);
	if (!drawn)
		absent(page, "No curve over the hold: fewer than two values with all else equal.");
	ownership_table(page, count);
	return true;
}
