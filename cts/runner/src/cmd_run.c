/* SPDX-License-Identifier: MIT */
/*
 * svmatomic-cts run: options in, a run out.
 */
#include "campaign.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JOBS_MAX	 256
#define EXPECTATIONS_MAX 16

static const char usage[] =
	"usage: svmatomic-cts run [PATTERN...] [options]\n"
	"\n"
	"Runs the tests whose names fit a PATTERN of the shell's (test_svm/svm_fine_*) or all\n"
	"of a program (test_svm, test_c11_atomics, conformance, litmus). Without: all there is.\n"
	"\n"
	"      --bindir DIR      the user's build of Khronos' OpenCL-CTS [SVMATOMIC_CTS]\n"
	"      --programs DIR    svmatomic-conformance and svmatomic-litmus [beside this]\n"
	"      --through COMMAND run every test program with it: './run mesa run'\n"
	"      --all             c11_atomics without SVM, too\n"
	"  -p, --platform TEXT   part of the platform's name, or its index\n"
	"  -d, --device TEXT     part of the device's name, or its index\n"
	"  -j, --jobs N          tests at a time [1]\n"
	"      --timeout SECONDS a test that runs longer is killed [1200]\n"
	"      --seed N          for litmus\n"
	"      --time SECONDS    how long each test of conformance and litmus is to take\n"
	"      --expectations P  a file, or a directory of *.txt; may be repeated\n"
	"      --no-expectations failures count, nothing else\n"
	"      --json FILE       the result, written after each test (- is standard output)\n"
	"      --resume          go on with what FILE of --json has\n"
	"      --tap FILE        TAP 13\n"
	"      --junit FILE      JUnit's XML\n"
	"      --logs DIR        what each test wrote\n"
	"  -v, --verbose         all tests in the table, not only what did not plainly pass\n"
	"  -q, --quiet           no progress\n"
	"  -h, --help            this text\n"
	"\n"
	"Exit status: 0 as expected; 1 something is worse; 2 something is better, nothing\n"
	"worse; 65 a program, a result or an expectation is not what it should be, 66 missing;\n"
	"69 no device; 73 and 74 output; 75 the device was lost; 130 interrupted.\n";

enum {
	OPTION_TIMEOUT = OPTION_OTHER,
	OPTION_SEED,
	OPTION_TIME,
	OPTION_EXPECTATIONS,
	OPTION_NO_EXPECTATIONS,
	OPTION_JSON,
	OPTION_RESUME,
	OPTION_TAP,
	OPTION_JUNIT,
	OPTION_LOGS,
};

static const struct option options[] = {
	SELECTION_OPTIONS,
	{ "platform", required_argument, NULL, 'p' },
	{ "device", required_argument, NULL, 'd' },
	{ "jobs", required_argument, NULL, 'j' },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "seed", required_argument, NULL, OPTION_SEED },
	{ "time", required_argument, NULL, OPTION_TIME },
	{ "expectations", required_argument, NULL, OPTION_EXPECTATIONS },
	{ "no-expectations", no_argument, NULL, OPTION_NO_EXPECTATIONS },
	{ "json", required_argument, NULL, OPTION_JSON },
	{ "resume", no_argument, NULL, OPTION_RESUME },
	{ "tap", required_argument, NULL, OPTION_TAP },
	{ "junit", required_argument, NULL, OPTION_JUNIT },
	{ "logs", required_argument, NULL, OPTION_LOGS },
	{ "verbose", no_argument, NULL, 'v' },
	{ "quiet", no_argument, NULL, 'q' },
	{ NULL, 0, NULL, 0 },
};

struct command {
	struct campaign_options run;
	const char *expectations[EXPECTATIONS_MAX + 1];
	size_t expectations_count;
	bool help;
};

static bool parse_jobs(unsigned *jobs, const char *text, struct error *err)
{
	char *end;
	const unsigned long number = strtoul(text, &end, 10);

	if (end == text || *end || !number || number > JOBS_MAX || *text == '-')
		return fail(err, EXIT_USAGE_ERROR, "--jobs takes a number from 1 to %d, not '%s'",
			    JOBS_MAX, text);
	*jobs = (unsigned)number;
	return true;
}

