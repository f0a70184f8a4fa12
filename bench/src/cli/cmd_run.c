/* SPDX-License-Identifier: MIT */
/*
 * svmatomic-bench run: options in, measured result out.
 */
#include "commands.h"
#include "report.h"
#include "result.h"
#include "runner.h"
#include "table.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum option_code {
	OPT_PROFILE = 256,
	OPT_JSON,
	OPT_CSV,
	OPT_REPORT,
	OPT_BUDGET,
	OPT_INTERVAL,
	OPT_WINDOW,
	OPT_SAMPLES,
	OPT_SEED,
	OPT_TIMEOUT,
	OPT_UNCLAIMED,
	OPT_NO_GATE,
	OPT_BROKEN,
	OPT_SELF_CHECK,
};

struct command {
	struct run_options run;
	const char *json;
	const char *csv;
	const char *report;
};

static const char usage[] =
	"usage: svmatomic-bench run [WORKLOAD...] [options]\n"
	"\n"
	"Measures WORKLOADs (contend, handoff, histogram, queue, hash, bfs, steal; apps\n"
	"is the last five). Without one: all of them, or contend where axes are given.\n"
	"\n"
	"  -d, --device N|all      device to use, as `list devices` numbers them [all]\n"
	"  -a, --axis NAME=V[,V]   values of an axis; axes multiply (`list axes`)\n"
	"      --profile NAME      quick or full: points and effort [quick]\n"
	"      --json FILE         write the result (- is standard output)\n"
	"      --csv FILE          write one line per measure\n"
	"      --report FILE       write one self-contained HTML page\n"
	"      --interval PERCENT  stop a point when its 95% intervals are this narrow\n"
	"      --budget SECONDS    ... or when it has taken this long\n"
	"      --samples N         ... or after N samples\n"
	"      --window MS         length of a contend leg\n"
	"      --timeout SECONDS   a kernel that runs longer counts as hanging [10]\n"
	"      --seed N            seed of inputs and resampling [1]\n"
	"      --allow-unclaimed   use atomics that the device does not promise\n"
	"      --no-gate           contend without a start gate\n"
	"      --self-check        compare the harness with a plain loop, measure no more\n"
	"      --break-atomics     build kernels whose atomics are not: must end with 3\n"
	"  -q, --quiet             no progress\n"
	"  -h, --help              this text\n";

static const struct option options[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "axis", required_argument, NULL, 'a' },
	{ "profile", required_argument, NULL, OPT_PROFILE },
	{ "json", required_argument, NULL, OPT_JSON },
	{ "csv", required_argument, NULL, OPT_CSV },
	{ "report", required_argument, NULL, OPT_REPORT },
	{ "budget", required_argument, NULL, OPT_BUDGET },
	{ "interval", required_argument, NULL, OPT_INTERVAL },
	{ "window", required_argument, NULL, OPT_WINDOW },
	{ "samples", required_argument, NULL, OPT_SAMPLES },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "allow-unclaimed", no_argument, NULL, OPT_UNCLAIMED },
	{ "no-gate", no_argument, NULL, OPT_NO_GATE },
	{ "break-atomics", no_argument, NULL, OPT_BROKEN },
	{ "self-check", no_argument, NULL, OPT_SELF_CHECK },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* --- parsing ------------------------------------------------------------ */

static bool number(const char *option, const char *text, double low, double high, double *out,
		   struct error *err)
{
	char *end;

	errno = 0;
	*out = strtod(text, &end);
	/* Written this way round, NaN is refused too. */
	if (!errno && end != text && !*end && *out >= low && *out <= high)
		return true;
	return fail(err, EXIT_USAGE_ERROR, "--%s takes a number from %g to %g, not '%s'", option,
		    low, high, text);
}

static bool whole(const char *option, const char *text, uint64_t low, uint64_t high, uint64_t *out,
		  struct error *err)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (!errno && end != text && !*end && text[0] != '-' && *out >= low && *out <= high)
		return true;
	return fail(err, EXIT_USAGE_ERROR, "--%s takes a whole number from %llu to %llu, not '%s'",
		    option, (unsigned long long)low, (unsigned long long)high, text);
}

static bool choose_profile(struct run_options *run, const char *name, struct error *err)
{
	run->request.profile = profile_find(name);
	if (!run->request.profile)
		return fail(err, EXIT_USAGE_ERROR, "there is no profile '%s'; use quick or full",
			    name);
	run->effort = run->request.profile->effort;
	return true;
}

static bool choose_device(struct run_options *run, const char *text, struct error *err)
{
	uint64_t index;

	if (!strcmp(text, "all")) {
		run->device = RUN_ALL_DEVICES;
		return true;
	}
	if (!whole("device", text, 0, 999, &index, err))
		return false;
	run->device = (unsigned)index;
	return true;
}

/* The profile comes first, wherever it stands: the other options change it. */
static bool parse_profile(struct command *command, int argc, char **argv, struct error *err)
{
	int code;

	if (!choose_profile(&command->run, "quick", err))
		return false;
	optind = 0;
	opterr = 0;
	while ((code = getopt_long(argc, argv, "d:a:qh", options, NULL)) != -1)
		if (code == OPT_PROFILE && !choose_profile(&command->run, optarg, err))
			return false;
	return true;
}

