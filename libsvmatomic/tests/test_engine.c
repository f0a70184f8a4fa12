/* SPDX-License-Identifier: MIT */
/*
 * Starting engines without a device: what is refused before there is a process, why, and
 * that nothing is left of one that cannot start.
 */
#include "fake.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <svmatomic-engine.h>
#include <vsvm_drm.h>

static struct fake_node *node;
static struct svma_device *device;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	node = fake_add("renderD128", "vsvm");
	return svma_open(&device, 0);
}

static int teardown(void **state)
{
	(void)state;
	svma_close(device);
	return fake_open_count() ? -1 : 0;
}

static unsigned int threads(void)
{
	unsigned int count = 0;
	DIR *directory = opendir("/proc/self/task");

	if (!directory)
		return 0;
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static void refuses(struct svma_device *of, unsigned int count,
		    const struct svma_engine_options *options, int err, uint32_t reason)
{
	struct svma_engine_status expected = { .reason = reason }, status;
	struct svma_engine *engine = (void *)1;
	const unsigned int before = threads();

	memset(&status, 0xff, sizeof(status));
	assert_int_equal(svma_engine_start(&engine, of, count, options, &status), err);
	assert_null(engine);
	assert_memory_equal(&status, &expected, sizeof(status));
	engine = (void *)1;
	assert_int_equal(svma_engine_start(&engine, of, count, options, NULL), err);
	assert_null(engine);
	assert_int_equal(threads(), before);
	/* And no process. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	svma_engine_stop(engine);
}

#if defined(__x86_64__)

static void test_arguments(void **state)
{
	struct svma_engine_options options = { 0 };

	(void)state;
	refuses(device, 0, NULL, -EINVAL, SVMA_REASON_INVALID);
	refuses(device, SVMA_ENGINE_MAX_THREADS + 1, NULL, -EINVAL, SVMA_REASON_INVALID);
	options.stack_size = 4097;
	refuses(device, 1, &options, -EINVAL, SVMA_REASON_INVALID);
	options.stack_size = SVMA_ENGINE_MAX_STACK_SIZE + 4096;
	refuses(device, 1, &options, -EINVAL, SVMA_REASON_INVALID);
	options.stack_size = 0;
	options.reserved[6] = 1;
	refuses(device, 1, &options, -EINVAL, SVMA_REASON_INVALID);
	/* The device was not bothered. */
	assert_int_equal(node->calls, 0);
}

static void test_hardware(void **state)
{
	struct svma_device *other;

	(void)state;
	fake_add("renderD129", "nouveau");
	assert_int_equal(svma_open(&other, SVMA_OPEN_HARDWARE), 0);
	refuses(other, 1, NULL, -EOPNOTSUPP, SVMA_REASON_NO_ENGINE);
	svma_close(other);
}

static void test_bind(void **state)
{
	struct drm_vsvm_init sent;

	(void)state;
	node->silent = true;
	node->reply_errno = EBUSY;
	refuses(device, 2, NULL, -EBUSY, SVMA_REASON_BOUND);
	assert_int_equal(node->request, DRM_IOCTL_VSVM_INIT);
	memcpy(&sent, node->sent, sizeof(sent));
	assert_true(sent.unmanaged_addr > 0);
	assert_true(sent.unmanaged_size > 2 * SVMA_ENGINE_STACK_SIZE);
	/* Bound here, but with a cutout that is too small, or none. */
	node->query.absent = DRM_SVM_ATOMIC_OK;
	node->query.end = 0x7ffffffff000;
	refuses(device, 2, NULL, -EBUSY, SVMA_REASON_BOUND);
	node->query.cutout_start = 0x600000000000;
	node->query.cutout_end = 0x600000001000;
	refuses(device, 2, NULL, -EBUSY, SVMA_REASON_BOUND);
	node->reply_errno = ENODEV;
	refuses(device, 2, NULL, -ENODEV, SVMA_REASON_DEVICE_LOST);
	node->reply_errno = ENOMEM;
	refuses(device, 2, NULL, -ENOMEM, SVMA_REASON_NOMEM);
	node->reply_errno = EPERM;
	refuses(device, 2, NULL, -EPERM, SVMA_REASON_SYSTEM);
}

/* The engine's process comes up, and finds a file that it cannot map. */
static void test_mmap(void **state)
{
	(void)state;
	node->silent = true;
	node->query.absent = DRM_SVM_ATOMIC_OK;
	node->query.end = 0x7ffffffff000;
	refuses(device, 3, NULL, -ENODEV, SVMA_REASON_SYSTEM);
}

/* What the device itself says after it was bound counts. */
static void test_lost(void **state)
{
	(void)state;
	node->silent = true;
	node->query.absent = DRM_SVM_ATOMIC_DEVICE_LOST;
	refuses(device, 1, NULL, -ENODEV, SVMA_REASON_DEVICE_LOST);
}

#else

static void test_elsewhere(void **state)
{
	(void)state;
	refuses(device, 1, NULL, -EOPNOTSUPP, SVMA_REASON_ARCHITECTURE);
	assert_int_equal(node->calls, 0);
}

#endif

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
#if defined(__x86_64__)
		TEST(test_arguments),
		TEST(test_hardware),
		TEST(test_bind),
		TEST(test_mmap),
		TEST(test_lost),
#else
		TEST(test_elsewhere),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
