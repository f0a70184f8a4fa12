/* SPDX-License-Identifier: MIT */
/*
 * Which device is opened, and what is said of one that is not.
 */
#include "fake.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <svmatomic.h>

static int setup(void **state)
{
	(void)state;
	fake_reset();
	unsetenv("SVMATOMIC_DEVICE");
	return 0;
}

/* Every test is to close what it opened, and the library what it did not hand out. */
static int teardown(void **state)
{
	(void)state;
	return fake_open_count() ? -1 : 0;
}

static void assert_opens(unsigned int flags, const char *driver, const char *node)
{
	struct svma_device *device;
	struct svma_report report;

	assert_int_equal(svma_open(&device, flags), 0);
	assert_string_equal(svma_driver(device), driver);
	assert_true(svma_fd(device) >= 0);
	assert_int_equal(fake_open_count(), 1);
	svma_close(device);
	assert_int_equal(fake_open_count(), 0);
	if (flags)
		return;
	assert_int_equal(svma_explain(NULL, &report), 0);
	assert_string_equal(report.node, node);
	assert_string_equal(report.driver, driver);
}

/* Opening fails with @err, and it is said that @reason is why, on @node. */
static void assert_fails(int err, uint32_t reason, const char *node, const char *word)
{
	struct svma_device *device = (struct svma_device *)1;
	struct svma_report report;

	assert_int_equal(svma_open(&device, 0), err);
	assert_null(device);
	memset(&report, 0xff, sizeof(report));
	assert_int_equal(svma_explain(NULL, &report), err);
	assert_int_equal(report.error, err);
	assert_int_equal(report.reason, reason);
	assert_string_equal(report.node, node);
	assert_non_null(strstr(report.text, word));
	assert_int_equal(report.reserved, 0);
}

static void test_order(void **state)
{
	(void)state;
	fake_add("renderD200", "vsvm");
	fake_add("renderD1000", "nouveau");
	fake_add("renderD999", "nouveau");
	fake_add("renderD128", "vsvm");
	fake_add("card0", "nouveau");
	fake_add("renderD", "nouveau");
	fake_add("renderD1x", "nouveau");
	/* By number, not by letter, and hardware first. */
	assert_opens(0, "nouveau", "/dev/dri/renderD999");
	assert_opens(SVMA_OPEN_HARDWARE, "nouveau", NULL);
	assert_opens(SVMA_OPEN_VIRTUAL, "vsvm", NULL);
	assert_opens(SVMA_OPEN_HARDWARE | SVMA_OPEN_VIRTUAL, "nouveau", NULL);
}

static void test_falls_back(void **state)
{
	struct fake_node *real;

	(void)state;
	fake_add("renderD128", "i915");
	real = fake_add("renderD129", "nouveau");
	fake_add("renderD131", "vsvm");
	fake_add("renderD130", "vsvm");
	real->query.absent = DRM_SVM_ATOMIC_HARDWARE;
	assert_opens(0, "vsvm", "/dev/dri/renderD130");
	real->query.absent = DRM_SVM_ATOMIC_OK;
	assert_opens(0, "nouveau", "/dev/dri/renderD129");
}

static void test_flags(void **state)
{
	struct svma_device *device = (struct svma_device *)1;

	(void)state;
	fake_add("renderD128", "vsvm");
	assert_int_equal(svma_open(&device, 4), -EINVAL);
	assert_null(device);
	assert_int_equal(svma_open(&device, SVMA_OPEN_HARDWARE), -ENOENT);
	assert_null(device);
	assert_int_equal(svma_open(&device, SVMA_OPEN_VIRTUAL), 0);
	svma_close(device);
	/* A program that is executed must not have it; reading events must not wait. */
	assert_true(fake_open_flags() & O_CLOEXEC);
	assert_true(fake_open_flags() & O_NONBLOCK);
	assert_int_equal(fake_open_flags() & O_ACCMODE, O_RDWR);
}

static void test_environment(void **state)
{
	struct svma_device *device;

	(void)state;
	fake_add("renderD128", "nouveau");
	fake_add("renderD129", "vsvm");
	setenv("SVMATOMIC_DEVICE", "/dev/dri/renderD129", 1);
	assert_opens(0, "vsvm", "/dev/dri/renderD129");
	assert_opens(SVMA_OPEN_HARDWARE, "vsvm", NULL);
	/* It is about svma_open() alone. */
	assert_int_equal(svma_open_node(&device, "/dev/dri/renderD128"), 0);
	assert_string_equal(svma_driver(device), "nouveau");
	svma_close(device);

	setenv("SVMATOMIC_DEVICE", "/dev/dri/renderD190", 1);
	assert_fails(-ENOENT, SVMA_REASON_NO_NODE, "/dev/dri/renderD190", "no such node");
	setenv("SVMATOMIC_DEVICE", "", 1);
	assert_opens(0, "nouveau", "/dev/dri/renderD128");
}

