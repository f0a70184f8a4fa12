/* SPDX-License-Identifier: MIT */
/*
 * The device side of a measurement, as the workloads see it: open, capabilities
 * with reasons, memory, prepare, launch, wait, counters. A back end fills in a
 * struct device_ops: OpenCL (opencl.c) and vsvm, the virtual device (vsvm.c).
 * Workloads never name a back end.
 *
 * Threads: a device is used from one thread at a time. Memory from
 * device_alloc() may be touched by any thread as its kind allows.
 */
#ifndef BENCH_DEVICE_H
#define BENCH_DEVICE_H

#include "atomics.h"
#include "counters.h"
#include "error.h"

#include <hwloc.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a number was measured on; stamped on every result. Certain once the device was opened. */
enum device_kind {
	DEVICE_REAL_GPU,
	DEVICE_CPU,
	DEVICE_VIRTUAL,
	DEVICE_OTHER,
	DEVICE_KIND_COUNT,
};
extern const char *const device_kind_names[DEVICE_KIND_COUNT + 1];

enum capability {
	CAP_COMPILER,
	CAP_SVM_COARSE,
	CAP_SVM_FINE_BUFFER,
	CAP_SVM_FINE_SYSTEM,
	CAP_SVM_ATOMICS,
	CAP_SCOPE_DEVICE,
	CAP_SCOPE_ALL_DEVICES,
	CAP_ORDER_ACQ_REL,
	CAP_ORDER_SEQ_CST,
	CAP_ATOMIC_INT64,
	CAP_FLOAT_ADD,
	CAP_DOUBLE,
	CAP_DOUBLE_ADD,
	CAP_GATE,
	CAP_PARTITION,
	CAP_COUNT,
};
extern const char *const capability_names[CAP_COUNT + 1];
extern const char *const capability_summaries[CAP_COUNT + 1];

/* How a kernel can wait for the host while it runs, best first. */
enum gate {
	GATE_NONE,     /* it cannot: workloads use a mode without a start gate */
	GATE_LOAD,     /* spins on an atomic load */
	GATE_VOLATILE, /* spins on a volatile load */
	GATE_RMW,      /* spins on a read-modify-write that changes nothing */
	GATE_COUNT,
};
extern const char *const gate_names[GATE_COUNT + 1];

/* @note: why it is missing; where it is there, a remark worth printing or "". */
struct capability_state {
	bool have;
	char note[256];
};

enum memory_kind {
	MEMORY_SVM_ATOMIC, /* fine-grained SVM with atomics: host and device at once */
	MEMORY_SVM_FINE,   /* fine-grained SVM: coherent at synchronisation points */
	MEMORY_SVM_COARSE, /* coarse-grained SVM: device_map() before the host looks */
	MEMORY_PLAIN,	   /* a device buffer: device_write() and device_read() */
};

/* @host is the address on both sides; NULL for MEMORY_PLAIN. */
struct memory {
	enum memory_kind kind;
	size_t size;
	void *host;
	void *handle;
};

/*
 * One kernel, described by what it does rather than by its source, so that a
 * back end without a compiler can pick a function. @workload names the source
 * (kernels/<workload>.cl), @entry the kernel in it. The rest is ignored by
 * kernels that have no use for it. @broken asks for the deliberately non-atomic
 * build that the verifier has to catch.
 */
struct task {
	const char *workload;
	const char *entry;
	enum op op;
	enum type type;
	enum order order;
	enum scope scope;
	enum gate gate;
	bool random;
	bool broken;
};

struct argument {
	enum { ARG_MEMORY, ARG_U32, ARG_U64 } kind;
	union {
		const struct memory *memory;
		uint32_t u32;
		uint64_t u64;
	};
};

#define ARG_OF_MEMORY(m) ((struct argument){ .kind = ARG_MEMORY, .memory = (m) })
#define ARG_OF_U32(v)	 ((struct argument){ .kind = ARG_U32, .u32 = (v) })
#define ARG_OF_U64(v)	 ((struct argument){ .kind = ARG_U64, .u64 = (v) })

struct device;
struct kernel; /* prepared; owned by the device, gone with device_close() */

/* One execution in flight; ended by device_wait(). Back ends put more behind it. */
struct launch {
	struct device *dev;
};

/* Nanoseconds of the device's own clock; 0 and 0 where it has none. */
struct launch_times {
	uint64_t start_ns;
	uint64_t end_ns;
};

struct device_ops {
	const char *backend;
	bool (*open)(struct device *dev, unsigned units, struct error *err);
	/* NULL: it learns nothing from the gate's kernels, which have run by then. */
	bool (*probed)(struct device *dev, struct error *err);
	void (*close)(struct device *dev);
	bool (*alloc)(struct device *dev, enum memory_kind kind, size_t size, struct memory *out,
		      struct error *err);
	void (*release)(struct device *dev, struct memory *memory);
	bool (*map)(struct device *dev, const struct memory *memory, struct error *err);
	bool (*unmap)(struct device *dev, const struct memory *memory, struct error *err);
	bool (*write)(struct device *dev, const struct memory *to, const void *from, size_t size,
		      struct error *err);
	bool (*read)(struct device *dev, void *to, const struct memory *from, size_t size,
		     struct error *err);
	struct kernel *(*prepare)(struct device *dev, const struct task *task, struct error *err);
	struct launch *(*launch)(struct device *dev, struct kernel *kernel,
				 const struct argument *args, size_t nargs, size_t global,
				 size_t group, struct error *err);
	bool (*done)(struct launch *launch);
	bool (*wait)(struct launch *launch, uint64_t timeout_ns, struct launch_times *times,
		     struct error *err);
	/* NULL: none of its own; without a compiler, there are no others. */
	bool (*has_function)(const struct device *dev, const struct task *task);
	/* NULL without a policy. */
	bool (*hold)(struct device *dev, const struct memory *memory, uint64_t hold_ns,
		     struct error *err);
	/* NULL: it has none. */
	bool (*counters)(struct device *dev, struct counters *out);
	/* NULL: the device's threads, if any, are this process's. */
	pid_t (*process)(const struct device *dev);
	bool (*cpuset_near)(struct device *dev, hwloc_topology_t topology, hwloc_cpuset_t set);
	void (*destroy)(struct device *dev);
};

