// SPDX-License-Identifier: MIT
/*
 * What it costs to take memory away from the CPU for a device, and to give it back:
 * counted instructions, notifications and TLB flushes. Runs as root in a virtual machine
 * under QEMU's -icount shift=0, where the time stamp counter counts instructions (of
 * repeated string instructions, each repetition), with the modules test_hmm, a virtual
 * device, and exclusive_bench loaded.
 *
 *	bench SECTION...
 *
 * prints a line per figure, its fields separated by tabs: what, pages, size of the pages
 * behind the range, CPUs, unit, the least of several repetitions, the most. The two
 * differ when a timer's interrupt fell into all but some, or when allocators came by
 * other ways. In place of a figure there is the name of an error, where the kernel gave
 * that. Sections want a process each, for their notifiers not to meet.
 *
 *	bench --profile WHAT PAGES SIZE SECTION
 *
 * prints nothing and does only this, after warming up once between trace_begin() and
 * trace_end(), which is where profile.sh puts breakpoints.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "counter.h"
#include "exclusive_bench.h"
#include "test_hmm_uapi.h"

#define PAGE	   4096u
#define HUGE_PAGES 512u
#define LONGEST	   16384u
/* As many pages as the kernel takes back at a fault, at most. */
#define AROUND	   16u

#define THP	   "/sys/kernel/mm/transparent_hugepage/"

/* Where ranges are: nothing of the C library is near, and it is the same in each run. */
#define RANGE_AT   ((char *)0x100000000000)
#define BUFFER_AT  ((char *)0x200000000000)

/* What a range is made of: its name is also that of the kernel's switch for the size. */
struct backing {
	const char *name;
	size_t pages;
};

static const struct backing backings[] = { { "4kB", 1 }, { "64kB", 16 }, { "2048kB", 512 } };
static const size_t lengths[] = { 1, 16, 512, LONGEST };

struct range {
	const struct backing *backing;
	size_t npages;
	size_t mapped; /* pages: no less than one of the backing's */
};

struct outcome {
	int error; /* an errno, or 0 */
	uint64_t least;
	uint64_t most;
};

/* Both return an errno. A step counts its own instructions, or what else it is about. */
typedef int prepare_fn(const struct range *range);
typedef int step_fn(const struct range *range, uint64_t *count);

static int module = -1; /* exclusive_bench */
static int device = -1; /* test_hmm */
static bool series;	/* is this a kernel with the series? */
static long cpus;

/* --- the kernel's files --- */

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("cannot write %s to %s: %s", text, path, strerror(errno));
	close(fd);
}

static uint64_t read_number(const char *path)
{
	FILE *file = fopen(path, "r");
	uint64_t number;

	if (!file || fscanf(file, "%" SCNu64, &number) != 1)
		die("cannot read %s: is it a kernel with CONFIG_TRANSPARENT_HUGEPAGE?", path);
	fclose(file);
	return number;
}

enum flush { LOCAL, REMOTE, RECEIVED, FLUSHES };

/* A CPU's own flushes are counted apart when they are of single pages. */
static const struct {
	const char *key;
	enum flush flush;
} flush_keys[] = {
	{ "nr_tlb_local_flush_all", LOCAL },
	{ "nr_tlb_local_flush_one", LOCAL },
	{ "nr_tlb_remote_flush", REMOTE },
	{ "nr_tlb_remote_flush_received", RECEIVED },
};

#define FLUSH_KEYS (sizeof(flush_keys) / sizeof(flush_keys[0]))

static void read_flushes(uint64_t flushes[FLUSHES])
{
	FILE *file = fopen("/proc/vmstat", "r");
	unsigned int found = 0;
	uint64_t number;
	char key[64];

	memset(flushes, 0, FLUSHES * sizeof(*flushes));
	while (file && fscanf(file, "%63s %" SCNu64, key, &number) == 2) {
		for (size_t i = 0; i < FLUSH_KEYS; i++) {
			if (strcmp(key, flush_keys[i].key))
				continue;
			flushes[flush_keys[i].flush] += number;
			found++;
		}
	}
	if (found != FLUSH_KEYS)
		die("/proc/vmstat counts no TLB flushes: it wants CONFIG_DEBUG_TLBFLUSH");
	fclose(file);
}

