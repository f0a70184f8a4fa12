/* SPDX-License-Identifier: MIT */
/*
 * The result document: what goes in, its way to disk and back, and every way
 * in which a file can be wrong or a disk can fail.
 */
#include "environment.h"
#include "histogram.h"
#include "result.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Where the tests write: a directory of this process. */
static char scratch[64];

static const char *in_scratch(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", scratch, name);
	return path;
}

static int empty_scratch(void **state)
{
	DIR *directory = opendir(scratch);
	const struct dirent *entry;

	(void)state;
	while (directory && (entry = readdir(directory)))
		unlink(in_scratch(entry->d_name));
	if (directory)
		closedir(directory);
	return 0;
}

static int make_scratch(void **state)
{
	(void)state;
	snprintf(scratch, sizeof(scratch), "/tmp/test_result.XXXXXX");
	return mkdtemp(scratch) ? 0 : -1;
}

static int remove_scratch(void **state)
{
	empty_scratch(state);
	return rmdir(scratch);
}

static unsigned files_in_scratch(void)
{
	DIR *directory = opendir(scratch);
	const struct dirent *entry;
	unsigned count = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory)))
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

static void put_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static char *get_file(const char *path)
{
	char *text = calloc(1, 65536);
	FILE *file = fopen(path, "r");

	assert_non_null(text);
	assert_non_null(file);
	assert_true(fread(text, 1, 65535, file) > 0);
	fclose(file);
	return text;
}

static json_t *measure_of(const char *name, const char *unit, enum better better, double base)
{
	struct samples set = { 0 };
	json_t *measure;

	for (unsigned i = 0; i < 9; i++)
		assert_true(samples_add(&set, base + i));
	measure = result_measure(name, unit, better, &set, 1);
	samples_clear(&set);
	assert_non_null(measure);
	return measure;
}

static json_t *latency_histogram(void)
{
	struct histogram *histogram = calloc(1, sizeof(*histogram));
	json_t *json;

	assert_non_null(histogram);
	for (uint64_t ns = 100; ns < 5000; ns += 7)
		histogram_add(histogram, ns);
	json = histogram_json(histogram, "latency");
	free(histogram);
	return json;
}

static json_t *here(void)
{
	hwloc_topology_t topology;
	json_t *environment;

	assert_int_equal(hwloc_topology_init(&topology), 0);
	assert_int_equal(hwloc_topology_load(topology), 0);
	environment = environment_json(topology);
	hwloc_topology_destroy(topology);
	assert_non_null(environment);
	return environment;
}

/* A whole document, with two points: one measured, one refused. */
static json_t *make_document(void)
{
	json_t *device =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:{s:{s:b}}}", "name",
			  "Card, \"quoted\"", "kind", "real GPU", "backend", "OpenCL", "platform",
			  "P", "driver", "1.0", "version", "OpenCL 3.0", "units", 4, "gate", "load",
			  "capabilities", "svm-atomics", "have", 1);
	json_t *measured = json_pack(
		"{s:s, s:i, s:{s:s, s:s, s:s, s:i, s:i}, s:s, s:[s, s], s:s, s:s, s:i, s:i, s:b, "
		"s:[o, o], s:[o]}",
		"workload", "contend", "device", 0, "axes", "op", "fetch_add", "type", "uint",
		"layout", "word", "work_items", 64, "cpu_threads", 2, "status", "ok", "notes",
		"first", "second", "mode", "gated", "stopped_by", "interval", "samples_taken", 9,
		"samples_rejected", 0, "verified", 1, "measures",
		measure_of("cpu", "op/s", BETTER_HIGHER, 1e6),
		measure_of("wait", "ns", BETTER_NEITHER, 50), "histograms", latency_histogram());
	json_t *refused = json_pack("{s:s, s:i, s:{s:i}, s:s, s:s, s:[]}", "workload", "bfs",
				    "device", 0, "axes", "scale", 3, "status", "refused", "reason",
				    "no SVM\nnone at all", "notes");
	json_t *document =
		json_pack("{s:s, s:s, s:s, s:f, s:b, s:i, s:s, s:o, s:[o], s:[o, o]}", "schema",
			  RESULT_SCHEMA, "version", "1.0", "started", "2025-01-02T03:04:05Z",
			  "elapsed_s", 1.5, "partial", 0, "seed", 1, "profile", "quick",
			  "environment", here(), "devices", device, "points", measured, refused);

	assert_non_null(document);
	return document;
}

