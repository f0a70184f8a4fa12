/* SPDX-License-Identifier: MIT */
/*
 * What a test's process wrote and how it ended, read as a verdict: a crash, silence or a status
 * that does not go with the words is a failure, never a pass.
 */
#include "supervise.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* As waitpid() has it. */
#define EXITED(status) ((status) << 8)
#define KILLED(number) (number)

static const struct {
	const char *output;
	int status;
	enum outcome outcome;
	const char *reason;
} cases[] = {
	{ "pass\n", EXITED(0), OUTCOME_PASS, "" },
	{ "noise of a driver\npass\n", EXITED(0), OUTCOME_PASS, "" },
	{ "fail: byte 3\n", EXITED(1), OUTCOME_FAIL, "byte 3" },
	{ "not applicable: no SVM\n", EXITED(77), OUTCOME_NOT_APPLICABLE, "no SVM" },
	{ "partial: without the host\n", EXITED(78), OUTCOME_PARTIAL, "without the host" },
	{ "fail: one\npass\n", EXITED(0), OUTCOME_PASS, "" },
	{ "pass\n", EXITED(1), OUTCOME_FAIL, "no verdict" },
	{ "pass\n", EXITED(77), OUTCOME_FAIL, "no verdict" },
	{ "pass\n", KILLED(SIGSEGV), OUTCOME_FAIL, "SIGSEGV" },
	{ "", KILLED(SIGABRT), OUTCOME_FAIL, "SIGABRT" },
	{ "", EXITED(0), OUTCOME_FAIL, "no verdict" },
	{ "\n\n", EXITED(0), OUTCOME_FAIL, "no verdict" },
	{ "pass\nmore\n", EXITED(0), OUTCOME_FAIL, "no verdict" },
	{ "passed\n", EXITED(0), OUTCOME_FAIL, "no verdict" },
	{ "not applicable\n", EXITED(77), OUTCOME_FAIL, "no verdict" },
	{ "pass: with a reason\n", EXITED(0), OUTCOME_FAIL, "no verdict" },
};

static void verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct verdict verdict;

		memset(&verdict, 0xff, sizeof(verdict));
		verdict_read(&verdict, cases[i].output, cases[i].status);
		assert_int_equal(verdict.outcome, cases[i].outcome);
		if (!cases[i].reason[0])
			assert_string_equal(verdict.reason, "");
		else
			assert_non_null(strstr(verdict.reason, cases[i].reason));
	}
}

static void names(void **state)
{
	const struct test *test;

	(void)state;
	assert_true(tests_count() > 200);
	for (size_t i = 0; (test = tests_at(i)); i++) {
		assert_non_null(strchr(test->name, '.'));
		assert_null(strpbrk(test->name, " \t\n/"));
		assert_non_null(test->run);
		assert_true(strlen(test->rule) > 5 && strlen(test->section) > 1);
		/* Names are unlike each other. */
		assert_ptr_equal(tests_find(test->name), test);
	}
	assert_null(tests_find("alloc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
