/* SPDX-License-Identifier: MIT */
/*
 * The report's answer to what SVM atomics are worth to an application.
 */
#include "report_parts.h"

#include <math.h>

/* The applications that are a row of a chart: indices into apps. */
struct rows {
	size_t app[COUNT(apps)];
	size_t count;
};

static bool has_measure(const struct page *page, size_t source, size_t app, const char *measure)
{
	return !isnan(mark_of(app_point(page, source, apps[app]), measure).value);
}

static bool label_apps(struct page *page, struct chart *chart, const struct rows *rows)
{
	if (!chart_init(chart, rows->count, page->err))
		return false;
	for (size_t i = 0; i < rows->count; i++)
		snprintf(chart->categories[i], sizeof(*chart->categories), "%s",
			 apps[rows->app[i]]);
	return true;
}

static bool fill_series(struct page *page, struct series *series, const struct rows *rows,
			size_t source, const char *measure, enum number number)
{
	if (!series)
		return false;
	for (size_t i = 0; i < rows->count; i++) {
		series->marks[i] = mark_of(app_point(page, source, apps[rows->app[i]]), measure);
		if (!isnan(series->marks[i].value))
			chart_number(series->notes[i], sizeof(*series->notes), number,
				     series->marks[i].value);
	}
	return true;
}

/* --- speed-up ------------------------------------------------------------ */

static bool add_speedups(struct page *page, struct chart *chart, const struct rows *rows,
			 size_t source)
{
	struct series *series = chart_add(chart, INK_SVM, page->err);

	if (!fill_series(page, series, rows, source, "speedup", NUMBER_RATIO))
		return false;
	snprintf(series->label, sizeof(series->label), "%s", page->data.sources[source].label);
	series->style = (unsigned)source;
	series->lane = (unsigned)chart->series_count - 1;
	return true;
}

static void say_speedups(struct words *words, const struct page *page, size_t source,
			 const struct app_tally *tally)
{
	const char *label = page->data.sources[source].label;

	say(words, "%s%s%s", words->length ? " " : "", label, *label ? ": " : "");
	say_tally(words, tally);
	say(words, tally->total > 1 ? ", from " : ": ");
	say_number(words, NUMBER_RATIO, tally->worst_mark.value);
	say(words, " (%s)", tally->worst);
	if (tally->total > 1) {
		say(words, " to ");
		say_number(words, NUMBER_RATIO, tally->best_mark.value);
		say(words, " (%s)", tally->best);
	}
	say(words, ".");
}

static struct rows speedup_rows(const struct page *page)
{
	struct rows rows = { .count = 0 };

	for (size_t app = 0; app < COUNT(apps); app++) {
		bool any = false;

		for (size_t source = 0; source < page->data.source_count; source++)
			any |= has_measure(page, source, app, "speedup");
		if (any)
			rows.app[rows.count++] = app;
	}
	return rows;
}

static bool speedups(struct page *page, const struct rows *rows)
{
	struct figure figure = { 0 };
	struct chart chart;

	if (!rows->count)
		return true;
	if (!label_apps(page, &chart, rows))
		return false;
	chart.number = NUMBER_RATIO;
	chart.value_title = "← slower     SVM atomics     faster →";
	chart.base = 1;
	say(&figure.title, "SVM atomics against the best of the others");
	for (size_t source = 0; source < page->data.source_count; source++) {
		struct app_tally tally = tally_apps(page, source);

		if (!tally.total)
			continue;
		if (!add_speedups(page, &chart, rows, source)) {
			chart_clear(&chart);
			return false;
		}
		say_speedups(&figure.caption, page, source, &tally);
	}
	return figure_chart(page, &figure, &chart, chart_rows);
}

/* --- times --------------------------------------------------------------- */

static struct rows time_rows(const struct page *page, size_t source)
{
	struct rows rows = { .count = 0 };

	for (size_t app = 0; app < COUNT(apps); app++) {
		bool any = false;

		for (size_t i = 0; i < COUNT(variants); i++)
			any |= has_measure(page, source, app, variants[i].name);
		if (any)
			rows.app[rows.count++] = app;
	}
	return rows;
}

static bool add_times(struct page *page, struct chart *chart, const struct rows *rows,
		      size_t source, unsigned variant)
{
	struct series *series = chart_add(chart, variants[variant].ink, page->err);

	if (!fill_series(page, series, rows, source, variants[variant].name, NUMBER_SECONDS))
		return false;
	snprintf(series->label, sizeof(series->label), "%s", variants[variant].title);
	series->style = variant;
	series->lane = variant;
	return true;
}

static bool is_fastest(const json_t *point, const char *variant)
{
	double its = mark_of(point, variant).value;

	for (size_t i = 0; i < COUNT(variants); i++) {
		if (mark_of(point, variants[i].name).value < its)
			return false;
	}
	return !isnan(its);
}

/* "Fastest with SVM atomics: queue, hash." */
static void say_fastest(struct words *words, const struct page *page, size_t source,
			const struct variant *variant)
{
	struct words names = { 0 };

	for (size_t i = 0; i < COUNT(apps); i++) {
		if (is_fastest(app_point(page, source, apps[i]), variant->name))
			say(&names, "%s%s", names.length ? ", " : "", apps[i]);
	}
	if (names.length)
		say(words, "%sFastest with %s: %s.", words->length ? " " : "", variant->title,
		    names.text);
}

static bool times(struct page *page, size_t source)
{
	const struct rows rows = time_rows(page, source);
	struct figure figure = { 0 };
	struct chart chart;

	if (!rows.count)
		return true;
	if (!label_apps(page, &chart, &rows))
		return false;
	chart.number = NUMBER_SECONDS;
	chart.value_title = "time for the same work";
	say(&figure.title, "Time of the three variants");
	say_source(&figure.title, page, source);
	for (unsigned i = 0; i < COUNT(variants); i++) {
		if (!add_times(page, &chart, &rows, source, i)) {
			chart_clear(&chart);
			return false;
		}
		say_fastest(&figure.caption, page, source, &variants[i]);
	}
	return figure_chart(page, &figure, &chart, chart_rows);
}

/* --- the section --------------------------------------------------------- */

static void say_missing(struct page *page, const struct rows *rows)
{
	struct words missing = { 0 };

	for (size_t app = 0, row = 0; app < COUNT(apps); app++) {
		if (row < rows->count && rows->app[row] == app)
			row++;
		else
			say(&missing, "%s%s", missing.length ? ", " : "", apps[app]);
	}
	if (missing.length)
		absent(page, "No speed-up of %s: not measured, or in too few variants.",
		       missing.text);
}

bool report_apps(struct page *page)
{
	const struct rows rows = speedup_rows(page);

	section_open(page, "Applications",
		     "The same input and the same verified output three times: with SVM atomics, "
		     "both sides at once on one structure; with coarse-grained SVM, mapped and "
		     "unmapped; "
		     "with plain buffers and copies. Whiskers are 95% intervals.");
	if (!speedups(page, &rows))
		return false;
	for (size_t source = 0; source < page->data.source_count; source++) {
		if (!times(page, source))
			return false;
	}
	section_close(page);
	say_missing(page, &rows);
	return true;
}
