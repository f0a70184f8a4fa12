/* SPDX-License-Identifier: MIT */
/*
 * A sorted array: litmus tests have few outcomes.
 */
#include "tally.h"

#include <string.h>

static void count(struct tally *tally, outcome_t outcome, uint64_t seen)
{
	size_t at = 0;

	while (at < tally->count && tally->at[at].outcome < outcome)
		at++;
	if (at == tally->count || tally->at[at].outcome != outcome) {
		if (tally->count == TALLY_ROOM) {
			tally->other += seen;
			return;
		}
		memmove(&tally->at[at + 1], &tally->at[at],
			(tally->count - at) * sizeof(tally->at[0]));
		tally->at[at].outcome = outcome;
		tally->at[at].seen = 0;
		tally->count++;
	}
	tally->at[at].seen += seen;
}

void tally_add(struct tally *tally, outcome_t outcome, bool met)
{
	tally->instances++;
	tally->met += met;
	count(tally, outcome, 1);
}

void tally_merge(struct tally *into, const struct tally *from)
{
	into->instances += from->instances;
	into->met += from->met;
	into->other += from->other;
	for (size_t i = 0; i < from->count; i++)
		count(into, from->at[i].outcome, from->at[i].seen);
}

uint64_t tally_matches(const struct tally *tally, const struct condition *condition)
{
	uint64_t matches = 0;

	for (size_t i = 0; i < tally->count; i++)
		if (condition_holds(condition, tally->at[i].outcome))
			matches += tally->at[i].seen;
	return matches;
}
