/* SPDX-License-Identifier: MIT */
/*
 * Tables of a result, drawn by libsmartcols.
 */
#include "table.h"

#include "result.h"
#include "units.h"

#include <libsmartcols/libsmartcols.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define COLUMNS_MAX 12

struct column {
	const char *title;
	bool right;
};

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static bool is_workload(const json_t *point, const char *name)
{
	return !strcmp(text_of(point, "workload"), name);
}

/* Unreliable points have measures too, but none to put into a table. */
static bool has_figures(const json_t *point)
{
	const char *status = text_of(point, "status");

	return (!strcmp(status, "ok") || !strcmp(status, "partial")) &&
	       json_array_size(json_object_get(point, "measures")) > 0;
}

/* --- drawing ------------------------------------------------------------ */

static struct libscols_table *table_new(const struct column *columns)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		return NULL;
	for (const struct column *column = columns; column->title; column++)
		if (!scols_table_new_column(table, column->title, 0,
					    column->right ? SCOLS_FL_RIGHT : 0)) {
			scols_unref_table(table);
			return NULL;
		}
	return table;
}

static bool table_row(struct libscols_table *table, const char *const *cells, size_t count)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);

	for (size_t i = 0; line && i < count; i++)
		if (scols_line_set_data(line, i, cells[i]))
			return false;
	return line;
}

static void table_draw(struct libscols_table *table, const char *title, FILE *out)
{
	fprintf(out, "\n%s\n\n", title);
	scols_table_set_stream(table, out);
	if (!isatty(fileno(out)))
		scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	scols_print_table(table);
}

/* --- cells -------------------------------------------------------------- */

struct cell {
	char text[48];
};

static const char *measure_cell(struct cell *cell, const json_t *point, const char *name)
{
	const json_t *measure = result_find_measure(point, name);

	format_value(cell->text, sizeof(cell->text), result_median(point, name),
		     measure ? text_of(measure, "unit") : "ratio");
	return cell->text;
}

static const json_t *find_histogram(const json_t *point, const char *name)
{
	const json_t *histogram;
	size_t i;

	json_array_foreach (json_object_get(point, "histograms"), i, histogram)
		if (!strcmp(text_of(histogram, "name"), name))
			return histogram;
	return NULL;
}

static const char *percentile_cell(struct cell *cell, const json_t *point, const char *histogram,
				   const char *percentile)
{
	const json_t *value = json_object_get(find_histogram(point, histogram), percentile);

	format_value(cell->text, sizeof(cell->text), value ? json_number_value(value) : NAN, "ns");
	return cell->text;
}

static const char *slowdown_cell(struct cell *cell, const json_t *point, const char *name)
{
	const double median = result_median(point, name);

	if (isnan(median))
		snprintf(cell->text, sizeof(cell->text), "-");
	else
		snprintf(cell->text, sizeof(cell->text), "%.2fx", median);
	return cell->text;
}

/* The point without its workload, which the title has. */
static void label(char *out, size_t size, const json_t *point)
{
	const size_t skip = strlen(text_of(point, "workload"));
	char full[192];

	result_point_label(point, full, sizeof(full));
	snprintf(out, size, "%s", full[skip] ? full + skip + 1 : full);
}

/* --- the tables --------------------------------------------------------- */

static bool contend_row(struct libscols_table *table, const json_t *point)
{
	struct cell cells[9];
	char name[192];

	label(name, sizeof(name), point);
	return table_row(table,
			 (const char *const[]){
				 name,
				 measure_cell(&cells[0], point, "device_alone"),
				 measure_cell(&cells[1], point, "device_together"),
				 slowdown_cell(&cells[2], point, "device_slowdown"),
				 measure_cell(&cells[3], point, "cpu_alone"),
				 measure_cell(&cells[4], point, "cpu_together"),
				 slowdown_cell(&cells[5], point, "cpu_slowdown"),
				 measure_cell(&cells[6], point, "fairness"),
				 percentile_cell(&cells[7], point, "cpu_together", "p50"),
				 percentile_cell(&cells[8], point, "cpu_together", "p99"),
			 },
			 10);
}

static bool ownership_row(struct libscols_table *table, const json_t *point)
{
	struct cell cells[7];
	char name[192];

	label(name, sizeof(name), point);
	return table_row(table,
			 (const char *const[]){
				 name,
				 measure_cell(&cells[0], point, "transfers"),
				 measure_cell(&cells[1], point, "cpu_waits"),
				 percentile_cell(&cells[2], point, "held", "p50"),
				 percentile_cell(&cells[3], point, "held", "p99"),
				 measure_cell(&cells[4], point, "fairness"),
				 measure_cell(&cells[5], point, "cpu_share"),
				 percentile_cell(&cells[6], point, "cpu_together", "p99_9"),
			 },
			 8);
}

