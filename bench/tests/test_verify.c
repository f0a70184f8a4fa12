/* SPDX-License-Identifier: MIT */
/*
 * The verifier: every operation and type, taken by workers in turn, passes; one
 * word or one count changed by one, and it does not.
 */
#include "cpu_ops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORKERS 3
#define WORDS	64
#define STREAM	4096
#define TURNS	500
#define STEPS	37 /* so that workers stop in the middle of every period */

struct bench {
	struct field field;
	struct cpu_worker workers[WORKERS];
	struct outcome outcomes[WORKERS];
};

static void *zeroed(size_t size)
{
	void *memory = calloc(1, size);

	assert_non_null(memory);
	return memory;
}

static void bench_create(struct bench *bench, enum op op, enum type type, bool random)
{
	struct field *field = &bench->field;
	uint32_t *stream;

	memset(bench, 0, sizeof(*bench));
	*field = (struct field){ .op = op,
				 .type = type,
				 .random = random,
				 .workers = WORKERS,
				 .stride = random ? 0 : 16,
				 .modulo = random ? 1 : 2, /* two share the first word */
				 .words = WORDS,
				 .stream_mask = random ? STREAM - 1 : 0 };
	field->memory.host = zeroed(WORDS * 8);
	field->guards.size = WORDS * sizeof(uint32_t);
	field->guards.host = zeroed(field->guards.size);
	field->stream.host = stream = zeroed(STREAM * sizeof(uint32_t));
	for (uint32_t i = 0; i < STREAM; i++)
		stream[i] = i * 2654435761u % WORDS;
	field_reset(field);
	for (uint32_t i = 0; i < WORKERS; i++) {
		bench->workers[i] =
			(struct cpu_worker){ .field = field, .order = ORDER_SEQ_CST, .me = i };
		cpu_worker_reset(&bench->workers[i]);
	}
}

static void bench_destroy(struct bench *bench)
{
	free(bench->field.memory.host);
	free(bench->field.guards.host);
	free(bench->field.stream.host);
}

/* The last worker sits it out. */
static void bench_run(struct bench *bench, unsigned turns)
{
	cpu_steps *steps = cpu_steps_for(bench->field.op, bench->field.type);

	for (unsigned turn = 0; turn < turns; turn++)
		for (uint32_t i = 0; i < WORKERS - 1; i++)
			steps(&bench->workers[i], STEPS + i);
	for (uint32_t i = 0; i < WORKERS - 1; i++)
		bench->outcomes[i] = bench->workers[i].outcome;
}

static bool verify(const struct bench *bench)
{
	char why[256] = "";
	const bool ok = field_verify(&bench->field, bench->outcomes, why, sizeof(why));

	/* A failure always has a reason. */
	assert_true(ok || why[0]);
	return ok;
}

/* Change the first word so that nobody could have left it like that. */
static void spoil_word(struct bench *bench)
{
	unsigned char *word = bench->field.memory.host;
	float small;
	double number;

	switch (bench->field.type) {
	case TYPE_FLOAT:
		memcpy(&small, word, sizeof(small));
		small += 100.0f;
		memcpy(word, &small, sizeof(small));
		break;
	case TYPE_DOUBLE:
		memcpy(&number, word, sizeof(number));
		number += 100.0;
		memcpy(word, &number, sizeof(number));
		break;
	default:
		/* One update more or less; a foreign value for a store or a token. */
		word[bench->field.op == OP_STORE || bench->field.op == OP_EXCHANGE ? 2 : 0] ^= 1;
		break;
	}
}

static void for_each_combination(void (*check)(enum op op, enum type type, bool random))
{
	for (int op = 0; op < OP_COUNT; op++)
		for (int type = 0; type < TYPE_COUNT; type++) {
			if (combination_refusal((enum op)op, (enum type)type, ORDER_SEQ_CST))
				continue;
			check((enum op)op, (enum type)type, false);
			check((enum op)op, (enum type)type, true);
		}
}

static void check_passes(enum op op, enum type type, bool random)
{
	struct bench bench;

	bench_create(&bench, op, type, random);
	bench_run(&bench, TURNS);
	assert_true(bench.outcomes[0].ops > 0);
	assert_true(verify(&bench));
	bench_destroy(&bench);
}