/* --- the range --- */

static void map_at(char *at, size_t pages)
{
	void *got = mmap(at, pages * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (got != at)
		die("cannot map %zu pages: %s", pages, strerror(errno));
}

/*
 * A mapping of its own for the range, and exactly the range where the backing allows: a
 * mapping that has to be split would add the price of that.
 */
static void map_range(const struct range *range)
{
	if (munmap(RANGE_AT, (size_t)LONGEST * PAGE))
		die("cannot unmap: %s", strerror(errno));
	map_at(RANGE_AT, range->mapped);
	if (madvise(RANGE_AT, range->mapped * PAGE,
		    range->backing->pages > 1 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		die("cannot choose page sizes: %s", strerror(errno));
}

/* Writes and does not read: a page that is read first comes as the one zero page. */
static void touch(size_t npages)
{
	for (size_t i = 0; i < npages; i++)
		((volatile char *)RANGE_AT)[i * PAGE] = 1;
}

static uint64_t count_touch(size_t npages)
{
	uint64_t began = __rdtsc();

	touch(npages);
	return counted_since(began);
}

/* Of huge pages what was split stays so: they are made anew. Others are just there. */
static bool wants_new(const struct range *range)
{
	return range->backing->pages == HUGE_PAGES;
}

static int populated(const struct range *range)
{
	if (wants_new(range))
		map_range(range);
	touch(range->mapped);
	return 0;
}

static int unpopulated(const struct range *range)
{
	if (wants_new(range))
		map_range(range);
	else if (madvise(RANGE_AT, range->mapped * PAGE, MADV_DONTNEED))
		return errno;
	return 0;
}

/* Map and populate a range, and see to it that its pages have the size they should. */
static void start_range(struct range *range, const struct backing *backing, size_t npages)
{
	uint64_t allocated = 0;
	char path[128];

	*range = (struct range){ backing, npages, npages };
	if (npages < backing->pages)
		range->mapped = backing->pages;
	snprintf(path, sizeof(path), THP "hugepages-%s/stats/anon_fault_alloc", backing->name);
	map_range(range);
	if (backing->pages > 1)
		allocated = read_number(path);
	touch(range->mapped);
	if (backing->pages > 1 && read_number(path) - allocated != range->mapped / backing->pages)
		die("%zu pages did not come as pages of %s", range->mapped, backing->name);
}

/* Let anonymous memory have pages of this size only. */
static void allow_backing(const struct backing *backing)
{
	for (size_t i = 0; i < sizeof(backings) / sizeof(backings[0]); i++) {
		char path[128];

		if (backings[i].pages == 1)
			continue;
		snprintf(path, sizeof(path), THP "hugepages-%s/enabled", backings[i].name);
		write_file(path, &backings[i] == backing ? "madvise" : "never");
	}
}

/* --- repeating and printing --- */

static struct outcome measure(const struct range *range, prepare_fn *prepare, step_fn *step)
{
	/* The first ones fill caches: of slabs, of pages, of the device's page table. */
	int warm_up = 2, repetitions = range->npages == LONGEST ? 3 : 9;
	struct outcome outcome = { .least = UINT64_MAX };

	for (int i = 0; i < warm_up + repetitions; i++) {
		uint64_t count = 0;

		outcome.error = prepare(range);
		if (!outcome.error)
			outcome.error = step(range, &count);
		if (outcome.error)
			return outcome;
		if (i < warm_up)
			continue;
		if (count < outcome.least)
			outcome.least = count;
		if (count > outcome.most)
			outcome.most = count;
	}
	return outcome;
}

static void print(const char *what, const struct range *range, const char *unit,
		  struct outcome outcome, double divisor)
{
	printf("%s\t%zu\t%s\t%ld\t%s\t", what, range->npages, range->backing->name, cpus, unit);
	if (outcome.error)
		printf("%s\t%s\n", strerrorname_np(outcome.error), strerrorname_np(outcome.error));
	else
		printf("%.1f\t%.1f\n", (double)outcome.least / divisor,
		       (double)outcome.most / divisor);
}

static void print_cost(const char *what, const struct range *range, struct outcome outcome)
{
	print(what, range, "instructions/page", outcome, (double)range->npages);
}

/* Not static, for their addresses to be known, and not empty, for them to be there. */
void __attribute__((noinline)) trace_begin(void)
{
	__asm__ volatile("nop");
}

void __attribute__((noinline)) trace_end(void)
{
	__asm__ volatile("nop");
}

/* What --profile names: nothing, or the one cost to be traced. */
static struct {
	const char *what;
	size_t npages;
	const char *backing;
	bool done;
} profiled;

static void profile(const char *what, const struct range *range, prepare_fn *prepare, step_fn *step)
{
	uint64_t ignored;

	if (strcmp(what, profiled.what) || range->npages != profiled.npages ||
	    strcmp(range->backing->name, profiled.backing))
		return;
	if (measure(range, prepare, step).error || prepare(range))
		return;
	trace_begin();
	profiled.done = !step(range, &ignored);
	trace_end();
}

static void cost(const char *what, const struct range *range, prepare_fn *prepare, step_fn *step)
{
	if (profiled.what) {
		profile(what, range, prepare, step);
		return;
	}
	print_cost(what, range, measure(range, prepare, step));
}

/* --- what the kernel can do anyway: the bounds --- */

static int protect(const struct range *range, int protection)
{
	return mprotect(RANGE_AT, range->npages * PAGE, protection) ? errno : 0;
}

static int count_protect(const struct range *range, int protection, uint64_t *count)
{
	uint64_t began = __rdtsc();
	int error = protect(range, protection);

	*count = counted_since(began);
	return error;
}

static int readable(const struct range *range)
{
	/* A range that an earlier step left inaccessible cannot be touched. */
	int error = protect(range, PROT_READ | PROT_WRITE);

	return error ? error : populated(range);
}

static int step_protect(const struct range *range, uint64_t *count)
{
	return count_protect(range, PROT_NONE, count);
}

static int inaccessible(const struct range *range)
{
	int error = readable(range);

	return error ? error : protect(range, PROT_NONE);
}

static int step_unprotect(const struct range *range, uint64_t *count)
{
	return count_protect(range, PROT_READ | PROT_WRITE, count);
}

static int step_touch(const struct range *range, uint64_t *count)
{
	*count = count_touch(range->npages);
	return 0;
}

/* Populated, and written to when? Tracking that takes write permission away. */
static int tracked(const struct range *range)
{
	int error = populated(range);

	write_file("/proc/self/clear_refs", "4");
	return error;
}

static long minor_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

/* The cheapest fault there is: the page is present, its own, and needs only one bit. */
static int step_wp_fault(const struct range *range, uint64_t *count)
{
	long faults = minor_faults();

	*count = count_touch(range->npages);
	if (minor_faults() - faults < (long)range->npages)
		die("writes were not tracked: it wants CONFIG_MEM_SOFT_DIRTY");
	return 0;
}

static void bounds(const struct range *range)
{
	cost("mprotect-none", range, readable, step_protect);
	cost("mprotect-rw", range, inaccessible, step_unprotect);
	cost("populate", range, unpopulated, step_touch);
	/* The kernel tracks huge pages as a whole, which compares with nothing here. */
	if (range->backing->pages == 1)
		cost("wp-fault", range, tracked, step_wp_fault);
}

/* --- the core alone --- */

static void watch(const struct range *range, bool fault_around, struct exclusive_bench_watch *seen)
{
	*seen = (struct exclusive_bench_watch){
		.addr = (uintptr_t)RANGE_AT,
		.npages = range ? range->npages : 0,
		.fault_around = fault_around,
	};
	if (ioctl(module, EXCLUSIVE_BENCH_WATCH, seen))
		die("EXCLUSIVE_BENCH_WATCH: %s", strerror(errno));
}

/* The module counts by itself, inside of the call. */
static int core_call(unsigned long command, const struct range *range, uint64_t *count)
{
	struct exclusive_bench_range cmd = {
		.addr = (uintptr_t)RANGE_AT,
		.npages = range->npages,
	};

	if (ioctl(module, command, &cmd))
		return errno;
	if (cmd.done != range->npages)
		return EREMOTEIO;
	*count = cmd.instructions;
	return 0;
}

static int step_core_take(const struct range *range, uint64_t *count)
{
	return core_call(EXCLUSIVE_BENCH_TAKE, range, count);
}

static int core_taken(const struct range *range)
{
	uint64_t ignored;
	int error = populated(range);

	return error ? error : step_core_take(range, &ignored);
}

static int step_core_restore(const struct range *range, uint64_t *count)
{
	return core_call(EXCLUSIVE_BENCH_RESTORE, range, count);
}

static void core(const struct range *range)
{
	struct exclusive_bench_watch seen;

	watch(range, false, &seen);
	cost("core-acquire", range, populated, step_core_take);
	cost("core-retake", range, core_taken, step_core_take);
	if (series)
		cost("core-restore", range, core_taken, step_core_restore);
	cost("core-fault", range, core_taken, step_touch);
	watch(range, true, &seen);
	cost("core-sweep", range, core_taken, step_touch);
	watch(NULL, false, &seen);
}

/* --- through a driver with a page table of its own: test_hmm --- */

static void open_device(void)
{
	device = open("/dev/hmm_dmirror0", O_RDWR);
	if (device < 0)
		die("cannot open /dev/hmm_dmirror0: %s; is test_hmm loaded?", strerror(errno));
}

static void close_device(void)
{
	close(device);
	device = -1;
}

static int count_ioctl(unsigned long command, void *cmd, uint64_t *count)
{
	uint64_t began = __rdtsc();
	int ret = ioctl(device, command, cmd);

	*count = counted_since(began);
	return ret ? errno : 0;
}

static int device_range(unsigned long command, const struct range *range, uint64_t *count)
{
	struct hmm_dmirror_exclusive cmd = {
		.addr = (uintptr_t)RANGE_AT,
		.npages = range->npages,
	};
	int error = count_ioctl(command, &cmd, count);

	if (!error && cmd.cpages != range->npages)
		return EREMOTEIO;
	return error;
}

/* As Linux 6.12 knows them: both of these also copy the range to the caller. */
static int device_copy(unsigned long command, const struct range *range, uint64_t *count)
{
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)RANGE_AT,
		.ptr = (uintptr_t)BUFFER_AT,
		.npages = range->npages,
	};
	int error = count_ioctl(command, &cmd, count);

	if (!error && cmd.cpages != range->npages)
		return EREMOTEIO;
	return error;
}

static int step_exclusive(const struct range *range, uint64_t *count)
{
	return device_copy(HMM_DMIRROR_EXCLUSIVE, range, count);
}

static int step_read(const struct range *range, uint64_t *count)
{
	return device_copy(HMM_DMIRROR_READ, range, count);
}

static int step_acquire(const struct range *range, uint64_t *count)
{
	if (series)
		return device_range(HMM_DMIRROR_ACQUIRE, range, count);
	return step_exclusive(range, count);
}

static int step_restore(const struct range *range, uint64_t *count)
{
	return device_range(HMM_DMIRROR_RESTORE, range, count);
}

static int acquired(const struct range *range)
{
	uint64_t ignored;
	int error = populated(range);

	return error ? error : step_acquire(range, &ignored);
}

static int read_before(const struct range *range)
{
	uint64_t ignored;
	int error = populated(range);

	return error ? error : step_exclusive(range, &ignored);
}

/* What HMM_DMIRROR_EXCLUSIVE takes, less the copying that HMM_DMIRROR_READ does too. */
static struct outcome measure_exclusive(const struct range *range, prepare_fn *prepare)
{
	struct outcome both = measure(range, prepare, step_exclusive);
	struct outcome copying = { 0 };

	if (!both.error)
		copying = measure(range, read_before, step_read);
	if (copying.error)
		return copying;
	both.least -= copying.least;
	both.most -= copying.least;
	return both;
}

static void cost_acquire(const char *what, const struct range *range, prepare_fn *prepare)
{
	if (series || profiled.what)
		cost(what, range, prepare, step_acquire);
	else
		print_cost(what, range, measure_exclusive(range, prepare));
}

static void set_fault_around(unsigned int pages)
{
	struct hmm_dmirror_notified cmd = { .fault_around = pages };

	if (series && ioctl(device, HMM_DMIRROR_NOTIFIED, &cmd))
		die("HMM_DMIRROR_NOTIFIED: %s", strerror(errno));
}

static void driver(const struct range *range)
{
	open_device();
	cost_acquire("acquire", range, populated);
	if (series && !profiled.what)
		print_cost("acquire-and-copy", range, measure_exclusive(range, populated));
	cost_acquire("retake", range, acquired);
	if (series)
		cost("restore", range, acquired, step_restore);
	cost("fault", range, acquired, step_touch);
	set_fault_around(AROUND);
	cost("sweep", range, acquired, step_touch);
	set_fault_around(0);
	cost_acquire("acquire-unpopulated", range, unpopulated);
	close_device();
}

/* --- notifications and TLB flushes --- */

/* How often the thread on the other CPU went round. */
static uint64_t spins;

/* Keeps a CPU busy in this address space, so that the other has to tell it of changes. */
static void *spin(void *unused)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(1, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set))
		die("cannot have CPU 1");
	for (;;) {
		__atomic_fetch_add(&spins, 1, __ATOMIC_RELAXED);
		__builtin_ia32_pause();
	}
	return unused;
}

