/* SPDX-License-Identifier: MIT */
/*
 * clSetKernelArgSVMPointer(), clSetKernelExecInfo() and what clCloneKernel() keeps of both.
 */
#include "tests.h"

#include <string.h>

#define WORDS 64
#define BYTES (WORDS * sizeof(cl_uint))

/* Whether @memory has what simple.cl's `fill` writes with @value. */
static void check_filled(struct trial *t, void *memory, cl_uint value, const char *when)
{
	cl_uint words[WORDS];

	get(t, words, memory, BYTES);
	for (cl_uint i = 0; i < WORDS; i++)
		CHECK(words[i] == i + value, "%s: word %u is %u, %u is due", when, i, words[i],
		      i + value);
}

static void *filled(struct trial *t, cl_uint value)
{
	cl_uint words[WORDS];
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);

	for (cl_uint i = 0; i < WORDS; i++)
		words[i] = i + value;
	put(t, memory, words, BYTES);
	return memory;
}

static cl_kernel fill_kernel(struct trial *t, const void *memory, cl_uint value)
{
	cl_kernel kernel = simple(t, "fill");

	set_svm(kernel, 0, memory);
	set_uint(kernel, 1, value);
	return kernel;
}

/* --- clSetKernelArgSVMPointer() --------------------------------------------------- */

static void argument_pointer(struct trial *t)
{
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);

	run_kernel(t, fill_kernel(t, memory, 7), WORDS, 1);
	check_filled(t, memory, 7, "the pointer of clSVMAlloc");
}

static void argument_offset(struct trial *t)
{
	unsigned char *memory = svm_alloc(t, CL_MEM_READ_WRITE, 4 * BYTES);

	put_bytes(t, memory, 0xee, 4 * BYTES);
	run_kernel(t, fill_kernel(t, memory + BYTES + sizeof(cl_uint), 9), WORDS, 1);
	check_filled(t, memory + BYTES + sizeof(cl_uint), 9, "a pointer into the allocation");
	CHECK(differs_from(t, memory, 0xee, 4 * BYTES) == BYTES + sizeof(cl_uint),
	      "what is before the pointer was written");
}

static void argument_constant(struct trial *t)
{
	void *in = filled(t, 21);
	void *out = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);
	cl_kernel kernel = simple(t, "copy_constant");

	set_svm(kernel, 0, out);
	set_svm(kernel, 1, in);
	run_kernel(t, kernel, WORDS, 1);
	check_filled(t, out, 21, "a __constant pointer");
}

/* Two launches wait for one event; the argument is changed between them, and after them. */
static void argument_kept(struct trial *t)
{
	void *memory[3];
	cl_kernel kernel = simple(t, "fill");
	cl_event gate = user_event(t->dev.context);
	const size_t global = WORDS;

	for (int i = 0; i < 3; i++) {
		memory[i] = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);
		put_bytes(t, memory[i], 0, BYTES);
	}
	set_uint(kernel, 1, 5);
	for (int i = 0; i < 2; i++) {
		set_svm(kernel, 0, memory[i]);
		must(clEnqueueNDRangeKernel(t->dev.queue, kernel, 1, NULL, &global, NULL, 1, &gate,
					    NULL),
		     "clEnqueueNDRangeKernel");
	}
	set_svm(kernel, 0, memory[2]);
	set_event(gate, CL_COMPLETE);
	check_filled(t, memory[0], 5, "the first launch, argument changed after it");
	check_filled(t, memory[1], 5, "the second launch, argument changed after it");
	CHECK(differs_from(t, memory[2], 0, BYTES) == BYTES,
	      "an argument set after the launches was used by one of them");
}

static void argument_again(struct trial *t)
{
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);
	cl_kernel kernel = fill_kernel(t, memory, 1);

	for (int i = 0; i < 3; i++) {
		put_bytes(t, memory, 0, BYTES);
		run_kernel(t, kernel, WORDS, 1);
		check_filled(t, memory, 1, "a launch without setting the argument again");
	}
}

static void argument_kernel_invalid(struct trial *t)
{
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);

	expect_code(clSetKernelArgSVMPointer(NULL, 0, memory), CL_INVALID_KERNEL,
		    "clSetKernelArgSVMPointer without a kernel");
}

