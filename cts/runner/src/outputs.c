/* SPDX-License-Identifier: MIT */
/*
 * TAP 13, JUnit and expectations of a record.
 */
#include "outputs.h"

#include "html.h"
#include "record.h"

#include <string.h>

static bool is_worse(const json_t *test)
{
	return !strcmp(record_text(test, "difference"), "worse");
}

/* --- TAP --------------------------------------------------------------------- */

/* A '#' would begin a directive. */
static void put_tap_text(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc(*text == '#' ? '=' : *text, out);
}

/* What is known to fail is "TODO" to TAP: not ok, and no reason for alarm. */
static void put_tap_test(FILE *out, const json_t *test, size_t number)
{
	const enum verdict verdict = record_verdict(test);
	const bool ok = !is_worse(test) && !verdict_is_failure(verdict);

	fprintf(out, "%s %zu - ", ok ? "ok" : "not ok", number);
	put_tap_text(out, record_text(test, "name"));
	if (!is_worse(test) && verdict_is_failure(verdict)) {
		fprintf(out, " # TODO %s expected: ", verdict_name(verdict));
		put_tap_text(out, record_text(test, "why"));
	} else if (ok && verdict == VERDICT_NOT_EXECUTED) {
		fputs(" # SKIP ", out);
		put_tap_text(out, record_text(test, "reason"));
	}
	fputc('\n', out);
	if (!ok || verdict == VERDICT_PARTIAL)
		fprintf(out, "# %s: %s\n", verdict_name(verdict), record_text(test, "reason"));
	if (*record_text(test, "difference"))
		fprintf(out, "# expected: %s\n", record_text(test, "expected"));
}

bool output_tap(FILE *out, const json_t *record)
{
	const json_t *tests = json_object_get(record, "tests");
	const json_t *entry;
	size_t i;

	fprintf(out, "TAP version 13\n1..%zu\n", json_array_size(tests));
	json_array_foreach (tests, i, entry)
		put_tap_test(out, entry, i + 1);
	json_array_foreach (json_object_get(record, "left_out"), i, entry)
		fprintf(out, "# left out: %s: %s\n", record_text(entry, "what"),
			record_text(entry, "why"));
	return !ferror(out);
}

/* --- JUnit: XML quotes as HTML does, and all text is valid UTF-8 without controls -------- */

/* JUnit tells what failed from what broke; of what was expected it knows nothing. */
static const char *junit_element(const json_t *test)
{
	const enum verdict verdict = record_verdict(test);

	if (is_worse(test))
		return verdict == VERDICT_TIMEOUT || verdict == VERDICT_CRASH ||
				       verdict == VERDICT_ERROR
			       ? "error"
			       : "failure";
	if (verdict == VERDICT_NOT_EXECUTED || verdict_is_failure(verdict))
		return "skipped";
	return NULL;
}

static void put_junit_result(FILE *out, const json_t *test, const char *element)
{
	const char *verdict = record_text(test, "verdict");

	fprintf(out, "   <%s message=\"%s", element, verdict);
	if (strcmp(element, "skipped") != 0) {
		fprintf(out, ", expected: %s", record_text(test, "expected"));
	} else if (verdict_is_failure(record_verdict(test))) {
		fputs(", as expected: ", out);
		html_text(out, record_text(test, "why"));
	}
	fputs(": ", out);
	html_text(out, record_text(test, "reason"));
	if (strcmp(element, "skipped") != 0)
		fprintf(out, "\" type=\"%s", verdict);
	fputs("\"/>\n", out);
}

static void put_junit_test(FILE *out, const json_t *test)
{
	const char *name = record_text(test, "name");
	const size_t suite = record_suite_length(name);
	const char *element = junit_element(test);

	fprintf(out, "  <testcase classname=\"%.*s\" name=\"", (int)suite, name);
	html_text(out, name + suite + 1);
	fprintf(out, "\" time=\"%.3f\">\n", json_number_value(json_object_get(test, "seconds")));
	if (element)
		put_junit_result(out, test, element);
	fprintf(out, "   <system-out>%s: ", record_text(test, "verdict"));
	html_text(out, record_text(test, "reason"));
	fputc('\n', out);
	html_text(out, record_text(test, "output"));
	fputs("</system-out>\n  </testcase>\n", out);
}

static bool same_suite(const json_t *a, const json_t *b)
{
	const char *one = record_text(a, "name");
	const char *other = record_text(b, "name");
	const size_t length = record_suite_length(one);

	return length == record_suite_length(other) && !strncmp(one, other, length);
}

/* How many tests of the suite of @first have @element; NULL: how many there are. */
static size_t count_junit(const json_t *tests, const json_t *first, const char *element)
{
	const json_t *test;
	size_t count = 0;
	size_t i;

	json_array_foreach (tests, i, test) {
		const char *has = junit_element(test);

		if (same_suite(first, test))
			count += !element || (has && !strcmp(has, element));
	}
	return count;
}

static void put_junit_suite(FILE *out, const json_t *tests, const json_t *first)
{
	const char *name = record_text(first, "name");
	const json_t *test;
	size_t i;

	fprintf(out,
		" <testsuite name=\"%.*s\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
		"skipped=\"%zu\">\n",
		(int)record_suite_length(name), name, count_junit(tests, first, NULL),
		count_junit(tests, first, "failure"), count_junit(tests, first, "error"),
		count_junit(tests, first, "skipped"));
	json_array_foreach (tests, i, test)
		if (same_suite(first, test))
			put_junit_test(out, test);
	fputs(" </testsuite>\n", out);
}

/* Whether no test before this one is of its suite. */
static bool is_first(const json_t *tests, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (same_suite(json_array_get(tests, i), json_array_get(tests, index)))
			return false;
	return true;
}

bool output_junit(FILE *out, const json_t *record)
{
	const json_t *tests = json_object_get(record, "tests");
	const json_t *test;
	size_t i;

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"svmatomic-cts\">\n",
	      out);
	json_array_foreach (tests, i, test)
		if (is_first(tests, i))
			put_junit_suite(out, tests, test);
	fputs("</testsuites>\n", out);
	return !ferror(out);
}

/* --- expectations ---------------------------------------------------------------- */

static void put_expectation(FILE *out, const json_t *test)
{
	char verdict[16];

	snprintf(verdict, sizeof(verdict), "%s", record_text(test, "verdict"));
	for (char *c = verdict; *c; c++)
		*c = *c == ' ' ? '-' : *c;
	fprintf(out, "%-13s %s  %s\n", verdict, record_text(test, "name"),
		*record_text(test, "why") ? record_text(test, "why") : record_text(test, "reason"));
}

bool output_expectations(FILE *out, const json_t *record)
{
	const json_t *device = json_object_get(record, "device");
	const json_t *test;
	size_t i;

	fprintf(out,
		"# From a run of svmatomic-cts: make the patterns as wide as they hold, and\n"
		"# the reasons such that somebody else can check them.\n"
		"platform: %s\nversion: %s\ndriver: %s\nsvm: %s\n\n",
		record_text(device, "platform"), record_text(device, "version"),
		record_text(device, "driver"), record_text(device, "svm"));
	json_array_foreach (json_object_get(record, "tests"), i, test)
		if (record_verdict(test) != VERDICT_PASS)
			put_expectation(out, test);
	return !ferror(out);
}
