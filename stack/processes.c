/* SPDX-License-Identifier: MIT */
/*
 * Sums are exact whatever else goes on: children that are forked or execute something while kernels
 * run, another process on the same device, another device on the same memory.
 */
#include "stack.h"

#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <svmatomic-engine.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ITEMS = 16, TIMES = 20000, CHILDREN = 20, SECOND = 1000000 };

extern char **environ;

/* The CPU adds until the kernel has ended; returns how often. */
static unsigned add_meanwhile(cl_event event, atomic_uint *word)
{
	cl_int status = CL_QUEUED;
	unsigned count = 0;

	while (status > CL_COMPLETE) {
		for (int i = 0; i < 1000; i++, count++)
			atomic_fetch_add(word, 1);
		must(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(status),
				    &status, NULL),
		     "clGetEventInfo");
	}
	must(ended(event), "a kernel");
	return count;
}

static void wait_for(pid_t child, const char *what)
{
	int status;

	CHECK(waitpid(child, &status, 0) == child && status == 0, "%s ended with %#x", what,
	      status);
}

/* Copies of the memory that the device has, as many as there are children. */
static void children(void)
{
	atomic_uint *word = shared(PAGE);
	cl_event event = launch(new_queue(), adding(word, TIMES), ITEMS, 1);
	char name[] = "true";
	char *const arguments[] = { name, NULL };
	unsigned cpu;
	pid_t child;

	for (int i = 0; i < CHILDREN; i++) {
		child = fork();
		if (!child) {
			/* Its own, which nobody else is to see. */
			atomic_store(word, 123456789);
			_exit(0);
		}
		CHECK(child > 0, "no child");
		atomic_fetch_add(word, 1);
		wait_for(child, "a child");
		CHECK(!posix_spawnp(&child, name, NULL, NULL, arguments, environ), "no true(1)");
		wait_for(child, "true(1)");
	}
	cpu = CHILDREN + add_meanwhile(event, word);
	CHECK(atomic_load(word) == ITEMS * TIMES + cpu, "with children, a sum of %u, not %u",
	      atomic_load(word), ITEMS * TIMES + cpu);
	printf("children: exact, %u by the CPU\n", cpu);
}

static void sum(void)
{
	atomic_uint *word = shared(PAGE);
	const unsigned cpu =
		add_meanwhile(launch(new_queue(), adding(word, TIMES), ITEMS, 1), word);

	CHECK(atomic_load(word) == ITEMS * TIMES + cpu, "a sum of %u, not %u", atomic_load(word),
	      ITEMS * TIMES + cpu);
}

static void two_processes(char *self)
{
	char word[] = "sum";
	char *const arguments[] = { self, word, NULL };
	pid_t pids[2];

	for (int i = 0; i < 2; i++)
		CHECK(!posix_spawn(&pids[i], self, NULL, NULL, arguments, environ), "no %s", self);
	sum();
	for (int i = 0; i < 2; i++)
		wait_for(pids[i], "another process");
	puts("three processes: exact");
}

static void add_there(void *word, unsigned int thread)
{
	(void)thread;
	for (int i = 0; i < SECOND; i++)
		atomic_fetch_add((atomic_uint *)word, 1);
}

/* One of vsvm's that nobody in this process has bound. */
static struct svma_engine *second_engine(struct svma_device **device)
{
	struct svma_engine *engine = NULL;
	char node[64];

	for (int i = 128; i < 136; i++) {
		snprintf(node, sizeof(node), "/dev/dri/renderD%d", i);
		if (strcmp(node, "/dev/dri/renderD128") == 0 || svma_open_node(device, node))
			continue;
		if (!svma_engine_start(&engine, *device, 1, NULL, NULL))
			return engine;
		svma_close(*device);
	}
	return NULL;
}

static void two_devices(void)
{
	atomic_uint *word = shared(PAGE);
	struct svma_device *device = NULL;
	struct svma_engine *engine = second_engine(&device);
	unsigned cpu;

	CHECK(engine, "there is no second device");
	CHECK(!svma_engine_launch(engine, add_there, word), "the second device does not work");
	cpu = add_meanwhile(launch(new_queue(), adding(word, TIMES), ITEMS, 1), word);
	CHECK(!svma_engine_wait(engine, -1, NULL), "the second device failed");
	CHECK(atomic_load(word) == ITEMS * TIMES + cpu + SECOND,
	      "with two devices, a sum of %u, not %u", atomic_load(word),
	      ITEMS * TIMES + cpu + SECOND);
	svma_engine_stop(engine);
	svma_close(device);
	printf("two devices and a CPU: exact, %u by the CPU\n", cpu);
}

int main(int argc, char **argv)
{
	vsvm();
	if (argc > 1) {
		sum();
		return 0;
	}
	children();
	two_processes(argv[0]);
	two_devices();
	return 0;
}
