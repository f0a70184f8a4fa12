/* SPDX-License-Identifier: MIT */
/*
 * Whether the words ended as they must. What each worker did follows from how
 * many steps it took (steps.h), so the expected value of every word can be
 * worked out anew, and a single lost update shows.
 */
#include "field.h"

#include "steps.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check {
	const struct field *field;
	const struct outcome *outcomes;
	uint32_t used; /* words in use, one every step */
	uint32_t step;
	int64_t *sums; /* per used word; or the bits accumulated there */
	char *why;
	size_t size;
};

__attribute__((format(printf, 2, 3))) static bool wrong(const struct check *check,
							const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(check->why, check->size, format, args);
	va_end(args);
	return false;
}

/* The integer a word holds, or the bits of one that is not. */
static int64_t word_value(const struct check *check, uint32_t number)
{
	const void *words = check->field->memory.host;
	const size_t index = (size_t)number * check->step;

	switch (check->field->type) {
	case TYPE_INT:
		return ((const int32_t *)words)[index];
	case TYPE_UINT:
		return ((const uint32_t *)words)[index];
	case TYPE_LONG:
	case TYPE_ULONG:
		return ((const int64_t *)words)[index];
	case TYPE_FLOAT:
		return (int64_t)((const float *)words)[index];
	case TYPE_DOUBLE:
		return (int64_t)((const double *)words)[index];
	case TYPE_COUNT:
		break;
	}
	return 0;
}

/* What a worker reports in acc, as word_value() would have it. */
static int64_t acc_value(const struct check *check, uint32_t worker)
{
	const uint64_t bits = check->outcomes[worker].acc;
	const uint32_t low = (uint32_t)bits;
	double number;
	float small;

	switch (check->field->type) {
	case TYPE_INT:
		return (int32_t)low;
	case TYPE_UINT:
		return low;
	case TYPE_FLOAT:
		memcpy(&small, &low, sizeof(small));
		return (int64_t)small;
	case TYPE_DOUBLE:
		memcpy(&number, &bits, sizeof(number));
		return (int64_t)number;
	default:
		return (int64_t)bits;
	}
}

/* The same value as the operand type would hold it: integers wrap. */
static int64_t wrap(const struct check *check, int64_t value)
{
	switch (check->field->type) {
	case TYPE_INT:
		return (int32_t)value;
	case TYPE_UINT:
		return (uint32_t)value;
	default:
		return value;
	}
}

static uint32_t home_of(const struct field *field, uint32_t worker)
{
	return worker % field->modulo;
}

/* DELTA() summed over the first @count steps. */
static int64_t delta_sum(const struct field *field, uint64_t count)
{
	const uint64_t period = UINT64_C(2) << DELTA_PERIOD_SHIFT;
	const uint64_t rest = count % period;

	if (!type_is_float(field->type))
		return (int64_t)count;
	return (int64_t)(rest <= period / 2 ? rest : period - rest);
}

static int64_t delta_at(const struct field *field, uint64_t n)
{
	if (type_is_float(field->type) && ((n >> DELTA_PERIOD_SHIFT) & 1))
		return -1;
	return 1;
}

/* What step @n of @worker adds to, or imposes on, its word. */
static void replay_step(struct check *check, uint32_t worker, uint64_t n, int64_t *word)
{
	const unsigned bits = 8 * (unsigned)type_size(check->field->type);

	switch (check->field->op) {
	case OP_FETCH_ADD:
	case OP_COMPARE_EXCHANGE:
		*word += delta_at(check->field, n);
		break;
	case OP_FETCH_SUB:
		*word -= delta_at(check->field, n);
		break;
	case OP_FETCH_MIN:
	case OP_FETCH_MAX:
		if (*word < (int64_t)n + 1)
			*word = (int64_t)n + 1;
		break;
	case OP_FETCH_AND:
	case OP_FETCH_OR:
		*word |= (int64_t)(UINT64_C(1) << (((n >> MASK_PERIOD_SHIFT) + worker) % bits));
		break;
	case OP_FETCH_XOR:
		*word ^= (int64_t)((n + 1) * UINT64_C(0x9E3779B97F4A7C15) + worker);
		break;
	default:
		break;
	}
}

static void replay_random(struct check *check, uint32_t worker)
{
	const struct field *field = check->field;
	const uint32_t *stream = field->stream.host;

	for (uint64_t n = 0; n < check->outcomes[worker].ops; n++)
		replay_step(check, worker, n,
			    &check->sums[stream[(STREAM_START(worker) + (uint32_t)n) &
						field->stream_mask]]);
}

/* The same for a worker that stays on one word, without walking every step. */
static void replay_steady(struct check *check, uint32_t worker)
{
	const struct field *field = check->field;
	const struct outcome *outcome = &check->outcomes[worker];
	int64_t *word = &check->sums[home_of(field, worker)];

	switch (field->op) {
	case OP_FETCH_ADD:
	case OP_COMPARE_EXCHANGE:
		*word += delta_sum(field, outcome->ops);
		break;
	case OP_FETCH_SUB:
		*word -= delta_sum(field, outcome->ops);
		break;
	case OP_FETCH_MIN:
	case OP_FETCH_MAX:
		if (outcome->ops)
			replay_step(check, worker, outcome->ops - 1, word);
		break;
	case OP_FETCH_AND:
	case OP_FETCH_OR:
		*word |= (int64_t)outcome->acc;
		break;
	case OP_FETCH_XOR:
		*word ^= (int64_t)outcome->acc;
		break;
	default:
		break;
	}
}

