/* SPDX-License-Identifier: MIT */
/*
 * Verdicts on constructed results: every direction, every way for a point to
 * have no partner, the exit codes, and what is printed.
 */
#include "compare.h"
#include "result.h"
#include "stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SAMPLES	  21
#define THRESHOLD 0.05

static json_t *make_result(void)
{
	return json_pack("{s:s, s:b, s:i, s:{s:s, s:s}, s:[{s:s, s:s}], s:[]}", "schema",
			 RESULT_SCHEMA, "partial", 0, "seed", 1, "environment", "kernel",
			 "Linux 6.12", "cpu", "CPU", "devices", "name", "card", "kind", "real GPU",
			 "points");
}

/* @count samples evenly over @median +- @spread. */
static json_t *make_measure(const char *name, const char *unit, enum better better, double median,
			    double spread, unsigned count)
{
	struct samples set = { 0 };
	json_t *measure;

	for (unsigned i = 0; i < count; i++) {
		const double step = count > 1 ? 2.0 * i / (count - 1) - 1 : 0;

		assert_true(samples_add(&set, median + step * spread));
	}
	measure = result_measure(name, unit, better, &set, 1);
	samples_clear(&set);
	return measure;
}

/* A point of contend on @device with op @op, without measures. Borrowed. */
static json_t *add_point(json_t *result, int device, const char *op, const char *status)
{
	json_t *point = json_pack("{s:s, s:i, s:{s:s, s:i}, s:s, s:[], s:[]}", "workload",
				  "contend", "device", device, "axes", "op", op, "work_items", 64,
				  "status", status, "measures", "notes");

	assert_int_equal(json_array_append_new(json_object_get(result, "points"), point), 0);
	return point;
}

static void add_measure(json_t *point, json_t *measure)
{
	assert_non_null(measure);
	assert_int_equal(json_array_append_new(json_object_get(point, "measures"), measure), 0);
}

/* One point with one measure. */
static json_t *result_of(enum better better, double median, double spread, unsigned count)
{
	json_t *result = make_result();

	add_measure(add_point(result, 0, "load", "ok"),
		    make_measure("m", "op/s", better, median, spread, count));
	return result;
}

static json_t *compare(json_t *a, json_t *b)
{
	struct error err = { 0 };
	json_t *comparison = compare_json(a, b, THRESHOLD, &err);

	if (!comparison)
		fail_msg("%s", err.text);
	json_decref(a);
	json_decref(b);
	return comparison;
}

static const char *member(const json_t *comparison, const char *list, size_t index,
			  const char *name)
{
	const json_t *entry = json_array_get(json_object_get(comparison, list), index);

	return json_string_value(json_object_get(entry, name));
}

static double figure(const json_t *comparison, const char *name)
{
	const json_t *entry = json_array_get(json_object_get(comparison, "measures"), 0);

	return json_number_value(json_object_get(entry, name));
}

static char *printed(const json_t *comparison)
{
	struct error err = { 0 };
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_true(compare_print(comparison, out, &err));
	fclose(out);
	return text;
}

static void assert_prints(const json_t *comparison, const char *says)
{
	char *text = printed(comparison);

	if (!strstr(text, says))
		fail_msg("no '%s' in:\n%s", says, text);
	free(text);
}

struct verdict_case {
	enum better better;
	double a, b, spread;
	const char *verdict;
	enum exit_code code;
};

