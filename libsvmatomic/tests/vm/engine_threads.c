// SPDX-License-Identifier: MIT
/*
 * Threads of a client launch on one engine and wait for it at the same time: each launch
 * that succeeds runs once on each of the engine's threads, the others are told that it is
 * busy.
 */
#include "vm.h"

#include <pthread.h>

#define CPU_THREADS    3
#define DEVICE_THREADS 2
#define LAUNCHES       300

static struct svma_engine *engine;
static _Atomic int launched, ran;

static void count(void *argument, unsigned int thread)
{
	(void)thread;
	atomic_fetch_add((_Atomic int *)argument, 1);
}

static void *launch_and_wait(void *argument)
{
	struct svma_engine_status status;
	int err;

	while (atomic_load(&launched) < LAUNCHES) {
		err = svma_engine_launch(engine, count, (void *)&ran);
		if (err && err != -EBUSY)
			fail("svma_engine_launch: %s", strerror(-err));
		if (!err)
			atomic_fetch_add(&launched, 1);
		equal(svma_engine_wait(engine, -1, &status), 0);
		check(status.pid > 0);
	}
	return argument;
}

int main(void)
{
	struct svma_device *device = open_vsvm();
	pthread_t threads[CPU_THREADS];

	engine = start_engine(device, DEVICE_THREADS);
	for (int i = 0; i < CPU_THREADS; i++)
		check(!pthread_create(&threads[i], NULL, launch_and_wait, NULL));
	for (int i = 0; i < CPU_THREADS; i++)
		pthread_join(threads[i], NULL);
	equal(svma_engine_wait(engine, -1, NULL), 0);
	check(launched >= LAUNCHES);
	equal(ran, DEVICE_THREADS * launched);
	svma_engine_stop(engine);
	svma_close(device);
	return 0;
}
