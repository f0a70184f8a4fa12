/* SPDX-License-Identifier: MIT */
/*
 * Policies: what is sent, what is refused at once, and what is made of the answers.
 */
#include "fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char *const address = (char *)0x7f0000000000;

static void assert_set(enum svma_mode mode, uint64_t hold_ns)
{
	const struct drm_svm_atomic_set_policy sent = {
		.start = (uintptr_t)address,
		.length = 2 * page,
		.mode = mode,
		.hold_ns = hold_ns,
	};
	struct svma_outcome outcome;

	assert_int_equal(svma_set_policy(device, address, 2 * page, mode, hold_ns, &outcome), 0);
	assert_int_equal(node->request, DRM_IOCTL_SVM_ATOMIC_SET_POLICY(0));
	assert_memory_equal(node->sent, &sent, sizeof(sent));
	assert_int_equal(outcome.reason, SVMA_REASON_OK);
	assert_int_equal(outcome.failed, sent.start + sent.length);
	assert_int_equal(outcome.pages, 0);
}

static void test_set(void **state)
{
	(void)state;
	assert_set(SVMA_MODE_DEFAULT, 0);
	assert_set(SVMA_MODE_HOLD, 0);
	assert_set(SVMA_MODE_HOLD, 123456);
	assert_set(SVMA_MODE_HOLD, UINT64_MAX);
	assert_set(SVMA_MODE_DENY, 0);
}

static void test_set_arguments(void **state)
{
	struct svma_outcome outcome;

	(void)state;
	/* The kernel finds out, and fills in nothing. */
	node->silent = true;
	node->reply_errno = EINVAL;
	assert_int_equal(svma_set_policy(device, address, page, SVMA_MODE_DENY, 1, &outcome),
			 -EINVAL);
	assert_int_equal(outcome.reason, SVMA_REASON_INVALID);
	assert_int_equal(svma_set_policy(device, address, page, SVMA_MODE_DEFAULT, 1, NULL),
			 -EINVAL);
	assert_int_equal(svma_set_policy(device, address, page, (enum svma_mode)3, 0, NULL),
			 -EINVAL);
}

static void test_set_refused(void **state)
{
	struct drm_svm_atomic_set_policy reply = { .reason = DRM_SVM_ATOMIC_OUTSIDE };
	struct svma_outcome outcome;

	(void)state;
	memcpy(node->reply, &reply, sizeof(reply));
	node->reply_errno = ERANGE;
	assert_int_equal(svma_set_policy(device, address, page, SVMA_MODE_DENY, 0, &outcome),
			 -ERANGE);
	assert_int_equal(outcome.reason, SVMA_REASON_OUTSIDE);
	assert_int_equal(outcome.failed, (uintptr_t)address);
	/* There is no reason for it but its errno. */
	reply.reason = 0;
	memcpy(node->reply, &reply, sizeof(reply));
	node->reply_errno = ENOSPC;
	assert_int_equal(svma_set_policy(device, address, page, SVMA_MODE_DENY, 0, &outcome),
			 -ENOSPC);
	assert_int_equal(outcome.reason, SVMA_REASON_SYSTEM);
}

static int get(uint32_t modes, uint64_t least, uint64_t most, struct svma_policy *policy,
	       struct svma_outcome *outcome)
{
	const struct drm_svm_atomic_get_policy reply = {
		.modes = modes,
		.min_hold_ns = least,
		.max_hold_ns = most,
	};

	memcpy(node->reply, &reply, sizeof(reply));
	memset(policy, 0xff, sizeof(*policy));
	return svma_get_policy(device, address, page, policy, outcome);
}

static void test_get(void **state)
{
	const struct drm_svm_atomic_get_policy sent = {
		.start = (uintptr_t)address,
		.length = page,
	};
	struct svma_outcome outcome;
	struct svma_policy policy;

	(void)state;
	assert_int_equal(get(1u << SVMA_MODE_HOLD | 1u << SVMA_MODE_DENY, 7, 9, &policy, &outcome),
			 0);
	assert_int_equal(node->request, DRM_IOCTL_SVM_ATOMIC_GET_POLICY(0));
	assert_memory_equal(node->sent, &sent, sizeof(sent));
	assert_int_equal(policy.modes, 6);
	assert_int_equal(policy.min_hold_ns, 7);
	assert_int_equal(policy.max_hold_ns, 9);
	assert_int_equal(policy.reserved, 0);
	assert_int_equal(outcome.reason, SVMA_REASON_OK);
}

static void test_get_fails(void **state)
{
	const struct svma_policy none = { 0 };
	struct svma_outcome outcome;
	struct svma_policy policy;

	(void)state;
	assert_int_equal(get(0, 0, 0, &policy, &outcome), -EPROTO);
	assert_int_equal(outcome.reason, SVMA_REASON_PROTOCOL);
	assert_memory_equal(&policy, &none, sizeof(none));
	assert_int_equal(get(2, 9, 7, &policy, NULL), -EPROTO);
	assert_memory_equal(&policy, &none, sizeof(none));
	node->reply_errno = ENXIO;
	assert_int_equal(get(2, 7, 9, &policy, NULL), -ENXIO);
	assert_memory_equal(&policy, &none, sizeof(none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_set), TEST(test_set_arguments), TEST(test_set_refused),
		TEST(test_get), TEST(test_get_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
