/* SPDX-License-Identifier: MIT */
/*
 * A device and the CPU add to the same words at the same time, and no addition is lost. Any OpenCL
 * device with CL_DEVICE_SVM_ATOMICS will do. cc -o svm_atomics svm_atomics.c -lOpenCL
 */
#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 64, ITEMS = 256, TIMES = 1000 };

/* Relaxed: each word is on its own. All devices: the scope that has the host in it, too. */
static const char *source =
	"#ifndef __opencl_c_atomic_scope_all_devices /* PoCL 3, a CPU: the same there */\n"
	"#define memory_scope_all_devices memory_scope_device\n"
	"#endif\n"
	"kernel void add(global atomic_uint *words)\n"
	"{\n"
	"    for (uint i = 0; i < 1000; i++)\n"
	"        atomic_fetch_add_explicit(&words[(get_global_id(0) + i) % 64], 1,\n"
	"                                  memory_order_relaxed, memory_scope_all_devices);\n"
	"}\n";

static void must(cl_int code, const char *what)
{
	if (code != CL_SUCCESS) {
		fprintf(stderr, "%s: OpenCL error %d\n", what, code);
		exit(1);
	}
}

/* The first device of all platforms. */
static cl_device_id find_device(void)
{
	cl_platform_id platforms[16] = { NULL };
	cl_device_id device;

	clGetPlatformIDs(16, platforms, NULL);
	for (int i = 0; i < 16 && platforms[i]; i++)
		if (!clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, 1, &device, NULL))
			return device;
	fputs("no OpenCL device\n", stderr);
	exit(77);
}

int main(void)
{
	const cl_device_id device = find_device();
	cl_device_svm_capabilities can = 0;
	char name[256] = "";
	cl_int err;

	clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof(name), name, NULL);
	clGetDeviceInfo(device, CL_DEVICE_SVM_CAPABILITIES, sizeof(can), &can, NULL);
	if (!(can & CL_DEVICE_SVM_ATOMICS))
		return fprintf(stderr, "%s does not claim CL_DEVICE_SVM_ATOMICS\n", name), 77;
	cl_context context = clCreateContext(NULL, 1, &device, NULL, NULL, &err);
	must(err, "clCreateContext");
	cl_command_queue queue = clCreateCommandQueueWithProperties(context, device, NULL, &err);
	must(err, "clCreateCommandQueueWithProperties");
	cl_program program = clCreateProgramWithSource(context, 1, &source, NULL, &err);
	must(err, "clCreateProgramWithSource");
	must(clBuildProgram(program, 1, &device, "-cl-std=CL3.0", NULL, NULL), "clBuildProgram");
	cl_kernel kernel = clCreateKernel(program, "add", &err);
	must(err, "clCreateKernel");

	/* Both sides use it at once, so it is fine-grained; atomically, so it is for atomics. */
	atomic_uint *words = clSVMAlloc(
		context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER | CL_MEM_SVM_ATOMICS,
		WORDS * sizeof(*words), 0);
	must(words ? CL_SUCCESS : CL_OUT_OF_RESOURCES, "clSVMAlloc");
	memset(words, 0, WORDS * sizeof(*words));

	const size_t items = ITEMS, group = ITEMS / 4;
	unsigned long cpu = 0, sum = 0;
	cl_int status = CL_QUEUED;
	cl_event end;
	must(clSetKernelArgSVMPointer(kernel, 0, words), "clSetKernelArgSVMPointer");
	err = clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &items, &group, 0, NULL, &end);
	must(err, "clEnqueueNDRangeKernel");
	clFlush(queue);
	/* Nothing is mapped and nothing waited for: the device is adding meanwhile. */
	do {
		for (int i = 0; i < 1000; i++, cpu++)
			atomic_fetch_add_explicit(&words[cpu % WORDS], 1, memory_order_relaxed);
		clGetEventInfo(end, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(status), &status,
			       NULL);
	} while (status > CL_COMPLETE);
	must(status, "the kernel");
	for (int i = 0; i < WORDS; i++)
		sum += atomic_load(&words[i]);
	printf("%s: %lu of %d + %lu\n", name, sum, ITEMS * TIMES, cpu); /* device + CPU */
	clSVMFree(context, words);
	return sum != ITEMS * TIMES + cpu;
}
