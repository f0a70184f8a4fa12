/* SPDX-License-Identifier: MIT */
/*
 * clSetKernelExecInfo takes a list of SVM pointers, an empty one too, and nothing malformed.
 */
#include "cltest.h"

int main(void)
{
	cl_bool yes = CL_TRUE;
	void *p;
	cl_kernel k;

	open_device();
	if (!device_bits(CL_DEVICE_SVM_CAPABILITIES))
		skip("no SVM");
	k = kernel(build("kernel void k(global int *p) { *p = 1; }", "-cl-std=CL3.0"), "k");
	p = clSVMAlloc(context, CL_MEM_READ_WRITE, 64, 0);
	if (!p)
		fail("clSVMAlloc returned NULL");

	CHECK(clSetKernelExecInfo(k, CL_KERNEL_EXEC_INFO_SVM_PTRS, sizeof(p), &p));
	CHECK(clSetKernelExecInfo(k, CL_KERNEL_EXEC_INFO_SVM_PTRS, 0, NULL));
	if (clSetKernelExecInfo(k, CL_KERNEL_EXEC_INFO_SVM_PTRS, sizeof(p), NULL) !=
	    CL_INVALID_VALUE)
		fail("no list of one pointer: not refused");
	if (clSetKernelExecInfo(k, CL_KERNEL_EXEC_INFO_SVM_PTRS, 3, &p) != CL_INVALID_VALUE)
		fail("a list of 3 bytes: not refused");
	if (clSetKernelExecInfo(k, CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM, 0, &yes) !=
	    CL_INVALID_VALUE)
		fail("a bool of 0 bytes: not refused");
	clSVMFree(context, p);
	return 0;
}
