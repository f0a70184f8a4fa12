/* SPDX-License-Identifier: MIT */
/*
 * vsvm: memory is this process's own, work-items are the threads of an engine, and
 * kernels are functions of this program, which run on it at the same addresses.
 */
#include "vsvm.h"

#include "functions.h"
#include "ownership.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svmatomic-engine.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_ARGUMENTS 12

struct kernel {
	struct kernel *next;
	struct task task;
	device_function *function;
};

/* An engine runs one thing at a time. */
struct vsvm_launch {
	struct launch base;
	const struct task *task;
	device_function *function;
	size_t items;
	union value args[MAX_ARGUMENTS];
};

struct vsvm_device {
	char node[128];
	struct svma_device *device;
	struct svma_engine *engine;
	pid_t engine_pid;
	struct kernel *kernels;
};

static struct vsvm_device *vsvm_of(const struct device *dev)
{
	return dev->backend;
}

/* --- enumerate ---------------------------------------------------------- */

static const struct device_ops vsvm_ops;

static void have(struct device *dev, enum capability cap, const char *note)
{
	dev->caps[cap].have = true;
	snprintf(dev->caps[cap].note, sizeof(dev->caps[cap].note), "%s", note);
}

static void lacks(struct device *dev, enum capability cap, const char *why)
{
	dev->caps[cap].have = false;
	snprintf(dev->caps[cap].note, sizeof(dev->caps[cap].note), "%s", why);
}

static void describe_capabilities(struct device *dev)
{
	static const char *const loop = "a compare-exchange loop";

	for (int cap = 0; cap < CAP_COUNT; cap++)
		have(dev, (enum capability)cap, "");
	lacks(dev, CAP_COMPILER,
	      "vsvm runs functions of this program: it has contend and handoff, and none that is "
	      "broken");
	lacks(dev, CAP_GATE, "not probed");
	have(dev, CAP_SVM_FINE_SYSTEM, "but only memory of this process alone is exclusive");
	have(dev, CAP_SVM_ATOMICS, "by taking pages from the CPU");
	have(dev, CAP_FLOAT_ADD, loop);
	have(dev, CAP_DOUBLE_ADD, loop);
	have(dev, CAP_PARTITION, "its threads are bound to CPUs");
}

static void describe(struct device *dev, const struct svma_report *report)
{
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	snprintf(dev->name, sizeof(dev->name), "%s %.100s", report->driver, report->node);
	snprintf(dev->platform, sizeof(dev->platform), "libsvmatomic");
	snprintf(dev->platform_version, sizeof(dev->platform_version), "%s", svma_version());
	snprintf(dev->driver, sizeof(dev->driver), "%s", report->driver);
	snprintf(dev->version, sizeof(dev->version), "interface %u", report->version);
	dev->kind = DEVICE_VIRTUAL;
	dev->units = cpus < 1 ? 1 : cpus > 256 ? SVMA_ENGINE_MAX_THREADS : (unsigned)cpus;
	dev->max_items = dev->units;
	dev->max_group = 1;
	dev->max_alloc = UINT64_C(1) << 40;
	dev->widest_scope = SCOPE_ALL_DEVICES;
	describe_capabilities(dev);
}

static bool add_device(struct device_list *list, const struct svma_report *report)
{
	struct vsvm_device *vsvm = calloc(1, sizeof(*vsvm));
	struct device *dev = vsvm ? device_list_add(list) : NULL;

	if (!dev) {
		free(vsvm);
		return false;
	}
	memcpy(vsvm->node, report->node, sizeof(vsvm->node));
	dev->ops = &vsvm_ops;
	dev->backend = vsvm;
	describe(dev, report);
	return true;
}

/* What comes nearest to a virtual device, or to any device, has the reason worth telling. */
static void explain(struct device_list *list, const struct svma_report *nearest)
{
	struct svma_report report;

	if (!nearest) {
		svma_explain(NULL, &report);
		nearest = &report;
	}
	snprintf(list->absent, sizeof(list->absent), "no virtual device: %s",
		 nearest->error ? nearest->text : "load one (modprobe vsvm)");
}

