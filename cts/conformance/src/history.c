/* SPDX-License-Identifier: MIT */
/*
 * Whether what was seen of atomic operations can have been.
 */
#include "history.h"

#include <stdlib.h>
#include <string.h>

#define FACTOR_32  2654435761u
#define FACTOR_64  UINT64_C(0x9e3779b97f4a7c15)

#define FLOAT_ONE  UINT64_C(0x3f800000)
#define DOUBLE_ONE UINT64_C(0x3ff0000000000000)

#define NONE	   UINT32_MAX

uint64_t history_mask(const struct value_type *type)
{
	return type->bits == 64 ? UINT64_MAX : UINT32_MAX;
}

/* Numbers are below 2^23: floats are then ordinary ones between 1 and 2. */
uint64_t history_token(const struct value_type *type, uint32_t number)
{
	if (type->is_float)
		return type->bits == 64 ? DOUBLE_ONE | (uint64_t)number << 26 | number
					: FLOAT_ONE | number;
	return type->bits == 64 ? number * FACTOR_64 : number * FACTOR_32;
}

/* An odd number's inverse modulo 2^64, and so modulo 2^32 (Newton; each turn doubles the bits). */
static uint64_t inverse(uint64_t odd)
{
	uint64_t x = odd;

	for (int i = 0; i < 6; i++)
		x *= 2 - odd * x;
	return x;
}

/* The number of a token; NONE where it is none of the tokens up to @most. */
static uint32_t number_of(const struct value_type *type, uint64_t token, uint32_t most)
{
	uint64_t number;

	if (type->is_float)
		number = token & ((UINT64_C(1) << (type->bits == 64 ? 26 : 23)) - 1);
	else if (type->bits == 64)
		number = token * inverse(FACTOR_64);
	else
		number = (uint32_t)(token * inverse(FACTOR_32));
	if (number > most || history_token(type, (uint32_t)number) != token)
		return NONE;
	return (uint32_t)number;
}

static uint32_t highest_number(const struct history *history)
{
	uint32_t highest = 0;

	for (size_t i = 0; i < history->count; i++)
		if (history->numbers[i] > highest)
			highest = history->numbers[i];
	return highest;
}

static bool wrong(struct error *err, const char *what, uint64_t value)
{
	return fail(err, EXIT_LOST_UPDATE, "%s (0x%llx)", what, (unsigned long long)value);
}

/* --- sums ---------------------------------------------------------------------- */

uint64_t history_step(const struct value_type *type)
{
	return type->bits == 64 ? UINT64_C(0x100000001) : 1;
}

uint64_t history_sum_start(const struct value_type *type, bool down)
{
	const uint64_t limit = type->is_signed ? UINT64_C(1) << (type->bits - 1) : 0;

	return (limit + (down ? 20 : -20)) & history_mask(type);
}

/* After how many steps @value is there; @count where it never is. */
static size_t steps_to(const struct history *history, bool down, uint64_t value)
{
	const uint64_t start = history_sum_start(history->type, down);
	const uint64_t distance =
		(down ? start - value : value - start) & history_mask(history->type);
	const uint64_t steps = distance / history_step(history->type);

	if (distance % history_step(history->type) || steps > history->count)
		return history->count + 1;
	return steps;
}

bool history_sum(const struct history *history, bool down, struct error *err)
{
	unsigned char *seen = calloc(history->count + 2, 1);
	bool ok = true;

	if (!seen)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	for (size_t i = 0; ok && i < history->count; i++) {
		const size_t steps = steps_to(history, down, history->saw[i]);

		if (steps >= history->count)
			ok = wrong(err, "a value was returned that no step can have found",
				   history->saw[i]);
		else if (seen[steps]++)
			ok = wrong(err, "a value was returned to two steps", history->saw[i]);
	}
	if (ok && steps_to(history, down, history->final) != history->count)
		ok = wrong(err, "what is left is not the sum", history->final);
	free(seen);
	return ok;
}

/* --- swaps ---------------------------------------------------------------------- */

/* Mark a token as found by somebody; each is found once. */
static bool find(const struct history *history, unsigned char *state, uint32_t most, uint64_t token,
		 struct error *err)
{
	enum { THERE = 1, FOUND = 2 };
	const uint32_t number = number_of(history->type, token, most);

	if (number == NONE || !(state[number] & THERE))
		return wrong(err, "a value was found that nobody put there", token);
	if (state[number] & FOUND)
		return wrong(err, "a value was found twice", token);
	state[number] |= FOUND;
	return true;
}

bool history_swap(const struct history *history, struct error *err)
{
	const uint32_t most = highest_number(history);
	unsigned char *state = calloc((size_t)most + 1, 1);
	bool ok = true;

	if (!state)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	state[0] = 1;
	for (size_t i = 0; i < history->count; i++)
		state[history->numbers[i]] =
			history->saw[i] != history_token(history->type, history->numbers[i]);
	for (size_t i = 0; ok && i < history->count; i++)
		if (state[history->numbers[i]])
			ok = find(history, state, most, history->saw[i], err);
	ok = ok && find(history, state, most, history->final, err);
	/* One more was put there, at the beginning, than were found: all are accounted for. */
	free(state);
	return ok;
}

