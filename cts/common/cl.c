/* SPDX-License-Identifier: MIT */
/*
 * What our test programs share of OpenCL.
 */
#include "cl.h"

#include "clock.h"
#include "opencl_common.h"

#include <CL/cl_ext.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POLL_NS UINT64_C(200000)

bool cts_fail(struct error *err, cl_int code, const struct cts_device *dev, const char *doing)
{
	const bool memory =
		code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_HOST_MEMORY;

	return fail(err, memory ? EXIT_NO_MEMORY : EXIT_DEVICE_LOST, "%s: %s: %s (%d)", dev->name,
		    doing, opencl_error_name(code), code);
}

/* --- what a device says of itself ---------------------------------------- */

/* A capability mask; 0 from devices that are older than the query. */
static cl_bitfield device_mask(cl_device_id id, cl_device_info what)
{
	cl_bitfield mask = 0;

	return clGetDeviceInfo(id, what, sizeof(mask), &mask, NULL) == CL_SUCCESS ? mask : 0;
}

/* The whole of a variable-length answer, with a 0 after it; NULL where there is none. */
static void *device_array(cl_device_id id, cl_device_info what, size_t *size)
{
	char *array;

	*size = 0;
	if (clGetDeviceInfo(id, what, 0, NULL, size) != CL_SUCCESS || !*size)
		return NULL;
	array = calloc(1, *size + 1);
	if (array && clGetDeviceInfo(id, what, *size, array, NULL) != CL_SUCCESS) {
		free(array);
		return NULL;
	}
	return array;
}

bool cts_has_extension(const struct cts_device *dev, const char *name)
{
	return opencl_has_extension(dev->id, name);
}

bool cts_has_feature(const struct cts_device *dev, const char *name)
{
	cl_name_version *all = NULL;
	bool found = false;
	size_t size = 0;

	if (dev->cl_version >= 30)
		all = device_array(dev->id, CL_DEVICE_OPENCL_C_FEATURES, &size);
	for (size_t i = 0; all && !found && i < size / sizeof(*all); i++)
		found = !strcmp(all[i].name, name);
	free(all);
	return found;
}

/*
 * OpenCL API 3.0, section 4.2: devices of 3.0 list the versions of the language, which need not
 * have 2.0 among them; older ones name the newest, which includes the others.
 */
static const char *newest_standard(const struct cts_device *dev)
{
	static const struct {
		unsigned version;
		const char *standard;
	} standards[] = { { 30, "CL3.0" }, { 20, "CL2.0" }, { 12, "CL1.2" }, { 11, "CL1.1" } };
	cl_name_version *all = NULL;
	unsigned newest = 11;
	unsigned minor;
	unsigned major;
	char text[64];
	size_t size;

	if (dev->cl_version >= 30)
		all = device_array(dev->id, CL_DEVICE_OPENCL_C_ALL_VERSIONS, &size);
	for (size_t i = 0; all && i < size / sizeof(*all); i++) {
		const unsigned version =
			CL_VERSION_MAJOR(all[i].version) * 10 + CL_VERSION_MINOR(all[i].version);

		newest = version > newest ? version : newest;
	}
	opencl_device_text(dev->id, CL_DEVICE_OPENCL_C_VERSION, text, sizeof(text));
	if (!all && sscanf(text, "OpenCL C %u.%u", &major, &minor) == 2)
		newest = major * 10 + minor;
	free(all);
	for (size_t i = 0; i < sizeof(standards) / sizeof(*standards); i++)
		if (newest >= standards[i].version)
			return standards[i].standard;
	return "CL1.1";
}

static void describe(struct cts_device *dev)
{
	cl_bool compiler = CL_FALSE;
	unsigned major = 0;
	unsigned minor = 0;

	opencl_device_text(dev->id, CL_DEVICE_NAME, dev->name, sizeof(dev->name));
	opencl_device_text(dev->id, CL_DEVICE_VERSION, dev->version, sizeof(dev->version));
	opencl_device_text(dev->id, CL_DRIVER_VERSION, dev->driver, sizeof(dev->driver));
	opencl_platform_text(dev->platform, CL_PLATFORM_NAME, dev->platform_name,
			     sizeof(dev->platform_name));
	opencl_platform_text(dev->platform, CL_PLATFORM_VERSION, dev->platform_version,
			     sizeof(dev->platform_version));
	if (sscanf(dev->version, "OpenCL %u.%u", &major, &minor) == 2)
		dev->cl_version = major * 10 + minor;
	dev->standard = newest_standard(dev);
	clGetDeviceInfo(dev->id, CL_DEVICE_COMPILER_AVAILABLE, sizeof(compiler), &compiler, NULL);
	dev->compiler = compiler;

	dev->type = device_mask(dev->id, CL_DEVICE_TYPE);
	dev->svm = device_mask(dev->id, CL_DEVICE_SVM_CAPABILITIES);
	dev->atomic_memory = device_mask(dev->id, CL_DEVICE_ATOMIC_MEMORY_CAPABILITIES);
	dev->atomic_fence = device_mask(dev->id, CL_DEVICE_ATOMIC_FENCE_CAPABILITIES);
	dev->atomic_int64 = cts_has_extension(dev, "cl_khr_int64_base_atomics") &&
			    cts_has_extension(dev, "cl_khr_int64_extended_atomics");
	dev->fp64 = device_mask(dev->id, CL_DEVICE_DOUBLE_FP_CONFIG) != 0;
}

