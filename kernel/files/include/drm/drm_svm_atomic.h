/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What drivers share that take pages of a process exclusively for atomic
 * operations: see the overview in drm_svm_atomic.c.
 */
#ifndef _DRM_SVM_ATOMIC_H_
#define _DRM_SVM_ATOMIC_H_

#include <linux/maple_tree.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/xarray.h>
#include <drm/svm_atomic.h>

struct drm_device;
struct drm_file;
struct drm_ioctl_desc;
struct drm_svm_atomic;
struct mm_struct;
struct page;

/**
 * struct drm_svm_atomic_ops - what a driver does
 */
struct drm_svm_atomic_ops {
	/**
	 * @map: Map pages that the device has exclusively now, readable and
	 * writable, over whatever was mapped there. Called with
	 * &drm_svm_atomic.lock held, in which no memory may be allocated that
	 * reclaim would have to make room for: what is needed is prepared before.
	 * @context is the one of drm_svm_atomic_take(), NULL for the ioctl.
	 *
	 * Return: 0 or a negative errno, with nothing mapped.
	 */
	int (*map)(struct drm_svm_atomic *sa, unsigned long start,
		   struct page **pages, unsigned long npages, void *context);

	/**
	 * @unmap: Drop all mappings of [start, end), exclusive or not, and
	 * return when the device cannot use them any more. Called with
	 * &drm_svm_atomic.lock held, from a notifier.
	 */
	void (*unmap)(struct drm_svm_atomic *sa, unsigned long start,
		      unsigned long end);

	/**
	 * @idle: Optional. Has the device not used [start, end) for a while? The
	 * CPU then takes it back around a fault. Must not sleep. Without it,
	 * what is not held any more counts as idle.
	 */
	bool (*idle)(struct drm_svm_atomic *sa, unsigned long start,
		     unsigned long end);

	/**
	 * @hold_ns: Optional. How long pages without a policy are held: a few times
	 * what it takes the device to get a page and to lose it, up to 10 ms.
	 */
	u64 hold_ns;
};

/**
 * struct drm_svm_atomic - a client: an address space that a device shares
 *
 * Set up by drm_svm_atomic_init(). Drivers read the fields, and take @lock.
 */
struct drm_svm_atomic {
	/** @ops: The driver's. */
	const struct drm_svm_atomic_ops *ops;
	/** @mm: The address space; grabbed, and to be got before it is used. */
	struct mm_struct *mm;
	/** @dev: The device, for events. */
	struct drm_device *dev;
	/** @file: The file, for events. NULL in tests, and once it is closing. */
	struct drm_file *file;
	/** @start: The first address that is shared. */
	unsigned long start;
	/** @end: The address behind the last. */
	unsigned long end;
	/** @cutout_start: The first address in between that is not shared. */
	unsigned long cutout_start;
	/** @cutout_end: The address behind the last. */
	unsigned long cutout_end;
	/** @lost: The device is gone: everything is refused. */
	bool lost;

	/**
	 * @lock: Protects the device's page table, the counters, the stamps of
	 * chunks and the fields of events. Notifiers take it.
	 */
	struct mutex lock;
	/** @chunks: struct drm_svm_atomic_chunk by address / their size. */
	struct xarray chunks;

	/** @policy_lock: Serializes changes of @policies. */
	struct mutex policy_lock;
	/** @policies: Ranges of pages with a mode and a hold. */
	struct maple_tree policies;
	/** @npolicies: How many. */
	unsigned int npolicies;

	/** @counters: What happened. */
	struct drm_svm_atomic_counters counters;
	/** @events: DRM_SVM_ATOMIC_WANT_*. */
	u32 events;
	/** @events_lost: How many were lost since the last that was sent. */
	u32 events_lost;
};

/**
 * struct drm_svm_atomic_outcome - what came of taking a range
 * @pages: how many pages the device has.
 * @failed: the first address that it does not have.
 * @next: the first address that was not looked at.
 * @reason: why it does not have the page at @failed.
 */
struct drm_svm_atomic_outcome {
	unsigned long pages;
	unsigned long failed;
	unsigned long next;
	enum drm_svm_atomic_reason reason;
};

/* Return -EWOULDBLOCK rather than waiting for a turn or for the client's mmap_lock. */
#define DRM_SVM_ATOMIC_TAKE_NOWAIT	(1 << 0)
/* On behalf of a device fault: refusals are events. */
#define DRM_SVM_ATOMIC_TAKE_FAULT	(1 << 1)
/* The mmap_lock of another address space is held: nor make a notifier. */
#define DRM_SVM_ATOMIC_TAKE_NESTED	(1 << 2)

