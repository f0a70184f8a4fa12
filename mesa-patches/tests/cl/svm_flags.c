/* SPDX-License-Identifier: MIT */
/*
 * clSVMAlloc returns memory for what the device has, and NULL for all else.
 */
#include "cltest.h"

#include <stdint.h>

static void refused(const char *why, cl_svm_mem_flags flags, size_t size, cl_uint alignment)
{
	if (clSVMAlloc(context, flags, size, alignment))
		fail("%s: not refused", why);
}

static void granted(cl_svm_mem_flags flags, size_t size, cl_uint alignment)
{
	char *p = clSVMAlloc(context, flags, size, alignment);

	if (!p)
		fail("flags %#llx, size %zu, alignment %u: refused", (unsigned long long)flags,
		     size, alignment);
	if ((uintptr_t)p % (alignment ? alignment : 128))
		fail("flags %#llx, alignment %u: address %p", (unsigned long long)flags, alignment,
		     (void *)p);
	memset(p, 1, size);
	clSVMFree(context, p);
}

int main(void)
{
	cl_ulong svm, max;

	open_device();
	svm = device_bits(CL_DEVICE_SVM_CAPABILITIES);
	if (!(svm & CL_DEVICE_SVM_FINE_GRAIN_BUFFER))
		skip("no fine-grained SVM");
	max = device_bits(CL_DEVICE_MAX_MEM_ALLOC_SIZE);

	for (cl_uint alignment = 0; alignment <= 128; alignment = alignment ? alignment * 2 : 1) {
		granted(0, 100, alignment);
		granted(CL_MEM_READ_ONLY, 100, alignment);
		granted(CL_MEM_WRITE_ONLY | CL_MEM_SVM_FINE_GRAIN_BUFFER, 5000, alignment);
		if (svm & CL_DEVICE_SVM_ATOMICS) {
			granted(SVM_ATOMICS, 1, alignment);
			granted(SVM_ATOMICS, 5000, alignment);
		}
	}

	refused("size 0", CL_MEM_READ_WRITE, 0, 0);
	refused("size above the limit", CL_MEM_READ_WRITE, max + 1, 0);
	refused("alignment 3", CL_MEM_READ_WRITE, 64, 3);
	refused("alignment 96", CL_MEM_READ_WRITE, 64, 96);
	refused("atomics on coarse-grained memory", CL_MEM_READ_WRITE | CL_MEM_SVM_ATOMICS, 64, 0);
	refused("an unknown flag", CL_MEM_READ_WRITE | 1ull << 40, 64, 0);
	refused("a flag of buffers", CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, 64, 0);
	refused("two kinds of access", CL_MEM_READ_ONLY | CL_MEM_WRITE_ONLY, 64, 0);
	if (!(svm & CL_DEVICE_SVM_ATOMICS))
		refused("atomics that the device does not have", SVM_ATOMICS, 64, 0);
	return 0;
}