struct device {
	const struct device_ops *ops;
	void *backend; /* the back end's own state */
	enum device_kind kind;
	char name[128];
	char platform[128];
	char platform_version[128];
	char driver[128];
	char version[128];
	char dialect[128];   /* how its compiler is asked for atomics, in words */
	unsigned units;	     /* compute units it reports */
	unsigned open_units; /* as many as it is meant to use */
	size_t max_group;
	size_t max_items; /* work-items that can run at all; 0: any number, one after another */
	uint64_t max_alloc;
	uint64_t default_hold_ns; /* how long it keeps a page that the CPU wants ... */
	uint64_t max_hold_ns;	  /* ... and how long it may be told to; 0: not at all */
	enum scope widest_scope;  /* the widest scope its compiler accepts */
	enum gate gate;
	uint64_t timeout_ns;	   /* a kernel of the gate's probe that takes longer hangs */
	uint64_t gate_spins_per_s; /* speed of the gate's loop, for bounding waits */
	struct capability_state caps[CAP_COUNT];
};

/* @absent: why a back end has no device, a line for people, or "". */
struct device_list {
	struct device **devices;
	size_t count;
	char absent[512];
};

/*
 * Every device of every back end, with its capabilities as far as the driver
 * tells them. @cpu_units: how many threads a CPU device that cannot be
 * partitioned should have (0: as many as it likes); only the first call in a
 * process can set it. Fails (EXIT_UNAVAILABLE) where there is no device at all.
 */
bool device_list_fill(struct device_list *list, unsigned cpu_units, struct error *err);
void device_list_clear(struct device_list *list);

/* For back ends: a new device behind the others, with nothing in it; NULL without memory. */
struct device *device_list_add(struct device_list *list);

/* Whether its work-items run as threads on this machine's CPUs. */
static inline bool device_is_on_cpus(const struct device *dev)
{
	return dev->kind == DEVICE_CPU || dev->kind == DEVICE_VIRTUAL;
}

/* timeout_ns of a device that nobody has set it for. */
#define DEVICE_TIMEOUT_NS UINT64_C(10000000000)

/*
 * Open for work, on @units compute units (0: all). On CPU devices that can be
 * partitioned, fewer units leave the other cores to host threads. Finds the
 * device's gate, once.
 */
bool device_open(struct device *dev, unsigned units, struct error *err);
void device_close(struct device *dev);

bool device_alloc(struct device *dev, enum memory_kind kind, size_t size, struct memory *out,
		  struct error *err);
void device_release(struct device *dev, struct memory *memory);

/* Between map and unmap the host owns coarse-grained SVM; blocking. */
bool device_map(struct device *dev, const struct memory *memory, struct error *err);
bool device_unmap(struct device *dev, const struct memory *memory, struct error *err);

/* Blocking copies of MEMORY_PLAIN. */
bool device_write(struct device *dev, const struct memory *to, const void *from, size_t size,
		  struct error *err);
bool device_read(struct device *dev, void *to, const struct memory *from, size_t size,
		 struct error *err);

/* Why it has no kernel for @task, whatever it is asked for in detail; NULL where it has. */
const char *device_lacks(const struct device *dev, const struct task *task);

/* The kernel for @task, built once per device and task and then reused. */
struct kernel *device_prepare(struct device *dev, const struct task *task, struct error *err);

/*
 * Start @kernel on @global work-items in groups of @group (0: the device
 * chooses). Returns at once; NULL on failure.
 */
struct launch *device_launch(struct device *dev, struct kernel *kernel, const struct argument *args,
			     size_t nargs, size_t global, size_t group, struct error *err);

/* Whether @launch has ended, without waiting. */
bool device_done(struct launch *launch);

/*
 * Wait for @launch and free it. Past @timeout_ns the device counts as lost
 * (EXIT_DEVICE_LOST). @times may be NULL.
 */
bool device_wait(struct launch *launch, uint64_t timeout_ns, struct launch_times *times,
		 struct error *err);

/*
 * Have the device keep each page of @memory for at least @hold_ns once it got it;
 * DEVICE_HOLD_DEFAULT is its own default. For devices with max_hold_ns only. The policy
 * goes with the memory.
 */
#define DEVICE_HOLD_DEFAULT UINT64_MAX
bool device_hold(struct device *dev, const struct memory *memory, uint64_t hold_ns,
		 struct error *err);

/* What the driver has counted so far. False, and all 0, where it counts nothing. */
bool device_counters(struct device *dev, struct counters *out);

/* The process whose threads the device's work-items run on, where they are threads. */
pid_t device_process(const struct device *dev);

/* CPUs near the device; false where nobody knows. */
bool device_cpuset_near(struct device *dev, hwloc_topology_t topology, hwloc_cpuset_t set);

#endif
