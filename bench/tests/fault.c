/* SPDX-License-Identifier: MIT */
/*
 * An LD_PRELOAD library that makes any OpenCL device misbehave, so that bad
 * hardware can be tested without having it. SVMATOMIC_FAULT=NAME[:N] chooses how:
 *
 *   no-svm          the device reports no SVM at all
 *   no-svm-atomics  the device reports SVM without CL_DEVICE_SVM_ATOMICS
 *   serial          a launch returns once the kernel has ended: no kernel ever
 *                   runs beside the host, so none can wait for it
 *   lost:N          the device is lost at launch N: that one and all after it fail
 *   hang:N          launch N never starts, nor does anything queued after it
 *   no-memory:N     allocation N, of SVM or of a buffer, and all after it fail
 *
 * N counts from 1, which is also the default.
 */
#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Calls seen, over all threads of the program: there is nowhere else to count. */
static atomic_ulong launches;
static atomic_ulong allocations;

/* The loader's own entry points, set once before main(). */
static struct {
	__typeof__(clGetDeviceInfo) *get_device_info;
	__typeof__(clSVMAlloc) *svm_alloc;
	__typeof__(clCreateBuffer) *create_buffer;
	__typeof__(clEnqueueNDRangeKernel) *enqueue_kernel;
} next;

/* Whether SVMATOMIC_FAULT asks for @name; *@from, unless NULL, is its N. */
static bool fault_is(const char *name, unsigned long *from)
{
	const char *fault = getenv("SVMATOMIC_FAULT");
	const size_t length = strlen(name);

	if (!fault || strncmp(fault, name, length) || (fault[length] && fault[length] != ':'))
		return false;
	if (from)
		*from = fault[length] ? strtoul(fault + length + 1, NULL, 10) : 1;
	return true;
}

static void resolve(void *function, const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	/* ISO C has no cast from an object pointer to a function pointer. */
	memcpy(function, &symbol, sizeof(symbol));
}

__attribute__((constructor)) static void begin(void)
{
	static const char *const names[] = { "no-svm", "no-svm-atomics", "serial",
					     "lost",   "hang",		 "no-memory" };

	/* The programs that an implementation's compiler runs are to work. */
	unsetenv("LD_PRELOAD");
	resolve(&next.get_device_info, "clGetDeviceInfo");
	resolve(&next.svm_alloc, "clSVMAlloc");
	resolve(&next.create_buffer, "clCreateBuffer");
	resolve(&next.enqueue_kernel, "clEnqueueNDRangeKernel");

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (fault_is(names[i], NULL))
			return;
	/* A misspelt fault would make a test that tests nothing. */
	fprintf(stderr, "fault: SVMATOMIC_FAULT names no fault; see fault.c\n");
	_Exit(70);
}

cl_int clGetDeviceInfo(cl_device_id device, cl_device_info name, size_t size, void *value,
		       size_t *size_out)
{
	cl_int code = next.get_device_info(device, name, size, value, size_out);
	cl_device_svm_capabilities *svm = value;

	if (code != CL_SUCCESS || name != CL_DEVICE_SVM_CAPABILITIES || !value)
		return code;
	if (fault_is("no-svm", NULL))
		*svm = 0;
	if (fault_is("no-svm-atomics", NULL))
		*svm &= ~(cl_device_svm_capabilities)CL_DEVICE_SVM_ATOMICS;
	return code;
}

/* Whether this allocation is one of those that are to fail. */
static bool out_of_memory(void)
{
	unsigned long from;

	return fault_is("no-memory", &from) && atomic_fetch_add(&allocations, 1) + 1 >= from;
}

void *clSVMAlloc(cl_context context, cl_svm_mem_flags flags, size_t size, cl_uint alignment)
{
	return out_of_memory() ? NULL : next.svm_alloc(context, flags, size, alignment);
}

cl_mem clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *code)
{
	if (!out_of_memory())
		return next.create_buffer(context, flags, size, host, code);
	if (code)
		*code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
	return NULL;
}

/* Put something into @queue that never ends, for everything after it to wait on. */
static cl_int block(cl_command_queue queue)
{
	cl_context context;
	cl_event never;
	cl_int code;

	code = clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof(context), &context, NULL);
	if (code != CL_SUCCESS)
		return code;
	never = clCreateUserEvent(context, &code);
	if (!never)
		return code;
	return clEnqueueBarrierWithWaitList(queue, 1, &never, NULL);
}

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions,
			      const size_t *offset, const size_t *global, const size_t *local,
			      cl_uint waits, const cl_event *wait_list, cl_event *event)
{
	const unsigned long launch = atomic_fetch_add(&launches, 1) + 1;
	unsigned long from;
	cl_int code;

	if (fault_is("lost", &from) && launch >= from)
		return CL_DEVICE_NOT_AVAILABLE;
	if (fault_is("hang", &from) && launch == from) {
		code = block(queue);
		if (code != CL_SUCCESS)
			return code;
	}
	code = next.enqueue_kernel(queue, kernel, dimensions, offset, global, local, waits,
				   wait_list, event);
	if (code == CL_SUCCESS && fault_is("serial", NULL))
		code = clFinish(queue);
	return code;
}
