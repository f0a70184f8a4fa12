/* SPDX-License-Identifier: MIT */
/*
 * Capabilities and counters: all of them arrive, and none that make no sense.
 */
#include "fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A node whose answers are all different. */
static int setup(void **state)
{
	int err = fixture_setup(state);

	node->query = (struct drm_svm_atomic_query){
		.version = 2,
		.features = 0x8000000f,
		.start = 0x1000,
		.end = 0x800000000000,
		.cutout_start = 0x2000,
		.cutout_end = 0x4000,
		.default_hold_ns = 11,
		.max_hold_ns = 12,
		.max_policies = 13,
		.policies = 14,
	};
	return err;
}

static void test_capabilities(void **state)
{
	const struct svma_capabilities expected = {
		.version = 2,
		.features = 0x8000000f,
		.page_size = (uint32_t)sysconf(_SC_PAGESIZE),
		.start = 0x1000,
		.end = 0x800000000000,
		.cutout_start = 0x2000,
		.cutout_end = 0x4000,
		.default_hold_ns = 11,
		.max_hold_ns = 12,
		.max_policies = 13,
		.policies = 14,
	};
	struct svma_capabilities got;

	(void)state;
	memset(&got, 0xff, sizeof(got));
	assert_int_equal(svma_query(device, &got), 0);
	assert_memory_equal(&got, &expected, sizeof(got));
}

static void test_absent(void **state)
{
	struct svma_capabilities got;

	(void)state;
	/* The client itself is told all the same. */
	node->query.absent = DRM_SVM_ATOMIC_DEVICE_LOST;
	assert_int_equal(svma_query(device, &got), 0);
	assert_int_equal(got.absent, SVMA_REASON_DEVICE_LOST);
	assert_int_equal(got.end, 0x800000000000);
	assert_int_equal(got.cutout_start, 0x2000);
	node->query.absent = DRM_SVM_ATOMIC_FOREIGN;
	assert_int_equal(svma_query(device, &got), 0);
	assert_int_equal(got.absent, SVMA_REASON_FOREIGN);
	node->query.absent = SVMA_REASON_PERMISSION;
	assert_int_equal(svma_query(device, &got), 0);
	assert_int_equal(got.absent, SVMA_REASON_UNKNOWN);
	/* Unbound: there is nothing that is shared, but a cutout may be known. */
	node->query.start = node->query.end = 0;
	node->query.absent = DRM_SVM_ATOMIC_NO_CLIENT;
	assert_int_equal(svma_query(device, &got), 0);
	assert_int_equal(got.absent, SVMA_REASON_NO_CLIENT);
}

static void assert_fails(int err, uint32_t absent)
{
	const struct svma_counters none = { 0 };
	struct svma_capabilities empty = { .absent = absent };
	struct svma_capabilities got;
	struct svma_counters counters;

	memset(&got, 0xff, sizeof(got));
	memset(&counters, 0xff, sizeof(counters));
	assert_int_equal(svma_query(device, &got), err);
	assert_memory_equal(&got, &empty, sizeof(got));
	assert_int_equal(svma_counters(device, &counters), err);
	assert_memory_equal(&counters, &none, sizeof(none));
}

static void test_nonsense(void **state)
{
	const struct drm_svm_atomic_query good = node->query;

	(void)state;
	node->query.version = 0;
	assert_fails(-EPROTO, SVMA_REASON_PROTOCOL);
	node->query = good;
	node->query.end = 0xfff;
	assert_fails(-EPROTO, SVMA_REASON_PROTOCOL);
	node->query = good;
	node->query.cutout_end = 0x1fff;
	assert_fails(-EPROTO, SVMA_REASON_PROTOCOL);
}

static void assert_cutout(uint64_t start, uint64_t end, uint64_t seen_start, uint64_t seen_end)
{
	struct svma_capabilities got;

	node->query.cutout_start = start;
	node->query.cutout_end = end;
	assert_int_equal(svma_query(device, &got), 0);
	assert_int_equal(got.cutout_start, seen_start);
	assert_int_equal(got.cutout_end, seen_end);
}

/* The kernel binds cutouts that reach beyond what is shared, or are there altogether. */
static void test_cutout(void **state)
{
	const uint64_t start = node->query.start;
	const uint64_t end = node->query.end;

	(void)state;
	assert_cutout(0x3000, 0x5000, 0x3000, 0x5000);
	assert_cutout(0x3000, end + 0x1000, 0x3000, end);
	assert_cutout(0, 0x3000, start, 0x3000);
	assert_cutout(end + 0x1000, end + 0x3000, end, end);
	assert_cutout(0, 0, start, start);
}

static void test_errors(void **state)
{
	(void)state;
	node->query_errno = ENODEV;
	assert_fails(-ENODEV, SVMA_REASON_DEVICE_LOST);
	node->query_errno = EINVAL;
	assert_fails(-ENOSYS, SVMA_REASON_OLD_KERNEL);
	node->query_errno = EIO;
	assert_fails(-EIO, SVMA_REASON_SYSTEM);
	node->query_errno = 0;
	node->interruptions = 2;
	assert_int_equal(svma_query(device, &(struct svma_capabilities){ 0 }), 0);
	assert_int_equal(node->interruptions, 0);
}

static void test_counters(void **state)
{
	struct svma_counters got;
	uint64_t *fill = (uint64_t *)&node->query.counters;

	(void)state;
	for (size_t i = 0; i < sizeof(node->query.counters) / sizeof(*fill); i++)
		fill[i] = i + 1;
	memset(&got, 0xff, sizeof(got));
	assert_int_equal(svma_counters(device, &got), 0);
	assert_int_equal(got.acquisitions, 1);
	assert_int_equal(got.acquired, 2);
	assert_int_equal(got.revoked[SVMA_BY_CPU], 3);
	assert_int_equal(got.revoked[7], 10);
	assert_int_equal(got.refused[0], 11);
	assert_int_equal(got.refused[31], 42);
	assert_int_equal(got.retries, 43);
	assert_int_equal(got.waits_cpu, 44);
	assert_int_equal(got.waits_device, 45);
	assert_int_equal(got.events_lost, 46);
	assert_int_equal(got.held[0], 47);
	assert_int_equal(got.held[31], 78);
	assert_int_equal(got.reserved[0] | got.reserved[1] | got.reserved[2] | got.reserved[3], 0);
}

#define FILLED(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILLED(test_capabilities), FILLED(test_absent), FILLED(test_cutout),
		FILLED(test_nonsense),	   FILLED(test_errors), FILLED(test_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
