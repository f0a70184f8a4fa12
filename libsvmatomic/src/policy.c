/* SPDX-License-Identifier: MIT */
/*
 * What the device may do with a range: saying it, and asking.
 */
#include "device.h"

#include <errno.h>
#include <string.h>

_Static_assert((int)SVMA_MODE_DEFAULT == DRM_SVM_ATOMIC_MODE_DEFAULT, "mode");
_Static_assert((int)SVMA_MODE_HOLD == DRM_SVM_ATOMIC_MODE_HOLD, "mode");
_Static_assert((int)SVMA_MODE_DENY == DRM_SVM_ATOMIC_MODE_DENY, "mode");

int svma_set_policy(struct svma_device *device, const void *address, size_t length,
		    enum svma_mode mode, uint64_t hold_ns, struct svma_outcome *outcome)
{
	struct drm_svm_atomic_set_policy policy = {
		.start = (uintptr_t)address,
		.length = length,
		.mode = mode,
		.hold_ns = hold_ns,
	};
	int err = device_ioctl(device->fd, DRM_IOCTL_SVM_ATOMIC_SET_POLICY(device->driver->base),
			       &policy);

	if (err)
		return range_refused(outcome, err, policy.start, policy.reason);
	range_done(outcome, policy.start, policy.length, 0);
	return 0;
}

int svma_get_policy(struct svma_device *device, const void *address, size_t length,
		    struct svma_policy *policy, struct svma_outcome *outcome)
{
	struct drm_svm_atomic_get_policy got = {
		.start = (uintptr_t)address,
		.length = length,
	};
	int err = device_ioctl(device->fd, DRM_IOCTL_SVM_ATOMIC_GET_POLICY(device->driver->base),
			       &got);

	memset(policy, 0, sizeof(*policy));
	/* A range of at least a page has some mode, and its shortest time is no longer than
	 * its longest. */
	if (!err && (!got.modes || got.min_hold_ns > got.max_hold_ns)) {
		err = -EPROTO;
		got.reason = DRM_SVM_ATOMIC_OK;
	}
	if (err)
		return range_refused(outcome, err, got.start, got.reason);
	range_done(outcome, got.start, got.length, 0);
	policy->modes = got.modes;
	policy->min_hold_ns = got.min_hold_ns;
	policy->max_hold_ns = got.max_hold_ns;
	return 0;
}
