/* SPDX-License-Identifier: MIT */
/*
 * SPIR-V that the device cannot run is a build error with a log, not the end of the process.
 */
#include "cltest.h"

#include <stdint.h>

/*
 * A kernel that asks for the default device queue: valid for OpenCL 2.0 and later, but device-side
 * enqueue is optional.
 */
static const uint32_t module[] = {
	0x07230203, 0x00010000, 0, 8,	       0, /* header: version 1.0, bound 8 */
	0x00020011, 4,				  /* OpCapability Addresses */
	0x00020011, 6,				  /* OpCapability Kernel */
	0x00020011, 19,				  /* OpCapability DeviceEnqueue */
	0x0003000e, 2,		2,		  /* OpMemoryModel Physical64 OpenCL */
	0x0004000f, 6,		4, 0x0000006b,	  /* OpEntryPoint Kernel %4 "k" */
	0x00020013, 1,				  /* %1 = OpTypeVoid */
	0x00030021, 2,		1,		  /* %2 = OpTypeFunction %1 */
	0x00020025, 3,				  /* %3 = OpTypeQueue */
	0x00050036, 1,		4, 0,	       2, /* %4 = OpFunction %1 None %2 */
	0x000200f8, 5,				  /* %5 = OpLabel */
	0x0003012f, 3,		6,		  /* %6 = OpGetDefaultQueue %3 */
	0x000100fd,				  /* OpReturn */
	0x00010038,				  /* OpFunctionEnd */
};

int main(void)
{
	char il[256] = "", log[4096] = "";
	cl_program program;
	cl_int error, status;

	open_device();
	CHECK(clGetDeviceInfo(device, CL_DEVICE_IL_VERSION, sizeof(il), il, NULL));
	if (!strstr(il, "SPIR-V"))
		skip("no SPIR-V");
	program = clCreateProgramWithIL(context, module, sizeof(module), &error);
	CHECK(error);
	error = clBuildProgram(program, 1, &device, "", NULL, NULL);
	CHECK(clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_STATUS, sizeof(status),
				    &status, NULL));
	CHECK(clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, sizeof(log), log, NULL));
	if (device_bits(CL_DEVICE_DEVICE_ENQUEUE_CAPABILITIES)) {
		CHECK(error);
		return 0;
	}
	if (error != CL_BUILD_PROGRAM_FAILURE || status != CL_BUILD_ERROR)
		fail("error %d, status %d", error, status);
	if (strlen(log) < 10)
		fail("the log is '%s'", log);
	clCreateKernel(program, "k", &error);
	if (error != CL_INVALID_PROGRAM_EXECUTABLE)
		fail("clCreateKernel: error %d", error);
	return 0;
}