/* --- which devices there are ---------------------------------------------- */

static bool add_platform(struct cts_devices *list, cl_platform_id platform)
{
	struct cts_device *grown;
	cl_device_id *ids;
	cl_uint count = 0;

	if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, NULL, &count) != CL_SUCCESS || !count)
		return true; /* a platform without devices is no error */
	ids = calloc(count, sizeof(*ids));
	grown = realloc(list->at, (list->count + count) * sizeof(*grown));
	if (grown)
		list->at = grown;
	if (!ids || !grown) {
		free(ids);
		return false;
	}
	clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, count, ids, NULL);
	for (cl_uint i = 0; i < count; i++) {
		struct cts_device *dev = &list->at[list->count++];

		*dev = (struct cts_device){ .platform = platform, .id = ids[i] };
		describe(dev);
	}
	free(ids);
	return true;
}

bool cts_list(struct cts_devices *out, struct error *err)
{
	cl_platform_id *platforms;
	cl_uint count;
	bool ok = true;

	*out = (struct cts_devices){ 0 };
	if (!opencl_platforms(&platforms, &count, err))
		return false;
	if (!count)
		return fail(err, EXIT_UNAVAILABLE,
			    "there is no OpenCL platform; install one (pocl-opencl-icd has a CPU "
			    "device), or see OCL_ICD_VENDORS");
	for (cl_uint i = 0; ok && i < count; i++)
		ok = add_platform(out, platforms[i]);
	free(platforms);
	if (ok && out->count)
		return true;
	cts_list_free(out);
	return ok ? fail(err, EXIT_UNAVAILABLE, "the OpenCL platforms here have no device")
		  : fail(err, EXIT_NO_MEMORY, "out of memory");
}

void cts_list_free(struct cts_devices *list)
{
	free(list->at);
	*list = (struct cts_devices){ 0 };
}

/* Whether @wanted fits what has this @name and @index. */
static bool fits(const char *wanted, const char *name, size_t index)
{
	char *end;
	unsigned long number;

	if (!wanted)
		return true;
	number = strtoul(wanted, &end, 10);
	if (isdigit((unsigned char)*wanted) && !*end)
		return number == index;
	return strcasestr(name, wanted) != NULL;
}

static void fail_choice(const struct cts_devices *list, const char *platform, const char *device,
			struct error *err)
{
	char there[300] = "";

	for (size_t i = 0; i < list->count; i++) {
		const size_t used = strlen(there);

		snprintf(there + used, sizeof(there) - used, "%s'%.60s' of '%.30s'", i ? ", " : "",
			 list->at[i].name, list->at[i].platform_name);
	}
	fail(err, EXIT_UNAVAILABLE, "no device fits %s%.60s%s%s%.60s; there %s %s",
	     platform ? "--platform " : "", platform ? platform : "", platform && device ? " " : "",
	     device ? "--device " : "", device ? device : "", list->count == 1 ? "is" : "are",
	     there);
}

struct cts_device *cts_choose(const struct cts_devices *list, const char *platform,
			      const char *device, struct error *err)
{
	size_t platform_index = 0;
	size_t device_index = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct cts_device *dev = &list->at[i];

		if (i && dev->platform != dev[-1].platform)
			platform_index++;
		if (!fits(platform, dev->platform_name, platform_index))
			continue;
		if (fits(device, dev->name, device_index))
			return dev;
		device_index++;
	}
	fail_choice(list, platform, device, err);
	return NULL;
}

/* --- open ------------------------------------------------------------------ */

static cl_command_queue create_queue(const struct cts_device *dev, cl_int *code)
{
	static const cl_queue_properties properties[] = { CL_QUEUE_PROPERTIES,
							  CL_QUEUE_PROFILING_ENABLE, 0 };

	/* The newer call is not in the dispatch table of an OpenCL 1.x driver. */
	if (dev->cl_version < 20)
		return clCreateCommandQueue(dev->context, dev->id, CL_QUEUE_PROFILING_ENABLE, code);
	return clCreateCommandQueueWithProperties(dev->context, dev->id, properties, code);
}

