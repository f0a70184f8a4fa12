/* SPDX-License-Identifier: MIT */
/*
 * What devices without a compiler run, and what pages that change hands come to in a
 * result: contend and handoff on a device made of threads, with made-up counters.
 */
#include "counters.h"
#include "functions.h"
#include "point.h"
#include "result.h"
#include "workload.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <cmocka.h>

#define ITEMS	     2
#define DEFAULT_HOLD 20000

struct kernel {
	struct task task;
};

struct item {
	pthread_t thread;
	struct made_launch *launch;
	uint32_t number;
};

struct made_launch {
	struct launch base;
	const struct task *task;
	union value args[12];
	size_t count;
	struct item items[ITEMS];
};

static struct kernel prepared;
static struct counters counted;
static uint64_t last_hold;
static unsigned holds_set;

/* --- the device --------------------------------------------------------- */

static bool made_alloc(struct device *dev, enum memory_kind kind, size_t size, struct memory *out,
		       struct error *err)
{
	(void)dev;
	(void)err;
	*out = (struct memory){ .kind = kind, .size = size };
	out->host = out->handle =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(out->host, MAP_FAILED);
	return true;
}

static void made_release(struct device *dev, struct memory *memory)
{
	(void)dev;
	if (memory->handle)
		munmap(memory->handle, memory->size);
	*memory = (struct memory){ 0 };
}

static bool made_has(const struct device *dev, const struct task *task)
{
	(void)dev;
	return function_for(task);
}

static struct kernel *made_prepare(struct device *dev, const struct task *task, struct error *err)
{
	(void)dev;
	(void)err;
	prepared.task = *task;
	return &prepared;
}

static void *run_item(void *argument)
{
	const struct item *item = argument;
	const struct made_launch *launch = item->launch;

	function_for(launch->task)(launch->task, launch->args, item->number);
	return NULL;
}

static struct launch *made_start(struct device *dev, struct kernel *kernel,
				 const struct argument *args, size_t nargs, size_t global,
				 size_t group, struct error *err)
{
	struct made_launch *launch = calloc(1, sizeof(*launch));

	(void)group;
	(void)err;
	assert_non_null(launch);
	assert_in_range(global, 1, ITEMS);
	launch->base.dev = dev;
	launch->task = &kernel->task;
	launch->count = global;
	for (size_t i = 0; i < nargs; i++) {
		if (args[i].kind == ARG_MEMORY)
			launch->args[i].memory = args[i].memory->handle;
		else
			launch->args[i].number =
				args[i].kind == ARG_U32 ? args[i].u32 : args[i].u64;
	}
	for (uint32_t i = 0; i < global; i++) {
		launch->items[i] = (struct item){ .launch = launch, .number = i };
		assert_int_equal(
			pthread_create(&launch->items[i].thread, NULL, run_item, &launch->items[i]),
			0);
	}
	return &launch->base;
}

static bool made_done(struct launch *launch)
{
	(void)launch;
	return false;
}

static bool made_wait(struct launch *base, uint64_t timeout_ns, struct launch_times *times,
		      struct error *err)
{
	struct made_launch *launch = (struct made_launch *)base;

	(void)timeout_ns;
	(void)err;
	for (size_t i = 0; i < launch->count; i++)
		pthread_join(launch->items[i].thread, NULL);
	if (times)
		*times = (struct launch_times){ 0 };
	free(launch);
	return true;
}

static bool made_hold(struct device *dev, const struct memory *memory, uint64_t hold_ns,
		      struct error *err)
{
	(void)dev;
	(void)err;
	assert_non_null(memory->handle);
	last_hold = hold_ns;
	holds_set++;
	return true;
}

/* Between two readings: 4 pages there, 3 back, 2 of them after 32 to 64 us. */
static bool made_counters(struct device *dev, struct counters *out)
{
	(void)dev;
	*out = counted;
	counted.acquired += 4;
	counted.revoked_cpu += 3;
	counted.waits_cpu += 1;
	counted.held[15] += 2;
	return true;
}

static const struct device_ops made_ops = {
	.backend = "made",
	.alloc = made_alloc,
	.release = made_release,
	.has_function = made_has,
	.prepare = made_prepare,
	.launch = made_start,
	.done = made_done,
	.wait = made_wait,
	.hold = made_hold,
	.counters = made_counters,
};

