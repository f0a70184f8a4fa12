/* SPDX-License-Identifier: MIT */
/*
 * What many participants saw of atomic operations on one word, and whether it can have been:
 * the checks for lost, repeated and torn operations. Nothing here knows of OpenCL.
 */
#ifndef CONFORMANCE_HISTORY_H
#define CONFORMANCE_HISTORY_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Values are their bits, in a word of 64. */
struct value_type {
	const char *name;
	unsigned bits;
	bool is_signed;
	bool is_float;
};

/*
 * The steps that were made on one word. Step i has number numbers[i], from 1 and unlike any
 * other, and saw[i] is what it saw. Number = round * participants + participant + 1.
 */
struct history {
	const struct value_type *type;
	size_t count;
	const uint32_t *numbers;
	const uint64_t *saw;
	uint32_t participants;
	uint64_t final; /* what is in the word at the end */
};

uint64_t history_mask(const struct value_type *type);

/* The value that step @number writes, unlike that of any other; 0 is that of the beginning. */
uint64_t history_token(const struct value_type *type, uint32_t number);

/* The distance of two values in a sum, or of two ranks; it changes all halves of a value. */
uint64_t history_step(const struct value_type *type);

/* Where sums begin, for them to run over the limit of the type. */
uint64_t history_sum_start(const struct value_type *type, bool down);

/* Where ranks begin, for @count of them to cross the point where signs change. */
uint64_t history_rank_start(const struct value_type *type, bool down, uint32_t count);

/* Every step added (or subtracted) history_step(), and saw what was there before. */
bool history_sum(const struct history *history, bool down, struct error *err);

/*
 * Every step put its token there and saw what was there before. A step that saw its own token
 * is one that gave up.
 */
bool history_swap(const struct history *history, struct error *err);

/* Every step offered its number as a rank, the highest so far stayed, and saw what was before. */
bool history_rank(const struct history *history, bool down, uint64_t start, struct error *err);

/*
 * Every step stored its token and loaded then. Steps are in the order of their participants,
 * and of rounds within each.
 */
bool history_store(const struct history *history, struct error *err);

/* Of the steps at each of @count words, exactly one saw 0; saw[] has a row of @count of each. */
bool history_elect(const uint64_t *saw, size_t participants, size_t count, struct error *err);

#endif
