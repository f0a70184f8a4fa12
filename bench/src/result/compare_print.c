/* SPDX-License-Identifier: MIT */
/*
 * Printing a comparison: a table of the measures, lines for the rest.
 */
#include "compare.h"

#include "units.h"

#include <ctype.h>
#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* Reasons and names come from drivers and files: one line, and nothing for the terminal. */
static void print_line(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void print_line(FILE *out, const char *format, ...)
{
	char *line;
	va_list args;

	va_start(args, format);
	if (vasprintf(&line, format, args) < 0)
		line = NULL;
	va_end(args);
	if (!line)
		return;
	for (char *c = line; *c; c++)
		fputc(iscntrl((unsigned char)*c) ? ' ' : *c, out);
	fputc('\n', out);
	free(line);
}

static void format_ratio(char *out, size_t size, const json_t *ratio)
{
	if (json_is_null(ratio))
		snprintf(out, size, "inf");
	else
		snprintf(out, size, "%.3f", json_number_value(ratio));
}

enum column { POINT, MEASURE, VALUE_A, VALUE_B, RATIO, INTERVAL, DELTA, VERDICT, COLUMNS };

static bool add_columns(struct libscols_table *table)
{
	static const struct {
		const char *name;
		int flags;
	} columns[COLUMNS] = {
		[POINT] = { "POINT", 0 },
		[MEASURE] = { "MEASURE", 0 },
		[VALUE_A] = { "A", SCOLS_FL_RIGHT },
		[VALUE_B] = { "B", SCOLS_FL_RIGHT },
		[RATIO] = { "B/A", SCOLS_FL_RIGHT },
		[INTERVAL] = { "95% INTERVAL", 0 },
		[DELTA] = { "DELTA", SCOLS_FL_RIGHT },
		[VERDICT] = { "VERDICT", 0 },
	};

	for (unsigned i = 0; i < COLUMNS; i++) {
		if (!scols_table_new_column(table, columns[i].name, 0, columns[i].flags))
			return false;
	}
	return true;
}

static bool add_line(struct libscols_table *table, const json_t *entry)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	const char *unit = text_of(entry, "unit");
	char a[32], b[32], ratio[32], low[32], high[32], interval[72], delta[32];

	format_value(a, sizeof(a), json_number_value(json_object_get(entry, "a")), unit);
	format_value(b, sizeof(b), json_number_value(json_object_get(entry, "b")), unit);
	format_ratio(ratio, sizeof(ratio), json_object_get(entry, "ratio"));
	format_ratio(low, sizeof(low), json_object_get(entry, "low"));
	format_ratio(high, sizeof(high), json_object_get(entry, "high"));
	snprintf(interval, sizeof(interval), "%s to %s", low, high);
	snprintf(delta, sizeof(delta), "%+.2f", json_number_value(json_object_get(entry, "delta")));

	return line && scols_line_set_data(line, POINT, text_of(entry, "point")) == 0 &&
	       scols_line_set_data(line, MEASURE, text_of(entry, "measure")) == 0 &&
	       scols_line_set_data(line, VALUE_A, a) == 0 &&
	       scols_line_set_data(line, VALUE_B, b) == 0 &&
	       scols_line_set_data(line, RATIO, ratio) == 0 &&
	       scols_line_set_data(line, INTERVAL, interval) == 0 &&
	       scols_line_set_data(line, DELTA, delta) == 0 &&
	       scols_line_set_data(line, VERDICT, text_of(entry, "verdict")) == 0;
}

static bool fill_table(struct libscols_table *table, const json_t *measures)
{
	const json_t *entry;
	size_t i;

	if (!add_columns(table))
		return false;
	json_array_foreach (measures, i, entry) {
		if (!add_line(table, entry))
			return false;
	}
	return true;
}

/* One line a row even where the terminal is narrower: nothing is cut off, and grep works. */
static bool print_table(const json_t *measures, FILE *out)
{
	struct libscols_table *table = scols_new_table();
	bool printed;

	printed = table && fill_table(table, measures) && scols_table_set_stream(table, out) == 0 &&
		  scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER) == 0 &&
		  scols_print_table(table) == 0;
	scols_unref_table(table);
	return printed;
}

static void print_others(const json_t *others, FILE *out)
{
	const json_t *other;
	size_t i;

	json_array_foreach (others, i, other) {
		const char *verdict = text_of(other, "verdict");

		print_line(out, "%s: %s%s%s%s", text_of(other, "point"), text_of(other, "what"),
			   verdict ? " (counts as " : "", verdict ? verdict : "",
			   verdict ? ")" : "");
	}
}

static int count_of(const json_t *comparison, const char *verdict)
{
	const json_t *summary = json_object_get(comparison, "summary");

	return (int)json_integer_value(json_object_get(summary, verdict));
}

bool compare_print(const json_t *comparison, FILE *out, struct error *err)
{
	const json_t *measures = json_object_get(comparison, "measures");
	const double threshold = json_number_value(json_object_get(comparison, "threshold"));
	const json_t *note;
	size_t i;

	if (json_array_size(measures) > 0 && !print_table(measures, out))
		return fail(err, EXIT_NO_MEMORY, "no memory left to print the comparison");
	print_others(json_object_get(comparison, "others"), out);
	json_array_foreach (json_object_get(comparison, "notes"), i, note)
		print_line(out, "note: %s", json_string_value(note));
	print_line(out, "%d faster, %d slower, %d same, %d ambiguous (threshold %g%%)",
		   count_of(comparison, "faster"), count_of(comparison, "slower"),
		   count_of(comparison, "same"), count_of(comparison, "ambiguous"),
		   100 * threshold);
	return true;
}
