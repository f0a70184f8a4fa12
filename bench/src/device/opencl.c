/* SPDX-License-Identifier: MIT */
/*
 * The OpenCL back end: enumerate, open, memory, launch, wait.
 */
#include "opencl.h"

#include "clock.h"

#include <hwloc/opencl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPEN_FILES "/proc/self/fd"

/*
 * A launch outlives its waiter when the device hangs: the runtime may still
 * call back. Hence the count of holders.
 */
struct opencl_launch {
	struct launch base;
	cl_event event;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool complete;
	cl_int status;
	atomic_int holders;
};

bool opencl_fail(struct error *err, cl_int code, const struct device *dev, const char *doing)
{
	const char *name = opencl_error_name(code);

	switch (code) {
	case CL_MEM_OBJECT_ALLOCATION_FAILURE:
	case CL_OUT_OF_HOST_MEMORY:
		return fail(err, EXIT_NO_MEMORY, "%s: %s: %s (%d); use a smaller working set",
			    dev->name, doing, name, code);
	case CL_INVALID_WORK_GROUP_SIZE:
		return fail(err, EXIT_UNAVAILABLE,
			    "%s: %s: %s (%d); group_size must divide work_items and stay within "
			    "%zu",
			    dev->name, doing, name, code, dev->max_group);
	default:
		return fail(err, EXIT_DEVICE_LOST,
			    "%s: %s: %s (%d); see the kernel log, or choose another device with -d",
			    dev->name, doing, name, code);
	}
}

/* --- enumerate ---------------------------------------------------------- */

static const struct device_ops opencl_ops;

static bool add_device(struct device_list *list, cl_platform_id platform, cl_device_id id)
{
	struct opencl_device *cl = calloc(1, sizeof(*cl));
	struct device *dev = cl ? device_list_add(list) : NULL;

	if (!dev) {
		free(cl);
		return false;
	}
	dev->ops = &opencl_ops;
	dev->backend = cl;
	cl->platform = platform;
	cl->root = id;
	opencl_describe(dev);
	return true;
}

static bool add_platform(struct device_list *list, cl_platform_id platform)
{
	cl_device_id *ids;
	cl_uint count = 0;
	bool ok = true;

	if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, NULL, &count) != CL_SUCCESS || !count)
		return true; /* a platform without devices is no error */
	ids = calloc(count, sizeof(*ids));
	if (!ids)
		return false;
	clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, count, ids, NULL);
	for (cl_uint i = 0; ok && i < count; i++)
		ok = add_device(list, platform, ids[i]);
	free(ids);
	return ok;
}

/* llvmpipe cannot be partitioned; it reads the number of its threads when it starts. */
static void limit_llvmpipe(unsigned cpu_units)
{
	char threads[16];

	if (!cpu_units)
		return;
	snprintf(threads, sizeof(threads), "%u", cpu_units);
	setenv("LP_NUM_THREADS", threads, 0);
}

bool opencl_enumerate(struct device_list *list, unsigned cpu_units, struct error *err)
{
	cl_platform_id *platforms;
	cl_uint count;
	bool ok = true;

	limit_llvmpipe(cpu_units);
	if (!opencl_platforms(&platforms, &count, err))
		return false;
	for (cl_uint i = 0; ok && i < count; i++)
		ok = add_platform(list, platforms[i]);
	free(platforms);
	return ok ? true : fail(err, EXIT_NO_MEMORY, "out of memory");
}

static void destroy(struct device *dev)
{
	free(dev->backend);
}

/* --- open --------------------------------------------------------------- */

/*
 * A CPU device takes fewer cores when it is opened through a sub-device. One
 * that cannot be partitioned is confined to them by its caller's binding.
 */
static bool choose_units(struct device *dev, unsigned units, struct error *err)
{
	struct opencl_device *cl = opencl_of(dev);
	const cl_device_partition_property parts[] = { CL_DEVICE_PARTITION_BY_COUNTS, units,
						       CL_DEVICE_PARTITION_BY_COUNTS_LIST_END, 0 };
	cl_int code;

	cl->used = cl->root;
	dev->open_units = units && units < dev->units ? units : dev->units;
	if (dev->open_units == dev->units || !dev->caps[CAP_PARTITION].have)
		return true;
	code = clCreateSubDevices(cl->root, parts, 1, &cl->used, NULL);
	return code == CL_SUCCESS ? true : opencl_fail(err, code, dev, "partitioning");
}

