/* SPDX-License-Identifier: MIT */
/*
 * What the files of the OpenCL back end share. Nothing outside opencl*.c
 * includes this but device.c, for opencl_enumerate().
 */
#ifndef BENCH_OPENCL_H
#define BENCH_OPENCL_H

#include "device.h"
#include "opencl_common.h"
#include "ownership.h"

/* How the compiler is asked for atomics. */
struct opencl_dialect {
	const char *name;
	const char *standard; /* -cl-std= */
	bool c11;	      /* C11-style atomics, else the 1.x built-ins */
};

struct kernel {
	struct kernel *next;
	struct task task;
	cl_program program;
	cl_kernel kernel;
	struct device *dev;
};

struct opencl_device {
	cl_platform_id platform;
	cl_device_id root; /* as enumerated */
	cl_device_id used; /* root, or a sub-device of it while open */
	cl_context context;
	cl_command_queue queue;
	const struct opencl_dialect *dialect;
	struct kernel *kernels;
	struct ownership_files before; /* it was opened */
	struct svma_device *owner;     /* where it takes pages from the CPU; its driver's file */
};

static inline struct opencl_device *opencl_of(const struct device *dev)
{
	return dev->backend;
}

/* Turn a failed call into a struct error: lost devices and memory have codes of their own. */
bool opencl_fail(struct error *err, cl_int code, const struct device *dev, const char *doing);

/* Fill dev's identity and capabilities from its root. */
void opencl_describe(struct device *dev);

/* Find the dialect and the widest scope that really compile; sets caps, dialect, widest_scope. */
void opencl_probe_compiler(struct device *dev);

/* Build the kernel for @task. */
struct kernel *opencl_build(struct device *dev, const struct task *task, struct error *err);
void opencl_kernels_clear(struct opencl_device *cl);

/* Append every device of every platform to @list; see device_list_fill(). */
bool opencl_enumerate(struct device_list *list, unsigned cpu_units, struct error *err);

#endif
