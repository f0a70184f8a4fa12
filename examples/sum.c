// SPDX-License-Identifier: MIT
/*
 * A device and the CPU add to one word at the same time, and the sum is exact. It needs a
 * vsvm device, which comes with the kernel's series: modprobe vsvm.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <svmatomic-engine.h>

#define TIMES 1000000

static atomic_long word; /* any memory does: here, a variable of the program */

/* What the device runs, on each of its threads. */
static void add(void *argument, unsigned int thread)
{
	(void)thread;
	for (int i = 0; i < TIMES; i++)
		atomic_fetch_add((atomic_long *)argument, 1);
}

int main(void)
{
	struct svma_counters counters = { 0 };
	struct svma_device *device;
	struct svma_engine *engine;
	struct svma_report report;
	int err;

	/* Open the first virtual device there is. */
	err = svma_open(&device, SVMA_OPEN_VIRTUAL);
	if (err) {
		svma_explain(NULL, &report);
		fprintf(stderr, "sum: no virtual device: %s\n", report.text);
		return 77;
	}

	/* Give it two threads to execute with; that shares this process's memory with it. */
	err = svma_engine_start(&engine, device, 2, NULL, NULL);

	/* Let it add, and add as well meanwhile. */
	if (!err)
		err = svma_engine_launch(engine, add, &word);
	add(&word, 0);
	if (!err)
		err = svma_engine_wait(engine, -1, NULL);
	if (err)
		fprintf(stderr, "sum: %s\n", strerror(-err));

	svma_counters(device, &counters);
	printf("sum: %ld of %d; the CPU took the page back %llu times\n", atomic_load(&word),
	       3 * TIMES, (unsigned long long)counters.revoked[SVMA_BY_CPU]);
	svma_engine_stop(engine);
	svma_close(device);
	return err || atomic_load(&word) != 3 * TIMES;
}
