/* SPDX-License-Identifier: MIT */
/*
 * The model against everything else that knows what is allowed: the files' statements, verdicts
 * of the literature, a second implementation, and machines that execute.
 */
#include "library.h"
#include "machine.h"
#include "reference.h"
#include "session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Of variants made of every order at every place, how many are compared at most per test. */
#define SAMPLE 1500

static struct library library;

static int fill(void **state)
{
	struct error err = { 0 };

	(void)state;
	return library_fill(&library, &err) ? 0 : -1;
}

static int clear(void **state)
{
	(void)state;
	library_clear(&library);
	return 0;
}

/* --- what the files state ----------------------------------------------------------- */

static void statements_agree(void **state)
{
	(void)state;
	assert_true(library.count >= 20);
	for (size_t i = 0; i < library.count; i++) {
		struct error err = { 0 };

		if (!test_verify(&library.test[i], TOTAL_ALWAYS, &err))
			fail_msg("%s", err.text);
	}
}

static void a_wrong_statement_is_found(void **state)
{
	struct test test = *library_find(&library, "SB");
	struct error err = { 0 };

	(void)state;
	test.variant[0].stated = VERDICT_FORBIDDEN;
	assert_false(test_verify(&test, TOTAL_ALWAYS, &err));
	assert_int_equal(err.code, EXIT_BAD_DATA);
	assert_non_null(strstr(err.text, "SB.litmus:"));
}

/* --- the literature -------------------------------------------------------------------- */

/*
 * C11: Batty, Owens, Sarkar, Sewell, Weber, POPL 2011. SC: Lamport, 1979, by way of the DRF
 * theorem there. FENCE: seq_cst fences do not restore SC: Batty, Donaldson, Wickerson, POPL 2016;
 * Lahav, Vafeiadis, Kang, Hur, Dreyer, PLDI 2017, section 1.
 */
static const struct {
	const char *test;
	const char *orders;
	enum verdict verdict;
} literature[] = {
	{ "MP", "rlx.-.rlx|rlx.-.rlx", VERDICT_ALLOWED },	      /* C11 */
	{ "MP", "rlx.-.rel|acq.-.rlx", VERDICT_FORBIDDEN },	      /* C11 */
	{ "MP", "rlx.rel.rlx|rlx.acq.rlx", VERDICT_FORBIDDEN },	      /* C11, fences */
	{ "MP", "na.-.rel|acq.-.na", VERDICT_UNDEFINED },	      /* C11: a race */
	{ "MP+data", "na.-.rel|acq.-.na", VERDICT_FORBIDDEN },	      /* C11 */
	{ "SB", "rel.-.acq|rel.-.acq", VERDICT_ALLOWED },	      /* C11 */
	{ "SB", "sc.-.sc|sc.-.sc", VERDICT_FORBIDDEN },		      /* SC */
	{ "SB", "rlx.sc.rlx|rlx.sc.rlx", VERDICT_FORBIDDEN },	      /* C11, fences */
	{ "LB", "rlx.-.rlx|rlx.-.rlx", VERDICT_ALLOWED },	      /* C11 */
	{ "LB", "acq.-.rel|acq.-.rel", VERDICT_FORBIDDEN },	      /* C11 */
	{ "2+2W", "rel.-.rel|rel.-.rel", VERDICT_ALLOWED },	      /* C11 */
	{ "2+2W", "sc.-.sc|sc.-.sc", VERDICT_FORBIDDEN },	      /* SC */
	{ "R", "rlx.-.rel|sc.-.sc", VERDICT_ALLOWED },		      /* C11 */
	{ "R", "sc.-.sc|sc.-.sc", VERDICT_FORBIDDEN },		      /* SC */
	{ "S", "rlx.-.rel|acq.-.rlx", VERDICT_FORBIDDEN },	      /* C11 */
	{ "WRC", "rlx|rlx.-.rlx|rlx.-.rlx", VERDICT_ALLOWED },	      /* C11 */
	{ "WRC", "rel|acq.-.rel|acq.-.acq", VERDICT_FORBIDDEN },      /* C11 */
	{ "IRIW", "rel|acq.-.acq|rel|acq.-.acq", VERDICT_ALLOWED },   /* C11 */
	{ "IRIW", "sc|sc.-.sc|sc|sc.-.sc", VERDICT_FORBIDDEN },	      /* SC */
	{ "IRIW", "rlx|rlx.sc.rlx|rlx|rlx.sc.rlx", VERDICT_ALLOWED }, /* FENCE */
	{ "CoRR", "rlx|rlx.rlx", VERDICT_FORBIDDEN },		      /* C11, coherence */
	{ "CoWW", "rlx.rlx|rlx.rlx", VERDICT_FORBIDDEN },	      /* C11, coherence */
	{ "CoWR", "rlx.rlx|rlx", VERDICT_FORBIDDEN },		      /* C11, coherence */
	{ "CoRW", "rlx.rlx|rlx", VERDICT_FORBIDDEN },		      /* C11, coherence */
};

