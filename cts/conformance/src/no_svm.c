/* SPDX-License-Identifier: MIT */
/*
 * A device without SVM has to say so, call by call.
 */
#include "tests.h"

#define SIZE ((size_t)4096)

static unsigned char memory[2 * SIZE];

static void alloc(struct trial *t)
{
	CHECK(!clSVMAlloc(t->dev.context, CL_MEM_READ_WRITE, SIZE, 0),
	      "clSVMAlloc returns memory, NULL is due");
}

static void svm_free(struct trial *t)
{
	/* Not of clSVMAlloc(): an implementation that frees it crashes. */
	clSVMFree(t->dev.context, memory);
	memory[0] = 1;
}

static void argument(struct trial *t)
{
	expect_code(clSetKernelArgSVMPointer(simple(t, "fill"), 0, memory), CL_INVALID_OPERATION,
		    "clSetKernelArgSVMPointer");
}

static void info(struct trial *t)
{
	void *pointer = memory;

	expect_code(clSetKernelExecInfo(simple(t, "fill"), CL_KERNEL_EXEC_INFO_SVM_PTRS,
					sizeof(pointer), &pointer),
		    CL_INVALID_OPERATION, "clSetKernelExecInfo");
}

static void CL_CALLBACK ignore(cl_command_queue queue, cl_uint count, void *pointers[],
			       void *user_data)
{
	(void)queue;
	(void)count;
	(void)pointers;
	(void)user_data;
}

static void enqueue(struct trial *t)
{
	void *pointers[1] = { memory };
	const void *ranges[1] = { memory };
	const cl_uint pattern = 0;
	cl_command_queue queue = t->dev.queue;

	expect_code(clEnqueueSVMFree(queue, 1, pointers, ignore, NULL, 0, NULL, NULL),
		    CL_INVALID_OPERATION, "clEnqueueSVMFree");
	expect_code(clEnqueueSVMMemcpy(queue, CL_TRUE, memory, memory + SIZE, SIZE, 0, NULL, NULL),
		    CL_INVALID_OPERATION, "clEnqueueSVMMemcpy");
	expect_code(clEnqueueSVMMemFill(queue, memory, &pattern, 4, 64, 0, NULL, NULL),
		    CL_INVALID_OPERATION, "clEnqueueSVMMemFill");
	expect_code(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ, memory, SIZE, 0, NULL, NULL),
		    CL_INVALID_OPERATION, "clEnqueueSVMMap");
	expect_code(clEnqueueSVMUnmap(queue, memory, 0, NULL, NULL), CL_INVALID_OPERATION,
		    "clEnqueueSVMUnmap");
	if (t->dev.cl_version >= 21)
		expect_code(clEnqueueSVMMigrateMem(queue, 1, ranges, NULL, 0, 0, NULL, NULL),
			    CL_INVALID_OPERATION, "clEnqueueSVMMigrateMem");
}

static void buffer(struct trial *t)
{
	cl_bool uses = CL_TRUE;
	cl_int code;
	cl_mem object = clCreateBuffer(t->dev.context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR,
				       SIZE, memory, &code);

	must(code, "clCreateBuffer");
	must(clGetMemObjectInfo(object, CL_MEM_USES_SVM_POINTER, sizeof(uses), &uses, NULL),
	     "clGetMemObjectInfo");
	CHECK(!uses, "CL_MEM_USES_SVM_POINTER is CL_TRUE");
}

#define OPTIONAL "API appendix H, Shared Virtual Memory"
#define NEEDS	 (NEED_NO_SVM | NEED_CL30)

const struct test no_svm_tests[] = {
	{ "nosvm.alloc", OPTIONAL,
	  "clSVMAlloc \"Returns NULL if no devices in context support "
	  "Shared Virtual Memory\"",
	  NEEDS, alloc, 0 },
	{ "nosvm.free", OPTIONAL, "clSVMFree \"Is a NOP\"", NEEDS, svm_free, 0 },
	{ "nosvm.argument", OPTIONAL, "clSetKernelArgSVMPointer: CL_INVALID_OPERATION",
	  NEEDS | NEED_COMPILER, argument, 0 },
	{ "nosvm.execinfo", OPTIONAL, "clSetKernelExecInfo: CL_INVALID_OPERATION",
	  NEEDS | NEED_COMPILER, info, 0 },
	{ "nosvm.enqueue", OPTIONAL, "clEnqueueSVM*: CL_INVALID_OPERATION", NEEDS, enqueue, 0 },
	{ "nosvm.uses-svm-pointer", OPTIONAL, "CL_MEM_USES_SVM_POINTER is CL_FALSE", NEEDS, buffer,
	  0 },
	{ 0 },
};