static void close_device(struct device *dev)
{
	struct opencl_device *cl = opencl_of(dev);

	svma_close(cl->owner);
	cl->owner = NULL;
	dev->max_hold_ns = 0;
	opencl_kernels_clear(cl);
	if (cl->queue)
		clReleaseCommandQueue(cl->queue);
	if (cl->context)
		clReleaseContext(cl->context);
	/*
	 * A sub-device stays until the process ends: threads of PoCL 3.1 read it when they release
	 * an event, which may be after the event is complete and all else was released.
	 */
	cl->queue = NULL;
	cl->context = NULL;
	cl->used = NULL;
}

static cl_command_queue create_queue(const struct device *dev, cl_int *code)
{
	static const cl_queue_properties properties[] = { CL_QUEUE_PROPERTIES,
							  CL_QUEUE_PROFILING_ENABLE, 0 };
	const struct opencl_device *cl = opencl_of(dev);

	/* The newer call is not in the dispatch table of an OpenCL 1.x driver. */
	if (!strncmp(dev->version, "OpenCL 1.", strlen("OpenCL 1.")))
		return clCreateCommandQueue(cl->context, cl->used, CL_QUEUE_PROFILING_ENABLE, code);
	return clCreateCommandQueueWithProperties(cl->context, cl->used, properties, code);
}

static bool open_device(struct device *dev, unsigned units, struct error *err)
{
	struct opencl_device *cl = opencl_of(dev);
	cl_int code;

	if (!choose_units(dev, units, err))
		return false;
	cl->context = clCreateContext(NULL, 1, &cl->used, NULL, NULL, &code);
	if (!cl->context)
		return opencl_fail(err, code, dev, "creating a context");
	cl->queue = create_queue(dev, &code);
	if (!cl->queue)
		return opencl_fail(err, code, dev, "creating a queue");
	if (!cl->dialect)
		opencl_probe_compiler(dev);
	ownership_look(OPEN_FILES, &cl->before);
	return true;
}

/*
 * OpenCL does not say whether a device takes pages from the CPU, nor by which file. Who took
 * some while only this device's kernels ran is it, whatever its name: rusticl's llvmpipe
 * becomes a virtual device by that, and a GPU stays one.
 */
static bool find_owner(struct device *dev, struct error *err)
{
	struct opencl_device *cl = opencl_of(dev);
	struct capability_state *atomics = &dev->caps[CAP_SVM_ATOMICS];
	struct svma_report report;

	cl->owner = ownership_find(OPEN_FILES, &cl->before, &report);
	if (!cl->owner)
		return true;
	if (report.flags == SVMA_OPEN_VIRTUAL)
		dev->kind = DEVICE_VIRTUAL;
	if (atomics->have)
		snprintf(atomics->note, sizeof(atomics->note),
			 "by taking pages from the CPU (%s %.100s)", svma_driver(cl->owner),
			 report.node);
	return ownership_describe(dev, cl->owner, err);
}

/* The threads of an engine are another process's. */
static pid_t process(const struct device *dev)
{
	const pid_t engine = dev->kind == DEVICE_VIRTUAL ? ownership_engine("/proc") : 0;

	return engine ? engine : getpid();
}

/* --- memory ------------------------------------------------------------- */

static cl_svm_mem_flags svm_flags(enum memory_kind kind)
{
	cl_svm_mem_flags flags = CL_MEM_READ_WRITE;

	if (kind != MEMORY_SVM_COARSE)
		flags |= CL_MEM_SVM_FINE_GRAIN_BUFFER;
	if (kind == MEMORY_SVM_ATOMIC)
		flags |= CL_MEM_SVM_ATOMICS;
	return flags;
}

/*
 * Whole pages, for nothing else to be on those that change hands. Aligned by hand: PoCL refuses
 * alignments beyond the largest data type. The handle keeps what clSVMFree() wants.
 */
static void *svm_alloc(const struct opencl_device *cl, enum memory_kind kind, size_t size,
		       struct memory *out)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t start;

	out->handle = clSVMAlloc(cl->context, svm_flags(kind), ownership_pages(size) + page, 0);
	start = ((uintptr_t)out->handle + page - 1) & ~(page - 1);
	return out->handle ? (void *)start : NULL;
}

static bool alloc_memory(struct device *dev, enum memory_kind kind, size_t size, struct memory *out,
			 struct error *err)
{
	struct opencl_device *cl = opencl_of(dev);
	cl_int code = CL_MEM_OBJECT_ALLOCATION_FAILURE;