static bool handoff_row(struct libscols_table *table, const json_t *point)
{
	static const char *const percentiles[] = { "p50", "p90", "p99", "p99_9", "p99_99", "max" };
	const json_t *axes = json_object_get(point, "axes");
	const json_t *hold = json_object_get(axes, "hold_ns");
	struct cell cells[7];
	const char *row[10] = { text_of(axes, "order"), text_of(axes, "scope"),
				text_of(axes, "placement"), cells[6].text };

	format_value(cells[6].text, sizeof(cells[6].text), hold ? json_number_value(hold) : NAN,
		     "ns");
	for (size_t i = 0; i < 6; i++)
		row[4 + i] = percentile_cell(&cells[i], point, "one_way", percentiles[i]);
	return table_row(table, row, 10);
}

static bool app_row(struct libscols_table *table, const json_t *point)
{
	const json_t *speedup = result_find_measure(point, "speedup");
	struct cell cells[5];

	snprintf(cells[4].text, sizeof(cells[4].text), "%.2f to %.2f",
		 json_number_value(json_object_get(speedup, "low")),
		 json_number_value(json_object_get(speedup, "high")));
	return table_row(table,
			 (const char *const[]){
				 text_of(point, "workload"),
				 measure_cell(&cells[0], point, "svm_atomics"),
				 measure_cell(&cells[1], point, "coarse"),
				 measure_cell(&cells[2], point, "plain"),
				 slowdown_cell(&cells[3], point, "speedup"),
				 speedup ? cells[4].text : "-",
			 },
			 6);
}

static bool is_contend(const json_t *point)
{
	return is_workload(point, "contend");
}

static bool changes_hands(const json_t *point)
{
	return is_contend(point) && result_find_measure(point, "transfers");
}

static bool is_handoff(const json_t *point)
{
	return is_workload(point, "handoff");
}

static bool is_app(const json_t *point)
{
	return !is_contend(point) && !is_handoff(point);
}

static const struct section {
	const char *title;
	bool (*takes)(const json_t *point);
	bool (*row)(struct libscols_table *table, const json_t *point);
	struct column columns[COLUMNS_MAX];
} sections[] = {
	{ "contend: device and CPU threads on shared words, each alone and both together",
	  is_contend,
	  contend_row,
	  { { "POINT", false },
	    { "DEVICE ALONE", true },
	    { "TOGETHER", true },
	    { "SLOWER", true },
	    { "CPU ALONE", true },
	    { "TOGETHER", true },
	    { "SLOWER", true },
	    { "FAIRNESS", true },
	    { "CPU P50", true },
	    { "P99", true },
	    { NULL, false } } },
	{ "contend: pages changing hands while both sides work",
	  changes_hands,
	  ownership_row,
	  { { "POINT", false },
	    { "TRANSFERS", true },
	    { "CPU WAITS", true },
	    { "KEPT P50", true },
	    { "P99", true },
	    { "FAIRNESS", true },
	    { "CPU SHARE", true },
	    { "CPU P99.9", true },
	    { NULL, false } } },
	{ "handoff: one-way latency of a token between a CPU thread and a work-item",
	  is_handoff,
	  handoff_row,
	  { { "ORDER", false },
	    { "SCOPE", false },
	    { "PLACEMENT", false },
	    { "HOLD", true },
	    { "P50", true },
	    { "P90", true },
	    { "P99", true },
	    { "P99.9", true },
	    { "P99.99", true },
	    { "MAX", true },
	    { NULL, false } } },
	{ "apps: the same problem with SVM atomics, with coarse-grained SVM, with plain buffers",
	  is_app,
	  app_row,
	  { { "APP", false },
	    { "SVM ATOMICS", true },
	    { "COARSE SVM", true },
	    { "PLAIN BUFFERS", true },
	    { "SPEED-UP", true },
	    { "95% INTERVAL", true },
	    { NULL, false } } },
};

static bool print_section(const struct section *section, const json_t *points, json_int_t device,
			  FILE *out)
{
	struct libscols_table *table = table_new(section->columns);
	const json_t *point;
	bool any = false;
	bool ok = table;
	size_t i;

	json_array_foreach (points, i, point) {
		if (!ok || json_integer_value(json_object_get(point, "device")) != device ||
		    !section->takes(point) || !has_figures(point))
			continue;
		any = true;
		ok = section->row(table, point);
	}
	if (ok && any)
		table_draw(table, section->title, out);
	scols_unref_table(table);
	return ok;
}

/* --- around the tables -------------------------------------------------- */

static bool has_points(const json_t *points, json_int_t device)
{
	const json_t *point;
	size_t i;

	json_array_foreach (points, i, point)
		if (json_integer_value(json_object_get(point, "device")) == device)
			return true;
	return false;
}

static void print_device(const json_t *device, FILE *out)
{
	const json_t *cpus = json_object_get(device, "cpus");

	fprintf(out, "\nMeasured on a %s: %s (%s, driver %s)", text_of(device, "kind"),
		text_of(device, "name"), text_of(device, "platform"), text_of(device, "driver"));
	if (cpus)
		fprintf(out, "; its threads on CPU %s, host threads on the rest",
			json_string_value(cpus));
	fputc('\n', out);
}