/* --- ranks ----------------------------------------------------------------------- */

uint64_t history_rank_start(const struct value_type *type, bool down, uint32_t count)
{
	const uint64_t middle = type->is_signed ? 0 : UINT64_C(1) << (type->bits - 1);
	const uint64_t half = count / 2 * history_step(type);

	return (down ? middle + half : middle - half) & history_mask(type);
}

struct win {
	uint32_t rank;
	uint32_t before;
};

static int by_rank(const void *a, const void *b)
{
	const struct win *x = a;
	const struct win *y = b;

	return (x->rank > y->rank) - (x->rank < y->rank);
}

static uint32_t rank_of(const struct history *history, bool down, uint64_t start, uint64_t value)
{
	const uint64_t distance =
		(down ? start - value : value - start) & history_mask(history->type);
	const uint64_t rank = distance / history_step(history->type);

	return distance % history_step(history->type) || rank >= NONE ? NONE : (uint32_t)rank;
}

/* Each winner found the winner before it, and the last one is what is left. */
static bool check_wins(const struct win *wins, size_t count, uint32_t final, struct error *err)
{
	uint32_t before = 0;

	for (size_t i = 0; i < count; i++) {
		if (wins[i].before != before)
			return wrong(err, "a step found another value than the highest so far",
				     wins[i].before);
		before = wins[i].rank;
	}
	if (final != before)
		return wrong(err, "what is left is not the highest value", final);
	return true;
}

bool history_rank(const struct history *history, bool down, uint64_t start, struct error *err)
{
	struct win *wins = calloc(history->count + 1, sizeof(*wins));
	const uint32_t most = highest_number(history);
	size_t count = 0;
	bool ok = true;

	if (!wins)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	for (size_t i = 0; ok && i < history->count; i++) {
		const uint32_t before = rank_of(history, down, start, history->saw[i]);

		if (before > most)
			ok = wrong(err, "a value was found that nobody offered", history->saw[i]);
		else if (before < history->numbers[i])
			wins[count++] = (struct win){ history->numbers[i], before };
	}
	qsort(wins, count, sizeof(*wins), by_rank);
	ok = ok && check_wins(wins, count, rank_of(history, down, start, history->final), err);
	/* Who lost found a winner. */
	for (size_t i = 0; ok && i < history->count; i++) {
		const struct win found = { .rank = rank_of(history, down, start, history->saw[i]) };

		if (found.rank && !bsearch(&found, wins, count, sizeof(*wins), by_rank))
			ok = wrong(err, "a value was found that was never the highest",
				   history->saw[i]);
	}
	free(wins);
	return ok;
}

/* --- stores and loads --------------------------------------------------------------- */

/*
 * One participant's row: what it loads from any participant does not go back in time, and of
 * its own it loads the last (read-read and write-read coherence).
 */
static bool check_row(const struct history *history, size_t begin, uint32_t *newest, uint32_t most,
		      struct error *err, size_t *end)
{
	const uint32_t all = history->participants;
	const uint32_t me = (history->numbers[begin] - 1) % all;
	size_t i = begin;

	memset(newest, 0, all * sizeof(*newest));
	for (; i < history->count && (history->numbers[i] - 1) % all == me; i++) {
		const uint32_t number = number_of(history->type, history->saw[i], most);
		const uint32_t owner = (number - 1) % all;

		if (number == NONE)
			return wrong(err, "a value was loaded that nobody stored", history->saw[i]);
		if (number == 0)
			return wrong(err, "the first value was loaded after another was stored",
				     history->saw[i]);
		if (owner == me && number != history->numbers[i])
			return wrong(err,
				     "a participant loaded another of its values than the last",
				     history->saw[i]);
		if (number < newest[owner])
			return wrong(err, "a value was loaded after a later one of the same origin",
				     history->saw[i]);
		newest[owner] = number;
	}
	*end = i;
	return true;
}

/* The last store of all is the last one of somebody. */
static bool check_last(const struct history *history, uint32_t most, struct error *err)
{
	const uint32_t number = number_of(history->type, history->final, most);

	if (number == NONE)
		return wrong(err, "what is left was never stored", history->final);
	for (size_t i = 0; i < history->count; i++)
		if (history->numbers[i] == number + history->participants)
			return wrong(err, "what is left was stored over by its own participant",
				     history->final);
	return true;
}

bool history_store(const struct history *history, struct error *err)
{
	uint32_t *newest = calloc(history->participants, sizeof(*newest));
	const uint32_t most = highest_number(history);
	size_t i = 0;
	bool ok = true;

	if (!newest)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	while (ok && i < history->count)
		ok = check_row(history, i, newest, most, err, &i);
	free(newest);
	return ok && check_last(history, most, err);
}

/* --- elections ------------------------------------------------------------------------ */

bool history_elect(const uint64_t *saw, size_t participants, size_t count, struct error *err)
{
	for (size_t word = 0; word < count; word++) {
		size_t winners = 0;

		for (size_t i = 0; i < participants; i++)
			winners += saw[i * count + word] == 0;
		if (winners != 1)
			return fail(err, EXIT_LOST_UPDATE,
				    "of %zu who set a clear flag, %zu were told that it was clear",
				    participants, winners);
	}
	return true;
}
