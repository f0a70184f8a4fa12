/* SPDX-License-Identifier: MIT */
/*
 * What a device says of its SVM and its atomics has to fit together.
 */
#include "tests.h"

static void mandatory_svm(struct trial *t)
{
	if (t->dev.cl_version >= 30 || t->dev.cl_version < 20)
		not_applicable("the device is %s", t->dev.version);
	CHECK(t->dev.svm & CL_DEVICE_SVM_COARSE_GRAIN_BUFFER,
	      "CL_DEVICE_SVM_CAPABILITIES is 0x%llx", (unsigned long long)t->dev.svm);
}

static void fine_extends_coarse(struct trial *t)
{
	CHECK(t->dev.svm & CL_DEVICE_SVM_COARSE_GRAIN_BUFFER,
	      "CL_DEVICE_SVM_CAPABILITIES is 0x%llx: fine-grained without coarse-grained buffers",
	      (unsigned long long)t->dev.svm);
}

static void check_minimum(cl_device_atomic_capabilities have, cl_device_atomic_capabilities minimum)
{
	CHECK((have & minimum) == minimum, "it is 0x%llx, at least 0x%llx is due",
	      (unsigned long long)have, (unsigned long long)minimum);
}

static void memory_minimum(struct trial *t)
{
	check_minimum(t->dev.atomic_memory,
		      CL_DEVICE_ATOMIC_ORDER_RELAXED | CL_DEVICE_ATOMIC_SCOPE_WORK_GROUP);
}

static void fence_minimum(struct trial *t)
{
	check_minimum(t->dev.atomic_fence, CL_DEVICE_ATOMIC_ORDER_RELAXED |
						   CL_DEVICE_ATOMIC_ORDER_ACQ_REL |
						   CL_DEVICE_ATOMIC_SCOPE_WORK_GROUP);
}

