/* SPDX-License-Identifier: MIT */
/*
 * Binding, taking and giving back: what is sent, and what is made of the answers.
 */
#include "fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <vsvm_drm.h>

#define BASE 0x7f0000000000u

static void *at(size_t pages)
{
	return (void *)(uintptr_t)(BASE + pages * page);
}

static void reply_next(int err, uint32_t reason, uint64_t failed, uint64_t pages, uint64_t next)
{
	const struct drm_svm_atomic_acquire reply = {
		.reason = reason,
		.failed = failed,
		.pages = pages,
		.next = next,
	};

	node->reply_errno = err;
	memcpy(node->reply, &reply, sizeof(reply));
}

/* All of the range was looked at. */
static void reply_acquire(int err, uint32_t reason, uint64_t failed, uint64_t pages)
{
	reply_next(err, reason, failed, pages, BASE + 4 * page);
}

static struct svma_outcome outcome;

static void assert_acquire(int err, uint32_t reason, uint64_t failed, uint64_t pages)
{

	memset(&outcome, 0xff, sizeof(outcome));
	assert_int_equal(svma_acquire(device, at(0), 4 * page, &outcome), err);
	assert_int_equal(outcome.reason, reason);
	assert_int_equal(outcome.failed, failed);
	assert_int_equal(outcome.pages, pages);
	assert_int_equal(outcome.reserved, 0);
	assert_int_equal(svma_acquire(device, at(0), 4 * page, NULL), err);
}

static void test_acquire(void **state)
{
	const struct drm_svm_atomic_acquire sent = { .start = BASE, .length = 4 * page };

	(void)state;
	reply_acquire(0, 0, BASE + 4 * page, 4);
	assert_acquire(0, SVMA_REASON_OK, BASE + 4 * page, 4);
	assert_int_equal(node->request, DRM_IOCTL_SVM_ATOMIC_ACQUIRE(DRM_VSVM_SVM_ATOMIC_BASE));
	assert_memory_equal(node->sent, &sent, sizeof(sent));
}

static void test_partial(void **state)
{
	(void)state;
	reply_acquire(EOPNOTSUPP, DRM_SVM_ATOMIC_SHMEM, BASE + page, 3);
	assert_acquire(-EOPNOTSUPP, SVMA_REASON_SHMEM, BASE + page, 3);
	reply_acquire(EFAULT, DRM_SVM_ATOMIC_UNMAPPED, BASE, 0);
	assert_acquire(-EFAULT, SVMA_REASON_UNMAPPED, BASE, 0);
}

/* It is for the caller to go on, from where it was. */
static void test_interrupted(void **state)
{
	unsigned int calls = node->calls;

	(void)state;
	reply_next(EINTR, DRM_SVM_ATOMIC_INTERRUPTED, BASE + 2 * page, 2, BASE + 2 * page);
	assert_acquire(-EINTR, SVMA_REASON_INTERRUPTED, BASE + 2 * page, 2);
	assert_int_equal(outcome.next, BASE + 2 * page);
	assert_int_equal(node->calls, calls + 2);
	/* A page was refused before: the reason is that one's, the end is told all the same. */
	reply_next(EFAULT, DRM_SVM_ATOMIC_UNMAPPED, BASE, 1, BASE + 3 * page);
	assert_acquire(-EFAULT, SVMA_REASON_UNMAPPED, BASE, 1);
	assert_int_equal(outcome.next, BASE + 3 * page);
	/* Before the kernel looked at anything. */
	node->interruptions = 1;
	reply_acquire(0, 0, BASE + 4 * page, 4);
	node->silent = true;
	node->reply_errno = EINTR;
	assert_acquire(-EINTR, SVMA_REASON_INTERRUPTED, BASE, 0);
}

/* Every errno of the interface arrives with its reason. */
static void test_errnos(void **state)
{
	static const struct {
		int err;
		uint32_t reason;
	} pairs[] = {
		{ EFAULT, DRM_SVM_ATOMIC_UNMAPPED },	{ EACCES, DRM_SVM_ATOMIC_READONLY },
		{ EOPNOTSUPP, DRM_SVM_ATOMIC_FILE },	{ EOPNOTSUPP, DRM_SVM_ATOMIC_SHMEM },
		{ EOPNOTSUPP, DRM_SVM_ATOMIC_HUGETLB }, { EOPNOTSUPP, DRM_SVM_ATOMIC_SPECIAL },
		{ EAGAIN, DRM_SVM_ATOMIC_USERFAULT },	{ EBUSY, DRM_SVM_ATOMIC_CONTENDED },
		{ ENOMEM, DRM_SVM_ATOMIC_NOMEM },	{ EHWPOISON, DRM_SVM_ATOMIC_HWPOISON },
		{ EPERM, DRM_SVM_ATOMIC_DENIED },	{ ERANGE, DRM_SVM_ATOMIC_OUTSIDE },
		{ EINTR, DRM_SVM_ATOMIC_INTERRUPTED },	{ ENODEV, DRM_SVM_ATOMIC_DEVICE_LOST },
		{ ENXIO, DRM_SVM_ATOMIC_NO_CLIENT },	{ ESRCH, DRM_SVM_ATOMIC_FOREIGN },
		{ ENODEV, DRM_SVM_ATOMIC_HARDWARE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		reply_acquire(pairs[i].err, pairs[i].reason, BASE + 3 * page, 1);
		assert_acquire(-pairs[i].err, pairs[i].reason, BASE + 3 * page, 1);
	}
}

/* The kernel failed before it filled in anything. */
static void test_silent(void **state)
{
	static const struct {
		int err;
		uint32_t reason;
	} pairs[] = {
		{ ENODEV, SVMA_REASON_DEVICE_LOST }, { EINTR, SVMA_REASON_INTERRUPTED },
		{ ENOMEM, SVMA_REASON_NOMEM },	     { EINVAL, SVMA_REASON_INVALID },
		{ EIO, SVMA_REASON_SYSTEM },
	};

	(void)state;
	node->silent = true;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		node->reply_errno = pairs[i].err;
		assert_acquire(-pairs[i].err, pairs[i].reason, BASE, 0);
	}
}

