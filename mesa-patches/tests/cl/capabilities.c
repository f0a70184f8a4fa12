/* SPDX-License-Identifier: MIT */
/*
 * Orders, scopes and SVM atomics: queries, feature list and feature macros say the same.
 */
#include "cltest.h"

static int in_feature_list(const char *name)
{
	cl_name_version features[128];
	size_t size;

	CHECK(clGetDeviceInfo(device, CL_DEVICE_OPENCL_C_FEATURES, sizeof(features), features,
			      &size));
	for (size_t i = 0; i < size / sizeof(*features); i++)
		if (!strcmp(features[i].name, name))
			return 1;
	return 0;
}

static int is_macro(const char *name)
{
	char source[256];
	const char *s = source;
	cl_program program;
	cl_int error;

	snprintf(source, sizeof(source),
		 "#ifndef %s\n#error missing\n#endif\nkernel void k(global int *p) { *p = 1; }\n",
		 name);
	program = clCreateProgramWithSource(context, 1, &s, NULL, &error);
	CHECK(error);
	error = clBuildProgram(program, 1, &device, "-cl-std=CL3.0", NULL, NULL);
	clReleaseProgram(program);
	return !error;
}

static void feature(const char *name, cl_ulong capability)
{
	if (in_feature_list(name) != (capability != 0))
		fail("%s is %sa feature", name, capability ? "not " : "");
	if (is_macro(name) != (capability != 0))
		fail("%s is %sdefined", name, capability ? "not " : "");
}

static void extension(const char *name)
{
	if (is_macro(name) != has_extension(name))
		fail("%s: macro and extension differ", name);
}

int main(void)
{
	cl_ulong memory, fence, svm;

	open_device();
	memory = device_bits(CL_DEVICE_ATOMIC_MEMORY_CAPABILITIES);
	fence = device_bits(CL_DEVICE_ATOMIC_FENCE_CAPABILITIES);
	svm = device_bits(CL_DEVICE_SVM_CAPABILITIES);

	if (~memory & (CL_DEVICE_ATOMIC_ORDER_RELAXED | CL_DEVICE_ATOMIC_SCOPE_WORK_GROUP))
		fail("memory capabilities %#llx lack the minimum", (unsigned long long)memory);
	if (~fence & (CL_DEVICE_ATOMIC_ORDER_RELAXED | CL_DEVICE_ATOMIC_ORDER_ACQ_REL |
		      CL_DEVICE_ATOMIC_SCOPE_WORK_GROUP))
		fail("fence capabilities %#llx lack the minimum", (unsigned long long)fence);
	/* Orders and scopes include the weaker and the narrower ones. */
	for (int i = 0; i < 2; i++) {
		cl_ulong caps = i ? fence : memory;

		if (caps & CL_DEVICE_ATOMIC_ORDER_SEQ_CST &&
		    !(caps & CL_DEVICE_ATOMIC_ORDER_ACQ_REL))
			fail("%#llx: seq_cst without acq_rel", (unsigned long long)caps);
		if (caps & CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES &&
		    !(caps & CL_DEVICE_ATOMIC_SCOPE_DEVICE))
			fail("%#llx: all devices without device", (unsigned long long)caps);
	}
	if (svm & CL_DEVICE_SVM_ATOMICS && !(memory & CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES))
		fail("SVM atomics without the scope of all devices");
	if (svm & CL_DEVICE_SVM_ATOMICS && !(svm & CL_DEVICE_SVM_FINE_GRAIN_BUFFER))
		fail("SVM atomics without fine-grained buffers");

	feature("__opencl_c_atomic_order_acq_rel", memory & CL_DEVICE_ATOMIC_ORDER_ACQ_REL);
	feature("__opencl_c_atomic_order_seq_cst", memory & CL_DEVICE_ATOMIC_ORDER_SEQ_CST);
	feature("__opencl_c_atomic_scope_device", memory & CL_DEVICE_ATOMIC_SCOPE_DEVICE);
	feature("__opencl_c_atomic_scope_all_devices", memory & CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES);
	feature("__opencl_c_generic_address_space",
		device_bits(CL_DEVICE_GENERIC_ADDRESS_SPACE_SUPPORT));
	extension("cl_khr_int64_base_atomics");
	extension("cl_khr_int64_extended_atomics");
	extension("cl_ext_float_atomics");
	return 0;
}