/* Every note once, with how many points it goes for. */
static void print_notes(const json_t *points, json_int_t device, FILE *out)
{
	json_t *counts = json_object();
	const json_t *point;
	const json_t *note;
	const char *text;
	json_t *count;
	size_t i;
	size_t n;

	json_array_foreach (points, i, point) {
		if (json_integer_value(json_object_get(point, "device")) != device)
			continue;
		json_array_foreach (json_object_get(point, "notes"), n, note) {
			text = json_string_value(note);
			json_object_set_new(
				counts, text,
				json_integer(json_integer_value(json_object_get(counts, text)) +
					     1));
		}
	}
	if (json_object_size(counts))
		fputs("\nNotes\n", out);
	json_object_foreach (counts, text, count)
		fprintf(out, "  %s (%" JSON_INTEGER_FORMAT " of %zu points)\n", text,
			json_integer_value(count), json_array_size(points));
	json_decref(counts);
}

static void print_unmeasured(const json_t *points, json_int_t device, FILE *out)
{
	const json_t *point;
	bool any = false;
	size_t i;

	json_array_foreach (points, i, point) {
		const char *status = text_of(point, "status");
		char name[192];

		if (json_integer_value(json_object_get(point, "device")) != device ||
		    !strcmp(status, "ok") || !strcmp(status, "partial"))
			continue;
		if (!any)
			fputs("\nNot measured\n", out);
		any = true;
		result_point_label(point, name, sizeof(name));
		fprintf(out, "  %s: %s: %s\n", name, status, text_of(point, "reason"));
	}
}

static void print_reliability(const json_t *result, FILE *out)
{
	const json_t *points = json_object_get(result, "points");
	const json_t *point;
	json_int_t rejected = 0;
	json_int_t taken = 0;
	size_t narrow = 0;
	size_t numbers = 0;
	size_t i;

	json_array_foreach (points, i, point) {
		if (!json_object_get(point, "measures"))
			continue;
		rejected += json_integer_value(json_object_get(point, "samples_rejected"));
		if (!has_figures(point))
			continue;
		numbers++;
		narrow += !strcmp(text_of(point, "stopped_by"), "interval");
		taken += json_integer_value(json_object_get(point, "samples_taken"));
	}
	if (!numbers)
		return;
	fprintf(out,
		"\nMedians. %zu of %zu points reached the interval asked for, the others spent "
		"their budget. %" JSON_INTEGER_FORMAT
		" samples, every one verified; %" JSON_INTEGER_FORMAT
		" legs overlapped too little and are in no figure.\n",
		narrow, numbers, taken, rejected);
}

static void print_self_check(const json_t *result, FILE *out)
{
	static const struct column columns[] = { { "SELF-CHECK", false },  { "HARNESS", true },
						 { "PLAIN LOOP", true },   { "RATIO", true },
						 { "95% INTERVAL", true }, { "VERDICT", false },
						 { NULL, false } };
	const json_t *list = json_object_get(result, "self_check");
	struct libscols_table *table;
	const json_t *check;
	size_t i;

	if (!list)
		return;
	table = table_new(columns);
	json_array_foreach (list, i, check) {
		const bool judged = !json_is_null(json_object_get(check, "tolerance"));
		struct cell cells[4];

		format_value(cells[0].text, sizeof(cells[0].text),
			     json_number_value(json_object_get(check, "harness")), "op/s");
		format_value(cells[1].text, sizeof(cells[1].text),
			     json_number_value(json_object_get(check, "plain")), "op/s");
		snprintf(cells[2].text, sizeof(cells[2].text), "%.4f",
			 json_number_value(json_object_get(check, "ratio")));
		snprintf(cells[3].text, sizeof(cells[3].text), "%.4f to %.4f",
			 json_number_value(json_object_get(check, "low")),
			 json_number_value(json_object_get(check, "high")));
		table_row(table,
			  (const char *const[]){
				  text_of(check, "name"),
				  cells[0].text,
				  cells[1].text,
				  cells[2].text,
				  cells[3].text,
				  !judged					 ? "reported only"
				  : json_is_true(json_object_get(check, "pass")) ? "pass"
										 : "FAIL",
			  },
			  6);
	}
	if (table)
		table_draw(table, "self-check: the harness against a plain C11 loop", out);
	scols_unref_table(table);
}

bool table_print(const json_t *result, FILE *out, struct error *err)
{
	const json_t *points = json_object_get(result, "points");
	const json_t *device;
	size_t index;

	scols_init_debug(0);
	json_array_foreach (json_object_get(result, "devices"), index, device) {
		if (!has_points(points, (json_int_t)index))
			continue;
		print_device(device, out);
		for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
			if (!print_section(&sections[i], points, (json_int_t)index, out))
				return fail(err, EXIT_NO_MEMORY, "out of memory");
		print_unmeasured(points, (json_int_t)index, out);
		print_notes(points, (json_int_t)index, out);
	}
	print_self_check(result, out);
	print_reliability(result, out);
	return true;
}