static const struct variant *find_variant(const struct test *test, const char *orders)
{
	for (unsigned v = 0; v < test->variants; v++) {
		char name[128];

		variant_name(test, &test->variant[v], name, sizeof(name));
		if (!strcmp(name, orders))
			return &test->variant[v];
	}
	return NULL;
}

static enum verdict judge_at(const struct test *test, const struct variant *variant,
			     const char *placement, enum scope scope, enum total_order total)
{
	static struct judgement judgement;
	struct program program;

	assert_true(test_instantiate(test, variant, scope, placement, &program));
	assert_true(judge(&program, total, &judgement));
	return judge_condition(&judgement, &test->condition);
}

static void literature_agrees(void **state)
{
	static const char hosts[] = "hhhh";

	(void)state;
	for (size_t i = 0; i < sizeof(literature) / sizeof(literature[0]); i++) {
		const struct test *test = library_find(&library, literature[i].test);
		const struct variant *variant = find_variant(test, literature[i].orders);

		assert_non_null(variant);
		if (judge_at(test, variant, hosts + MAX_THREADS - test->threads, SCOPE_ALL,
			     TOTAL_ALWAYS) != literature[i].verdict)
			fail_msg("%s %s is to be %s", literature[i].test, literature[i].orders,
				 verdict_words[literature[i].verdict]);
	}
}

/* --- the second implementation ------------------------------------------------------------ */

static bool same_outcomes(const struct judgement *a, const struct judgement *b)
{
	if (a->count != b->count || a->racy != b->racy)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		size_t j = 0;

		while (j < b->count && b->outcomes[j] != a->outcomes[i])
			j++;
		if (j == b->count)
			return false;
	}
	return true;
}

static void compare(const struct test *test, const struct variant *variant, enum scope scope,
		    const char *placement, enum total_order total)
{
	static struct judgement ours;
	static struct judgement theirs;
	struct program program;
	char name[128];

	assert_true(test_instantiate(test, variant, scope, placement, &program));
	assert_true(judge(&program, total, &ours));
	reference_judge(&program, total, &theirs);
	if (same_outcomes(&ours, &theirs))
		return;
	variant_name(test, variant, name, sizeof(name));
	fail_msg("%s %s at %s, scope %s: %zu outcomes%s, the reference has %zu%s", test->name, name,
		 placement, scope_words[scope], ours.count, ours.racy ? " and a race" : "",
		 theirs.count, theirs.racy ? " and a race" : "");
}

static void reference_agrees_on_variants(void **state)
{
	static char placements[1024][MAX_THREADS + 1];

	(void)state;
	for (size_t t = 0; t < library.count; t++) {
		const struct test *test = &library.test[t];
		const size_t count = place_all(test->threads, true, 2, placements, 1024);
		/* All placements of two threads, each seventh of more. */
		const size_t step = test->threads > 2 ? 7 : 1;

		for (unsigned v = 0; v < test->variants; v++)
			for (size_t p = v % step; p < count; p += step)
				for (int scope = SCOPE_WG; scope < SCOPE_COUNT; scope++) {
					compare(test, &test->variant[v], (enum scope)scope,
						placements[p], TOTAL_ALWAYS);
					compare(test, &test->variant[v], (enum scope)scope,
						placements[p], TOTAL_UNDER_CONDITIONS);
				}
	}
}

