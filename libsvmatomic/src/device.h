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
	uint64_t page_size;
	int fd;
	bool owned; /* svma_close() closes @fd, which does not block */
};

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

/* Whether a call on this range makes sense at all: 0 or -EINVAL. */
int range_check(const struct svma_device *device, const void *address, size_t length);

/*
 * Fill @outcome, unless NULL, from what the kernel answered about a range. @returned is
 * what the ioctl returned.
 */
void range_outcome(const struct svma_device *device, const void *address, size_t length,
		   struct svma_outcome *outcome, int returned, uint32_t reason, uint64_t failed,
		   uint64_t pages, uint64_t next);

#endif
