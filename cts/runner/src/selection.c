/* SPDX-License-Identifier: MIT */
/*
 * Which tests are meant, and on which device.
 */
#include "cts_commands.h"
#include "pool.h"
#include "record.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Loading every driver there is takes its time on a cold machine. */
#define DEVICES_LIMIT_S 120

bool unknown_option(char **argv, struct error *err)
{
	return fail(err, EXIT_USAGE_ERROR,
		    "option '%s' is unknown or lacks its value; see `svmatomic-cts %s --help`",
		    argv[optind - 1], argv[0]);
}

/* --- options ------------------------------------------------------------------ */

static bool own_directory(char *path, size_t size, struct error *err)
{
	const ssize_t length = readlink("/proc/self/exe", path, size - 1);

	if (length < 0)
		return fail(err, EXIT_INTERNAL, "cannot find this program in /proc: %s",
			    strerror(errno));
	path[length] = 0;
	*strrchr(path, '/') = 0;
	return true;
}

bool selection_begin(struct selection *selection, struct error *err)
{
	const char *bindir = getenv("SVMATOMIC_CTS");

	*selection = (struct selection){ 0 };
	selection->places.bindir = bindir && *bindir ? bindir : NULL;
	selection->places.programs = selection->programs;
	return own_directory(selection->programs, sizeof(selection->programs), err);
}

bool selection_option(struct selection *selection, int code, const char *value, struct error *err)
{
	struct places *places = &selection->places;

	switch (code) {
	case OPTION_BINDIR:
		places->bindir = value;
		break;
	case OPTION_PROGRAMS:
		places->programs = value;
		break;
	case OPTION_THROUGH:
		free(places->script);
		if (asprintf(&places->script, "exec %s \"$@\"", value) < 0) {
			places->script = NULL;
			return fail(err, EXIT_NO_MEMORY, "out of memory");
		}
		break;
	case OPTION_ALL:
		selection->every = true;
		break;
	}
	return true;
}

void selection_clear(struct selection *selection)
{
	free(selection->places.script);
	selection->places.script = NULL;
}

/* --- which tests ----------------------------------------------------------------- */

/* A pattern is for a whole suite ("litmus") or for names ("test_svm/svm_fine_*"). */
static bool is_for_suite(const char *pattern, const struct suite *suite)
{
	char head[64];

	snprintf(head, sizeof(head), "%.*s", (int)record_suite_length(pattern), pattern);
	return fnmatch(head, suite->name, 0) == 0;
}

static bool is_usual(const struct suite *suite, const struct suite_test *test)
{
	return !suite->usual ||
	       !strncmp(suite_test_name(suite, test), suite->usual, strlen(suite->usual));
}

static bool fits(const struct selection *selection, const char *pattern, const struct suite *suite,
		 const struct suite_test *test)
{
	if (strchr(pattern, '/'))
		return fnmatch(pattern, test->name, 0) == 0;
	return is_for_suite(pattern, suite) && (selection->every || is_usual(suite, test));
}

bool selection_has(const struct selection *selection, const struct suite *suite,
		   const struct suite_test *test)
{
	if (!*selection->patterns)
		return fits(selection, "*", suite, test);
	for (char **pattern = selection->patterns; *pattern; pattern++)
		if (fits(selection, *pattern, suite, test))
			return true;
	return false;
}

bool selection_asks(const struct selection *selection, const struct suite *suite)
{
	for (char **pattern = selection->patterns; *pattern; pattern++)
		if (is_for_suite(*pattern, suite))
			return true;
	return !*selection->patterns && suite->khronos && selection->places.bindir;
}

bool selection_fill(const struct selection *selection, struct suites *suites, struct error *err)
{
	suites_begin(suites);
	for (size_t i = 0; i < suites->count; i++)
		suites->at[i].wanted =
			!*selection->patterns || selection_asks(selection, &suites->at[i]);
	return suites_fill(suites, &selection->places, err);
}

