/* SPDX-License-Identifier: MIT */
/*
 * -cl-std takes the versions of OpenCL C that the device lists, and no other.
 */
#include "cltest.h"

static int listed(unsigned major, unsigned minor)
{
	cl_name_version versions[32];
	size_t size;

	CHECK(clGetDeviceInfo(device, CL_DEVICE_OPENCL_C_ALL_VERSIONS, sizeof(versions), versions,
			      &size));
	for (size_t i = 0; i < size / sizeof(*versions); i++)
		if (CL_VERSION_MAJOR(versions[i].version) == major &&
		    CL_VERSION_MINOR(versions[i].version) == minor)
			return 1;
	return 0;
}

static void std(unsigned major, unsigned minor)
{
	const char *source = "kernel void k(global int *p) { *p = 1; }";
	char option[32], log[4096] = "";
	cl_program program = clCreateProgramWithSource(context, 1, &source, NULL, NULL);
	cl_int error;

	snprintf(option, sizeof(option), "-cl-std=CL%u.%u", major, minor);
	error = clBuildProgram(program, 1, &device, option, NULL, NULL);
	clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, sizeof(log), log, NULL);
	if ((error == CL_SUCCESS) != listed(major, minor))
		fail("%s: error %d, though %slisted", option, error,
		     listed(major, minor) ? "" : "not ");
	if (error && !log[0])
		fail("%s: no log", option);
	clReleaseProgram(program);
}

int main(void)
{
	open_device();
	std(1, 1);
	std(1, 2);
	std(2, 0);
	std(3, 0);
	return 0;
}
