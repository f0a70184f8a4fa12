/* SPDX-License-Identifier: MIT */
/*
 * svmatomic-cts list: which tests there are.
 */
#include "cts_commands.h"
#include "pool.h"

#include <stdio.h>

static const char usage[] =
	"usage: svmatomic-cts list [PATTERN...] [options]\n"
	"\n"
	"Names the tests that `run` with the same PATTERNs and options would run.\n"
	"\n"
	"      --bindir DIR      the user's build of Khronos' OpenCL-CTS [SVMATOMIC_CTS]\n"
	"      --programs DIR    svmatomic-conformance and svmatomic-litmus [beside this]\n"
	"      --through COMMAND run every test program with it\n"
	"      --all             c11_atomics without SVM, too\n";

static bool parse(struct selection *selection, int argc, char **argv, bool *help, struct error *err)
{
	static const struct option options[] = { SELECTION_OPTIONS, { NULL, 0, NULL, 0 } };
	int code;

	optind = 0;
	opterr = 0;
	while ((code = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (code == '?')
			return unknown_option(argv, err);
		if (code == 'h')
			*help = true;
		else if (!selection_option(selection, code, optarg, err))
			return false;
	}
	selection->patterns = argv + optind;
	return true;
}

/* Returns the reason for which the list is not whole. */
static int print_tests(const struct selection *selection, const struct suites *suites)
{
	int problem = EXIT_OK;

	for (size_t i = 0; i < suites->count; i++) {
		const struct suite *suite = &suites->at[i];

		if (suite->absent.code != EXIT_OK) {
			fprintf(stderr, "svmatomic-cts: %s: %s\n", suite->name, suite->absent.text);
			if (!problem && selection_asks(selection, suite))
				problem = suite->absent.code;
		}
		for (size_t j = 0; j < suite->count; j++)
			if (selection_has(selection, suite, &suite->tests[j]))
				printf("%s%s%s\n", suite->tests[j].name,
				       *suite->tests[j].what ? "\t" : "", suite->tests[j].what);
	}
	return problem;
}

int command_list(int argc, char **argv, struct error *err)
{
	struct suites suites = { 0 };
	struct selection selection;
	bool help = false;
	int code = EXIT_OK;

	if (!selection_begin(&selection, err) || !parse(&selection, argc, argv, &help, err))
		code = err->code;
	else if (help)
		fputs(usage, stdout);
	else if (!pool_begin(err) || !selection_fill(&selection, &suites, err) ||
		 !selection_check(&selection, &suites, err))
		code = err->code;
	else
		code = print_tests(&selection, &suites);
	suites_clear(&suites);
	selection_clear(&selection);
	return code;
}
