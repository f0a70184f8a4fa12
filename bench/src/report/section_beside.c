/* SPDX-License-Identifier: MIT */
/*
 * Side by side: a column per device, a row per figure that speaks for it, on a terminal and
 * on the page. Where documents are of the layers of one stack, it shows what each costs.
 */
#include "report.h"
#include "report_parts.h"

#include "html.h"
#include "result.h"
#include "units.h"

#include <libsmartcols/libsmartcols.h>
#include <math.h>
#include <unistd.h>

static const char explanation[] =
	"The point of contend at which both sides change one word, and the first handoff. In "
	"brackets: divided by the first column's, where all axes that both points have are the "
	"same.";

/* A cell says nothing where there is nothing to say. */
struct row {
	const char *title;
	const char *measure; /* or else: */
	void (*fill)(struct words *cell, const struct page *page, size_t source);
};

/* --- cells --------------------------------------------------------------- */

static void say_kind(struct words *cell, const struct page *page, size_t source)
{
	say(cell, "%s", string_of(page->data.sources[source].device, "kind"));
}

static void say_name(struct words *cell, const struct page *page, size_t source)
{
	say(cell, "%s", string_of(page->data.sources[source].device, "name"));
}

static void say_machine(struct words *cell, const struct page *page, size_t source)
{
	const json_t *environment =
		json_object_get(page->data.sources[source].result, "environment");

	say(cell, "%s", string_of(environment, "cpu"));
}

static void say_kernel(struct words *cell, const struct page *page, size_t source)
{
	const json_t *environment =
		json_object_get(page->data.sources[source].result, "environment");

	say(cell, "%s", string_of(environment, "kernel"));
}

static void say_point(struct words *cell, const json_t *point)
{
	char label[160];

	if (!point)
		return;
	result_point_label(point, label, sizeof(label));
	say(cell, "%s", label);
}

static void say_contend(struct words *cell, const struct page *page, size_t source)
{
	say_point(cell, one_word_point(page, source, NULL));
}

static void say_handoff(struct words *cell, const struct page *page, size_t source)
{
	say_point(cell, handoff_point(page, source));
}

static const struct row rows[] = {
	{ "what it is", NULL, say_kind },
	{ "device", NULL, say_name },
	{ "CPU", NULL, say_machine },
	{ "kernel", NULL, say_kernel },
	{ "point", NULL, say_contend },
	{ "device alone", "device_alone", NULL },
	{ "device together", "device_together", NULL },
	{ "device slow-down", "device_slowdown", NULL },
	{ "CPU alone", "cpu_alone", NULL },
	{ "CPU together", "cpu_together", NULL },
	{ "CPU slow-down", "cpu_slowdown", NULL },
	{ "pages changing sides", "transfers", NULL },
	{ "point", NULL, say_handoff },
	{ "handoff, one way", "one_way", NULL },
};

static const json_t *point_of(const struct page *page, size_t source, const struct row *row)
{
	return streq(row->measure, "one_way") ? handoff_point(page, source)
					      : one_word_point(page, source, NULL);
}

/* An axis that one of them lacks (the hold, where no page is taken) is no difference. */
static bool same_axes(const json_t *a, const json_t *b)
{
	const json_t *other = json_object_get(b, "axes");
	const char *name;
	json_t *value;

	json_object_foreach (json_object_get(a, "axes"), name, value) {
		const json_t *its = json_object_get(other, name);

		if (its && !json_equal(value, its))
			return false;
	}
	return true;
}

static void say_measure(struct words *cell, const struct page *page, size_t source,
			const struct row *row)
{
	const json_t *point = point_of(page, source, row);
	const json_t *first = point_of(page, 0, row);
	const json_t *measure = point ? result_find_measure(point, row->measure) : NULL;
	const double value = mark_of(point, row->measure).value;
	const double of = mark_of(first, row->measure).value;
	const bool is_ratio = measure && streq(string_of(measure, "unit"), "ratio");
	char text[32];

	if (!measure)
		return;
	format_value(text, sizeof(text), value, string_of(measure, "unit"));
	say(cell, "%s%s", text, is_ratio ? "x" : "");
	if (source && of > 0 && !is_ratio && same_axes(point, first))
		say(cell, " (%.3gx)", value / of);
}

static void fill(struct words *cell, const struct page *page, size_t source, const struct row *row)
{
	*cell = (struct words){ 0 };
	if (row->measure)
		say_measure(cell, page, source, row);
	else
		row->fill(cell, page, source);
	if (!cell->length)
		say(cell, "-");
}

/* --- on the page --------------------------------------------------------- */

void report_beside(struct page *page)
{
	struct words cell;

	if (page->data.source_count < 2)
		return;
	fprintf(page->out, "<h2>Side by side</h2>\n<p>%s</p>\n", explanation);
	fputs("<div class=\"table\"><table>\n<tr><th></th>", page->out);
	for (size_t source = 0; source < page->data.source_count; source++) {
		fputs("<th>", page->out);
		html_text(page->out, page->data.sources[source].label);
		fputs("</th>", page->out);
	}
	fputs("</tr>\n", page->out);
	for (size_t i = 0; i < COUNT(rows); i++) {
		fputs("<tr>", page->out);
		table_cell(page, rows[i].title);
		for (size_t source = 0; source < page->data.source_count; source++) {
			fill(&cell, page, source, &rows[i]);
			table_cell(page, cell.text);
		}
		fputs("</tr>\n", page->out);
	}
	table_close(page);
}

/* --- on a terminal ------------------------------------------------------- */

static bool add_columns(struct libscols_table *table, const struct page *page)
{
	bool ok = scols_table_new_column(table, "", 0, 0);

	for (size_t source = 0; ok && source < page->data.source_count; source++)
		ok = scols_table_new_column(table, page->data.sources[source].label, 0,
					    SCOLS_FL_WRAP);
	return ok;
}

static bool add_row(struct libscols_table *table, const struct page *page, const struct row *row)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	struct words cell;
	bool ok = line && !scols_line_set_data(line, 0, row->title);

	for (size_t source = 0; ok && source < page->data.source_count; source++) {
		fill(&cell, page, source, row);
		ok = !scols_line_set_data(line, source + 1, cell.text);
	}
	return ok;
}

static bool print(const struct page *page, FILE *out)
{
	struct libscols_table *table;
	bool ok;

	scols_init_debug(0);
	table = scols_new_table();
	ok = table && add_columns(table, page);
	for (size_t i = 0; ok && i < COUNT(rows); i++)
		ok = add_row(table, page, &rows[i]);
	if (ok) {
		scols_table_set_stream(table, out);
		if (!isatty(fileno(out)))
			scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
		ok = !scols_print_table(table);
		fprintf(out, "\n%s\n\n", explanation);
	}
	scols_unref_table(table);
	return ok;
}

bool report_print(json_t *const *results, const char *const *names, size_t count, FILE *out,
		  struct error *err)
{
	struct page page = { .results = results, .names = names, .count = count, .err = err };
	bool ok = true;

	if (!dataset_fill(&page.data, results, names, count, err))
		return false;
	if (page.data.source_count > 1)
		ok = print(&page, out) || no_memory(&page);
	dataset_clear(&page.data);
	return ok;
}
