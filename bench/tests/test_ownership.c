/* SPDX-License-Identifier: MIT */
/*
 * Which file of this process is that of a device that takes pages, which process is its engine,
 * and what is asked of it: with a kernel that is not there.
 */
#include "ownership.h"

#include "../../libsvmatomic/tests/fake.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A directory of links to open files, as /proc/self/fd is. */
static char fds[32];
static char proc[32];

static int make_directories(void **state)
{
	(void)state;
	fake_reset();
	strcpy(fds, "/tmp/test_fds.XXXXXX");
	strcpy(proc, "/tmp/test_proc.XXXXXX");
	return mkdtemp(fds) && mkdtemp(proc) ? 0 : -1;
}

static int remove_directories(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s %s", fds, proc);
	return system(command);
}

static void add_link(int fd, const char *target)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%d", fds, fd);
	assert_int_equal(symlink(target, path), 0);
}

/* As a driver has it: open, bound to nobody. */
static int open_node(struct fake_node *node)
{
	const int fd = fake_fd(node);
	char target[64];

	snprintf(target, sizeof(target), "/dev/dri/%s", node->name);
	add_link(fd, target);
	return fd;
}

static void take_pages(struct fake_node *node, uint64_t count)
{
	node->query.absent = DRM_SVM_ATOMIC_OK;
	node->query.counters.acquired += count;
}

static void assert_none(const struct ownership_files *before)
{
	struct svma_report report;

	assert_null(ownership_find(fds, before, &report));
}

static void assert_found(const struct ownership_files *before, int fd, const char *driver,
			 unsigned int flags)
{
	struct svma_report report;
	struct svma_device *device = ownership_find(fds, before, &report);

	assert_non_null(device);
	assert_int_equal(svma_fd(device), fd);
	assert_string_equal(svma_driver(device), driver);
	assert_string_equal(report.driver, driver);
	assert_int_equal(report.flags, flags);
	svma_close(device);
}

/* llvmpipe opens its file when there are devices to list, and binds it for the first kernel. */
static void test_bound_later(void **state)
{
	struct fake_node *node = fake_add("renderD128", "vsvm");
	struct ownership_files before;
	const int fd = open_node(node);

	(void)state;
	ownership_look(fds, &before);
	assert_int_equal(before.count, 0);
	assert_none(&before);
	take_pages(node, 3);
	assert_found(&before, fd, "vsvm", SVMA_OPEN_VIRTUAL);
	/* It was the driver's, and still is. */
	assert_int_equal(fake_open_count(), 1);
	close(fd);
}

static void test_hardware(void **state)
{
	struct fake_node *node = fake_add("renderD129", "nouveau");
	struct ownership_files before;
	const int fd = open_node(node);

	(void)state;
	ownership_look(fds, &before);
	take_pages(node, 1);
	assert_found(&before, fd, "nouveau", SVMA_OPEN_HARDWARE);
	close(fd);
}

/* Of two, the one whose kernels ran; none, where they were another device's. */
static void test_other_devices(void **state)
{
	struct fake_node *first = fake_add("renderD128", "vsvm");
	struct fake_node *second = fake_add("renderD129", "vsvm");
	struct ownership_files before;
	const int fds_of[] = { open_node(first), open_node(second) };

	(void)state;
	take_pages(first, 100);
	take_pages(second, 7);
	ownership_look(fds, &before);
	assert_int_equal(before.count, 2);
	assert_none(&before);
	take_pages(second, 1);
	assert_found(&before, fds_of[1], "vsvm", SVMA_OPEN_VIRTUAL);
	close(fds_of[0]);
	close(fds_of[1]);
}

/* A file that a parent has bound says nothing of this process's devices. */
static void test_foreign(void **state)
{
	struct fake_node *node = fake_add("renderD128", "vsvm");
	struct ownership_files before;
	const int fd = open_node(node);

	(void)state;
	ownership_look(fds, &before);
	take_pages(node, 5);
	node->query.absent = DRM_SVM_ATOMIC_FOREIGN;
	assert_none(&before);
	close(fd);
}

static void test_other_files(void **state)
{
	struct fake_node *node = fake_add("renderD128", "amdgpu");
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int file = open(fds, O_RDONLY | O_CLOEXEC);
	struct ownership_files before;
	const int fd = open_node(node);

	(void)state;
	add_link(null, "/dev/null");
	add_link(file, fds);
	add_link(999, "/dev/dri/renderD128"); /* closed in between */
	take_pages(node, 1);
	ownership_look(fds, &before);
	assert_int_equal(before.count, 0);
	assert_none(&before);
	ownership_look("/nowhere", &before);
	assert_int_equal(before.count, 0);
	assert_null(ownership_find("/nowhere", &before, NULL));
	close(null);
	close(file);
	close(fd);
}

