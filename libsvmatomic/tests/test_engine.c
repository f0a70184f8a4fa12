/* SPDX-License-Identifier: MIT */
/*
 * Starting engines without a device: what is refused before there is a process, why, and
 * that nothing is left of one that cannot start.
 */
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <svmatomic-engine.h>
#include <vsvm_drm.h>

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
	node->reply_errno = EDEADLK;
	refuses(device, 2, NULL, -EDEADLK, SVMA_REASON_ROLE);
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

/* From now on, to map @fd fails with EDEADLK, in this process and in its children. */
static int deny_mapping(int fd)
{
#define ARGUMENT(i) ((uint32_t)offsetof(struct seccomp_data, args[i]))
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(3)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_ANONYMOUS, 3, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(4)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)fd, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDEADLK),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { sizeof(filter) / sizeof(*filter), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* The engine's process comes up, and may not be one. It cannot be undone: the last test. */
static void test_role(void **state)
{
	(void)state;
	node->silent = true;
	node->query.absent = DRM_SVM_ATOMIC_OK;
	node->query.end = 0x7ffffffff000;
	if (deny_mapping(svma_fd(device)))
		skip();
	refuses(device, 3, NULL, -EDEADLK, SVMA_REASON_ROLE);
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

static void *nothing(void *argument)
{
	return argument;
}

/* A sanitizer has a thread of its own from when there is a second one. */
static int start_one_thread(void **state)
{
	pthread_t thread;

	(void)state;
	return pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#if defined(__x86_64__)
		TEST(test_arguments),
		TEST(test_hardware),
		TEST(test_bind),
		TEST(test_mmap),
		TEST(test_lost),
		TEST(test_role),
#else
		TEST(test_elsewhere),
#endif
	};

	return cmocka_run_group_tests(tests, start_one_thread, NULL);
}
