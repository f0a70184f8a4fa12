/* SPDX-License-Identifier: MIT */
/*
 * The layers of a stack side by side: what is chosen to speak for each, what is set in
 * proportion to the first, what is left out.
 */
#include "report.h"
#include "result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *document(const char *kind, const char *device)
{
	return json_pack("{s:s, s:{s:s, s:s}, s:[{s:s, s:s}], s:[]}", "schema", RESULT_SCHEMA,
			 "environment", "kernel", "Linux 6.12.117", "cpu", "made up", "devices",
			 "name", device, "kind", kind, "points");
}

static void add_measure(json_t *point, const char *name, const char *unit, double median)
{
	json_t *measure = json_pack("{s:s, s:s, s:s, s:[f], s:f, s:f, s:f}", "name", name, "unit",
				    unit, "better", "neither", "samples", median, "median", median,
				    "low", median, "high", median);

	assert_int_equal(json_array_append_new(json_object_get(point, "measures"), measure), 0);
}

/* Borrowed. */
static json_t *add_point(json_t *result, const char *workload, const char *axis, const char *value)
{
	json_t *point = json_pack("{s:s, s:i, s:{s:s, s:s, s:s, s:i, s:i}, s:s, s:[], s:[]}",
				  "workload", workload, "device", 0, "axes", "op", "fetch_add",
				  "type", "uint", "layout", "word", "work_items", 1, "cpu_threads",
				  1, "status", "ok", "measures", "notes");

	if (axis)
		json_object_set_new(json_object_get(point, "axes"), axis, json_string(value));
	assert_int_equal(json_array_append_new(json_object_get(result, "points"), point), 0);
	return point;
}

/* @alone is the device's alone; all the rest is in proportion. */
static json_t *add_contend(json_t *result, double alone)
{
	json_t *point = add_point(result, "contend", NULL, NULL);

	add_measure(point, "device_alone", "op/s", alone);
	add_measure(point, "device_together", "op/s", alone / 4);
	add_measure(point, "device_slowdown", "ratio", 4);
	add_measure(point, "cpu_alone", "op/s", alone * 2);
	add_measure(point, "cpu_together", "op/s", alone);
	add_measure(point, "cpu_slowdown", "ratio", 2);
	return point;
}

static void set_hold(json_t *point, double hold_ns)
{
	json_object_set_new(json_object_get(point, "axes"), "hold_ns",
			    json_integer((json_int_t)hold_ns));
}

/* The table of @count results, which it lets go of. */
static char *print(json_t **results, const char *const *names, size_t count)
{
	struct error err = { 0 };
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_true(report_print(results, names, count, out, &err));
	assert_int_equal(fclose(out), 0);
	for (size_t i = 0; i < count; i++)
		json_decref(results[i]);
	return text;
}

/* The line whose title is @title has @cells, one after another, and no more. */
static void assert_row(const char *text, const char *title, const char *cells)
{
	const char *line = text;
	char words[256] = "";

	while (line && strncmp(line, title, strlen(title)))
		line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL;
	if (!line)
		fail_msg("no row '%s' in:\n%s", title, text);
	line += strlen(title);
	/* What is between cells is two or more blanks, or one at the widest. */
	for (size_t length = 0; *line && *line != '\n' && length < sizeof(words) - 1; line++)
		if (*line != ' ' || (length && words[length - 1] != ' '))
			words[length++] = *line;
	while (*words && words[strlen(words) - 1] == ' ')
		words[strlen(words) - 1] = '\0';
	if (strcmp(words, cells))
		fail_msg("'%s' has '%s', not '%s'", title, words, cells);
}

static void test_layers(void **state)
{
	static const char *const names[] = { "pocl.json", "llvmpipe.json", "out/vsvm.json",
					     "vsvm-cl.json" };
	json_t *results[] = { document("CPU device", "p"), document("CPU device", "l"),
			      document("virtual device", "v"),
			      document("virtual device", "l-on-v") };
	json_t *point;
	char *text;

	(void)state;
	add_contend(results[0], 100e6);
	add_contend(results[1], 50e6);
	for (int i = 2; i < 4; i++) {
		point = add_contend(results[i], i == 2 ? 10e6 : 5e6);
		add_measure(point, "transfers", "1/s", i == 2 ? 32000 : 16000);
		set_hold(point, 20000);
	}
	add_measure(add_point(results[0], "handoff", "order", "relaxed"), "one_way", "ns", 125);
	add_measure(add_point(results[3], "handoff", "order", "relaxed"), "one_way", "ns", 50000);
	text = print(results, names, 4);

	assert_row(text, "", "pocl llvmpipe vsvm vsvm-cl");
	assert_row(text, "what it is", "CPU device CPU device virtual device virtual device");
	assert_row(text, "device  ", "p l v l-on-v");
	assert_row(text, "kernel", "Linux 6.12.117 Linux 6.12.117 Linux 6.12.117 Linux 6.12.117");
	assert_row(text, "device alone",
		   "100 Mop/s 50 Mop/s (0.5x) 10 Mop/s (0.1x) 5 Mop/s (0.05x)");
	assert_row(text, "device together",
		   "25 Mop/s 12.5 Mop/s (0.5x) 2.5 Mop/s (0.1x) 1.25 Mop/s (0.05x)");
	assert_row(text, "device slow-down", "4x 4x 4x 4x");
	assert_row(text, "CPU together",
		   "100 Mop/s 50 Mop/s (0.5x) 10 Mop/s (0.1x) 5 Mop/s (0.05x)");
	assert_row(text, "CPU slow-down", "2x 2x 2x 2x");
	assert_row(text, "pages changing sides", "- - 32 k/s 16 k/s");
	assert_row(text, "handoff, one way", "125 ns - - 50 us (400x)");
	free(text);
}

/* Points that differ in an axis both have are shown, and not set in proportion. */
static void test_different_points(void **state)
{
	static const char *const names[] = { "a.json", "b.json" };
	json_t *results[] = { document("CPU device", "p"), document("real GPU", "g") };
	json_t *point;
	char *text;

	(void)state;
	add_contend(results[0], 8e6);
	point = add_contend(results[1], 4e6);
	json_object_set_new(json_object_get(point, "axes"), "work_items", json_integer(64));
	text = print(results, names, 2);
	assert_row(text, "point",
		   "contend fetch_add/uint word 1x1 contend fetch_add/uint word 64x1");
	assert_row(text, "device alone", "8 Mop/s 4 Mop/s");
	free(text);
}

/* What is no figure is not shown as one. */
static void test_no_figures(void **state)
{
	static const char *const names[] = { "a.json", "b.json" };
	json_t *results[] = { document("CPU device", "p"), document("virtual device", "v") };
	json_t *point;
	char *text;

	(void)state;
	point = add_contend(results[0], 8e6);
	json_object_set_new(point, "status", json_string("lost-update"));
	add_contend(results[1], 4e6);
	text = print(results, names, 2);
	assert_row(text, "device alone", "- 4 Mop/s");
	free(text);
}

static void test_one_device(void **state)
{
	static const char *const names[] = { "a.json" };
	json_t *results[] = { document("CPU device", "p") };
	char *text;

	(void)state;
	add_contend(results[0], 8e6);
	text = print(results, names, 1);
	assert_string_equal(text, "");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_different_points),
		cmocka_unit_test(test_no_figures),
		cmocka_unit_test(test_one_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