/* --- the engine ---------------------------------------------------------- */

static void put_file(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", proc, name);
	for (char *slash = path + strlen(proc) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		assert_true(!mkdir(path, 0700) || errno == EEXIST);
		*slash = '/';
	}
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void test_engine(void **state)
{
	(void)state;
	assert_int_equal(ownership_engine(proc), 0);
	put_file("self/task/10/children", "");
	put_file("self/task/12/children", "100 300 200 ");
	put_file("100/comm", "svma-engineer\n");
	put_file("200/comm", "clang\n");
	assert_int_equal(ownership_engine(proc), 0);
	put_file("200/comm", "svma-engine\n");
	assert_int_equal(ownership_engine(proc), 200);
}

/* --- holds and counters -------------------------------------------------- */

static void test_hold(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct fake_node *node = fake_add("renderD128", "vsvm");
	void *const start = (void *)(16 * page);
	struct drm_svm_atomic_set_policy sent;
	struct device dev = { .name = "llvmpipe" };
	struct svma_device *device;
	struct error err = { 0 };

	(void)state;
	node->query.default_hold_ns = 20000;
	node->query.max_hold_ns = 10000000;
	assert_int_equal(svma_open_node(&device, "/dev/dri/renderD128"), 0);
	assert_true(ownership_describe(&dev, device, &err));
	assert_int_equal(dev.default_hold_ns, 20000);
	/* The driver has the number, and keeps no holds. */
	assert_int_equal(dev.max_hold_ns, 0);
	node->query.features |= DRM_SVM_ATOMIC_FEATURE_HOLD;
	assert_true(ownership_describe(&dev, device, &err));
	assert_int_equal(dev.max_hold_ns, 10000000);

	assert_true(ownership_hold(&dev, device, start, page + 1, 5000, &err));
	memcpy(&sent, node->sent, sizeof(sent));
	assert_int_equal(sent.start, (uintptr_t)start);
	assert_int_equal(sent.length, 2 * page);
	assert_int_equal(sent.mode, DRM_SVM_ATOMIC_MODE_HOLD);
	assert_int_equal(sent.hold_ns, 5000);
	assert_true(ownership_hold(&dev, device, start, 4, DEVICE_HOLD_DEFAULT, &err));
	memcpy(&sent, node->sent, sizeof(sent));
	assert_int_equal(sent.length, page);
	assert_int_equal(sent.mode, DRM_SVM_ATOMIC_MODE_DEFAULT);
	assert_int_equal(sent.hold_ns, 0);

	node->reply_errno = ENOSPC;
	assert_false(ownership_hold(&dev, device, start, page, 5000, &err));
	assert_int_equal(err.code, EXIT_UNAVAILABLE);
	assert_non_null(strstr(err.text, "llvmpipe: setting a hold: No space left"));
	svma_close(device);
}

static void test_counters(void **state)
{
	struct fake_node *node = fake_add("renderD128", "vsvm");
	struct svma_device *device;
	struct counters counters;

	(void)state;
	node->query.counters.acquired = 9;
	node->query.counters.revoked[SVMA_BY_CPU] = 5;
	node->query.counters.revoked[SVMA_BY_UNMAP] = 2;
	node->query.counters.revoked[SVMA_BY_KERNEL] = 1;
	node->query.counters.refused[SVMA_REASON_OUTSIDE] = 3;
	node->query.counters.waits_cpu = 4;
	node->query.counters.held[31] = 6;
	assert_int_equal(svma_open_node(&device, "/dev/dri/renderD128"), 0);
	assert_true(ownership_counters(device, &counters));
	assert_int_equal(counters.acquired, 9);
	assert_int_equal(counters.revoked_cpu, 5);
	assert_int_equal(counters.revoked_other, 3);
	assert_int_equal(counters.refused, 3);
	assert_int_equal(counters.waits_cpu, 4);
	assert_int_equal(counters.held[31], 6);
	node->query_errno = ENODEV;
	assert_false(ownership_counters(device, &counters));
	svma_close(device);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_directories, remove_directories)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bound_later), TEST(test_hardware),	TEST(test_other_devices),
		TEST(test_foreign),	TEST(test_other_files), TEST(test_engine),
		TEST(test_hold),	TEST(test_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
