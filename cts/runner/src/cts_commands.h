/* SPDX-License-Identifier: MIT */
/*
 * The sub-commands, and what several of them need. Each parses its own arguments (argv[0] is
 * its name) and returns the exit status; unless that is a verdict, @err has the line to print.
 */
#ifndef CTS_COMMANDS_H
#define CTS_COMMANDS_H

#include "error.h"
#include "suites.h"

#include <getopt.h>
#include <jansson.h>

/* Verdicts of run and compare, in place of those that bench has for these numbers. */
#define EXIT_WORSE  1
#define EXIT_CHANGE 2

int command_run(int argc, char **argv, struct error *err);
int command_list(int argc, char **argv, struct error *err);
int command_devices(int argc, char **argv, struct error *err);
int command_compare(int argc, char **argv, struct error *err);
int command_expect(int argc, char **argv, struct error *err);

/* fail() as a command's return value. */
#define command_fail(err, code, ...) (fail(err, code, __VA_ARGS__), (int)(code))

/* Options of run and list that say where programs are and which of their tests are meant. */
struct selection {
	struct places places;
	char programs[4096]; /* the directory of this program, where no other is given */
	bool every;	     /* tests that are usually left out, too */
	char **patterns;     /* NULL-terminated; empty: the usual tests */
};

enum { OPTION_BINDIR = 256, OPTION_PROGRAMS, OPTION_THROUGH, OPTION_ALL, OPTION_OTHER };

#define SELECTION_OPTIONS                                                                          \
	{ "bindir", required_argument, NULL, OPTION_BINDIR },                                      \
		{ "programs", required_argument, NULL, OPTION_PROGRAMS },                          \
		{ "through", required_argument, NULL, OPTION_THROUGH },                            \
		{ "all", no_argument, NULL, OPTION_ALL },                                          \
	{                                                                                          \
		"help", no_argument, NULL, 'h'                                                     \
	}

bool selection_begin(struct selection *selection, struct error *err);
bool selection_option(struct selection *selection, int code, const char *value, struct error *err);
void selection_clear(struct selection *selection);

/* Ask the programs that are meant for their tests. */
bool selection_fill(const struct selection *selection, struct suites *suites, struct error *err);

/* Whether @test is meant. */
bool selection_has(const struct selection *selection, const struct suite *suite,
		   const struct suite_test *test);

/* Whether somebody asked for this suite, so that its absence is an error. */
bool selection_asks(const struct selection *selection, const struct suite *suite);

/* False, with EXIT_USAGE_ERROR, where a pattern fits no test of the programs that are there. */
bool selection_check(const struct selection *selection, const struct suites *suites,
		     struct error *err);

/*
 * The device that the tests will use, as `svmatomic-cts devices --json` has it, run as the
 * tests will be: a driver that hangs or crashes does so in a process of its own. And the
 * same in the words of Khronos' harness, in @places. The caller's.
 */
json_t *ask_for_device(struct places *places, struct error *err);

bool unknown_option(char **argv, struct error *err);

#endif