bool cts_open_device(struct cts_device *dev, struct error *err)
{
	cl_int code;

	dev->context = clCreateContext(NULL, 1, &dev->id, NULL, NULL, &code);
	if (!dev->context)
		return cts_fail(err, code, dev, "creating a context");
	dev->queue = create_queue(dev, &code);
	if (dev->queue)
		return true;
	cts_fail(err, code, dev, "creating a queue");
	cts_close(dev);
	return false;
}

bool cts_open(const char *platform, const char *device, struct cts_device *out, struct error *err)
{
	const struct cts_device *chosen;
	struct cts_devices list;

	if (!cts_list(&list, err))
		return false;
	chosen = cts_choose(&list, platform, device, err);
	if (chosen)
		*out = *chosen;
	cts_list_free(&list);
	return chosen && cts_open_device(out, err);
}

void cts_close(struct cts_device *dev)
{
	if (dev->queue)
		clReleaseCommandQueue(dev->queue);
	if (dev->context)
		clReleaseContext(dev->context);
	dev->queue = NULL;
	dev->context = NULL;
}

/* --- build ----------------------------------------------------------------- */

static char *build_log(cl_program program, cl_device_id id)
{
	size_t size = 0;
	char *log;

	clGetProgramBuildInfo(program, id, CL_PROGRAM_BUILD_LOG, 0, NULL, &size);
	log = calloc(1, size + 1);
	if (log && size)
		clGetProgramBuildInfo(program, id, CL_PROGRAM_BUILD_LOG, size, log, NULL);
	return log;
}

/* The line of @log that says what is wrong, or its first. */
static const char *first_complaint(const char *log)
{
	const char *error = strstr(log, "error:");

	return error ? error : log + strspn(log, " \t\r\n");
}

static void fail_build(cl_program program, const struct cts_device *dev, cl_int code, char **log,
		       struct error *err)
{
	char *text = build_log(program, dev->id);
	const char *line = text ? first_complaint(text) : "";

	fail(err, EXIT_UNAVAILABLE, "%s: its compiler refuses the kernel: %s: %.*s", dev->name,
	     opencl_error_name(code), (int)strcspn(line, "\n"), line);
	if (log)
		*log = text;
	else
		free(text);
}

cl_program cts_build(const struct cts_device *dev, const char *options, cl_uint count,
		     const char *const *source, char **log, struct error *err)
{
	char all[1024];
	cl_int code;
	cl_program program;

	if (log)
		*log = NULL;
	if (!dev->compiler) {
		fail(err, EXIT_UNAVAILABLE,
		     "%s cannot compile kernels: CL_DEVICE_COMPILER_AVAILABLE is false", dev->name);
		return NULL;
	}
	program =
		clCreateProgramWithSource(dev->context, count, (const char **)source, NULL, &code);
	if (!program) {
		cts_fail(err, code, dev, "creating a program");
		return NULL;
	}
	snprintf(all, sizeof(all), "-cl-std=%s %s", dev->standard, options ? options : "");
	code = opencl_build_silently(program, dev->id, all);
	if (code == CL_SUCCESS)
		return program;
	fail_build(program, dev, code, log, err);
	clReleaseProgram(program);
	return NULL;
}

cl_kernel cts_build_kernel(const struct cts_device *dev, const char *options, const char *source,
			   const char *name, struct error *err)
{
	cl_program program = cts_build(dev, options, 1, &source, NULL, err);
	cl_kernel kernel;
	cl_int code;

	if (!program)
		return NULL;
	kernel = clCreateKernel(program, name, &code);
	clReleaseProgram(program);
	if (!kernel)
		cts_fail(err, code, dev, "creating a kernel");
	return kernel;
}

/* --- wait ------------------------------------------------------------------ */

bool cts_wait(const struct cts_device *dev, cl_event event, double seconds, struct error *err)
{
	const uint64_t deadline = clock_ns() + (uint64_t)(seconds * 1e9);
	cl_int status = CL_QUEUED;
	cl_int code;

	clFlush(dev->queue);
	for (;;) {
		code = clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(status),
				      &status, NULL);
		if (code != CL_SUCCESS)
			return cts_fail(err, code, dev, "asking for an event's status");
		if (status == CL_COMPLETE)
			return true;
		if (status < 0)
			return cts_fail(err, status, dev, "a command ended");
		if (clock_ns() > deadline)
			return fail(err, EXIT_DEVICE_LOST,
				    "%s: a command did not end within %g s; see the kernel log, or "
				    "choose another device",
				    dev->name, seconds);
		clock_sleep_until(clock_ns() + POLL_NS);
	}
}