static void test_fail(void **state)
{
	struct error err = { 0 };
	char big[1024];

	(void)state;
	/* In parentheses: cmocka has a macro of this name. */
	assert_false((fail)(&err, EXIT_NO_INPUT, "first\nof %d\033[2J", 2));
	assert_string_equal(err.text, "first of 2 [2J");
	assert_false((fail)(&err, EXIT_USAGE_ERROR, "second"));
	assert_int_equal(err.code, EXIT_NO_INPUT);
	assert_string_equal(err.text, "first of 2 [2J");
	assert_false((fail)(NULL, EXIT_USAGE_ERROR, "nobody asks"));

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err.code = EXIT_OK;
	assert_false((fail)(&err, EXIT_OUTPUT, "%s", big));
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void test_measure(void **state)
{
	json_t *measure = measure_of("cpu", "op/s", BETTER_HIGHER, 10);
	const double low = json_real_value(json_object_get(measure, "low"));
	const double high = json_real_value(json_object_get(measure, "high"));

	(void)state;
	assert_true(json_real_value(json_object_get(measure, "median")) == 14);
	assert_true(10 <= low && low < 14 && 14 < high && high <= 18);
	assert_int_equal(json_array_size(json_object_get(measure, "samples")), 9);
	assert_string_equal(json_string_value(json_object_get(measure, "better")), "higher");
	assert_string_equal(json_string_value(json_object_get(measure, "unit")), "op/s");
	json_decref(measure);
}

static void test_measure_not_finite(void **state)
{
	struct samples set = { 0 };
	json_t *measure;

	(void)state;
	assert_null(result_measure("m", "ratio", BETTER_LOWER, &set, 1));
	assert_true(samples_add(&set, INFINITY));
	assert_null(result_measure("m", "ratio", BETTER_LOWER, &set, 1));
	assert_true(samples_add(&set, 3));
	assert_null(result_measure("m", "ratio", BETTER_LOWER, &set, 1));
	assert_true(samples_add(&set, 2) && samples_add(&set, NAN) && samples_add(&set, 4));
	measure = result_measure("m", "ratio", BETTER_LOWER, &set, 1);
	assert_int_equal(json_array_size(json_object_get(measure, "samples")), 3);
	assert_true(json_real_value(json_object_get(measure, "median")) == 3);
	json_decref(measure);
	samples_clear(&set);
}

static void test_lookup(void **state)
{
	json_t *document = make_document();
	const json_t *points = json_object_get(document, "points");
	const json_t *measured = json_array_get(points, 0);
	const json_t *refused = json_array_get(points, 1);

	(void)state;
	assert_non_null(result_find_measure(measured, "wait"));
	assert_null(result_find_measure(measured, "nothing"));
	assert_true(result_median(measured, "wait") == 54);
	assert_true(isnan(result_median(measured, "nothing")));
	assert_true(isnan(result_median(refused, "wait")));
	json_decref(document);
}

static void test_label(void **state)
{
	json_t *document = make_document();
	const json_t *points = json_object_get(document, "points");
	json_t *foreign = json_pack("{s:s, s:{s:s, s:i}}", "workload", "contend", "axes", "layout",
				    "wörd", "op", 3);
	char label[64];
	char small[11];

	(void)state;
	result_point_label(json_array_get(points, 0), label, sizeof(label));
	assert_string_equal(label, "contend fetch_add/uint word 64x2");
	result_point_label(json_array_get(points, 1), label, sizeof(label));
	assert_string_equal(label, "bfs");

	result_point_label(foreign, label, sizeof(label));
	assert_string_equal(label, "contend wörd");
	/* Room for half of the umlaut only. */
	result_point_label(foreign, small, sizeof(small));
	assert_string_equal(small, "contend w");
	json_decref(foreign);
	json_decref(document);
}

static void test_environment(void **state)
{
	json_t *environment = here();
	const char *kernel = json_string_value(json_object_get(environment, "kernel"));
	const char *loader = json_string_value(json_object_get(environment, "loader"));
	const json_int_t cpus = json_integer_value(json_object_get(environment, "cpus"));
	const json_int_t cores = json_integer_value(json_object_get(environment, "cores"));

	(void)state;
	assert_int_equal(strncmp(kernel, "Linux ", 6), 0);
	assert_true(strlen(loader) > 0 && strcmp(loader, "unknown") != 0);
	assert_in_range(cpus, 1, sysconf(_SC_NPROCESSORS_CONF));
	assert_in_range(cores, 1, sysconf(_SC_NPROCESSORS_CONF));
	assert_true(json_number_value(json_object_get(environment, "timer_overhead_ns")) > 0);
	json_decref(environment);
}

static void test_round_trip(void **state)
{
	json_t *document = make_document();
	struct error err = { 0 };
	json_t *loaded;

	(void)state;
	assert_true(result_write_json(in_scratch("r.json"), document, &err));
	loaded = result_load(in_scratch("r.json"), &err);
	assert_non_null(loaded);
	assert_true(json_equal(loaded, document));
	assert_int_equal(err.code, EXIT_OK);
	assert_int_equal(files_in_scratch(), 1);
	json_decref(loaded);
	json_decref(document);
}

static void assert_load_fails(const char *path, enum exit_code code, const char *says)
{
	struct error err = { 0 };

	assert_null(result_load(path, &err));
	assert_int_equal(err.code, code);
	if (!strstr(err.text, says) || !strstr(err.text, path))
		fail_msg("'%s' does not say '%s' of '%s'", err.text, says, path);
	assert_null(strchr(err.text, '\n'));
}

static void assert_text_fails(const char *text, const char *says)
{
	put_file(in_scratch("r.json"), text);
	assert_load_fails(in_scratch("r.json"), EXIT_BAD_DATA, says);
}

static void test_load_unreadable(void **state)
{
	(void)state;
	assert_load_fails("/nonexistent/r.json", EXIT_NO_INPUT, "No such file");
	assert_load_fails(scratch, EXIT_NO_INPUT, "Is a directory");
}

static void test_load_not_json(void **state)
{
	(void)state;
	assert_text_fails("", "line 1, column 0");
	assert_text_fails("{\n  \"a\": 1,\n  \"b\" 2\n}\n", "line 3, column 7");
	assert_text_fails("{\"a\": \"\x89PNG\"}", "not JSON");
	assert_text_fails("{\"a\": 1e999}", "not JSON");
	assert_text_fails("{} {}", "not JSON");
	assert_text_fails("{\"a\": 1, \"a\": 2}", "duplicate object key");
}

static void test_load_foreign(void **state)
{
	(void)state;
	assert_text_fails("{}", "no result of svmatomic-bench");
	assert_text_fails("[1, 2]", "no result of svmatomic-bench");
	assert_text_fails("{\"schema\": 1}", "no result of svmatomic-bench");
	assert_text_fails("{\"schema\": \"clpeak/1\"}", "no result of svmatomic-bench");
	assert_text_fails("{\"schema\": \"svmatomic-bench/2\"}", "upgrade");
	assert_text_fails("{\"schema\": \"svmatomic-bench/1\"}", "version is missing");
}

/* Load a document with one member put to @text (NULL: removed) at @path, "/"-separated. */
static void assert_change_fails(const char *path, const char *text, const char *says)
{
	json_t *document = make_document();
	json_t *at = document;
	struct error err = { 0 };
	char names[128];
	char *name, *rest;

	snprintf(names, sizeof(names), "%s", path);
	for (name = strtok_r(names, "/", &rest); *rest; name = strtok_r(NULL, "/", &rest))
		at = json_is_array(at) ? json_array_get(at, strtoul(name, NULL, 10))
				       : json_object_get(at, name);
	assert_non_null(at);
	if (text)
		assert_int_equal(
			json_object_set_new(at, name, json_loads(text, JSON_DECODE_ANY, NULL)), 0);
	else
		assert_int_equal(json_object_del(at, name), 0);

	assert_true(result_write_json(in_scratch("r.json"), document, &err));
	assert_load_fails(in_scratch("r.json"), EXIT_BAD_DATA, says);
	json_decref(document);
}

static void test_load_unsound(void **state)
{
	(void)state;
	assert_change_fails("seed", "\"one\"", "seed is not an integer");
	assert_change_fails("partial", "1", "partial is not true or false");
	assert_change_fails("environment/cpu", NULL, "environment.cpu is missing");
	assert_change_fails("devices", "{}", "devices is not an array");
	assert_change_fails("devices/0/name", "7", "devices[0].name is not a string");
	assert_change_fails("devices/0/capabilities", "{\"x\": {\"have\": 1}}",
			    "devices[0].capabilities.x.have is not true or false");
	assert_change_fails("points", "[3]", "points[0] is not an object");
	assert_change_fails("points/0/device", "1", "points[0] names a device");
	assert_change_fails("points/0/device", "-1", "points[0] names a device");
	assert_change_fails("points/0/axes", "{\"op\": []}",
			    "points[0].axes.op is not a string or a number");
	assert_change_fails("points/0/status", "\"fine\"", "points[0].status is not a word");
	assert_change_fails("points/0/notes", "[1]", "points[0].notes[0] is not a string");
	assert_change_fails("points/0/measures", NULL, "points[0] has no measures");
	assert_change_fails("points/0/histograms", NULL, "points[0] has no histograms");
	assert_change_fails("points/1/reason", NULL, "points[1] was refused for no reason");
	assert_change_fails("points/0/measures/1/median", "null",
			    "points[0].measures[1].median is not a number");
	assert_change_fails("points/0/measures/0/better", "\"more\"",
			    "points[0].measures[0].better is not a word");
	assert_change_fails("points/0/measures/0/samples", "[]",
			    "points[0].measures[0].samples has too few");
	assert_change_fails("points/0/measures/0/samples", "[1, \"2\"]",
			    "points[0].measures[0].samples[1] is not a number");
	assert_change_fails("points/0/histograms/0/buckets", "[[1]]",
			    "points[0].histograms[0].buckets[0] has too few");
	assert_change_fails("self_check", "[{}]", "self_check[0].name is missing");
}

static void assert_write_fails(const char *path, enum exit_code code, const char *says)
{
	struct error err = { 0 };

	assert_false(result_write_text(path, "text", 4, &err));
	assert_int_equal(err.code, code);
	if (!strstr(err.text, says))
		fail_msg("'%s' does not say '%s'", err.text, says);
}

static void test_write_cannot_create(void **state)
{
	(void)state;
	assert_write_fails(in_scratch("missing/r.json"), EXIT_CANNOT_CREATE, "No such file");
	assert_write_fails("/dev/null/r.json", EXIT_CANNOT_CREATE, "Not a directory");
	assert_write_fails("/proc/r.json", EXIT_CANNOT_CREATE, "/proc/r.json");
	assert_write_fails(scratch, EXIT_CANNOT_CREATE, "Is a directory");
	assert_write_fails("", EXIT_CANNOT_CREATE, "No such file");
}

/*
 * Through standard output, not by name: as root, a program that took /dev/full
 * for a file to rename over would do so.
 */
static void test_write_disk_full(void **state)
{
	const int full = open("/dev/full", O_WRONLY);
	const int saved = dup(STDOUT_FILENO);
	struct error err = { 0 };
	bool written;

	(void)state;
	fflush(stdout);
	assert_true(full >= 0 && saved >= 0);
	assert_true(dup2(full, STDOUT_FILENO) >= 0);
	written = result_write_text("-", "text", 4, &err);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	close(saved);
	close(full);

	assert_false(written);
	assert_int_equal(err.code, EXIT_OUTPUT);
	assert_non_null(strstr(err.text, "disk full while writing 'standard output'"));
}

/* What is no regular file is written to, not replaced. */
static void test_write_pipe(void **state)
{
	struct error err = { 0 };
	struct stat pipe;
	char text[8] = "";
	int reader;

	(void)state;
	assert_int_equal(mkfifo(in_scratch("pipe"), 0600), 0);
	reader = open(in_scratch("pipe"), O_RDONLY | O_NONBLOCK);
	assert_true(reader >= 0);
	assert_true(result_write_text(in_scratch("pipe"), "text", 4, &err));
	assert_int_equal(read(reader, text, sizeof(text) - 1), 4);
	assert_string_equal(text, "text");
	close(reader);
	assert_int_equal(lstat(in_scratch("pipe"), &pipe), 0);
	assert_true(S_ISFIFO(pipe.st_mode));
	assert_int_equal(files_in_scratch(), 1);
}

/* The old file stays whole, and nothing is left beside it. */
static void test_write_file_limit(void **state)
{
	const struct rlimit limit = { .rlim_cur = 1000, .rlim_max = RLIM_INFINITY };
	char *big = calloc(1, 5000);
	struct error err = { 0 };
	struct rlimit before;
	char *text;
	bool written;

	(void)state;
	assert_non_null(big);
	put_file(in_scratch("r.json"), "old");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	written = result_write_text(in_scratch("r.json"), big, 5000, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	free(big);

	assert_false(written);
	assert_int_equal(err.code, EXIT_OUTPUT);
	assert_non_null(strstr(err.text, "disk full"));
	text = get_file(in_scratch("r.json"));
	assert_string_equal(text, "old");
	free(text);
	assert_int_equal(files_in_scratch(), 1);
}

static void test_write_mode(void **state)
{
	const mode_t mask = umask(027);
	struct error err = { 0 };
	struct stat written;

	(void)state;
	assert_true(result_write_text(in_scratch("r.txt"), "text", 4, &err));
	assert_int_equal(umask(mask), 027);
	assert_int_equal(stat(in_scratch("r.txt"), &written), 0);
	assert_int_equal(written.st_mode & 07777, 0640);
	assert_int_equal(written.st_size, 4);
}

static void test_write_through_link(void **state)
{
	struct error err = { 0 };
	struct stat link;
	char *text;

	(void)state;
	put_file(in_scratch("target"), "old");
	assert_int_equal(symlink("target", in_scratch("link")), 0);
	assert_true(result_write_text(in_scratch("link"), "new", 3, &err));
	assert_int_equal(lstat(in_scratch("link"), &link), 0);
	assert_true(S_ISLNK(link.st_mode));
	text = get_file(in_scratch("target"));
	assert_string_equal(text, "new");
	free(text);
	assert_int_equal(files_in_scratch(), 2);
}

/* What stdio holds back comes first. */
static void test_write_stdout(void **state)
{
	const int saved = dup(STDOUT_FILENO);
	struct error err = { 0 };
	bool written;
	char *text;
	int fd;

	(void)state;
	fflush(stdout);
	fd = open(in_scratch("out"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0 && saved >= 0);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	printf("before ");
	written = result_write_text("-", "text", 4, &err);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	close(saved);
	close(fd);

	assert_true(written);
	text = get_file(in_scratch("out"));
	assert_string_equal(text, "before text");
	free(text);
}

static void test_csv(void **state)
{
	static const char *const expected[] = {
		"workload,device,kind,op,type,layout,work_items,cpu_threads,scale,status,mode,"
		"stopped_by,reason,measure,unit,better,median,low,high,samples,notes\n",
		"contend,\"Card, \"\"quoted\"\"\",real GPU,fetch_add,uint,word,64,2,,ok,gated,"
		"interval,,cpu,op/s,higher,1000004.0,",
		",9,first; second\ncontend,\"Card, \"\"quoted\"\"\",real GPU,fetch_add,uint,word,"
		"64,2,,ok,gated,interval,,wait,ns,neither,54.0,",
		",9,first; second\nbfs,\"Card, \"\"quoted\"\"\",real GPU,,,,,,3,refused,,,"
		"\"no SVM\nnone at all\",,,,,,,,\n",
	};
	json_t *document = make_document();
	struct error err = { 0 };
	const char *at;
	char *text;

	(void)state;
	assert_true(result_write_csv(in_scratch("r.csv"), document, &err));
	text = get_file(in_scratch("r.csv"));
	at = text;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const char *found = strstr(at, expected[i]);

		if (!found)
			fail_msg("no '%s' in '%s'", expected[i], at);
		at = found + strlen(expected[i]);
	}
	assert_string_equal(at, "");
	free(text);
	json_decref(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fail),
		cmocka_unit_test(test_measure),
		cmocka_unit_test(test_measure_not_finite),
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_label),
		cmocka_unit_test(test_environment),
		cmocka_unit_test_teardown(test_round_trip, empty_scratch),
		cmocka_unit_test_teardown(test_load_unreadable, empty_scratch),
		cmocka_unit_test_teardown(test_load_not_json, empty_scratch),
		cmocka_unit_test_teardown(test_load_foreign, empty_scratch),
		cmocka_unit_test_teardown(test_load_unsound, empty_scratch),
		cmocka_unit_test_teardown(test_write_cannot_create, empty_scratch),
		cmocka_unit_test(test_write_disk_full),
		cmocka_unit_test_teardown(test_write_pipe, empty_scratch),
		cmocka_unit_test_teardown(test_write_file_limit, empty_scratch),
		cmocka_unit_test_teardown(test_write_mode, empty_scratch),
		cmocka_unit_test_teardown(test_write_through_link, empty_scratch),
		cmocka_unit_test_teardown(test_write_stdout, empty_scratch),
		cmocka_unit_test_teardown(test_csv, empty_scratch),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
