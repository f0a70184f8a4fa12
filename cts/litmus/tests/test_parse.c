/* SPDX-License-Identifier: MIT */
/*
 * The parser: what it reads, and what it says of what it cannot.
 */
#include "parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD  "OpenCL T \"words\"\n{ x = 0; y = 3; }\n"
#define SHAPE "P0 | P1 ;\nstore x 1 | r0 = load y ;\nfence | r1 = cas x 0 2 if r0 = 3 ;\n"
#define ASKS  "exists (1:r0 = 3 /\\ ~ (x = 2 \\/ y = 3))\n"
#define FULL  HEAD SHAPE ASKS "allowed rel@wg sc | acq acq_rel@dev at ab\n"

static void everything_is_read(void **state)
{
	struct error err = { 0 };
	struct test test;
	char name[64];

	(void)state;
	if (!parse_text("t", "(* a\n comment *) " FULL, &test, &err))
		fail_msg("%s", err.text);
	assert_string_equal(test.name, "T");
	assert_string_equal(test.summary, "words");
	assert_int_equal(test.locations, 2);
	assert_int_equal(test.initial[1], 3);
	assert_int_equal(test.threads, 2);
	assert_int_equal(test.thread[0].count, 2);
	assert_int_equal(test.thread[0].accesses[1].op, OP_FENCE);
	assert_int_equal(test.thread[1].accesses[1].op, OP_CAS);
	assert_int_equal(test.thread[1].accesses[1].expected, 0);
	assert_int_equal(test.thread[1].accesses[1].value, 2);
	assert_true(test.thread[1].accesses[1].guarded);
	assert_int_equal(test.thread[1].accesses[1].guard_value, 3);
	assert_string_equal(test.condition_text, "(1:r0 = 3 /\\ ~ (x = 2 \\/ y = 3))");
	assert_int_equal(test.variants, 1);
	assert_int_equal(test.variant[0].stated, VERDICT_ALLOWED);
	assert_int_equal(test.variant[0].line, 8);
	assert_string_equal(test.variant[0].placement, "ab");
	variant_name(&test, &test.variant[0], name, sizeof(name));
	assert_string_equal(name, "rel@wg.sc|acq.acq_rel@dev");
}

static void conditions_are_evaluated(void **state)
{
	struct error err = { 0 };
	struct test test;
	outcome_t outcome = 0;

	(void)state;
	assert_true(parse_text("t", FULL, &test, &err));
	outcome = outcome_with(outcome, register_slot(1, 0), 3);
	assert_true(condition_holds(&test.condition, outcome));
	assert_false(condition_holds(&test.condition, outcome_with(outcome, location_slot(0), 2)));
	assert_false(
		condition_holds(&test.condition, outcome_with(outcome, register_slot(1, 0), 2)));
}