/* --- a session on it ---------------------------------------------------- */

static bool never(void)
{
	return false;
}

struct made {
	struct device device;
	struct topology topology;
	struct session session;
	struct point point;
};

static void made_create(struct made *made)
{
	*made = (struct made){ 0 };
	made->device = (struct device){ .ops = &made_ops,
					.kind = DEVICE_VIRTUAL,
					.name = "made",
					.units = ITEMS,
					.open_units = 1,
					.max_items = ITEMS,
					.max_group = 1,
					.default_hold_ns = DEFAULT_HOLD,
					.max_hold_ns = 1000000,
					.widest_scope = SCOPE_ALL_DEVICES,
					.gate = GATE_LOAD,
					.gate_spins_per_s = 1000000000 };
	for (int cap = 0; cap < CAP_COUNT; cap++)
		made->device.caps[cap].have = cap != CAP_COMPILER;
	strcpy(made->device.caps[CAP_COMPILER].note, "it has none");
	assert_true(topology_init(&made->topology, NULL));
	made->session = (struct session){ .topology = &made->topology,
					  .device = &made->device,
					  .effort = { .window_ns = 30000000,
						      .min_samples = 1,
						      .max_samples = 1,
						      .width = 1.0,
						      .budget_s = 0.1,
						      .rounds = 50 },
					  .seed = 1,
					  .timeout_s = 60.0,
					  .interrupted = never };
	made->point = (struct point){ .type = TYPE_UINT,
				      .scope = SCOPE_ALL_DEVICES,
				      .cpu_threads = 1,
				      .placement = "spread",
				      .hold_ns = DEVICE_HOLD_DEFAULT };
	holds_set = 0;
}

static void made_destroy(struct made *made)
{
	topology_clear(&made->topology);
}

static json_t *measure(struct made *made, const struct workload *workload)
{
	struct error err = { 0 };
	json_t *json = NULL;

	assert_true(workload->measure(&made->session, &made->point, &json, &err));
	assert_non_null(json);
	return json;
}

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static json_int_t hold_of(const json_t *json)
{
	return json_integer_value(json_object_get(json_object_get(json, "axes"), "hold_ns"));
}

/* --- the tests ---------------------------------------------------------- */

static void test_what_there_is(void **state)
{
	(void)state;
	assert_non_null(function_for(&(struct task){ .workload = "gate" }));
	assert_non_null(function_for(&(struct task){ .workload = "contend" }));
	assert_non_null(function_for(&(struct task){ .workload = "handoff" }));
	assert_null(function_for(&(struct task){ .workload = "bfs" }));
	/* A function that is not atomic nobody has written. */
	assert_null(function_for(&(struct task){ .workload = "contend", .broken = true }));
}

/* Every operation and type: the leg itself says when the words are not what they must be. */
static void test_contend_adds_up(void **state)
{
	struct made made;

	(void)state;
	made_create(&made);
	for (int op = 0; op < OP_COUNT; op++)
		for (int type = 0; type < TYPE_COUNT; type++) {
			json_t *json;

			if (combination_refusal((enum op)op, (enum type)type, ORDER_RELAXED))
				continue;
			made.session.effort.window_ns = 1000000;
			made.point.op = (enum op)op;
			made.point.type = (enum type)type;
			made.point.layout = type % 2 ? LAYOUT_WORD : LAYOUT_RANDOM;
			made.point.working_set = 4096;
			made.point.work_items = 1 + (unsigned)type % ITEMS;
			json = measure(&made, &workload_contend);
			assert_true(json_is_true(json_object_get(json, "verified")));
			json_decref(json);
		}
	made_destroy(&made);
}

static void test_contend_counts_pages(void **state)
{
	const json_t *held;
	struct made made;
	json_t *json;

	(void)state;
	made_create(&made);
	made.point.hold_ns = 5000;
	json = measure(&made, &workload_contend);
	assert_int_equal(last_hold, 5000);
	assert_int_equal(hold_of(json), 5000);
	assert_true(json_integer_value(
			    json_object_get(json_object_get(json, "counters"), "acquired")) >= 4);
	/* On a machine too busy for any sample there are no figures. */
	if (result_find_measure(json, "transfers")) {
		/* 7 pages in not quite a window of 30 ms, or more where it got late. */
		assert_true(result_median(json, "transfers") > 0);
		assert_true(result_median(json, "transfers") / result_median(json, "cpu_waits") >
			    6.99);
		held = json_array_get(json_object_get(json, "histograms"), 2);
		assert_string_equal(text_of(held, "name"), "held");
		assert_int_equal(json_integer_value(json_object_get(held, "max")), 32768);
	}
	json_decref(json);
	made_destroy(&made);
}

