/* SPDX-License-Identifier: MIT */
/*
 * Verdicts on recorded logs, in whatever pieces they arrive, and on bytes of any kind. A log
 * in logs/ begins with three lines of comment: the licence, "PROTOCOL TEST STATUS", and the
 * verdict with its reason.
 */
#include "transcript.h"

#include <dirent.h>
#include <fnmatch.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOG_MAX 65536

struct recorded {
	char file[256];
	char protocol[16];
	char test[64];
	int status;
	char wanted[TRANSCRIPT_LINE];
	char text[LOG_MAX];
	size_t size;
};

static const char *directory;

static void read_recorded(struct recorded *log, const char *file)
{
	char path[4096];
	char line[TRANSCRIPT_LINE];
	FILE *in;

	snprintf(log->file, sizeof(log->file), "%s", file);
	snprintf(path, sizeof(path), "%s/%s", directory, file);
	in = fopen(path, "r");
	assert_non_null(in);
	assert_non_null(fgets(line, sizeof(line), in));
	assert_non_null(fgets(line, sizeof(line), in));
	assert_int_equal(sscanf(line, "# %15s %63s %d", log->protocol, log->test, &log->status), 3);
	assert_non_null(fgets(line, sizeof(line), in));
	line[strcspn(line, "\n")] = 0;
	snprintf(log->wanted, sizeof(log->wanted), "%s", line + 2);
	log->size = fread(log->text, 1, sizeof(log->text), in);
	fclose(in);
}

static void judge(const struct recorded *log, size_t piece, struct outcome *out)
{
	const bool khronos = !strcmp(log->protocol, "khronos");
	const struct ending ending = { .status = log->status << 8 };
	struct transcript transcript;

	assert_true(khronos || !strcmp(log->protocol, "ours"));
	transcript_begin(&transcript, khronos ? &protocol_khronos : &protocol_ours, log->test);
	for (size_t at = 0; at < log->size; at += piece)
		transcript_feed(&transcript, log->text + at,
				log->size - at < piece ? log->size - at : piece);
	transcript_end(&transcript, &ending, out);
}

static void describe(const struct outcome *outcome, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s", verdict_name(outcome->verdict), *outcome->reason ? ": " : "",
		 outcome->reason);
}

/* Say what is wrong with it, if anything is. */
static unsigned check_recorded(const struct recorded *log)
{
	static const size_t pieces[] = { 1, 7, 100, LOG_MAX };
	struct outcome outcome;
	char got[TRANSCRIPT_LINE];
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		judge(log, pieces[i], &outcome);
		describe(&outcome, got, sizeof(got));
		if (!strcmp(got, log->wanted) &&
		    outcome.device_lost == (strstr(got, "no device") != NULL))
			continue;
		print_error("%s, in pieces of %zu: '%s', not '%s'\n", log->file, pieces[i], got,
			    log->wanted);
		wrong++;
	}
	return wrong;
}

static void recorded_logs(void **state)
{
	static struct recorded log;
	DIR *logs = opendir(directory);
	struct dirent *entry;
	unsigned seen = 0;
	unsigned wrong = 0;

	(void)state;
	assert_non_null(logs);
	while ((entry = readdir(logs))) {
		if (fnmatch("*.log", entry->d_name, 0) != 0)
			continue;
		read_recorded(&log, entry->d_name);
		wrong += check_recorded(&log);
		seen++;
	}
	closedir(logs);
	print_message("%u logs\n", seen);
	assert_true(seen >= 40);
	assert_int_equal(wrong, 0);
}

static void end_with(const char *text, const struct ending *ending, struct outcome *out)
{
	struct transcript transcript;

	transcript_begin(&transcript, &protocol_khronos, "svm_migrate");
	transcript_feed(&transcript, text, strlen(text));
	transcript_end(&transcript, ending, out);
}

/* Neither depends on words: a program may hang after it said that it passed. */
static void killed(void **state)
{
	const struct ending crash = { .status = SIGABRT };
	const struct ending timeout = { .status = SIGKILL, .timed_out = true, .limit_s = 2.5 };
	struct outcome outcome;

	(void)state;
	end_with("svm_migrate...\nsvm_migrate passed\n", &crash, &outcome);
	assert_int_equal(outcome.verdict, VERDICT_CRASH);
	assert_string_equal(outcome.reason,
			    "signal 6 (Aborted); its last line: svm_migrate passed");
	end_with("svm_migrate...\nhalf a li", &timeout, &outcome);
	assert_int_equal(outcome.verdict, VERDICT_TIMEOUT);
	assert_string_equal(outcome.reason, "no end within 2.5 s; its last line: half a li");
}

static void counts(void **state)
{
	static struct recorded log;
	struct outcome outcome;

	(void)state;
	read_recorded(&log, "partial-generic.log");
	judge(&log, LOG_MAX, &outcome);
	assert_int_equal(outcome.executed, 20);
	assert_int_equal(outcome.skipped, 1);
	read_recorded(&log, "partial-flags.log");
	judge(&log, LOG_MAX, &outcome);
	assert_int_equal(outcome.executed, 2);
	assert_int_equal(outcome.skipped, 1);
}

static void cleaning(void **state)
{
	static const struct {
		const char *dirty;
		const char *clean;
	} texts[] = {
		{ "plain", "plain" },
		{ "\t\033[31mred\177", " ?[31mred?" },
		{ "\303\244\342\202\254\360\237\231\202", "\303\244\342\202\254\360\237\231\202" },
		{ "\303", "?" },		/* cut */
		{ "\300\200", "??" },		/* overlong */
		{ "\355\240\200", "???" },	/* a surrogate */
		{ "\357\277\277", "???" },	/* no character */
		{ "\364\220\200\200", "????" }, /* beyond the last plane */
		{ "\302\205", "??" },		/* a control */
		{ "a\377b", "a?b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char text[32];

		snprintf(text, sizeof(text), "%s", texts[i].dirty);
		clean_text(text);
		assert_string_equal(text, texts[i].clean);
	}
}

/* Lines without end, bytes of any kind: no more than the first part of a line is kept. */
static void garbage(void **state)
{
	const struct ending ending = { .status = 0 };
	static struct transcript transcript;
	struct outcome outcome;
	unsigned seed = 1;
	char *tail;
	char byte;

	(void)state;
	transcript_begin(&transcript, &protocol_khronos, "svm_migrate");
	for (unsigned i = 0; i < 1000000; i++) {
		seed = seed * 1103515245u + 12345u;
		byte = (char)(seed >> 16);
		transcript_feed(&transcript, &byte, 1);
	}
	transcript_end(&transcript, &ending, &outcome);
	assert_int_equal(outcome.verdict, VERDICT_ERROR);
	tail = transcript_tail(&transcript);
	assert_non_null(tail);
	for (const char *c = tail; *c; c++)
		assert_true(*c == '\n' || ((unsigned char)*c >= 0x20 && *c != 0x7f));
	free(tail);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_logs), cmocka_unit_test(killed),
		cmocka_unit_test(counts),	 cmocka_unit_test(cleaning),
		cmocka_unit_test(garbage),
	};

	if (argc != 2)
		return 64;
	directory = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
