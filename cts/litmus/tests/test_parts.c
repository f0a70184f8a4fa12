/* SPDX-License-Identifier: MIT */
/*
 * The parts between a program and a report: generated code, tallies, environments, confidence,
 * children.
 */
#include "children.h"
#include "generate.h"
#include "session.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* --- generated code ------------------------------------------------------------- */

static const struct thread writer = {
	.count = 3,
	.accesses = { { .op = OP_STORE,
			.order = ORDER_REL,
			.scope = SCOPE_DEV,
			.location = 1,
			.value = 2 },
		      { .op = OP_FENCE, .order = ORDER_SC, .scope = SCOPE_ALL },
		      { .op = OP_CAS,
			.order = ORDER_ACQ_REL,
			.scope = SCOPE_WG,
			.target = 1,
			.expected = 3,
			.value = 4,
			.guarded = true,
			.guard = 0,
			.guard_value = 5 } },
};

static void code_says_what_threads_do(void **state)
{
	struct thread other = writer;
	struct codes codes = { 0 };
	char *text;

	(void)state;
	other.accesses[0].order = ORDER_SC;
	assert_int_equal(codes_find(&codes, &writer), -1);
	assert_int_equal(codes_number(&codes, &writer), 0);
	assert_int_equal(codes_number(&codes, &other), 1);
	assert_int_equal(codes_number(&codes, &writer), 0);
	assert_int_equal(codes.count, 2);
	text = generate_perform(&codes);
	assert_non_null(strstr(text, "STORE(1, 2, rel, dev);"));
	assert_non_null(strstr(text, "STORE(1, 2, sc, dev);"));
	assert_non_null(strstr(text, "FENCE(sc, all);"));
	assert_non_null(strstr(text, "if (r0 == 5) CAS(r1, 0, 3, 4, acq_rel, acq, wg);"));
	free(text);
	codes_clear(&codes);
}

/* --- tallies ---------------------------------------------------------------------- */

static void tallies_count(void **state)
{
	const struct condition two = { .count = 1,
				       .nodes = { { .kind = NODE_EQUALS, .value = 2 } } };
	static struct tally a;
	static struct tally b;

	(void)state;
	tally_add(&a, 2, true);
	tally_add(&a, 1, false);
	tally_add(&a, 2, true);
	for (outcome_t outcome = 0; outcome < TALLY_ROOM + 10; outcome++)
		tally_add(&b, outcome << 3, true);
	assert_int_equal(a.count, 2);
	assert_int_equal(a.met, 2);
	assert_int_equal(tally_matches(&a, &two), 2);
	assert_int_equal(b.count, TALLY_ROOM);
	assert_int_equal(b.other, 10);
	tally_merge(&b, &a);
	assert_int_equal(b.instances, TALLY_ROOM + 13);
	assert_int_equal(b.other, 13);
}

/* --- environments and confidence ------------------------------------------------------ */

static void the_best_environment_is_chosen(void **state)
{
	struct experience experience = { 0 };
	bool used[ENVIRONMENTS] = { false };

	(void)state;
	experience_add(&experience, 2, 1000, 10);
	experience_add(&experience, 5, 1000, 20);
	experience_add(&experience, 6, 100000, 50);
	for (unsigned i = 0; i < 2 * ENVIRONMENTS; i++)
		used[experience_choose(&experience, i)] = true;
	assert_int_equal(experience_choose(&experience, 1), 5);
	for (unsigned i = 0; i < ENVIRONMENTS; i++)
		assert_true(used[i]);
}

static void confidence_follows_kills(void **state)
{
	struct mutant_run mutant = { .kills = 0 };
	struct cell cell = { .used = { 100000 } };
	double few;

	(void)state;
	experience_add(&mutant.experience, 0, 100000, 0);
	assert_true(cell_confidence(&cell, &mutant) == 0);
	/* One kill in as many instances: the interval begins near 0.05 of an expected sighting. */
	experience_add(&mutant.experience, 0, 0, 1);
	mutant.kills = 1;
	few = cell_confidence(&cell, &mutant);
	assert_true(few > 0.02 && few < 0.1);
	experience_add(&mutant.experience, 0, 0, 99);
	mutant.kills = 100;
	assert_true(cell_confidence(&cell, &mutant) > 0.999);
	/* What the cell did not use tells nothing of it. */
	cell.used[0] = 0;
	cell.used[1] = 100000;
	assert_true(cell_confidence(&cell, &mutant) == 0);
}

/* --- children --------------------------------------------------------------------------- */

static const struct test sample = { .name = "T", .summary = "words", .file = "t" };

static enum exit_code answer(const struct test *test, FILE *out, void *context)
{
	(void)context;
	fprintf(out, "{\"test\": {\"name\": \"%s\"}}", test->name);
	return EXIT_OK;
}

static enum exit_code refuse(const struct test *test, FILE *out, void *context)
{
	(void)test;
	(void)out;
	(void)context;
	return EXIT_UNAVAILABLE;
}

static enum exit_code crash(const struct test *test, FILE *out, void *context)
{
	(void)test;
	(void)out;
	(void)context;
	raise(SIGABRT);
	return EXIT_OK;
}

static enum exit_code hang(const struct test *test, FILE *out, void *context)
{
	(void)test;
	(void)out;
	(void)context;
	while (!pause())
		;
	return EXIT_OK;
}

static const char *reason_of(const json_t *document)
{
	return json_string_value(json_object_get(json_object_get(document, "test"), "reason"));
}

static void children_answer(void **state)
{
	struct error err = { 0 };
	json_t *document = child_run(&sample, 10, answer, NULL, &err);

	(void)state;
	assert_non_null(document);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(document, "test"), "name")), "T");
	json_decref(document);
	assert_null(child_run(&sample, 10, refuse, NULL, &err));
	assert_int_equal(err.code, EXIT_UNAVAILABLE);
}

static void children_may_crash_and_hang(void **state)
{
	struct error err = { 0 };
	json_t *crashed = child_run(&sample, 10, crash, NULL, &err);
	json_t *hung = child_run(&sample, 0.2, hang, NULL, &err);

	(void)state;
	assert_string_equal(reason_of(crashed), "crashed with signal 6");
	assert_non_null(strstr(reason_of(hung), "did not end within"));
	assert_int_equal(err.code, EXIT_OK);
	json_decref(crashed);
	json_decref(hung);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_says_what_threads_do),
		cmocka_unit_test(tallies_count),
		cmocka_unit_test(the_best_environment_is_chosen),
		cmocka_unit_test(confidence_follows_kills),
		cmocka_unit_test(children_answer),
		cmocka_unit_test(children_may_crash_and_hang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
