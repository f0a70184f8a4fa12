/* SPDX-License-Identifier: MIT */
/*
 * The host's threads of a program: they meet the device's at each instance and interpret theirs.
 */
#ifndef CTS_LITMUS_HOSTSIDE_H
#define CTS_LITMUS_HOSTSIDE_H

#include "litmus.h"
#include "stress.h"

/* kernels/litmus.cl agrees on all of this. */
#define RESULT_MET 4096u

struct host_batch {
	const struct program *program;
	const struct environment *environment;
	uint32_t *memory;
	uint32_t *meet;
	uint32_t *results;
	uint32_t instances;
	uint32_t meet_words;
	uint32_t instance_words;
	uint32_t multiplier;
	uint32_t seed;
	uint64_t first_patience_ns; /* at the first instance */
	uint64_t patience_ns;	    /* at each other one */
	uint64_t budget_ns;	    /* in all */
	uint32_t pause_scale;
	bool sleeps; /* more threads than CPUs: leave them to the others while waiting */
	unsigned members;
	unsigned thread[MAX_THREADS]; /* of each member of the crew */
};

/* A crew_work: @context is a struct host_batch. */
void host_run(void *context, unsigned member);

#endif