	*out = (struct memory){ .kind = kind, .size = size };
	if (size > dev->max_alloc)
		return fail(err, EXIT_NO_MEMORY,
			    "%s: %zu MiB asked for in one allocation, it allows %llu MiB; use a "
			    "smaller working set or fewer work-items",
			    dev->name, size >> 20, (unsigned long long)(dev->max_alloc >> 20));
	if (kind == MEMORY_PLAIN)
		out->handle = clCreateBuffer(cl->context, CL_MEM_READ_WRITE, size, NULL, &code);
	else
		out->host = svm_alloc(cl, kind, size, out);
	if (!out->handle)
		return fail(err, EXIT_NO_MEMORY,
			    "%s: cannot allocate %zu KiB (%s); use a smaller working set or fewer "
			    "work-items",
			    dev->name, (size + 1023) >> 10,
			    kind == MEMORY_PLAIN ? opencl_error_name(code)
						 : "clSVMAlloc returned NULL");
	return true;
}

static void release_memory(struct device *dev, struct memory *memory)
{
	struct opencl_device *cl = opencl_of(dev);

	if (cl->owner && memory->host)
		ownership_forget(cl->owner, memory->host, memory->size);
	if (memory->handle && memory->kind == MEMORY_PLAIN)
		clReleaseMemObject(memory->handle);
	else if (memory->handle)
		clSVMFree(cl->context, memory->handle);
	*memory = (struct memory){ 0 };
}

static bool map_memory(struct device *dev, const struct memory *memory, struct error *err)
{
	cl_int code = clEnqueueSVMMap(opencl_of(dev)->queue, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE,
				      memory->host, memory->size, 0, NULL, NULL);

	return code == CL_SUCCESS ? true : opencl_fail(err, code, dev, "mapping SVM");
}

static bool unmap_memory(struct device *dev, const struct memory *memory, struct error *err)
{
	cl_command_queue queue = opencl_of(dev)->queue;
	cl_int code = clEnqueueSVMUnmap(queue, memory->host, 0, NULL, NULL);

	if (code == CL_SUCCESS)
		code = clFinish(queue);
	return code == CL_SUCCESS ? true : opencl_fail(err, code, dev, "unmapping SVM");
}

static bool write_memory(struct device *dev, const struct memory *to, const void *from, size_t size,
			 struct error *err)
{
	cl_int code = clEnqueueWriteBuffer(opencl_of(dev)->queue, to->handle, CL_TRUE, 0, size,
					   from, 0, NULL, NULL);

	return code == CL_SUCCESS ? true : opencl_fail(err, code, dev, "writing a buffer");
}

static bool read_memory(struct device *dev, void *to, const struct memory *from, size_t size,
			struct error *err)
{
	cl_int code = clEnqueueReadBuffer(opencl_of(dev)->queue, from->handle, CL_TRUE, 0, size, to,
					  0, NULL, NULL);

	return code == CL_SUCCESS ? true : opencl_fail(err, code, dev, "reading a buffer");
}

/* --- launch ------------------------------------------------------------- */

static cl_int set_argument(cl_kernel kernel, cl_uint index, const struct argument *arg)
{
	switch (arg->kind) {
	case ARG_MEMORY:
		if (arg->memory->kind != MEMORY_PLAIN)
			return clSetKernelArgSVMPointer(kernel, index, arg->memory->host);
		return clSetKernelArg(kernel, index, sizeof(cl_mem), &arg->memory->handle);
	case ARG_U32:
		return clSetKernelArg(kernel, index, sizeof(arg->u32), &arg->u32);
	case ARG_U64:
		return clSetKernelArg(kernel, index, sizeof(arg->u64), &arg->u64);
	}
	return CL_INVALID_ARG_VALUE;
}

static void launch_put(struct opencl_launch *launch)
{
	if (atomic_fetch_sub(&launch->holders, 1) != 1)
		return;
	if (launch->event)
		clReleaseEvent(launch->event);
	pthread_cond_destroy(&launch->ended);
	pthread_mutex_destroy(&launch->lock);
	free(launch);
}

static void CL_CALLBACK launch_ended(cl_event event, cl_int status, void *data)
{
	struct opencl_launch *launch = data;

	(void)event;
	pthread_mutex_lock(&launch->lock);
	launch->complete = true;
	launch->status = status;
	pthread_cond_signal(&launch->ended);
	pthread_mutex_unlock(&launch->lock);
	launch_put(launch);
}

static struct opencl_launch *launch_new(struct device *dev)
{
	struct opencl_launch *launch = calloc(1, sizeof(*launch));
	pthread_condattr_t attributes;

	if (!launch)
		return NULL;
	launch->base.dev = dev;
	atomic_init(&launch->holders, 1);
	pthread_mutex_init(&launch->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&launch->ended, &attributes);
	pthread_condattr_destroy(&attributes);
	return launch;
}

