/* SPDX-License-Identifier: MIT */
/*
 * Atomic additions, subtractions, minima and maxima of floats, in global and local memory.
 */
#include "cltest.h"

#define ITEMS 1024

static const char source[] =
	"#define X(f, p, v) f(p, v, memory_order_relaxed, memory_scope_device)\n"
	"kernel void work(volatile global atomic_float *a, local volatile atomic_float *l)\n"
	"{\n"
	"	const float i = get_global_id(0);\n"
	"	X(atomic_fetch_add_explicit, a + 0, 1.0f);\n"
	"	X(atomic_fetch_sub_explicit, a + 1, 0.5f);\n"
	"	X(atomic_fetch_min_explicit, a + 2, -i);\n"
	"	X(atomic_fetch_max_explicit, a + 3, i);\n"
	"	if (get_local_id(0) == 0)\n"
	"		atomic_store_explicit(l, 0.0f, memory_order_relaxed, "
	"memory_scope_work_group);\n"
	"	barrier(CLK_LOCAL_MEM_FENCE);\n"
	"	atomic_fetch_add_explicit(l, 2.0f, memory_order_relaxed, "
	"memory_scope_work_group);\n"
	"	barrier(CLK_LOCAL_MEM_FENCE);\n"
	"	if (get_local_id(0) == 0)\n"
	"		X(atomic_fetch_add_explicit, a + 4, atomic_load_explicit(l, "
	"memory_order_relaxed, memory_scope_work_group));\n"
	"}\n";

int main(void)
{
	static const float wanted[] = { ITEMS, -ITEMS / 2, -(ITEMS - 1), ITEMS - 1, 2 * ITEMS };
	const size_t locals[] = { 1, 8, 64 };
	cl_kernel k;
	float *a;

	open_device();
	if (!has_extension("cl_ext_float_atomics"))
		skip("no cl_ext_float_atomics");
	k = kernel(build(source, "-cl-std=CL3.0"), "work");
	a = clSVMAlloc(context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, 4096, 0);
	if (!a)
		skip("no fine-grained SVM");
	CHECK(clSetKernelArgSVMPointer(k, 0, a));
	CHECK(clSetKernelArg(k, 1, sizeof(float), NULL));
	for (int i = 0; i < 3; i++) {
		memset(a, 0, 4096);
		launch(k, ITEMS, locals[i]);
		CHECK(clFinish(queue));
		for (int n = 0; n < 5; n++)
			if (a[n] != wanted[n])
				fail("work-groups of %zu: value %d is %g, not %g", locals[i], n,
				     (double)a[n], (double)wanted[n]);
	}
	return 0;
}
