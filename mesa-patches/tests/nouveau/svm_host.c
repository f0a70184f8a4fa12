/* SPDX-License-Identifier: MIT */
/*
 * An OpenCL program for the tests of nouveau without hardware: it allocates shared virtual
 * memory, migrates it to the device, launches a kernel on it, migrates it back, maps and
 * frees it, and prints what each call returned. What it makes the driver do is in the
 * driver's records.
 *
 * svm_host alloc [atomics]     the sequence, on memory with or without CL_MEM_SVM_ATOMICS
 * svm_host build FILE...       builds FILEs and launches every kernel in them
 */
#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES = 4, PAGE = 4096 };

struct gpu {
	cl_device_id device;
	cl_context context;
	cl_command_queue queue;
	cl_device_svm_capabilities svm;
};

static void die(const char *what, cl_int err)
{
	fprintf(stderr, "svm_host: %s: error %d\n", what, err);
	exit(1);
}

static void check(const char *what, cl_int err)
{
	if (err)
		die(what, err);
}

static cl_device_id find(void)
{
	cl_platform_id platforms[8];
	cl_uint count;
	char name[256];

	if (clGetPlatformIDs(8, platforms, &count))
		return NULL;
	for (cl_uint i = 0; i < count && i < 8; i++) {
		cl_device_id device;

		if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_GPU, 1, &device, NULL))
			continue;
		check("name", clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof(name), name, NULL));
		if (!strncmp(name, "NV", 2)) {
			printf("device %s\n", name);
			return device;
		}
	}
	return NULL;
}

static void open_gpu(struct gpu *gpu)
{
	cl_device_atomic_capabilities memory;
	cl_int err;

	gpu->device = find();
	if (!gpu->device) {
		fprintf(stderr,
			"svm_host: no device of nouveau's; set RUSTICL_ENABLE and the shim\n");
		exit(1);
	}
	check("svm", clGetDeviceInfo(gpu->device, CL_DEVICE_SVM_CAPABILITIES, sizeof(gpu->svm),
				     &gpu->svm, NULL));
	check("memory", clGetDeviceInfo(gpu->device, CL_DEVICE_ATOMIC_MEMORY_CAPABILITIES,
					sizeof(memory), &memory, NULL));
	printf("svm%s%s\n", gpu->svm & CL_DEVICE_SVM_FINE_GRAIN_SYSTEM ? " system" : "",
	       gpu->svm & CL_DEVICE_SVM_ATOMICS ? " atomics" : "");
	printf("scope%s%s\n", memory & CL_DEVICE_ATOMIC_SCOPE_DEVICE ? " device" : "",
	       memory & CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES ? " all" : "");
	gpu->context = clCreateContext(NULL, 1, &gpu->device, NULL, NULL, &err);
	check("context", err);
	gpu->queue = clCreateCommandQueueWithProperties(gpu->context, gpu->device, NULL, &err);
	check("queue", err);
}

/* How a command ended; negative for an error. */
static cl_int wait_for(cl_event event)
{
	cl_int status = CL_QUEUED;

	clWaitForEvents(1, &event);
	check("event", clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(status),
				      &status, NULL));
	clReleaseEvent(event);
	return status;
}

static cl_program build(const struct gpu *gpu, const char *source, const char *name)
{
	cl_int err;
	cl_program program = clCreateProgramWithSource(gpu->context, 1, &source, NULL, &err);

	check(name, err);
	err = clBuildProgram(program, 1, &gpu->device, "-cl-std=CL3.0", NULL, NULL);
	if (err) {
		static char log[1 << 20];

		clGetProgramBuildInfo(program, gpu->device, CL_PROGRAM_BUILD_LOG, sizeof(log), log,
				      NULL);
		fprintf(stderr, "%s\n", log);
		die(name, err);
	}
	return program;
}

static void launch(const struct gpu *gpu, cl_kernel kernel, void *memory)
{
	const size_t size = 32;
	cl_uint count;
	cl_int err;

	check("arguments",
	      clGetKernelInfo(kernel, CL_KERNEL_NUM_ARGS, sizeof(count), &count, NULL));
	for (cl_uint i = 0; i < count; i++) {
		cl_kernel_arg_address_qualifier where;

		check("argument", clGetKernelArgInfo(kernel, i, CL_KERNEL_ARG_ADDRESS_QUALIFIER,
						     sizeof(where), &where, NULL));
		if (where == CL_KERNEL_ARG_ADDRESS_LOCAL)
			err = clSetKernelArg(kernel, i, PAGE, NULL);
		else
			err = clSetKernelArgSVMPointer(kernel, i, memory);
		check("argument", err);
	}
	check("launch",
	      clEnqueueNDRangeKernel(gpu->queue, kernel, 1, NULL, &size, &size, 0, NULL, NULL));
	check("finish", clFinish(gpu->queue));
}

