/* SPDX-License-Identifier: MIT */
/*
 * Events: asking for them, and reading them from what the file says.
 *
 * A read takes no more bytes than the caller has room for events. So none is ever left
 * over: nothing is kept between calls, poll() tells the truth, and threads may read at
 * the same time.
 */
#include "device.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

_Static_assert((int)SVMA_EVENT_REVOKED == DRM_SVM_ATOMIC_WANT_REVOKED, "event");
_Static_assert((int)SVMA_EVENT_REFUSED == DRM_SVM_ATOMIC_WANT_REFUSED, "event");

_Static_assert((int)SVMA_BY_CPU == DRM_SVM_ATOMIC_BY_CPU, "cause");
_Static_assert((int)SVMA_BY_DEVICE == DRM_SVM_ATOMIC_BY_DEVICE, "cause");
_Static_assert((int)SVMA_BY_RELEASE == DRM_SVM_ATOMIC_BY_RELEASE, "cause");
_Static_assert((int)SVMA_BY_UNMAP == DRM_SVM_ATOMIC_BY_UNMAP, "cause");
_Static_assert((int)SVMA_BY_KERNEL == DRM_SVM_ATOMIC_BY_KERNEL, "cause");

/* What DRM keeps for a file at most. */
#define BUFFER_SIZE 4096

/* Reads by one call: foreign events must not keep it for ever. */
#define READS	    64

int svma_subscribe(struct svma_device *device, unsigned int events)
{
	struct drm_svm_atomic_subscribe subscribe = { .events = events };

	if (events & ~(SVMA_EVENT_REVOKED | SVMA_EVENT_REFUSED))
		return -EINVAL;
	return device_ioctl(device->fd, DRM_IOCTL_SVM_ATOMIC_SUBSCRIBE(device->driver->base),
			    &subscribe);
}

static uint32_t cause_from_kernel(uint32_t cause)
{
	return cause < SVMA_BY_UNKNOWN ? cause : SVMA_BY_UNKNOWN;
}

/* Translate what the kernel sent. False, and @event as it was, when it is none of ours. */
static bool event_translate(struct svma_event *event, const unsigned char *bytes, size_t length)
{
	struct drm_svm_atomic_event from;
	uint32_t type, why;

	if (length < sizeof(from))
		return false;
	/* It lies wherever the event before it ended. */
	memcpy(&from, bytes, sizeof(from));
	switch (from.base.type) {
	case DRM_SVM_ATOMIC_EVENT_REVOKED:
		type = SVMA_EVENT_REVOKED;
		why = cause_from_kernel(from.why);
		break;
	case DRM_SVM_ATOMIC_EVENT_REFUSED:
		type = SVMA_EVENT_REFUSED;
		why = reason_from_kernel(from.why);
		break;
	default:
		return false;
	}
	/* A range that wraps would be none for who adds the two. */
	if (from.length > UINT64_MAX - from.start)
		from.length = UINT64_MAX - from.start;
	*event = (struct svma_event){
		.type = type,
		.why = why,
		.time_ns = from.time_ns,
		.address = from.start,
		.length = from.length,
		.lost = from.lost,
	};
	return true;
}

/*
 * Write the events of @bytes, @length of them, to @events, which has room for @count.
 * Returns how many; -EPROTO when the first is no event of any kind.
 */
static int events_parse(struct svma_event *events, size_t count, const unsigned char *bytes,
			size_t length)
{
	size_t at = 0, found = 0;

	while (at < length && found < count) {
		struct drm_event base;

		if (length - at < sizeof(base))
			break;
		memcpy(&base, bytes + at, sizeof(base));
		/* Without a length that can be, where the next one begins is unknown. */
		if (base.length < sizeof(base) || base.length > length - at)
			break;
		if (event_translate(&events[found], bytes + at, base.length))
			found++;
		at += base.length;
	}
	return !at && length ? -EPROTO : (int)found;
}

/* read(2) that does not wait. */
static ssize_t read_now(const struct svma_device *device, void *buffer, size_t size)
{
	struct pollfd in = { .fd = device->fd, .events = POLLIN };
	ssize_t length;

	/* A descriptor of the caller's may be one that blocks. */
	if (!device->owned) {
		int ready = poll(&in, 1, 0);

		if (ready <= 0)
			return ready ? -errno : -EAGAIN;
	}
	length = read(device->fd, buffer, size);
	return length < 0 ? -errno : length;
}

/*
 * Read bytes of at most @count of our events. DRM gives whole events and, where the first
 * is longer than there is room, nothing. It is then foreign, or a newer kernel's; more
 * room in steps of what there was leaves less than that for those behind it.
 */
static ssize_t read_some(const struct svma_device *device, void *buffer, size_t count)
{
	const size_t most = BUFFER_SIZE / sizeof(struct drm_svm_atomic_event);
	const size_t step = (count < most ? count : most) * sizeof(struct drm_svm_atomic_event);
	ssize_t length = 0;

	for (size_t size = step; !length && size <= BUFFER_SIZE; size += step)
		length = read_now(device, buffer, size);
	return length;
}

int svma_read_events(struct svma_device *device, struct svma_event *events, size_t count)
{
	unsigned char buffer[BUFFER_SIZE];

	if (!count)
		return -EINVAL;
	for (unsigned int i = 0; i < READS; i++) {
		ssize_t length = read_some(device, buffer, count);
		int found;

		/* Nothing, although there is something: longer than all that DRM keeps. */
		if (length <= 0)
			return length ? (int)length : -EAGAIN;
		found = events_parse(events, count, buffer, (size_t)length);
		if (found)
			return found;
	}
	return -EAGAIN;
}
