/* SPDX-License-Identifier: MIT */
/*
 * Events: in order, none lost, none left over; foreign, future and broken ones.
 */
#include "fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define OURS	((uint32_t)sizeof(struct drm_svm_atomic_event))
#define FOREIGN 0x01 /* DRM_EVENT_VBLANK */

static struct svma_event got[256];

/* Add the event that @number says, of @length bytes. */
static void add(uint32_t number, uint32_t length)
{
	const struct drm_svm_atomic_event event = {
		.time_ns = 1000 + number,
		.start = (uint64_t)number << 12,
		.length = 4096,
		.why = DRM_SVM_ATOMIC_BY_DEVICE,
		.lost = number,
	};

	fake_event(node, DRM_SVM_ATOMIC_EVENT_REVOKED, length, &event);
}

static void assert_got(size_t at, uint32_t number)
{
	assert_int_equal(got[at].type, SVMA_EVENT_REVOKED);
	assert_int_equal(got[at].why, SVMA_BY_DEVICE);
	assert_int_equal(got[at].time_ns, 1000 + number);
	assert_int_equal(got[at].address, (uint64_t)number << 12);
	assert_int_equal(got[at].length, 4096);
	assert_int_equal(got[at].lost, number);
	assert_int_equal(got[at].reserved, 0);
}

static void test_subscribe(void **state)
{
	struct drm_svm_atomic_subscribe sent = { 0 };

	(void)state;
	for (unsigned int events = 0; events < 4; events++) {
		sent.events = events;
		assert_int_equal(svma_subscribe(device, events), 0);
		assert_int_equal(node->request, DRM_IOCTL_SVM_ATOMIC_SUBSCRIBE(0));
		assert_memory_equal(node->sent, &sent, sizeof(sent));
	}
	assert_int_equal(svma_subscribe(device, 4), -EINVAL);
	assert_int_equal(node->calls, 4);
	node->reply_errno = ENXIO;
	assert_int_equal(svma_subscribe(device, 1), -ENXIO);
}

static void test_none(void **state)
{
	(void)state;
	assert_int_equal(svma_read_events(device, got, 4), -EAGAIN);
	assert_int_equal(svma_read_events(device, got, 0), -EINVAL);
	node->read_errno = EINTR;
	assert_int_equal(svma_read_events(device, got, 4), -EINTR);
	node->read_errno = ENODEV;
	assert_int_equal(svma_read_events(device, got, 4), -ENODEV);
}

static void test_types(void **state)
{
	struct drm_svm_atomic_event event = { .why = DRM_SVM_ATOMIC_SHMEM, .start = 1 };

	(void)state;
	add(1, OURS);
	fake_event(node, DRM_SVM_ATOMIC_EVENT_REFUSED, OURS, &event);
	event.why = SVMA_REASON_NO_NODES;
	fake_event(node, DRM_SVM_ATOMIC_EVENT_REFUSED, OURS, &event);
	event.why = UINT32_MAX;
	fake_event(node, DRM_SVM_ATOMIC_EVENT_REVOKED, OURS, &event);
	event.why = 7;
	fake_event(node, DRM_SVM_ATOMIC_EVENT_REVOKED, OURS, &event);
	assert_int_equal(svma_read_events(device, got, 8), 5);
	assert_got(0, 1);
	assert_int_equal(got[1].type, SVMA_EVENT_REFUSED);
	assert_int_equal(got[1].why, SVMA_REASON_SHMEM);
	assert_int_equal(got[2].why, SVMA_REASON_UNKNOWN);
	assert_int_equal(got[3].why, SVMA_BY_UNKNOWN);
	assert_int_equal(got[4].why, 7);
}

static void test_range_wraps(void **state)
{
	const struct drm_svm_atomic_event event = { .start = UINT64_MAX - 10, .length = 100 };

	(void)state;
	fake_event(node, DRM_SVM_ATOMIC_EVENT_REVOKED, OURS, &event);
	assert_int_equal(svma_read_events(device, got, 1), 1);
	assert_int_equal(got[0].address, UINT64_MAX - 10);
	assert_int_equal(got[0].length, 10);
}

/* Whatever room a caller has, it gets every event once and in order. */
static void test_across_reads(void **state)
{
	(void)state;
	for (size_t room = 1; room < 9; room++) {
		uint32_t next = 0;
		int count;

		for (uint32_t i = 0; i < 37; i++) {
			add(i, i % 3 ? OURS : OURS + 8 * (i % 7));
			if (i % 5 == 0)
				fake_event(node, FOREIGN, 8 + 8 * (i % 11), NULL);
		}
		while ((count = svma_read_events(device, got, room)) > 0) {
			assert_true((size_t)count <= room);
			for (int i = 0; i < count; i++)
				assert_got((size_t)i, next++);
		}
		assert_int_equal(count, -EAGAIN);
		assert_int_equal(next, 37);
		assert_int_equal(node->stream_length, 0);
	}
	/* Nothing is written behind the room there is. */
	add(0, OURS);
	add(1, OURS);
	memset(got, 0xff, sizeof(got));
	assert_int_equal(svma_read_events(device, got, 1), 1);
	assert_int_equal(got[1].type, UINT32_MAX);
}