static void test_correct_runs_pass(void **state)
{
	(void)state;
	for_each_combination(check_passes);
}

static void check_idle(enum op op, enum type type, bool random)
{
	struct bench bench;

	bench_create(&bench, op, type, random);
	assert_true(verify(&bench));
	bench_destroy(&bench);
}

static void test_nothing_done_passes(void **state)
{
	(void)state;
	for_each_combination(check_idle);
}

static void check_spoilt_word(enum op op, enum type type, bool random)
{
	struct bench bench;

	bench_create(&bench, op, type, random);
	bench_run(&bench, TURNS);
	spoil_word(&bench);
	assert_false(verify(&bench));
	bench_destroy(&bench);
}

static void test_spoilt_word_fails(void **state)
{
	(void)state;
	for_each_combination(check_spoilt_word);
}

/* A worker that says it did one more: the update that got lost. */
static void check_lost_update(enum op op, enum type type, bool random)
{
	struct bench bench;

	/* Who stores last, who only reads, and bits already set leave no trace. */
	if (op == OP_LOAD || op == OP_STORE || op == OP_FETCH_AND || op == OP_FETCH_OR ||
	    op == OP_EXCHANGE)
		return;
	bench_create(&bench, op, type, random);
	bench_run(&bench, TURNS);
	for (unsigned i = 0; i < WORKERS - 1; i++)
		bench.outcomes[i].ops++;
	if (!random && op == OP_FETCH_XOR)
		bench.outcomes[0].acc ^= 1;
	assert_false(verify(&bench));
	bench_destroy(&bench);
}

static void test_lost_update_fails(void **state)
{
	(void)state;
	for_each_combination(check_lost_update);
}

static void test_lost_token_fails(void **state)
{
	struct bench bench;

	(void)state;
	bench_create(&bench, OP_EXCHANGE, TYPE_UINT, false);
	bench_run(&bench, TURNS);
	bench.outcomes[0].acc = bench.outcomes[1].acc;
	assert_false(verify(&bench));
	bench_destroy(&bench);
}

static void test_violation_fails(void **state)
{
	struct bench bench;

	(void)state;
	bench_create(&bench, OP_FETCH_MAX, TYPE_UINT, false);
	bench_run(&bench, TURNS);
	bench.outcomes[1].violations = 1;
	assert_false(verify(&bench));
	bench_destroy(&bench);
}

/* What is seen while running: the word goes back behind a worker's back. */
static void check_step_notices(enum op op, uint32_t rollback)
{
	struct bench bench;

	bench_create(&bench, op, TYPE_UINT, false);
	bench_run(&bench, TURNS);
	assert_int_equal(bench.outcomes[0].violations, 0);
	*(uint32_t *)bench.field.memory.host = rollback;
	bench_run(&bench, 1);
	assert_true(bench.outcomes[0].violations > 0);
	assert_false(verify(&bench));
	bench_destroy(&bench);
}

static void test_steps_notice_contradictions(void **state)
{
	(void)state;
	check_step_notices(OP_FETCH_MAX, 0);
	check_step_notices(OP_FETCH_MIN, UINT32_MAX);
	check_step_notices(OP_FETCH_OR, 0);
	check_step_notices(OP_FETCH_AND, UINT32_MAX);
}

static void test_flag_left_set_fails(void **state)
{
	struct bench bench;

	(void)state;
	bench_create(&bench, OP_FLAG, TYPE_INT, false);
	bench_run(&bench, TURNS);
	((uint32_t *)bench.field.memory.host)[bench.field.stride] = 1;
	assert_false(verify(&bench));
	bench_destroy(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_correct_runs_pass),
		cmocka_unit_test(test_nothing_done_passes),
		cmocka_unit_test(test_spoilt_word_fails),
		cmocka_unit_test(test_lost_update_fails),
		cmocka_unit_test(test_lost_token_fails),
		cmocka_unit_test(test_violation_fails),
		cmocka_unit_test(test_steps_notice_contradictions),
		cmocka_unit_test(test_flag_left_set_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
