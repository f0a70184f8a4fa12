/* SPDX-License-Identifier: MIT */
/*
 * CPUs: who shares what, and who runs where.
 */
#include "topology.h"

#include <dirent.h>
#include <errno.h>
#include <hwloc/linux.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const placement_help =
	"use spread, same-core, share-cache, other-package, other-node, near, far or cpus:LIST";

static unsigned line_bytes(hwloc_topology_t topology)
{
	hwloc_obj_t cache = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_L1CACHE, NULL);

	return cache && cache->attr->cache.linesize ? cache->attr->cache.linesize : 64;
}

bool topology_init(struct topology *topology, struct error *err)
{
	*topology = (struct topology){ 0 };
	if (hwloc_topology_init(&topology->hwloc))
		return fail(err, EXIT_NO_MEMORY, "hwloc cannot start: %s", strerror(errno));
	/* PCI and OS devices tell which CPUs are near a GPU. */
	hwloc_topology_set_io_types_filter(topology->hwloc, HWLOC_TYPE_FILTER_KEEP_IMPORTANT);
	if (hwloc_topology_load(topology->hwloc)) {
		hwloc_topology_destroy(topology->hwloc);
		return fail(err, EXIT_UNAVAILABLE, "hwloc cannot read this machine's topology: %s",
			    strerror(errno));
	}
	topology->allowed = hwloc_bitmap_alloc();
	topology->device_cpus = hwloc_bitmap_alloc();
	if (hwloc_get_cpubind(topology->hwloc, topology->allowed, HWLOC_CPUBIND_PROCESS))
		hwloc_bitmap_copy(topology->allowed,
				  hwloc_topology_get_allowed_cpuset(topology->hwloc));
	hwloc_bitmap_and(topology->allowed, topology->allowed,
			 hwloc_topology_get_allowed_cpuset(topology->hwloc));
	topology->cpus = (unsigned)hwloc_bitmap_weight(topology->allowed);
	topology->line_bytes = line_bytes(topology->hwloc);
	return true;
}

void topology_clear(struct topology *topology)
{
	hwloc_bitmap_free(topology->device_cpus);
	hwloc_bitmap_free(topology->allowed);
	hwloc_topology_destroy(topology->hwloc);
}

unsigned topology_split(struct topology *topology, const struct device *dev, unsigned cpu_threads)
{
	unsigned units;
	unsigned taken = 0;
	unsigned cpu;

	hwloc_bitmap_zero(topology->device_cpus);
	if (!device_is_on_cpus(dev))
		return 0;
	units = cpu_threads < topology->cpus ? topology->cpus - cpu_threads : 1;
	hwloc_bitmap_foreach_begin (cpu, topology->allowed)
		if (taken < units) {
			hwloc_bitmap_set(topology->device_cpus, cpu);
			taken++;
		}
	hwloc_bitmap_foreach_end();
	return units;
}

static bool bind_threads(const struct topology *topology, pid_t process, struct error *err)
{
	const pid_t self = gettid();
	const struct dirent *entry;
	char path[64];
	DIR *tasks;
	bool ok = true;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)process);
	tasks = opendir(path);
	if (!tasks)
		return fail(err, EXIT_UNAVAILABLE,
			    "cannot list the device's threads in %s: %s; mount /proc", path,
			    strerror(errno));
	while ((entry = readdir(tasks))) {
		const pid_t tid = (pid_t)atol(entry->d_name);

		if (tid <= 0 || tid == self)
			continue;
		/* A thread may end between the listing and the binding. */
		if (hwloc_linux_set_tid_cpubind(topology->hwloc, tid, topology->device_cpus) &&
		    errno != ESRCH)
			ok = false;
	}
	closedir(tasks);
	return ok ? true
		  : fail(err, EXIT_UNAVAILABLE,
			 "the kernel refuses to bind the device's threads; check this process's "
			 "cpuset (taskset -p, cgroup)");
}

/* Those of a process of its own, and those in ours that serve it. */
static bool bind_device(const struct topology *topology, const struct device *dev,
			struct error *err)
{
	const pid_t process = device_process(dev);

	if (hwloc_bitmap_iszero(topology->device_cpus))
		return true;
	return bind_threads(topology, getpid(), err) &&
	       (process == getpid() || bind_threads(topology, process, err));
}

/* --- placement ---------------------------------------------------------- */

