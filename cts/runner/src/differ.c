/* SPDX-License-Identifier: MIT */
/*
 * Comparing two runs.
 */
#include "differ.h"

#include "record.h"

#include <libsmartcols/libsmartcols.h>
#include <string.h>
#include <unistd.h>

static json_int_t executed(const json_t *test)
{
	return json_integer_value(json_object_get(test, "executed"));
}

/* NULL where there is none. */
static const char *change_of(const json_t *a, const json_t *b)
{
	if (!b)
		return "only in A";
	if (!a)
		return "only in B";
	if (record_verdict(b) != record_verdict(a))
		return record_verdict(b) > record_verdict(a) ? "worse" : "better";
	/* Khronos leaves cases out without a line: the count is what shows it. */
	if (!verdict_is_failure(record_verdict(a)) && executed(b) < executed(a))
		return "fewer cases";
	return NULL;
}

static void take(json_t *differences, const json_t *a, const json_t *b)
{
	const char *change = change_of(a, b);
	json_t *same = json_object_get(differences, "same");

	if (!change) {
		json_integer_set(same, json_integer_value(same) + 1);
		return;
	}
	json_array_append_new(
		json_object_get(differences, "changes"),
		json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", record_text(a ? a : b, "name"), "a",
			  record_text(a, "verdict"), "b", record_text(b, "verdict"), "change",
			  change, "reason", record_text(b ? b : a, "reason")));
}

json_t *differ(const json_t *a, const json_t *b)
{
	json_t *differences = json_pack("{s:[], s:i}", "changes", "same", 0);
	const json_t *test;
	size_t i;

	if (!differences)
		return NULL;
	json_array_foreach (json_object_get(a, "tests"), i, test)
		take(differences, test, record_find(b, record_text(test, "name")));
	json_array_foreach (json_object_get(b, "tests"), i, test)
		if (!record_find(a, record_text(test, "name")))
			take(differences, NULL, test);
	return differences;
}

static bool put_change(struct libscols_table *table, const json_t *change)
{
	static const char *const members[] = { "name", "a", "b", "change", "reason" };
	struct libscols_line *line = scols_table_new_line(table, NULL);

	for (size_t i = 0; line && i < sizeof(members) / sizeof(*members); i++)
		if (scols_line_set_data(line, i, record_text(change, members[i])))
			return false;
	return line;
}

static bool put_changes(FILE *out, const json_t *changes)
{
	struct libscols_table *table = scols_new_table();
	const json_t *change;
	bool ok;
	size_t i;

	ok = table && scols_table_new_column(table, "TEST", 0, 0) &&
	     scols_table_new_column(table, "A", 0, 0) && scols_table_new_column(table, "B", 0, 0) &&
	     scols_table_new_column(table, "CHANGE", 0, 0) &&
	     scols_table_new_column(table, "REASON", 0, SCOLS_FL_TRUNC);
	json_array_foreach (changes, i, change)
		ok = ok && put_change(table, change);
	if (ok) {
		scols_table_set_stream(table, out);
		if (!isatty(STDOUT_FILENO))
			scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
		ok = scols_print_table(table) == 0;
	}
	scols_unref_table(table);
	return ok;
}

bool differ_print(FILE *out, const json_t *differences)
{
	const json_t *changes = json_object_get(differences, "changes");
	bool ok = true;

	if (json_array_size(changes)) {
		ok = put_changes(out, changes);
		fputc('\n', out);
	}
	fprintf(out, "%zu changed, %lld the same\n", json_array_size(changes),
		(long long)json_integer_value(json_object_get(differences, "same")));
	return ok && !ferror(out);
}

int differ_exit_code(const json_t *differences)
{
	const json_t *change;
	int code = 0;
	size_t i;

	json_array_foreach (json_object_get(differences, "changes"), i, change) {
		const char *kind = record_text(change, "change");

		if (strcmp(kind, "better") != 0 && strcmp(kind, "only in B") != 0)
			return 1;
		code = 2;
	}
	return code;
}
