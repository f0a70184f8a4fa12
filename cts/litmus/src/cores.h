/* SPDX-License-Identifier: MIT */
/*
 * Which core each thread runs on: the host's crew, and the threads of a device that is the CPU
 * itself, so that the threads of one program do not share a core while another has none.
 */
#ifndef CTS_LITMUS_CORES_H
#define CTS_LITMUS_CORES_H

#include "crew.h"
#include "litmus.h"

#include <hwloc.h>
#include <sys/types.h>

#define MAX_DEVICE_THREADS 256

struct cores {
	hwloc_topology_t topology;
	hwloc_cpuset_t allowed; /* that this process may use */
	unsigned count;
	struct crew *crew;
	pid_t member[MAX_THREADS]; /* of the crew */
	/* Of a CPU device: all threads there were before the crew. */
	pid_t device_thread[MAX_DEVICE_THREADS];
	unsigned device_threads;
	unsigned bound_hosts; /* what they are bound for */
	unsigned bound_groups;
};

/* Call it when the device is open and before other threads are there. */
bool cores_open(struct cores *cores, bool cpu_device, struct error *err);
void cores_close(struct cores *cores);

/*
 * A core for each of the first @hosts members of the crew and each of @groups that a CPU device
 * is to run. Where there are too few, host threads share: they can give way.
 */
void cores_bind(struct cores *cores, unsigned hosts, unsigned groups);

#endif
