/* SPDX-License-Identifier: MIT */
/*
 * The checks of histories: what can have been passes, in every type; with one thing changed,
 * it does not.
 */
#include "history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PARTICIPANTS 5
#define ROUNDS	     40
#define STEPS	     (PARTICIPANTS * ROUNDS)

static const struct value_type types[] = {
	{ "int", 32, true, false },    { "uint", 32, false, false }, { "long", 64, true, false },
	{ "ulong", 64, false, false }, { "float", 32, true, true },  { "double", 64, true, true },
};
#define TYPES	 (sizeof(types) / sizeof(*types))
#define INTEGERS 4

/* Steps that were made one after another, in an order that is not that of the log. */
struct made {
	struct history history;
	uint32_t numbers[STEPS];
	uint64_t saw[STEPS];
	size_t order[STEPS]; /* of steps, by place in the log */
};

/* A log has each participant's rounds in a row; steps went from one participant to the next. */
static void make(struct made *made, const struct value_type *type)
{
	size_t at = 0;

	memset(made, 0, sizeof(*made));
	for (uint32_t i = 0; i < PARTICIPANTS; i++)
		for (uint32_t round = 0; round < ROUNDS; round++, at++) {
			made->numbers[at] = round * PARTICIPANTS + i + 1;
			made->order[made->numbers[at] - 1] = at;
		}
	made->history = (struct history){ .type = type,
					  .count = STEPS,
					  .numbers = made->numbers,
					  .saw = made->saw,
					  .participants = PARTICIPANTS };
}

static void make_sum(struct made *made, const struct value_type *type, bool down)
{
	uint64_t value = history_sum_start(type, down);

	make(made, type);
	for (size_t i = 0; i < STEPS; i++) {
		made->saw[made->order[i]] = value;
		value += down ? -history_step(type) : history_step(type);
		value &= history_mask(type);
	}
	made->history.final = value;
}

static void make_swap(struct made *made, const struct value_type *type)
{
	uint32_t before = 0;

	make(made, type);
	/* Every seventh gives up. */
	for (size_t i = 0; i < STEPS; i++) {
		const uint32_t number = made->numbers[made->order[i]];
		const bool gives_up = i % 7 == 3;

		made->saw[made->order[i]] = history_token(type, gives_up ? number : before);
		before = gives_up ? before : number;
	}
	made->history.final = history_token(type, before);
}

static uint64_t rank_value(const struct value_type *type, bool down, uint64_t start, uint32_t rank)
{
	const uint64_t distance = rank * history_step(type);

	return (down ? start - distance : start + distance) & history_mask(type);
}

static uint64_t make_rank(struct made *made, const struct value_type *type, bool down)
{
	const uint64_t start = history_rank_start(type, down, STEPS + 1);
	uint32_t highest = 0;

	make(made, type);
	/* Pairs change places, so that one of them loses. */
	for (size_t i = 0; i < STEPS; i++) {
		const size_t at = made->order[i ^ 1];

		made->saw[at] = rank_value(type, down, start, highest);
		if (made->numbers[at] > highest)
			highest = made->numbers[at];
	}
	made->history.final = rank_value(type, down, start, highest);
	return start;
}

static void make_store(struct made *made, const struct value_type *type)
{
	make(made, type);
	/* One after another, every third loads what its neighbour stored after it. */
	for (size_t i = 0; i < STEPS; i++) {
		const size_t seen = i % 3 == 1 && i + 1 < STEPS ? i + 1 : i;

		made->saw[made->order[i]] = history_token(type, made->numbers[made->order[seen]]);
	}
	made->history.final = history_token(type, STEPS);
}

static void tokens(void **state)
{
	(void)state;
	for (size_t t = 0; t < TYPES; t++) {
		uint64_t *seen = calloc(4096, sizeof(*seen));

		assert_non_null(seen);
		for (uint32_t i = 0; i < 4096; i++) {
			seen[i] = history_token(&types[t], i * 2000);
			assert_int_equal(seen[i] & ~history_mask(&types[t]), 0);
			for (uint32_t j = 0; j < i && i < 200; j++)
				assert_true(seen[i] != seen[j]);
		}
		free(seen);
	}
}

