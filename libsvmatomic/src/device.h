/* SPDX-License-Identifier: MIT */
/*
 * What the library's files share: the device, and how the kernel is asked.
 */
#ifndef SVMATOMIC_DEVICE_H
#define SVMATOMIC_DEVICE_H

#include "svmatomic.h"

#include <stdbool.h>

#include <svm_atomic.h>

/* A driver that has SVM atomics, in some kernel or other. */
struct driver {
	const char *name;
	unsigned int kind;  /* SVMA_OPEN_HARDWARE or SVMA_OPEN_VIRTUAL */
	unsigned int base;  /* where the numbers of its ioctls start */
	unsigned long init; /* its SVM_INIT */
};

/* Constant once it is open: that is what makes every call thread-safe. */
struct svma_device {
	const struct driver *driver;
	unsigned long acquire, release; /* the driver's ioctls, worked out beforehand */
	unsigned int page_shift;
	int fd;
	bool owned; /* svma_close() closes @fd, which does not block */
};

static inline uint64_t page_size(const struct svma_device *device)
{
	return UINT64_C(1) << device->page_shift;
}

/*
 * Find out about the open file @fd, and fill @device and all of @report but its node
 * and its text. Returns 0 or a negative errno.
 */
int device_probe(struct svma_device *device, struct svma_report *report, int fd);

/*
 * Open the node at @path, and fill @device and @report, text and all. The caller closes
 * @device->fd. Returns 0 or a negative errno.
 */
int device_open_path(struct svma_device *device, struct svma_report *report, const char *path);

/* Give the caller of the library a copy of @from. Returns 0 or -ENOMEM. */
int device_give(struct svma_device **device, const struct svma_device *from);

/* ioctl(2) that returns a negative errno. It does not start again after a signal. */
int device_ioctl(int fd, unsigned long request, void *argument);

/*
 * What DRM_SVM_ATOMIC_QUERY says, once it makes sense. Returns 0 or a negative errno:
 * -ENOSYS when the driver does not know the call.
 */
int query_kernel(int fd, const struct driver *driver, struct drm_svm_atomic_query *query);

/* The kernel's @reason, or SVMA_REASON_UNKNOWN when it could be taken for our own. */
uint32_t reason_from_kernel(uint32_t reason);

/*
 * Say in @report, of which the rest is filled, what is wrong and what the remedy is.
 */
void report_text(struct svma_report *report);

/* Fill @outcome, unless NULL, of a call on a range that did all of it. */
static inline void range_done(struct svma_outcome *outcome, uint64_t start, uint64_t length,
			      uint64_t pages)
{
	if (!outcome)
		return;
	outcome->reason = SVMA_REASON_OK;
	outcome->reserved = 0;
	outcome->failed = start + length;
	outcome->pages = pages;
	outcome->next = start + length;
}

/*
 * Fill @outcome, unless NULL, of a call on a range from @start on that was refused with
 * @err as a whole. @reason is the kernel's. Returns @err.
 */
int range_refused(struct svma_outcome *outcome, int err, uint64_t start, uint32_t reason);

#endif