static void test_no_nodes(void **state)
{
	(void)state;
	assert_fails(-ENOENT, SVMA_REASON_NO_NODES, "", "no DRM render node");
	fake_add("card0", "nouveau");
	assert_fails(-ENOENT, SVMA_REASON_NO_NODES, "", "no DRM render node");
	fake_no_dri(ENOENT);
	assert_fails(-ENOENT, SVMA_REASON_NO_NODES, "", "no DRM render node");
	fake_no_dri(EACCES);
	assert_fails(-EACCES, SVMA_REASON_PERMISSION, "/dev/dri", "permission");
	fake_no_dri(EMFILE);
	assert_fails(-EMFILE, SVMA_REASON_SYSTEM, "", "open files");
}

static void test_permission(void **state)
{
	struct fake_node *node;

	(void)state;
	node = fake_add("renderD128", "nouveau");
	node->open_errno = EACCES;
	assert_fails(-EACCES, SVMA_REASON_PERMISSION, "/dev/dri/renderD128", "render");
	node->open_errno = EPERM;
	assert_fails(-EACCES, SVMA_REASON_PERMISSION, "/dev/dri/renderD128", "render");
	node->open_errno = 0;
	node->query_errno = EACCES;
	assert_fails(-EACCES, SVMA_REASON_PERMISSION, "/dev/dri/renderD128", "render");
}

static void test_unknown_driver(void **state)
{
	struct fake_node *node;

	(void)state;
	node = fake_add("renderD128", "i915");
	assert_fails(-EOPNOTSUPP, SVMA_REASON_UNKNOWN_DRIVER, "/dev/dri/renderD128", "i915");
	/* As the beginning of one, and longer than there is room. */
	node->driver = "nouveau2";
	assert_fails(-EOPNOTSUPP, SVMA_REASON_UNKNOWN_DRIVER, "/dev/dri/renderD128", "nouveau2");
	node->driver = "nouv";
	assert_fails(-EOPNOTSUPP, SVMA_REASON_UNKNOWN_DRIVER, "/dev/dri/renderD128", "nouv ");
	node->driver = "a-driver-whose-name-is-longer-than-any";
	assert_fails(-EOPNOTSUPP, SVMA_REASON_UNKNOWN_DRIVER, "/dev/dri/renderD128",
		     "a-driver-whose-name-is-longer-t ");
	node->driver = "evil\x1b[2J\n";
	assert_fails(-EOPNOTSUPP, SVMA_REASON_UNKNOWN_DRIVER, "/dev/dri/renderD128", "evil?[2J?");
}

static void test_old_kernel(void **state)
{
	const int says[] = { EINVAL, ENOTTY, ENOSYS, EOPNOTSUPP };
	struct fake_node *node;

	(void)state;
	node = fake_add("renderD128", "nouveau");
	for (size_t i = 0; i < sizeof(says) / sizeof(*says); i++) {
		node->query_errno = says[i];
		assert_fails(-ENOSYS, SVMA_REASON_OLD_KERNEL, "/dev/dri/renderD128",
			     "this kernel's nouveau driver has no SVM atomics; boot a kernel with "
			     "the svmatomic series, see docs/kernel.md");
	}
}

static void test_hardware(void **state)
{
	struct fake_node *node;

	(void)state;
	node = fake_add("renderD128", "nouveau");
	node->query.absent = DRM_SVM_ATOMIC_HARDWARE;
	assert_fails(-ENODEV, SVMA_REASON_HARDWARE, "/dev/dri/renderD128", "hardware");
	node->query.absent = DRM_SVM_ATOMIC_DEVICE_LOST;
	assert_fails(-ENODEV, SVMA_REASON_DEVICE_LOST, "/dev/dri/renderD128", "gone");
	/* A kernel that is newer than the library, and one that is out of its mind. */
	node->query.absent = 31;
	assert_fails(-ENODEV, 31, "/dev/dri/renderD128", "does not know");
	node->query.absent = SVMA_REASON_OLD_KERNEL;
	assert_fails(-ENODEV, SVMA_REASON_UNKNOWN, "/dev/dri/renderD128", "does not know");
	node->open_errno = ENXIO;
	assert_fails(-ENODEV, SVMA_REASON_DEVICE_LOST, "/dev/dri/renderD128", "gone");
}

static void test_nonsense(void **state)
{
	struct fake_node *node;

	(void)state;
	node = fake_add("renderD128", "vsvm");
	node->query.version = 0;
	assert_fails(-EPROTO, SVMA_REASON_PROTOCOL, "/dev/dri/renderD128", "vsvm");
	node->query_errno = EIO;
	assert_fails(-EIO, SVMA_REASON_SYSTEM, "/dev/dri/renderD128", "nput/output");
	node->query_errno = 0;
	node->version_errno = EIO;
	assert_fails(-EIO, SVMA_REASON_SYSTEM, "/dev/dri/renderD128", "nput/output");
}

