/* SPDX-License-Identifier: MIT */
/*
 * The machine as hwloc sees it, how a CPU device and host threads share its
 * cores, and which CPU each host thread is bound to.
 */
#ifndef BENCH_TOPOLOGY_H
#define BENCH_TOPOLOGY_H

#include "crew.h"
#include "device.h"
#include "error.h"

#include <hwloc.h>
#include <stdbool.h>

struct topology {
	hwloc_topology_t hwloc;
	hwloc_cpuset_t allowed; /* CPUs this process may use */
	unsigned cpus;
	unsigned line_bytes; /* of the first-level cache */
	/*
	 * CPU device: the CPUs its threads are bound to. Any other device: empty.
	 * Set by topology_split().
	 */
	hwloc_cpuset_t device_cpus;
};

bool topology_init(struct topology *topology, struct error *err);
void topology_clear(struct topology *topology);

/*
 * Split the cores between a CPU device and @cpu_threads host threads: the
 * device gets what the threads leave, at least one. Returns the number of
 * compute units to open (0: all, for a device that is not a CPU).
 */
unsigned topology_split(struct topology *topology, const struct device *dev, unsigned cpu_threads);

/*
 * Choose CPUs for @count host threads. @placement: "spread", "same-core",
 * "share-cache", "other-package", "other-node", "near", "far", or a CPU list
 * in hwloc's syntax ("cpus:0-3"). cpus[i] is to be freed with
 * hwloc_bitmap_free(). @oversubscribed: two threads, or a thread and the
 * device, share a CPU. EXIT_UNAVAILABLE says what the machine lacks;
 * EXIT_USAGE_ERROR names a CPU that does not exist.
 */
bool topology_place(const struct topology *topology, struct device *dev, const char *placement,
		    unsigned count, hwloc_cpuset_t *cpus, bool *oversubscribed, struct error *err);

/*
 * Bind the threads of a CPU device to device_cpus, then start @count host threads
 * placed as above. Call it while the only other threads are the device's, and
 * destroy the crew before the next: every other thread there is gets bound.
 * *@crew is NULL where @count is 0.
 */
bool topology_hire(const struct topology *topology, struct device *dev, const char *placement,
		   unsigned count, struct crew **crew, bool *oversubscribed, struct error *err);

#endif
