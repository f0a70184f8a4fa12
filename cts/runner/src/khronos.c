/* SPDX-License-Identifier: MIT */
/*
 * The words of Khronos' test programs. They are facts of its harness and of its tests of
 * SVM and of C11 atomics, in which a test that finds a capability missing says so in a line
 * of its own and returns success; several kinds of case are left out without any line.
 */
#include "transcript.h"

#include <stdio.h>
#include <string.h>

static bool starts(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

static bool ends(const char *line, const char *with)
{
	const size_t length = strlen(line);
	const size_t wanted = strlen(with);

	return length >= wanted && !strcmp(line + length - wanted, with);
}

/* The line is the name of the test and, after it, @rest; or starts so where @open. */
static bool says(const struct transcript *log, const char *line, const char *rest, bool open)
{
	const size_t length = strlen(log->test);

	if (strncmp(line, log->test, length) != 0)
		return false;
	return open ? starts(line + length, rest) : !strcmp(line + length, rest);
}

static const char *trimmed(const char *line)
{
	return line + strspn(line, " \t");
}

/* --- the harness --------------------------------------------------------- */

/* True where the line is the harness' word on the test. */
static bool harness_line(struct transcript *log, const char *line)
{
	if (says(log, line, "...", false)) {
		log->began = true;
	} else if (says(log, line, " passed", false)) {
		log->said = SAID_PASSED;
	} else if (says(log, line, " FAILED", false)) {
		log->said = SAID_FAILED;
	} else if (says(log, line, " test not supported", false) ||
		   says(log, line, " test currently not implemented", false) ||
		   says(log, line, " skipped (requires", true) ||
		   (starts(line, "Subtest ") &&
		    strstr(line, "not supported in offline compiler"))) {
		log->said = SAID_SKIPPED;
		transcript_keep(log->reason, line);
	} else if (!strcmp(line, "Test skipped while initialization")) {
		log->said = SAID_SKIPPED;
		transcript_keep(log->reason, "the device has nothing of what the program tests");
	} else if (!strcmp(line, "Test failed while initialization")) {
		log->said = SAID_FAILED;
	} else {
		return false;
	}
	return true;
}

/*
 * Signs of a device that is not there: the harness' own, before the test, and in it the one
 * error that says so. CL_DEVICE_NOT_FOUND is -1, which tests also return for "failed".
 */
static bool is_loss(const struct transcript *log, const char *line)
{
	static const char *const signs[] = {
		"platform index out of range",
		"device index out of range",
		"clGetPlatformIDs failed",
		"clGetDeviceIDs failed",
	};

	if (log->began)
		return strstr(line, "(CL_DEVICE_NOT_AVAILABLE from");
	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
		if (strstr(line, signs[i]))
			return true;
	return false;
}

/* --- cases of c11_atomics -------------------------------------------------- */

static unsigned names_of(const char *line)
{
	unsigned named = 0;

	named |= strstr(line, ", order_") ? NAMED_ORDER : 0;
	named |= strstr(line, ", order_seq_cst") ? NAMED_SEQ_CST : 0;
	named |= strstr(line, ", scope_") ? NAMED_SCOPE : 0;
	named |= strstr(line, ", scope_device") ? NAMED_DEVICE : 0;
	named |= strstr(line, ", scope_all_") ? NAMED_ALL_DEVICES : 0;
	return named;
}

static void case_executed(struct transcript *log)
{
	if (log->case_open)
		log->executed++;
	log->case_open = false;
	log->named |= log->case_named;
}

/* "<TAB>global atomic_int, order_relaxed..." begins a case; what comes next says if it ran. */
static bool case_line(struct transcript *log, const char *line)
{
	if ((starts(line, "\tglobal ") || starts(line, "\tlocal ")) && ends(line, "...")) {
		log->lists_cases = true;
		log->case_open = true;
		log->case_named = names_of(line);
	} else if (starts(line, "\t\t(thread count ")) {
		case_executed(log);
	} else if (starts(line, "\t\t(host threads ")) {
		case_executed(log);
		log->named |= NAMED_HOST_THREADS;
	} else if (!strcmp(line, "\t\tTest disabled")) {
		log->case_open = false;
		log->skipped++;
		/* It gives no reason; the case, which is the line before, mostly tells. */
		transcript_keep(log->reason, log->last);
	} else {
		return false;
	}
	return true;
}

/* --- what was left out ------------------------------------------------------ */

/* Words for a part that was not executed, within a test that goes on to pass. */
static bool is_skip(const char *line)
{
	static const char *const words[] = { "kipping", "kipped", "not supported",
					     "Test disabled" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}

static bool is_whole_skip(const char *line)
{
	return strstr(line, "not executed") || strstr(line, "counted as passing") ||
	       strstr(line, "counts as passing");
}

static void test_line(struct transcript *log, const char *line)
{
	if (starts(line, "Testing clSVMalloc with flags")) {
		log->executed++;
	} else if (strstr(line, " tests executed successfully for atomic_")) {
		log->lists_cases = true;
	} else if (starts(line, "Required extension not found")) {
		transcript_keep(log->reason, line);
	} else if (is_whole_skip(line)) {
		log->whole = true;
		transcript_keep(log->reason, trimmed(line));
	} else if (is_skip(line)) {
		/* "<TAB>atomic_long not supported" is a type of which no case is named. */
		log->lists_cases |= starts(line, "\tatomic_");
		log->skipped++;
		transcript_keep(log->reason, trimmed(line));
	}
}

/* Words that begin an account of what is wrong; not all of it is called an error. */
static bool is_failure(const char *line)
{
	static const char *const words[] = { "ERROR",	 "rror:",      "test failed",	"Failed",
					     "failed: ", "went wrong", "is not correct" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}

/* What the harness calls a failed build the compiler explains later: "error: FILE:1:2: TEXT". */
static void compiler_line(struct transcript *log, const char *line)
{
	const char *text = strstr(line, "error: ");
	const char *colon;

	if (!text || !*log->failure)
		return;
	text += strlen("error: ");
	colon = *text == '/' ? strstr(text, ": ") : NULL;
	transcript_keep(log->detail, colon ? colon + 2 : text);
}

/* "... from /where/it/was/built/main.cpp:257)": the name will do. */
static void shorten_path(char *line)
{
	char *path = strstr(line, " from /");
	char *name;

	if (!path)
		return;
	path += strlen(" from ");
	name = path + strcspn(path, ":) ");
	while (name[-1] != '/')
		name--;
	memmove(path, name, strlen(name) + 1);
}

static void failure_line(struct transcript *log, const char *line)
{
	const bool loss = is_loss(log, line);

	log->lost |= loss;
	if ((loss || is_failure(line)) && !*log->failure) {
		transcript_keep(log->failure, trimmed(line));
		shorten_path(log->failure);
	}
	compiler_line(log, line);
}

static void khronos_line(struct transcript *log, const char *line)
{
	failure_line(log, line);
	if (harness_line(log, line))
		return;
	if (!log->began) {
		/* "Test skipped (requires at least OpenCL version 2.0, ...": the device check */
		if (starts(line, "Test skipped (requires"))
			transcript_keep(log->reason, line);
		return;
	}
	if (log->said == SAID_NOTHING && !case_line(log, line))
		test_line(log, line);
}

/* --- the verdict ------------------------------------------------------------- */

/* What the names of the executed cases lack, of what each set of cases should have. */
static const char *missing(const struct transcript *log)
{
	if ((log->named & NAMED_ORDER) && !(log->named & NAMED_SEQ_CST))
		return "no case of order_seq_cst";
	if ((log->named & NAMED_SCOPE) && !(log->named & NAMED_DEVICE))
		return "no case of scope_device";
	if ((log->named & NAMED_SCOPE) && !(log->named & NAMED_ALL_DEVICES))
		return "no case of scope_all_devices";
	if (starts(log->test, "svm_") && !(log->named & NAMED_HOST_THREADS))
		return "no case with host threads";
	return NULL;
}

static void judge_passed(const struct transcript *log, struct outcome *out)
{
	const char *lacks = log->lists_cases ? missing(log) : NULL;

	if (log->whole || (log->lists_cases && !log->executed) || (log->skipped && !log->executed))
		outcome_set(out, VERDICT_NOT_EXECUTED, "%s",
			    *log->reason ? log->reason : "it names no case that it executed");
	else if (log->skipped)
		outcome_set(out, VERDICT_PARTIAL, "%u of %u parts not executed, first: %s%s%s",
			    log->skipped, log->skipped + log->executed, log->reason,
			    lacks ? "; " : "", lacks ? lacks : "");
	else if (lacks)
		outcome_set(out, VERDICT_PARTIAL, "%s", lacks);
	else
		outcome_set(out, VERDICT_PASS, "%s", "");
}

static void judge_failed(const struct transcript *log, int status, struct outcome *out)
{
	if (log->said == SAID_PASSED && !*log->failure)
		outcome_set(out, VERDICT_FAIL, "it says passed and ends with status %d", status);
	else
		outcome_set(out, VERDICT_FAIL, "%s%s%s",
			    *log->failure ? log->failure : "it gives no reason",
			    *log->detail ? "; " : "", log->detail);
}

/* Leaves the verdict open (VERDICT_COUNT) where words and status make none. */
static void khronos_judge(const struct transcript *log, int status, struct outcome *out)
{
	if (log->lost) {
		outcome_set(out, VERDICT_ERROR, "no device: %s", log->failure);
		out->device_lost = true;
	} else if (status != 0 && log->said == SAID_FAILED) {
		judge_failed(log, status, out);
	} else if (status != 0 && log->said == SAID_PASSED) {
		judge_failed(log, status, out);
	} else if (status != 0) {
		return;
	} else if (log->said == SAID_SKIPPED) {
		outcome_set(out, VERDICT_NOT_EXECUTED, "%s", log->reason);
	} else if (log->said == SAID_PASSED) {
		judge_passed(log, out);
	}
}

const struct protocol protocol_khronos = { .line = khronos_line, .judge = khronos_judge };
