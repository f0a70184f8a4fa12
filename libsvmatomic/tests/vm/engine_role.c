// SPDX-License-Identifier: MIT
/*
 * A process is a client or an engine, never both: what would make it the other is refused,
 * and said to be. Its children start afresh.
 */
#include "vm.h"

#include <sys/wait.h>

static void count(void *argument, unsigned int thread)
{
	(void)thread;
	atomic_fetch_add((_Atomic int *)argument, 1);
}

/* What a child of an engine can do. */
static void be_client(struct svma_device *device)
{
	_Atomic int counter = 0;
	struct svma_engine *engine = start_engine(device, 2);

	run_engine(engine, count, (void *)&counter);
	equal(counter, 2);
	svma_engine_stop(engine);
}

static void finishes(pid_t pid)
{
	int status;

	check(waitpid(pid, &status, 0) == pid);
	equal(status, 0);
}

/* An engine of @client's that was made by hand. */
static void be_engine(struct svma_device *client, void *area)
{
	struct svma_device *device = open_vsvm();
	struct svma_engine_status status;
	struct svma_engine *engine;
	pid_t pid;

	check(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, svma_fd(client), (off_t)area) !=
	      MAP_FAILED);
	equal(svma_bind(device, NULL, 0), -EDEADLK);
	equal(svma_engine_start(&engine, device, 1, NULL, &status), -EDEADLK);
	equal(status.reason, SVMA_REASON_ROLE);
	equal(status.pid, 0);
	check(!engine);

	pid = fork();
	if (!pid) {
		be_client(device);
		exit(0);
	}
	finishes(pid);
	svma_close(device);
}

int main(void)
{
	struct svma_device *device = open_vsvm();
	void *area = map_pages(1);
	pid_t pid;

	equal(svma_bind(device, NULL, 0), 0);
	pid = fork();
	if (!pid) {
		be_engine(device, area);
		exit(0);
	}
	finishes(pid);

	/* The client itself cannot be one. */
	check(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, svma_fd(device), (off_t)area) == MAP_FAILED);
	equal(errno, EDEADLK);
	svma_close(device);
	return 0;
}