static bool parse_number(const char *option, const char *text, struct error *err)
{
	if (!*text || text[strspn(text, "0123456789")])
		return fail(err, EXIT_USAGE_ERROR, "%s takes a number, not '%s'", option, text);
	return true;
}

static bool add_expectations(struct command *command, const char *path, struct error *err)
{
	if (command->expectations_count == EXPECTATIONS_MAX)
		return fail(err, EXIT_USAGE_ERROR, "--expectations can be given %d times",
			    EXPECTATIONS_MAX);
	command->expectations[command->expectations_count++] = path;
	return true;
}

static bool take_option(struct command *command, int code, const char *value, struct error *err)
{
	struct campaign_options *run = &command->run;
	struct places *places = &run->selection.places;
	double seconds;

	switch (code) {
	case 'p':
		places->platform = value;
		return true;
	case 'd':
		places->device = value;
		return true;
	case 'j':
		return parse_jobs(&run->jobs, value, err);
	case OPTION_TIMEOUT:
		return option_seconds("--timeout", value, &run->timeout_s, err);
	case OPTION_SEED:
		places->seed = value;
		return parse_number("--seed", value, err);
	case OPTION_TIME:
		places->time = value;
		return option_seconds("--time", value, &seconds, err);
	case OPTION_EXPECTATIONS:
		return add_expectations(command, value, err);
	case OPTION_NO_EXPECTATIONS:
		command->expectations_count = 0;
		command->expectations[0] = NULL;
		return true;
	case OPTION_JSON:
		run->json = value;
		return true;
	case OPTION_RESUME:
		run->resume = true;
		return true;
	case OPTION_TAP:
		run->tap = value;
		return true;
	case OPTION_JUNIT:
		run->junit = value;
		return true;
	case OPTION_LOGS:
		run->logs = value;
		return true;
	case 'v':
		run->verbose = true;
		return true;
	case 'q':
		run->quiet = true;
		return true;
	case 'h':
		command->help = true;
		return true;
	default:
		return selection_option(&run->selection, code, value, err);
	}
}

/* Two things cannot be the standard output. */
static bool check_outputs(const struct campaign_options *run, struct error *err)
{
	const char *const paths[] = { run->json, run->tap, run->junit };
	unsigned taken = 0;

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		taken += paths[i] && !strcmp(paths[i], "-");
	if (taken > 1)
		return fail(err, EXIT_USAGE_ERROR,
			    "only one of --json, --tap and --junit can be standard output");
	if (run->resume && (!run->json || !strcmp(run->json, "-")))
		return fail(err, EXIT_USAGE_ERROR, "--resume goes on with the file of --json");
	return true;
}

static bool parse(struct command *command, int argc, char **argv, struct error *err)
{
	bool given = false;
	int code;

	optind = 0;
	opterr = 0;
	while ((code = getopt_long(argc, argv, "p:d:j:vqh", options, NULL)) != -1) {
		if (code == '?')
			return unknown_option(argv, err);
		if (!take_option(command, code, optarg, err))
			return false;
		given |= code == OPTION_EXPECTATIONS || code == OPTION_NO_EXPECTATIONS;
	}
	command->run.selection.patterns = argv + optind;
	/* A program that is not installed has none beside it. */
	if (!given && access(EXPECTATIONS_DIR, F_OK) == 0)
		command->expectations[0] = EXPECTATIONS_DIR;
	return check_outputs(&command->run, err);
}

int command_run(int argc, char **argv, struct error *err)
{
	struct command command = { .run = { .jobs = 1, .timeout_s = 1200 } };
	int code;

	command.run.expectations = command.expectations;
	if (!selection_begin(&command.run.selection, err) || !parse(&command, argc, argv, err)) {
		code = err->code;
	} else if (command.help) {
		fputs(usage, stdout);
		code = EXIT_OK;
	} else {
		code = campaign_run(&command.run, err);
	}
	selection_clear(&command.run.selection);
	return code;
}
