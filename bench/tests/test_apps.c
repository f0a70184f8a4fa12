/* SPDX-License-Identifier: MIT */
/*
 * The applications on devices that are easier to command than a real one: one
 * that never does its part, one that gets lost, one that can do nothing. What
 * they do on a device that works is tested end to end, on OpenCL.
 */
#include "device.h"
#include "result.h"
#include "workload.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* cmocka has a macro of that name. */
#define fail_with    (fail)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct workload *const apps[] = { &workload_histogram, &workload_queue, &workload_hash,
					       &workload_bfs, &workload_steal };

/* --- the device --------------------------------------------------------- */

/* A launch does nothing; the memory is the host's. */
struct idle_device {
	struct device base;
	bool compiles_device_scope;
	bool gets_lost;
	struct launch launch;
	void *allocations[64];
};

static struct idle_device *idle_of(struct device *dev)
{
	return (struct idle_device *)dev;
}

static void **slot_of(struct device *dev, const void *address)
{
	struct idle_device *idle = idle_of(dev);

	for (size_t i = 0; i < COUNT(idle->allocations); i++)
		if (idle->allocations[i] == address)
			return &idle->allocations[i];
	fail_msg("no slot for %p", address);
	return NULL;
}

static bool idle_alloc(struct device *dev, enum memory_kind kind, size_t size, struct memory *out,
		       struct error *err)
{
	void *memory = aligned_alloc(128, (size + 127) / 128 * 128);

	if (!memory)
		return fail_with(err, EXIT_NO_MEMORY, "out of memory");
	memset(memory, 0, size);
	*out = (struct memory){ .kind = kind, .size = size };
	if (kind == MEMORY_PLAIN)
		out->handle = memory;
	else
		out->host = memory;
	*slot_of(dev, NULL) = memory;
	return true;
}

static void idle_release(struct device *dev, struct memory *memory)
{
	void *address = memory->host ? memory->host : memory->handle;

	assert_non_null(address);
	*slot_of(dev, address) = NULL;
	free(address);
}

static bool idle_map(struct device *dev, const struct memory *memory, struct error *err)
{
	(void)dev;
	(void)err;
	return memory->kind == MEMORY_SVM_COARSE;
}

static bool idle_write(struct device *dev, const struct memory *to, const void *from, size_t size,
		       struct error *err)
{
	(void)dev;
	(void)err;
	assert_true(size <= to->size);
	memcpy(to->handle, from, size);
	return true;
}

static bool idle_read(struct device *dev, void *to, const struct memory *from, size_t size,
		      struct error *err)
{
	(void)dev;
	(void)err;
	assert_true(size <= from->size);
	memcpy(to, from->handle, size);
	return true;
}

static struct kernel *idle_prepare(struct device *dev, const struct task *task, struct error *err)
{
	if (task->scope == SCOPE_ALL_DEVICES || idle_of(dev)->compiles_device_scope)
		return (struct kernel *)dev;
	fail_with(err, EXIT_UNAVAILABLE, "no device scope here");
	return NULL;
}

static struct launch *idle_launch(struct device *dev, struct kernel *kernel,
				  const struct argument *args, size_t nargs, size_t global,
				  size_t group, struct error *err)
{
	(void)kernel;
	(void)args;
	(void)nargs;
	(void)err;
	assert_true(global > 0 && group > 0 && global % group == 0);
	idle_of(dev)->launch.dev = dev;
	return &idle_of(dev)->launch;
}

static bool idle_wait(struct launch *launch, uint64_t timeout_ns, struct launch_times *times,
		      struct error *err)
{
	(void)times;
	assert_true(timeout_ns > 0);
	if (idle_of(launch->dev)->gets_lost)
		return fail_with(err, EXIT_DEVICE_LOST, "gone");
	return true;
}

static const struct device_ops idle_ops = {
	.backend = "idle",
	.alloc = idle_alloc,
	.release = idle_release,
	.map = idle_map,
	.unmap = idle_map,
	.write = idle_write,
	.read = idle_read,
	.prepare = idle_prepare,
	.launch = idle_launch,
	.wait = idle_wait,
};

static struct idle_device idle_device(void)
{
	struct idle_device dev = { .base = { .ops = &idle_ops,
					     .kind = DEVICE_OTHER,
					     .units = 1,
					     .open_units = 1,
					     .max_group = 64,
					     .widest_scope = SCOPE_ALL_DEVICES } };

	dev.base.caps[CAP_COMPILER].have = true;
	dev.base.caps[CAP_SVM_ATOMICS].have = true;
	strcpy(dev.base.caps[CAP_SVM_COARSE].note, "never heard of it");
	return dev;
}