static void sums(void **state)
{
	struct made made;

	(void)state;
	for (size_t t = 0; t < INTEGERS; t++)
		for (int down = 0; down < 2; down++) {
			make_sum(&made, &types[t], down);
			assert_true(history_sum(&made.history, down, NULL));
			/* Lost: two saw the same, and the end is one short. */
			made.saw[7] = made.saw[8];
			assert_false(history_sum(&made.history, down, NULL));
			make_sum(&made, &types[t], down);
			made.saw[7] ^= UINT64_C(1) << (types[t].bits - 1);
			assert_false(history_sum(&made.history, down, NULL));
			make_sum(&made, &types[t], down);
			made.history.final ^= 1;
			assert_false(history_sum(&made.history, down, NULL));
			/* The new value instead of the old. */
			make_sum(&made, &types[t], down);
			for (size_t i = 0; i < STEPS; i++)
				made.saw[i] = (made.saw[i] + (down ? -history_step(&types[t])
								   : history_step(&types[t]))) &
					      history_mask(&types[t]);
			assert_false(history_sum(&made.history, down, NULL));
		}
}

static void swaps(void **state)
{
	struct made made;

	(void)state;
	for (size_t t = 0; t < TYPES; t++) {
		make_swap(&made, &types[t]);
		assert_true(history_swap(&made.history, NULL));
		/* Found twice: one was lost. */
		made.saw[made.order[10]] = made.saw[made.order[12]];
		assert_false(history_swap(&made.history, NULL));
		make_swap(&made, &types[t]);
		made.saw[made.order[20]] ^= 1;
		assert_false(history_swap(&made.history, NULL));
		make_swap(&made, &types[t]);
		made.history.final = history_token(&types[t], 1);
		assert_false(history_swap(&made.history, NULL));
		/* Of somebody who gave up. */
		make_swap(&made, &types[t]);
		made.history.final = history_token(&types[t], made.numbers[made.order[3]]);
		assert_false(history_swap(&made.history, NULL));
	}
}

static void ranks(void **state)
{
	struct made made;

	(void)state;
	for (size_t t = 0; t < INTEGERS; t++)
		for (int down = 0; down < 2; down++) {
			const uint64_t start = make_rank(&made, &types[t], down);

			assert_true(history_rank(&made.history, down, start, NULL));
			/* Found what was there before the last winner: that one was lost. */
			made.saw[made.order[51]] = made.saw[made.order[49]];
			assert_false(history_rank(&made.history, down, start, NULL));
			make_rank(&made, &types[t], down);
			made.saw[made.order[5]] ^= UINT64_C(1) << (types[t].bits - 1);
			assert_false(history_rank(&made.history, down, start, NULL));
			make_rank(&made, &types[t], down);
			made.history.final = rank_value(&types[t], down, start, STEPS - 1);
			assert_false(history_rank(&made.history, down, start, NULL));
		}
}

static void stores(void **state)
{
	struct made made;

	(void)state;
	for (size_t t = 0; t < TYPES; t++) {
		make_store(&made, &types[t]);
		assert_true(history_store(&made.history, NULL));
		/* Torn: a bit of another. */
		made.saw[9] ^= UINT64_C(1) << (types[t].bits - 2);
		assert_false(history_store(&made.history, NULL));
		/* The first value again. */
		make_store(&made, &types[t]);
		made.saw[9] = history_token(&types[t], 0);
		assert_false(history_store(&made.history, NULL));
		/* An old one of its own. */
		make_store(&made, &types[t]);
		made.saw[9] = history_token(&types[t], made.numbers[2]);
		assert_false(history_store(&made.history, NULL));
		/* Back in time, of another's. */
		make_store(&made, &types[t]);
		made.saw[20] = history_token(&types[t], 2 + 10 * PARTICIPANTS);
		made.saw[21] = history_token(&types[t], 2 + 9 * PARTICIPANTS);
		assert_false(history_store(&made.history, NULL));
		make_store(&made, &types[t]);
		made.history.final = history_token(&types[t], 3);
		assert_false(history_store(&made.history, NULL));
	}
}

static void elections(void **state)
{
	uint64_t saw[3 * 4] = { 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1 };

	(void)state;
	assert_true(history_elect(saw, 3, 4, NULL));
	saw[0] = 0;
	assert_false(history_elect(saw, 3, 4, NULL));
	saw[0] = saw[4] = 1;
	assert_false(history_elect(saw, 3, 4, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens), cmocka_unit_test(sums),   cmocka_unit_test(swaps),
		cmocka_unit_test(ranks),  cmocka_unit_test(stores), cmocka_unit_test(elections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
