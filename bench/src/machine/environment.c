/* SPDX-License-Identifier: MIT */
/*
 * What the machine is, from hwloc, uname(), /proc, /sys and the OpenCL loader.
 */
#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_1_APIS

#include "environment.h"

#include "clock.h"

#include <CL/cl.h>
#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define UNKNOWN "unknown"

/* The loader's own query, of the cl_loader_info extension; no header of Debian 12 has it. */
typedef cl_int(CL_API_CALL *loader_info_fn)(cl_uint name, size_t size, void *value, size_t *needed);

enum { LOADER_VERSION = 2, LOADER_NAME = 3 };

/* Firmware and device trees are free to hold what is no UTF-8. */
static json_t *json_text(const char *text)
{
	json_t *string = json_string(text);

	return string ? string : json_string(UNKNOWN);
}

/* The first line of a small file such as /sys has, without its newline. */
static bool read_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "re");
	bool have;

	if (!file)
		return false;
	have = fgets(line, size, file) != NULL;
	fclose(file);
	if (have)
		line[strcspn(line, "\n")] = '\0';
	return have && *line;
}

static json_t *kernel_json(const struct utsname *names)
{
	return json_sprintf("%s %s", names->sysname, names->release);
}

static json_t *cpu_json(hwloc_topology_t topology)
{
	hwloc_obj_t package = hwloc_get_obj_by_type(topology, HWLOC_OBJ_PACKAGE, 0);
	hwloc_obj_t root = hwloc_get_root_obj(topology);
	const char *model = package ? hwloc_obj_get_info_by_name(package, "CPUModel") : NULL;

	if (!model)
		model = hwloc_obj_get_info_by_name(root, "CPUModel");
	return json_text(model ? model : UNKNOWN);
}

static json_t *count_json(hwloc_topology_t topology, hwloc_obj_type_t type)
{
	const int count = hwloc_get_nbobjs_by_type(topology, type);

	return json_integer(count > 0 ? count : 1);
}

/* hwloc counts what the container allows; taskset may have left this process less. */
static json_t *cpus_json(hwloc_topology_t topology)
{
	hwloc_const_cpuset_t allowed = hwloc_topology_get_allowed_cpuset(topology);
	hwloc_bitmap_t usable = hwloc_bitmap_dup(allowed);
	hwloc_bitmap_t bound = hwloc_bitmap_alloc();
	int count;

	if (usable && bound && hwloc_get_cpubind(topology, bound, HWLOC_CPUBIND_PROCESS) == 0)
		hwloc_bitmap_and(usable, usable, bound);
	count = usable ? hwloc_bitmap_weight(usable) : 0;
	hwloc_bitmap_free(usable);
	hwloc_bitmap_free(bound);
	return json_integer(count > 0 ? count : 1);
}

static json_t *l3_json(hwloc_topology_t topology)
{
	hwloc_obj_t l3 = hwloc_get_obj_by_type(topology, HWLOC_OBJ_L3CACHE, 0);

	return json_integer(l3 ? (json_int_t)l3->attr->cache.size : 0);
}

static bool cpu_sees_hypervisor(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char *line = NULL;
	size_t size = 0;
	bool seen = false;

	if (!file)
		return false;
	while (!seen && getline(&line, &size, file) > 0)
		seen = strncmp(line, "flags", 5) == 0 && strstr(line, " hypervisor");
	free(line);
	fclose(file);
	return seen;
}

/* NULL on bare metal. */
static json_t *hypervisor_json(hwloc_topology_t topology)
{
	hwloc_obj_t root = hwloc_get_root_obj(topology);
	const char *vendor = hwloc_obj_get_info_by_name(root, "DMISysVendor");
	const char *product = hwloc_obj_get_info_by_name(root, "DMIProductName");
	char type[64];

	if (read_line("/sys/hypervisor/type", type, sizeof(type)) ||
	    read_line("/proc/device-tree/hypervisor/compatible", type, sizeof(type)))
		return json_text(type);
	if (!cpu_sees_hypervisor())
		return NULL;
	if (vendor && product)
		return json_sprintf("%s %s", vendor, product);
	return json_text(vendor ? vendor : UNKNOWN);
}

static json_t *governor_json(hwloc_topology_t topology)
{
	const int cpu = hwloc_bitmap_first(hwloc_topology_get_allowed_cpuset(topology));
	char path[96];
	char governor[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu);
	return json_text(read_line(path, governor, sizeof(governor)) ? governor : UNKNOWN);
}

/* "always [madvise] never": the bracketed word is in force. */
static json_t *thp_json(void)
{
	char line[128];
	char *word, *end;

	if (!read_line("/sys/kernel/mm/transparent_hugepage/enabled", line, sizeof(line)))
		return json_text(UNKNOWN);
	word = strchr(line, '[');
	end = word ? strchr(word, ']') : NULL;
	if (!end)
		return json_text(UNKNOWN);
	*end = '\0';
	return json_text(word + 1);
}

/* What the loader says of itself, or else which file it is. */
static json_t *loader_json(void)
{
	char name[128] = "";
	char version[64] = "";
	char file[PATH_MAX];
	loader_info_fn query;
	Dl_info library;

	*(void **)&query = clGetExtensionFunctionAddress("clGetICDLoaderInfoOCLICD");
	if (query && query(LOADER_NAME, sizeof(name), name, NULL) == CL_SUCCESS &&
	    query(LOADER_VERSION, sizeof(version), version, NULL) == CL_SUCCESS)
		return json_sprintf("%s %s", name, version);
	/* Not &clGetPlatformIDs, which may be a stub in this program. */
	if (dladdr(dlsym(RTLD_DEFAULT, "clGetPlatformIDs"), &library) &&
	    realpath(library.dli_fname, file))
		return json_text(basename(file));
	return json_text(UNKNOWN);
}

json_t *environment_json(hwloc_topology_t topology)
{
	struct utsname names;

	uname(&names);
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o*, s:o, s:o, s:o, s:f}", "kernel",
		kernel_json(&names), "machine", json_text(names.machine), "cpu", cpu_json(topology),
		"cpus", cpus_json(topology), "cores", count_json(topology, HWLOC_OBJ_CORE),
		"packages", count_json(topology, HWLOC_OBJ_PACKAGE), "numa_nodes",
		count_json(topology, HWLOC_OBJ_NUMANODE), "l3_bytes", l3_json(topology),
		"hypervisor", hypervisor_json(topology), "governor", governor_json(topology), "thp",
		thp_json(), "loader", loader_json(), "timer_overhead_ns", clock_overhead_ns());
}
