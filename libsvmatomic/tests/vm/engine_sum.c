// SPDX-License-Identifier: MIT
/*
 * Threads of an engine and of the CPU add to one word at the same time, and no addition is
 * lost while its page goes to and fro thousands of times.
 */
#include "vm.h"

#include <pthread.h>

#define DEVICE_THREADS 4
#define CPU_THREADS    2
#define TRANSFERS      200

struct sum {
	_Alignas(4096) _Atomic uint64_t word;
	_Alignas(4096) _Atomic int stop;
	_Alignas(4096) uint64_t done[DEVICE_THREADS + CPU_THREADS];
};

static void add(void *argument, unsigned int thread)
{
	struct sum *sum = argument;
	uint64_t done = 0;

	while (!atomic_load_explicit(&sum->stop, memory_order_relaxed))
		for (int i = 0; i < 16; i++, done++)
			atomic_fetch_add(&sum->word, 1);
	sum->done[thread] = done;
}

static struct sum *shared;

/* It naps in between: the page goes to and fro no faster than the scheduler switches. */
static void *add_on_cpu(void *argument)
{
	uint64_t done = 0;

	while (!atomic_load(&shared->stop)) {
		for (int i = 0; i < 16; i++, done++)
			atomic_fetch_add(&shared->word, 1);
		usleep(50);
	}
	shared->done[DEVICE_THREADS + (uintptr_t)argument] = done;
	return NULL;
}

int main(void)
{
	struct svma_device *device = open_vsvm();
	struct svma_engine *engine = start_engine(device, DEVICE_THREADS);
	struct svma_counters counters;
	pthread_t threads[CPU_THREADS];
	uint64_t began, total = 0;

	shared = aligned_alloc(4096, sizeof(*shared));
	check(shared);
	memset(shared, 0, sizeof(*shared));
	equal(svma_engine_launch(engine, add, shared), 0);
	equal(svma_engine_launch(engine, add, shared), -EBUSY);
	for (uintptr_t i = 0; i < CPU_THREADS; i++)
		check(!pthread_create(&threads[i], NULL, add_on_cpu, (void *)i));
	equal(svma_engine_wait(engine, 1, NULL), -ETIMEDOUT);
	began = now_ns();
	do {
		usleep(100000);
		equal(svma_counters(device, &counters), 0);
	} while (counters.revoked[SVMA_BY_CPU] < TRANSFERS && now_ns() - began < 60000000000u);
	atomic_store(&shared->stop, 1);
	equal(svma_engine_wait(engine, 60000, NULL), 0);
	for (int i = 0; i < CPU_THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < DEVICE_THREADS + CPU_THREADS; i++) {
		check(shared->done[i] > 0);
		total += shared->done[i];
	}
	equal(atomic_load(&shared->word), total);
	check(counters.revoked[SVMA_BY_CPU] >= TRANSFERS);
	printf("%llu additions, %llu transfers to the CPU\n", (unsigned long long)total,
	       (unsigned long long)counters.revoked[SVMA_BY_CPU]);
	svma_engine_stop(engine);
	svma_close(device);
	free(shared);
	return 0;
}