static struct launch *launch_kernel(struct device *dev, struct kernel *kernel,
				    const struct argument *args, size_t nargs, size_t global,
				    size_t group, struct error *err)
{
	struct opencl_device *cl = opencl_of(dev);
	struct opencl_launch *launch;
	cl_int code = CL_SUCCESS;

	for (size_t i = 0; i < nargs; i++) {
		code = set_argument(kernel->kernel, (cl_uint)i, &args[i]);
		if (code != CL_SUCCESS) {
			opencl_fail(err, code, dev, "setting a kernel argument");
			return NULL;
		}
	}
	launch = launch_new(dev);
	if (!launch) {
		fail(err, EXIT_NO_MEMORY, "out of memory");
		return NULL;
	}
	code = clEnqueueNDRangeKernel(cl->queue, kernel->kernel, 1, NULL, &global,
				      group ? &group : NULL, 0, NULL, &launch->event);
	if (code == CL_SUCCESS) {
		atomic_fetch_add(&launch->holders, 1);
		code = clSetEventCallback(launch->event, CL_COMPLETE, launch_ended, launch);
		if (code != CL_SUCCESS)
			launch_put(launch);
	}
	if (code == CL_SUCCESS)
		code = clFlush(cl->queue);
	if (code != CL_SUCCESS) {
		opencl_fail(err, code, dev, "launching a kernel");
		launch_put(launch);
		return NULL;
	}
	return &launch->base;
}

static bool launch_done(struct launch *base)
{
	struct opencl_launch *launch = (struct opencl_launch *)base;
	bool complete;

	pthread_mutex_lock(&launch->lock);
	complete = launch->complete;
	pthread_mutex_unlock(&launch->lock);
	return complete;
}

static bool launch_await(struct opencl_launch *launch, uint64_t timeout_ns)
{
	const uint64_t deadline = clock_ns() + timeout_ns;
	const struct timespec until = { .tv_sec = (time_t)(deadline / 1000000000u),
					.tv_nsec = (long)(deadline % 1000000000u) };
	bool complete;

	pthread_mutex_lock(&launch->lock);
	while (!launch->complete)
		if (pthread_cond_timedwait(&launch->ended, &launch->lock, &until))
			break;
	complete = launch->complete;
	pthread_mutex_unlock(&launch->lock);
	return complete;
}

static void read_times(const struct opencl_launch *launch, struct launch_times *times)
{
	cl_ulong start = 0;
	cl_ulong end = 0;

	*times = (struct launch_times){ 0 };
	if (clGetEventProfilingInfo(launch->event, CL_PROFILING_COMMAND_START, sizeof(start),
				    &start, NULL) != CL_SUCCESS ||
	    clGetEventProfilingInfo(launch->event, CL_PROFILING_COMMAND_END, sizeof(end), &end,
				    NULL) != CL_SUCCESS)
		return;
	*times = (struct launch_times){ .start_ns = start, .end_ns = end };
}

static bool launch_wait(struct launch *base, uint64_t timeout_ns, struct launch_times *times,
			struct error *err)
{
	struct opencl_launch *launch = (struct opencl_launch *)base;
	const struct device *dev = base->dev;
	cl_int status;

	if (!launch_await(launch, timeout_ns)) {
		launch_put(launch);
		return fail(err, EXIT_DEVICE_LOST,
			    "%s: a kernel did not end within %.1f s: the device hangs; see the "
			    "kernel log, or allow more with --timeout",
			    dev->name, (double)timeout_ns * 1e-9);
	}
	/* Completion reaches the callback before a waiter may read the profile. */
	clWaitForEvents(1, &launch->event);
	status = launch->status;
	if (times)
		read_times(launch, times);
	launch_put(launch);
	if (status < 0)
		return opencl_fail(err, status, dev, "running a kernel");
	return true;
}

static bool set_hold(struct device *dev, const struct memory *memory, uint64_t hold_ns,
		     struct error *err)
{
	return ownership_hold(dev, opencl_of(dev)->owner, memory->host, memory->size, hold_ns, err);
}

static bool read_counters(struct device *dev, struct counters *out)
{
	struct svma_device *owner = opencl_of(dev)->owner;

	return owner && ownership_counters(owner, out);
}

static bool cpuset_near(struct device *dev, hwloc_topology_t topology, hwloc_cpuset_t set)
{
	return hwloc_opencl_get_device_cpuset(topology, opencl_of(dev)->root, set) == 0;
}

static const struct device_ops opencl_ops = {
	.backend = "opencl",
	.open = open_device,
	.probed = find_owner,
	.close = close_device,
	.alloc = alloc_memory,
	.release = release_memory,
	.map = map_memory,
	.unmap = unmap_memory,
	.write = write_memory,
	.read = read_memory,
	.prepare = opencl_build,
	.launch = launch_kernel,
	.done = launch_done,
	.wait = launch_wait,
	.hold = set_hold,
	.counters = read_counters,
	.process = process,
	.cpuset_near = cpuset_near,
	.destroy = destroy,
};
