/* SPDX-License-Identifier: MIT */
/*
 * The result of a run on the terminal.
 */
#include "outputs.h"

#include "record.h"

#include <libsmartcols/libsmartcols.h>
#include <string.h>
#include <unistd.h>

enum column { TEST, VERDICT, SECONDS, EXPECTED, REASON, COLUMNS };

static bool shown(const json_t *record, const json_t *test)
{
	return json_is_true(json_object_get(record, "verbose")) ||
	       record_verdict(test) != VERDICT_PASS || *record_text(test, "difference");
}

static bool add_columns(struct libscols_table *table)
{
	static const struct {
		const char *name;
		int flags;
	} columns[COLUMNS] = {
		[TEST] = { "TEST", 0 },
		[VERDICT] = { "VERDICT", 0 },
		[SECONDS] = { "S", SCOLS_FL_RIGHT },
		[EXPECTED] = { "EXPECTED", 0 },
		[REASON] = { "REASON", SCOLS_FL_TRUNC },
	};

	for (unsigned i = 0; i < COLUMNS; i++)
		if (!scols_table_new_column(table, columns[i].name, 0, columns[i].flags))
			return false;
	return true;
}

/* What was expected is of interest where it is something else. */
static bool add_line(struct libscols_table *table, const json_t *test)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	const bool differs = *record_text(test, "difference");
	char seconds[32];

	snprintf(seconds, sizeof(seconds), "%.1f",
		 json_number_value(json_object_get(test, "seconds")));
	return line && !scols_line_set_data(line, TEST, record_text(test, "name")) &&
	       !scols_line_set_data(line, VERDICT, record_text(test, "verdict")) &&
	       !scols_line_set_data(line, SECONDS, seconds) &&
	       !scols_line_set_data(line, EXPECTED, differs ? record_text(test, "expected") : "") &&
	       !scols_line_set_data(line, REASON, record_text(test, "reason"));
}

static bool put_tests(FILE *out, const json_t *record)
{
	struct libscols_table *table = scols_new_table();
	const json_t *test;
	bool any = false;
	bool ok = table && add_columns(table);
	size_t i;

	json_array_foreach (json_object_get(record, "tests"), i, test) {
		if (!ok || !shown(record, test))
			continue;
		ok = add_line(table, test);
		any = true;
	}
	if (ok && any) {
		scols_table_set_stream(table, out);
		if (!isatty(STDOUT_FILENO))
			scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
		ok = scols_print_table(table) == 0;
		fputc('\n', out);
	}
	scols_unref_table(table);
	return ok;
}

/* --- counts ------------------------------------------------------------------- */

static size_t count_verdict(const json_t *record, enum verdict verdict)
{
	const json_t *test;
	size_t count = 0;
	size_t i;

	json_array_foreach (json_object_get(record, "tests"), i, test)
		count += record_verdict(test) == verdict;
	return count;
}

static size_t count_difference(const json_t *record, const char *difference)
{
	const json_t *test;
	size_t count = 0;
	size_t i;

	json_array_foreach (json_object_get(record, "tests"), i, test)
		count += !strcmp(record_text(test, "difference"), difference);
	return count;
}

static void put_left_out(FILE *out, const json_t *record)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(record, "left_out"), i, entry)
		fprintf(out, "left out: %s: %s\n", record_text(entry, "what"),
			record_text(entry, "why"));
}

static void put_files(FILE *out, const json_t *record)
{
	const json_t *files = json_object_get(record, "expectations");
	const json_t *file;
	size_t i;

	if (!json_array_size(files)) {
		fputs("expectations: none that apply; failures count, nothing else\n", out);
		return;
	}
	fprintf(out, "expectations: ");
	json_array_foreach (files, i, file)
		fprintf(out, "%s%s", i ? ", " : "", json_string_value(file));
	fprintf(out, ": %zu worse, %zu better\n", count_difference(record, "worse"),
		count_difference(record, "better"));
}

/* How much it says that the litmus tests pass. */
static void put_mutants(FILE *out, const json_t *record)
{
	json_int_t killed = 0;
	json_int_t killable = 0;
	const json_t *test;
	size_t i;

	json_array_foreach (json_object_get(record, "tests"), i, test) {
		killed += json_integer_value(json_object_get(test, "mutants_killed"));
		killable += json_integer_value(json_object_get(test, "mutants_killable"));
	}
	if (killable)
		fprintf(out, "litmus: %lld of %lld killable mutants killed (%.0f%%)\n",
			(long long)killed, (long long)killable,
			100.0 * (double)killed / (double)killable);
}

bool output_table(FILE *out, const json_t *record)
{
	const json_t *device = json_object_get(record, "device");
	bool ok;

	fprintf(out, "%s (%s, driver %s; SVM: %s)\n\n", record_text(device, "device"),
		record_text(device, "platform"), record_text(device, "driver"),
		record_text(device, "svm"));
	ok = put_tests(out, record);
	put_left_out(out, record);
	put_mutants(out, record);
	put_files(out, record);
	/* As ./run test has it, for whoever reads the last line. */
	fprintf(out, "tests:");
	for (int i = 0; i < VERDICT_COUNT; i++) {
		const size_t count = count_verdict(record, (enum verdict)i);

		if (count || i == VERDICT_PASS || i == VERDICT_FAIL)
			fprintf(out, "%s %zu %s", i ? "," : "", count,
				verdict_name((enum verdict)i));
	}
	fputc('\n', out);
	return ok && !ferror(out);
}
