/* SPDX-License-Identifier: MIT */
/*
 * What OpenCL allows: every candidate execution of a program is held against the axioms of the
 * OpenCL 3.0 memory model. docs/litmus.md states the axioms; A1 to A9 here are those there.
 */
#ifndef CTS_LITMUS_MODEL_H
#define CTS_LITMUS_MODEL_H

#include "litmus.h"

#define MAX_OUTCOMES 512

/*
 * When the total order S of seq_cst operations exists. OpenCL 3.0: always. OpenCL 2.x: if all of
 * them have all_svm_devices scope and are on fine-grained SVM with atomics, or all have device
 * scope and none is.
 */
enum total_order { TOTAL_ALWAYS, TOTAL_UNDER_CONDITIONS };

/* Two accesses that race in some execution. */
struct race {
	unsigned thread[2];
	unsigned access[2];
	bool plain; /* one is not atomic; else their scopes are not inclusive */
};

struct judgement {
	size_t count;
	outcome_t outcomes[MAX_OUTCOMES]; /* of consistent executions, ascending */
	bool racy;
	struct race race;
	uint64_t candidates;
	uint64_t consistent;
};

/* False where the program has more outcomes than fit. */
bool judge(const struct program *program, enum total_order total, struct judgement *out);

enum verdict judge_condition(const struct judgement *judgement, const struct condition *condition);

/* Whether two accesses have an inclusive scope. */
bool scopes_inclusive(const struct program *program, unsigned thread_a, enum scope a,
		      unsigned thread_b, enum scope b);

/* "P0's store to x and P1's load of x ...", for a person. */
void race_text(const struct test *test, const struct program *program, const struct race *race,
	       char *out, size_t size);

#endif