int drm_svm_atomic_init(struct drm_svm_atomic *sa, struct drm_device *dev,
			struct drm_file *file, struct mm_struct *mm,
			unsigned long cutout_start, unsigned long cutout_size,
			const struct drm_svm_atomic_ops *ops);
void drm_svm_atomic_mute(struct drm_svm_atomic *sa);
void drm_svm_atomic_lose(struct drm_svm_atomic *sa);
void drm_svm_atomic_fini(struct drm_svm_atomic *sa);

int drm_svm_atomic_take(struct drm_svm_atomic *sa, unsigned long start,
			unsigned long end, unsigned int flags, void *context,
			struct drm_svm_atomic_outcome *outcome);
int drm_svm_atomic_wait_turn(struct drm_svm_atomic *sa, unsigned long addr);
struct mmu_interval_notifier *
drm_svm_atomic_notifier(struct drm_svm_atomic *sa, unsigned long addr,
			unsigned int flags);
void drm_svm_atomic_held_around(struct drm_svm_atomic *sa, unsigned long addr,
				unsigned long *start, unsigned long *end);
bool drm_svm_atomic_shares(const struct drm_svm_atomic *sa, unsigned long start,
			   unsigned long end);
int drm_svm_atomic_errno(enum drm_svm_atomic_reason reason);

int drm_svm_atomic_acquire_ioctl(struct drm_svm_atomic *sa, void *data);
int drm_svm_atomic_release_ioctl(struct drm_svm_atomic *sa, void *data);
int drm_svm_atomic_set_policy_ioctl(struct drm_svm_atomic *sa, void *data);
int drm_svm_atomic_get_policy_ioctl(struct drm_svm_atomic *sa, void *data);
int drm_svm_atomic_query_ioctl(struct drm_svm_atomic *sa,
			       enum drm_svm_atomic_reason absent, void *data);
int drm_svm_atomic_subscribe_ioctl(struct drm_svm_atomic *sa, void *data);

/**
 * DEFINE_DRM_SVM_ATOMIC_IOCTLS() - the functions of the six ioctls
 * @prefix: what their names begin with.
 * @client: a function that gives the client of a struct drm_file, or NULL.
 * @absent: a function that says why a struct drm_file could have none, or
 *	DRM_SVM_ATOMIC_OK where the driver only has to be asked for it.
 */
#define DEFINE_DRM_SVM_ATOMIC_IOCTLS(prefix, client, absent)		\
static int prefix##_acquire_ioctl(struct drm_device *dev, void *data,	\
				  struct drm_file *file)		\
{									\
	return drm_svm_atomic_acquire_ioctl(client(file), data);	\
}									\
static int prefix##_release_ioctl(struct drm_device *dev, void *data,	\
				  struct drm_file *file)		\
{									\
	return drm_svm_atomic_release_ioctl(client(file), data);	\
}									\
static int prefix##_set_policy_ioctl(struct drm_device *dev, void *data, \
				     struct drm_file *file)		\
{									\
	return drm_svm_atomic_set_policy_ioctl(client(file), data);	\
}									\
static int prefix##_get_policy_ioctl(struct drm_device *dev, void *data, \
				     struct drm_file *file)		\
{									\
	return drm_svm_atomic_get_policy_ioctl(client(file), data);	\
}									\
static int prefix##_query_ioctl(struct drm_device *dev, void *data,	\
				struct drm_file *file)			\
{									\
	return drm_svm_atomic_query_ioctl(client(file), absent(file), data); \
}									\
static int prefix##_subscribe_ioctl(struct drm_device *dev, void *data,	\
				    struct drm_file *file)		\
{									\
	return drm_svm_atomic_subscribe_ioctl(client(file), data);	\
}

/**
 * DRM_SVM_ATOMIC_IOCTL() - an entry in a driver's table of ioctls
 * @base: where their numbers start.
 * @call: ACQUIRE, RELEASE, SET_POLICY, GET_POLICY, QUERY or SUBSCRIBE.
 * @function: what DEFINE_DRM_SVM_ATOMIC_IOCTLS() has made for it.
 */
#define DRM_SVM_ATOMIC_IOCTL(base, call, function)			\
	[DRM_IOCTL_NR(DRM_IOCTL_SVM_ATOMIC_##call(base)) -		\
	 DRM_COMMAND_BASE] = {						\
		.cmd = DRM_IOCTL_SVM_ATOMIC_##call(base),		\
		.func = function,					\
		.flags = DRM_RENDER_ALLOW,				\
		.name = "SVM_ATOMIC_" #call,				\
	}

#endif
