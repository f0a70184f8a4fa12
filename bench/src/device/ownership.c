/* SPDX-License-Identifier: MIT */
/*
 * Devices that take pages from the CPU, through libsvmatomic.
 */
#include "ownership.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the file behind a device ------------------------------------------- */

/* The device that @fd is a file of, where that is bound to this process; else NULL. */
static struct svma_device *bound_device(int fd, uint64_t *acquired)
{
	struct svma_device *device;
	struct svma_capabilities can;
	struct svma_counters counters;
	struct stat file;

	if (fstat(fd, &file) || !S_ISCHR(file.st_mode) || svma_open_fd(&device, fd))
		return NULL;
	if (svma_query(device, &can) || can.absent || svma_counters(device, &counters)) {
		svma_close(device);
		return NULL;
	}
	*acquired = counters.acquired;
	return device;
}

/* The next such in @fds; NULL behind the last. */
static struct svma_device *next_device(DIR *fds, uint64_t *acquired)
{
	const struct dirent *entry;

	while ((entry = readdir(fds))) {
		struct svma_device *device;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		device = bound_device(atoi(entry->d_name), acquired);
		if (device)
			return device;
	}
	return NULL;
}

void ownership_look(const char *fds, struct ownership_files *files)
{
	DIR *directory = opendir(fds);
	struct svma_device *device;
	uint64_t acquired;

	*files = (struct ownership_files){ 0 };
	if (!directory)
		return;
	while (files->count < OWNERSHIP_FILES && (device = next_device(directory, &acquired))) {
		files->files[files->count].fd = svma_fd(device);
		files->files[files->count++].acquired = acquired;
		svma_close(device);
	}
	closedir(directory);
}

/* One that was not there, or not bound, had taken none. */
static uint64_t acquired_before(const struct ownership_files *before, int fd)
{
	for (size_t i = 0; i < before->count; i++)
		if (before->files[i].fd == fd)
			return before->files[i].acquired;
	return 0;
}

static void explain(const char *fds, int fd, struct svma_report *report)
{
	char link[64];
	char node[sizeof(report->node)];
	ssize_t length;

	snprintf(link, sizeof(link), "%s/%d", fds, fd);
	length = readlink(link, node, sizeof(node) - 1);
	*report = (struct svma_report){ 0 };
	if (length < 0)
		return;
	node[length] = '\0';
	svma_explain(node, report);
}

struct svma_device *ownership_find(const char *fds, const struct ownership_files *before,
				   struct svma_report *report)
{
	DIR *directory = opendir(fds);
	struct svma_device *device;
	uint64_t acquired;

	if (!directory)
		return NULL;
	while ((device = next_device(directory, &acquired))) {
		if (acquired > acquired_before(before, svma_fd(device)))
			break;
		svma_close(device);
	}
	closedir(directory);
	if (device)
		explain(fds, svma_fd(device), report);
	return device;
}

/* --- the engine ---------------------------------------------------------- */

static bool is_engine(const char *proc, int pid)
{
	char path[64];
	char name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/%d/comm", proc, pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	return !strcmp(name, "svma-engine\n");
}

static pid_t engine_among(const char *proc, const char *children)
{
	FILE *file = fopen(children, "re");
	pid_t engine = 0;
	int pid;

	if (!file)
		return 0;
	while (!engine && fscanf(file, "%d", &pid) == 1)
		engine = is_engine(proc, pid) ? pid : 0;
	fclose(file);
	return engine;
}

pid_t ownership_engine(const char *proc)
{
	glob_t threads = { 0 };
	char pattern[64];
	pid_t engine = 0;

	snprintf(pattern, sizeof(pattern), "%s/self/task/*/children", proc);
	if (!glob(pattern, GLOB_NOSORT, NULL, &threads))
		for (size_t i = 0; !engine && i < threads.gl_pathc; i++)
			engine = engine_among(proc, threads.gl_pathv[i]);
	globfree(&threads);
	return engine;
}

/* --- holds and counters -------------------------------------------------- */

bool ownership_fail(const struct device *dev, const char *doing, int error, uint32_t reason,
		    struct error *err)
{
	return fail(err, error == -ENOMEM ? EXIT_NO_MEMORY : EXIT_UNAVAILABLE,
		    "%s: %s: %s (%s); see the kernel log, or choose another device with -d",
		    dev->name, doing, strerror(-error), svma_strreason(reason));
}

size_t ownership_pages(size_t size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) & ~(page - 1);
}

bool ownership_describe(struct device *dev, struct svma_device *device, struct error *err)
{
	struct svma_capabilities can;
	const int error = svma_query(device, &can);

	if (error)
		return ownership_fail(dev, "asking what it can do", error, can.absent, err);
	dev->default_hold_ns = can.default_hold_ns;
	dev->max_hold_ns = can.features & SVMA_FEATURE_HOLD ? can.max_hold_ns : 0;
	return true;
}

bool ownership_hold(const struct device *dev, struct svma_device *device, const void *start,
		    size_t size, uint64_t hold_ns, struct error *err)
{
	const bool given = hold_ns != DEVICE_HOLD_DEFAULT;
	struct svma_outcome outcome = { 0 };
	const int error = svma_set_policy(device, start, ownership_pages(size),
					  given ? SVMA_MODE_HOLD : SVMA_MODE_DEFAULT,
					  given ? hold_ns : 0, &outcome);

	return error ? ownership_fail(dev, "setting a hold", error, outcome.reason, err) : true;
}

void ownership_forget(struct svma_device *device, const void *start, size_t size)
{
	svma_set_policy(device, start, ownership_pages(size), SVMA_MODE_DEFAULT, 0, NULL);
}

bool ownership_counters(struct svma_device *device, struct counters *out)
{
	struct svma_counters counters;

	if (svma_counters(device, &counters))
		return false;
	*out = (struct counters){ .acquired = counters.acquired,
				  .revoked_cpu = counters.revoked[SVMA_BY_CPU],
				  .retries = counters.retries,
				  .waits_cpu = counters.waits_cpu,
				  .waits_device = counters.waits_device };
	for (size_t i = 0; i < sizeof(counters.revoked) / sizeof(counters.revoked[0]); i++)
		out->revoked_other += i == SVMA_BY_CPU ? 0 : counters.revoked[i];
	for (size_t i = 0; i < sizeof(counters.refused) / sizeof(counters.refused[0]); i++)
		out->refused += counters.refused[i];
	for (size_t i = 0; i < COUNTERS_HELD; i++)
		out->held[i] = counters.held[i];
	return true;
}
