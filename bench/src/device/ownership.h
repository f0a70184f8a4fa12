/* SPDX-License-Identifier: MIT */
/*
 * Devices that take pages from the CPU, as libsvmatomic has them: their holds, their
 * counters, and which of them is behind a device that is driven by other means.
 */
#ifndef BENCH_OWNERSHIP_H
#define BENCH_OWNERSHIP_H

#include "device.h"

#include <svmatomic.h>

/* Of how many files the counters are remembered. */
#define OWNERSHIP_FILES 16

/* Files that are bound to this process, and how many pages the device behind each had taken. */
struct ownership_files {
	size_t count;
	struct {
		int fd;
		uint64_t acquired;
	} files[OWNERSHIP_FILES];
};

/* @fds has a link for each open file, as /proc/self/fd does. */
void ownership_look(const char *fds, struct ownership_files *files);

/*
 * The file by which pages were taken since @before: that of the device whose kernels ran since
 * then. It stays its driver's. @report is of its node. The caller's, for svma_close(); NULL where
 * there is none.
 */
struct svma_device *ownership_find(const char *fds, const struct ownership_files *before,
				   struct svma_report *report);

/* The process of this process's engine; 0 where it has none. @proc is /proc. */
pid_t ownership_engine(const char *proc);

/* What is taken and kept is pages: @size, in whole ones. */
size_t ownership_pages(size_t size);

/* Fill in how long @dev, which is @device, keeps pages. */
bool ownership_describe(struct device *dev, struct svma_device *device, struct error *err);

/* device_hold() for the pages from @start on. */
bool ownership_hold(const struct device *dev, struct svma_device *device, const void *start,
		    size_t size, uint64_t hold_ns, struct error *err);

/* No policy any more: whoever gets the addresses next is not to inherit it. */
void ownership_forget(struct svma_device *device, const void *start, size_t size);

bool ownership_counters(struct svma_device *device, struct counters *out);

/* A call of libsvmatomic failed with @error and @reason. */
bool ownership_fail(const struct device *dev, const char *doing, int error, uint32_t reason,
		    struct error *err);

#endif
