/* SPDX-License-Identifier: MIT */
/*
 * Taking a range for the device and giving it back; what any call on a range checks.
 */
#include "device.h"

#include <errno.h>

int range_check(const struct svma_device *device, const void *address, size_t length)
{
	const uint64_t start = (uintptr_t)address;

	if (!length || (start | length) & (device->page_size - 1))
		return -EINVAL;
	return length > UINT64_MAX - start ? -EINVAL : 0;
}

/* Why a call failed that the kernel gave no reason for. */
static uint32_t reason_from_errno(int err)
{
	switch (err) {
	case 0:
		return SVMA_REASON_OK;
	case -EINVAL:
		return SVMA_REASON_INVALID;
	case -EINTR:
		return SVMA_REASON_INTERRUPTED;
	case -ENODEV:
		return SVMA_REASON_DEVICE_LOST;
	case -ENOMEM:
		return SVMA_REASON_NOMEM;
	case -EPROTO:
		return SVMA_REASON_PROTOCOL;
	default:
		return SVMA_REASON_SYSTEM;
	}
}

void range_outcome(const struct svma_device *device, const void *address, size_t length,
		   struct svma_outcome *outcome, int returned, uint32_t reason, uint64_t failed,
		   uint64_t pages, uint64_t next)
{
	const uint64_t start = (uintptr_t)address;
	const uint64_t end = start + length;

	if (!outcome)
		return;

	*outcome = (struct svma_outcome){ .failed = end, .pages = pages, .next = end };
	if (pages > length / device->page_size)
		outcome->pages = length / device->page_size;
	if (!returned)
		return;

	outcome->reason = reason_from_kernel(reason);
	outcome->failed = failed;
	if (failed < start || failed >= end || failed & (device->page_size - 1))
		outcome->failed = start;
	outcome->next = next;
	/* Whoever goes on from there must not leave anything out, nor leave the range. */
	if (next < start || next > end || next & (device->page_size - 1))
		outcome->next = start;
	/* The kernel did not get as far as to say why. */
	if (reason == DRM_SVM_ATOMIC_OK || returned == -EINVAL) {
		outcome->reason = reason_from_errno(returned);
		outcome->failed = start;
		outcome->next = start;
		outcome->pages = 0;
	}
}

int svma_acquire(struct svma_device *device, const void *address, size_t length,
		 struct svma_outcome *outcome)
{
	struct drm_svm_atomic_acquire acquire = {
		.start = (uintptr_t)address,
		.length = length,
	};
	int err = range_check(device, address, length);

	if (!err)
		err = device_ioctl(device->fd, DRM_IOCTL_SVM_ATOMIC_ACQUIRE(device->driver->base),
				   &acquire);
	range_outcome(device, address, length, outcome, err, acquire.reason, acquire.failed,
		      acquire.pages, acquire.next);
	return err;
}

int svma_release(struct svma_device *device, const void *address, size_t length,
		 struct svma_outcome *outcome)
{
	struct drm_svm_atomic_release release = {
		.start = (uintptr_t)address,
		.length = length,
	};
	int err = range_check(device, address, length);

	if (!err)
		err = device_ioctl(device->fd, DRM_IOCTL_SVM_ATOMIC_RELEASE(device->driver->base),
				   &release);
	range_outcome(device, address, length, outcome, err, release.reason, (uintptr_t)address,
		      release.pages, (uintptr_t)address);
	return err;
}