/* 0 is a hold like any other, and said. */
static void test_labels_say_the_hold(void **state)
{
	struct made made;
	char label[128];
	json_t *json;

	(void)state;
	made_create(&made);
	made.point.hold_ns = 0;
	json = measure(&made, &workload_handoff);
	result_point_label(json, label, sizeof(label));
	assert_string_equal(label, "handoff hold_ns=0");
	json_decref(json);
	made_destroy(&made);
}

static void test_default_hold_has_its_number(void **state)
{
	struct made made;
	json_t *json;

	(void)state;
	made_create(&made);
	json = measure(&made, &workload_handoff);
	assert_int_equal(hold_of(json), DEFAULT_HOLD);
	assert_int_equal(last_hold, DEFAULT_HOLD);
	assert_string_equal(text_of(json, "status"), "ok");
	assert_true(result_median(json, "one_way") > 0);
	json_decref(json);
	made_destroy(&made);
}

static void check_refused(const struct made *made, const char *why)
{
	struct made own = *made;
	json_t *json;

	own.session.device = &own.device;
	own.session.topology = &own.topology;
	json = measure(&own, &workload_contend);
	assert_string_equal(text_of(json, "status"), "refused");
	assert_non_null(strstr(text_of(json, "reason"), why));
	json_decref(json);
}

static void test_what_cannot_be_is_refused(void **state)
{
	struct made made;
	struct made other;

	(void)state;
	made_create(&made);
	other = made;
	other.point.work_items = ITEMS + 1;
	check_refused(&other, "work_items");
	other = made;
	other.point.group_size = 2;
	other.point.work_items = 2;
	check_refused(&other, "group_size");
	other = made;
	other.point.hold_ns = 1000001;
	check_refused(&other, "hold_ns");
	other = made;
	other.session.no_gate = true;
	check_refused(&other, "--no-gate");
	other = made;
	other.session.broken = true;
	check_refused(&other, "it has none");
	assert_int_equal(holds_set, 0);
	made_destroy(&made);
}

/* A device that takes no pages: no hold in the point, and none can be asked for. */
static void test_no_policy(void **state)
{
	struct made made;
	json_t *json;

	(void)state;
	made_create(&made);
	made.device.max_hold_ns = made.device.default_hold_ns = 0;
	json = measure(&made, &workload_handoff);
	assert_null(json_object_get(json_object_get(json, "axes"), "hold_ns"));
	assert_int_equal(holds_set, 0);
	json_decref(json);
	made.point.hold_ns = 0;
	check_refused(&made, "takes no pages");
	made_destroy(&made);
}

static void test_counters(void **state)
{
	const struct counters before = { .acquired = 5, .revoked_cpu = 4, .held = { [3] = 1 } };
	const struct counters after = {
		.acquired = 9, .revoked_cpu = 7, .waits_device = 2, .held = { [3] = 3, [31] = 1 }
	};
	const struct counters between = counters_between(&before, &after);
	struct histogram *histogram = calloc(1, sizeof(*histogram));

	(void)state;
	assert_non_null(histogram);
	assert_int_equal(counters_transfers(&between), 7);
	assert_int_equal(between.waits_device, 2);
	counters_held(&between, histogram);
	assert_int_equal(histogram->count, 3);
	assert_int_equal(histogram->max, UINT64_C(1) << 31);
	assert_true(histogram_quantile(histogram, 0.5) == 8.0);
	free(histogram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_there_is),
		cmocka_unit_test(test_contend_adds_up),
		cmocka_unit_test(test_contend_counts_pages),
		cmocka_unit_test(test_labels_say_the_hold),
		cmocka_unit_test(test_default_hold_has_its_number),
		cmocka_unit_test(test_what_cannot_be_is_refused),
		cmocka_unit_test(test_no_policy),
		cmocka_unit_test(test_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