static void argument_index_invalid(struct trial *t)
{
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);
	cl_kernel kernel = simple(t, "fill");

	expect_code(clSetKernelArgSVMPointer(kernel, 2, memory), CL_INVALID_ARG_INDEX,
		    "clSetKernelArgSVMPointer of argument 2 of two");
	expect_code(clSetKernelArgSVMPointer(kernel, ~0u, memory), CL_INVALID_ARG_INDEX,
		    "clSetKernelArgSVMPointer of argument 4294967295");
}

/* --- clSetKernelExecInfo() ---------------------------------------------------------- */

static void info_kernel_invalid(struct trial *t)
{
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);

	expect_code(
		clSetKernelExecInfo(NULL, CL_KERNEL_EXEC_INFO_SVM_PTRS, sizeof(memory), &memory),
		CL_INVALID_KERNEL, "clSetKernelExecInfo without a kernel");
}

static void info_name_invalid(struct trial *t)
{
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);

	expect_code(clSetKernelExecInfo(simple(t, "fill"), CL_DEVICE_NAME, sizeof(memory), &memory),
		    CL_INVALID_VALUE, "clSetKernelExecInfo with a name that is none of its");
}

static void info_value_null(struct trial *t)
{
	cl_kernel kernel = simple(t, "fill");

	expect_code(clSetKernelExecInfo(kernel, CL_KERNEL_EXEC_INFO_SVM_PTRS, sizeof(void *), NULL),
		    CL_INVALID_VALUE, "CL_KERNEL_EXEC_INFO_SVM_PTRS without the pointers");
	expect_code(clSetKernelExecInfo(kernel, CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM,
					sizeof(cl_bool), NULL),
		    CL_INVALID_VALUE,
		    "CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM without the value");
}

static void info_size_invalid(struct trial *t)
{
	void *pointers[2] = { svm_alloc(t, CL_MEM_READ_WRITE, BYTES), NULL };

	expect_code(clSetKernelExecInfo(simple(t, "fill"), CL_KERNEL_EXEC_INFO_SVM_PTRS,
					sizeof(void *) - 1, pointers),
		    CL_INVALID_VALUE, "CL_KERNEL_EXEC_INFO_SVM_PTRS of less than a pointer");
	pointers[1] = pointers[0];
	expect_code(clSetKernelExecInfo(simple(t, "fill"), CL_KERNEL_EXEC_INFO_SVM_PTRS,
					sizeof(void *) + 1, pointers),
		    CL_INVALID_VALUE, "CL_KERNEL_EXEC_INFO_SVM_PTRS of a pointer and a byte");
}

static void info_bool_size(struct trial *t)
{
	const cl_bool values[2] = { CL_FALSE, CL_FALSE };

	expect_code(clSetKernelExecInfo(simple(t, "fill"),
					CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM, 1, values),
		    CL_INVALID_VALUE, "CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM of one byte");
	expect_code(clSetKernelExecInfo(simple(t, "fill"),
					CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM, sizeof(values),
					values),
		    CL_INVALID_VALUE, "CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM of two values");
}

static void info_empty(struct trial *t)
{
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);
	cl_kernel kernel = fill_kernel(t, memory, 4);

	set_pointers(kernel, &memory, 1);
	expect_code(clSetKernelExecInfo(kernel, CL_KERNEL_EXEC_INFO_SVM_PTRS, 0, NULL), CL_SUCCESS,
		    "an empty set of pointers");
	run_kernel(t, kernel, WORDS, 1);
	check_filled(t, memory, 4, "the argument, with an empty set of other pointers");
}

static void info_system(struct trial *t)
{
	const cl_bool yes = CL_TRUE;
	const bool have = t->dev.svm & CL_DEVICE_SVM_FINE_GRAIN_SYSTEM;

	expect_code(clSetKernelExecInfo(simple(t, "fill"),
					CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM, sizeof(yes),
					&yes),
		    have ? CL_SUCCESS : CL_INVALID_OPERATION,
		    "CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM of CL_TRUE");
}

static void info_no_system(struct trial *t)
{
	const cl_bool no = CL_FALSE;

	expect_code(clSetKernelExecInfo(simple(t, "fill"),
					CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM, sizeof(no), &no),
		    CL_SUCCESS, "CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM of CL_FALSE");
}

