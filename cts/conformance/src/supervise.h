/* SPDX-License-Identifier: MIT */
/*
 * All tests, or those of some names, each in a process of its own with a time limit: what a
 * device does to one of them is not done to the rest.
 */
#ifndef CONFORMANCE_SUPERVISE_H
#define CONFORMANCE_SUPERVISE_H

#include "error.h"
#include "tests.h"

enum outcome { OUTCOME_PASS, OUTCOME_PARTIAL, OUTCOME_NOT_APPLICABLE, OUTCOME_FAIL, OUTCOME_COUNT };

struct verdict {
	const struct test *test;
	enum outcome outcome;
	char reason[512];
};

/* How the tests are to be run; as in the options. */
struct settings {
	const char *platform;
	const char *device;
	double seconds;
	double limit;
	bool quiet;
};

/* One test, in this process. Does not return where a device could be opened. */
bool run_here(const struct settings *settings, const struct test *test, struct error *err);

/*
 * The tests, as a table with counts on stdout, and progress on stderr. *@failed counts those
 * that failed. Ctrl-C ends it with EXIT_INTERRUPTED, after the table of what was run.
 */
bool run_all(const struct settings *settings, const struct test *const *tests, size_t count,
	     size_t *failed, struct error *err);

/* The verdict in what a test's process wrote and how it ended, as waitpid() has it. */
void verdict_read(struct verdict *verdict, const char *output, int status);

#endif