static void test_nonsense(void **state)
{
	(void)state;
	/* More pages than there are. */
	reply_acquire(0, 0, BASE + 4 * page, 5);
	assert_acquire(0, SVMA_REASON_OK, BASE + 4 * page, 4);
	reply_acquire(EBUSY, DRM_SVM_ATOMIC_CONTENDED, BASE + page, UINT64_MAX);
	assert_acquire(-EBUSY, SVMA_REASON_CONTENDED, BASE + page, 4);
	/* A page that is none of the range. */
	reply_acquire(EBUSY, DRM_SVM_ATOMIC_CONTENDED, BASE + 4 * page, 1);
	assert_acquire(-EBUSY, SVMA_REASON_CONTENDED, BASE, 1);
	reply_acquire(EBUSY, DRM_SVM_ATOMIC_CONTENDED, BASE - page, 1);
	assert_acquire(-EBUSY, SVMA_REASON_CONTENDED, BASE, 1);
	reply_acquire(EBUSY, DRM_SVM_ATOMIC_CONTENDED, BASE + 1, 1);
	assert_acquire(-EBUSY, SVMA_REASON_CONTENDED, BASE, 1);
	/* Success with a reason is success; reasons of the future stay, those of ours not. */
	reply_acquire(0, DRM_SVM_ATOMIC_FILE, BASE, 4);
	assert_acquire(0, SVMA_REASON_OK, BASE + 4 * page, 4);
	reply_acquire(EBUSY, 31, BASE + page, 1);
	assert_acquire(-EBUSY, 31, BASE + page, 1);
	reply_acquire(EBUSY, SVMA_REASON_NO_NODES, BASE + page, 1);
	assert_acquire(-EBUSY, SVMA_REASON_UNKNOWN, BASE + page, 1);
	reply_acquire(EBUSY, UINT32_MAX, BASE + page, 1);
	assert_acquire(-EBUSY, SVMA_REASON_UNKNOWN, BASE + page, 1);
	/* An end that is none of the range's, or that an older kernel does not tell. */
	reply_next(EBUSY, DRM_SVM_ATOMIC_CONTENDED, BASE + page, 1, BASE + 5 * page);
	assert_acquire(-EBUSY, SVMA_REASON_CONTENDED, BASE + page, 1);
	assert_int_equal(outcome.next, BASE);
	reply_next(EBUSY, DRM_SVM_ATOMIC_CONTENDED, BASE + page, 1, BASE + page + 1);
	assert_acquire(-EBUSY, SVMA_REASON_CONTENDED, BASE + page, 1);
	assert_int_equal(outcome.next, BASE);
	reply_next(EBUSY, DRM_SVM_ATOMIC_CONTENDED, BASE + page, 1, 0);
	assert_acquire(-EBUSY, SVMA_REASON_CONTENDED, BASE + page, 1);
	assert_int_equal(outcome.next, BASE);
	reply_next(0, 0, BASE + 4 * page, 4, 0);
	assert_acquire(0, SVMA_REASON_OK, BASE + 4 * page, 4);
	assert_int_equal(outcome.next, BASE + 4 * page);
	/* With EINVAL, outputs mean nothing. */
	reply_acquire(EINVAL, DRM_SVM_ATOMIC_FILE, BASE + page, 1);
	assert_acquire(-EINVAL, SVMA_REASON_INVALID, BASE, 0);
	assert_int_equal(outcome.next, BASE);
}