/* Of several that do not work, the one is named that its user can do most about. */
static void test_nearest(void **state)
{
	struct fake_node *old, *denied;

	(void)state;
	fake_add("renderD128", "i915");
	fake_add("renderD129", NULL);
	assert_fails(-EOPNOTSUPP, SVMA_REASON_UNKNOWN_DRIVER, "/dev/dri/renderD128", "i915");
	fake_add("renderD130", "nouveau")->query.absent = DRM_SVM_ATOMIC_HARDWARE;
	assert_fails(-ENODEV, SVMA_REASON_HARDWARE, "/dev/dri/renderD130", "hardware");
	old = fake_add("renderD131", "nouveau");
	old->query_errno = EINVAL;
	fake_add("renderD132", "nouveau")->query_errno = EINVAL;
	assert_fails(-ENOSYS, SVMA_REASON_OLD_KERNEL, "/dev/dri/renderD131", "series");
	denied = fake_add("renderD133", "vsvm");
	denied->open_errno = EACCES;
	assert_fails(-EACCES, SVMA_REASON_PERMISSION, "/dev/dri/renderD133", "render");
	denied->open_errno = 0;
	assert_opens(0, "vsvm", "/dev/dri/renderD133");
}

static void test_node(void **state)
{
	struct svma_device *device = (struct svma_device *)1;
	struct svma_report report;
	char path[300];

	(void)state;
	fake_add("renderD128", "vsvm");
	assert_int_equal(svma_open_node(&device, "/dev/dri/renderD128"), 0);
	assert_string_equal(svma_driver(device), "vsvm");
	svma_close(device);
	assert_int_equal(svma_open_node(&device, "/dev/null"), -ENOTTY);
	assert_null(device);
	assert_int_equal(svma_explain("/dev/null", &report), -ENOTTY);
	assert_int_equal(report.reason, SVMA_REASON_NOT_DRM);
	assert_int_equal(svma_open_node(&device, ""), -ENOENT);
	assert_int_equal(svma_open_node(&device, "/dev/null/x"), -ENOENT);

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	path[1] = '\n';
	assert_int_equal(svma_explain(path, &report), -ENAMETOOLONG);
	assert_int_equal(strlen(report.node), sizeof(report.node) - 1);
	assert_memory_equal(report.node, "x?x", 3);
}

static void test_fd(void **state)
{
	struct svma_device *device = (struct svma_device *)1;
	struct fake_node *node;
	int fd;

	(void)state;
	node = fake_add("renderD128", "nouveau");
	fd = fake_fd(node);
	assert_int_equal(svma_open_fd(&device, fd), 0);
	assert_int_equal(svma_fd(device), fd);
	svma_close(device);
	/* It is the caller's still. */
	assert_int_equal(fake_open_count(), 1);
	node->query_errno = EINVAL;
	assert_int_equal(svma_open_fd(&device, fd), -ENOSYS);
	assert_null(device);
	assert_int_equal(fake_open_count(), 1);
	close(fd);
	assert_int_equal(svma_open_fd(&device, fd), -EBADF);
	assert_int_equal(svma_open_fd(&device, -1), -EBADF);
	svma_close(NULL);
}

static void test_interrupted(void **state)
{
	(void)state;
	fake_add("renderD128", "vsvm")->interruptions = 3;
	assert_opens(0, "vsvm", "/dev/dri/renderD128");
}

static void test_survey(void **state)
{
	struct svma_report reports[3];
	struct fake_node *node;

	(void)state;
	assert_int_equal(svma_survey(NULL, 0), 0);
	node = fake_add("renderD130", "vsvm");
	node->query.features = 0xf;
	fake_add("renderD128", "i915");
	fake_add("renderD129", "nouveau")->query_errno = EINVAL;
	memset(reports, 0xff, sizeof(reports));
	assert_int_equal(svma_survey(NULL, 0), 3);
	assert_int_equal(svma_survey(reports, 2), 3);
	assert_int_equal((unsigned char)reports[2].node[0], 0xff);
	assert_int_equal(svma_survey(reports, 3), 3);
	assert_string_equal(reports[0].node, "/dev/dri/renderD128");
	assert_int_equal(reports[0].error, -EOPNOTSUPP);
	assert_int_equal(reports[0].flags, 0);
	assert_int_equal(reports[1].error, -ENOSYS);
	assert_int_equal(reports[1].flags, SVMA_OPEN_HARDWARE);
	assert_int_equal(reports[1].version, 0);
	assert_int_equal(reports[2].error, 0);
	assert_int_equal(reports[2].flags, SVMA_OPEN_VIRTUAL);
	assert_int_equal(reports[2].version, 1);
	assert_int_equal(reports[2].features, 0xf);
	assert_string_equal(reports[2].text, "vsvm can do SVM atomics");
	fake_no_dri(EACCES);
	assert_int_equal(svma_survey(reports, 3), -EACCES);
	fake_no_dri(ENOENT);
	assert_int_equal(svma_survey(reports, 3), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order),
		TEST(test_falls_back),
		TEST(test_flags),
		TEST(test_environment),
		TEST(test_no_nodes),
		TEST(test_permission),
		TEST(test_unknown_driver),
		TEST(test_old_kernel),
		TEST(test_hardware),
		TEST(test_nonsense),
		TEST(test_nearest),
		TEST(test_node),
		TEST(test_fd),
		TEST(test_interrupted),
		TEST(test_survey),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
