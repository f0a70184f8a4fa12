/* SPDX-License-Identifier: MIT */
/*
 * Threads make every call there is at the same time, on one device, and all get their
 * answers. Where there is a race, it is a thread sanitizer that finds it:
 * meson setup -Db_sanitize=thread -Db_lundef=false, with clang.
 */
#include "fixture.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <svmatomic-engine.h>

#define THREADS 4
#define TIMES	100

/* cmocka's own do not work outside of the thread that runs the test. */
#define EXPECT(what)                                                                               \
	do {                                                                                       \
		if (!(what))                                                                       \
			return __LINE__;                                                           \
	} while (0)

static int ranges(void)
{
	char *const address = (char *)0x7f0000000000;
	struct svma_outcome outcome;
	struct svma_policy policy;

	EXPECT(!svma_acquire(device, address, 8 * page, &outcome));
	EXPECT(outcome.pages == 8 && outcome.next == (uintptr_t)address + 8 * page);
	EXPECT(!svma_release(device, address, 8 * page, &outcome));
	EXPECT(outcome.pages == 3 && outcome.reason == SVMA_REASON_OK);
	EXPECT(!svma_set_policy(device, address, page, SVMA_MODE_HOLD, 1, &outcome));
	EXPECT(!svma_get_policy(device, address, page, &policy, &outcome));
	EXPECT(policy.modes == 1 << SVMA_MODE_HOLD && policy.min_hold_ns == 3 &&
	       policy.max_hold_ns == 4);
	return 0;
}

static int questions(void)
{
	struct svma_capabilities capabilities;
	struct svma_counters counters;
	struct svma_event event;

	EXPECT(!svma_query(device, &capabilities));
	EXPECT(capabilities.page_size == page);
	EXPECT(!svma_counters(device, &counters));
	EXPECT(counters.acquired == 17);
	EXPECT(!svma_subscribe(device, SVMA_EVENT_REVOKED));
	EXPECT(svma_read_events(device, &event, 1) == -EAGAIN);
	EXPECT(svma_fd(device) >= 0);
	EXPECT(!strcmp(svma_driver(device), "vsvm"));
	EXPECT(strlen(svma_strreason(SVMA_REASON_FILE)) > 5);
	EXPECT(strlen(svma_strcause(SVMA_BY_CPU)) > 5);
	EXPECT(strlen(svma_version()) >= 5);
	return 0;
}

static int openings(void)
{
	struct svma_device *own;
	struct svma_report report;

	EXPECT(!svma_open(&own, 0));
	EXPECT(!svma_bind(own, NULL, 0));
	svma_close(own);
	EXPECT(!svma_open_node(&own, "/dev/dri/renderD128"));
	svma_close(own);
	EXPECT(!svma_open_fd(&own, svma_fd(device)));
	svma_close(own);
	EXPECT(svma_open_node(&own, "/dev/dri/renderD129") == -ENOENT);
	EXPECT(!svma_explain(NULL, &report));
	EXPECT(!strcmp(report.driver, "vsvm"));
	EXPECT(svma_survey(&report, 1) == 1);
	return 0;
}

/* None starts here: the file cannot be mapped. They go a long way, though. */
static int engines(void)
{
	struct svma_engine_status status;
	struct svma_engine *engine;

#if defined(__x86_64__)
	EXPECT(svma_engine_start(&engine, device, 2, NULL, &status) == -ENODEV);
#else
	EXPECT(svma_engine_start(&engine, device, 2, NULL, &status) == -EOPNOTSUPP);
#endif
	EXPECT(!engine);
	return 0;
}

static void *call_all(void *line)
{
	int *const failed = line;

	for (unsigned int i = 0; i < TIMES && !*failed; i++) {
		*failed = ranges();
		if (!*failed)
			*failed = questions();
		if (!*failed)
			*failed = openings();
		if (!*failed && i % 25 == 0)
			*failed = engines();
	}
	return NULL;
}

static void test_threads(void **state)
{
	const struct drm_svm_atomic_get_policy reply = {
		.modes = 1 << DRM_SVM_ATOMIC_MODE_HOLD,
		.min_hold_ns = 3, /* and the pages of a release */
		.max_hold_ns = 4,
	};
	int failed[THREADS] = { 0 };
	pthread_t threads[THREADS];

	(void)state;
	memcpy(node->reply, &reply, sizeof(reply));
	node->query.absent = DRM_SVM_ATOMIC_OK;
	node->query.end = 0x7ffffffff000;
	node->query.counters.acquired = 17;
	node->crowded = true;
	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, call_all, &failed[i]), 0);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned int i = 0; i < THREADS; i++)
		if (failed[i])
			fail_msg("thread %u: not so in line %d", i, failed[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_threads) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
