/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* vsvm: what its two parts know of each other. */
#ifndef _VSVM_DRV_H_
#define _VSVM_DRV_H_

#include <linux/fault-inject.h>
#include <linux/mutex.h>
#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_svm_atomic.h>

struct platform_device;
struct vm_area_struct;

/**
 * struct vsvm_device - an instance
 * @drm: the DRM device.
 * @platform: its parent.
 * @fault_delay_us: how long a device fault takes at least.
 * @revoke_delay_us: how long taking a page away takes at least.
 * @fail_map: failures of mapping pages, as if memory were out.
 */
struct vsvm_device {
	struct drm_device drm;
	struct platform_device *platform;
	u32 fault_delay_us;
	u32 revoke_delay_us;
#ifdef CONFIG_FAULT_INJECTION
	struct fault_attr fail_map;
#endif
};

/**
 * struct vsvm_file - an open file, and the device's page table of its client
 * @vsvm: the device.
 * @anon: whose mapping the engines' mappings are in: those of one client.
 * @lock: serializes binding.
 * @client: @sa once it is bound.
 * @sa: the client.
 */
struct vsvm_file {
	struct vsvm_device *vsvm;
	struct file *anon;
	struct mutex lock;
	struct drm_svm_atomic *client;
	struct drm_svm_atomic sa;
};

static inline struct vsvm_device *to_vsvm(struct drm_device *dev)
{
	return container_of(dev, struct vsvm_device, drm);
}

/* The client of a file, or NULL as long as it is not bound. */
static inline struct drm_svm_atomic *vsvm_client(struct drm_file *file)
{
	struct vsvm_file *vfile = file->driver_priv;

	/* Pairs with the release of the ioctl that binds it. */
	return smp_load_acquire(&vfile->client);
}

extern const struct drm_svm_atomic_ops vsvm_sa_ops;

int vsvm_mmap(struct file *filp, struct vm_area_struct *vma);

#endif
