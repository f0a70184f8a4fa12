/* SPDX-License-Identifier: MIT */
/*
 * The programs that have tests: where they are, which tests they have, and how one of them
 * is run alone.
 */
#ifndef CTS_SUITES_H
#define CTS_SUITES_H

#include "error.h"
#include "transcript.h"

#define SUITES_MAX  4
#define COMMAND_MAX 20

/* Where the programs are, and with what each of them is run. */
struct places {
	const char *bindir;   /* the user's build of Khronos' suite, or NULL */
	const char *programs; /* this repository's programs */
	char *script;	      /* for sh, where a command is to run every test program; or NULL */
	const char *platform; /* as the user gave them; NULL: the first device */
	const char *device;
	const char *seed; /* of litmus tests, or NULL */
	const char *time; /* ... and seconds for each of their tests, or NULL */
	/* The same device in the words of Khronos' harness: "pid0", "id0". */
	char khronos_platform[24];
	char khronos_device[24];
};

struct suite_test {
	char *name; /* "test_svm/svm_migrate" */
	char *what; /* what it checks, where the program says so; or empty */
};

struct suite {
	const char *name;
	const char *program; /* its file name */
	bool khronos;
	bool random;	     /* takes a --seed */
	const char *usual;   /* how the tests begin that are run unless others are asked for */
	const char *dirs[3]; /* where a build or an installation may have it */
	bool wanted;	     /* to be set between suites_begin() and suites_fill() */
	char path[4096];
	struct error absent; /* why its tests cannot be run; code EXIT_OK where they can */
	struct suite_test *tests;
	size_t count;
};

struct suites {
	struct suite at[SUITES_MAX];
	size_t count;
};

/* All there may be; nothing is looked for yet. */
void suites_begin(struct suites *suites);

/*
 * Find every program that is wanted and ask it for its tests. What is not there, or does not
 * answer, has the reason in @absent. False only where the user interrupts.
 */
bool suites_fill(struct suites *suites, const struct places *places, struct error *err);
void suites_clear(struct suites *suites);

const struct protocol *suite_protocol(const struct suite *suite);

/* Name of @test within its program: "svm_migrate". */
const char *suite_test_name(const struct suite *suite, const struct suite_test *test);

/* How to run @test alone. What @argv points to is @suite's, @test's and @places'. */
void suite_command(const struct suite *suite, const struct suite_test *test,
		   const struct places *places, const char *argv[COMMAND_MAX]);

/* How to run @program, with the NULL-terminated @arguments. */
void places_command(const struct places *places, const char *program, const char *const *arguments,
		    const char *argv[COMMAND_MAX]);

#endif
