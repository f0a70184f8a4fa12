/* SPDX-License-Identifier: MIT */
/*
 * Which render nodes there are, which of them to open, and what to say of each.
 *
 * Only render nodes are looked at: to open a primary node, /dev/dri/card*, may make the
 * opener the master of a display.
 */
#include "device.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRI	  "/dev/dri"
#define RENDER	  "renderD"

/* Longer than any that walk() makes. */
#define PATH_SIZE 64

/* The number in the name of a render node, or -1. */
static long node_number(const char *name)
{
	const char *digits = name + strlen(RENDER);
	char *end;
	long number;

	if (strncmp(name, RENDER, strlen(RENDER)) || *digits < '0' || *digits > '9')
		return -1;
	errno = 0;
	number = strtol(digits, &end, 10);
	return *end || errno ? -1 : number;
}

/*
 * Write to @path the render node whose number is the next above *@number, which becomes
 * its number: the kernel's order of a directory is no order, and sorting needs memory.
 */
static bool walk(DIR *dri, long *number, char path[PATH_SIZE])
{
	const struct dirent *entry;
	long best = -1;

	rewinddir(dri);
	while ((entry = readdir(dri))) {
		long found = node_number(entry->d_name);

		if (found > *number && (best < 0 || found < best))
			best = found;
	}
	if (best < 0)
		return false;
	snprintf(path, PATH_SIZE, DRI "/" RENDER "%ld", best);
	*number = best;
	return true;
}

/* How near @reason is to a device that works: what its user could do about it. */
static unsigned int nearness(uint32_t reason)
{
	static const uint32_t far_to_near[] = {
		SVMA_REASON_NO_NODES,	    SVMA_REASON_NO_NODE,  SVMA_REASON_NOT_DRM,
		SVMA_REASON_UNKNOWN_DRIVER, SVMA_REASON_HARDWARE, SVMA_REASON_DEVICE_LOST,
		SVMA_REASON_SYSTEM,	    SVMA_REASON_PROTOCOL, SVMA_REASON_OLD_KERNEL,
		SVMA_REASON_PERMISSION,
	};
	const unsigned int count = sizeof(far_to_near) / sizeof(*far_to_near);

	for (unsigned int i = 0; i < count; i++)
		if (far_to_near[i] == reason)
			return i;
	/* The kernel's own others: with a driver that has the interface. */
	return count;
}

static int no_nodes(struct svma_report *report, int err)
{
	memset(report, 0, sizeof(*report));
	report->reason = SVMA_REASON_NO_NODES;
	report->error = -ENOENT;
	if (err == -EACCES) {
		snprintf(report->node, sizeof(report->node), DRI);
		report->reason = SVMA_REASON_PERMISSION;
		report->error = err;
	} else if (err && err != -ENOENT && err != -ENOTDIR) {
		report->reason = SVMA_REASON_SYSTEM;
		report->error = err;
	}
	report_text(report);
	return report->error;
}

/*
 * Open the first device of a @kind that works. Otherwise *@report is of the node that
 * came nearest, among those that were looked at here and before.
 */
static int pick_kind(DIR *dri, unsigned int kind, struct svma_device *device,
		     struct svma_report *report)
{
	struct svma_report here;
	char path[PATH_SIZE];
	long number = -1;

	while (walk(dri, &number, path)) {
		int err = device_open_path(device, &here, path);

		if (here.flags && here.flags != kind) {
			if (!err)
				close(device->fd);
			continue;
		}
		if (!err) {
			*report = here;
			return 0;
		}
		if (nearness(here.reason) > nearness(report->reason))
			*report = here;
	}
	return report->error;
}

/* What svma_open() opens. The caller closes @device->fd when it returns 0. */
static int pick(unsigned int flags, struct svma_device *device, struct svma_report *report)
{
	const char *named = secure_getenv("SVMATOMIC_DEVICE");
	DIR *dri;
	int err;

	if (named && *named)
		return device_open_path(device, report, named);

	dri = opendir(DRI);
	err = no_nodes(report, dri ? 0 : -errno);
	if (!dri)
		return err;
	if (!flags)
		flags = SVMA_OPEN_HARDWARE | SVMA_OPEN_VIRTUAL;
	if (flags & SVMA_OPEN_HARDWARE)
		err = pick_kind(dri, SVMA_OPEN_HARDWARE, device, report);
	if (err && flags & SVMA_OPEN_VIRTUAL)
		err = pick_kind(dri, SVMA_OPEN_VIRTUAL, device, report);
	closedir(dri);
	return err;
}

/* Hand over what was opened, or let go of it. */
static int give(struct svma_device **device, const struct svma_device *opened)
{
	int err = device_give(device, opened);

	if (err)
		close(opened->fd);
	return err;
}

int svma_open(struct svma_device **device, unsigned int flags)
{
	struct svma_device opened = { 0 };
	struct svma_report report;
	int err;

	*device = NULL;
	if (flags & ~(SVMA_OPEN_HARDWARE | SVMA_OPEN_VIRTUAL))
		return -EINVAL;
	err = pick(flags, &opened, &report);
	return err ? err : give(device, &opened);
}

int svma_open_node(struct svma_device **device, const char *path)
{
	struct svma_device opened = { 0 };
	struct svma_report report;
	int err;

	*device = NULL;
	err = device_open_path(&opened, &report, path);
	return err ? err : give(device, &opened);
}

int svma_explain(const char *node, struct svma_report *report)
{
	struct svma_device opened = { 0 };
	int err;

	err = node ? device_open_path(&opened, report, node) : pick(0, &opened, report);
	if (!err)
		close(opened.fd);
	return err;
}

int svma_survey(struct svma_report *reports, size_t count)
{
	struct svma_device opened = { 0 };
	char path[PATH_SIZE];
	long number = -1;
	int nodes = 0;
	DIR *dri = opendir(DRI);

	if (!dri)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	for (; walk(dri, &number, path); nodes++) {
		if ((size_t)nodes < count && !device_open_path(&opened, &reports[nodes], path))
			close(opened.fd);
	}
	closedir(dri);
	return nodes;
}
