/* SPDX-License-Identifier: MIT */
/*
 * svmatomic-bench compare and report: work on results that are already there.
 */
#include "commands.h"
#include "compare.h"
#include "report.h"
#include "result.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char compare_usage[] =
	"usage: svmatomic-bench compare [--threshold PERCENT] [--json] A B\n"
	"\n"
	"Compares the points that results A (before) and B (after) have in common.\n"
	"Exit code: 0 nothing is slower, 1 something is slower by more than PERCENT [5],\n"
	"2 nothing is slower but something is undecided; 64 and up are errors.\n";

static const char report_usage[] =
	"usage: svmatomic-bench report [-o OUT.html] RESULT...\n"
	"\n"
	"Makes one self-contained HTML page [report.html] from one or several results, and\n"
	"prints what speaks for each device side by side, where there are several: the one\n"
	"word that both sides change, and the handoff.\n";

static bool unknown_option(char **argv, struct error *err)
{
	return fail(err, EXIT_USAGE_ERROR,
		    "option '%s' is unknown or lacks its value; see `svmatomic-bench %s --help`",
		    argv[optind - 1], argv[0]);
}

/* --- compare ------------------------------------------------------------ */

struct compare_options {
	double threshold;
	bool json;
	bool help;
};

static bool parse_compare(struct compare_options *chosen, int argc, char **argv, struct error *err)
{
	static const struct option options[] = { { "threshold", required_argument, NULL, 't' },
						 { "json", no_argument, NULL, 'j' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	char *end;
	int code;

	optind = 0;
	opterr = 0;
	while ((code = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (code) {
		case 't':
			chosen->threshold = strtod(optarg, &end) / 100.0;
			if (end == optarg || *end || !(chosen->threshold >= 0.0) ||
			    chosen->threshold >= 1.0)
				return fail(err, EXIT_USAGE_ERROR,
					    "--threshold takes a percentage from 0 to 99, not '%s'",
					    optarg);
			break;
		case 'j':
			chosen->json = true;
			break;
		case 'h':
			chosen->help = true;
			return true;
		default:
			return unknown_option(argv, err);
		}
	}
	if (argc - optind != 2)
		return fail(err, EXIT_USAGE_ERROR,
			    "compare takes two results, not %d; see `svmatomic-bench compare "
			    "--help`",
			    argc - optind);
	return true;
}

static bool print_comparison(const json_t *comparison, bool json, struct error *err)
{
	if (!json)
		return compare_print(comparison, stdout, err);
	json_dumpf(comparison, stdout, JSON_INDENT(2));
	putchar('\n');
	return true;
}

enum exit_code command_compare(int argc, char **argv, struct error *err)
{
	struct compare_options chosen = { .threshold = 0.05 };
	json_t *comparison = NULL;
	json_t *a;
	json_t *b = NULL;
	enum exit_code code;

	if (!parse_compare(&chosen, argc, argv, err))
		return err->code;
	if (chosen.help) {
		fputs(compare_usage, stdout);
		return EXIT_OK;
	}
	a = result_load(argv[optind], err);
	if (a)
		b = result_load(argv[optind + 1], err);
	if (b)
		comparison = compare_json(a, b, chosen.threshold, err);
	if (comparison && print_comparison(comparison, chosen.json, err))
		code = compare_exit_code(comparison);
	else
		code = err->code;
	json_decref(comparison);
	json_decref(b);
	json_decref(a);
	return code;
}

/* --- report ------------------------------------------------------------- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool load_and_report(const char *out, char **paths, size_t count, struct error *err)
{
	json_t **results = calloc(count, sizeof(json_t *));
	const char **names = calloc(count, sizeof(char *));
	bool ok = results && names;

	if (!ok)
		fail(err, EXIT_NO_MEMORY, "out of memory");
	for (size_t i = 0; ok && i < count; i++) {
		results[i] = result_load(paths[i], err);
		names[i] = base_name(paths[i]);
		ok = results[i];
	}
	/* Where the page is what is printed, the table is on it. */
	if (ok && strcmp(out, "-"))
		ok = report_print(results, names, count, stdout, err);
	ok = ok && report_write(out, results, names, count, err);
	for (size_t i = 0; results && i < count; i++)
		json_decref(results[i]);
	free(names);
	free(results);
	return ok;
}

enum exit_code command_report(int argc, char **argv, struct error *err)
{
	static const struct option options[] = { { "output", required_argument, NULL, 'o' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	const char *out = "report.html";
	int code;

	optind = 0;
	opterr = 0;
	while ((code = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		if (code == 'h') {
			fputs(report_usage, stdout);
			return EXIT_OK;
		}
		if (code == '?') {
			unknown_option(argv, err);
			return err->code;
		}
		out = optarg;
	}
	if (optind == argc)
		return command_fail(err, EXIT_USAGE_ERROR,
				    "report takes at least one result; see `svmatomic-bench report "
				    "--help`");
	if (!load_and_report(out, argv + optind, (size_t)(argc - optind), err))
		return err->code;
	if (strcmp(out, "-"))
		printf("%s\n", out);
	return EXIT_OK;
}
