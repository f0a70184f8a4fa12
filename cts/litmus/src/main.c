/* SPDX-License-Identifier: MIT */
/*
 * svmatomic-litmus: whether host and device keep the OpenCL memory model, by litmus tests.
 */
#include "children.h"
#include "clock.h"
#include "library.h"
#include "options.h"
#include "progress.h"
#include "report.h"

#include <fnmatch.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* For all tests together; a test gets an equal part. The compiler's time comes on top. */
#define QUICK_SECONDS 45.0
#define FULL_SECONDS  1200.0
/* What a test may take beyond its time: a slow compiler, a busy machine. */
#define GRACE_SECONDS 120.0

enum {
	STATUS_FAILED = 1,
	STATUS_NOT_APPLICABLE = 77,
	STATUS_PARTIAL = 78,
};

static const char usage[] =
	"usage: svmatomic-litmus [OPTION...] [PATTERN|FILE...]\n"
	"       svmatomic-litmus --run NAME|FILE [OPTION...]\n"
	"       svmatomic-litmus --list | --show NAME|FILE | --check FILE...\n"
	"\n"
	"Runs litmus tests on host threads and an OpenCL device at once, and holds what they\n"
	"see against the OpenCL memory model. Without --run: all tests, those whose names match\n"
	"a pattern, or those of files, each in a process of its own, then a table.\n"
	"\n"
	"  --list              one test a line: its name, a tab, what it checks\n"
	"  --show NAME         a test's variants, and what the model says of each\n"
	"  --check FILE...     read files, verify what they state; needs no device\n"
	"  --run NAME          that one test, in this process; the last line is the verdict:\n"
	"                      pass | fail: REASON | not applicable: REASON | partial: REASON\n"
	"  --platform TEXT     a part of the platform's name, in any case, or its number\n"
	"  --device TEXT       a part of the device's name, or its number; else the first\n"
	"  --one-device        leave out a second device, if there is one\n"
	"  --profile quick|full\n"
	"                      quick (default): some placements, a minute; full: all, and all\n"
	"                      scopes, twenty minutes\n"
	"  --time SECONDS      for all tests together, or for the one of --run\n"
	"  --orders TEXT       only this variant, as --show writes it\n"
	"  --placement TEXT    only this placement: a letter for each thread, h for the host,\n"
	"                      a, b ... for work-groups, A, B ... for the second device's\n"
	"  --scope wg|dev|all  only this scope\n"
	"  --no-mutants        no mutants: no confidence either\n"
	"  --seed N            seed of delays and of how the tests are run (1)\n"
	"  --break sc|acq_rel|fence|rmw\n"
	"                      build kernels that are wrong in this; tests are to fail\n"
	"  --json FILE         the result as JSON; - is standard output\n"
	"  -q, --quiet         no progress\n"
	"\n"
	"Exit codes: 0 no forbidden outcome; 1 one was seen, or a test crashed; 64 usage; 65 a\n"
	"file that is no litmus test, or states what the model does not say; 66 a file that\n"
	"cannot be read; 69 no device; 71 memory; 73 and 74 output; 75 device lost; 130\n"
	"interrupted. With --run, also 77 not applicable, 78 partial.\n";

enum {
	OPTION_LIST = 256,
	OPTION_SHOW,
	OPTION_CHECK,
	OPTION_RUN,
	OPTION_PLATFORM,
	OPTION_DEVICE,
	OPTION_ONE_DEVICE,
	OPTION_PROFILE,
	OPTION_TIME,
	OPTION_ORDERS,
	OPTION_PLACEMENT,
	OPTION_SCOPE,
	OPTION_NO_MUTANTS,
	OPTION_SEED,
	OPTION_BREAK,
	OPTION_JSON,
	OPTION_VERSION
};