/* From what was accumulated to what the word must hold. */
static int64_t expected_value(const struct check *check, uint32_t number)
{
	const int64_t sum = check->sums[number];

	switch (check->field->op) {
	case OP_FETCH_MIN:
		switch (check->field->type) {
		case TYPE_INT:
			return INT32_MAX - sum;
		case TYPE_UINT:
			return UINT32_MAX - sum;
		case TYPE_LONG:
			return INT64_MAX - sum;
		default:
			return (int64_t)(UINT64_MAX - (uint64_t)sum);
		}
	case OP_FETCH_AND:
		return wrap(check, ~sum);
	default:
		return wrap(check, sum);
	}
}

static bool check_replay(struct check *check)
{
	const struct field *field = check->field;

	for (uint32_t worker = 0; worker < field->workers; worker++) {
		if (field->random)
			replay_random(check, worker);
		else
			replay_steady(check, worker);
	}
	for (uint32_t i = 0; i < check->used; i++) {
		const int64_t want = expected_value(check, i);
		const int64_t have = word_value(check, i);

		if (have != want)
			return wrong(check,
				     "word %u holds %lld where %lld is due: updates were lost", i,
				     (long long)have, (long long)want);
	}
	return true;
}

/* Exchange: the tokens are all there, each once. */
static bool check_tokens(struct check *check)
{
	const uint32_t total = check->field->workers + check->used;
	unsigned char *seen = calloc(1, (size_t)total + 1);
	bool ok = seen || wrong(check, "there is no memory to verify with");

	for (uint32_t i = 0; ok && i < total; i++) {
		const bool is_word = i >= check->field->workers;
		int64_t token = is_word ? word_value(check, i - check->field->workers)
					: acc_value(check, i);

		/* A worker that sat the leg out still holds its own. */
		if (!is_word && !check->outcomes[i].attempts)
			token = (int64_t)i + 1;
		if (token < 1 || token > total || seen[token]++)
			ok = wrong(check,
				   "token %lld turned up twice or from nowhere: an exchange "
				   "was lost",
				   (long long)token);
	}
	free(seen);
	return ok;
}

/* Store: a word holds what somebody who may write there stored. */
static bool check_stores(struct check *check)
{
	const struct field *field = check->field;

	for (uint32_t i = 0; i < check->used; i++) {
		const int64_t value = word_value(check, i);

		if (value < 0 || value > field->workers)
			return wrong(check, "word %u holds %lld, which nobody stored", i,
				     (long long)value);
		if (value && !check->outcomes[value - 1].ops)
			return wrong(check,
				     "word %u holds the value of worker %lld, which stored "
				     "nothing",
				     i, (long long)value - 1);
		if (value && !field->random && home_of(field, (uint32_t)value - 1) != i)
			return wrong(check,
				     "word %u holds the value of worker %lld, which writes "
				     "elsewhere",
				     i, (long long)value - 1);
	}
	for (uint32_t worker = 0; !field->random && worker < field->workers; worker++)
		if (check->outcomes[worker].ops && !word_value(check, home_of(field, worker)))
			return wrong(check, "word %u never changed: stores were lost",
				     home_of(field, worker));
	return true;
}

static bool check_loads(struct check *check)
{
	for (uint32_t i = 0; i < check->used; i++)
		if (word_value(check, i) != LOAD_PATTERN)
			return wrong(check, "word %u changed in a leg that only loads", i);
	return true;
}

/* Flag: nobody was inside together with anybody else, and nobody still is. */
static bool check_flags(struct check *check)
{
	const uint32_t *guards = check->field->guards.host;
	uint64_t entered = 0;
	uint64_t counted = 0;

	for (uint32_t worker = 0; worker < check->field->workers; worker++)
		entered += check->outcomes[worker].ops;
	for (uint32_t i = 0; i < check->used; i++) {
		counted += guards[(size_t)i * check->step];
		if (word_value(check, i))
			return wrong(check, "flag %u is still set", i);
	}
	if ((uint32_t)counted != (uint32_t)entered)
		return wrong(check,
			     "%llu entries under the flag, %llu counted: mutual exclusion "
			     "failed",
			     (unsigned long long)entered, (unsigned long long)counted);
	return true;
}

static bool check_returned(struct check *check)
{
	for (uint32_t worker = 0; worker < check->field->workers; worker++)
		if (check->outcomes[worker].violations)
			return wrong(check, "worker %u was returned %llu impossible values", worker,
				     (unsigned long long)check->outcomes[worker].violations);
	return true;
}

static bool check_operation(struct check *check)
{
	switch (check->field->op) {
	case OP_EXCHANGE:
		return check_tokens(check);
	case OP_STORE:
		return check_stores(check);
	case OP_LOAD:
		return check_loads(check);
	case OP_FLAG:
		return check_flags(check);
	default:
		return check_replay(check);
	}
}

bool field_verify(const struct field *field, const struct outcome *outcomes, char *why, size_t size)
{
	struct check check = { .field = field,
			       .outcomes = outcomes,
			       .used = field->random ? field->words : field->modulo,
			       .step = field->random ? 1 : field->stride,
			       .why = why,
			       .size = size };
	bool ok;

	check.sums = calloc(check.used, sizeof(*check.sums));
	if (!check.sums)
		return wrong(&check, "there is no memory to verify with");
	ok = check_returned(&check) && check_operation(&check);
	free(check.sums);
	return ok;
}
