/* SPDX-License-Identifier: MIT */
/*
 * Finding the programs and asking them for their tests.
 */
#include "suites.h"

#include "pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* For the answer to --list, for which no device is opened. */
#define LIST_LIMIT_S 60

static const struct suite known[SUITES_MAX] = {
	{ .name = "test_svm",
	  .program = "test_svm",
	  .khronos = true,
	  .dirs = { "", "SVM/", "test_conformance/SVM/" } },
	{ .name = "test_c11_atomics",
	  .program = "test_c11_atomics",
	  .khronos = true,
	  .usual = "svm_",
	  .dirs = { "", "c11_atomics/", "test_conformance/c11_atomics/" } },
	/* Installed they are side by side, built they are not. */
	{ .name = "conformance",
	  .program = "svmatomic-conformance",
	  .dirs = { "", "conformance/", "../conformance/" } },
	{ .name = "litmus",
	  .program = "svmatomic-litmus",
	  .random = true,
	  .dirs = { "", "litmus/", "../litmus/" } },
};

const struct protocol *suite_protocol(const struct suite *suite)
{
	return suite->khronos ? &protocol_khronos : &protocol_ours;
}

const char *suite_test_name(const struct suite *suite, const struct suite_test *test)
{
	return test->name + strlen(suite->name) + 1;
}

/* --- commands --------------------------------------------------------------- */

void places_command(const struct places *places, const char *program, const char *const *arguments,
		    const char *argv[COMMAND_MAX])
{
	/* The shell is there for the quoting in what the user gives, and gone with exec. */
	const char *const shell[] = { "/bin/sh", "-c", places->script, "sh" };
	size_t count = 0;

	if (places->script) {
		memcpy(argv, shell, sizeof(shell));
		count = sizeof(shell) / sizeof(*shell);
	}
	argv[count++] = program;
	for (size_t i = 0; arguments[i] && count < COMMAND_MAX - 1; i++)
		argv[count++] = arguments[i];
	argv[count] = NULL;
}

/* Khronos' harness reads its arguments from the last: kind of device, device, platform. */
static void khronos_command(const struct suite *suite, const char *name,
			    const struct places *places, const char *argv[COMMAND_MAX])
{
	const char *const arguments[] = { name, places->khronos_platform, places->khronos_device,
					  "all", NULL };

	places_command(places, suite->path, arguments, argv);
}

static void our_command(const struct suite *suite, const char *name, const struct places *places,
			const char *argv[COMMAND_MAX])
{
	const struct {
		const char *option;
		const char *value;
	} options[] = { { "--run", name },
			{ "--platform", places->platform },
			{ "--device", places->device },
			{ "--seed", suite->random ? places->seed : NULL },
			{ "--time", places->time } };
	const char *arguments[COMMAND_MAX] = { NULL };
	size_t count = 0;

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		if (!options[i].value)
			continue;
		arguments[count++] = options[i].option;
		arguments[count++] = options[i].value;
	}
	places_command(places, suite->path, arguments, argv);
}

void suite_command(const struct suite *suite, const struct suite_test *test,
		   const struct places *places, const char *argv[COMMAND_MAX])
{
	const char *name = suite_test_name(suite, test);

	if (suite->khronos)
		khronos_command(suite, name, places, argv);
	else
		our_command(suite, name, places, argv);
}

/* --- finding ------------------------------------------------------------------ */

static bool find_program(struct suite *suite, const struct places *places)
{
	const char *top = suite->khronos ? places->bindir : places->programs;

	if (!top)
		return fail(
			&suite->absent, EXIT_NO_INPUT,
			"no directory of Khronos' programs given; build its OpenCL-CTS and name "
			"the directory with --bindir or SVMATOMIC_CTS");
	if (access(top, X_OK))
		return fail(&suite->absent, EXIT_NO_INPUT, "there is no directory %s", top);
	for (size_t i = 0; i < sizeof(suite->dirs) / sizeof(*suite->dirs); i++) {
		snprintf(suite->path, sizeof(suite->path), "%s/%s%s", top, suite->dirs[i],
			 suite->program);
		if (access(suite->path, F_OK) == 0)
			return true;
	}
	return fail(&suite->absent, EXIT_NO_INPUT, "there is no %s in %s", suite->program, top);
}

/* --- which tests there are ------------------------------------------------------ */

