/* SPDX-License-Identifier: MIT */
/*
 * The table of environments, and how one is chosen.
 */
#include "stress.h"

const struct environment environments[ENVIRONMENTS] = {
	{ "tight", 16, 0, 0, 0, 1, false },	  { "skew", 16, 127, 0, 0, 1, false },
	{ "pause", 16, 31, 16, 15, 1, false },	  { "long pause", 16, 127, 12, 127, 1, false },
	{ "longest", 16, 511, 8, 255, 4, false }, { "one line", 1, 31, 4, 31, 1, false },
	{ "far", 64, 63, 4, 31, 1, false },	  { "noise", 16, 63, 4, 63, 1, true },
};

void experience_add(struct experience *experience, unsigned environment, uint64_t instances,
		    uint64_t kills)
{
	experience->instances[environment] += instances;
	experience->kills[environment] += kills;
}

static double rate(const struct experience *experience, unsigned environment)
{
	if (!experience->instances[environment])
		return 0;
	return (double)experience->kills[environment] / (double)experience->instances[environment];
}

unsigned experience_choose(const struct experience *experience, uint64_t number)
{
	unsigned best = 0;

	for (unsigned i = 1; i < ENVIRONMENTS; i++)
		if (rate(experience, i) > rate(experience, best))
			best = i;
	if (number % 2 && rate(experience, best) > 0)
		return best;
	return (unsigned)(number / 2 % ENVIRONMENTS);
}
