/* SPDX-License-Identifier: MIT */
/*
 * What every test needs: a device, a context, a queue, a kernel, and a way out.
 */
#ifndef CLTEST_H
#define CLTEST_H

#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SVM_ATOMICS (CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER | CL_MEM_SVM_ATOMICS)
#define CHECK(call) check((call), #call)

static cl_device_id device;
static cl_context context;
static cl_command_queue queue;

static inline _Noreturn void leave(int status, const char *what, const char *format, va_list args)
{
	fprintf(stderr, "%s: ", what);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	/* Not exit(): its handlers wait for a kernel that may never end. */
	_exit(status);
}

static inline _Noreturn void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	leave(1, "FAIL", format, args);
}

static inline _Noreturn void skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	leave(77, "SKIP", format, args);
}

static inline void check(cl_int error, const char *call)
{
	if (error)
		fail("%s: error %d", call, error);
}

static inline void open_device(void)
{
	cl_platform_id platform;
	cl_int error;

	if (clGetPlatformIDs(1, &platform, NULL) ||
	    clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL))
		skip("no OpenCL device");
	context = clCreateContext(NULL, 1, &device, NULL, NULL, &error);
	CHECK(error);
	queue = clCreateCommandQueueWithProperties(context, device, NULL, &error);
	CHECK(error);
}

static inline cl_ulong device_bits(cl_device_info what)
{
	cl_ulong bits = 0;

	CHECK(clGetDeviceInfo(device, what, sizeof(bits), &bits, NULL));
	return bits;
}

static inline int has_extension(const char *name)
{
	char list[16384] = "";

	CHECK(clGetDeviceInfo(device, CL_DEVICE_EXTENSIONS, sizeof(list), list, NULL));
	return strstr(list, name) != NULL;
}

static inline cl_program build(const char *source, const char *options)
{
	static char log[65536];
	cl_int error;
	cl_program program = clCreateProgramWithSource(context, 1, &source, NULL, &error);

	CHECK(error);
	if (!clBuildProgram(program, 1, &device, options, NULL, NULL))
		return program;
	clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, sizeof(log), log, NULL);
	fail("build with %s: %s", options, log);
}

static inline cl_kernel kernel(cl_program program, const char *name)
{
	cl_int error;
	cl_kernel k = clCreateKernel(program, name, &error);

	CHECK(error);
	return k;
}

static inline cl_event launch(cl_kernel k, size_t global, size_t local)
{
	cl_event event;

	CHECK(clEnqueueNDRangeKernel(queue, k, 1, NULL, &global, &local, 0, NULL, &event));
	CHECK(clFlush(queue));
	return event;
}

static inline cl_int event_status(cl_event event)
{
	cl_int status;

	CHECK(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(status), &status,
			     NULL));
	return status;
}

/* Memory that host and device may do atomics on at once; skips where there is none. */
static inline void *alloc_for_atomics(size_t size)
{
	void *memory;

	if (!(device_bits(CL_DEVICE_SVM_CAPABILITIES) & CL_DEVICE_SVM_ATOMICS))
		skip("no SVM atomics");
	memory = clSVMAlloc(context, SVM_ATOMICS, size, 128);
	if (!memory)
		fail("clSVMAlloc returned NULL");
	return memory;
}

#endif
