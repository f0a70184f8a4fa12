// SPDX-License-Identifier: MIT
/*
 * Engines can be started and stopped over and over, on new devices and on the same one, and
 * nothing is left: no process, thread, descriptor or mapping.
 */
#include "vm.h"

#include <dirent.h>
#include <sys/wait.h>

#define TIMES 50

static void count(void *argument, unsigned int thread)
{
	(void)thread;
	atomic_fetch_add((_Atomic int *)argument, 1);
}

static unsigned int entries(const char *path)
{
	unsigned int number = 0;
	DIR *directory = opendir(path);

	check(directory);
	while (readdir(directory))
		number++;
	closedir(directory);
	return number;
}

/* Threads that were joined are listed for a moment more. */
static void wait_for_threads(unsigned int number)
{
	const uint64_t began = now_ns();

	while (entries("/proc/self/task") != number && now_ns() - began < 10000000000u)
		usleep(1000);
	equal(entries("/proc/self/task"), number);
}

static unsigned int mappings(void)
{
	unsigned int number = 0;
	FILE *maps = fopen("/proc/self/maps", "re");
	int c;

	check(maps);
	while ((c = getc(maps)) != EOF)
		number += c == '\n';
	fclose(maps);
	return number;
}

/* The engine has no descriptor, and its threads are as many as were asked for. */
static void look(struct svma_engine *engine, unsigned int threads)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd", pid_of(engine));
	equal(entries(path), 2);
	snprintf(path, sizeof(path), "/proc/%d/task", pid_of(engine));
	equal(entries(path), 2 + threads);
}

static void once(struct svma_device *device, unsigned int threads, _Atomic int *counter)
{
	struct svma_engine *engine = start_engine(device, threads);
	int before = *counter;

	look(engine, threads);
	for (int i = 0; i < 3; i++)
		run_engine(engine, count, (void *)counter);
	equal(*counter - before, 3 * threads);
	svma_engine_stop(engine);
}

static void refused(struct svma_device *device, unsigned int threads)
{
	struct svma_engine_status status;
	struct svma_engine *engine;

	equal(svma_engine_start(&engine, device, threads, NULL, &status), -EBUSY);
	equal(status.reason, SVMA_REASON_BOUND);
	check(!engine);
}

int main(void)
{
	struct svma_device *device = open_vsvm();
	unsigned int descriptors, threads, maps = 0;
	struct svma_engine *engine;
	_Atomic int counter = 0;

	svma_close(device);
	threads = entries("/proc/self/task");
	descriptors = entries("/proc/self/fd");
	for (unsigned int i = 0; i < TIMES; i++) {
		device = open_vsvm();
		once(device, 1 + i % 4, &counter);
		svma_close(device);
		/* The C library keeps stacks of threads for the next ones. */
		if (i == 4)
			maps = mappings();
	}
	wait_for_threads(threads);
	equal(entries("/proc/self/fd"), descriptors);
	check(mappings() <= maps);

	device = open_vsvm();
	for (unsigned int i = 0; i < TIMES; i++)
		once(device, 4 - i % 4, &counter);
	/* Not where there is no room, nor where there is an engine. */
	refused(device, 5);
	engine = start_engine(device, 2);
	refused(device, 1);
	svma_engine_stop(engine);
	once(device, 4, &counter);
	svma_close(device);

	/* A cutout of somebody else's serves no engine. */
	device = open_vsvm();
	equal(svma_bind(device, NULL, 0), 0);
	refused(device, 1);
	svma_close(device);

	equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	equal(errno, ECHILD);
	wait_for_threads(threads);
	equal(entries("/proc/self/fd"), descriptors);
	return 0;
}