static void start_spinning(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, spin, NULL))
		die("cannot start a thread");
}

/* Until the other CPU is known to be there, and not at work for the kernel. */
static void await_spinning(void)
{
	uint64_t before = __atomic_load_n(&spins, __ATOMIC_RELAXED);

	/* QEMU lets another CPU run when this one pauses. */
	while (cpus > 1 && __atomic_load_n(&spins, __ATOMIC_RELAXED) == before)
		__builtin_ia32_pause();
}

/* What of it all the step that is measured is to return. */
static step_fn *counted_step;
static enum flush counted_flush;

static int step_flushes(const struct range *range, uint64_t *count)
{
	uint64_t before[FLUSHES], after[FLUSHES], ignored;
	int error;

	read_flushes(before);
	await_spinning();
	error = counted_step(range, &ignored);
	read_flushes(after);
	*count = after[counted_flush] - before[counted_flush];
	return error;
}

/* The watch is somebody else's: to it, all that test_hmm does is news. */
static int step_calls(const struct range *range, uint64_t *count)
{
	struct exclusive_bench_watch seen;
	uint64_t ignored;
	int error;

	watch(range, false, &seen);
	await_spinning();
	error = counted_step(range, &ignored);
	watch(NULL, false, &seen);
	*count = seen.own + seen.others;
	return error;
}