static void test_verdicts(void **state)
{
	static const struct verdict_case cases[] = {
		{ BETTER_HIGHER, 100, 120, 2, "faster", EXIT_OK },
		{ BETTER_HIGHER, 100, 80, 2, "slower", EXIT_SLOWER },
		{ BETTER_LOWER, 100, 120, 2, "slower", EXIT_SLOWER },
		{ BETTER_LOWER, 100, 80, 2, "faster", EXIT_OK },
		{ BETTER_HIGHER, 100, 101, 2, "same", EXIT_OK },
		{ BETTER_LOWER, 100, 99, 2, "same", EXIT_OK },
		{ BETTER_HIGHER, 100, 105, 5, "ambiguous", EXIT_AMBIGUOUS },
		{ BETTER_LOWER, 100, 95, 5, "ambiguous", EXIT_AMBIGUOUS },
		{ BETTER_HIGHER, 100, 100, 60, "ambiguous", EXIT_AMBIGUOUS },
		/* Clearly apart, but by less than the threshold. */
		{ BETTER_HIGHER, 100, 97, 0.1, "same", EXIT_OK },
		/* From nothing to something: an infinite ratio. */
		{ BETTER_HIGHER, 0, 100, 0, "faster", EXIT_OK },
		{ BETTER_LOWER, 0, 100, 0, "slower", EXIT_SLOWER },
		{ BETTER_HIGHER, 0, 0, 0, "same", EXIT_OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct verdict_case *c = &cases[i];
		json_t *comparison = compare(result_of(c->better, c->a, c->spread, SAMPLES),
					     result_of(c->better, c->b, c->spread, SAMPLES));

		assert_string_equal(member(comparison, "measures", 0, "verdict"), c->verdict);
		assert_int_equal(compare_exit_code(comparison), c->code);
		json_decref(comparison);
	}
}

static void test_figures(void **state)
{
	json_t *comparison = compare(result_of(BETTER_HIGHER, 100, 2, SAMPLES),
				     result_of(BETTER_HIGHER, 120, 2, SAMPLES));

	(void)state;
	assert_true(figure(comparison, "a") == 100);
	assert_true(figure(comparison, "b") == 120);
	assert_true(figure(comparison, "ratio") == 1.2);
	assert_true(figure(comparison, "low") < 1.2 && figure(comparison, "low") > 1.15);
	assert_true(figure(comparison, "high") > 1.2 && figure(comparison, "high") < 1.25);
	assert_true(figure(comparison, "delta") == 1);
	json_decref(comparison);

	comparison = compare(result_of(BETTER_HIGHER, 0, 0, SAMPLES),
			     result_of(BETTER_HIGHER, 120, 2, SAMPLES));
	assert_true(json_is_null(json_object_get(
		json_array_get(json_object_get(comparison, "measures"), 0), "ratio")));
	assert_prints(comparison, "inf");
	json_decref(comparison);

	comparison = compare(result_of(BETTER_HIGHER, 0, 0, SAMPLES),
			     result_of(BETTER_HIGHER, 0, 0, SAMPLES));
	assert_true(figure(comparison, "ratio") == 1);
	json_decref(comparison);
}

static void test_too_few_samples(void **state)
{
	json_t *few = compare(result_of(BETTER_HIGHER, 100, 1, COMPARE_MIN_SAMPLES - 1),
			      result_of(BETTER_HIGHER, 200, 1, SAMPLES));
	json_t *enough = compare(result_of(BETTER_HIGHER, 100, 1, COMPARE_MIN_SAMPLES),
				 result_of(BETTER_HIGHER, 200, 1, SAMPLES));

	(void)state;
	assert_string_equal(member(few, "measures", 0, "verdict"), "ambiguous");
	assert_string_equal(member(enough, "measures", 0, "verdict"), "faster");
	json_decref(few);
	json_decref(enough);
}

static void test_neither_is_skipped(void **state)
{
	json_t *a = result_of(BETTER_HIGHER, 100, 1, SAMPLES);
	json_t *b = result_of(BETTER_HIGHER, 100, 1, SAMPLES);
	json_t *comparison;

	(void)state;
	add_measure(json_array_get(json_object_get(a, "points"), 0),
		    make_measure("n", "share", BETTER_NEITHER, 1, 0, SAMPLES));
	add_measure(json_array_get(json_object_get(b, "points"), 0),
		    make_measure("n", "share", BETTER_NEITHER, 9, 0, SAMPLES));
	comparison = compare(a, b);
	assert_int_equal(json_array_size(json_object_get(comparison, "measures")), 1);
	assert_int_equal(compare_exit_code(comparison), EXIT_OK);
	json_decref(comparison);
}

static void test_slower_beats_ambiguous(void **state)
{
	json_t *a = make_result();
	json_t *b = make_result();
	json_t *comparison;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		static const double b_medians[] = { 80, 105, 150 };
		static const char *const ops[] = { "load", "store", "exchange" };

		add_measure(add_point(a, 0, ops[i], "ok"),
			    make_measure("m", "op/s", BETTER_HIGHER, 100, 5, SAMPLES));
		add_measure(add_point(b, 0, ops[i], "ok"),
			    make_measure("m", "op/s", BETTER_HIGHER, b_medians[i], 5, SAMPLES));
	}
	comparison = compare(a, b);
	assert_int_equal(compare_exit_code(comparison), EXIT_SLOWER);
	assert_prints(comparison, "\n1 faster, 1 slower, 0 same, 1 ambiguous (threshold 5%)\n");
	json_decref(comparison);
}