/* A kernel that gets at @target through an address in memory; @named is in the set. */
static void reach(struct trial *t, cl_kernel kernel, void *box, void *target, void *named,
		  cl_uint value)
{
	const cl_ulong address = (uintptr_t)target;

	put(t, box, &address, sizeof(address));
	set_svm(kernel, 0, box);
	set_uint(kernel, 1, WORDS);
	set_uint(kernel, 2, value);
	set_pointers(kernel, &named, 1);
	run_kernel(t, kernel, 1, 1);
}

static void info_reaches(struct trial *t)
{
	void *box = svm_alloc(t, CL_MEM_READ_WRITE, sizeof(cl_ulong));
	void *target = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);

	reach(t, simple(t, "fill_through"), box, target, target, 30);
	check_filled(t, target, 30, "an allocation in the set, reached through memory");
}

static void info_middle(struct trial *t)
{
	void *box = svm_alloc(t, CL_MEM_READ_WRITE, sizeof(cl_ulong));
	unsigned char *target = svm_alloc(t, CL_MEM_READ_WRITE, 2 * BYTES);

	/* The address is before the pointer that names the allocation. */
	reach(t, simple(t, "fill_through"), box, target, target + BYTES + 12, 31);
	check_filled(t, target, 31, "an allocation named by a pointer to its middle");
}

static void info_replaced(struct trial *t)
{
	void *box = svm_alloc(t, CL_MEM_READ_WRITE, sizeof(cl_ulong));
	void *first = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);
	void *second = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);
	cl_kernel kernel = simple(t, "fill_through");

	reach(t, kernel, box, first, first, 32);
	check_filled(t, first, 32, "the first set");
	/* What is not in the set any more may go away. */
	set_pointers(kernel, &second, 1);
	clSVMFree(t->dev.context, first);
	reach(t, kernel, box, second, second, 33);
	check_filled(t, second, 33, "the set that replaced it");
}

static void info_many(struct trial *t)
{
	enum { COUNT = 100 };
	void *box = svm_alloc(t, CL_MEM_READ_WRITE, sizeof(cl_ulong));
	void *targets[COUNT];
	cl_kernel kernel = simple(t, "fill_through");

	for (int i = 0; i < COUNT; i++)
		targets[i] = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);
	for (int i = 0; i < COUNT; i += 33) {
		const cl_ulong address = (uintptr_t)targets[i];

		put(t, box, &address, sizeof(address));
		set_svm(kernel, 0, box);
		set_uint(kernel, 1, WORDS);
		set_uint(kernel, 2, (cl_uint)i);
		set_pointers(kernel, targets, COUNT);
		run_kernel(t, kernel, 1, 1);
		check_filled(t, targets[i], (cl_uint)i, "one of a hundred allocations in the set");
	}
}

/* --- clCloneKernel() ----------------------------------------------------------------- */

static cl_kernel clone(struct trial *t, cl_kernel kernel)
{
	cl_int code;
	cl_kernel copy;

	if (t->dev.cl_version < 21)
		not_applicable("clCloneKernel came with OpenCL 2.1; the device is %s",
			       t->dev.version);
	copy = clCloneKernel(kernel, &code);
	must(code, "clCloneKernel");
	return copy;
}

static void clone_argument(struct trial *t)
{
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);
	void *other = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);
	cl_kernel kernel = fill_kernel(t, memory, 40);
	cl_kernel copy = clone(t, kernel);

	put_bytes(t, other, 0, BYTES);
	set_svm(kernel, 0, other);
	run_kernel(t, copy, WORDS, 1);
	check_filled(t, memory, 40, "the clone's argument");
	CHECK(differs_from(t, other, 0, BYTES) == BYTES, "the clone took the original's argument");
}

static void clone_info(struct trial *t)
{
	void *box = svm_alloc(t, CL_MEM_READ_WRITE, sizeof(cl_ulong));
	void *target = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);
	cl_kernel kernel = simple(t, "fill_through");
	const cl_ulong address = (uintptr_t)target;
	cl_kernel copy;

	put(t, box, &address, sizeof(address));
	set_svm(kernel, 0, box);
	set_uint(kernel, 1, WORDS);
	set_uint(kernel, 2, 41);
	set_pointers(kernel, &target, 1);
	copy = clone(t, kernel);
	clReleaseKernel(kernel);
	run_kernel(t, copy, 1, 1);
	check_filled(t, target, 41, "the clone's set of pointers");
}