static size_t count_orders(const struct test *test)
{
	struct variant variant;
	size_t count = 1;

	orders_first(test, &variant);
	while (orders_next(test, &variant))
		count++;
	return count;
}

static void reference_agrees_on_all_orders(void **state)
{
	static const char places[] = "hhhh";

	(void)state;
	for (size_t t = 0; t < library.count; t++) {
		const struct test *test = &library.test[t];
		const size_t count = count_orders(test);
		const size_t step = count / SAMPLE | 1;
		struct variant variant;
		size_t number = 0;

		orders_first(test, &variant);
		do {
			if (number++ % step == 0)
				compare(test, &variant, SCOPE_ALL,
					places + MAX_THREADS - test->threads, TOTAL_ALWAYS);
		} while (orders_next(test, &variant));
	}
}

/* --- machines -------------------------------------------------------------------------------- */

static void keep(outcome_t outcome, void *context)
{
	struct judgement *found = context;

	for (size_t i = 0; i < found->count; i++)
		if (found->outcomes[i] == outcome)
			return;
	assert_true(found->count < MAX_OUTCOMES);
	found->outcomes[found->count++] = outcome;
}

static bool within(const struct judgement *inner, const struct judgement *outer)
{
	for (size_t i = 0; i < inner->count; i++) {
		size_t j = 0;

		while (j < outer->count && outer->outcomes[j] != inner->outcomes[i])
			j++;
		if (j == outer->count)
			return false;
	}
	return true;
}

static bool all_sc(const struct program *program)
{
	for (unsigned t = 0; t < program->threads; t++)
		for (unsigned i = 0; i < program->thread[t].count; i++)
			if (program->thread[t].accesses[i].order != ORDER_SC)
				return false;
	return true;
}

/*
 * What a sequentially consistent machine does, x86 may do, and what x86 does, the model allows.
 * With seq_cst alone, or one location, the model allows nothing but sequential consistency.
 */
static void machines_agree(void **state)
{
	static struct judgement sc;
	static struct judgement tso;
	static struct judgement model;
	size_t exact = 0;

	(void)state;
	for (size_t t = 0; t < library.count; t++) {
		const struct test *test = &library.test[t];

		for (unsigned v = 0; v < test->variants; v++) {
			char placement[MAX_THREADS + 1] = "hhhh";
			struct program program;

			placement[test->threads] = '\0';
			test_instantiate(test, &test->variant[v], SCOPE_ALL, placement, &program);
			assert_true(judge(&program, TOTAL_ALWAYS, &model));
			sc.count = 0;
			tso.count = 0;
			machine_run(&program, MACHINE_SC, keep, &sc);
			machine_run(&program, MACHINE_TSO, keep, &tso);
			assert_true(within(&sc, &tso));
			if (model.racy)
				continue;
			assert_true(within(&tso, &model));
			if (!all_sc(&program) && test->locations > 1)
				continue;
			assert_true(within(&model, &sc));
			exact++;
		}
	}
	assert_true(exact > 30);
}

static void x86_shows_store_buffering_alone(void **state)
{
	const struct test *sb = library_find(&library, "SB");
	const struct test *mp = library_find(&library, "MP");
	struct program program;

	(void)state;
	test_instantiate(sb, &sb->variant[0], SCOPE_ALL, "hh", &program);
	assert_true(machine_reaches(&program, MACHINE_TSO, &sb->condition));
	assert_false(machine_reaches(&program, MACHINE_SC, &sb->condition));
	test_instantiate(mp, &mp->variant[0], SCOPE_ALL, "hh", &program);
	assert_false(machine_reaches(&program, MACHINE_TSO, &mp->condition));
}

/* --- scopes ------------------------------------------------------------------------------------
 */