static bool add_test(struct suite *suite, const char *name, size_t length, const char *what)
{
	struct suite_test *grown =
		realloc(suite->tests, (suite->count + 1) * sizeof(*suite->tests));
	struct suite_test *test;

	if (!grown)
		return fail(&suite->absent, EXIT_NO_MEMORY, "out of memory");
	suite->tests = grown;
	test = &suite->tests[suite->count];
	if (asprintf(&test->name, "%s/%.*s", suite->name, (int)length, name) < 0)
		return fail(&suite->absent, EXIT_NO_MEMORY, "out of memory");
	test->what = strdup(what);
	suite->count++;
	return true;
}

static bool is_name(const char *text, size_t length)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-.+@:,=/";

	return length > 0 && strspn(text, allowed) >= length;
}

/* Khronos: "<TAB>NAME"; ours: "NAME<TAB>what it checks". */
static bool take_entry(struct suite *suite, char *line)
{
	const char *name = line + (suite->khronos && *line == '\t');
	const size_t length = strcspn(name, "\t");

	if (suite->khronos && *line != '\t')
		return true; /* what a driver says when it is loaded */
	if (!is_name(name, length) || (suite->khronos && name[length]))
		return true;
	/* Ours have a tab in each line, without which it is not a test. */
	if (!suite->khronos && !name[length])
		return true;
	return add_test(suite, name, length, name[length] ? name + length + 1 : "");
}

static bool take_list(struct suite *suite, char *text)
{
	char *rest = text;
	char *line;

	while ((line = strsep(&rest, "\n"))) {
		line[strcspn(line, "\r")] = 0;
		if (!take_entry(suite, line))
			return false;
	}
	return true;
}

/* The last line of what a program said that was to say something else. */
static const char *last_line(char *text)
{
	size_t length = strlen(text);
	const char *start;

	while (length && strchr("\r\n", text[length - 1]))
		text[--length] = 0;
	start = strrchr(text, '\n');
	start = start ? start + 1 : text;
	clean_text((char *)start);
	return *start ? start : "it printed nothing";
}

static bool check_list(struct suite *suite, const struct ending *ending, char *text)
{
	const int status = ending->status;

	if (ending->timed_out)
		return fail(&suite->absent, EXIT_BAD_DATA, "%s --list does not end", suite->path);
	if (WIFSIGNALED(status))
		return fail(&suite->absent, EXIT_BAD_DATA, "%s --list dies of signal %d (%s)",
			    suite->path, WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status))
		return fail(&suite->absent, EXIT_BAD_DATA, "%s --list ends with status %d: %.200s",
			    suite->path, WEXITSTATUS(status), last_line(text));
	if (!suite->count)
		return fail(&suite->absent, EXIT_BAD_DATA,
			    "%s --list names no tests; is it another program of that name?",
			    suite->path);
	return true;
}

/* False only where the user interrupts. */
static bool ask_for_tests(struct suite *suite, const struct places *places, struct error *err)
{
	const char *const arguments[] = { "--list", NULL };
	const char *argv[COMMAND_MAX];
	struct ending ending = { 0 };
	char *text;
	char *copy;

	places_command(places, suite->path, arguments, argv);
	text = pool_capture(argv, LIST_LIMIT_S, &ending, &suite->absent);
	if (!text && suite->absent.code == EXIT_INTERRUPTED)
		return fail(err, EXIT_INTERRUPTED, "interrupted");
	copy = text ? strdup(text) : NULL;
	if (copy && take_list(suite, copy))
		check_list(suite, &ending, text);
	free(copy);
	free(text);
	return true;
}

void suites_begin(struct suites *suites)
{
	*suites = (struct suites){ .count = SUITES_MAX };
	memcpy(suites->at, known, sizeof(known));
}

bool suites_fill(struct suites *suites, const struct places *places, struct error *err)
{
	for (size_t i = 0; i < suites->count; i++) {
		struct suite *suite = &suites->at[i];

		if (suite->wanted && find_program(suite, places) &&
		    !ask_for_tests(suite, places, err))
			return false;
	}
	return true;
}

void suites_clear(struct suites *suites)
{
	for (size_t i = 0; i < suites->count; i++) {
		struct suite *suite = &suites->at[i];

		for (size_t j = 0; j < suite->count; j++) {
			free(suite->tests[j].name);
			free(suite->tests[j].what);
		}
		free(suite->tests);
	}
	*suites = (struct suites){ 0 };
}
