/* SPDX-License-Identifier: MIT */
/*
 * clEnqueueSVMMigrateMem moves memory there and back with its contents, and checks what it is
 * given.
 */
#include "cltest.h"

static cl_int migrate(void *p, size_t size, cl_mem_migration_flags flags)
{
	const void *pointers[] = { p };
	cl_event event;
	cl_int error = clEnqueueSVMMigrateMem(queue, 1, pointers, &size, flags, 0, NULL, &event);

	if (error)
		return error;
	CHECK(clFinish(queue));
	if (event_status(event) != CL_COMPLETE)
		fail("the event ended with %d", event_status(event));
	return CL_SUCCESS;
}

static void refused(const char *why, cl_int error)
{
	if (error != CL_INVALID_VALUE)
		fail("%s: error %d", why, error);
}

static void there_and_back(cl_svm_mem_flags flags)
{
	unsigned char *p = clSVMAlloc(context, flags, 10000, 0);

	if (!p)
		fail("clSVMAlloc returned NULL");
	for (int i = 0; i < 10000; i++)
		p[i] = (unsigned char)i;
	CHECK(migrate(p, 0, 0));
	CHECK(migrate(p + 100, 5000, 0));
	CHECK(migrate(p + 100, 9900, CL_MIGRATE_MEM_OBJECT_HOST));
	for (int i = 0; i < 10000; i++)
		if (p[i] != (unsigned char)i)
			fail("byte %d is %u", i, p[i]);

	refused("one byte too many", migrate(p + 100, 9901, 0));
	refused("a size that wraps around", migrate(p + 100, (size_t)-50, 0));
	refused("an unknown flag", migrate(p, 0, 1 << 10));
	refused("memory that is not SVM", migrate(&flags, 4, 0));
	clSVMFree(context, p);
}

int main(void)
{
	cl_ulong svm;

	open_device();
	svm = device_bits(CL_DEVICE_SVM_CAPABILITIES);
	if (!svm)
		skip("no SVM");
	there_and_back(CL_MEM_READ_WRITE);
	if (svm & CL_DEVICE_SVM_ATOMICS)
		there_and_back(SVM_ATOMICS);
	return 0;
}
