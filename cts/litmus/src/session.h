/* SPDX-License-Identifier: MIT */
/*
 * One test on one device: which programs it comes to (variants, scopes, placements and their
 * mutants), running them within a time, and what that showed.
 */
#ifndef CTS_LITMUS_SESSION_H
#define CTS_LITMUS_SESSION_H

#include "engine.h"
#include "mutate.h"

enum profile { PROFILE_QUICK, PROFILE_FULL };

struct session_options {
	enum profile profile;
	double seconds; /* for the whole test */
	uint32_t seed;
	bool mutants;
	const char *orders;    /* of variant_name(); NULL: all */
	const char *placement; /* NULL: those of the profile */
	const char *scope;     /* NULL: those of the profile */
};

#define MUTANTS_OF_CELL 16

/* A variant with a scope at a placement. */
struct cell {
	const struct variant *variant;
	enum scope scope;
	char placement[MAX_THREADS + 1];
	struct program program;
	struct judgement *judgement;
	enum verdict verdict;
	char skipped[200]; /* why it does not run; "" if it does */

	struct tally tally;
	uint64_t used[ENVIRONMENTS]; /* instances in each */
	uint64_t matches;	     /* of the test's condition */
	uint64_t violations;	     /* outcomes that no consistent execution has */
	outcome_t violation;	     /* the first of them */

	size_t mutants;
	size_t mutant[MUTANTS_OF_CELL]; /* indices */
};

struct mutant_run {
	struct mutant mutant;
	size_t cell; /* the first that it is a mutant of */
	bool concurrent;
	bool killable; /* here: its threads run at once, and an x86, if it is one, can show it */
	struct tally tally;
	struct experience experience;
	uint64_t kills;
};

struct session {
	struct engine *engine;
	const struct test *test;
	const struct session_options *options;
	size_t others;
	struct variant *other; /* variants that the file does not have */
	size_t cells;
	struct cell *cell;
	size_t mutants;
	struct mutant_run *mutant;
	struct codes codes;
	struct experience experience; /* of all mutants so far */

	bool cpu_missing; /* placements with host threads do not run here */
	size_t ran;
	size_t failed; /* cells with violations */
	size_t killable;
	size_t killed;	   /* of the killable */
	size_t surprises;  /* killed, though x86-TSO cannot */
	double confidence; /* expected share of mistakes like the killable mutants that would be
			      seen */
};

/* Plan: false where memory runs out or nothing fits the options' filters. */
bool session_plan(struct session *session, struct engine *engine, const struct test *test,
		  const struct session_options *options, struct error *err);

/* Compile and run everything that is planned. */
bool session_run(struct session *session, struct error *err);

void session_clear(struct session *session);

/* How likely @cell's run would have seen what @mutant shows, had the device that mistake. */
double cell_confidence(const struct cell *cell, const struct mutant_run *mutant);

/*
 * Whether what @test's file states of its variants agrees with the model, at every placement and
 * scope. EXIT_BAD_DATA with file and line where it does not.
 */
bool test_verify(const struct test *test, enum total_order total, struct error *err);

#endif