static const struct option long_options[] = {
	{ "list", no_argument, NULL, OPTION_LIST },
	{ "show", required_argument, NULL, OPTION_SHOW },
	{ "check", no_argument, NULL, OPTION_CHECK },
	{ "run", required_argument, NULL, OPTION_RUN },
	{ "platform", required_argument, NULL, OPTION_PLATFORM },
	{ "device", required_argument, NULL, OPTION_DEVICE },
	{ "one-device", no_argument, NULL, OPTION_ONE_DEVICE },
	{ "profile", required_argument, NULL, OPTION_PROFILE },
	{ "time", required_argument, NULL, OPTION_TIME },
	{ "orders", required_argument, NULL, OPTION_ORDERS },
	{ "placement", required_argument, NULL, OPTION_PLACEMENT },
	{ "scope", required_argument, NULL, OPTION_SCOPE },
	{ "no-mutants", no_argument, NULL, OPTION_NO_MUTANTS },
	{ "seed", required_argument, NULL, OPTION_SEED },
	{ "break", required_argument, NULL, OPTION_BREAK },
	{ "json", required_argument, NULL, OPTION_JSON },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ 0 },
};

struct command_line {
	struct session_options session;
	const char *platform;
	const char *device;
	bool one_device;
	enum fault fault;
	const char *json;
	bool quiet;
	/* What was found out of the device so far, for tests of so many threads. */
	struct concurrency concurrency[MAX_THREADS + 1];
	const char *run;
	const char *show;
	bool list;
	bool check;
	bool help;
	bool version;
	char **names;
	size_t name_count;
};

/* --- options ------------------------------------------------------------------ */

static bool parse_word(const char *option, const char *text, const char *const *words, int first,
		       int count, int *out, struct error *err)
{
	char known[96] = "";

	for (int i = first; i < count; i++) {
		if (!strcmp(text, words[i])) {
			*out = i;
			return true;
		}
		snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s",
			 known[0] ? ", " : "", words[i]);
	}
	return fail(err, EXIT_USAGE_ERROR, "--%s is none of %s, but '%s'", option, known, text);
}

static bool parse_seed(const char *text, uint32_t *out, struct error *err)
{
	char *end;
	const unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end || *text == '-' || value > UINT32_MAX)
		return fail(err, EXIT_USAGE_ERROR, "--seed wants a number up to %u, not '%s'",
			    UINT32_MAX, text);
	*out = (uint32_t)value;
	return true;
}

static bool parse_profile(struct command_line *line, const char *text, struct error *err)
{
	static const char *const profiles[] = { "quick", "full" };
	int profile;

	if (!parse_word("profile", text, profiles, 0, 2, &profile, err))
		return false;
	line->session.profile = (enum profile)profile;
	return true;
}

static bool parse_fault(struct command_line *line, const char *text, struct error *err)
{
	int fault;

	if (!parse_word("break", text, fault_words, FAULT_SC, FAULT_COUNT, &fault, err))
		return false;
	line->fault = (enum fault)fault;
	return true;
}

static bool parse_scope(struct command_line *line, const char *text, struct error *err)
{
	int scope;

	line->session.scope = text;
	return parse_word("scope", text, scope_words, SCOPE_WG, SCOPE_COUNT, &scope, err);
}

static bool parse_option(struct command_line *line, int option, char **argv, struct error *err)
{
	switch (option) {
	case OPTION_LIST:
		line->list = true;
		return true;
	case OPTION_SHOW:
		line->show = optarg;
		return true;
	case OPTION_CHECK:
		line->check = true;
		return true;
	case OPTION_RUN:
		line->run = optarg;
		return true;
	case OPTION_PLATFORM:
		line->platform = optarg;
		return true;
	case OPTION_DEVICE:
		line->device = optarg;
		return true;
	case OPTION_ONE_DEVICE:
		line->one_device = true;
		return true;
	case OPTION_PROFILE:
		return parse_profile(line, optarg, err);
	case OPTION_TIME:
		return option_seconds("--time", optarg, &line->session.seconds, err);
	case OPTION_ORDERS:
		line->session.orders = optarg;
		return true;
	case OPTION_PLACEMENT:
		line->session.placement = optarg;
		return true;
	case OPTION_SCOPE:
		return parse_scope(line, optarg, err);
	case OPTION_NO_MUTANTS:
		line->session.mutants = false;
		return true;
	case OPTION_SEED:
		return parse_seed(optarg, &line->session.seed, err);
	case OPTION_BREAK:
		return parse_fault(line, optarg, err);
	case OPTION_JSON:
		line->json = optarg;
		return true;
	case 'q':
		line->quiet = true;
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

	*line = (struct command_line){ .session = { .seed = 1, .mutants = true } };
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":qh", long_options, NULL)) != -1)
		if (!parse_option(line, option, argv, err))
			return false;
	line->names = argv + optind;
	line->name_count = (size_t)(argc - optind);
	if ((line->list || line->show || line->run) && line->name_count)
		return fail(err, EXIT_USAGE_ERROR, "'%s' is one argument too many; see --help",
			    line->names[0]);
	if (line->check && !line->name_count)
		return fail(err, EXIT_USAGE_ERROR, "--check wants the files to check");
	return true;
}

