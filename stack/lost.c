/* SPDX-License-Identifier: MIT */
/*
 * The engine is killed at random moments while kernels run on it: each kernel ends, with an error
 * or with a sum that is exact, and the next one has a device again. lost [TIMES]
 */
#include "stack.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ITEMS = 16, TIMES = 1000000 };

/* How long it takes when nothing happens, in microseconds. */
static unsigned usual_us(cl_kernel add)
{
	const unsigned from = now_us();

	run(add, ITEMS, 1);
	return now_us() - from;
}

static pid_t killed;

/* Returns whether the kernel was lost. */
static bool kill_once(cl_kernel add, atomic_uint *word, unsigned within_us)
{
	cl_command_queue queue = new_queue();
	const unsigned before = atomic_load(word);
	cl_event event = launch(queue, add, ITEMS, 1);
	unsigned cpu = 0;
	cl_int code;
	pid_t pid = 0;

	/* After one was killed, the next is started by the launch. */
	for (int i = 0; i < 1000 && (!(pid = engine_pid()) || pid == killed); i++)
		usleep(1000);
	usleep(random_below(within_us));
	for (; cpu < 100; cpu++)
		atomic_fetch_add(word, 1);
	if (pid && !kill(pid, SIGKILL))
		killed = pid;
	code = ended(event);
	clReleaseCommandQueue(queue);
	if (code == CL_DEVICE_NOT_AVAILABLE)
		return true;
	CHECK(code == CL_COMPLETE, "after the engine was killed, a kernel is %s",
	      opencl_error_name(code));
	CHECK(atomic_load(word) - before == cpu + ITEMS * TIMES, "a sum of %u, not %u",
	      atomic_load(word) - before, cpu + ITEMS * TIMES);
	return false;
}

int main(int argc, char **argv)
{
	const unsigned times = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20;
	atomic_uint *word;
	unsigned lost = 0;
	unsigned within_us;
	cl_kernel add;

	vsvm();
	word = shared(PAGE);
	add = adding(word, TIMES);
	usual_us(add); /* compiles it */
	within_us = usual_us(add);
	for (unsigned i = 0; i < times; i++)
		lost += kill_once(add, word, within_us);
	printf("%u engines killed: %u kernels lost, %u exact\n", times, lost, times - lost);
	CHECK(lost, "no kernel was ever lost: nothing was tested");
	/* The last kill is to have come to its end, not to meet that kernel. */
	while (killed && engine_pid() == killed)
		usleep(1000);
	must(ended(launch(new_queue(), add, ITEMS, 1)), "the kernel after the last");
	return 0;
}