bool vsvm_enumerate(struct device_list *list, struct error *err)
{
	const int room = svma_survey(NULL, 0);
	struct svma_report *reports = calloc(room > 0 ? (size_t)room : 1, sizeof(*reports));
	const struct svma_report *nearest = NULL;
	bool ok = reports;
	bool any = false;
	int count = 0;

	if (ok && room > 0)
		count = svma_survey(reports, (size_t)room);
	for (int i = 0; ok && i < count && i < room; i++) {
		if (reports[i].flags != SVMA_OPEN_VIRTUAL)
			continue;
		nearest = &reports[i];
		if (!reports[i].error) {
			ok = add_device(list, &reports[i]);
			any = true;
		}
	}
	if (ok && !any)
		explain(list, nearest);
	free(reports);
	return ok ? true : fail(err, EXIT_NO_MEMORY, "out of memory");
}

static void destroy(struct device *dev)
{
	free(dev->backend);
}

/* --- open --------------------------------------------------------------- */

static bool start_engine(struct device *dev, struct error *err)
{
	struct vsvm_device *vsvm = vsvm_of(dev);
	struct svma_engine_status status;
	const int error = svma_engine_start(&vsvm->engine, vsvm->device, dev->units, NULL, &status);

	if (error)
		return ownership_fail(dev, "starting an engine", error, status.reason, err);
	vsvm->engine_pid = status.pid;
	return ownership_describe(dev, vsvm->device, err);
}

static bool open_device(struct device *dev, unsigned units, struct error *err)
{
	struct vsvm_device *vsvm = vsvm_of(dev);
	const int error = svma_open_node(&vsvm->device, vsvm->node);

	dev->open_units = units && units < dev->units ? units : dev->units;
	if (error)
		return ownership_fail(dev, "opening it", error, SVMA_REASON_SYSTEM, err);
	return start_engine(dev, err);
}

static void close_device(struct device *dev)
{
	struct vsvm_device *vsvm = vsvm_of(dev);

	while (vsvm->kernels) {
		struct kernel *next = vsvm->kernels->next;

		free(vsvm->kernels);
		vsvm->kernels = next;
	}
	svma_engine_stop(vsvm->engine);
	svma_close(vsvm->device);
	vsvm->engine = NULL;
	vsvm->device = NULL;
}

static pid_t engine_process(const struct device *dev)
{
	return vsvm_of(dev)->engine_pid;
}

/* --- memory ------------------------------------------------------------- */

/* A mapping for each, so that nothing else lies on the pages that change hands. */
static bool alloc_memory(struct device *dev, enum memory_kind kind, size_t size, struct memory *out,
			 struct error *err)
{
	void *memory = mmap(NULL, ownership_pages(size), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*out = (struct memory){ .kind = kind, .size = size };
	if (memory == MAP_FAILED)
		return fail(err, EXIT_NO_MEMORY,
			    "%s: cannot allocate %zu KiB (%s); use a smaller working set",
			    dev->name, (size + 1023) >> 10, strerror(errno));
	out->handle = memory;
	out->host = kind == MEMORY_PLAIN ? NULL : memory;
	return true;
}

static void release_memory(struct device *dev, struct memory *memory)
{
	if (memory->handle) {
		ownership_forget(vsvm_of(dev)->device, memory->handle, memory->size);
		munmap(memory->handle, ownership_pages(memory->size));
	}
	*memory = (struct memory){ 0 };
}

/* All of it is coherent at any time. */
static bool map_memory(struct device *dev, const struct memory *memory, struct error *err)
{
	(void)dev;
	(void)memory;
	(void)err;
	return true;
}

static bool write_memory(struct device *dev, const struct memory *to, const void *from, size_t size,
			 struct error *err)
{
	(void)dev;
	(void)err;
	memcpy(to->handle, from, size);
	return true;
}

static bool read_memory(struct device *dev, void *to, const struct memory *from, size_t size,
			struct error *err)
{
	(void)dev;
	(void)err;
	memcpy(to, from->handle, size);
	return true;
}

static bool set_hold(struct device *dev, const struct memory *memory, uint64_t hold_ns,
		     struct error *err)
{
	return ownership_hold(dev, vsvm_of(dev)->device, memory->handle, memory->size, hold_ns,
			      err);
}

/* --- kernels ------------------------------------------------------------ */

static bool has_function(const struct device *dev, const struct task *task)
{
	(void)dev;
	return function_for(task);
}

static struct kernel *prepare(struct device *dev, const struct task *task, struct error *err)
{
	struct vsvm_device *vsvm = vsvm_of(dev);
	struct kernel *kernel;

