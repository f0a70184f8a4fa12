/* SPDX-License-Identifier: MIT */
/*
 * A run from its devices to its exit status.
 */
#include "campaign.h"

#include "clock.h"
#include "outputs.h"
#include "pool.h"
#include "record.h"
#include "result.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a test's log; what comes after that is read and dropped. */
#define LOG_MAX (8u << 20)

struct job {
	const struct suite *suite;
	const struct suite_test *test;
	const char *argv[COMMAND_MAX];
	struct transcript *transcript; /* while it runs */
	FILE *log;
	size_t logged;
	uint64_t started_ns;
};

struct campaign {
	const struct campaign_options *options;
	struct suites suites;
	struct expectations expectations;
	json_t *record;
	struct job *jobs; /* those to run, without those that a resumed run has */
	size_t count;
	size_t next;
	struct progress progress;
	bool device_lost;
	struct error problem; /* the first that did not stop the run; said already */
};

/* Say what is wrong, and go on. */
static void trouble(struct campaign *campaign, enum exit_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void trouble(struct campaign *campaign, enum exit_code code, const char *format, ...)
{
	struct error problem = { 0 };
	char text[sizeof(problem.text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fail(&problem, code, "%s", text);
	progress_end(&campaign->progress);
	fprintf(stderr, "svmatomic-cts: %s\n", problem.text);
	fail(&campaign->problem, code, "%s", text);
}

/* --- the record ---------------------------------------------------------------- */

static void save(struct campaign *campaign)
{
	struct error err = { 0 };

	if (!campaign->options->json || !strcmp(campaign->options->json, "-") ||
	    campaign->problem.code == EXIT_CANNOT_CREATE || campaign->problem.code == EXIT_OUTPUT)
		return;
	if (!result_write_json(campaign->options->json, campaign->record, &err))
		trouble(campaign, err.code, "%s; the run goes on without it", err.text);
}

/* What is expected of a test, beside what became of it. */
static void annotate(struct campaign *campaign, json_t *test)
{
	static const char *const names[] = { [DIFFERENCE_NONE] = NULL,
					     [DIFFERENCE_BETTER] = "better",
					     [DIFFERENCE_WORSE] = "worse" };
	const struct expectation *line =
		expectations_find(&campaign->expectations, record_text(test, "name"));
	const enum difference difference =
		expectations_compare(&campaign->expectations, line, record_verdict(test));
	char expected[80];

	expectations_describe(&campaign->expectations, line, expected, sizeof(expected));
	json_object_set_new(test, "expected", json_string(expected));
	json_object_del(test, "difference");
	json_object_del(test, "why");
	if (names[difference])
		json_object_set_new(test, "difference", json_string(names[difference]));
	if (line && *line->reason)
		json_object_set_new(test, "why", json_string(line->reason));
}

static bool same_device(const json_t *a, const json_t *b)
{
	static const char *const members[] = { "platform", "version", "device", "driver", "svm" };

	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		if (strcmp(record_text(a, members[i]), record_text(b, members[i])) != 0)
			return false;
	return true;
}

/* A record that is there already is gone on with only on the device that it is of. */
static bool begin_record(struct campaign *campaign, json_t *device, struct error *err)
{
	const struct campaign_options *options = campaign->options;
	const json_t *old;

	if (!options->resume || access(options->json, F_OK)) {
		campaign->record = record_new(device);
		return campaign->record || fail(err, EXIT_NO_MEMORY, "out of memory");
	}
	campaign->record = record_load(options->json, err);
	if (!campaign->record)
		return false;
	old = json_object_get(campaign->record, "device");
	if (!same_device(old, device))
		return fail(
			err, EXIT_BAD_DATA,
			"%s is of another device or driver (%s, %s), not of this (%s, %s); give "
			"another --json",
			options->json, record_text(old, "device"), record_text(old, "driver"),
			record_text(device, "device"), record_text(device, "driver"));
	json_object_set_new(campaign->record, "complete", json_false());
	return true;
}

/* --- which tests ------------------------------------------------------------------- */

static void leave_out(struct campaign *campaign, const char *what, const char *why)
{
	json_array_append_new(json_object_get(campaign->record, "left_out"),
			      json_pack("{s:s, s:s}", "what", what, "why", why));
}

/* A program that nobody asked for is only mentioned. */
static void report_absence(struct campaign *campaign, const struct suite *suite)
{
	if (suite->absent.code == EXIT_OK)
		return;
	leave_out(campaign, suite->name, suite->absent.text);
	if (selection_asks(&campaign->options->selection, suite))
		trouble(campaign, suite->absent.code, "%s", suite->absent.text);
}

static bool plan_test(struct campaign *campaign, const struct suite *suite,
		      const struct suite_test *test)
{
	struct job *grown = realloc(campaign->jobs, (campaign->count + 1) * sizeof(*grown));

	if (!grown)
		return false;
	campaign->jobs = grown;
	grown[campaign->count++] = (struct job){ .suite = suite, .test = test };
	return true;
}

/* In the run that is gone on with. What had no verdict, as its device was gone, may have one. */
static bool is_done(const struct campaign *campaign, const struct suite_test *test)
{
	const json_t *result = record_find(campaign->record, test->name);

	return result && record_verdict(result) != VERDICT_ERROR;
}

static bool plan_suite(struct campaign *campaign, const struct suite *suite)
{
	const struct selection *selection = &campaign->options->selection;
	size_t unusual = 0;
	bool ok = true;
	char why[96];

	for (size_t i = 0; ok && i < suite->count; i++) {
		const struct suite_test *test = &suite->tests[i];

		expectations_find(&campaign->expectations, test->name); /* marks the line as used */
		if (!selection_has(selection, suite, test))
			unusual++;
		else if (!is_done(campaign, test))
			ok = plan_test(campaign, suite, test);
	}
	if (!*selection->patterns && unusual) {
		snprintf(why, sizeof(why), "%zu tests that are not of SVM; --all runs them, too",
			 unusual);
		leave_out(campaign, suite->name, why);
	}
	return ok;
}

/* In the order of the programs; what is found out before any test runs is said here. */
static bool plan(struct campaign *campaign, struct error *err)
{
	json_object_set_new(campaign->record, "left_out", json_array());
	for (size_t i = 0; i < campaign->suites.count; i++) {
		report_absence(campaign, &campaign->suites.at[i]);
		if (!plan_suite(campaign, &campaign->suites.at[i]))
			return fail(err, EXIT_NO_MEMORY, "out of memory");
	}
	if (campaign->count || json_array_size(json_object_get(campaign->record, "tests")))
		return true;
	/* The reason has been said where there is one. */
	if (campaign->problem.code != EXIT_OK) {
		err->code = campaign->problem.code;
		return false;
	}
	return fail(err, EXIT_NO_INPUT,
		    "no tests here: neither Khronos' programs (--bindir) nor svmatomic-conformance "
		    "and svmatomic-litmus (--programs)");
}

/* --- expectations --------------------------------------------------------------------- */

static void read_expectations(struct campaign *campaign, const json_t *device)
{
	for (const char *const *path = campaign->options->expectations; *path; path++)
		expectations_read(&campaign->expectations, *path, device, stderr);
	if (campaign->expectations.broken)
		fail(&campaign->problem, campaign->expectations.code, "%u broken expectations",
		     campaign->expectations.broken);
	json_object_set(campaign->record, "expectations", campaign->expectations.files);
}

/* Whether the program that a pattern is for has told which tests it has. */
static bool is_listed(const struct suites *suites, const char *pattern)
{
	for (size_t i = 0; i < suites->count; i++) {
		const struct suite *suite = &suites->at[i];

		if (suite->count && record_suite_length(pattern) == strlen(suite->name) &&
		    !strncmp(suite->name, pattern, strlen(suite->name)))
			return true;
	}
	return false;
}

/* Misspelt or gone: nothing is wrong with the device, but the line does not do what it should. */
static void report_unused(const struct campaign *campaign)
{
	for (size_t i = 0; i < campaign->expectations.count; i++) {
		const struct expectation *line = &campaign->expectations.at[i];

		if (!line->used && is_listed(&campaign->suites, line->pattern))
			fprintf(stderr, "svmatomic-cts: %s: no test fits '%s'\n", line->where,
				line->pattern);
	}
}

/* --- running ----------------------------------------------------------------------------- */

static void open_log(struct campaign *campaign, struct job *job)
{
	const char *logs = campaign->options->logs;
	char *path;

	if (!logs || asprintf(&path, "%s/%s.log", logs, job->test->name) < 0)
		return;
	for (char *c = path + strlen(logs) + 1; *c; c++)
		*c = *c == '/' ? '.' : *c;
	job->log = fopen(path, "we");
	if (!job->log)
		trouble(campaign, EXIT_CANNOT_CREATE, "cannot write %s: %s", path, strerror(errno));
	free(path);
}

static bool next_test(void *context, struct pool_task *task)
{
	struct campaign *campaign = context;
	struct job *job;

	if (campaign->next == campaign->count)
		return false;
	job = &campaign->jobs[campaign->next];
	job->transcript = malloc(sizeof(*job->transcript));
	if (!job->transcript)
		return false;
	transcript_begin(job->transcript, suite_protocol(job->suite),
			 suite_test_name(job->suite, job->test));
	suite_command(job->suite, job->test, &campaign->options->selection.places, job->argv);
	open_log(campaign, job);
	progress_point(&campaign->progress, campaign->next++, job->test->name);
	job->started_ns = clock_ns();
	*task = (struct pool_task){ .argv = job->argv,
				    .limit_s = campaign->options->timeout_s,
				    .data = job };
	return true;
}

static void test_output(void *context, void *data, const char *bytes, size_t size)
{
	struct job *job = data;

	(void)context;
	transcript_feed(job->transcript, bytes, size);
	if (!job->log || job->logged >= LOG_MAX)
		return;
	fwrite(bytes, 1, size, job->log);
	job->logged += size;
	if (job->logged >= LOG_MAX)
		fputs("\n[svmatomic-cts: the rest was not kept]\n", job->log);
}

static void test_done(void *context, void *data, const struct ending *ending,
		      const struct error *err)
{
	struct campaign *campaign = context;
	struct job *job = data;
	struct outcome outcome = { 0 };
	char *output;
	json_t *test;

	if (ending)
		transcript_end(job->transcript, ending, &outcome);
	else
		outcome_set(&outcome, VERDICT_ERROR, "%s", err->text);
	output = outcome.verdict == VERDICT_PASS ? NULL : transcript_tail(job->transcript);
	test = record_add(campaign->record, job->test->name, &outcome,
			  (double)(clock_ns() - job->started_ns) * 1e-9, output);
	if (test)
		annotate(campaign, test);
	save(campaign);
	campaign->device_lost |= outcome.device_lost;
	free(output);
	free(job->transcript);
	job->transcript = NULL;
	if (job->log)
		fclose(job->log);
	job->log = NULL;
}

/* What was running when the user interrupted. */
static void drop_jobs(struct campaign *campaign)
{
	for (size_t i = 0; i < campaign->count; i++) {
		free(campaign->jobs[i].transcript);
		if (campaign->jobs[i].log)
			fclose(campaign->jobs[i].log);
	}
}

/* As the programs list them, not as they happened to end; results of other tests after them. */
static void sort_tests(struct campaign *campaign)
{
	json_t *sorted = json_array();
	json_t *tests = json_object_get(campaign->record, "tests");
	json_t *test;
	size_t at;

	for (size_t i = 0; i < campaign->suites.count; i++) {
		const struct suite *suite = &campaign->suites.at[i];

		for (size_t j = 0; j < suite->count; j++)
			json_array_append(sorted,
					  record_find(campaign->record, suite->tests[j].name));
	}
	json_array_foreach (tests, at, test) {
		bool have = false;
		const json_t *other;
		size_t i;

		json_array_foreach (sorted, i, other)
			have |= other == test;
		if (!have)
			json_array_append(sorted, test);
	}
	json_object_set_new(campaign->record, "tests", sorted);
}

/* --- the end -------------------------------------------------------------------------- */

static void put_outputs(struct campaign *campaign)
{
	const struct campaign_options *options = campaign->options;
	const struct {
		const char *path;
		bool (*put)(FILE *out, const json_t *record);
	} outputs[] = { { options->tap, output_tap }, { options->junit, output_junit } };
	struct error err = { 0 };
	bool stdout_taken = options->json && !strcmp(options->json, "-");

	if (stdout_taken && !result_write_json("-", campaign->record, &err))
		trouble(campaign, err.code, "%s", err.text);
	for (size_t i = 0; i < sizeof(outputs) / sizeof(*outputs); i++) {
		const char *path = outputs[i].path;

		err = (struct error){ 0 };
		if (path && !result_write(path, outputs[i].put, campaign->record, &err))
			trouble(campaign, err.code, "%s", err.text);
		stdout_taken |= path && !strcmp(path, "-");
	}
	if (!stdout_taken && !output_table(stdout, campaign->record))
		trouble(campaign, EXIT_NO_MEMORY, "cannot draw the table");
}

static size_t count_differences(const json_t *record, const char *kind)
{
	const json_t *test;
	size_t count = 0;
	size_t i;

	json_array_foreach (json_object_get(record, "tests"), i, test)
		count += !strcmp(record_text(test, "difference"), kind);
	return count;
}

/* What a caller has to know first comes first. */
static int exit_status(const struct campaign *campaign)
{
	if (campaign->device_lost)
		return EXIT_DEVICE_LOST;
	if (count_differences(campaign->record, "worse"))
		return EXIT_WORSE;
	if (campaign->problem.code != EXIT_OK)
		return campaign->problem.code;
	return count_differences(campaign->record, "better") ? EXIT_CHANGE : EXIT_OK;
}

/* Results of an earlier run meet the expectations of this one. */
static void annotate_all(struct campaign *campaign)
{
	json_t *test;
	size_t i;

	json_array_foreach (json_object_get(campaign->record, "tests"), i, test)
		annotate(campaign, test);
}

static int finish(struct campaign *campaign, bool complete, struct error *err)
{
	const struct campaign_options *options = campaign->options;

	progress_end(&campaign->progress);
	sort_tests(campaign);
	json_object_set_new(campaign->record, "complete", json_boolean(complete));
	save(campaign);
	if (options->verbose)
		json_object_set_new(campaign->record, "verbose", json_true());
	put_outputs(campaign);
	if (complete)
		return exit_status(campaign);
	err->text[0] = 0;
	fprintf(stderr, "svmatomic-cts: interrupted; %zu tests are done%s\n",
		json_array_size(json_object_get(campaign->record, "tests")),
		options->json ? ", go on with the same command and --resume" : "");
	return EXIT_INTERRUPTED;
}

static int run_tests(struct campaign *campaign, struct error *err)
{
	static const struct pool_client client = { next_test, test_output, test_done };
	bool complete;

	report_unused(campaign);
	annotate_all(campaign);
	progress_begin(&campaign->progress, campaign->count, campaign->options->quiet);
	save(campaign);
	complete = pool_run(campaign->options->jobs, &client, campaign, err);
	drop_jobs(campaign);
	if (!complete && err->code != EXIT_INTERRUPTED)
		return err->code;
	return finish(campaign, complete, err);
}

static bool make_logs(const char *path, struct error *err)
{
	if (!path || mkdir(path, 0777) == 0 || errno == EEXIST)
		return true;
	return fail(err, EXIT_CANNOT_CREATE, "cannot create %s: %s", path, strerror(errno));
}

int campaign_run(struct campaign_options *options, struct error *err)
{
	struct campaign campaign = { .options = options, .progress = { .quiet = true } };
	struct selection *selection = &options->selection;
	json_t *device = NULL;
	int code = EXIT_OK;

	expectations_begin(&campaign.expectations);
	if (pool_begin(err) && make_logs(options->logs, err) &&
	    selection_fill(selection, &campaign.suites, err) &&
	    selection_check(selection, &campaign.suites, err))
		device = ask_for_device(&selection->places, err);
	if (device && begin_record(&campaign, device, err)) {
		read_expectations(&campaign, device);
		if (plan(&campaign, err))
			code = run_tests(&campaign, err);
	}
	if (code == EXIT_OK)
		code = err->code;
	json_decref(device);
	json_decref(campaign.record);
	free(campaign.jobs);
	expectations_clear(&campaign.expectations);
	suites_clear(&campaign.suites);
	return code;
}
