/* SPDX-License-Identifier: MIT */
/*
 * What our test programs share of OpenCL: choosing a device by name or index, what it
 * claims, programs that are built with their log. No global state.
 */
#ifndef CTS_CL_H
#define CTS_CL_H

#include "error.h"
#include "opencl_common.h"

/*
 * A device and what it says of itself. What it has no answer to is 0 (capabilities) or
 * "unknown" (texts). @context and @queue are there from cts_open() to cts_close().
 */
struct cts_device {
	cl_platform_id platform;
	cl_device_id id;
	cl_context context;
	cl_command_queue queue; /* in order, with profiling */

	char name[128];
	char version[128]; /* CL_DEVICE_VERSION: "OpenCL 3.0 ..." */
	char driver[128];
	char platform_name[128];
	char platform_version[128];
	cl_device_type type;
	unsigned cl_version;  /* major * 10 + minor: 30 */
	const char *standard; /* newest OpenCL C it claims, as -cl-std= has it: "CL3.0" */
	bool compiler;

	cl_device_svm_capabilities svm;
	cl_device_atomic_capabilities atomic_memory;
	cl_device_atomic_capabilities atomic_fence;
	bool atomic_int64; /* both cl_khr_int64_*_atomics */
	bool fp64;
};

struct cts_devices {
	struct cts_device *at;
	size_t count;
};

/*
 * Every device of every platform, described, none opened. No platform and no device are
 * errors (EXIT_UNAVAILABLE). Free with cts_list_free().
 */
bool cts_list(struct cts_devices *out, struct error *err);
void cts_list_free(struct cts_devices *list);

/*
 * The first device whose platform and name fit. Each of @platform and @device is NULL (any),
 * a number (the platform of that index; the device of that index among those of the platforms
 * that fit), or a part of the name in any case. NULL and EXIT_UNAVAILABLE where none fits: the
 * error names what was looked for and what there is.
 */
struct cts_device *cts_choose(const struct cts_devices *list, const char *platform,
			      const char *device, struct error *err);

/* A context and a queue for a device that was chosen. */
bool cts_open_device(struct cts_device *dev, struct error *err);

/* cts_list(), cts_choose() and cts_open_device() in one. */
bool cts_open(const char *platform, const char *device, struct cts_device *out, struct error *err);
void cts_close(struct cts_device *dev);

/* Whether the device lists extension @name. */
bool cts_has_extension(const struct cts_device *dev, const char *name);

/* Whether its OpenCL C 3.0 compiler lists feature @name: "__opencl_c_atomic_scope_device". */
bool cts_has_feature(const struct cts_device *dev, const char *name);

/*
 * "DEVICE: DOING: CL_OUT_OF_RESOURCES (-5)" with the exit code that fits: EXIT_NO_MEMORY where
 * memory ran out, EXIT_DEVICE_LOST for all else. Returns false.
 */
bool cts_fail(struct error *err, cl_int code, const struct cts_device *dev, const char *doing);

/*
 * Build @count strings that together are one source, for @dev, as its newest OpenCL C, with
 * @options (or NULL) beside. What the compiler says on stderr behind the API's back is kept
 * from the terminal. NULL where it fails: @err then has the first complaint, and *@log (unless
 * @log is NULL) the whole build log, which the caller frees.
 */
cl_program cts_build(const struct cts_device *dev, const char *options, cl_uint count,
		     const char *const *source, char **log, struct error *err);

/* The same, and the kernel @name in it, which holds the program. Free with clReleaseKernel(). */
cl_kernel cts_build_kernel(const struct cts_device *dev, const char *options, const char *source,
			   const char *name, struct error *err);

/*
 * Wait for @event, at most @seconds, by looking at its status: a device that hangs must not
 * hang us. EXIT_DEVICE_LOST where it failed or did not end in time. The event is the caller's.
 */
bool cts_wait(const struct cts_device *dev, cl_event event, double seconds, struct error *err);

#endif