/* One fault each, its line, and words of what is said of it. */
static const struct {
	const char *text;
	unsigned line;
	const char *says;
} faults[] = {
	{ "", 1, "the file ends where 'OpenCL'" },
	{ "C T\n", 1, "'C' where 'OpenCL'" },
	{ "OpenCL T words\n", 1, "a summary in double quotes" },
	{ "OpenCL T \"words\n", 1, "closing quote" },
	{ "OpenCL T \"words\"\n{ }\n", 2, "there are no locations" },
	{ "OpenCL T \"words\"\n{ x = 0; x = 1; }\n", 2, "'x' is there twice" },
	{ "OpenCL T \"words\"\n{ x = 9; }\n", 2, "'9' is too large: values are 0 to 7" },
	{ "OpenCL T \"words\"\n{ r0 = 0; }\n", 2, "a register's name" },
	{ "OpenCL T \"words\"\n{ a=0; b=0; c=0; d=0; e=0; }\n", 2, "more than 4 locations" },
	{ HEAD "P0 | P2 ;\n", 3, "'P2' where 'P1'" },
	{ HEAD "P0|P1|P2|P3|P4;\n", 3, "more than 4 threads" },
	{ HEAD "P0 | P1 ;\nlod x | load x ;\n", 4, "'lod' is no instruction: use load, store" },
	{ HEAD "P0 | P1 ;\nload x | fence ;\n", 4, "what load reads has to go to a register" },
	{ HEAD "P0 | P1 ;\nr0 = store x 1 | fence ;\n", 4, "store reads nothing" },
	{ HEAD "P0 | P1 ;\nstore z 1 | fence ;\n", 4, "location 'z' is not among those in braces" },
	{ HEAD "P0 | P1 ;\nstore x | fence ;\n", 4, "'|' where a number" },
	{ HEAD "P0 | P1 ;\nstore x 1 ;\n", 4, "a row has 1 of 2 columns" },
	{ HEAD "P0 | P1 ;\nstore x 1 | ;\nexists x = 1\n", 5, "P1 does nothing" },
	{ HEAD SHAPE "exist x = 1\n", 6, "'exist' is no instruction" },
	{ HEAD SHAPE "exists 2:r0 = 1\n", 6, "there is no thread P2" },
	{ HEAD SHAPE "exists (x = 1\nallowed\n", 7, "'allowed' where ')'" },
	{ HEAD SHAPE "exists x 1\n", 6, "'1' where '='" },
	{ HEAD SHAPE "exists r0 = 1\n", 6, "location 'r0' is not among" },
	{ HEAD SHAPE ASKS, 7, "no variant" },
	{ HEAD SHAPE ASKS "perhaps rel - | acq acq\n", 7,
	  "'perhaps' where 'allowed', 'forbidden'" },
	{ HEAD SHAPE ASKS "allowed acq - | acq acq\n", 7, "a store cannot be 'acq'" },
	{ HEAD SHAPE ASKS "allowed rel strong | acq acq\n", 7, "'strong' is no order" },
	{ HEAD SHAPE ASKS "allowed rel - acq | acq acq\n", 7, "P0 has 2 instructions" },
	{ HEAD SHAPE ASKS "allowed rel - | acq\n", 8, "an order is missing" },
	{ HEAD SHAPE ASKS "allowed rel@cpu - | acq acq\n", 7,
	  "'cpu' is no scope: use wg, dev or all" },
	{ HEAD SHAPE ASKS "allowed rel - | acq acq at ba\n", 7, "'ba' is no placement" },
	{ HEAD SHAPE ASKS "allowed rel - | acq acq at abc\n", 7, "'abc' is no placement" },
};

static void faults_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct error err = { 0 };
		struct test test;
		char where[16];

		assert_false(parse_text("t", faults[i].text, &test, &err));
		assert_int_equal(err.code, EXIT_BAD_DATA);
		snprintf(where, sizeof(where), "t:%u: ", faults[i].line);
		if (strncmp(err.text, where, strlen(where)) || !strstr(err.text, faults[i].says))
			fail_msg("fault %zu: '%s' is to begin with '%s' and have '%s'", i, err.text,
				 where, faults[i].says);
	}
}

/* Cut off anywhere, or with any byte changed, a test is refused or read, never more. */
static void damage_is_survived(void **state)
{
	char text[sizeof(FULL)];
	struct test test;

	(void)state;
	for (size_t cut = 0; cut < sizeof(FULL) - 1; cut++) {
		struct error err = { 0 };

		snprintf(text, sizeof(text), "%.*s", (int)cut, FULL);
		if (!parse_text("t", text, &test, &err))
			assert_int_equal(err.code, EXIT_BAD_DATA);
	}
	for (size_t at = 0; at < sizeof(FULL) - 1; at++) {
		for (int byte = 1; byte < 256; byte++) {
			struct error err = { 0 };

			memcpy(text, FULL, sizeof(FULL));
			text[at] = (char)byte;
			if (!parse_text("t", text, &test, &err))
				assert_int_equal(err.code, EXIT_BAD_DATA);
		}
	}
}

static void files_are_refused(void **state)
{
	struct error missing = { 0 };
	struct error directory = { 0 };
	struct test test;

	(void)state;
	assert_false(parse_file("/nowhere/T.litmus", &test, &missing));
	assert_int_equal(missing.code, EXIT_NO_INPUT);
	assert_false(parse_file("/", &test, &directory));
	assert_int_equal(directory.code, EXIT_NO_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_read), cmocka_unit_test(conditions_are_evaluated),
		cmocka_unit_test(faults_are_named),   cmocka_unit_test(damage_is_survived),
		cmocka_unit_test(files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