/* --- looking at tests, without a device ----------------------------------------- */

static void list(const struct library *library)
{
	for (size_t i = 0; i < library->count; i++)
		printf("%s\t%s (OpenCL 3.0 API, Memory Ordering Rules)\n", library->test[i].name,
		       library->test[i].summary);
}

/* A test of the program, or of a file, which becomes one of @library. */
static const struct test *find(struct library *library, const char *name, struct error *err)
{
	const struct test *test;

	if (is_file_name(name)) {
		if (!library_add_file(library, name, err))
			return NULL;
		test = &library->test[library->count - 1];
		return test_verify(test, TOTAL_ALWAYS, err) ? test : NULL;
	}
	test = library_find(library, name);
	if (!test)
		fail(err, EXIT_USAGE_ERROR, "there is no test '%s'; --list names them", name);
	return test;
}

/* What the model says at the widest scope, with every outcome that it allows. */
static void show_variant(const struct test *test, const struct variant *variant)
{
	static struct judgement judgement;
	char placement[MAX_THREADS + 1] = "hhhh";
	struct program program;
	char name[128];
	char race[160];

	placement[test->threads] = '\0';
	test_instantiate(test, variant, SCOPE_ALL,
			 variant->placement[0] ? variant->placement : placement, &program);
	judge(&program, TOTAL_ALWAYS, &judgement);
	variant_name(test, variant, name, sizeof(name));
	printf("%s%s%s  %s", name, variant->placement[0] ? " at " : "", variant->placement,
	       verdict_words[judge_condition(&judgement, &test->condition)]);
	if (judgement.racy) {
		race_text(test, &program, &judgement.race, race, sizeof(race));
		printf(": %s\n", race);
		return;
	}
	printf("; %llu of %llu candidate executions are consistent:\n",
	       (unsigned long long)judgement.consistent, (unsigned long long)judgement.candidates);
	for (size_t i = 0; i < judgement.count; i++) {
		char outcome[160];

		outcome_text(test, judgement.outcomes[i], true, outcome, sizeof(outcome));
		printf("  %c %s\n",
		       condition_holds(&test->condition, judgement.outcomes[i]) ? '*' : ' ',
		       outcome);
	}
}

static bool show(struct library *library, const char *name, struct error *err)
{
	const struct test *test = find(library, name, err);

	if (!test)
		return false;
	printf("%s: %s\nexists %s (marked *)\n\n", test->name, test->summary, test->condition_text);
	for (unsigned v = 0; v < test->variants; v++)
		show_variant(test, &test->variant[v]);
	return true;
}

/* Each file's first fault on a line of its own; the worst decides. */
static bool check(const struct command_line *line, struct library *library, struct error *err)
{
	for (size_t i = 0; i < line->name_count; i++) {
		struct error one = { 0 };

		if (library_add_file(library, line->names[i], &one) &&
		    test_verify(&library->test[library->count - 1], TOTAL_ALWAYS, &one))
			continue;
		fprintf(stderr, "svmatomic-litmus: %s\n", one.text);
		if (one.code > err->code)
			err->code = one.code;
	}
	return err->code == EXIT_OK;
}

/* --- running ------------------------------------------------------------------------ */

/* The session on an engine of its own; @use gets it when it is done. */
static bool with_session(const struct command_line *line, const struct test *test,
			 bool (*use)(const struct session *session, double seconds, void *context,
				     struct error *err),
			 void *context, struct error *err)
{
	static struct engine engine;
	struct session session = { 0 };
	const uint64_t start = clock_ns();
	bool ok = engine_open(&engine, line->platform, line->device, !line->one_device,
			      test->threads, line->fault, err);

	engine.concurrency = line->concurrency[test->threads];
	ok = ok && session_plan(&session, &engine, test, &line->session, err) &&
	     session_run(&session, err);
	ok = ok && use(&session, (double)(clock_ns() - start) * 1e-9, context, err);
	session_clear(&session);
	/* A lost device is not asked for anything any more. */
	if (err->code != EXIT_DEVICE_LOST)
		engine_close(&engine);
	return ok;
}

