/* SPDX-License-Identifier: MIT */
/*
 * What there is and what happened, as the kernel tells it and no further than it makes
 * sense.
 */
#include "device.h"

#include <errno.h>
#include <string.h>

_Static_assert((int)SVMA_FEATURE_FAULT == DRM_SVM_ATOMIC_FEATURE_FAULT, "feature");
_Static_assert((int)SVMA_FEATURE_AROUND == DRM_SVM_ATOMIC_FEATURE_AROUND, "feature");
_Static_assert((int)SVMA_FEATURE_EVENTS == DRM_SVM_ATOMIC_FEATURE_EVENTS, "feature");
_Static_assert((int)SVMA_FEATURE_HOLD == DRM_SVM_ATOMIC_FEATURE_HOLD, "feature");

/* svma_counters() copies it as it is. */
#define SAME(field)                                                                                \
	_Static_assert(offsetof(struct svma_counters, field) ==                                    \
				       offsetof(struct drm_svm_atomic_counters, field) &&          \
			       sizeof(((struct svma_counters *)0)->field) ==                       \
				       sizeof(((struct drm_svm_atomic_counters *)0)->field),       \
		       "the kernel's counters begin the library's")
SAME(acquisitions);
SAME(acquired);
SAME(revoked);
SAME(refused);
SAME(retries);
SAME(waits_cpu);
SAME(waits_device);
SAME(events_lost);
SAME(held);

/* The address in [start, end] that is nearest. */
static uint64_t nearest(uint64_t address, uint64_t start, uint64_t end)
{
	if (address < start)
		return start;
	return address > end ? end : address;
}

static int query_check(struct drm_svm_atomic_query *query)
{
	/* There was no version 0: nothing was filled in. */
	if (!query->version)
		return -EPROTO;
	if (query->start > query->end || query->cutout_start > query->cutout_end)
		return -EPROTO;
	query->absent = reason_from_kernel(query->absent);
	/* A cutout may be bound that is beyond what is shared: what matters is in between. */
	query->cutout_start = nearest(query->cutout_start, query->start, query->end);
	query->cutout_end = nearest(query->cutout_end, query->start, query->end);
	return 0;
}

int query_kernel(int fd, const struct driver *driver, struct drm_svm_atomic_query *query)
{
	int err;

	do {
		memset(query, 0, sizeof(*query));
		err = device_ioctl(fd, DRM_IOCTL_SVM_ATOMIC_QUERY(driver->base), query);
	} while (err == -EINTR || err == -EAGAIN);
	/* It has no argument that could be invalid: DRM says so of numbers it has not. */
	if (err == -EINVAL || err == -ENOTTY || err == -EOPNOTSUPP)
		return -ENOSYS;
	return err ? err : query_check(query);
}

static uint32_t absent_from_errno(int err)
{
	switch (err) {
	case -ENODEV:
		return SVMA_REASON_DEVICE_LOST;
	case -ENOSYS:
		return SVMA_REASON_OLD_KERNEL;
	case -EPROTO:
		return SVMA_REASON_PROTOCOL;
	default:
		return SVMA_REASON_SYSTEM;
	}
}

int svma_query(struct svma_device *device, struct svma_capabilities *capabilities)
{
	struct drm_svm_atomic_query query;
	int err = query_kernel(device->fd, device->driver, &query);

	memset(capabilities, 0, sizeof(*capabilities));
	if (err) {
		capabilities->absent = absent_from_errno(err);
		return err;
	}
	*capabilities = (struct svma_capabilities){
		.version = query.version,
		.features = query.features,
		.absent = query.absent,
		.page_size = (uint32_t)page_size(device),
		.start = query.start,
		.end = query.end,
		.cutout_start = query.cutout_start,
		.cutout_end = query.cutout_end,
		.default_hold_ns = query.default_hold_ns,
		.max_hold_ns = query.max_hold_ns,
		.max_policies = query.max_policies,
		.policies = query.policies,
	};
	return 0;
}

int svma_counters(struct svma_device *device, struct svma_counters *counters)
{
	struct drm_svm_atomic_query query;
	int err = query_kernel(device->fd, device->driver, &query);

	memset(counters, 0, sizeof(*counters));
	if (!err)
		memcpy(counters, &query.counters, sizeof(query.counters));
	return err;
}
