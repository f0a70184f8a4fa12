// SPDX-License-Identifier: MIT
/*
 * Taking ranges and giving them back, on the real kernel: all of it, parts of it, and each
 * reason for which a page can be refused that a test can bring about.
 */
#include "vm.h"

#include <sys/wait.h>

#define PAGES 64

static struct svma_device *device;
static struct svma_outcome outcome;

static int acquire(char *address, size_t pages)
{
	memset(&outcome, 0xff, sizeof(outcome));
	return svma_acquire(device, address, pages * PAGE, &outcome);
}

static int release(char *address, size_t pages)
{
	memset(&outcome, 0xff, sizeof(outcome));
	return svma_release(device, address, pages * PAGE, &outcome);
}

static void expect(uint32_t reason, const void *failed, uint64_t pages, const void *next)
{
	equal(outcome.reason, reason);
	equal(outcome.failed, (uintptr_t)failed);
	equal(outcome.pages, pages);
	equal(outcome.next, (uintptr_t)next);
}

static void whole(char *area)
{
	struct svma_counters counters;
	char *end = area + PAGES * PAGE;

	for (size_t i = 0; i < PAGES / 2; i++)
		area[i * PAGE] = (char)i;
	equal(acquire(area, PAGES), 0);
	expect(SVMA_REASON_OK, end, PAGES, end);
	equal(release(area, PAGES / 2), 0);
	expect(SVMA_REASON_OK, area + PAGES / 2 * PAGE, PAGES / 2, area + PAGES / 2 * PAGE);
	equal(svma_counters(device, &counters), 0);
	equal(counters.revoked[SVMA_BY_RELEASE], PAGES / 2);
	equal(counters.revoked[SVMA_BY_CPU], 0);
	/* What is in them stays, and an access takes those back that were not released. */
	for (size_t i = 0; i < PAGES; i++)
		equal(area[i * PAGE], i < PAGES / 2 ? (char)i : 0);
	equal(svma_counters(device, &counters), 0);
	check(counters.revoked[SVMA_BY_CPU] > 0);
	equal(release(area, PAGES), 0);
	expect(SVMA_REASON_OK, end, 0, end);
}

static void part(char *area)
{
	char *end = area + PAGES * PAGE;

	check(!munmap(area + 4 * PAGE, PAGE));
	check(!mprotect(area + 8 * PAGE, 2 * PAGE, PROT_READ));
	equal(acquire(area, PAGES), -EFAULT);
	expect(SVMA_REASON_UNMAPPED, area + 4 * PAGE, PAGES - 3, end);
	equal(acquire(area + 5 * PAGE, 4), -EACCES);
	expect(SVMA_REASON_READONLY, area + 8 * PAGE, 3, area + 9 * PAGE);
}

static void reasons(char *cutout)
{
	char *shared =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *huge = mmap(NULL, 1 << 21, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	char *denied = map_pages(2);

	check(shared != MAP_FAILED);
	equal(acquire(shared, 2), -EOPNOTSUPP);
	expect(SVMA_REASON_SHMEM, shared, 0, shared + 2 * PAGE);
	if (huge != MAP_FAILED) {
		equal(acquire(huge, 512), -EOPNOTSUPP);
		expect(SVMA_REASON_HUGETLB, huge, 0, huge + (1 << 21));
	}
	equal(svma_set_policy(device, denied + PAGE, PAGE, SVMA_MODE_DENY, 0, NULL), 0);
	equal(acquire(denied, 2), -EPERM);
	expect(SVMA_REASON_DENIED, denied + PAGE, 1, denied + 2 * PAGE);
	equal(acquire(cutout, 1), -ERANGE);
	expect(SVMA_REASON_OUTSIDE, cutout, 0, cutout);
	equal(acquire(cutout - PAGE, 2), -ERANGE);
	expect(SVMA_REASON_OUTSIDE, cutout, 0, cutout - PAGE);
	equal(release(cutout, 1), -ERANGE);
	equal(outcome.reason, SVMA_REASON_OUTSIDE);
}

static void refuses(const void *address, size_t length)
{
	struct svma_policy policy;

	memset(&outcome, 0xff, sizeof(outcome));
	equal(svma_acquire(device, address, length, &outcome), -EINVAL);
	expect(SVMA_REASON_INVALID, address, 0, address);
	memset(&outcome, 0xff, sizeof(outcome));
	equal(svma_release(device, address, length, &outcome), -EINVAL);
	expect(SVMA_REASON_INVALID, address, 0, address);
	equal(svma_set_policy(device, address, length, SVMA_MODE_DENY, 0, NULL), -EINVAL);
	equal(svma_get_policy(device, address, length, &policy, NULL), -EINVAL);
}

/* Ranges that are none. */
static void invalid(char *area)
{
	refuses(area, 0);
	refuses(area, 1);
	refuses(area, PAGE + 1);
	refuses(area + 8, PAGE);
	refuses(area, SIZE_MAX - PAGE + 1);
	refuses((void *)(UINTPTR_MAX - PAGE + 1), PAGE);
}

static void foreign(char *area)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		equal(acquire(area, 1), -ESRCH);
		expect(SVMA_REASON_FOREIGN, area, 0, area);
		equal(release(area, 1), -ESRCH);
		equal(outcome.reason, SVMA_REASON_FOREIGN);
		exit(0);
	}
	check(waitpid(pid, &status, 0) == pid);
	equal(status, 0);
}

int main(void)
{
	char *area, *cutout = map_pages(4);

	device = open_vsvm();
	area = map_pages(PAGES);
	equal(acquire(area, 1), -ENXIO);
	expect(SVMA_REASON_NO_CLIENT, area, 0, area);
	equal(svma_bind(device, cutout + PAGE, 2 * PAGE), 0);
	whole(area);
	part(area);
	reasons(cutout + PAGE);
	invalid(area);
	foreign(area);
	svma_close(device);
	return 0;
}
