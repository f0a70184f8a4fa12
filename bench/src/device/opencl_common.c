/* SPDX-License-Identifier: MIT */
/*
 * What every program of ours that calls OpenCL needs.
 */
#include "opencl_common.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMED(code)                                                                                \
	{                                                                                          \
		code, #code                                                                        \
	}

/* OpenCL API 3.0, appendix F, and what extensions add that our programs may meet. */
static const struct {
	cl_int code;
	const char *name;
} error_names[] = {
	NAMED(CL_SUCCESS),
	NAMED(CL_DEVICE_NOT_FOUND),
	NAMED(CL_DEVICE_NOT_AVAILABLE),
	NAMED(CL_COMPILER_NOT_AVAILABLE),
	NAMED(CL_MEM_OBJECT_ALLOCATION_FAILURE),
	NAMED(CL_OUT_OF_RESOURCES),
	NAMED(CL_OUT_OF_HOST_MEMORY),
	NAMED(CL_PROFILING_INFO_NOT_AVAILABLE),
	NAMED(CL_MEM_COPY_OVERLAP),
	NAMED(CL_IMAGE_FORMAT_MISMATCH),
	NAMED(CL_IMAGE_FORMAT_NOT_SUPPORTED),
	NAMED(CL_BUILD_PROGRAM_FAILURE),
	NAMED(CL_MAP_FAILURE),
	NAMED(CL_MISALIGNED_SUB_BUFFER_OFFSET),
	NAMED(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST),
	NAMED(CL_COMPILE_PROGRAM_FAILURE),
	NAMED(CL_LINKER_NOT_AVAILABLE),
	NAMED(CL_LINK_PROGRAM_FAILURE),
	NAMED(CL_DEVICE_PARTITION_FAILED),
	NAMED(CL_KERNEL_ARG_INFO_NOT_AVAILABLE),
	NAMED(CL_INVALID_VALUE),
	NAMED(CL_INVALID_DEVICE_TYPE),
	NAMED(CL_INVALID_PLATFORM),
	NAMED(CL_INVALID_DEVICE),
	NAMED(CL_INVALID_CONTEXT),
	NAMED(CL_INVALID_QUEUE_PROPERTIES),
	NAMED(CL_INVALID_COMMAND_QUEUE),
	NAMED(CL_INVALID_HOST_PTR),
	NAMED(CL_INVALID_MEM_OBJECT),
	NAMED(CL_INVALID_IMAGE_FORMAT_DESCRIPTOR),
	NAMED(CL_INVALID_IMAGE_SIZE),
	NAMED(CL_INVALID_SAMPLER),
	NAMED(CL_INVALID_BINARY),
	NAMED(CL_INVALID_BUILD_OPTIONS),
	NAMED(CL_INVALID_PROGRAM),
	NAMED(CL_INVALID_PROGRAM_EXECUTABLE),
	NAMED(CL_INVALID_KERNEL_NAME),
	NAMED(CL_INVALID_KERNEL_DEFINITION),
	NAMED(CL_INVALID_KERNEL),
	NAMED(CL_INVALID_ARG_INDEX),
	NAMED(CL_INVALID_ARG_VALUE),
	NAMED(CL_INVALID_ARG_SIZE),
	NAMED(CL_INVALID_KERNEL_ARGS),
	NAMED(CL_INVALID_WORK_DIMENSION),
	NAMED(CL_INVALID_WORK_GROUP_SIZE),
	NAMED(CL_INVALID_WORK_ITEM_SIZE),
	NAMED(CL_INVALID_GLOBAL_OFFSET),
	NAMED(CL_INVALID_EVENT_WAIT_LIST),
	NAMED(CL_INVALID_EVENT),
	NAMED(CL_INVALID_OPERATION),
	NAMED(CL_INVALID_GL_OBJECT),
	NAMED(CL_INVALID_BUFFER_SIZE),
	NAMED(CL_INVALID_MIP_LEVEL),
	NAMED(CL_INVALID_GLOBAL_WORK_SIZE),
	NAMED(CL_INVALID_PROPERTY),
	NAMED(CL_INVALID_IMAGE_DESCRIPTOR),
	NAMED(CL_INVALID_COMPILER_OPTIONS),
	NAMED(CL_INVALID_LINKER_OPTIONS),
	NAMED(CL_INVALID_DEVICE_PARTITION_COUNT),
	NAMED(CL_INVALID_PIPE_SIZE),
	NAMED(CL_INVALID_DEVICE_QUEUE),
	NAMED(CL_INVALID_SPEC_ID),
	NAMED(CL_MAX_SIZE_RESTRICTION_EXCEEDED),
	NAMED(CL_PLATFORM_NOT_FOUND_KHR),
	NAMED(CL_CONTEXT_TERMINATED_KHR),
	NAMED(CL_INVALID_SEMAPHORE_KHR),
};

const char *opencl_error_name(cl_int code)
{
	for (size_t i = 0; i < sizeof(error_names) / sizeof(*error_names); i++)
		if (error_names[i].code == code)
			return error_names[i].name;
	return "an unnamed OpenCL error";
}

bool opencl_platforms(cl_platform_id **platforms, cl_uint *count, struct error *err)
{
	cl_int code;

	*platforms = NULL;
	*count = 0;
	code = clGetPlatformIDs(0, NULL, count);
	if (code == CL_PLATFORM_NOT_FOUND_KHR || (code == CL_SUCCESS && !*count)) {
		*count = 0;
		return true;
	}
	if (code != CL_SUCCESS)
		return fail(err, EXIT_UNAVAILABLE, "the OpenCL loader fails with %s (%d)",
			    opencl_error_name(code), code);
	*platforms = calloc(*count, sizeof(**platforms));
	if (!*platforms)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	clGetPlatformIDs(*count, *platforms, NULL);
	return true;
}

void opencl_device_text(cl_device_id id, cl_device_info what, char *out, size_t size)
{
	char text[1024] = "";

	if (clGetDeviceInfo(id, what, sizeof(text) - 1, text, NULL) != CL_SUCCESS)
		snprintf(text, sizeof(text), "unknown");
	snprintf(out, size, "%.*s", (int)size - 1, text);
}

void opencl_platform_text(cl_platform_id id, cl_platform_info what, char *out, size_t size)
{
	char text[1024] = "";

	if (clGetPlatformInfo(id, what, sizeof(text) - 1, text, NULL) != CL_SUCCESS)
		snprintf(text, sizeof(text), "unknown");
	snprintf(out, size, "%.*s", (int)size - 1, text);
}

bool opencl_has_extension(cl_device_id id, const char *name)
{
	const size_t length = strlen(name);
	size_t size = 0;
	bool found = false;
	char *list;

	if (clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, 0, NULL, &size) != CL_SUCCESS || !size)
		return false;
	list = calloc(1, size + 1);
	if (!list)
		return false;
	clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, size, list, NULL);
	for (char *at = list; !found && (at = strstr(at, name)); at += length)
		found = (at == list || at[-1] == ' ') && (!at[length] || at[length] == ' ');
	free(list);
	return found;
}

cl_int opencl_build_silently(cl_program program, cl_device_id id, const char *options)
{
	const int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	cl_int code;

	fflush(stderr);
	if (saved >= 0 && nowhere >= 0)
		dup2(nowhere, STDERR_FILENO);
	code = clBuildProgram(program, 1, &id, options, NULL, NULL);
	if (saved >= 0) {
		dup2(saved, STDERR_FILENO);
		close(saved);
	}
	if (nowhere >= 0)
		close(nowhere);
	return code;
}
