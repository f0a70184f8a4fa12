/* SPDX-License-Identifier: MIT */
/*
 * Finding out what a file is: which driver's, and whether that can do SVM atomics.
 */
#include "device.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <nouveau_drm.h>
#include <vsvm_drm.h>

/* libdrm's nouveau_drm.h does not have it yet. */
#ifndef DRM_NOUVEAU_SVM_ATOMIC_BASE
#define DRM_NOUVEAU_SVM_ATOMIC_BASE 0x20
#endif

/* Nor this in every version of it. */
#ifndef DRM_IOCTL_NOUVEAU_SVM_INIT
#define DRM_IOCTL_NOUVEAU_SVM_INIT                                                                 \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_NOUVEAU_SVM_INIT, struct drm_nouveau_svm_init)
#endif

/* svma_bind() sends one for the other. */
_Static_assert(sizeof(struct drm_vsvm_init) == sizeof(struct drm_nouveau_svm_init) &&
		       offsetof(struct drm_vsvm_init, unmanaged_addr) ==
			       offsetof(struct drm_nouveau_svm_init, unmanaged_addr) &&
		       offsetof(struct drm_vsvm_init, unmanaged_size) ==
			       offsetof(struct drm_nouveau_svm_init, unmanaged_size),
	       "each driver's SVM_INIT has the same structure");

static const struct driver drivers[] = {
	{
		.name = "nouveau",
		.kind = SVMA_OPEN_HARDWARE,
		.base = DRM_NOUVEAU_SVM_ATOMIC_BASE,
		.init = DRM_IOCTL_NOUVEAU_SVM_INIT,
	},
	{
		.name = "vsvm",
		.kind = SVMA_OPEN_VIRTUAL,
		.base = DRM_VSVM_SVM_ATOMIC_BASE,
		.init = DRM_IOCTL_VSVM_INIT,
	},
};

int device_ioctl(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) < 0 ? -errno : 0;
}

static const struct driver *driver_find(const char *name)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(*drivers); i++)
		if (!strcmp(drivers[i].name, name))
			return &drivers[i];
	return NULL;
}

/* Write the name of the driver of @fd to @name, which has room for @size. */
static int driver_name(int fd, char *name, size_t size)
{
	struct drm_version version = { .name = name, .name_len = size - 1 };
	size_t length;
	int err;

	do {
		err = device_ioctl(fd, DRM_IOCTL_VERSION, &version);
	} while (err == -EINTR || err == -EAGAIN);
	if (err) {
		*name = '\0';
		return err;
	}
	/* The kernel tells the whole length, whatever it had room for. */
	length = version.name_len < size ? version.name_len : size - 1;
	name[length] = '\0';
	for (char *c = name; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
	return 0;
}

static int probe_fail(struct svma_report *report, uint32_t reason, int err)
{
	report->reason = reason;
	report->error = err;
	return err;
}

static int probe_errno(struct svma_report *report, int err)
{
	switch (err) {
	case -EACCES:
	case -EPERM:
		return probe_fail(report, SVMA_REASON_PERMISSION, -EACCES);
	case -ENODEV:
		return probe_fail(report, SVMA_REASON_DEVICE_LOST, err);
	case -ENOSYS:
		return probe_fail(report, SVMA_REASON_OLD_KERNEL, err);
	case -EPROTO:
		return probe_fail(report, SVMA_REASON_PROTOCOL, err);
	default:
		return probe_fail(report, SVMA_REASON_SYSTEM, err);
	}
}

int device_probe(struct svma_device *device, struct svma_report *report, int fd)
{
	struct drm_svm_atomic_query query;
	int err;

	device->fd = fd;
	device->page_shift = (unsigned int)__builtin_ctzl((unsigned long)sysconf(_SC_PAGESIZE));
	err = driver_name(fd, report->driver, sizeof(report->driver));
	/* What a file that has no ioctls says, and what one says that has others. */
	if (err == -ENOTTY || err == -EINVAL || err == -EOPNOTSUPP)
		return probe_fail(report, SVMA_REASON_NOT_DRM, -ENOTTY);
	if (err)
		return probe_errno(report, err);

	device->driver = driver_find(report->driver);
	if (!device->driver)
		return probe_fail(report, SVMA_REASON_UNKNOWN_DRIVER, -EOPNOTSUPP);
	device->acquire = DRM_IOCTL_SVM_ATOMIC_ACQUIRE(device->driver->base);
	device->release = DRM_IOCTL_SVM_ATOMIC_RELEASE(device->driver->base);
	report->flags = device->driver->kind;

	err = query_kernel(fd, device->driver, &query);
	if (err)
		return probe_errno(report, err);
	report->version = query.version;
	report->features = query.features;
	/* That a client is missing is what svma_bind() is for. */
	if (query.absent == SVMA_REASON_OK || query.absent == SVMA_REASON_NO_CLIENT ||
	    query.absent == SVMA_REASON_FOREIGN)
		return 0;
	return probe_fail(report, query.absent, -ENODEV);
}

/* What opening the file at @path failed with, in words. */
static int open_fail(struct svma_report *report, int err)
{
	if (err == -ENOENT || err == -ENOTDIR)
		return probe_fail(report, SVMA_REASON_NO_NODE, -ENOENT);
	/* A node may stay after its device went. */
	if (err == -ENXIO)
		return probe_fail(report, SVMA_REASON_DEVICE_LOST, -ENODEV);
	return probe_errno(report, err);
}

int device_open_path(struct svma_device *device, struct svma_report *report, const char *path)
{
	int fd, err;

	memset(report, 0, sizeof(*report));
	snprintf(report->node, sizeof(report->node), "%s", path);
	for (char *c = report->node; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';

	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	device->owned = true;
	err = fd < 0 ? open_fail(report, -errno) : device_probe(device, report, fd);
	report_text(report);
	if (err && fd >= 0)
		close(fd);
	return err;
}
