/* SPDX-License-Identifier: MIT */
/*
 * hwloc, and /proc for threads that a driver has started.
 */
#include "cores.h"

#include <dirent.h>
#include <hwloc/linux.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The @index-th allowed CPU, beginning anew after the last. */
static int nth_cpu(const struct cores *cores, unsigned index)
{
	int cpu = hwloc_bitmap_first(cores->allowed);

	for (index %= cores->count; index; index--)
		cpu = hwloc_bitmap_next(cores->allowed, cpu);
	return cpu;
}

static void list_threads(struct cores *cores)
{
	const pid_t self = getpid();
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *entry;

	/* Unbound, they are merely slower to meet. */
	if (!tasks)
		return;
	while ((entry = readdir(tasks)) && cores->device_threads < MAX_DEVICE_THREADS) {
		const pid_t tid = (pid_t)atol(entry->d_name);

		if (tid > 0 && tid != self)
			cores->device_thread[cores->device_threads++] = tid;
	}
	closedir(tasks);
}

static void say_tid(void *context, unsigned member)
{
	struct cores *cores = context;

	cores->member[member] = (pid_t)syscall(SYS_gettid);
}

static bool hire(struct cores *cores, struct error *err)
{
	cores->crew = crew_create(cores->topology, NULL, MAX_THREADS, err);
	if (!cores->crew)
		return false;
	crew_start(cores->crew, say_tid, cores);
	crew_join(cores->crew);
	return true;
}

bool cores_open(struct cores *cores, bool cpu_device, struct error *err)
{
	*cores = (struct cores){ 0 };
	if (hwloc_topology_init(&cores->topology) || hwloc_topology_load(cores->topology))
		return fail(err, EXIT_UNAVAILABLE, "hwloc cannot read this machine's topology");
	cores->allowed = hwloc_bitmap_alloc();
	if (!cores->allowed)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	/* Where nobody has bound it, it may use what the topology allows. */
	if (hwloc_get_cpubind(cores->topology, cores->allowed, HWLOC_CPUBIND_PROCESS))
		hwloc_bitmap_copy(cores->allowed,
				  hwloc_topology_get_allowed_cpuset(cores->topology));
	cores->count = (unsigned)hwloc_bitmap_weight(cores->allowed);
	if (cpu_device)
		list_threads(cores);
	return hire(cores, err);
}

void cores_close(struct cores *cores)
{
	crew_destroy(cores->crew);
	hwloc_bitmap_free(cores->allowed);
	if (cores->topology)
		hwloc_topology_destroy(cores->topology);
	*cores = (struct cores){ 0 };
}

/* One that has ended, or is beyond our reach, stays where it is. */
static void bind_to(struct cores *cores, pid_t tid, hwloc_bitmap_t cpu, unsigned index)
{
	hwloc_bitmap_only(cpu, (unsigned)nth_cpu(cores, index));
	hwloc_linux_set_tid_cpubind(cores->topology, tid, cpu);
}

void cores_bind(struct cores *cores, unsigned hosts, unsigned groups)
{
	unsigned host_cpus = cores->count > groups ? cores->count - groups : 1;
	hwloc_bitmap_t cpu;

	if (cores->bound_hosts == hosts && cores->bound_groups == groups)
		return;
	cpu = hwloc_bitmap_alloc();
	if (!cpu)
		return;
	if (host_cpus > hosts)
		host_cpus = hosts;
	for (unsigned i = 0; i < hosts; i++)
		bind_to(cores, cores->member[i], cpu, i % host_cpus);
	for (unsigned i = 0; groups && i < cores->device_threads; i++)
		bind_to(cores, cores->device_thread[i], cpu, host_cpus + i % groups);
	hwloc_bitmap_free(cpu);
	cores->bound_hosts = hosts;
	cores->bound_groups = groups;
}
