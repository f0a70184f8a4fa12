// SPDX-License-Identifier: MIT
/*
 * What the kernel says of a device: unbound, bound, of a child; opening, explaining and the
 * cutouts that it refuses.
 */
#include "vm.h"

#include <sys/wait.h>

static void survey(void)
{
	struct svma_report reports[32], one;
	int found = 0, count = svma_survey(reports, 32);

	check(count >= 1);
	for (int i = 0; i < count && i < 32; i++) {
		if (strcmp(reports[i].driver, "vsvm"))
			continue;
		found++;
		equal(reports[i].error, 0);
		equal(reports[i].reason, SVMA_REASON_OK);
		equal(reports[i].flags, SVMA_OPEN_VIRTUAL);
		check(reports[i].version >= 1);
		equal(svma_explain(reports[i].node, &one), 0);
		check(!memcmp(&one, &reports[i], sizeof(one)));
	}
	check(found);
}

static void cutouts(struct svma_device *device, uint64_t end)
{
	equal(svma_bind(device, (void *)(uintptr_t)end, PAGE), -EINVAL);
	equal(svma_bind(device, (void *)(uintptr_t)(end - PAGE), 2 * PAGE), -EINVAL);
	equal(svma_bind(device, (void *)(uintptr_t)0xffff800000000000, PAGE), -EINVAL);
	equal(svma_bind(device, (void *)(uintptr_t)1, PAGE), -EINVAL);
	equal(svma_bind(device, (void *)(uintptr_t)PAGE, 1), -EINVAL);
}

int main(void)
{
	struct svma_device *device = open_vsvm();
	char *cutout = map_pages(4);
	struct svma_capabilities can;
	struct svma_counters counters;
	int status;
	pid_t pid;

	survey();
	check(!strcmp(svma_driver(device), "vsvm"));
	equal(svma_query(device, &can), 0);
	equal(can.absent, SVMA_REASON_NO_CLIENT);
	equal(can.end, 0);
	check(can.version >= 1);
	equal(can.page_size, PAGE);
	equal(can.features & 0xf,
	      SVMA_FEATURE_FAULT | SVMA_FEATURE_AROUND | SVMA_FEATURE_EVENTS | SVMA_FEATURE_HOLD);
	equal(can.default_hold_ns, 0);
	check(can.max_policies > 0);

	cutouts(device, 0x7ffffffff000);
	equal(svma_query(device, &can), 0);
	equal(can.absent, SVMA_REASON_NO_CLIENT);
	equal(svma_bind(device, cutout, 4 * PAGE), 0);
	equal(svma_bind(device, cutout, 4 * PAGE), -EBUSY);
	equal(svma_query(device, &can), 0);
	equal(can.absent, SVMA_REASON_OK);
	check(can.default_hold_ns > 0 && can.max_hold_ns >= can.default_hold_ns);
	equal(can.cutout_start, (uintptr_t)cutout);
	equal(can.cutout_end, (uintptr_t)cutout + 4 * PAGE);
	check(can.start <= (uintptr_t)cutout && can.end >= 0x7ffffffff000);
	equal(svma_counters(device, &counters), 0);
	equal(counters.acquired, 0);

	equal(svma_acquire(device, map_pages(1), PAGE, NULL), 0);
	equal(svma_counters(device, &counters), 0);
	equal(counters.acquired, 1);
	pid = fork();
	if (!pid) {
		equal(svma_query(device, &can), 0);
		equal(can.absent, SVMA_REASON_FOREIGN);
		equal(can.end, 0);
		equal(svma_counters(device, &counters), 0);
		equal(counters.acquired, 0);
		exit(0);
	}
	check(waitpid(pid, &status, 0) == pid);
	equal(status, 0);
	svma_close(device);
	return 0;
}
