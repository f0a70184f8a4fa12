/* SPDX-License-Identifier: MIT */
/*
 * OpenCL: which devices there are, what they can do, and why not.
 */
#include "opencl.h"

#include <CL/cl_ext.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cl_ext_float_atomics, in case the headers are older than the extension. */
#define FLOAT_CAPABILITIES_SINGLE   0x4231
#define FLOAT_CAPABILITIES_DOUBLE   0x4232
#define FLOAT_CAPABILITY_GLOBAL_ADD (1u << 1)

static void have(struct device *dev, enum capability cap)
{
	dev->caps[cap].have = true;
	dev->caps[cap].note[0] = '\0';
}

__attribute__((format(printf, 3, 4))) static void lacks(struct device *dev, enum capability cap,
							const char *format, ...)
{
	va_list args;

	dev->caps[cap].have = false;
	va_start(args, format);
	vsnprintf(dev->caps[cap].note, sizeof(dev->caps[cap].note), format, args);
	va_end(args);
}

/* A bit of a capability mask, with the mask itself as the reason where it is missing. */
static void cap_from_bit(struct device *dev, enum capability cap, uint64_t mask, uint64_t bit,
			 const char *bit_name, const char *query)
{
	if (mask & bit)
		have(dev, cap);
	else
		lacks(dev, cap, "the driver does not report %s (%s is 0x%llx)", bit_name, query,
		      (unsigned long long)mask);
}

static void describe_svm(struct device *dev, cl_device_id id)
{
	static const char *const query = "CL_DEVICE_SVM_CAPABILITIES";
	cl_device_svm_capabilities svm = 0;
	cl_int code = clGetDeviceInfo(id, CL_DEVICE_SVM_CAPABILITIES, sizeof(svm), &svm, NULL);

	if (code != CL_SUCCESS) {
		for (int cap = CAP_SVM_COARSE; cap <= CAP_SVM_ATOMICS; cap++)
			lacks(dev, cap, "%s: %s (shared virtual memory came with OpenCL 2.0)",
			      query, opencl_error_name(code));
		return;
	}
	cap_from_bit(dev, CAP_SVM_COARSE, svm, CL_DEVICE_SVM_COARSE_GRAIN_BUFFER,
		     "CL_DEVICE_SVM_COARSE_GRAIN_BUFFER", query);
	cap_from_bit(dev, CAP_SVM_FINE_BUFFER, svm, CL_DEVICE_SVM_FINE_GRAIN_BUFFER,
		     "CL_DEVICE_SVM_FINE_GRAIN_BUFFER", query);
	cap_from_bit(dev, CAP_SVM_FINE_SYSTEM, svm, CL_DEVICE_SVM_FINE_GRAIN_SYSTEM,
		     "CL_DEVICE_SVM_FINE_GRAIN_SYSTEM", query);
	cap_from_bit(dev, CAP_SVM_ATOMICS, svm, CL_DEVICE_SVM_ATOMICS, "CL_DEVICE_SVM_ATOMICS",
		     query);
}

static void describe_memory_model(struct device *dev, cl_device_id id)
{
	static const char *const query = "CL_DEVICE_ATOMIC_MEMORY_CAPABILITIES";
	cl_device_atomic_capabilities mask = 0;
	cl_int code = clGetDeviceInfo(id, CL_DEVICE_ATOMIC_MEMORY_CAPABILITIES, sizeof(mask), &mask,
				      NULL);

	if (code != CL_SUCCESS) {
		static const enum capability caps[] = { CAP_SCOPE_DEVICE, CAP_SCOPE_ALL_DEVICES,
							CAP_ORDER_ACQ_REL, CAP_ORDER_SEQ_CST };

		for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
			lacks(dev, caps[i], "%s: %s (the query came with OpenCL 3.0)", query,
			      opencl_error_name(code));
		return;
	}
	cap_from_bit(dev, CAP_SCOPE_DEVICE, mask, CL_DEVICE_ATOMIC_SCOPE_DEVICE,
		     "CL_DEVICE_ATOMIC_SCOPE_DEVICE", query);
	cap_from_bit(dev, CAP_SCOPE_ALL_DEVICES, mask, CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES,
		     "CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES", query);
	cap_from_bit(dev, CAP_ORDER_ACQ_REL, mask, CL_DEVICE_ATOMIC_ORDER_ACQ_REL,
		     "CL_DEVICE_ATOMIC_ORDER_ACQ_REL", query);
	cap_from_bit(dev, CAP_ORDER_SEQ_CST, mask, CL_DEVICE_ATOMIC_ORDER_SEQ_CST,
		     "CL_DEVICE_ATOMIC_ORDER_SEQ_CST", query);
}

