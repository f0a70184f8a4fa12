/* SPDX-License-Identifier: MIT */
/*
 * The device as its user has it: made from a file, bound, closed.
 */
#include "device.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <vsvm_drm.h>

#define STRING(x)	#x
#define DOTTED(a, b, c) STRING(a) "." STRING(b) "." STRING(c)

int device_give(struct svma_device **device, const struct svma_device *from)
{
	*device = malloc(sizeof(**device));
	if (!*device)
		return -ENOMEM;
	**device = *from;
	return 0;
}

int svma_open_fd(struct svma_device **device, int fd)
{
	struct svma_device probed = { 0 };
	struct svma_report report = { 0 };
	int err;

	*device = NULL;
	err = device_probe(&probed, &report, fd);
	if (err)
		return err;
	return device_give(device, &probed);
}

void svma_close(struct svma_device *device)
{
	if (!device)
		return;
	if (device->owned)
		close(device->fd);
	free(device);
}

int svma_fd(const struct svma_device *device)
{
	return device->fd;
}

const char *svma_driver(const struct svma_device *device)
{
	return device->driver->name;
}

int svma_bind(struct svma_device *device, const void *cutout, size_t size)
{
	struct drm_vsvm_init init = {
		.unmanaged_addr = (uintptr_t)cutout,
		.unmanaged_size = size,
	};

	return device_ioctl(device->fd, device->driver->init, &init);
}

const char *svma_version(void)
{
	return DOTTED(SVMA_VERSION_MAJOR, SVMA_VERSION_MINOR, SVMA_VERSION_PATCH);
}