static json_t *document(const struct command_line *line, json_t *device, json_t *tests)
{
	return json_pack("{s:s, s:s, s:i, s:s, s:o?, s:o, s:o}", "program", "svmatomic-litmus",
			 "version", VERSION, "seed", (int)line->session.seed, "profile",
			 line->session.profile == PROFILE_FULL ? "full" : "quick", "device", device,
			 "score", score_json(tests), "tests", tests);
}

static bool write_json(const json_t *json, const char *path, struct error *err)
{
	const bool ok = strcmp(path, "-")
				? !json_dump_file(json, path, JSON_INDENT(1))
				: !json_dumpf(json, stdout, JSON_INDENT(1)) && putchar('\n') != EOF;

	return ok ? true
		  : fail(err, EXIT_CANNOT_CREATE,
			 "cannot write %s: check the directory and the disk", path);
}

struct alone {
	const struct command_line *line;
	enum result result;
};

static bool use_alone(const struct session *session, double seconds, void *context,
		      struct error *err)
{
	struct alone *alone = context;
	const char *path = alone->line->json;
	json_t *test = session_json(session, seconds);
	char reason[640];
	bool ok;

	alone->result = session_result(session, reason, sizeof(reason));
	if (!test)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	ok = report_details(test, stdout, err);
	if (ok && path) {
		json_t *json =
			document(alone->line, engine_json(session->engine), json_pack("[O]", test));

		ok = write_json(json, path, err);
		json_decref(json);
	}
	json_decref(test);
	printf("%s%s%s\n", result_words[alone->result], reason[0] ? ": " : "", reason);
	return ok;
}

static bool run_alone(struct command_line *line, struct library *library, int *status,
		      struct error *err)
{
	static const int statuses[RESULT_COUNT] = { 0, STATUS_FAILED, STATUS_NOT_APPLICABLE,
						    STATUS_PARTIAL };
	const struct test *test = find(library, line->run, err);
	struct alone alone = { .line = line };

	if (!test)
		return false;
	if (!line->session.seconds)
		line->session.seconds =
			(line->session.profile == PROFILE_FULL ? FULL_SECONDS : QUICK_SECONDS) /
			(double)library->count;
	if (!with_session(line, test, use_alone, &alone, err))
		return false;
	*status = statuses[alone.result];
	return true;
}

static bool use_in_child(const struct session *session, double seconds, void *context,
			 struct error *err)
{
	json_t *json = json_pack("{s:o, s:o}", "test", session_json(session, seconds), "device",
				 engine_json(session->engine));
	const bool ok = json && !json_dumpf(json, context, 0);

	json_decref(json);
	return ok ? true : fail(err, EXIT_OUTPUT, "cannot write a temporary file");
}

static enum exit_code in_child(const struct test *test, FILE *out, void *context)
{
	const struct command_line *line = context;
	struct error err = { 0 };

	if (with_session(line, test, use_in_child, out, &err))
		return EXIT_OK;
	fprintf(stderr, "svmatomic-litmus: %s\n", err.text);
	return err.code;
}

/* The tests that the command line names, of the program or of files. */
static bool choose(const struct command_line *line, struct library *library, bool **out,
		   struct error *err)
{
	bool *chosen;

	for (size_t i = 0; i < line->name_count; i++)
		if (is_file_name(line->names[i]) && !find(library, line->names[i], err))
			return false;
	chosen = calloc(library->count, sizeof(*chosen));
	if (!chosen)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	*out = chosen;
	for (size_t t = 0; !line->name_count && t < library->count; t++)
		chosen[t] = true;
	for (size_t i = 0; i < line->name_count; i++) {
		bool used = false;

		for (size_t t = 0; t < library->count; t++) {
			const struct test *test = &library->test[t];
			const bool fits = is_file_name(line->names[i])
						  ? !strcmp(test->file, line->names[i])
						  : !fnmatch(line->names[i], test->name, 0);

			chosen[t] |= fits;
			used |= fits;
		}
		if (!used)
			return fail(err, EXIT_USAGE_ERROR,
				    "no test's name matches '%s'; --list names them",
				    line->names[i]);
	}
	return true;
}

