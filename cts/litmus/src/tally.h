/* SPDX-License-Identifier: MIT */
/*
 * How often each outcome was seen.
 */
#ifndef CTS_LITMUS_TALLY_H
#define CTS_LITMUS_TALLY_H

#include "litmus.h"

#define TALLY_ROOM 128

/* Zero-initialise. */
struct tally {
	uint64_t instances;
	uint64_t met; /* instances in which all threads saw each other come */
	size_t count;
	struct {
		outcome_t outcome;
		uint64_t seen;
	} at[TALLY_ROOM]; /* ascending; what does not fit is in @other */
	uint64_t other;
};

void tally_add(struct tally *tally, outcome_t outcome, bool met);
void tally_merge(struct tally *into, const struct tally *from);

/* How many outcomes satisfied @condition. */
uint64_t tally_matches(const struct tally *tally, const struct condition *condition);

#endif