/* CPUs inside the objects of @type that cover any CPU of @around, less @around itself. */
static void covered(hwloc_topology_t topology, hwloc_obj_type_t type, hwloc_const_cpuset_t around,
		    hwloc_cpuset_t out)
{
	hwloc_obj_t obj = NULL;

	hwloc_bitmap_zero(out);
	while ((obj = hwloc_get_next_obj_by_type(topology, type, obj)))
		if (obj->cpuset && hwloc_bitmap_intersects(obj->cpuset, around))
			hwloc_bitmap_or(out, out, obj->cpuset);
}

static bool cpu_list(const struct topology *topology, const char *list, hwloc_cpuset_t out,
		     struct error *err)
{
	if (hwloc_bitmap_list_sscanf(out, list) || hwloc_bitmap_iszero(out))
		return fail(err, EXIT_USAGE_ERROR,
			    "placement=cpus:%s is no CPU list; write it like cpus:0-3,8", list);
	if (!hwloc_bitmap_isincluded(out, topology->allowed)) {
		char *known = NULL;
		bool ok;

		hwloc_bitmap_list_asprintf(&known, topology->allowed);
		ok = fail(err, EXIT_USAGE_ERROR,
			  "placement=cpus:%s names a CPU this process does not have; it has %s",
			  list, known ? known : "none");
		free(known);
		return ok;
	}
	return true;
}

static bool near_or_far(const struct topology *topology, struct device *dev, bool near,
			hwloc_cpuset_t out, struct error *err)
{
	if (device_is_on_cpus(dev))
		return fail(err, EXIT_UNAVAILABLE,
			    "placement=%s: %s is on the CPUs; use share-cache or other-package",
			    near ? "near" : "far", dev->name);
	if (!device_cpuset_near(dev, topology->hwloc, out))
		return fail(err, EXIT_UNAVAILABLE, "placement=%s: hwloc does not know where %s is",
			    near ? "near" : "far", dev->name);
	if (!near)
		hwloc_bitmap_andnot(out, topology->allowed, out);
	return true;
}

/*
 * The CPUs a placement asks for. Relations are to the device's CPUs where the
 * device is the CPU, and else to the first CPU, where the first thread goes.
 */
static bool candidates(const struct topology *topology, struct device *dev, const char *placement,
		       hwloc_cpuset_t out, struct error *err)
{
	hwloc_cpuset_t around;
	bool ok = true;

	if (!strncmp(placement, "cpus:", 5))
		return cpu_list(topology, placement + 5, out, err);
	if (!strcmp(placement, "near") || !strcmp(placement, "far"))
		return near_or_far(topology, dev, !strcmp(placement, "near"), out, err);

	around = hwloc_bitmap_dup(topology->device_cpus);
	if (hwloc_bitmap_iszero(around))
		hwloc_bitmap_set(around, (unsigned)hwloc_bitmap_first(topology->allowed));
	if (!strcmp(placement, "spread")) {
		hwloc_bitmap_copy(out, topology->allowed);
	} else if (!strcmp(placement, "same-core")) {
		covered(topology->hwloc, HWLOC_OBJ_CORE, around, out);
	} else if (!strcmp(placement, "share-cache")) {
		covered(topology->hwloc, HWLOC_OBJ_L3CACHE, around, out);
	} else if (!strcmp(placement, "other-package")) {
		covered(topology->hwloc, HWLOC_OBJ_PACKAGE, around, out);
		hwloc_bitmap_andnot(out, topology->allowed, out);
	} else if (!strcmp(placement, "other-node")) {
		hwloc_obj_t node = NULL;

		hwloc_bitmap_zero(out);
		while ((node = hwloc_get_next_obj_by_type(topology->hwloc, HWLOC_OBJ_NUMANODE,
							  node)))
			if (!hwloc_bitmap_intersects(node->cpuset, around))
				hwloc_bitmap_or(out, out, node->cpuset);
	} else {
		ok = fail(err, EXIT_USAGE_ERROR, "placement=%s is unknown; %s", placement,
			  placement_help);
	}
	hwloc_bitmap_free(around);
	return ok;
}

