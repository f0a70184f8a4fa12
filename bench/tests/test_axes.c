/* SPDX-License-Identifier: MIT */
/*
 * Axes and plans: values, their errors, and the cross product.
 */
#include "axes.h"
#include "device.h"
#include "plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ALL ((1u << AXIS_COUNT) - 1)

static void assert_refused(const char *assignment, const char *names)
{
	struct axis_lists lists = { 0 };
	struct error err = { 0 };

	assert_false(axis_lists_set(&lists, assignment, &err));
	assert_int_equal(err.code, EXIT_USAGE_ERROR);
	assert_non_null(strstr(err.text, names));
	axis_lists_clear(&lists);
}

static void test_bad_assignments(void **state)
{
	(void)state;
	assert_refused("op", "op");
	assert_refused("colour=red", "colour");
	assert_refused("op=fetch_mul", "fetch_mul");
	assert_refused("op=", "op");
	assert_refused("op=load,,store", "''");
	assert_refused("work_items=0", "'0'");
	assert_refused("work_items=-1", "'-1'");
	assert_refused("work_items=16777217", "16777217");
	assert_refused("cpu_threads=many", "many");
	assert_refused("cpu_threads=4097", "4097");
	assert_refused("think_ns=1e3", "1e3");
	assert_refused("hold_ns=10000001", "10000001");
	assert_refused("hold_ns=long", "long");
	assert_refused("working_set=1X", "1X");
	assert_refused("working_set=63", "63");
	assert_refused("working_set=99999999999999999999", "99999999999999999999");
	assert_refused("placement=moon", "moon");
	assert_refused("placement=cpus:", "cpus:");
}

static struct point only_point(const char *assignment)
{
	struct axis_lists lists = { 0 };
	struct point *points;
	struct point point;
	size_t count;

	assert_true(axis_lists_set(&lists, assignment, NULL));
	assert_true(axis_lists_points(&lists, ALL, 4, &points, &count, NULL));
	assert_int_equal(count, 1);
	point = points[0];
	free(points);
	axis_lists_clear(&lists);
	return point;
}

static void test_values(void **state)
{
	(void)state;
	assert_int_equal(only_point("working_set=64").working_set, 64);
	assert_int_equal(only_point("working_set=4K").working_set, 4096);
	assert_int_equal(only_point("working_set=3m").working_set, 3 << 20);
	assert_int_equal(only_point("working_set=1T").working_set, INT64_C(1) << 40);
	assert_int_equal(only_point("cpu_threads=all").cpu_threads, 4);
	assert_int_equal(only_point("cpu_threads=0").cpu_threads, 0);
	assert_int_equal(only_point("work_items=auto").work_items, 0);
	assert_int_equal(only_point("hold_ns=0").hold_ns, 0);
	assert_int_equal(only_point("hold_ns=10000000").hold_ns, 10000000);
	assert_true(only_point("hold_ns=default").hold_ns == DEVICE_HOLD_DEFAULT);
	assert_int_equal(only_point("layout=page-per-worker").layout, LAYOUT_PAGE_PER_WORKER);
	assert_int_equal(only_point("distribution=zipf").distribution, DISTRIBUTION_ZIPF);
	assert_string_equal(only_point("placement=cpus:0-3,8").placement, "cpus:0-3,8");
}

static void test_names_are_complete(void **state)
{
	(void)state;
	for (int i = 0; i < OP_COUNT; i++)
		assert_int_equal(name_index(op_names, op_names[i]), i);
	for (int i = 0; i < TYPE_COUNT; i++)
		assert_int_equal(name_index(type_names, type_names[i]), i);
	for (int i = 0; i < ORDER_COUNT; i++)
		assert_int_equal(name_index(order_names, order_names[i]), i);
	for (int i = 0; i < SCOPE_COUNT; i++)
		assert_int_equal(name_index(scope_names, scope_names[i]), i);
	for (int i = 0; i < LAYOUT_COUNT; i++)
		assert_int_equal(name_index(layout_names, layout_names[i]), i);
	assert_null(op_names[OP_COUNT]);
	assert_int_equal(name_index(op_names, ""), -1);
}

static void test_defaults_are_values(void **state)
{
	(void)state;
	for (int i = 0; i < AXIS_COUNT; i++) {
		struct axis_lists lists = { 0 };
		char assignment[128];

		snprintf(assignment, sizeof(assignment), "%s=%s", axes[i].name, axes[i].initial);
		assert_true(axis_lists_set(&lists, assignment, NULL));
		axis_lists_clear(&lists);
	}
}

static void test_product(void **state)
{
	struct axis_lists lists = { 0 };
	struct point *points;
	size_t count;

	(void)state;
	assert_true(axis_lists_set(&lists, "op=load,store", NULL));
	assert_true(axis_lists_set(&lists, "think_ns=0,10,100", NULL));
	assert_true(axis_lists_set(&lists, "placement=spread,cpus:0,2,same-core", NULL));
	assert_true(axis_lists_points(&lists, ALL, 4, &points, &count, NULL));
	assert_int_equal(count, 18);
	/* The last axis turns fastest, and a CPU list keeps its commas. */
	assert_int_equal(points[0].op, OP_LOAD);
	assert_int_equal(points[1].think_ns, 10);
	assert_string_equal(points[3].placement, "cpus:0,2");
	assert_int_equal(points[17].op, OP_STORE);
	assert_int_equal(points[17].think_ns, 100);
	free(points);

	/* An axis that is not used keeps its default. */
	assert_true(axis_lists_points(&lists, AXIS_BIT(AXIS_OP), 4, &points, &count, NULL));
	assert_int_equal(count, 2);
	assert_int_equal(points[1].think_ns, 0);
	free(points);
	axis_lists_clear(&lists);
}

