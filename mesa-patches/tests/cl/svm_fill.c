/* SPDX-License-Identifier: MIT */
/*
 * clEnqueueSVMMemFill fills, and refuses patterns of sizes that there are not.
 */
#include "cltest.h"

int main(void)
{
	static const size_t wrong[] = { 0, 3, 24, 256 };
	unsigned char *p, pattern[256] = { 1, 2, 3, 4 };

	open_device();
	if (!device_bits(CL_DEVICE_SVM_CAPABILITIES))
		skip("no SVM");
	p = clSVMAlloc(context, CL_MEM_READ_WRITE, 768, 0);
	if (!p)
		fail("clSVMAlloc returned NULL");
	for (int i = 0; i < 4; i++)
		if (clEnqueueSVMMemFill(queue, p, pattern, wrong[i], 768, 0, NULL, NULL) !=
		    CL_INVALID_VALUE)
			fail("a pattern of %zu bytes: not refused", wrong[i]);
	CHECK(clEnqueueSVMMemFill(queue, p, pattern, 4, 768, 0, NULL, NULL));
	CHECK(clFinish(queue));
	for (int i = 0; i < 768; i++)
		if (p[i] != i % 4 + 1)
			fail("byte %d is %u", i, p[i]);
	clSVMFree(context, p);
	return 0;
}
