/* SPDX-License-Identifier: MIT */
/*
 * Environments: ways to run a program that make weak outcomes likelier. Which of them does on a
 * device is learnt from its mutants, as in MC Mutants.
 */
#ifndef CTS_LITMUS_STRESS_H
#define CTS_LITMUS_STRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct environment {
	const char *name;
	unsigned stride;      /* words from one location to the next */
	unsigned skew_mask;   /* threads begin up to this many steps apart */
	unsigned pause_share; /* of 16 instances, in how many there are pauses between accesses */
	unsigned pause_mask;  /* up to this many steps, below 256, ... */
	unsigned pause_scale; /* ... times this */
	bool noise;	      /* others hammer on memory at the same time, if there is room */
};

#define ENVIRONMENTS 8
extern const struct environment environments[ENVIRONMENTS];

/* What mutants showed of each environment. Zero-initialise. */
struct experience {
	uint64_t instances[ENVIRONMENTS];
	uint64_t kills[ENVIRONMENTS];
};

void experience_add(struct experience *experience, unsigned environment, uint64_t instances,
		    uint64_t kills);

/* For batch @number: every other one in the best environment, the rest in turn. */
unsigned experience_choose(const struct experience *experience, uint64_t number);

#endif