static int sequence(const struct gpu *gpu, int atomics)
{
	const cl_svm_mem_flags flags = CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER |
				       (atomics ? CL_MEM_SVM_ATOMICS : 0);
	const char *source = "kernel void set(global uint *p) { p[get_global_id(0)] = 1; }\n";
	void *memory = clSVMAlloc(gpu->context, flags, PAGES * PAGE, PAGE);
	cl_event event;
	cl_program program;
	cl_kernel kernel;
	cl_int err;

	if (!memory) {
		printf("alloc none\n");
		return 0;
	}
	memset(memory, 0, PAGES * PAGE);
	printf("alloc 0x%jx\n", (uintmax_t)(uintptr_t)memory);

	err = clEnqueueSVMMigrateMem(gpu->queue, 1, (const void **)&memory, NULL, 0, 0, NULL,
				     &event);
	printf("to device %d\n", err ? err : wait_for(event));

	/* Of a queue that has failed nothing more is to be had. */
	check("release", clReleaseCommandQueue(gpu->queue));
	cl_command_queue queue =
		clCreateCommandQueueWithProperties(gpu->context, gpu->device, NULL, &err);
	check("queue", err);
	struct gpu again = *gpu;
	again.queue = queue;

	program = build(&again, source, "set");
	kernel = clCreateKernel(program, "set", &err);
	check("kernel", err);
	launch(&again, kernel, memory);

	err = clEnqueueSVMMigrateMem(queue, 1, (const void **)&memory, NULL,
				     CL_MIGRATE_MEM_OBJECT_HOST, 0, NULL, &event);
	printf("to host %d\n", err ? err : wait_for(event));

	check("release", clReleaseCommandQueue(queue));
	queue = clCreateCommandQueueWithProperties(gpu->context, gpu->device, NULL, &err);
	check("queue", err);
	check("map", clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, memory,
				     PAGES * PAGE, 0, NULL, NULL));
	check("unmap", clEnqueueSVMUnmap(queue, memory, 0, NULL, NULL));
	check("finish", clFinish(queue));
	clSVMFree(gpu->context, memory);

	check("release", clReleaseKernel(kernel));
	check("release", clReleaseProgram(program));
	check("release", clReleaseCommandQueue(queue));
	check("release", clReleaseContext(gpu->context));
	return 0;
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	if (!file || !text || fread(text, 1, (1 << 20) - 1, file) == 0) {
		fprintf(stderr, "svm_host: cannot read %s\n", path);
		exit(1);
	}
	fclose(file);
	return text;
}

static void build_file(const struct gpu *gpu, const char *path)
{
	char *source = read_file(path);
	cl_program program = build(gpu, source, path);
	cl_kernel kernels[512];
	cl_uint count;
	void *memory =
		clSVMAlloc(gpu->context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, PAGE, 0);

	if (!memory)
		die("clSVMAlloc", 0);
	check("kernels", clCreateKernelsInProgram(program, 512, kernels, &count));
	for (cl_uint i = 0; i < count; i++) {
		char name[128];

		check("name", clGetKernelInfo(kernels[i], CL_KERNEL_FUNCTION_NAME, sizeof(name),
					      name, NULL));
		/* The compiler writes to stderr, too. */
		fprintf(stderr, "KERNEL %s\n", name);
		launch(gpu, kernels[i], memory);
		check("release", clReleaseKernel(kernels[i]));
	}
	clSVMFree(gpu->context, memory);
	check("release", clReleaseProgram(program));
	printf("built %u of %s\n", count, path);
	free(source);
}

int main(int argc, char **argv)
{
	struct gpu gpu;

	if (argc < 2 || (strcmp(argv[1], "alloc") && strcmp(argv[1], "build"))) {
		fprintf(stderr, "usage: svm_host alloc [atomics] | svm_host build FILE...\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	open_gpu(&gpu);
	if (!strcmp(argv[1], "alloc"))
		return sequence(&gpu, argc > 2);
	for (int i = 2; i < argc; i++)
		build_file(&gpu, argv[i]);
	return 0;
}