/* A point that is compared, so that there is something in common, and one with statuses. */
static json_t *compare_statuses(const char *status_a, const char *status_b)
{
	json_t *a = result_of(BETTER_HIGHER, 100, 1, SAMPLES);
	json_t *b = result_of(BETTER_HIGHER, 100, 1, SAMPLES);
	json_t *point = add_point(b, 0, "store", status_b);

	json_object_set_new(point, "reason", json_string("so\033[31m it is"));
	add_point(a, 0, "store", status_a);
	return compare(a, b);
}

static void assert_status(const char *status_a, const char *status_b, const char *verdict,
			  enum exit_code code)
{
	json_t *comparison = compare_statuses(status_a, status_b);
	const char *its = member(comparison, "others", 0, "verdict");
	char line[128];

	if (verdict)
		assert_string_equal(its, verdict);
	else
		assert_null(its);
	assert_int_equal(compare_exit_code(comparison), code);
	snprintf(line, sizeof(line), "contend store 64x0: %s in A, %s in B", status_a, status_b);
	assert_prints(comparison, line);
	json_decref(comparison);
}

static void test_statuses(void **state)
{
	json_t *comparison;

	(void)state;
	assert_status("ok", "lost-update", "slower", EXIT_SLOWER);
	assert_status("refused", "lost-update", "slower", EXIT_SLOWER);
	assert_status("ok", "refused", "ambiguous", EXIT_AMBIGUOUS);
	assert_status("partial", "unreliable", "ambiguous", EXIT_AMBIGUOUS);
	assert_status("refused", "ok", NULL, EXIT_OK);
	assert_status("refused", "refused", NULL, EXIT_OK);
	assert_status("lost-update", "ok", NULL, EXIT_OK);

	/* A driver's reason cannot drive the terminal. */
	comparison = compare_statuses("ok", "refused");
	assert_prints(comparison, "refused in B: so [31m it is (counts as ambiguous)\n");
	json_decref(comparison);
}

/* What was cut short is compared as far as it goes. */
static void test_partial_point(void **state)
{
	json_t *a = result_of(BETTER_HIGHER, 100, 1, SAMPLES);
	json_t *b = result_of(BETTER_HIGHER, 50, 1, SAMPLES);
	json_t *point = json_array_get(json_object_get(b, "points"), 0);
	json_t *comparison;

	(void)state;
	json_object_set_new(point, "status", json_string("partial"));
	comparison = compare(a, b);
	assert_string_equal(member(comparison, "measures", 0, "verdict"), "slower");
	json_decref(comparison);
}

static void test_measure_gone(void **state)
{
	json_t *a = result_of(BETTER_HIGHER, 100, 1, SAMPLES);
	json_t *b = result_of(BETTER_HIGHER, 100, 1, SAMPLES);
	json_t *comparison;

	(void)state;
	add_measure(json_array_get(json_object_get(a, "points"), 0),
		    make_measure("gone", "op/s", BETTER_HIGHER, 1, 0, SAMPLES));
	comparison = compare(a, b);
	assert_int_equal(compare_exit_code(comparison), EXIT_AMBIGUOUS);
	assert_prints(comparison,
		      "contend load 64x0: gone not measured in B (counts as ambiguous)");
	json_decref(comparison);
}