static void describe_float_add(struct device *dev, cl_device_id id, enum capability cap,
			       cl_device_info query)
{
	cl_bitfield mask = 0;

	if (!opencl_has_extension(id, "cl_ext_float_atomics")) {
		lacks(dev, cap, "the driver lacks the extension cl_ext_float_atomics");
		return;
	}
	clGetDeviceInfo(id, query, sizeof(mask), &mask, NULL);
	cap_from_bit(dev, cap, mask, FLOAT_CAPABILITY_GLOBAL_ADD,
		     "CL_DEVICE_GLOBAL_FP_ATOMIC_ADD_EXT", "its capability mask");
}

static void describe_extensions(struct device *dev, cl_device_id id)
{
	cl_device_fp_config doubles = 0;

	if (opencl_has_extension(id, "cl_khr_int64_base_atomics") &&
	    opencl_has_extension(id, "cl_khr_int64_extended_atomics"))
		have(dev, CAP_ATOMIC_INT64);
	else
		lacks(dev, CAP_ATOMIC_INT64,
		      "the driver lacks cl_khr_int64_base_atomics or "
		      "cl_khr_int64_extended_atomics");

	clGetDeviceInfo(id, CL_DEVICE_DOUBLE_FP_CONFIG, sizeof(doubles), &doubles, NULL);
	if (doubles)
		have(dev, CAP_DOUBLE);
	else
		lacks(dev, CAP_DOUBLE, "CL_DEVICE_DOUBLE_FP_CONFIG is 0");

	describe_float_add(dev, id, CAP_FLOAT_ADD, FLOAT_CAPABILITIES_SINGLE);
	describe_float_add(dev, id, CAP_DOUBLE_ADD, FLOAT_CAPABILITIES_DOUBLE);
}

static void describe_partition(struct device *dev, cl_device_id id)
{
	cl_device_partition_property kinds[16] = { 0 };

	clGetDeviceInfo(id, CL_DEVICE_PARTITION_PROPERTIES, sizeof(kinds), kinds, NULL);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i] == CL_DEVICE_PARTITION_BY_COUNTS) {
			have(dev, CAP_PARTITION);
			return;
		}
	lacks(dev, CAP_PARTITION, "CL_DEVICE_PARTITION_BY_COUNTS is not supported");
}

static enum device_kind kind_of(cl_device_id id)
{
	cl_device_type type = 0;

	clGetDeviceInfo(id, CL_DEVICE_TYPE, sizeof(type), &type, NULL);
	if (type & CL_DEVICE_TYPE_CPU)
		return DEVICE_CPU;
	if (type & CL_DEVICE_TYPE_GPU)
		return DEVICE_REAL_GPU;
	return DEVICE_OTHER;
}

void opencl_describe(struct device *dev)
{
	struct opencl_device *cl = opencl_of(dev);
	cl_device_id id = cl->root;
	cl_uint units = 0;
	cl_ulong alloc = 0;
	cl_bool compiler = CL_FALSE;

	opencl_device_text(id, CL_DEVICE_NAME, dev->name, sizeof(dev->name));
	opencl_device_text(id, CL_DRIVER_VERSION, dev->driver, sizeof(dev->driver));
	opencl_device_text(id, CL_DEVICE_VERSION, dev->version, sizeof(dev->version));
	opencl_platform_text(cl->platform, CL_PLATFORM_NAME, dev->platform, sizeof(dev->platform));
	opencl_platform_text(cl->platform, CL_PLATFORM_VERSION, dev->platform_version,
			     sizeof(dev->platform_version));
	dev->kind = kind_of(id);
	/* Mesa presents its software rasteriser, llvmpipe, as what it runs on: the CPU. */
	if (strstr(dev->name, "llvmpipe"))
		dev->kind = DEVICE_CPU;

	clGetDeviceInfo(id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof(units), &units, NULL);
	clGetDeviceInfo(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof(dev->max_group), &dev->max_group,
			NULL);
	clGetDeviceInfo(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof(alloc), &alloc, NULL);
	clGetDeviceInfo(id, CL_DEVICE_COMPILER_AVAILABLE, sizeof(compiler), &compiler, NULL);
	dev->units = units ? units : 1;
	dev->max_alloc = alloc;
	if (compiler)
		have(dev, CAP_COMPILER);
	else
		lacks(dev, CAP_COMPILER, "CL_DEVICE_COMPILER_AVAILABLE is false");

	describe_svm(dev, id);
	describe_memory_model(dev, id);
	describe_extensions(dev, id);
	describe_partition(dev, id);
	lacks(dev, CAP_GATE, "not probed");
}
