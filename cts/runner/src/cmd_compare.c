/* SPDX-License-Identifier: MIT */
/*
 * svmatomic-cts compare and expect: work on results that are already there.
 */
#include "cts_commands.h"
#include "differ.h"
#include "outputs.h"
#include "record.h"

#include <stdio.h>
#include <string.h>

static const char compare_usage[] =
	"usage: svmatomic-cts compare [--json] A B\n"
	"\n"
	"Compares result B (after) with A (before). Exit status: 0 no change, 1 a test is\n"
	"worse, is gone or executes fewer cases, 2 only other changes; 64 and up are errors.\n";

static const char expect_usage[] =
	"usage: svmatomic-cts expect RESULT\n"
	"\n"
	"Prints expectations with which that result has no differences.\n";

static int print_comparison(const json_t *a, const json_t *b, bool json, struct error *err)
{
	json_t *differences = differ(a, b);
	int code;

	if (!differences)
		return command_fail(err, EXIT_NO_MEMORY, "out of memory");
	if (json) {
		json_dumpf(differences, stdout, JSON_INDENT(1));
		putchar('\n');
	} else if (!differ_print(stdout, differences)) {
		json_decref(differences);
		return command_fail(err, EXIT_OUTPUT, "cannot print the comparison");
	}
	code = differ_exit_code(differences);
	json_decref(differences);
	return code;
}

/* Only --json and --help; the rest are files. */
static bool parse(int argc, char **argv, bool *json, bool *help, struct error *err)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	int code;

	optind = 0;
	opterr = 0;
	while ((code = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (code == '?' || (code == 'j' && !json))
			return unknown_option(argv, err);
		*(code == 'j' ? json : help) = true;
	}
	return true;
}

int command_compare(int argc, char **argv, struct error *err)
{
	bool json = false;
	bool help = false;
	json_t *b = NULL;
	json_t *a;
	int code;

	if (!parse(argc, argv, &json, &help, err))
		return err->code;
	if (help) {
		fputs(compare_usage, stdout);
		return EXIT_OK;
	}
	if (argc - optind != 2)
		return command_fail(
			err, EXIT_USAGE_ERROR,
			"compare takes two results; see `svmatomic-cts compare --help`");
	a = record_load(argv[optind], err);
	if (a)
		b = record_load(argv[optind + 1], err);
	code = b ? print_comparison(a, b, json, err) : (int)err->code;
	json_decref(b);
	json_decref(a);
	return code;
}

int command_expect(int argc, char **argv, struct error *err)
{
	bool help = false;
	json_t *record;

	if (!parse(argc, argv, NULL, &help, err))
		return err->code;
	if (help) {
		fputs(expect_usage, stdout);
		return EXIT_OK;
	}
	if (argc - optind != 1)
		return command_fail(err, EXIT_USAGE_ERROR,
				    "expect takes one result; see `svmatomic-cts expect --help`");
	record = record_load(argv[optind], err);
	if (!record)
		return err->code;
	output_expectations(stdout, record);
	json_decref(record);
	return EXIT_OK;
}
