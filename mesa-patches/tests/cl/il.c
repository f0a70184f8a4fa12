/* SPDX-License-Identifier: MIT */
/*
 * A program in SPIR-V may do atomics at the scope CrossDevice: the host and a kernel count with
 * the same word, and nothing is lost.
 */
#include "cltest.h"

#include <stdint.h>

enum { ITEMS = 1 << 20 };

/* kernel void count(global uint *p) { atomic add of 1 to *p, seq_cst, CrossDevice; } */
/* clang-format off */
static const uint32_t module[] = {
	0x07230203, 0x00010000, 0, 12, 0,	  /* header: version 1.0, bound 12 */
	0x00020011, 4,				  /* OpCapability Addresses */
	0x00020011, 6,				  /* OpCapability Kernel */
	0x0003000e, 2, 2,			  /* OpMemoryModel Physical64 OpenCL */
	0x0005000f, 6, 1, 0x6e756f63, 0x00000074, /* OpEntryPoint Kernel %1 "count" */
	0x00020013, 2,				  /* %2 = OpTypeVoid */
	0x00040015, 3, 32, 0,			  /* %3 = OpTypeInt 32 0 */
	0x00040020, 4, 5, 3,			  /* %4 = OpTypePointer CrossWorkgroup %3 */
	0x00040021, 5, 2, 4,			  /* %5 = OpTypeFunction %2 %4 */
	0x0004002b, 3, 6, 0,			  /* %6 = OpConstant %3 CrossDevice */
	0x0004002b, 3, 7, 1,			  /* %7 = OpConstant %3 1 */
	/* SequentiallyConsistent | CrossWorkgroupMemory */
	0x0004002b, 3, 8, 0x210,		  /* %8 = OpConstant %3 0x210 */
	0x00050036, 2, 1, 0, 5,			  /* %1 = OpFunction %2 None %5 */
	0x00030037, 4, 9,			  /* %9 = OpFunctionParameter %4 */
	0x000200f8, 10,				  /* %10 = OpLabel */
	0x000700ea, 3, 11, 9, 6, 8, 7,		  /* %11 = OpAtomicIAdd %3 %9 %6 %8 %7 */
	0x000100fd,				  /* OpReturn */
	0x00010038,				  /* OpFunctionEnd */
};
/* clang-format on */

int main(void)
{
	unsigned host = 0, *word;
	cl_program program;
	cl_event event;
	cl_kernel k;
	cl_int error;

	open_device();
	word = clSVMAlloc(context, SVM_ATOMICS, sizeof(*word), 0);
	if (!word)
		skip("no SVM atomics");
	*word = 0;
	program = clCreateProgramWithIL(context, module, sizeof(module), &error);
	CHECK(error);
	CHECK(clBuildProgram(program, 1, &device, "", NULL, NULL));
	k = kernel(program, "count");
	CHECK(clSetKernelArgSVMPointer(k, 0, word));
	event = launch(k, ITEMS, 64);
	do {
		__atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
		host++;
	} while (event_status(event) != CL_COMPLETE);
	CHECK(clFinish(queue));
	if (*word != ITEMS + host)
		fail("%u of %u and %u", *word, ITEMS, host);
	return 0;
}