#define ARGUMENT "API 5.9.2, clSetKernelArgSVMPointer"
#define INFO	 "API 5.9.2, clSetKernelExecInfo"
#define CLONE	 "API 5.9.3, clCloneKernel"
#define NEEDS	 (NEED_BUFFER | NEED_COMPILER)

const struct test argument_tests[] = {
	{ "argument.pointer", ARGUMENT, "takes \"the pointer returned by clSVMAlloc\"", NEEDS,
	  argument_pointer, 0 },
	{ "argument.offset", ARGUMENT, "takes \"a pointer offset into the SVM region\"", NEEDS,
	  argument_offset, 0 },
	{ "argument.constant", ARGUMENT, "for pointers \"to global or constant memory\"", NEEDS,
	  argument_constant, 0 },
	{ "argument.at-enqueue", ARGUMENT,
	  "\"used by all API calls that enqueue kernel until the argument value is changed\": each "
	  "launch has its own",
	  NEEDS, argument_kept, 0 },
	{ "argument.kept", ARGUMENT, "the value stays from one launch to the next", NEEDS,
	  argument_again, 0 },
	{ "argument.kernel-invalid", ARGUMENT, "CL_INVALID_KERNEL", NEED_BUFFER,
	  argument_kernel_invalid, 0 },
	{ "argument.index-invalid", ARGUMENT, "CL_INVALID_ARG_INDEX", NEEDS, argument_index_invalid,
	  0 },
	{ "execinfo.kernel-invalid", INFO, "CL_INVALID_KERNEL", NEED_BUFFER, info_kernel_invalid,
	  0 },
	{ "execinfo.name-invalid", INFO, "CL_INVALID_VALUE \"if param_name is not valid\"", NEEDS,
	  info_name_invalid, 0 },
	{ "execinfo.value-null", INFO,
	  "CL_INVALID_VALUE \"if param_value is NULL and param_value_size is greater than zero\"",
	  NEEDS, info_value_null, 0 },
	{ "execinfo.size-invalid", INFO,
	  "CL_INVALID_VALUE \"if the size specified by param_value_size is not valid\": pointers",
	  NEEDS, info_size_invalid, 0 },
	{ "execinfo.system-size-invalid", INFO,
	  "CL_INVALID_VALUE \"if the size specified by param_value_size is not valid\": a cl_bool",
	  NEEDS, info_bool_size, 0 },
	{ "execinfo.empty", INFO,
	  "no pointers: \"param_value_size equal to zero and param_value "
	  "equal to NULL\"",
	  NEEDS, info_empty, 0 },
	{ "execinfo.system-true", INFO,
	  "CL_TRUE for system allocations: CL_INVALID_OPERATION where \"no devices ... support "
	  "fine-grain system SVM allocations\"",
	  NEEDS, info_system, 0 },
	{ "execinfo.system-false", INFO, "CL_FALSE for system allocations is no error", NEEDS,
	  info_no_system, 0 },
	{ "execinfo.reaches", INFO,
	  "allocations \"that may be accessed by the kernel in addition to those set directly\"",
	  NEEDS, info_reaches, 0 },
	{ "execinfo.middle", INFO,
	  "a set may name \"a pointer to the middle of an SVM allocation\"", NEEDS, info_middle,
	  0 },
	{ "execinfo.replaced", INFO, "each call \"replaces any previously specified set\"", NEEDS,
	  info_replaced, 0 },
	{ "execinfo.many", INFO, "a set of a hundred", NEEDS, info_many, 0 },
	{ "clone.argument", CLONE,
	  "the clone has \"the latest call to clSetKernelArgSVMPointer\" of the original, and its "
	  "own from then on",
	  NEEDS, clone_argument, 0 },
	{ "clone.execinfo", CLONE, "the clone has \"the last call to clSetKernelExecInfo\"", NEEDS,
	  clone_info, 0 },
	{ 0 },
};
