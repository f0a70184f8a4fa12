/* SPDX-License-Identifier: MIT */
/*
 * CPU time by thread.
 */
#include "cputime.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_clock(clockid_t clock)
{
	struct timespec time;

	/* A thread may have ended since it was listed. */
	if (clock_gettime(clock, &time))
		return 0;
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* The kernel's name for a thread's clock: linux/posix-timers.h, CPUCLOCK_SCHED, per thread. */
static clockid_t thread_clock(pid_t tid)
{
	return (clockid_t)(~(unsigned)tid << 3 | 6u);
}

uint64_t cputime_own_ns(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t cputime_others_ns(void)
{
	const pid_t self = gettid();
	const struct dirent *entry;
	DIR *tasks = opendir("/proc/self/task");
	uint64_t sum = 0;

	if (!tasks)
		return 0;
	while ((entry = readdir(tasks))) {
		const pid_t tid = (pid_t)atol(entry->d_name);

		if (tid > 0 && tid != self)
			sum += read_clock(thread_clock(tid));
	}
	closedir(tasks);
	return sum;
}