static void test_product_is_bounded(void **state)
{
	struct axis_lists lists = { 0 };
	struct error err = { 0 };
	struct point *points;
	char many[2048] = "think_ns=0";
	size_t count;

	(void)state;
	for (int i = 1; i < 400; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), ",%d", i);
	assert_true(axis_lists_set(&lists, many, NULL));
	assert_true(
		axis_lists_set(&lists, "op=fetch_add,fetch_sub,exchange,load,store,flag", NULL));
	assert_true(axis_lists_set(&lists, "order=relaxed,acquire,release,acq_rel,seq_cst", NULL));
	assert_true(axis_lists_set(&lists, "type=int,uint,long,ulong,float,double", NULL));
	assert_true(axis_lists_points(&lists, ALL, 4, &points, &count, NULL));
	assert_int_equal(count, 400 * 6 * 5 * 6);
	free(points);
	assert_true(axis_lists_set(&lists, "scope=work_group,device,all_devices", NULL));
	assert_false(axis_lists_points(&lists, ALL, 4, &points, &count, &err));
	assert_int_equal(err.code, EXIT_USAGE_ERROR);
	axis_lists_clear(&lists);
}

static void test_combinations(void **state)
{
	(void)state;
	assert_null(combination_refusal(OP_LOAD, TYPE_INT, ORDER_ACQUIRE));
	assert_non_null(combination_refusal(OP_LOAD, TYPE_INT, ORDER_RELEASE));
	assert_non_null(combination_refusal(OP_STORE, TYPE_INT, ORDER_ACQUIRE));
	assert_non_null(combination_refusal(OP_STORE, TYPE_INT, ORDER_ACQ_REL));
	assert_null(combination_refusal(OP_STORE, TYPE_FLOAT, ORDER_SEQ_CST));
	assert_non_null(combination_refusal(OP_FETCH_XOR, TYPE_FLOAT, ORDER_RELAXED));
	assert_null(combination_refusal(OP_FETCH_ADD, TYPE_DOUBLE, ORDER_RELAXED));
	assert_non_null(combination_refusal(OP_FLAG, TYPE_INT, ORDER_RELAXED));
	assert_non_null(combination_refusal(OP_FLAG, TYPE_UINT, ORDER_ACQUIRE));
	assert_null(combination_refusal(OP_FLAG, TYPE_INT, ORDER_ACQUIRE));
}

/* --- plans -------------------------------------------------------------- */

static const struct device two_core_cpu = { .kind = DEVICE_CPU, .units = 2, .max_group = 4096 };
static const struct device big_gpu = { .kind = DEVICE_REAL_GPU, .units = 100, .max_group = 1024 };

static void test_profile_plans(void **state)
{
	(void)state;
	for (const struct profile *profile = profiles; profile->name; profile++) {
		const struct request request = { .profile = profile };
		struct plan small;
		struct plan large;

		assert_true(plan_make(&small, &request, &two_core_cpu, 2, NULL));
		assert_true(plan_make(&large, &request, &big_gpu, 64, NULL));
		assert_int_equal(plan_cpu_threads(&small), 1);
		assert_int_equal(plan_cpu_threads(&large), 64);
		assert_true(large.count > small.count);
		/* No point twice. */
		for (size_t i = 0; i < small.count; i++)
			for (size_t j = 0; j < i; j++)
				assert_false(
					small.entries[i].workload == small.entries[j].workload &&
					!memcmp(&small.entries[i].point, &small.entries[j].point,
						sizeof(struct point)));
		/* Every workload is in it. */
		for (size_t i = 0; workloads[i]; i++) {
			size_t found = 0;

			for (size_t j = 0; j < small.count; j++)
				found += small.entries[j].workload == workloads[i];
			assert_true(found > 0);
		}
		plan_clear(&small);
		plan_clear(&large);
	}
}

static void test_unread_axis(void **state)
{
	struct request request = { .profile = profile_find("quick"), .has_axes = true };
	struct error err = { 0 };
	struct plan plan;

	(void)state;
	request.workloads = 1u << 1; /* handoff */
	assert_string_equal(workloads[1]->name, "handoff");
	assert_true(axis_lists_set(&request.lists, "layout=word", NULL));
	assert_false(plan_make(&plan, &request, &two_core_cpu, 2, &err));
	assert_int_equal(err.code, EXIT_USAGE_ERROR);
	assert_non_null(strstr(err.text, "layout"));
	axis_lists_clear(&request.lists);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_assignments),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_names_are_complete),
		cmocka_unit_test(test_defaults_are_values),
		cmocka_unit_test(test_product),
		cmocka_unit_test(test_product_is_bounded),
		cmocka_unit_test(test_combinations),
		cmocka_unit_test(test_profile_plans),
		cmocka_unit_test(test_unread_axis),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
