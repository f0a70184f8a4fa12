/* SPDX-License-Identifier: MIT */
/*
 * Two constructed runs side by side, and a run as TAP and as JUnit's XML.
 */
#include "differ.h"
#include "outputs.h"
#include "record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *make_record(void)
{
	json_t *device = json_pack("{s:s}", "device", "stand-in");
	json_t *record = record_new(device);

	json_decref(device);
	assert_non_null(record);
	return record;
}

static json_t *add(json_t *record, const char *name, enum verdict verdict, unsigned executed)
{
	struct outcome outcome = { .verdict = verdict, .executed = executed };
	json_t *test;

	if (verdict != VERDICT_PASS)
		snprintf(outcome.reason, sizeof(outcome.reason), "reason of %s", name);
	test = record_add(record, name, &outcome, 1.5, NULL);
	assert_non_null(test);
	return test;
}

/* One test in each run; NULL for a run without it. */
static int compare(enum verdict *a, unsigned executed_a, enum verdict *b, unsigned executed_b,
		   const char *change)
{
	json_t *one = make_record();
	json_t *other = make_record();
	json_t *differences;
	const json_t *first;
	int code;

	if (a)
		add(one, "s/t", *a, executed_a);
	if (b)
		add(other, "s/t", *b, executed_b);
	differences = differ(one, other);
	first = json_array_get(json_object_get(differences, "changes"), 0);
	assert_string_equal(record_text(first, "change"), change);
	assert_int_equal(json_integer_value(json_object_get(differences, "same")), !*change);
	code = differ_exit_code(differences);
	json_decref(differences);
	json_decref(other);
	json_decref(one);
	return code;
}

static void changes(void **state)
{
	enum verdict pass = VERDICT_PASS;
	enum verdict partial = VERDICT_PARTIAL;
	enum verdict skipped = VERDICT_NOT_EXECUTED;
	enum verdict failed = VERDICT_FAIL;

	(void)state;
	assert_int_equal(compare(&pass, 0, &pass, 0, ""), 0);
	assert_int_equal(compare(&pass, 10, &pass, 12, ""), 0);
	assert_int_equal(compare(&pass, 10, &pass, 9, "fewer cases"), 1);
	assert_int_equal(compare(&partial, 10, &partial, 9, "fewer cases"), 1);
	assert_int_equal(compare(&failed, 10, &failed, 9, ""), 0);
	assert_int_equal(compare(&pass, 0, &skipped, 0, "worse"), 1);
	assert_int_equal(compare(&skipped, 0, &failed, 0, "worse"), 1);
	assert_int_equal(compare(&failed, 0, &partial, 0, "better"), 2);
	assert_int_equal(compare(&pass, 0, NULL, 0, "only in A"), 1);
	assert_int_equal(compare(NULL, 0, &pass, 0, "only in B"), 2);
}

/* A result in place of an earlier one, not beside it. */
static void once(void **state)
{
	json_t *record = make_record();

	(void)state;
	add(record, "s/t", VERDICT_FAIL, 0);
	add(record, "s/u", VERDICT_PASS, 0);
	add(record, "s/t", VERDICT_PASS, 0);
	assert_int_equal(json_array_size(json_object_get(record, "tests")), 2);
	assert_int_equal(record_verdict(record_find(record, "s/t")), VERDICT_PASS);
	json_decref(record);
}

/* One of each kind, as a run leaves them. */
static json_t *make_results(void)
{
	json_t *record = make_record();
	json_t *test;

	add(record, "s/pass", VERDICT_PASS, 0);
	add(record, "s/skip", VERDICT_NOT_EXECUTED, 0);
	add(record, "s/partial", VERDICT_PARTIAL, 0);
	test = add(record, "s/known", VERDICT_FAIL, 0);
	json_object_set_new(test, "why", json_string("bug #1"));
	test = add(record, "s/<fail>", VERDICT_FAIL, 0);
	json_object_set_new(test, "difference", json_string("worse"));
	json_object_set_new(test, "expected", json_string("pass"));
	test = add(record, "t/crash", VERDICT_CRASH, 0);
	json_object_set_new(test, "difference", json_string("worse"));
	json_object_set_new(test, "expected", json_string("pass"));
	test = add(record, "t/gone", VERDICT_NOT_EXECUTED, 0);
	json_object_set_new(test, "difference", json_string("worse"));
	json_object_set_new(test, "expected", json_string("pass"));
	test = add(record, "t/mended", VERDICT_PASS, 0);
	json_object_set_new(test, "difference", json_string("better"));
	json_object_set_new(test, "expected", json_string("fail"));
	return record;
}

static char *print(bool (*put)(FILE *out, const json_t *record))
{
	json_t *record = make_results();
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_true(put(out, record));
	fclose(out);
	json_decref(record);
	return text;
}

static void has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no '%s' in:\n%s", line, text);
}

static void tap(void **state)
{
	char *text = print(output_tap);

	(void)state;
	has(text, "TAP version 13\n1..8\n");
	has(text, "ok 1 - s/pass\n");
	has(text, "\nok 2 - s/skip # SKIP reason of s/skip\n");
	has(text, "\nok 3 - s/partial\n# partial: reason of s/partial\n");
	has(text, "\nnot ok 4 - s/known # TODO fail expected: bug =1\n");
	has(text, "\nnot ok 5 - s/<fail>\n# fail: reason of s/<fail>\n# expected: pass\n");
	has(text, "\nnot ok 6 - t/crash\n# crash: ");
	has(text, "\nnot ok 7 - t/gone\n# not executed: ");
	has(text, "\nok 8 - t/mended\n# expected: fail\n");
	free(text);
}

static void junit(void **state)
{
	char *text = print(output_junit);

	(void)state;
	has(text, "<testsuite name=\"s\" tests=\"5\" failures=\"1\" errors=\"0\" skipped=\"2\">");
	has(text, "<testsuite name=\"t\" tests=\"3\" failures=\"1\" errors=\"1\" skipped=\"0\">");
	has(text, "<skipped message=\"not executed: reason of s/skip\"/>");
	has(text, "<skipped message=\"fail, as expected: bug #1: reason of s/known\"/>");
	has(text, "name=\"&lt;fail&gt;\"");
	has(text, "<failure message=\"fail, expected: pass: reason of s/&lt;fail&gt;\" "
		  "type=\"fail\"/>");
	has(text, "<error message=\"crash, expected: pass: reason of t/crash\" type=\"crash\"/>");
	has(text, "<failure message=\"not executed, expected: pass: reason of t/gone\" "
		  "type=\"not executed\"/>");
	assert_null(strstr(text, "<fail>"));
	free(text);
}

static void expectations(void **state)
{
	char *text = print(output_expectations);

	(void)state;
	has(text, "\nnot-executed  s/skip  reason of s/skip\n");
	has(text, "\nfail          s/known  bug #1\n");
	assert_null(strstr(text, "s/pass"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes), cmocka_unit_test(once),	   cmocka_unit_test(tap),
		cmocka_unit_test(junit),   cmocka_unit_test(expectations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
