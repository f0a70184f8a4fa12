// SPDX-License-Identifier: MIT
/* A device and the CPU add to one word at the same time, and the sum is exact. */
#include <stdatomic.h>
#include <stdio.h>
#include <svmatomic-engine.h>

#define TIMES 10000000

static atomic_long word; /* any memory does */

static void add(void *counter, unsigned int thread)
{
	for (int i = 0; i < TIMES; i++)
		atomic_fetch_add((atomic_long *)counter, 1);
	(void)thread;
}

int main(void)
{
	struct svma_device *device = NULL;
	struct svma_engine *engine = NULL;
	struct svma_counters counters = { 0 };

	if (svma_open(&device, SVMA_OPEN_VIRTUAL))
		return fputs("no virtual device; svmatomic-info says why\n", stderr), 77;
	int err = svma_engine_start(&engine, device, 1, NULL, NULL); /* with one thread */
	if (!err)
		err = svma_engine_launch(engine, add, &word); /* the device adds */
	add(&word, 0);					      /* and the CPU meanwhile */
	if (!err)
		err = svma_engine_wait(engine, -1, NULL); /* until the device is done */
	svma_counters(device, &counters);
	printf("%ld of %d; the CPU took the page back %llu times\n", atomic_load(&word), 2 * TIMES,
	       (unsigned long long)counters.revoked[SVMA_BY_CPU]);
	svma_engine_stop(engine);
	svma_close(device);
	return err || word != 2 * TIMES;
}