/* A program that is absent has that said already. */
static bool fits_something(const struct selection *selection, const char *pattern,
			   const struct suites *suites)
{
	for (size_t i = 0; i < suites->count; i++) {
		const struct suite *suite = &suites->at[i];

		if (suite->absent.code != EXIT_OK && is_for_suite(pattern, suite))
			return true;
		for (size_t j = 0; j < suite->count; j++)
			if (fits(selection, pattern, suite, &suite->tests[j]))
				return true;
	}
	return false;
}

bool selection_check(const struct selection *selection, const struct suites *suites,
		     struct error *err)
{
	for (char **pattern = selection->patterns; *pattern; pattern++)
		if (!fits_something(selection, *pattern, suites))
			return fail(err, EXIT_USAGE_ERROR,
				    "no test fits '%s'; `svmatomic-cts list` names them", *pattern);
	return true;
}

/* --- which device ------------------------------------------------------------------ */

/* Drivers may print what they like around it. */
static json_t *find_json(const char *text)
{
	while (text && *text) {
		json_t *found =
			*text == '[' ? json_loads(text, JSON_DISABLE_EOF_CHECK, NULL) : NULL;

		if (found)
			return found;
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return NULL;
}

static bool fail_device(const struct ending *ending, char *text, struct error *err)
{
	static const char own[] = "svmatomic-cts: ";
	size_t length = strlen(text);
	char *line;

	if (ending->timed_out)
		return fail(err, EXIT_UNAVAILABLE, "asking for OpenCL devices does not end");
	if (WIFSIGNALED(ending->status))
		return fail(err, EXIT_UNAVAILABLE,
			    "asking for OpenCL devices dies of signal %d (%s)",
			    WTERMSIG(ending->status), strsignal(WTERMSIG(ending->status)));
	while (length && strchr("\r\n", text[length - 1]))
		text[--length] = 0;
	line = strrchr(text, '\n') ? strrchr(text, '\n') + 1 : text;
	line += strncmp(line, own, strlen(own)) == 0 ? strlen(own) : 0;
	return fail(err, EXIT_UNAVAILABLE, "%s",
		    *line ? line : "asking for OpenCL devices brings no answer");
}

static bool take_device(struct places *places, const json_t *device, struct error *err)
{
	json_int_t platform_index;
	json_int_t device_index;

	if (json_unpack((json_t *)device, "{s:I, s:I}", "platform_index", &platform_index,
			"device_index", &device_index))
		return fail(err, EXIT_UNAVAILABLE, "asking for OpenCL devices brings no device");
	snprintf(places->khronos_platform, sizeof(places->khronos_platform), "pid%lld",
		 (long long)platform_index);
	snprintf(places->khronos_device, sizeof(places->khronos_device), "id%lld",
		 (long long)device_index);
	return true;
}

json_t *ask_for_device(struct places *places, struct error *err)
{
	const char *arguments[] = { "devices", "--json", NULL, NULL, NULL, NULL, NULL };
	const char *argv[COMMAND_MAX];
	struct ending ending = { 0 };
	json_t *device = NULL;
	char own[4096];
	json_t *list;
	size_t count = 2;
	char *text;

	if (!own_directory(own, sizeof(own) - sizeof("/svmatomic-cts"), err))
		return NULL;
	strcat(own, "/svmatomic-cts");
	if (places->platform) {
		arguments[count++] = "--platform";
		arguments[count++] = places->platform;
	}
	if (places->device) {
		arguments[count++] = "--device";
		arguments[count++] = places->device;
	}
	places_command(places, own, arguments, argv);
	text = pool_capture(argv, DEVICES_LIMIT_S, &ending, err);
	if (!text)
		return NULL;
	list = find_json(text);
	if (!list)
		fail_device(&ending, text, err);
	else if (take_device(places, json_array_get(list, 0), err))
		device = json_incref(json_array_get(list, 0));
	json_decref(list);
	free(text);
	return device;
}
