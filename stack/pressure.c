/* SPDX-License-Identifier: MIT */
/*
 * Memory is written to swap, again and again, while kernels and a CPU add to it, and no addition is
 * lost. Needs swap.
 */
#include "stack.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGES = 256, ITEMS = 32, TIMES = 20000 };

static const char source[] =
	"kernel void add(global atomic_uint *words, uint times, uint pages)\n"
	"{\n"
	"    uint at = get_global_id(0) * 7;\n"
	"    for (uint i = 0; i < times; i++, at += 13)\n"
	"        atomic_fetch_add_explicit(&words[at % pages * 1024], 1, memory_order_relaxed,\n"
	"                                  memory_scope_all_svm_devices);\n"
	"}\n";

static atomic_bool over;

static unsigned long swapped_out(void)
{
	unsigned long count = 0;
	char line[128];
	FILE *file = fopen("/proc/vmstat", "re");

	CHECK(file, "/proc/vmstat cannot be read");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "pswpout %lu", &count) == 1)
			break;
	fclose(file);
	return count;
}

static void *press(void *memory)
{
	while (!atomic_load(&over))
		madvise(memory, PAGES * PAGE, MADV_PAGEOUT);
	return NULL;
}

int main(void)
{
	cl_kernel add;
	atomic_uint *words;
	unsigned long before;
	unsigned long sum = 0;
	unsigned cpu = 0;
	cl_int status = CL_QUEUED;
	pthread_t presser;
	cl_event event;

	vsvm();
	words = shared(PAGES * PAGE);
	/* Pages of nothing but 0 are noted, not written. */
	for (int i = 0; i < PAGES; i++)
		atomic_store(&words[i * (PAGE / 4) + 1], 1);
	before = swapped_out();
	madvise(words, PAGES * PAGE, MADV_PAGEOUT);
	if (swapped_out() == before) {
		puts("skipped: nothing is swapped out; is there swap?");
		return 77;
	}
	add = kernel(source, "add");
	set_pointer(add, 0, words);
	set_uint(add, 1, TIMES);
	set_uint(add, 2, PAGES);
	before = swapped_out();
	CHECK(!pthread_create(&presser, NULL, press, words), "no thread");
	event = launch(new_queue(), add, ITEMS, 1);
	while (status > CL_COMPLETE) {
		for (int i = 0; i < 100; i++, cpu++)
			atomic_fetch_add(&words[cpu % PAGES * (PAGE / 4)], 1);
		must(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(status),
				    &status, NULL),
		     "clGetEventInfo");
	}
	atomic_store(&over, true);
	pthread_join(presser, NULL);
	must(ended(event), "a kernel");
	for (int i = 0; i < PAGES; i++)
		sum += atomic_load(&words[i * (PAGE / 4)]);
	CHECK(sum == (unsigned long)ITEMS * TIMES + cpu, "a sum of %lu, not %lu", sum,
	      (unsigned long)ITEMS * TIMES + cpu);
	printf("pressure: exact; %lu pages to swap, %u additions by the CPU\n",
	       swapped_out() - before, cpu);
	return 0;
}