static bool parse_effort(struct effort *effort, int code, const char *text, struct error *err)
{
	uint64_t count;
	double value;

	switch (code) {
	case OPT_BUDGET:
		return number("budget", text, 0.001, 86400, &effort->budget_s, err);
	case OPT_INTERVAL:
		if (!number("interval", text, 0.001, 1000, &value, err))
			return false;
		effort->width = value / 100.0;
		return true;
	case OPT_WINDOW:
		if (!number("window", text, 0.1, 60000, &value, err))
			return false;
		effort->window_ns = (uint64_t)(value * 1e6);
		return true;
	default:
		if (!whole("samples", text, 1, 1000000, &count, err))
			return false;
		effort->max_samples = (unsigned)count;
		if (effort->min_samples > effort->max_samples)
			effort->min_samples = effort->max_samples;
		return true;
	}
}

static bool parse_option(struct command *command, int code, const char *text, struct error *err)
{
	struct run_options *run = &command->run;

	switch (code) {
	case 'd':
		return choose_device(run, text, err);
	case 'a':
		run->request.has_axes = true;
		return axis_lists_set(&run->request.lists, text, err);
	case OPT_JSON:
		command->json = text;
		return true;
	case OPT_CSV:
		command->csv = text;
		return true;
	case OPT_REPORT:
		command->report = text;
		return true;
	case OPT_BUDGET:
	case OPT_INTERVAL:
	case OPT_WINDOW:
	case OPT_SAMPLES:
		return parse_effort(&run->effort, code, text, err);
	case OPT_SEED:
		return whole("seed", text, 0, INT64_MAX, &run->seed, err);
	case OPT_TIMEOUT:
		return number("timeout", text, 0.1, 3600, &run->timeout_s, err);
	case OPT_UNCLAIMED:
		run->allow_unclaimed = true;
		return true;
	case OPT_NO_GATE:
		run->no_gate = true;
		return true;
	case OPT_BROKEN:
		run->broken = true;
		return true;
	case OPT_SELF_CHECK:
		run->self_check = true;
		return true;
	case 'q':
		run->quiet = true;
		return true;
	default:
		return true; /* the profile, already parsed */
	}
}

static bool add_workload(struct request *request, const char *name, struct error *err)
{
	const bool apps = !strcmp(name, "apps");
	bool found = false;

	for (size_t i = 0; workloads[i]; i++) {
		const bool is_app =
			workloads[i] != &workload_contend && workloads[i] != &workload_handoff;

		if ((apps && is_app) || !strcmp(workloads[i]->name, name)) {
			request->workloads |= 1u << i;
			found = true;
		}
	}
	return found || fail(err, EXIT_USAGE_ERROR,
			     "there is no workload '%s'; `svmatomic-bench list workloads` names "
			     "them",
			     name);
}

static bool parse(struct command *command, int argc, char **argv, bool *help, struct error *err)
{
	struct request *request = &command->run.request;
	int code;

	if (!parse_profile(command, argc, argv, err))
		return false;
	optind = 0;
	opterr = 0;
	while ((code = getopt_long(argc, argv, "d:a:qh", options, NULL)) != -1) {
		if (code == 'h') {
			*help = true;
			return true;
		}
		if (code == '?')
			return fail(err, EXIT_USAGE_ERROR,
				    "option '%s' is unknown or lacks its value; see "
				    "`svmatomic-bench run --help`",
				    argv[optind - 1]);
		if (!parse_option(command, code, optarg, err))
			return false;
	}
	for (int i = optind; i < argc; i++)
		if (!add_workload(request, argv[i], err))
			return false;
	if (request->has_axes && !request->workloads)
		return add_workload(request, "contend", err);
	return true;
}

/* --- output ------------------------------------------------------------- */

static bool write_report(const char *path, json_t *result, struct error *err)
{
	const char *name = "this run";

	return report_write(path, &result, &name, 1, err);
}

/* All that can be written is, even where one file cannot. */
static bool write_outputs(const struct command *command, json_t *result, struct error *err)
{
	bool ok = true;

	if (command->json)
		ok &= result_write_json(command->json, result, err);
	if (command->csv)
		ok &= result_write_csv(command->csv, result, err);
	if (command->report && json_array_size(json_object_get(result, "points")))
		ok &= write_report(command->report, result, err);
	return ok;
}

static bool uses_stdout(const char *path)
{
	return path && (!strcmp(path, "-") || !strcmp(path, "/dev/stdout"));
}

static enum exit_code measure_and_write(const struct command *command, struct error *err)
{
	const bool stdout_taken = uses_stdout(command->json) || uses_stdout(command->csv) ||
				  uses_stdout(command->report);
	json_t *result;
	enum exit_code code = run_measure(&command->run, &result, err);
	bool ok = true;

	if (!result)
		return code;
	if (!stdout_taken && code != EXIT_USAGE_ERROR)
		ok = table_print(result, stdout, err);
	/* Nothing measured is nothing to keep. */
	if (code == EXIT_OK || json_array_size(json_object_get(result, "points")) ||
	    json_object_get(result, "self_check"))
		ok &= write_outputs(command, result, err);
	json_decref(result);
	if (code == EXIT_OK && !ok)
		code = err->code;
	return code;
}

enum exit_code command_run(int argc, char **argv, struct error *err)
{
	struct command command = {
		.run = { .device = RUN_ALL_DEVICES, .seed = 1, .timeout_s = 10.0 }
	};
	enum exit_code code = EXIT_OK;
	bool help = false;

	if (!parse(&command, argc, argv, &help, err))
		code = err->code;
	else if (help)
		fputs(usage, stdout);
	else
		code = measure_and_write(&command, err);
	axis_lists_clear(&command.run.request.lists);
	return code;
}
