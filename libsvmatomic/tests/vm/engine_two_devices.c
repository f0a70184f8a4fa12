// SPDX-License-Identifier: MIT
/*
 * Two devices and the CPU add to one word: each takes the page from the others. Where there
 * is one vsvm, it is opened twice, and the two files share nothing but the process.
 */
#include "vm.h"

#define THREADS	  2
#define TRANSFERS 200

struct sum {
	_Alignas(4096) _Atomic uint64_t word;
	_Alignas(4096) _Atomic int stop;
	_Alignas(4096) uint64_t done[2][THREADS];
};

struct part {
	struct sum *sum;
	int device;
};

static void add(void *argument, unsigned int thread)
{
	const struct part *part = argument;
	uint64_t done = 0;

	while (!atomic_load_explicit(&part->sum->stop, memory_order_relaxed)) {
		atomic_fetch_add(&part->sum->word, 1);
		done++;
	}
	part->sum->done[part->device][thread] = done;
}

/* The second vsvm or, where there is one, that again. */
static struct svma_device *open_second(void)
{
	struct svma_report reports[32];
	struct svma_device *device;
	int seen = 0, count = svma_survey(reports, 32);

	for (int i = 0; i < count && i < 32; i++)
		if (!strcmp(reports[i].driver, "vsvm") && seen++ &&
		    !svma_open_node(&device, reports[i].node)) {
			printf("devices: two\n");
			return device;
		}
	printf("devices: one, opened twice\n");
	return open_vsvm();
}

int main(void)
{
	struct svma_device *devices[2];
	struct svma_engine *engines[2];
	struct svma_counters counters;
	struct sum *sum = aligned_alloc(4096, sizeof(*sum));
	struct part parts[2];
	uint64_t began, total = 0, on_cpu = 0;
	uint64_t by_device, by_cpu;

	devices[0] = open_vsvm();
	devices[1] = open_second();
	check(sum);
	memset(sum, 0, sizeof(*sum));
	for (int i = 0; i < 2; i++) {
		engines[i] = start_engine(devices[i], THREADS);
		parts[i] = (struct part){ sum, i };
	}
	for (int i = 0; i < 2; i++)
		equal(svma_engine_launch(engines[i], add, &parts[i]), 0);
	began = now_ns();
	do {
		by_device = by_cpu = 0;
		for (int i = 0; i < 200; i++, on_cpu++)
			atomic_fetch_add(&sum->word, 1);
		usleep(50);
		for (int i = 0; i < 2; i++) {
			equal(svma_counters(devices[i], &counters), 0);
			by_device += counters.revoked[SVMA_BY_DEVICE];
			by_cpu += counters.revoked[SVMA_BY_CPU];
		}
	} while ((by_device < TRANSFERS || by_cpu < TRANSFERS) && now_ns() - began < 60000000000u);
	atomic_store(&sum->stop, 1);
	for (int i = 0; i < 2; i++) {
		equal(svma_engine_wait(engines[i], 60000, NULL), 0);
		for (int j = 0; j < THREADS; j++) {
			check(sum->done[i][j] > 0);
			total += sum->done[i][j];
		}
	}
	equal(atomic_load(&sum->word), total + on_cpu);
	printf("%llu additions by devices, %llu by the CPU; %llu and %llu transfers\n",
	       (unsigned long long)total, (unsigned long long)on_cpu, (unsigned long long)by_device,
	       (unsigned long long)by_cpu);
	check(by_device >= TRANSFERS && by_cpu >= TRANSFERS);
	for (int i = 0; i < 2; i++) {
		svma_engine_stop(engines[i]);
		svma_close(devices[i]);
	}
	free(sum);
	return 0;
}
