/* SPDX-License-Identifier: MIT */
/*
 * What can become of a test, and which of two verdicts is the better.
 */
#ifndef CTS_VERDICT_H
#define CTS_VERDICT_H

#include <stdbool.h>

/* From best to worst. */
enum verdict {
	VERDICT_PASS,
	VERDICT_PARTIAL,      /* passed, but part of it was not executed */
	VERDICT_NOT_EXECUTED, /* nothing was tested: a capability is missing */
	VERDICT_FAIL,
	VERDICT_TIMEOUT,
	VERDICT_CRASH,
	VERDICT_ERROR, /* no verdict to be had: not started, no device, output unknown */
	VERDICT_COUNT,
};

/* Where a device is not described by any expectation, what is no failure is welcome. */
static inline bool verdict_is_failure(enum verdict verdict)
{
	return verdict >= VERDICT_FAIL;
}

/* "not executed". */
const char *verdict_name(enum verdict verdict);

/* The verdict of that name, in which '-' may stand for a space; VERDICT_COUNT where none is. */
enum verdict verdict_parse(const char *name);

/* What a test ended with. */
struct outcome {
	enum verdict verdict;
	bool device_lost;  /* VERDICT_ERROR because there is no device (any more) */
	unsigned executed; /* cases in the test that ran, where it says so */
	unsigned skipped;  /* cases of which it says that they did not */
	unsigned killed;   /* mutants that a litmus test saw, which says how much a pass means */
	unsigned killable; /* ... of those that can be seen on this machine */
	char reason[240];  /* one line; empty for a pass */
};

#endif