static void assert_all_released(const struct idle_device *dev)
{
	for (size_t i = 0; i < COUNT(dev->allocations); i++)
		assert_null(dev->allocations[i]);
}

/* --- measuring ---------------------------------------------------------- */

static bool measure(const struct workload *app, struct idle_device *dev, unsigned threads,
		    json_t **out, struct error *err)
{
	struct topology topology;
	const struct session session = {
		.topology = &topology,
		.device = &dev->base,
		.effort = { .min_samples = 2, .max_samples = 2, .width = 1, .budget_s = 60 },
		.timeout_s = 10,
		.seed = 1,
	};
	const struct point point = { .cpu_threads = threads, .placement = "spread" };
	bool ok;

	*err = (struct error){ 0 };
	assert_true(topology_init(&topology, err));
	ok = app->measure(&session, &point, out, err);
	topology_clear(&topology);
	return ok;
}

static const char *text_of(const json_t *point, const char *key)
{
	return json_string_value(json_object_get(point, key));
}

static bool has_note(const json_t *point, const char *text)
{
	const json_t *note;
	size_t index;

	json_array_foreach (json_object_get(point, "notes"), index, note)
		if (!strcmp(json_string_value(note), text))
			return true;
	return false;
}

/* --- tests -------------------------------------------------------------- */

/* Where the work is shared as it goes, the threads do what the device leaves undone. */
static void test_threads_do_it_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(apps); i++) {
		struct idle_device dev = idle_device();
		struct error err;
		json_t *out;

		if (!measure(apps[i], &dev, 2, &out, &err))
			fail_msg("%s: %s", apps[i]->name, err.text);
		assert_string_equal(text_of(out, "workload"), apps[i]->name);
		assert_string_equal(text_of(out, "status"), "ok");
		assert_true(json_is_true(json_object_get(out, "verified")));
		assert_true(result_median(out, "svm_atomics") > 0);
		assert_true(result_median(out, "device_share") == 0);
		assert_null(result_find_measure(out, "coarse"));
		assert_null(result_find_measure(out, "plain"));
		assert_null(result_find_measure(out, "speedup"));
		assert_true(has_note(out, "coarse: left out: never heard of it"));
		assert_true(has_note(out, "plain: left out: no device scope here"));
		assert_all_released(&dev);
		json_decref(out);
	}
}

static void expect_lost_update(const struct workload *app, struct idle_device *dev,
			       unsigned threads)
{
	struct error err;
	json_t *out;

	assert_false(measure(app, dev, threads, &out, &err));
	assert_int_equal(err.code, EXIT_LOST_UPDATE);
	assert_string_equal(text_of(out, "status"), "lost-update");
	assert_true(json_is_false(json_object_get(out, "verified")));
	assert_int_equal(json_array_size(json_object_get(out, "measures")), 0);
	assert_all_released(dev);
	json_decref(out);
}

/* Without threads, and where the work is split beforehand, it stays undone. */
static void test_missing_work_is_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(apps); i++) {
		struct idle_device dev = idle_device();

		expect_lost_update(apps[i], &dev, 0);
		dev.base.caps[CAP_SVM_ATOMICS].have = false;
		dev.compiles_device_scope = true;
		expect_lost_update(apps[i], &dev, 1);
		dev.base.caps[CAP_SVM_COARSE].have = true;
		expect_lost_update(apps[i], &dev, 1);
	}
}

static void test_device_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(apps); i++) {
		struct idle_device dev = idle_device();
		struct error err;
		json_t *out;

		dev.gets_lost = true;
		assert_false(measure(apps[i], &dev, 2, &out, &err));
		assert_int_equal(err.code, EXIT_DEVICE_LOST);
		assert_null(out);
		/* What the device may still write to has been left alone. */
		assert_non_null(dev.allocations[0]);
		for (size_t k = 0; k < COUNT(dev.allocations); k++)
			free(dev.allocations[k]);
	}
}

static void test_nothing_possible(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(apps); i++) {
		struct idle_device dev = idle_device();
		struct error err;
		json_t *out;

		dev.base.caps[CAP_SVM_ATOMICS].have = false;
		assert_true(measure(apps[i], &dev, 1, &out, &err));
		assert_string_equal(text_of(out, "status"), "refused");
		assert_string_equal(text_of(out, "reason"), "no device scope here");
		json_decref(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads_do_it_all),
		cmocka_unit_test(test_missing_work_is_seen),
		cmocka_unit_test(test_device_lost),
		cmocka_unit_test(test_nothing_possible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
