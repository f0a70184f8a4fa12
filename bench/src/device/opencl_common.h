/* SPDX-License-Identifier: MIT */
/*
 * What every program of ours that calls OpenCL needs: names of errors, texts and extensions
 * of devices, compiling without noise. No state.
 */
#ifndef BENCH_OPENCL_COMMON_H
#define BENCH_OPENCL_COMMON_H

#define CL_TARGET_OPENCL_VERSION	  300
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS /* clCreateCommandQueue, for old devices */
#include "error.h"

#include <CL/cl.h>
#include <CL/cl_ext.h>
#include <stdbool.h>
#include <stddef.h>

/* "CL_INVALID_VALUE" for -30; "an unnamed OpenCL error" for what has no name. */
const char *opencl_error_name(cl_int code);

/*
 * The platforms that there are, *@count of them, for the caller to free. None is no error; what
 * the loader says is.
 */
bool opencl_platforms(cl_platform_id **platforms, cl_uint *count, struct error *err);

/* The answer, cut to @size; "unknown" where there is none. */
void opencl_device_text(cl_device_id id, cl_device_info what, char *out, size_t size);
void opencl_platform_text(cl_platform_id id, cl_platform_info what, char *out, size_t size);

/* Whether the device lists extension @name. */
bool opencl_has_extension(cl_device_id id, const char *name);

/*
 * clBuildProgram(), with stderr closed to the compiler: PoCL's writes there behind the API's
 * back, and a probe that is meant to fail must not look like an error of ours. What it says
 * is in the build log as well. Not for programs with other threads that write to stderr.
 */
cl_int opencl_build_silently(cl_program program, cl_device_id id, const char *options);

#endif