	if (!function_for(task)) {
		fail(err, EXIT_UNAVAILABLE, "%s", dev->caps[CAP_COMPILER].note);
		return NULL;
	}
	kernel = calloc(1, sizeof(*kernel));
	if (!kernel) {
		fail(err, EXIT_NO_MEMORY, "out of memory");
		return NULL;
	}
	*kernel = (struct kernel){ .next = vsvm->kernels,
				   .task = *task,
				   .function = function_for(task) };
	vsvm->kernels = kernel;
	return kernel;
}

/* On the engine. */
static void run_items(void *argument, unsigned thread)
{
	const struct vsvm_launch *launch = argument;

	if (thread < launch->items)
		launch->function(launch->task, launch->args, thread);
}

static union value value_of(const struct argument *arg)
{
	switch (arg->kind) {
	case ARG_MEMORY:
		return (union value){ .memory = arg->memory->handle };
	case ARG_U32:
		return (union value){ .number = arg->u32 };
	case ARG_U64:
		return (union value){ .number = arg->u64 };
	}
	return (union value){ 0 };
}

static bool engine_failed(struct device *dev, int error, const struct svma_engine_status *status,
			  struct error *err)
{
	return fail(err, EXIT_DEVICE_LOST,
		    "%s: its engine failed: %s (%s; signal %d, address %#llx); see the kernel log",
		    dev->name, strerror(-error), svma_strreason(status->reason), status->signal,
		    (unsigned long long)status->address);
}

static struct launch *launch_kernel(struct device *dev, struct kernel *kernel,
				    const struct argument *args, size_t nargs, size_t global,
				    size_t group, struct error *err)
{
	struct vsvm_device *vsvm = vsvm_of(dev);
	struct vsvm_launch *launch;
	int error;

	(void)group;
	if (nargs > MAX_ARGUMENTS || global > dev->max_items) {
		fail(err, EXIT_UNAVAILABLE, "%s has %zu threads, too few for %zu work-items",
		     dev->name, dev->max_items, global);
		return NULL;
	}
	launch = calloc(1, sizeof(*launch));
	if (!launch) {
		fail(err, EXIT_NO_MEMORY, "out of memory");
		return NULL;
	}
	*launch = (struct vsvm_launch){ .base.dev = dev,
					.task = &kernel->task,
					.function = kernel->function,
					.items = global };
	for (size_t i = 0; i < nargs; i++)
		launch->args[i] = value_of(&args[i]);
	error = svma_engine_launch(vsvm->engine, run_items, launch);
	if (error) {
		struct svma_engine_status status;

		svma_engine_wait(vsvm->engine, 0, &status);
		engine_failed(dev, error, &status, err);
		free(launch);
		return NULL;
	}
	return &launch->base;
}

static bool launch_done(struct launch *launch)
{
	return svma_engine_wait(vsvm_of(launch->dev)->engine, 0, NULL) != -ETIMEDOUT;
}

static bool launch_wait(struct launch *base, uint64_t timeout_ns, struct launch_times *times,
			struct error *err)
{
	struct device *dev = base->dev;
	const uint64_t ms = (timeout_ns + 999999) / 1000000;
	struct svma_engine_status status;
	const int error =
		svma_engine_wait(vsvm_of(dev)->engine, ms < INT_MAX ? (int)ms : INT_MAX, &status);

	if (times)
		*times = (struct launch_times){ 0 };
	/* What it runs on still reads the launch. */
	if (error == -ETIMEDOUT)
		return fail(err, EXIT_DEVICE_LOST,
			    "%s: a kernel did not end within %.1f s: the device hangs; see the "
			    "kernel log, or allow more with --timeout",
			    dev->name, (double)timeout_ns * 1e-9);
	free((struct vsvm_launch *)base);
	return error ? engine_failed(dev, error, &status, err) : true;
}

/* --- counters ----------------------------------------------------------- */

static bool read_counters(struct device *dev, struct counters *out)
{
	return ownership_counters(vsvm_of(dev)->device, out);
}

static const struct device_ops vsvm_ops = {
	.backend = "vsvm",
	.open = open_device,
	.close = close_device,
	.alloc = alloc_memory,
	.release = release_memory,
	.map = map_memory,
	.unmap = map_memory,
	.write = write_memory,
	.read = read_memory,
	.has_function = has_function,
	.prepare = prepare,
	.launch = launch_kernel,
	.done = launch_done,
	.wait = launch_wait,
	.hold = set_hold,
	.counters = read_counters,
	.process = engine_process,
	.destroy = destroy,
};