static void test_unmatched_points(void **state)
{
	json_t *a = result_of(BETTER_HIGHER, 100, 1, SAMPLES);
	json_t *b = result_of(BETTER_HIGHER, 100, 1, SAMPLES);
	json_t *comparison;

	(void)state;
	add_point(a, 0, "store", "ok");
	add_point(b, 0, "exchange", "lost-update");
	comparison = compare(a, b);
	assert_int_equal(json_array_size(json_object_get(comparison, "others")), 2);
	assert_prints(comparison, "contend store 64x0: only in A\n");
	assert_prints(comparison, "contend exchange 64x0: only in B\n");
	assert_int_equal(compare_exit_code(comparison), EXIT_OK);
	json_decref(comparison);
}

static void assert_nothing_in_common(json_t *a, json_t *b)
{
	struct error err = { 0 };

	assert_null(compare_json(a, b, THRESHOLD, &err));
	assert_int_equal(err.code, EXIT_BAD_DATA);
	assert_non_null(strstr(err.text, "no point in common"));
	json_decref(a);
	json_decref(b);
}

static void test_nothing_in_common(void **state)
{
	json_t *other_device = result_of(BETTER_HIGHER, 100, 1, SAMPLES);
	json_t *other_axes = result_of(BETTER_HIGHER, 100, 1, SAMPLES);
	json_t *other_workload = result_of(BETTER_HIGHER, 100, 1, SAMPLES);
	json_t *refused[2] = { make_result(), make_result() };

	(void)state;
	json_object_set_new(json_array_get(json_object_get(other_device, "devices"), 0), "name",
			    json_string("another"));
	json_object_set_new(
		json_object_get(json_array_get(json_object_get(other_axes, "points"), 0), "axes"),
		"order", json_string("seq_cst"));
	json_object_set_new(json_array_get(json_object_get(other_workload, "points"), 0),
			    "workload", json_string("handoff"));
	add_point(refused[0], 0, "load", "refused");
	add_point(refused[1], 0, "load", "refused");

	assert_nothing_in_common(result_of(BETTER_HIGHER, 100, 1, SAMPLES), other_device);
	assert_nothing_in_common(result_of(BETTER_HIGHER, 100, 1, SAMPLES), other_axes);
	assert_nothing_in_common(result_of(BETTER_HIGHER, 100, 1, SAMPLES), other_workload);
	assert_nothing_in_common(make_result(), make_result());
	assert_nothing_in_common(refused[0], refused[1]);
}

/* Two cards of one name: the first pairs with the first, the second with the second. */
static void test_twin_devices(void **state)
{
	json_t *results[2] = { make_result(), make_result() };
	json_t *comparison;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		json_array_append_new(json_object_get(results[i], "devices"),
				      json_pack("{s:s, s:s}", "name", "card", "kind", "real GPU"));
		add_measure(add_point(results[i], 0, "load", "ok"),
			    make_measure("m", "op/s", BETTER_HIGHER, 100, 1, SAMPLES));
		add_measure(add_point(results[i], 1, "load", "ok"),
			    make_measure("m", "op/s", BETTER_HIGHER, 500, 1, SAMPLES));
	}
	comparison = compare(results[0], results[1]);
	assert_int_equal(json_array_size(json_object_get(comparison, "measures")), 2);
	assert_string_equal(member(comparison, "measures", 0, "verdict"), "same");
	assert_string_equal(member(comparison, "measures", 1, "verdict"), "same");
	assert_string_equal(member(comparison, "measures", 0, "point"),
			    "contend load 64x0 on card");
	json_decref(comparison);
}