static void events(const char *what, const struct range *range, prepare_fn *prepare, step_fn *step)
{
	static const char *const units[FLUSHES] = {
		[LOCAL] = "TLB flushes",
		[REMOTE] = "TLB flushes of others",
		[RECEIVED] = "TLB flushes for others",
	};

	counted_step = step;
	print(what, range, "notifications", measure(range, prepare, step_calls), 1);
	/* A lone CPU has no others. */
	for (int i = 0; i < (cpus > 1 ? FLUSHES : REMOTE); i++) {
		counted_flush = i;
		print(what, range, units[i], measure(range, prepare, step_flushes), 1);
	}
}

static void counters(const struct range *range)
{
	if (range->npages != HUGE_PAGES)
		return;
	open_device();
	events("acquire", range, populated, step_acquire);
	if (series)
		events("restore", range, acquired, step_restore);
	events("fault", range, acquired, step_touch);
	set_fault_around(AROUND);
	events("sweep", range, acquired, step_touch);
	close_device();
}

/* --- the loop of Documentation/mm/hmm.rst --- */

enum loop_figure { RETRIES, LOST, TAKEN, LOOP_FIGURES };

static enum loop_figure loop_figure;

static int step_loop(const struct range *range, uint64_t *count)
{
	struct exclusive_bench_loop cmd = { .addr = (uintptr_t)RANGE_AT };

	(void)range;
	if (ioctl(module, EXCLUSIVE_BENCH_LOOP, &cmd))
		return errno;
	*count = loop_figure == RETRIES ? cmd.attempts - 1
		 : loop_figure == LOST	? cmd.lost
					: cmd.taken;
	return 0;
}