/* Spread over cores before hardware threads: hwloc_distrib() does the thinking. */
static void spread(const struct topology *topology, hwloc_const_cpuset_t from, unsigned count,
		   hwloc_cpuset_t *cpus)
{
	const unsigned room = (unsigned)hwloc_bitmap_weight(from);
	unsigned i = 0;
	unsigned cpu;

	if (count <= room) {
		hwloc_obj_t root = hwloc_get_root_obj(topology->hwloc);
		hwloc_topology_t part = NULL;

		if (!hwloc_topology_dup(&part, topology->hwloc) &&
		    !hwloc_topology_restrict(part, from, 0)) {
			root = hwloc_get_root_obj(part);
			hwloc_distrib(part, &root, 1, cpus, count, INT_MAX, 0);
			for (i = 0; i < count; i++)
				hwloc_bitmap_singlify(cpus[i]);
		}
		if (part)
			hwloc_topology_destroy(part);
	}
	while (i < count)
		hwloc_bitmap_foreach_begin (cpu, from)
			if (i < count) {
				cpus[i] = hwloc_bitmap_alloc();
				hwloc_bitmap_set(cpus[i++], cpu);
			}
	hwloc_bitmap_foreach_end();
}

/* Keep threads off the device's CPUs as long as there is anything else. */
static void prefer_free(const struct topology *topology, hwloc_cpuset_t from, unsigned count)
{
	hwloc_cpuset_t free_cpus = hwloc_bitmap_alloc();

	hwloc_bitmap_andnot(free_cpus, from, topology->device_cpus);
	if (hwloc_bitmap_weight(free_cpus) >= (int)count)
		hwloc_bitmap_copy(from, free_cpus);
	hwloc_bitmap_free(free_cpus);
}

static bool shares_cpu(const struct topology *topology, const hwloc_cpuset_t *cpus, unsigned count)
{
	hwloc_cpuset_t used = hwloc_bitmap_dup(topology->device_cpus);
	bool shared = false;

	for (unsigned i = 0; i < count; i++) {
		shared |= hwloc_bitmap_intersects(used, cpus[i]);
		hwloc_bitmap_or(used, used, cpus[i]);
	}
	hwloc_bitmap_free(used);
	return shared;
}

bool topology_place(const struct topology *topology, struct device *dev, const char *placement,
		    unsigned count, hwloc_cpuset_t *cpus, bool *oversubscribed, struct error *err)
{
	hwloc_cpuset_t from = hwloc_bitmap_alloc();
	bool ok = candidates(topology, dev, placement, from, err);

	if (ok) {
		hwloc_bitmap_and(from, from, topology->allowed);
		/* A relation to the device's CPUs means its neighbours, not these CPUs. */
		if (strncmp(placement, "cpus:", 5) && strcmp(placement, "spread"))
			hwloc_bitmap_andnot(from, from, topology->device_cpus);
		if (hwloc_bitmap_iszero(from))
			ok = fail(
				err, EXIT_UNAVAILABLE,
				"placement=%s: this machine has no such CPU left for a host thread",
				placement);
	}
	if (ok) {
		prefer_free(topology, from, count);
		spread(topology, from, count, cpus);
		*oversubscribed = shares_cpu(topology, cpus, count);
	}
	hwloc_bitmap_free(from);
	return ok;
}

static struct crew *place_crew(const struct topology *topology, struct device *dev,
			       const char *placement, unsigned count, bool *oversubscribed,
			       struct error *err)
{
	hwloc_cpuset_t *cpus = calloc(count, sizeof(hwloc_cpuset_t));
	struct crew *crew = NULL;

	if (!cpus) {
		fail(err, EXIT_NO_MEMORY, "out of memory");
		return NULL;
	}
	if (topology_place(topology, dev, placement, count, cpus, oversubscribed, err))
		crew = crew_create(topology->hwloc, (const hwloc_const_cpuset_t *)cpus, count, err);
	for (unsigned i = 0; i < count; i++)
		hwloc_bitmap_free(cpus[i]);
	free(cpus);
	return crew;
}

bool topology_hire(const struct topology *topology, struct device *dev, const char *placement,
		   unsigned count, struct crew **crew, bool *oversubscribed, struct error *err)
{
	*crew = NULL;
	*oversubscribed = false;
	/* The crew comes last: every other thread there is by then is the device's. */
	if (!bind_device(topology, dev, err))
		return false;
	if (!count)
		return true;
	*crew = place_crew(topology, dev, placement, count, oversubscribed, err);
	return *crew;
}