/* Points that differ in an axis that the label leaves out are told apart all the same. */
static void test_labels_tell_apart(void **state)
{
	static const char *const orders[] = { "relaxed", "seq_cst" };
	json_t *results[2] = { make_result(), make_result() };
	json_t *comparison;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		json_t *point = add_point(results[i / 2], 0, "load", "ok");
		json_t *axes = json_object_get(point, "axes");

		json_object_set_new(axes, "order", json_string(orders[i % 2]));
		json_object_set_new(axes, "scope", json_string("device"));
		json_object_set_new(axes, "group_size", json_integer(i % 2 ? 16 : 1));
		add_measure(point, make_measure("m", "op/s", BETTER_HIGHER, 100, 1, SAMPLES));
	}
	comparison = compare(results[0], results[1]);
	assert_string_equal(member(comparison, "measures", 0, "point"),
			    "contend load 64x0 scope=device group_size=1");
	assert_string_equal(member(comparison, "measures", 1, "point"),
			    "contend load 64x0 order=seq_cst scope=device group_size=16");
	json_decref(comparison);
}

static void test_notes(void **state)
{
	json_t *a = result_of(BETTER_HIGHER, 100, 1, SAMPLES);
	json_t *b = result_of(BETTER_HIGHER, 100, 1, SAMPLES);
	json_t *comparison = compare(json_incref(a), json_incref(b));

	(void)state;
	assert_int_equal(json_array_size(json_object_get(comparison, "notes")), 0);
	json_decref(comparison);

	json_object_set_new(b, "partial", json_true());
	json_object_set_new(b, "partial_reason", json_string("interrupted"));
	json_object_set_new(json_object_get(b, "environment"), "kernel", json_string("Linux 7.2"));
	json_object_set_new(json_object_get(b, "environment"), "cpu", json_string("Other"));
	json_object_set_new(json_array_get(json_object_get(b, "devices"), 0), "kind",
			    json_string("virtual device"));
	comparison = compare(a, b);
	assert_int_equal(json_array_size(json_object_get(comparison, "notes")), 4);
	assert_prints(comparison, "note: kernels differ: Linux 6.12 in A, Linux 7.2 in B");
	assert_prints(comparison, "note: CPUs differ: CPU in A, Other in B");
	assert_prints(comparison,
		      "note: kinds of device differ: real GPU in A, virtual device in B");
	assert_prints(comparison, "note: B is partial: interrupted");
	json_decref(comparison);
}

/* Columns begin where their heading does, whatever the widths. */
static void test_table_is_aligned(void **state)
{
	json_t *a = result_of(BETTER_HIGHER, 123456789, 1, SAMPLES);
	json_t *b = result_of(BETTER_HIGHER, 123456789, 1, SAMPLES);
	json_t *comparison;
	char *text, *row, *rest;
	size_t column;

	(void)state;
	add_measure(add_point(a, 0, "compare_exchange", "ok"),
		    make_measure("latency", "ns", BETTER_LOWER, 50, 0, SAMPLES));
	add_measure(add_point(b, 0, "compare_exchange", "ok"),
		    make_measure("latency", "ns", BETTER_LOWER, 50, 0, SAMPLES));
	comparison = compare(a, b);
	assert_prints(comparison, "123.5 Mop/s");
	assert_prints(comparison, "50 ns");

	text = printed(comparison);
	row = strtok_r(text, "\n", &rest);
	assert_int_equal(strncmp(row, "POINT ", 6), 0);
	column = (size_t)(strstr(row, "VERDICT") - row);
	for (unsigned i = 0; i < 2; i++) {
		row = strtok_r(NULL, "\n", &rest);
		assert_true(strlen(row) >= column + 4);
		assert_int_equal(strncmp(row + column, "same", 4), 0);
	}
	free(text);
	json_decref(comparison);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_too_few_samples),
		cmocka_unit_test(test_neither_is_skipped),
		cmocka_unit_test(test_slower_beats_ambiguous),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_partial_point),
		cmocka_unit_test(test_measure_gone),
		cmocka_unit_test(test_unmatched_points),
		cmocka_unit_test(test_nothing_in_common),
		cmocka_unit_test(test_twin_devices),
		cmocka_unit_test(test_labels_tell_apart),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_table_is_aligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