/* Whether a range makes sense the kernel says, and it fills in nothing. */
static void assert_invalid(void *address, size_t length)
{
	struct svma_policy policy;

	memset(&outcome, 0xff, sizeof(outcome));
	assert_int_equal(svma_acquire(device, address, length, &outcome), -EINVAL);
	assert_int_equal(outcome.reason, SVMA_REASON_INVALID);
	assert_int_equal(outcome.failed, (uintptr_t)address);
	assert_int_equal(outcome.pages, 0);
	assert_int_equal(outcome.next, (uintptr_t)address);
	assert_int_equal(svma_acquire(device, address, length, NULL), -EINVAL);
	memset(&outcome, 0xff, sizeof(outcome));
	assert_int_equal(svma_release(device, address, length, &outcome), -EINVAL);
	assert_int_equal(outcome.reason, SVMA_REASON_INVALID);
	assert_int_equal(outcome.failed, (uintptr_t)address);
	assert_int_equal(svma_set_policy(device, address, length, SVMA_MODE_DENY, 0, NULL),
			 -EINVAL);
	assert_int_equal(svma_get_policy(device, address, length, &policy, NULL), -EINVAL);
}

static void test_arguments(void **state)
{
	(void)state;
	node->silent = true;
	node->reply_errno = EINVAL;
	assert_invalid(at(0), 0);
	assert_invalid(at(0), 1);
	assert_invalid(at(0), page + 1);
	assert_invalid((char *)at(0) + 8, page);
	assert_invalid(at(0), SIZE_MAX - page + 1);
	assert_invalid((void *)(UINTPTR_MAX - page + 1), page);
}

static void test_release(void **state)
{
	const struct drm_svm_atomic_release sent = { .start = BASE, .length = 4 * page };
	struct drm_svm_atomic_release reply = { .pages = 2 };

	(void)state;
	memcpy(node->reply, &reply, sizeof(reply));
	assert_int_equal(svma_release(device, at(0), 4 * page, &outcome), 0);
	assert_int_equal(outcome.pages, 2);
	assert_int_equal(outcome.failed, BASE + 4 * page);
	assert_int_equal(outcome.reason, SVMA_REASON_OK);
	assert_int_equal(node->request, DRM_IOCTL_SVM_ATOMIC_RELEASE(DRM_VSVM_SVM_ATOMIC_BASE));
	assert_memory_equal(node->sent, &sent, sizeof(sent));

	reply.reason = DRM_SVM_ATOMIC_FOREIGN;
	reply.pages = 99;
	memcpy(node->reply, &reply, sizeof(reply));
	node->reply_errno = ESRCH;
	assert_int_equal(svma_release(device, at(0), 4 * page, &outcome), -ESRCH);
	assert_int_equal(outcome.reason, SVMA_REASON_FOREIGN);
	assert_int_equal(outcome.failed, BASE);
	assert_int_equal(outcome.pages, 0);
	assert_int_equal(svma_release(device, at(0), 4 * page, NULL), -ESRCH);
	/* More pages than there are. */
	node->reply_errno = 0;
	assert_int_equal(svma_release(device, at(0), 4 * page, &outcome), 0);
	assert_int_equal(outcome.pages, 4);
}

static void test_bind(void **state)
{
	const struct drm_vsvm_init sent = { BASE, 2 * page };
	const struct drm_vsvm_init none = { 0 };

	(void)state;
	assert_int_equal(svma_bind(device, at(0), 2 * page), 0);
	assert_int_equal(node->request, DRM_IOCTL_VSVM_INIT);
	assert_memory_equal(node->sent, &sent, sizeof(sent));
	assert_int_equal(svma_bind(device, NULL, 0), 0);
	assert_memory_equal(node->sent, &none, sizeof(none));
	node->reply_errno = EINVAL;
	assert_int_equal(svma_bind(device, at(0), 1), -EINVAL);
	node->reply_errno = EBUSY;
	assert_int_equal(svma_bind(device, NULL, 0), -EBUSY);
	node->reply_errno = EDEADLK;
	assert_int_equal(svma_bind(device, NULL, 0), -EDEADLK);
	node->reply_errno = ENOSYS;
	assert_int_equal(svma_bind(device, NULL, 0), -ENOSYS);
}

/* nouveau's numbers are its own: as they are in its ABI, not as they are computed. */
static void test_nouveau(void **state)
{
	struct fake_node *nouveau = fake_add("renderD129", "nouveau");
	struct svma_device *other;

	(void)state;
	assert_int_equal(svma_open(&other, SVMA_OPEN_HARDWARE), 0);
	svma_bind(other, at(0), page);
	assert_int_equal(nouveau->request, 0xc0106448);
	svma_acquire(other, at(0), page, NULL);
	assert_int_equal(nouveau->request, 0xc0306460);
	svma_release(other, at(0), page, NULL);
	assert_int_equal(nouveau->request, 0xc0206461);
	svma_set_policy(other, at(0), page, SVMA_MODE_DENY, 0, NULL);
	assert_int_equal(nouveau->request, 0xc0206462);
	svma_get_policy(other, at(0), page, &(struct svma_policy){ 0 }, NULL);
	assert_int_equal(nouveau->request, 0xc0286463);
	svma_subscribe(other, 0);
	assert_int_equal(nouveau->request, 0xc0086465);
	svma_close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_acquire), TEST(test_partial),	  TEST(test_interrupted),
		TEST(test_errnos),  TEST(test_silent),	  TEST(test_nonsense),
		TEST(test_release), TEST(test_arguments), TEST(test_bind),
		TEST(test_nouveau),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
