/* SPDX-License-Identifier: MIT */
/*
 * Expectations: whom a file is for, which line counts, what differs, and every way in which a
 * file can be broken.
 */
#include "expectations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/test_expectations.XXXXXX";

static json_t *device(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "platform", "Portable Computing Language",
			 "version", "OpenCL 3.0 PoCL 3.1+debian  Linux", "device", "pthread-cpu",
			 "driver", "3.1+debian", "svm", "coarse fine atomics");
}

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

/* Read what is in the directory; what is said of it, the caller's. */
static char *read_all(struct expectations *all)
{
	json_t *dev = device();
	char *said = NULL;
	size_t size = 0;
	FILE *errors = open_memstream(&said, &size);

	assert_non_null(errors);
	expectations_begin(all);
	expectations_read(all, directory, dev, errors);
	fclose(errors);
	json_decref(dev);
	return said;
}

static void read_one(struct expectations *all, const char *text)
{
	char *said;

	put("one.txt", text);
	said = read_all(all);
	assert_string_equal(said, "");
	assert_int_equal(all->broken, 0);
	free(said);
}

static int compare(const struct expectations *all, const char *name, enum verdict verdict)
{
	return expectations_compare(all, expectations_find(all, name), verdict);
}

static void applies(const char *head, bool wanted)
{
	struct expectations all;
	char text[256];

	snprintf(text, sizeof(text), "%s\nfail a/b because\n", head);
	read_one(&all, text);
	if (json_array_size(all.files) != wanted || (all.count == 1) != wanted)
		fail_msg("'%s' is %sfor the device", head, wanted ? "not " : "");
	expectations_clear(&all);
}

static void heads(void **state)
{
	(void)state;
	applies("platform: Portable Computing Language", true);
	applies("platform: portable*", true);
	applies("platform: Portable*\nversion: *PoCL 3.1*", true);
	applies("platform: Portable*\nversion: *PoCL 6.0*", false);
	applies("platform: rusticl", false);
	applies("driver: 3.*\ndevice: pthread*\nsvm: *atomics", true);
	applies("svm: coarse", false);
	applies("# only this\n\n  platform:   Portable*  ", true);
}

static void which_line(void **state)
{
	struct expectations all;
	const struct expectation *line;

	(void)state;
	read_one(&all, "platform: *\n"
		       "fail          test_svm/*       in general\n"
		       "not-executed  test_svm/svm_a   \t this one # and more\n"
		       "crash|fail    test_svm/svm_ab*\n");
	line = expectations_find(&all, "test_svm/svm_a");
	assert_non_null(line);
	assert_int_equal(line->verdicts, 1u << VERDICT_NOT_EXECUTED);
	assert_string_equal(line->reason, "this one # and more");
	assert_non_null(strstr(line->where, "/one.txt:3"));
	assert_string_equal(expectations_find(&all, "test_svm/svm_b")->reason, "in general");
	assert_int_equal(expectations_find(&all, "test_svm/svm_abc")->verdicts,
			 1u << VERDICT_CRASH | 1u << VERDICT_FAIL);
	assert_null(expectations_find(&all, "litmus/MP"));
	expectations_clear(&all);
}

static void unused_lines(void **state)
{
	struct expectations all;

	(void)state;
	read_one(&all, "platform: *\nfail a/b\nfail a/c\n");
	expectations_find(&all, "a/b");
	assert_true(all.at[0].used);
	assert_false(all.at[1].used);
	expectations_clear(&all);
}

static void differences(void **state)
{
	struct expectations all;

	(void)state;
	read_one(&all, "platform: *\nfail a/fails\nnot-executed a/skips\nfail|timeout a/either\n");
	assert_int_equal(compare(&all, "a/fails", VERDICT_FAIL), DIFFERENCE_NONE);
	assert_int_equal(compare(&all, "a/fails", VERDICT_PASS), DIFFERENCE_BETTER);
	assert_int_equal(compare(&all, "a/fails", VERDICT_CRASH), DIFFERENCE_WORSE);
	assert_int_equal(compare(&all, "a/skips", VERDICT_PARTIAL), DIFFERENCE_BETTER);
	assert_int_equal(compare(&all, "a/skips", VERDICT_FAIL), DIFFERENCE_WORSE);
	assert_int_equal(compare(&all, "a/either", VERDICT_TIMEOUT), DIFFERENCE_NONE);
	assert_int_equal(compare(&all, "a/either", VERDICT_CRASH), DIFFERENCE_WORSE);
	assert_int_equal(compare(&all, "a/either", VERDICT_PARTIAL), DIFFERENCE_BETTER);
	/* No line: a pass, and not less. */
	assert_int_equal(compare(&all, "a/other", VERDICT_PASS), DIFFERENCE_NONE);
	assert_int_equal(compare(&all, "a/other", VERDICT_PARTIAL), DIFFERENCE_WORSE);
	assert_int_equal(compare(&all, "a/other", VERDICT_NOT_EXECUTED), DIFFERENCE_WORSE);
	expectations_clear(&all);
}

