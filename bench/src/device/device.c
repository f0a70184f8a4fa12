/* SPDX-License-Identifier: MIT */
/*
 * Devices of every back end behind one interface.
 */
#include "device.h"

#include "gate.h"
#include "opencl.h"
#include "vsvm.h"

#include <stdlib.h>
#include <unistd.h>

const char *const device_kind_names[DEVICE_KIND_COUNT + 1] = {
	[DEVICE_REAL_GPU] = "real GPU",
	[DEVICE_CPU] = "CPU device",
	[DEVICE_VIRTUAL] = "virtual device",
	[DEVICE_OTHER] = "other device",
};

const char *const gate_names[GATE_COUNT + 1] = { "none", "load", "volatile", "rmw" };

const char *const capability_names[CAP_COUNT + 1] = {
	[CAP_COMPILER] = "compiler",
	[CAP_SVM_COARSE] = "svm_coarse",
	[CAP_SVM_FINE_BUFFER] = "svm_fine_buffer",
	[CAP_SVM_FINE_SYSTEM] = "svm_fine_system",
	[CAP_SVM_ATOMICS] = "svm_atomics",
	[CAP_SCOPE_DEVICE] = "scope_device",
	[CAP_SCOPE_ALL_DEVICES] = "scope_all_devices",
	[CAP_ORDER_ACQ_REL] = "order_acq_rel",
	[CAP_ORDER_SEQ_CST] = "order_seq_cst",
	[CAP_ATOMIC_INT64] = "atomic_int64",
	[CAP_FLOAT_ADD] = "float_add",
	[CAP_DOUBLE] = "double",
	[CAP_DOUBLE_ADD] = "double_add",
	[CAP_GATE] = "gate",
	[CAP_PARTITION] = "partition",
};

const char *const capability_summaries[CAP_COUNT + 1] = {
	[CAP_COMPILER] = "builds kernels from source",
	[CAP_SVM_COARSE] = "coarse-grained SVM buffers",
	[CAP_SVM_FINE_BUFFER] = "fine-grained SVM buffers",
	[CAP_SVM_FINE_SYSTEM] = "any host memory is SVM",
	[CAP_SVM_ATOMICS] = "atomics that host and device both honour",
	[CAP_SCOPE_DEVICE] = "memory scope: device",
	[CAP_SCOPE_ALL_DEVICES] = "memory scope: all devices and the host",
	[CAP_ORDER_ACQ_REL] = "memory orders acquire, release, acq_rel",
	[CAP_ORDER_SEQ_CST] = "memory order seq_cst",
	[CAP_ATOMIC_INT64] = "64-bit atomics",
	[CAP_FLOAT_ADD] = "atomic add on float",
	[CAP_DOUBLE] = "double precision",
	[CAP_DOUBLE_ADD] = "atomic add on double",
	[CAP_GATE] = "a running kernel can wait for the host (probed)",
	[CAP_PARTITION] = "can be opened on some of its compute units",
};

bool device_list_fill(struct device_list *list, unsigned cpu_units, struct error *err)
{
	*list = (struct device_list){ 0 };
	if (!opencl_enumerate(list, cpu_units, err) || !vsvm_enumerate(list, err)) {
		device_list_clear(list);
		return false;
	}
	if (list->count)
		return true;
	return fail(err, EXIT_UNAVAILABLE,
		    "no OpenCL device: install an OpenCL driver (on Debian, for the CPU: apt-get "
		    "install pocl-opencl-icd); %s",
		    list->absent);
}

struct device *device_list_add(struct device_list *list)
{
	struct device **grown = realloc(list->devices, (list->count + 1) * sizeof(*grown));
	struct device *dev;

	if (!grown)
		return NULL;
	list->devices = grown;
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return NULL;
	dev->timeout_ns = DEVICE_TIMEOUT_NS;
	list->devices[list->count++] = dev;
	return dev;
}

void device_list_clear(struct device_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		list->devices[i]->ops->destroy(list->devices[i]);
		free(list->devices[i]);
	}
	free(list->devices);
	*list = (struct device_list){ 0 };
}

bool device_open(struct device *dev, unsigned units, struct error *err)
{
	if (!dev->ops->open(dev, units, err) || !gate_probe(dev, err) ||
	    (dev->ops->probed && !dev->ops->probed(dev, err))) {
		if (!err || err->code != EXIT_DEVICE_LOST)
			dev->ops->close(dev);
		return false;
	}
	return true;
}

void device_close(struct device *dev)
{
	dev->ops->close(dev);
}

bool device_alloc(struct device *dev, enum memory_kind kind, size_t size, struct memory *out,
		  struct error *err)
{
	return dev->ops->alloc(dev, kind, size, out, err);
}

void device_release(struct device *dev, struct memory *memory)
{
	dev->ops->release(dev, memory);
}

bool device_map(struct device *dev, const struct memory *memory, struct error *err)
{
	return dev->ops->map(dev, memory, err);
}

bool device_unmap(struct device *dev, const struct memory *memory, struct error *err)
{
	return dev->ops->unmap(dev, memory, err);
}

bool device_write(struct device *dev, const struct memory *to, const void *from, size_t size,
		  struct error *err)
{
	return dev->ops->write(dev, to, from, size, err);
}

bool device_read(struct device *dev, void *to, const struct memory *from, size_t size,
		 struct error *err)
{
	return dev->ops->read(dev, to, from, size, err);
}

const char *device_lacks(const struct device *dev, const struct task *task)
{
	if (dev->caps[CAP_COMPILER].have)
		return NULL;
	if (dev->ops->has_function && dev->ops->has_function(dev, task))
		return NULL;
	return dev->caps[CAP_COMPILER].note;
}

struct kernel *device_prepare(struct device *dev, const struct task *task, struct error *err)
{
	return dev->ops->prepare(dev, task, err);
}

struct launch *device_launch(struct device *dev, struct kernel *kernel, const struct argument *args,
			     size_t nargs, size_t global, size_t group, struct error *err)
{
	return dev->ops->launch(dev, kernel, args, nargs, global, group, err);
}

bool device_done(struct launch *launch)
{
	return launch->dev->ops->done(launch);
}

bool device_wait(struct launch *launch, uint64_t timeout_ns, struct launch_times *times,
		 struct error *err)
{
	return launch->dev->ops->wait(launch, timeout_ns, times, err);
}

bool device_hold(struct device *dev, const struct memory *memory, uint64_t hold_ns,
		 struct error *err)
{
	return dev->ops->hold(dev, memory, hold_ns, err);
}

bool device_counters(struct device *dev, struct counters *out)
{
	*out = (struct counters){ 0 };
	return dev->ops->counters && dev->ops->counters(dev, out);
}

pid_t device_process(const struct device *dev)
{
	return dev->ops->process ? dev->ops->process(dev) : getpid();
}

bool device_cpuset_near(struct device *dev, hwloc_topology_t topology, hwloc_cpuset_t set)
{
	return dev->ops->cpuset_near && dev->ops->cpuset_near(dev, topology, set);
}