static void test_much_room(void **state)
{
	uint32_t next = 0;
	int count;

	(void)state;
	for (uint32_t i = 0; i < 200; i++)
		add(i, OURS);
	while ((count = svma_read_events(device, got, 256)) > 0)
		for (int i = 0; i < count; i++)
			assert_got((size_t)i, next++);
	assert_int_equal(next, 200);
	assert_int_equal(svma_read_events(device, got, SIZE_MAX), -EAGAIN);
	assert_true(node->read_most <= 4096);
}

/* Foreign events go by, however long and however many. */
static void test_foreign(void **state)
{
	(void)state;
	fake_event(node, FOREIGN, 8, NULL);
	fake_event(node, FOREIGN, 4000, NULL);
	fake_event(node, DRM_SVM_ATOMIC_EVENT_REFUSED + 1, OURS, NULL);
	add(7, OURS);
	assert_int_equal(svma_read_events(device, got, 1), 1);
	assert_got(0, 7);
	/* They leave no trace in room that is not used. */
	memset(got, 0xff, sizeof(got));
	add(8, OURS);
	fake_event(node, FOREIGN, OURS, NULL);
	assert_int_equal(svma_read_events(device, got, 2), 1);
	assert_got(0, 8);
	assert_int_equal(got[1].type, UINT32_MAX);
	for (unsigned int i = 0; i < 40; i++)
		fake_event(node, FOREIGN, 32, NULL);
	assert_int_equal(svma_read_events(device, got, 1), -EAGAIN);
	assert_int_equal(node->stream_length, 0);
}

/* A stream that never ends ends the call. */
static void test_flood(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 200; i++)
		fake_event(node, FOREIGN, 40, NULL);
	assert_int_equal(svma_read_events(device, got, 1), -EAGAIN);
	assert_true(node->stream_length > 0);
	/* One that can never be read does, too. */
	fake_reset();
	node = fake_add("renderD128", "vsvm");
	svma_close(device);
	assert_int_equal(svma_open(&device, 0), 0);
	fake_event(node, FOREIGN, 5000, NULL);
	assert_int_equal(svma_read_events(device, got, 1), -EAGAIN);
	assert_int_equal(svma_read_events(device, got, 256), -EAGAIN);
}

static void raw(const void *bytes, size_t length)
{
	node->raw = true;
	memcpy(node->stream, bytes, length);
	node->stream_length = length;
}

static void test_malformed(void **state)
{
	struct drm_event base = { .type = DRM_SVM_ATOMIC_EVENT_REVOKED };
	const uint32_t lengths[] = { 0, 1, 7, OURS + 1, 0x7fffffff, UINT32_MAX };
	unsigned char bytes[OURS] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		base.length = lengths[i];
		memcpy(bytes, &base, sizeof(base));
		raw(bytes, sizeof(bytes));
		assert_int_equal(svma_read_events(device, got, 4), -EPROTO);
	}
	/* Cut off in the header, and behind it. */
	base.length = OURS;
	memcpy(bytes, &base, sizeof(base));
	for (size_t length = 1; length < OURS; length++) {
		raw(bytes, length);
		assert_int_equal(svma_read_events(device, got, 4), -EPROTO);
	}
	raw(bytes, OURS);
	assert_int_equal(svma_read_events(device, got, 4), 1);
	/* Ours, but shorter than it can be: it is skipped, what follows is not. */
	node->raw = false;
	fake_event(node, DRM_SVM_ATOMIC_EVENT_REVOKED, OURS - 8, NULL);
	add(3, OURS);
	assert_int_equal(svma_read_events(device, got, 4), 1);
	assert_got(0, 3);
}

/* What came before the broken one counts. */
static void test_broken_tail(void **state)
{
	(void)state;
	add(1, OURS);
	add(2, OURS);
	node->raw = true;
	memset(node->stream + OURS + 4, 0, 4);
	assert_int_equal(svma_read_events(device, got, 4), 1);
	assert_got(0, 1);
}

/* A descriptor that blocks is only read when there is something. */
static void test_blocking(void **state)
{
	struct svma_device *other;
	int fd = fake_fd(node);

	(void)state;
	assert_int_equal(svma_open_fd(&other, fd), 0);
	assert_int_equal(svma_read_events(other, got, 1), -EAGAIN);
	assert_int_equal(node->polls, 1);
	assert_int_equal(node->reads, 0);
	add(5, OURS);
	assert_int_equal(svma_read_events(other, got, 1), 1);
	assert_got(0, 5);
	svma_close(other);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_subscribe),	TEST(test_none),	 TEST(test_types),
		TEST(test_range_wraps), TEST(test_across_reads), TEST(test_much_room),
		TEST(test_foreign),	TEST(test_flood),	 TEST(test_malformed),
		TEST(test_broken_tail), TEST(test_blocking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
