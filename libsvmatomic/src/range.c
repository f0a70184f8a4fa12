/* SPDX-License-Identifier: MIT */
/*
 * Taking a range for the device and giving it back; what calls on ranges tell.
 */
#include "device.h"

#include <errno.h>
#include <sys/ioctl.h>

static uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

/* Why a call failed that the kernel gave no reason for. */
static uint32_t reason_from_errno(int err)
{
	switch (err) {
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

int range_refused(struct svma_outcome *outcome, int err, uint64_t start, uint32_t reason)
{
	if (!outcome)
		return err;
	/* The kernel may not have got as far as to say why. */
	if (reason == DRM_SVM_ATOMIC_OK || err == -EINVAL)
		reason = reason_from_errno(err);
	else
		reason = reason_from_kernel(reason);
	*outcome = (struct svma_outcome){ .reason = reason, .failed = start, .next = start };
	return err;
}

/*
 * An acquisition ended with @err, and the kernel @said how far it came. It is not inlined,
 * as those that succeed would save registers for it.
 */
static __attribute__((cold, noinline)) int acquire_refused(const struct svma_device *device,
							   struct svma_outcome *outcome, int err,
							   struct drm_svm_atomic_acquire said)
{
	const uint64_t start = said.start;
	const uint64_t end = start + said.length;
	const uint64_t within_page = page_size(device) - 1;

	range_refused(outcome, err, start, said.reason);
	if (!outcome || said.reason == DRM_SVM_ATOMIC_OK || err == -EINVAL)
		return err;

	outcome->pages = at_most(said.pages, said.length >> device->page_shift);
	if (said.failed >= start && said.failed < end && !(said.failed & within_page))
		outcome->failed = said.failed;
	/* Whoever goes on from there must not leave anything out, nor leave the range. */
	if (said.next >= start && said.next <= end && !(said.next & within_page))
		outcome->next = said.next;
	return err;
}

/*
 * Taking a single page is to cost hardly more than the ioctl does; kernel/bench counts it.
 * So the kernel alone checks that the range makes sense, and nothing is kept for the time
 * after the ioctl: what goes into it comes back as it was.
 */
int svma_acquire(struct svma_device *device, const void *address, size_t length,
		 struct svma_outcome *outcome)
{
	struct drm_svm_atomic_acquire acquire = {
		.start = (uintptr_t)address,
		.length = length,
	};

	if (ioctl(device->fd, device->acquire, &acquire))
		return acquire_refused(device, outcome, -errno, acquire);
	/* Nothing was refused: it has all. */
	range_done(outcome, acquire.start, acquire.length, acquire.length >> device->page_shift);
	return 0;
}

int svma_release(struct svma_device *device, const void *address, size_t length,
		 struct svma_outcome *outcome)
{
	struct drm_svm_atomic_release release = {
		.start = (uintptr_t)address,
		.length = length,
	};

	if (ioctl(device->fd, device->release, &release))
		return range_refused(outcome, -errno, release.start, release.reason);
	range_done(outcome, release.start, release.length,
		   at_most(release.pages, release.length >> device->page_shift));
	return 0;
}
