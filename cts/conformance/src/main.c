/* SPDX-License-Identifier: MIT */
/*
 * svmatomic-conformance: whether an OpenCL implementation keeps the rules of shared virtual
 * memory and of atomics on it.
 */
#include "options.h"
#include "supervise.h"

#include <fnmatch.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_SECONDS 1.0
#define DEFAULT_LIMIT	60.0

static const char usage[] =
	"usage: svmatomic-conformance [OPTION...] [PATTERN...]\n"
	"       svmatomic-conformance --list\n"
	"       svmatomic-conformance --run NAME [OPTION...]\n"
	"\n"
	"Tests shared virtual memory, and atomics on it, against the OpenCL specification.\n"
	"Without --run: all tests, or those whose names match a pattern ('memcpy.*'), each in\n"
	"a process of its own, then a table and counts.\n"
	"\n"
	"  --list              one test a line: its name, a tab, the rule and its section\n"
	"  --run NAME          that one test, in this process; the last line is the verdict:\n"
	"                      pass | fail: REASON | not applicable: REASON | partial: REASON\n"
	"  --platform TEXT     a part of the platform's name, in any case, or its number\n"
	"  --device TEXT       a part of the device's name, or its number; else the first\n"
	"  --time SECONDS      how long to try what may or may not happen (1)\n"
	"  --timeout SECONDS   a test that runs longer has failed (60)\n"
	"  -q, --quiet         no progress\n"
	"\n"
	"Exit codes: 0 pass; 1 fail; 64 usage; 69 no device; 71 memory; 74 output; 75 the\n"
	"device gives no answer; 130 interrupted. With --run, also 77 not applicable, 78\n"
	"partial: what the device claims of it passed.\n";

enum {
	OPTION_LIST = 256,
	OPTION_RUN,
	OPTION_PLATFORM,
	OPTION_DEVICE,
	OPTION_TIME,
	OPTION_TIMEOUT,
	OPTION_VERSION
};

static const struct option long_options[] = {
	{ "list", no_argument, NULL, OPTION_LIST },
	{ "run", required_argument, NULL, OPTION_RUN },
	{ "platform", required_argument, NULL, OPTION_PLATFORM },
	{ "device", required_argument, NULL, OPTION_DEVICE },
	{ "time", required_argument, NULL, OPTION_TIME },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ 0 },
};

struct command_line {
	struct settings settings;
	const char *run;
	bool list;
	bool help;
	bool version;
	char **patterns;
	size_t pattern_count;
};

static bool parse_option(struct command_line *line, int option, char **argv, struct error *err)
{
	struct settings *settings = &line->settings;

	switch (option) {
	case OPTION_LIST:
		line->list = true;
		return true;
	case OPTION_RUN:
		line->run = optarg;
		return true;
	case OPTION_PLATFORM:
		settings->platform = optarg;
		return true;
	case OPTION_DEVICE:
		settings->device = optarg;
		return true;
	case OPTION_TIME:
		return option_seconds("--time", optarg, &settings->seconds, err);
	case OPTION_TIMEOUT:
		return option_seconds("--timeout", optarg, &settings->limit, err);
	case 'q':
		settings->quiet = true;
		return true;
	case 'h':
		line->help = true;
		return true;
	case OPTION_VERSION:
		line->version = true;
		return true;
	default:
		return option_refuse(option, argv, err);
	}
}

static bool parse(struct command_line *line, int argc, char **argv, struct error *err)
{
	int option;

	*line = (struct command_line){ .settings = { .seconds = DEFAULT_SECONDS,
						     .limit = DEFAULT_LIMIT } };
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":qh", long_options, NULL)) != -1)
		if (!parse_option(line, option, argv, err))
			return false;
	line->patterns = argv + optind;
	line->pattern_count = (size_t)(argc - optind);
	if ((line->list || line->run) && line->pattern_count)
		return fail(err, EXIT_USAGE_ERROR, "--%s takes no '%s' beside it",
			    line->list ? "list" : "run", line->patterns[0]);
	return true;
}

static void list(void)
{
	const struct test *test;

	for (size_t i = 0; (test = tests_at(i)); i++)
		printf("%s\t%s (%s)\n", test->name, test->rule, test->section);
}

static bool run_named(const struct command_line *line, struct error *err)
{
	const struct test *test = tests_find(line->run);

	if (!test)
		return fail(err, EXIT_USAGE_ERROR, "there is no test '%s'; --list names them",
			    line->run);
	return run_here(&line->settings, test, err);
}

static bool wanted(const struct command_line *line, const struct test *test, bool *used)
{
	bool any = !line->pattern_count;

	for (size_t i = 0; i < line->pattern_count; i++)
		if (!fnmatch(line->patterns[i], test->name, 0))
			any = used[i] = true;
	return any;
}

static bool choose_and_run(const struct command_line *line, const struct test **chosen, bool *used,
			   size_t *failed, struct error *err)
{
	const struct test *test;
	size_t count = 0;

	for (size_t i = 0; (test = tests_at(i)); i++)
		if (wanted(line, test, used))
			chosen[count++] = test;
	for (size_t i = 0; i < line->pattern_count; i++)
		if (!used[i])
			return fail(err, EXIT_USAGE_ERROR,
				    "no test's name matches '%s'; --list names them",
				    line->patterns[i]);
	return run_all(&line->settings, chosen, count, failed, err);
}

static bool run_many(const struct command_line *line, size_t *failed, struct error *err)
{
	const struct test **chosen = calloc(tests_count(), sizeof(*chosen));
	bool *used = calloc(line->pattern_count + 1, sizeof(*used));
	bool ok;

	if (chosen && used)
		ok = choose_and_run(line, chosen, used, failed, err);
	else
		ok = fail(err, EXIT_NO_MEMORY, "out of memory");
	free(chosen);
	free(used);
	return ok;
}

static bool dispatch(const struct command_line *line, size_t *failed, struct error *err)
{
	if (line->help)
		fputs(usage, stdout);
	else if (line->version)
		puts("svmatomic-conformance " VERSION);
	else if (line->list)
		list();
	else if (line->run)
		return run_named(line, err);
	else
		return run_many(line, failed, err);
	return true;
}

int main(int argc, char **argv)
{
	struct error err = { 0 };
	struct command_line line;
	size_t failed = 0;
	int code;

	setlocale(LC_CTYPE, "");
	if (parse(&line, argc, argv, &err))
		dispatch(&line, &failed, &err);
	code = err.code;
	if (err.text[0])
		fprintf(stderr, "svmatomic-conformance: %s\n", err.text);
	if (fflush(stdout) && code == EXIT_OK) {
		fputs("svmatomic-conformance: cannot write to standard output: free space on the "
		      "disk or check the pipe\n",
		      stderr);
		code = EXIT_OUTPUT;
	}
	if (code == EXIT_OK && failed)
		code = 1;
	/* A driver may hang in its exit handlers. */
	_exit(code);
}