/* What one child has found out, the next need not. */
static void remember(struct command_line *line, const struct test *test, const json_t *device)
{
	if (!device)
		return;
	line->concurrency[test->threads] = (struct concurrency){
		.known = true,
		.groups = (unsigned)json_integer_value(json_object_get(device, "groups_at_once")),
		.items = json_is_true(json_object_get(device, "items_at_once")),
		.look_ns = json_real_value(json_object_get(device, "look_ns")),
	};
}

static bool run_chosen(struct command_line *line, const struct library *library, const bool *chosen,
		       size_t count, json_t *tests, json_t **device, struct error *err)
{
	struct progress progress;
	size_t index = 0;

	progress_begin(&progress, count, line->quiet);
	for (size_t t = 0; t < library->count; t++) {
		json_t *result;

		if (!chosen[t])
			continue;
		progress_point(&progress, index++, library->test[t].name);
		result = child_run(&library->test[t], line->session.seconds + GRACE_SECONDS,
				   in_child, line, err);
		if (!result)
			break;
		json_array_append(tests, json_object_get(result, "test"));
		remember(line, &library->test[t], json_object_get(result, "device"));
		if (!*device)
			*device = json_incref(json_object_get(result, "device"));
		json_decref(result);
	}
	progress_end(&progress);
	return err->code == EXIT_OK;
}

static bool run_all(struct command_line *line, struct library *library, int *status,
		    struct error *err)
{
	json_t *device = NULL;
	json_t *tests;
	json_t *json;
	bool *chosen = NULL;
	size_t count = 0;
	bool ok;

	if (!choose(line, library, &chosen, err)) {
		free(chosen);
		return false;
	}
	tests = json_array();
	for (size_t t = 0; t < library->count; t++)
		count += chosen[t];
	if (!line->session.seconds)
		line->session.seconds =
			line->session.profile == PROFILE_FULL ? FULL_SECONDS : QUICK_SECONDS;
	line->session.seconds /= (double)count;
	ok = run_chosen(line, library, chosen, count, tests, &device, err);
	free(chosen);
	json = document(line, device, tests);
	/* What ran is reported, whatever came then. */
	if (json_array_size(json_object_get(json, "tests"))) {
		struct error late = { 0 };
		FILE *out = line->json && !strcmp(line->json, "-") ? stderr : stdout;

		if (!report_tests(json, out, &late) ||
		    (line->json && !write_json(json, line->json, &late)))
			ok = fail(err, late.code, "%s", late.text);
		if (json_integer_value(json_object_get(json_object_get(json, "score"), "fail")))
			*status = STATUS_FAILED;
	}
	json_decref(json);
	return ok;
}

static bool dispatch(struct command_line *line, int *status, struct error *err)
{
	struct library library = { 0 };
	bool ok = true;

	if (line->help) {
		fputs(usage, stdout);
		return true;
	}
	if (line->version) {
		puts("svmatomic-litmus " VERSION);
		return true;
	}
	if (line->check)
		ok = check(line, &library, err);
	else if (!library_fill(&library, err))
		ok = false;
	else if (line->list)
		list(&library);
	else if (line->show)
		ok = show(&library, line->show, err);
	else if (line->run)
		ok = run_alone(line, &library, status, err);
	else
		ok = run_all(line, &library, status, err);
	library_clear(&library);
	return ok;
}

int main(int argc, char **argv)
{
	struct command_line line;
	struct error err = { 0 };
	int status = EXIT_OK;

	setlocale(LC_CTYPE, "");
	if (!parse(&line, argc, argv, &err) || !dispatch(&line, &status, &err)) {
		if (err.text[0])
			fprintf(stderr, "svmatomic-litmus: %s\n", err.text);
		status = err.code;
	}
	if (fflush(stdout) && !status) {
		fputs("svmatomic-litmus: cannot write to standard output: free space on the disk "
		      "or "
		      "check the pipe\n",
		      stderr);
		status = EXIT_OUTPUT;
	}
	if (status == EXIT_DEVICE_LOST)
		_exit(status);
	return status;
}