static void scopes_decide(void **state)
{
	const struct test *sb = library_find(&library, "SB");
	const struct variant *sc = find_variant(sb, "sc.-.sc|sc.-.sc");

	(void)state;
	/* Too narrow for where the threads are: a race. */
	assert_int_equal(judge_at(sb, sc, "ab", SCOPE_WG, TOTAL_ALWAYS), VERDICT_UNDEFINED);
	assert_int_equal(judge_at(sb, sc, "aA", SCOPE_DEV, TOTAL_ALWAYS), VERDICT_UNDEFINED);
	assert_int_equal(judge_at(sb, sc, "ha", SCOPE_DEV, TOTAL_ALWAYS), VERDICT_UNDEFINED);
	assert_int_equal(judge_at(sb, sc, "ha", SCOPE_ALL, TOTAL_ALWAYS), VERDICT_FORBIDDEN);
	assert_int_equal(judge_at(sb, sc, "aa", SCOPE_WG, TOTAL_ALWAYS), VERDICT_FORBIDDEN);
	/* OpenCL 2.x promises S at device scope in buffers and at the widest in SVM. */
	assert_int_equal(judge_at(sb, sc, "aa", SCOPE_WG, TOTAL_UNDER_CONDITIONS), VERDICT_ALLOWED);
	assert_int_equal(judge_at(sb, sc, "ab", SCOPE_DEV, TOTAL_UNDER_CONDITIONS),
			 VERDICT_FORBIDDEN);
	assert_int_equal(judge_at(sb, sc, "ha", SCOPE_ALL, TOTAL_UNDER_CONDITIONS),
			 VERDICT_FORBIDDEN);
}

static void placements_are_counted(void **state)
{
	static char placements[1024][MAX_THREADS + 1];

	(void)state;
	/* hh ha ah aa ab, and aA Aa; three threads on one device are Bell(4) = 15. */
	assert_int_equal(place_all(2, true, 1, placements, 1024), 5);
	assert_int_equal(place_all(2, true, 2, placements, 1024), 7);
	assert_int_equal(place_all(2, false, 1, placements, 1024), 2);
	assert_int_equal(place_all(3, true, 1, placements, 1024), 15);
	assert_int_equal(place_all(4, true, 1, placements, 1024), 52);
}

/* --- mutants
 * -------------------------------------------------------------------------------------- */

static size_t count_mutants(const char *name, const char *orders, size_t *killable)
{
	const struct test *test = library_find(&library, name);
	struct mutant mutants[MUTANTS_OF_CELL];
	struct program program;
	size_t count;

	test_instantiate(test, find_variant(test, orders), SCOPE_ALL, "hh", &program);
	count = mutants_of(&program, &test->condition, TOTAL_ALWAYS, mutants, MUTANTS_OF_CELL);
	*killable = 0;
	for (size_t i = 0; i < count; i++) {
		struct judgement judgement;

		assert_true(judge(&mutants[i].program, TOTAL_ALWAYS, &judgement));
		assert_int_equal(judge_condition(&judgement, &test->condition), VERDICT_ALLOWED);
		*killable += mutants[i].killable_x86;
	}
	return count;
}

static void mutants_allow_what_was_forbidden(void **state)
{
	size_t killable;

	(void)state;
	/* Swapped on either side, weaker on either side: x86 shows all of SB's, half of MP's. */
	assert_int_equal(count_mutants("SB", "sc.-.sc|sc.-.sc", &killable), 4);
	assert_int_equal(killable, 4);
	assert_int_equal(count_mutants("MP", "rlx.-.rel|acq.-.rlx", &killable), 4);
	assert_int_equal(killable, 2);
	/* A swap and a split on either side. */
	assert_int_equal(count_mutants("RMW+add", "rlx|rlx", &killable), 2);
	assert_int_equal(killable, 2);
	/* Plain accesses become relaxed ones, else a mutant would race. */
	assert_int_equal(count_mutants("MP+data", "na.-.rel|acq.-.na", &killable), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statements_agree),
		cmocka_unit_test(a_wrong_statement_is_found),
		cmocka_unit_test(literature_agrees),
		cmocka_unit_test(reference_agrees_on_variants),
		cmocka_unit_test(reference_agrees_on_all_orders),
		cmocka_unit_test(machines_agree),
		cmocka_unit_test(x86_shows_store_buffering_alone),
		cmocka_unit_test(scopes_decide),
		cmocka_unit_test(placements_are_counted),
		cmocka_unit_test(mutants_allow_what_was_forbidden),
	};

	return cmocka_run_group_tests(tests, fill, clear);
}