/* A bit has to come with the one below it, the work-item scope apart. */
static void check_hierarchy(cl_device_atomic_capabilities have)
{
	static const cl_device_atomic_capabilities steps[][2] = {
		{ CL_DEVICE_ATOMIC_ORDER_SEQ_CST, CL_DEVICE_ATOMIC_ORDER_ACQ_REL },
		{ CL_DEVICE_ATOMIC_ORDER_ACQ_REL, CL_DEVICE_ATOMIC_ORDER_RELAXED },
		{ CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES, CL_DEVICE_ATOMIC_SCOPE_DEVICE },
		{ CL_DEVICE_ATOMIC_SCOPE_DEVICE, CL_DEVICE_ATOMIC_SCOPE_WORK_GROUP },
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		CHECK(!(have & steps[i][0]) || (have & steps[i][1]),
		      "it is 0x%llx: 0x%llx without 0x%llx", (unsigned long long)have,
		      (unsigned long long)steps[i][0], (unsigned long long)steps[i][1]);
}

static void memory_hierarchy(struct trial *t)
{
	check_hierarchy(t->dev.atomic_memory);
}

static void fence_hierarchy(struct trial *t)
{
	check_hierarchy(t->dev.atomic_fence);
}

/* The bits of simple.cl's `features`. */
static const struct {
	const char *name;
	cl_device_atomic_capabilities memory;
	cl_device_atomic_capabilities fence;
} features[] = {
	/* For fences, these orders are there without a feature. */
	{ "__opencl_c_atomic_order_acq_rel", CL_DEVICE_ATOMIC_ORDER_ACQ_REL, 0 },
	{ "__opencl_c_atomic_order_seq_cst", CL_DEVICE_ATOMIC_ORDER_SEQ_CST,
	  CL_DEVICE_ATOMIC_ORDER_SEQ_CST },
	{ "__opencl_c_atomic_scope_device", CL_DEVICE_ATOMIC_SCOPE_DEVICE,
	  CL_DEVICE_ATOMIC_SCOPE_DEVICE },
	{ "__opencl_c_atomic_scope_all_devices", CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES,
	  CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES },
};

static cl_uint defined_features(struct trial *t)
{
	cl_kernel kernel = simple(t, "features");
	cl_uint bits = 0;
	cl_int code;
	cl_mem out = clCreateBuffer(t->dev.context, CL_MEM_READ_WRITE, sizeof(bits), NULL, &code);

	must(code, "clCreateBuffer");
	must(clSetKernelArg(kernel, 0, sizeof(out), &out), "clSetKernelArg");
	run_kernel(t, kernel, 1, 1);
	must(clEnqueueReadBuffer(t->dev.queue, out, CL_TRUE, 0, sizeof(bits), &bits, 0, NULL, NULL),
	     "clEnqueueReadBuffer");
	return bits;
}

static void features_match(struct trial *t)
{
	const cl_uint defined = defined_features(t);

	for (size_t i = 0; i < sizeof(features) / sizeof(*features); i++) {
		const bool macro = defined >> i & 1;
		const bool listed = cts_has_feature(&t->dev, features[i].name);
		const bool memory =
			(t->dev.atomic_memory & features[i].memory) == features[i].memory;
		const bool fence = (t->dev.atomic_fence & features[i].fence) == features[i].fence;

		CHECK(macro == listed, "%s is %sdefined, but CL_DEVICE_OPENCL_C_FEATURES %s it",
		      features[i].name, macro ? "" : "not ", listed ? "lists" : "lacks");
		CHECK(macro == (memory && fence),
		      "%s is %sdefined, but the memory capabilities are 0x%llx and those of fences "
		      "0x%llx",
		      features[i].name, macro ? "" : "not ",
		      (unsigned long long)t->dev.atomic_memory,
		      (unsigned long long)t->dev.atomic_fence);
	}
}

static void atomics_have_scope(struct trial *t)
{
	CHECK(t->dev.atomic_memory & CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES,
	      "CL_DEVICE_SVM_ATOMICS without CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES");
	if (!t->dev.compiler)
		return;
	CHECK(cts_has_feature(&t->dev, "__opencl_c_atomic_scope_all_devices"),
	      "CL_DEVICE_SVM_ATOMICS is claimed, but the compiler has no "
	      "__opencl_c_atomic_scope_all_devices: a kernel cannot name the scope that includes "
	      "the host");
}

const struct test query_tests[] = {
	{ "query.mandatory-svm", "API 4.2, CL_DEVICE_SVM_CAPABILITIES",
	  "\"The mandated minimum capability for an OpenCL 2.0, 2.1, or 2.2 device is "
	  "CL_DEVICE_SVM_COARSE_GRAIN_BUFFER\"",
	  0, mandatory_svm, 0 },
	{ "query.fine-extends-coarse", "API 5.6.1",
	  "fine-grain buffer sharing \"is an extension of coarse-grain sharing\"", NEED_FINE,
	  fine_extends_coarse, 0 },
	{ "query.atomic-memory-minimum", "API 4.2, CL_DEVICE_ATOMIC_MEMORY_CAPABILITIES",
	  "at least relaxed order and work-group scope", NEED_CL30, memory_minimum, 0 },
	{ "query.atomic-memory-hierarchy", "API 4.2, CL_DEVICE_ATOMIC_MEMORY_CAPABILITIES",
	  "who supports a strong order or a wide scope supports the weaker and narrower ones",
	  NEED_CL30, memory_hierarchy, 0 },
	{ "query.atomic-fence-minimum", "API 4.2, CL_DEVICE_ATOMIC_FENCE_CAPABILITIES",
	  "at least relaxed and acquire-release orders and work-group scope", NEED_CL30,
	  fence_minimum, 0 },
	{ "query.atomic-fence-hierarchy", "API 4.2, CL_DEVICE_ATOMIC_FENCE_CAPABILITIES",
	  "as for memory: orders and scopes are hierarchical", NEED_CL30, fence_hierarchy, 0 },
	{ "query.atomic-features", "API appendix H, Memory Consistency Model",
	  "the compiler defines and lists a feature macro for each order and scope beyond the "
	  "minimum that both capabilities have",
	  NEED_CL30 | NEED_COMPILER, features_match, 0 },
	{ "query.svm-atomics-scope", "API 4.2, CL_DEVICE_SVM_ATOMICS",
	  "\"atomic operations that provide memory consistency across the host and all OpenCL "
	  "devices\": the scope for it is there",
	  NEED_ATOMICS | NEED_CL30, atomics_have_scope, 0 },
	{ 0 },
};