static void loop(const struct range *range)
{
	static const char *const units[LOOP_FIGURES] = { "retries", "retries lost", "taken" };

	if (range->npages != 1 || range->backing->pages != 1)
		return;
	for (int i = 0; i < LOOP_FIGURES; i++) {
		loop_figure = i;
		print("loop", range, units[i], measure(range, populated, step_loop), 1);
	}
}

/* --- all of it --- */

struct section {
	const char *name;
	void (*run)(const struct range *range);
};

static const struct section sections[] = {
	{ "bounds", bounds },	  { "core", core }, { "driver", driver },
	{ "counters", counters }, { "loop", loop },
};

static const struct section *find_section(const char *name)
{
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		if (!strcmp(sections[i].name, name))
			return &sections[i];
	die("no section '%s'; there are bounds, core, driver, counters and loop", name);
}

static void run_section(const struct section *section)
{
	for (size_t i = 0; i < sizeof(backings) / sizeof(backings[0]); i++) {
		allow_backing(&backings[i]);
		for (size_t j = 0; j < sizeof(lengths) / sizeof(lengths[0]); j++) {
			struct range range;

			start_range(&range, &backings[i], lengths[j]);
			section->run(&range);
		}
	}
}

static void set_up(void)
{
	cpu_set_t set;

	cpus = sysconf(_SC_NPROCESSORS_ONLN);
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("cannot have CPU 0: %s", strerror(errno));

	module = open("/dev/exclusive_bench", O_RDWR);
	if (module < 0)
		die("cannot open /dev/exclusive_bench: %s; is the module loaded?", strerror(errno));
	series = ioctl(module, EXCLUSIVE_BENCH_SERIES, 0) == 1;

	/* There before anything is counted, and never where it could be merged with. */
	map_at(BUFFER_AT, LONGEST);
	memset(BUFFER_AT, 0, (size_t)LONGEST * PAGE);
}

int main(int argc, char **argv)
{
	int first = 1;

	if (argc > 1 && !strcmp(argv[1], "--profile")) {
		if (argc != 6)
			die("--profile wants a name, pages, their size and a section");
		profiled.what = argv[2];
		profiled.npages = strtoul(argv[3], NULL, 10);
		profiled.backing = argv[4];
		first = 5;
	}

	set_up();
	if (cpus > 1)
		start_spinning();
	else
		check_counter();
	for (int i = first; i < argc; i++)
		run_section(find_section(argv[i]));
	if (profiled.what && !profiled.done)
		die("nothing to profile as %s, %s pages of %s", argv[2], argv[3], argv[4]);
	/* A page that is still exclusive, or a watch, ends with the process. */
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
