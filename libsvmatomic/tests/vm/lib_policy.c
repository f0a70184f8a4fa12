// SPDX-License-Identifier: MIT
/*
 * Policies: what is set is told, in sum and in the number of ranges; a hold makes the CPU
 * wait; a denial keeps the device away.
 */
#include "vm.h"

#define PAGES 16

static struct svma_device *device;
static char *area;

static int set(size_t page, size_t pages, enum svma_mode mode, uint64_t hold_ns)
{
	return svma_set_policy(device, area + page * PAGE, pages * PAGE, mode, hold_ns, NULL);
}

static void expect(size_t page, size_t pages, uint32_t modes, uint64_t least, uint64_t most)
{
	struct svma_policy policy;

	equal(svma_get_policy(device, area + page * PAGE, pages * PAGE, &policy, NULL), 0);
	equal(policy.modes, modes);
	equal(policy.min_hold_ns, least);
	equal(policy.max_hold_ns, most);
}

static uint32_t policies(void)
{
	struct svma_capabilities can;

	equal(svma_query(device, &can), 0);
	return can.policies;
}

int main(void)
{
	struct svma_capabilities can;
	struct svma_counters counters;
	struct svma_outcome outcome;
	uint64_t began, took;
	int tries = 0;

	device = open_vsvm();
	area = map_pages(PAGES);
	equal(set(0, 1, SVMA_MODE_DENY, 0), -ENXIO);
	equal(svma_bind(device, NULL, 0), 0);
	equal(svma_query(device, &can), 0);
	expect(0, PAGES, 1 << SVMA_MODE_DEFAULT, can.default_hold_ns, can.default_hold_ns);

	equal(set(4, 8, SVMA_MODE_HOLD, 100000), 0);
	equal(policies(), 1);
	equal(set(6, 1, SVMA_MODE_HOLD, 0), 0);
	equal(set(8, 1, SVMA_MODE_DENY, 0), 0);
	equal(policies(), 5);
	expect(4, 8, 1 << SVMA_MODE_HOLD | 1 << SVMA_MODE_DENY, 0, 100000);
	expect(8, 1, 1 << SVMA_MODE_DENY, 0, 0);
	equal(svma_acquire(device, area, PAGES * PAGE, &outcome), -EPERM);
	equal(outcome.reason, SVMA_REASON_DENIED);
	equal(outcome.failed, (uintptr_t)area + 8 * PAGE);
	equal(outcome.pages, PAGES - 1);
	equal(outcome.next, (uintptr_t)area + PAGES * PAGE);

	equal(set(0, 1, SVMA_MODE_HOLD, can.max_hold_ns + 1), -EINVAL);
	equal(set(0, 1, SVMA_MODE_DENY, 1), -EINVAL);
	equal(set(0, 1, (enum svma_mode)3, 0), -EINVAL);
	equal(set(0, PAGES, SVMA_MODE_DEFAULT, 0), 0);
	equal(policies(), 0);
	expect(0, PAGES, 1 << SVMA_MODE_DEFAULT, can.default_hold_ns, can.default_hold_ns);

	/*
	 * A CPU waits until the hold has ended. Where the test is kept from running for all
	 * of it, there is nothing to wait for.
	 */
	equal(set(0, 1, SVMA_MODE_HOLD, can.max_hold_ns), 0);
	do {
		equal(svma_release(device, area, PAGES * PAGE, NULL), 0);
		began = now_ns();
		equal(svma_acquire(device, area, PAGE, NULL), 0);
		*(volatile char *)area = 1;
		took = now_ns() - began;
		equal(svma_counters(device, &counters), 0);
		check(took >= can.max_hold_ns);
	} while (!counters.waits_cpu && ++tries < 100);
	check(counters.waits_cpu >= 1);

	/* A policy is of addresses: it outlives the mapping. */
	check(!munmap(area, PAGE));
	expect(0, 1, 1 << SVMA_MODE_HOLD, can.max_hold_ns, can.max_hold_ns);
	svma_close(device);
	return 0;
}
