/* SPDX-License-Identifier: MIT */
/*
 * A kernel that waits with relaxed loads for a store of the host waits, and sees it.
 */
#include "cltest.h"

/* The loop is written so that forwarding the first load to the second removes it. */
static const char source[] =
	"kernel void spin(volatile global atomic_int *flag, global int *seen)\n"
	"{\n"
	"	int v = atomic_load_explicit(flag, memory_order_relaxed, SCOPE);\n"
	"	while (v == 0)\n"
	"		v = atomic_load_explicit(flag, memory_order_relaxed, SCOPE);\n"
	"	seen[get_global_id(0)] = v;\n"
	"}\n";

static void spin(const char *options, size_t local)
{
	cl_kernel k = kernel(build(source, options), "spin");
	int *memory =
		clSVMAlloc(context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, 4096, 0);
	cl_event event;

	if (!memory)
		fail("clSVMAlloc returned NULL");
	memset(memory, 0, 4096);
	CHECK(clSetKernelArgSVMPointer(k, 0, memory));
	CHECK(clSetKernelArgSVMPointer(k, 1, memory + 16));
	event = launch(k, local, local);
	usleep(300000);
	if (event_status(event) == CL_COMPLETE)
		fail("%s: the kernel did not wait", options);
	__atomic_store_n(memory, 42, __ATOMIC_SEQ_CST);
	CHECK(clFinish(queue));
	for (size_t i = 0; i < local; i++)
		if (memory[16 + i] != 42)
			fail("%s: work-item %zu saw %d", options, i, memory[16 + i]);
	clSVMFree(context, memory);
}

int main(void)
{
	cl_ulong svm;

	open_device();
	svm = device_bits(CL_DEVICE_SVM_CAPABILITIES);
	if (!(svm & CL_DEVICE_SVM_FINE_GRAIN_BUFFER))
		skip("no fine-grained SVM");
	alarm(30);
	/* No order with the host at this scope, but it is a load all the same. */
	spin("-cl-std=CL3.0 -DSCOPE=memory_scope_work_group", 1);
	spin("-cl-std=CL3.0 -DSCOPE=memory_scope_work_group", 64);
	if (svm & CL_DEVICE_SVM_ATOMICS) {
		spin("-cl-std=CL3.0 -DSCOPE=memory_scope_device", 64);
		spin("-cl-std=CL3.0 -DSCOPE=memory_scope_all_svm_devices", 1);
		spin("-cl-std=CL3.0 -DSCOPE=memory_scope_all_svm_devices", 64);
	}
	return 0;
}
