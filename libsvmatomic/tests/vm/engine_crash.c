// SPDX-License-Identifier: MIT
/*
 * What an engine dies of is told, and nothing is left of it: faults of any kind, a stack
 * that is too small, and being killed.
 */
#include "vm.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

static char *volatile target;

static void write_target(void *argument, unsigned int thread)
{
	(void)argument;
	if (thread == 1)
		*target = 1;
	else
		for (;;)
			;
}

static void divide(void *argument, unsigned int thread)
{
	volatile int numbers[] = { 1234, 0 };

	(void)thread;
	*(int *)argument = numbers[0] / numbers[1];
}

static void trap(void *argument, unsigned int thread)
{
	(void)argument;
	(void)thread;
	__builtin_trap();
}

/* What is not to be optimized into a loop. */
static __attribute__((noinline)) int recurse(volatile int *depth)
{
	volatile char frame[1000];

	frame[0] = (char)++*depth;
	return *depth < 0 ? 0 : recurse(depth) + frame[0];
}

static void overflow(void *argument, unsigned int thread)
{
	(void)thread;
	recurse(argument);
}

static void hang(void *argument, unsigned int thread)
{
	(void)argument;
	(void)thread;
	for (;;)
		;
}

static unsigned int descriptors(void)
{
	unsigned int count = 0;
	DIR *directory = opendir("/proc/self/fd");

	check(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static void dies(svma_engine_function function, void *argument, int signal, const void *address)
{
	struct svma_device *device = open_vsvm();
	struct svma_engine *engine = start_engine(device, 2);
	struct svma_engine_status status, again;
	const int pid = pid_of(engine);

	equal(svma_engine_run(engine, function, argument, &status), -EFAULT);
	equal(status.reason, SVMA_REASON_ENGINE_FAULT);
	equal(status.signal, signal);
	equal(status.pid, 0);
	check(status.instruction != 0);
	if (address) {
		equal(status.address, (uintptr_t)address);
		equal(status.thread, 1);
	}
	/* No zombie. */
	equal(kill(pid, 0), -1);
	equal(errno, ESRCH);
	/* It stays dead, and says so. */
	equal(svma_engine_launch(engine, hang, NULL), -EFAULT);
	equal(svma_engine_wait(engine, -1, &again), -EFAULT);
	check(!memcmp(&status, &again, sizeof(status)));
	equal(svma_engine_run(engine, hang, NULL, &again), -EFAULT);
	check(!memcmp(&status, &again, sizeof(status)));
	svma_engine_stop(engine);
	svma_close(device);
}

static void is_killed(void)
{
	struct svma_device *device = open_vsvm();
	struct svma_engine *engine = start_engine(device, 2);
	struct svma_engine_status status;

	equal(svma_engine_launch(engine, hang, NULL), 0);
	equal(svma_engine_wait(engine, 20, &status), -ETIMEDOUT);
	check(status.pid > 0);
	check(!kill(status.pid, SIGKILL));
	equal(svma_engine_wait(engine, -1, &status), -EIO);
	equal(status.reason, SVMA_REASON_ENGINE_DEAD);
	equal(status.signal, SIGKILL);
	equal(status.pid, 0);
	svma_engine_stop(engine);
	svma_close(device);
}

/* Stopping one that runs does not wait for it. */
static void is_stopped(void)
{
	struct svma_device *device = open_vsvm();
	struct svma_engine *engine = start_engine(device, 2);
	const int pid = pid_of(engine);

	equal(svma_engine_launch(engine, hang, NULL), 0);
	svma_engine_stop(engine);
	equal(kill(pid, 0), -1);
	svma_close(device);
}

int main(void)
{
	char *area = map_pages(4);
	struct svma_device *device = open_vsvm();
	unsigned int before;
	int word;

	svma_close(device);
	before = descriptors();
	check(!munmap(area + PAGE, PAGE));
	check(!mprotect(area + 2 * PAGE, PAGE, PROT_READ));
	target = area + PAGE + 123;
	dies(write_target, NULL, SIGSEGV, target);
	target = area + 2 * PAGE;
	dies(write_target, NULL, SIGSEGV, target);
	dies(divide, &word, SIGFPE, NULL);
	dies(trap, NULL, SIGILL, NULL);
	dies(overflow, &word, SIGSEGV, NULL);
	is_killed();
	is_stopped();
	equal(descriptors(), before);
	/* Not even one that does not say it is a child. */
	equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	equal(errno, ECHILD);
	return 0;
}