/* Nothing is known of the device. */
static void nothing_expected(void **state)
{
	struct expectations all;
	char text[80];

	(void)state;
	read_one(&all, "platform: rusticl\nfail a/fails\n");
	assert_int_equal(compare(&all, "a/fails", VERDICT_PASS), DIFFERENCE_NONE);
	assert_int_equal(compare(&all, "a/fails", VERDICT_NOT_EXECUTED), DIFFERENCE_NONE);
	assert_int_equal(compare(&all, "a/fails", VERDICT_FAIL), DIFFERENCE_WORSE);
	assert_int_equal(compare(&all, "a/fails", VERDICT_ERROR), DIFFERENCE_WORSE);
	expectations_describe(&all, NULL, text, sizeof(text));
	assert_string_equal(text, "no failure");
	expectations_clear(&all);
}

static void descriptions(void **state)
{
	struct expectations all;
	char text[80];

	(void)state;
	read_one(&all, "platform: *\nfail|not-executed a/b\n");
	expectations_describe(&all, &all.at[0], text, sizeof(text));
	assert_string_equal(text, "not executed or fail");
	expectations_describe(&all, NULL, text, sizeof(text));
	assert_string_equal(text, "pass");
	expectations_clear(&all);
}

static void broken(const char *text, unsigned count, const char *pattern)
{
	struct expectations all;
	char *said;

	put("one.txt", text);
	said = read_all(&all);
	if (all.broken != count || !strstr(said, pattern))
		fail_msg("%u broken, not %u, or no '%s' in: %s", all.broken, count, pattern, said);
	free(said);
	expectations_clear(&all);
}

static void broken_files(void **state)
{
	struct expectations all;
	char *said;

	(void)state;
	broken("platform: *\nbroken a/b\n", 1, "/one.txt:2: 'broken' is no verdict");
	broken("platform: *\nfail|maybe a/b\n", 1, "one.txt:2: 'fail|maybe' is no verdict");
	broken("platform: *\nfail\n", 1, "one.txt:2: '' is no test");
	broken("platform: *\n\n\nfail svm_migrate\n", 1, "one.txt:4: 'svm_migrate' is no test");
	broken("fail a/b\nfail a/c\n", 1, "one.txt:1: a head is missing");
	broken("vendor: *\nplatform: *\n", 1, "one.txt:1: a head has no 'vendor'");
	broken("platform: *\nfail a/b\nversion: 2\n", 1, "one.txt:3: 'version:' has to be above");
	broken("platform: *\n\001\n", 1, "one.txt:2: '?' is no verdict");

	/* The other lines count. */
	put("one.txt", "platform: *\nbroken a/b\nfail a/c\n");
	said = read_all(&all);
	assert_int_equal(all.count, 1);
	assert_string_equal(all.at[0].pattern, "a/c");
	free(said);
	expectations_clear(&all);
}

static void missing_file(void **state)
{
	struct expectations all;
	json_t *dev = device();
	FILE *errors = tmpfile();
	char line[256];

	(void)state;
	assert_non_null(errors);
	expectations_begin(&all);
	expectations_read(&all, "/nonexistent/here", dev, errors);
	assert_int_equal(all.broken, 1);
	assert_int_equal(all.code, EXIT_NO_INPUT);
	rewind(errors);
	assert_non_null(fgets(line, sizeof(line), errors));
	assert_non_null(strstr(line, "/nonexistent/here"));
	fclose(errors);
	json_decref(dev);
	expectations_clear(&all);
}

/* By name, so that the second of two files has the last word; only *.txt. */
static void several_files(void **state)
{
	struct expectations all;
	char path[128];
	char *said;

	(void)state;
	put("one.txt", "platform: *\nfail a/b first\n");
	put("two.txt", "platform: *\ncrash a/b second\n");
	put("README", "no expectations\n");
	said = read_all(&all);
	assert_string_equal(said, "");
	assert_int_equal(json_array_size(all.files), 2);
	assert_string_equal(expectations_find(&all, "a/b")->reason, "second");
	free(said);
	expectations_clear(&all);
	snprintf(path, sizeof(path), "%s/two.txt", directory);
	unlink(path);
	snprintf(path, sizeof(path), "%s/README", directory);
	unlink(path);
}

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/one.txt", directory);
	unlink(path);
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads),
		cmocka_unit_test(which_line),
		cmocka_unit_test(unused_lines),
		cmocka_unit_test(differences),
		cmocka_unit_test(nothing_expected),
		cmocka_unit_test(descriptions),
		cmocka_unit_test(broken_files),
		cmocka_unit_test(missing_file),
		cmocka_unit_test(several_files),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
