// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Device-exclusive memory: what the owner of the memory, its device and the
 * rest of the kernel may expect of each other while pages are taken from the
 * CPU and given back.
 *
 * The device is the one of test_hmm.ko. Its read-modify-write operations load
 * and store in two steps, so that whoever gets at a page that the device has
 * exclusively makes sums come out wrong. Needs root, for page frame numbers and
 * for most of the knobs.
 */
#include "../kselftest_harness.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/magic.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <sys/uio.h>
#include <time.h>

/* What the test module and the kernel agree on, which is no uapi. */
#include <lib/test_hmm_uapi.h>
#include <include/linux/device_exclusive.h>

#include "vm_util.h"

#define AREA_SIZE	(2UL << 20)
#define PAGE		4096UL
#define NPAGES		(AREA_SIZE / PAGE)
#define BLOCK		16UL	/* pages of a 64 KiB folio, or of a fault */
#define WORDS		(PAGE / sizeof(uint64_t))

#define THP_KNOB	"/sys/kernel/mm/transparent_hugepage/"
#define KSM_KNOB	"/sys/kernel/mm/ksm/"
#define DAMON_KNOB	"/sys/kernel/mm/damon/admin/kdamonds/"

#define PM_SWAP_TYPE(entry)	((entry) & 31)
#define PM_SWAP_PFN(entry)	(PAGEMAP_PFN(entry) >> 5)
#define KPF_COMPOUND		(BIT_ULL(15) | BIT_ULL(16))

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE		25
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

#define EXEC_ENV	"DEVICE_EXCLUSIVE_FD"
#define EXEC_STATUS	42

enum backing {
	SMALL,		/* pages of 4 KiB */
	MTHP,		/* folios of 64 KiB */
	PMD,		/* a folio of 2 MiB, mapped by a PMD */
	PTES,		/* a folio of 2 MiB, mapped by PTEs */
};

/* --- Knobs, which are put back when the test is over --------------------- */

static struct knob {
	char path[96];
	char value[64];
} knobs[40];
static int nr_knobs;

static bool write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	close(fd);
	return done;
}

/* The first line, or what is chosen of "these [this] those". */
static bool read_file(const char *path, char *value, size_t size)
{
	int fd = open(path, O_RDONLY);
	char *open_bracket, *end;
	ssize_t len;

	if (fd < 0)
		return false;
	len = read(fd, value, size - 1);
	close(fd);
	if (len < 0)
		return false;
	value[len] = 0;
	value[strcspn(value, "\n")] = 0;
	open_bracket = strchr(value, '[');
	end = open_bracket ? strchr(open_bracket, ']') : NULL;
	if (end) {
		*end = 0;
		memmove(value, open_bracket + 1, end - open_bracket);
	}
	return true;
}

static long read_number(const char *path)
{
	char value[64];

	return read_file(path, value, sizeof(value)) ? atol(value) : -1;
}

static bool set_knob(const char *path, const char *value)
{
	struct knob *knob = &knobs[nr_knobs];

	if (nr_knobs == ARRAY_SIZE(knobs) ||
	    !read_file(path, knob->value, sizeof(knob->value)))
		return false;
	snprintf(knob->path, sizeof(knob->path), "%s", path);
	if (!write_file(path, value))
		return false;
	nr_knobs++;
	return true;
}

static void restore_knobs(void)
{
	while (nr_knobs--)
		write_file(knobs[nr_knobs].path, knobs[nr_knobs].value);
	nr_knobs = 0;
}

/* The number behind @name in a file such as /proc/meminfo, or -1. */
static long proc_value(const char *path, const char *name)
{
	FILE *file = fopen(path, "r");
	char line[256];
	long value = -1;

	while (file && value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			value = atol(line + strlen(name));
	if (file)
		fclose(file);
	return value;
}

/* The same of the mapping that holds @addr, in smaps. */
static long smaps_value(void *addr, const char *name)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	unsigned long start, end;
	char line[512];
	bool here = false;
	long value = -1;

	while (file && value < 0 && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = start <= (uintptr_t)addr && (uintptr_t)addr < end;
		else if (here && !strncmp(line, name, strlen(name)))
			value = atol(line + strlen(name));
	}
	if (file)
		fclose(file);
	return value;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

/* --- The CPU's page tables ------------------------------------------------ */

/* What an exclusive entry has as its swap type, see learn_type(). */
static unsigned int exclusive_type;

static void read_entries(void *addr, unsigned long npages, uint64_t *entries)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	ssize_t size = npages * sizeof(*entries);

	memset(entries, 0, size);
	/* Addresses of the kernel have none. */
	if (pread(fd, entries, size, (uintptr_t)addr / PAGE * 8) != size)
		memset(entries, 0, size);
	close(fd);
}

static bool entry_is_exclusive(uint64_t entry)
{
	return !(entry & PM_PRESENT) && (entry & PM_SWAP) &&
	       PM_SWAP_TYPE(entry) == exclusive_type;
}

static bool entry_is_swapped(uint64_t entry)
{
	return !(entry & PM_PRESENT) && (entry & PM_SWAP) &&
	       PM_SWAP_TYPE(entry) != exclusive_type;
}

static unsigned long count_entries(void *addr, unsigned long npages,
				   bool (*is)(uint64_t entry))
{
	uint64_t entries[NPAGES];
	unsigned long i, n = 0;

	read_entries(addr, npages, entries);
	for (i = 0; i < npages; i++)
		n += is(entries[i]);
	return n;
}

static unsigned long count_exclusive(void *addr, unsigned long npages)
{
	return count_entries(addr, npages, entry_is_exclusive);
}

static bool is_exclusive(void *addr)
{
	return count_exclusive(addr, 1);
}

/* Page frames, of pages that are mapped or exclusive; 0 for others. */
static void read_pfns(void *addr, unsigned long npages, uint64_t *pfns)
{
	unsigned long i;

	read_entries(addr, npages, pfns);
	for (i = 0; i < npages; i++) {
		if (pfns[i] & PM_PRESENT)
			pfns[i] = PAGEMAP_PFN(pfns[i]);
		else
			pfns[i] = entry_is_exclusive(pfns[i]) ?
				  PM_SWAP_PFN(pfns[i]) : 0;
	}
}

static uint64_t read_pfn(void *addr)
{
	uint64_t pfn;

	read_pfns(addr, 1, &pfn);
	return pfn;
}

/* How many pages are in the frames that they were in. */
static unsigned long count_unmoved(void *addr, const uint64_t *before)
{
	uint64_t pfns[NPAGES];
	unsigned long i, n = 0;

	read_pfns(addr, NPAGES, pfns);
	for (i = 0; i < NPAGES; i++)
		n += pfns[i] && pfns[i] == before[i];
	return n;
}

static uint64_t page_flags(uint64_t pfn)
{
	int fd = open("/proc/kpageflags", O_RDONLY);
	uint64_t flags = 0;

	if (pread(fd, &flags, sizeof(flags), pfn * sizeof(flags)) < 0)
		perror("kpageflags");
	close(fd);
	return flags;
}

/* Are all these pages in folios of @nr pages, in order? */
static bool is_in_folios(void *addr, unsigned long nr)
{
	uint64_t pfns[NPAGES];
	unsigned long i;

	read_pfns(addr, NPAGES, pfns);
	for (i = 0; i < NPAGES; i++) {
		if (pfns[i] != pfns[i / nr * nr] + i % nr || !pfns[i])
			return false;
		if (!(page_flags(pfns[i]) & KPF_COMPOUND) != (nr == 1))
			return false;
	}
	return true;
}

/* --- Memory --------------------------------------------------------------- */

static uint64_t *word_of(char *area, unsigned long page)
{
	return (uint64_t *)(area + page * PAGE);
}

static uint64_t pattern(unsigned long page)
{
	return (page + 1) * 0x100000001ULL << 16;
}

static void fill(char *area)
{
	unsigned long i;

	for (i = 0; i < NPAGES; i++) {
		word_of(area, i)[0] = pattern(i);
		word_of(area, i)[WORDS / 2] = i;
		word_of(area, i)[WORDS - 1] = ~pattern(i);
	}
}

/* The first of these pages that lacks its pattern plus @added; -1 for none. */
static long bad_page_in(char *area, unsigned long first, unsigned long end,
			uint64_t added)
{
	unsigned long i;

	for (i = first; i < end; i++)
		if (__atomic_load_n(word_of(area, i), __ATOMIC_RELAXED) !=
		    pattern(i) + added ||
		    word_of(area, i)[WORDS / 2] != i ||
		    word_of(area, i)[WORDS - 1] != ~pattern(i))
			return i;
	return -1;
}

static long bad_page(char *area, unsigned long npages, uint64_t added)
{
	return bad_page_in(area, 0, npages, added);
}

/* The first of all pages whose first word is not @value; -1 for none. */
static long other_page(char *area, uint64_t value)
{
	unsigned long i;

	for (i = 0; i < NPAGES; i++)
		if (word_of(area, i)[0] != value || word_of(area, i)[WORDS - 1])
			return i;
	return -1;
}

/*
 * A mapping with nothing in it, surrounded by one that may not be accessed. A
 * mapping without any whole PMD gets no folio of that size.
 */
static char *map_area(enum backing backing)
{
	int prot = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
	char *area = mmap(NULL, 4 * AREA_SIZE, PROT_NONE, flags, -1, 0);

	if (area == MAP_FAILED)
		return NULL;
	area = (char *)(((uintptr_t)area | (AREA_SIZE - 1)) + 1);
	if (backing == MTHP)
		area += BLOCK * PAGE;
	area = mmap(area, AREA_SIZE, prot, flags | MAP_FIXED, -1, 0);
	if (area == MAP_FAILED)
		return NULL;
	madvise(area, AREA_SIZE,
		backing == SMALL ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
	return area;
}

/* Make a PMD mapping one by PTEs, with one folio behind it still. */
static void split_mapping(char *area)
{
	mprotect(area + PAGE, PAGE, PROT_READ);
	mprotect(area + PAGE, PAGE, PROT_READ | PROT_WRITE);
}

static bool area_is(char *area, enum backing backing)
{
	long huge = smaps_value(area, "AnonHugePages:");

	if (backing == PMD)
		return huge == AREA_SIZE / 1024;
	return !huge && is_in_folios(area, backing == SMALL ? 1 :
				     backing == MTHP ? BLOCK : NPAGES);
}

static bool has_huge_pages(void)
{
	return read_pmd_pagesize() == AREA_SIZE;
}

/*
 * Does nobody hold a reference or the lock of a page? Who did would keep a huge
 * page from being made. The CPU has all pages.
 */
static bool is_unreferenced(char *area)
{
	if ((uintptr_t)area % AREA_SIZE || !has_huge_pages())
		return true;
	madvise(area, AREA_SIZE, MADV_HUGEPAGE);
	return !madvise(area, AREA_SIZE, MADV_COLLAPSE) &&
	       smaps_value(area, "AnonHugePages:") == AREA_SIZE / 1024;
}

static char *new_area(enum backing backing)
{
	char *area = map_area(backing);

	if (!area)
		return NULL;
	fill(area);
	if (backing == PTES)
		split_mapping(area);
	return area;
}

/* --- The device ----------------------------------------------------------- */

struct result {
	int err;
	unsigned long pages;
	unsigned int reason;
	unsigned long tries;	/* attempts, or faults of the device */
};

static int open_mirror(int unit)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/hmm_dmirror%d", unit);
	return open(path, O_RDWR);
}

static int call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

static struct result acquire_losing(int fd, void *addr, unsigned long npages,
				    unsigned int lose)
{
	struct hmm_dmirror_exclusive cmd = {
		.addr = (uintptr_t)addr,
		.npages = npages,
		.lose = lose,
	};
	int err = call(fd, HMM_DMIRROR_ACQUIRE, &cmd);

	return (struct result){ err, cmd.cpages, cmd.reason, cmd.attempts };
}

static struct result acquire(int fd, void *addr, unsigned long npages)
{
	return acquire_losing(fd, addr, npages, 0);
}

/* Acquire all of it, or say what went wrong. */
static bool take(int fd, void *addr, unsigned long npages)
{
	struct result got = acquire(fd, addr, npages);

	if (!got.err && !got.reason && got.pages == npages)
		return true;
	ksft_print_msg("acquire: error %d, reason %u, %lu of %lu pages\n",
		       got.err, got.reason, got.pages, npages);
	return false;
}

static long restore(int fd, void *addr, unsigned long npages)
{
	struct hmm_dmirror_exclusive cmd = {
		.addr = (uintptr_t)addr,
		.npages = npages,
	};
	int err = call(fd, HMM_DMIRROR_RESTORE, &cmd);

	return err ?: (long)cmd.cpages;
}

/* Let the device add 1 to the first word of each page, @repeat times. */
static struct result device_add(int fd, void *addr, unsigned long npages,
				unsigned long repeat)
{
	struct hmm_dmirror_atomic cmd = {
		.addr = (uintptr_t)addr,
		.stride = PAGE,
		.nwords = npages,
		.repeat = repeat,
		.value = 1,
	};
	int err = call(fd, HMM_DMIRROR_ATOMIC, &cmd);

	return (struct result){ err, npages, cmd.reason, cmd.faults };
}

static int add_one(int fd, void *addr, unsigned long npages)
{
	return device_add(fd, addr, npages, 1).err;
}

static struct hmm_dmirror_notified notified(int fd, unsigned long fault_around)
{
	struct hmm_dmirror_notified cmd = { .fault_around = fault_around };

	if (call(fd, HMM_DMIRROR_NOTIFIED, &cmd))
		perror("notified");
	return cmd;
}

static int mirror_cmd(int fd, unsigned long request, void *addr, void *data,
		      unsigned long npages)
{
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)addr,
		.ptr = (uintptr_t)data,
		.npages = npages,
	};

	return call(fd, request, &cmd);
}

/* How many pages the device has exclusively, as far as it knows. */
static unsigned long device_pages(int fd, char *addr, unsigned long npages)
{
	unsigned long i, n = 0;

	for (i = 0; i < npages; i++)
		n += mirror_cmd(fd, HMM_DMIRROR_CHECK_EXCLUSIVE,
				addr + i * PAGE, NULL, 1) == -EPERM;
	return n;
}

static bool device_has(int fd, char *addr)
{
	return device_pages(fd, addr, 1);
}

static bool learn_type(void)
{
	int fd = open_mirror(0);
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	uint64_t before, after;

	read_entries(page, 1, &before);
	if (!take(fd, page, 1))
		return false;
	read_entries(page, 1, &after);
	close(fd);
	munmap(page, PAGE);
	exclusive_type = PM_SWAP_TYPE(after);
	return (before & PM_PRESENT) && entry_is_exclusive(after) &&
	       PM_SWAP_PFN(after) == PAGEMAP_PFN(before);
}

/* --- Threads -------------------------------------------------------------- */

/* Adds 1 to the first word of each page: by the CPU, or by a device. */
struct adder {
	int fd;			/* -1: the CPU */
	char *area;
	unsigned long npages;
	unsigned long passes;	/* how often; 0: until stopped */
	bool *stop;
	unsigned long done;
	int err;
	pthread_t thread;
};

static int add_pass(struct adder *adder)
{
	unsigned long i;

	if (adder->fd >= 0)
		return add_one(adder->fd, adder->area, adder->npages);
	for (i = 0; i < adder->npages; i++)
		__atomic_fetch_add(word_of(adder->area, i), 1, __ATOMIC_RELAXED);
	return 0;
}

static void *adder_main(void *arg)
{
	struct adder *adder = arg;

	while (!adder->err && !(adder->passes && adder->done == adder->passes) &&
	       !__atomic_load_n(adder->stop, __ATOMIC_RELAXED)) {
		adder->err = add_pass(adder);
		if (!adder->err)
			adder->done++;
	}
	return NULL;
}

static int start_adders(struct adder *adders, int nr)
{
	int i, err = 0;

	for (i = 0; i < nr && !err; i++)
		err = pthread_create(&adders[i].thread, NULL, adder_main,
				     &adders[i]);
	return err;
}

/* Those that know when to end are waited for, then the others are stopped. */
static int join_adders(struct adder *adders, int nr)
{
	int i, err = 0;

	for (i = 0; i < nr; i++)
		if (adders[i].passes)
			pthread_join(adders[i].thread, NULL);
	__atomic_store_n(adders[0].stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < nr; i++) {
		if (!adders[i].passes)
			pthread_join(adders[i].thread, NULL);
		err = err ?: adders[i].err;
	}
	return err;
}

static uint64_t passes_done(struct adder *adders, int nr)
{
	uint64_t sum = 0;

	while (nr--)
		sum += adders[nr].done;
	return sum;
}

#define ADDER(fd_, area_, npages_, passes_, stop_) {			\
	.fd = (fd_), .area = (area_), .npages = (npages_),		\
	.passes = (passes_), .stop = (stop_),				\
}

/* --- Processes ------------------------------------------------------------ */

/* The exit status, or 128 plus the signal. */
static int reap(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

/* A pair of pipes, to take turns with a child. */
struct turns {
	int to_child[2];
	int to_parent[2];
};

static int make_turns(struct turns *turns)
{
	return pipe(turns->to_child) ?: pipe(turns->to_parent);
}

static void give_turn(int *ends)
{
	if (write(ends[1], "", 1) != 1)
		perror("pipe");
}

static bool await_turn(int *ends)
{
	char byte;

	return read(ends[0], &byte, 1) == 1;
}

static sigjmp_buf on_signal_jump;

static void on_signal(int sig)
{
	siglongjmp(on_signal_jump, sig);
}

/* Return: 0, or the signal that doing it got us. */
static int signal_of(void (*doing)(void *arg), void *arg)
{
	struct sigaction action = { .sa_handler = on_signal }, segv, bus;
	int sig;

	sigaction(SIGSEGV, &action, &segv);
	sigaction(SIGBUS, &action, &bus);
	sig = sigsetjmp(on_signal_jump, 1);
	if (!sig)
		doing(arg);
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
	return sig;
}

struct write {
	uint64_t *word;
	uint64_t value;
};

static void do_write(void *arg)
{
	struct write *write = arg;

	__atomic_store_n(write->word, write->value, __ATOMIC_RELAXED);
}

/* Write from user space. Return: 0, or the signal. */
static int try_write(uint64_t *word, uint64_t value)
{
	struct write write = { word, value };

	return signal_of(do_write, &write);
}

static void do_poison(void *page)
{
	if (madvise(page, PAGE, MADV_HWPOISON))
		perror("MADV_HWPOISON");
}

/* What exec and spawn run: does a mirror serve the old image only? */
static void __attribute__((constructor)) after_exec(void)
{
	const char *fd = getenv(EXEC_ENV);
	void *here = (void *)((uintptr_t)&fd & ~(PAGE - 1));

	if (!fd)
		return;
	if (atoi(fd) >= 0 && acquire(atoi(fd), here, 1).err != -EINVAL)
		_exit(1);
	_exit(EXEC_STATUS);
}

/* --- Memory control group and swap ---------------------------------------- */

static char cgroup[128];

static bool cgroup_write(const char *name, const char *value)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", cgroup, name);
	return write_file(path, value);
}

/* A group of our own in the unified hierarchy, mounted again for us alone. */
static bool make_cgroup(void)
{
	char root[] = "/tmp/device_exclusive.XXXXXX", path[64];

	if (!mkdtemp(root) || mount("none", root, "cgroup2", 0, NULL))
		return false;
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", root);
	write_file(path, "+memory");
	snprintf(cgroup, sizeof(cgroup), "%s/device_exclusive.%d", root,
		 getpid());
	return !mkdir(cgroup, 0755) && cgroup_write("memory.max", "max");
}

static void remove_cgroup(void)
{
	int i;

	if (!*cgroup)
		return;
	cgroup_write("../cgroup.procs", "0");
	for (i = 0; i < 100 && rmdir(cgroup) && errno == EBUSY; i++)
		sleep_ms(10);
	*strrchr(cgroup, '/') = 0;
	umount2(cgroup, MNT_DETACH);
	rmdir(cgroup);
	*cgroup = 0;
}

/* A group for this process and for what it maps from now on. */
static bool enter_cgroup(void)
{
	return make_cgroup() && cgroup_write("cgroup.procs", "0");
}

/* Reclaim all that can be had, from whoever is in the group. */
static void reclaim_cgroup(void)
{
	int i;

	for (i = 0; i < 4; i++)
		cgroup_write("memory.reclaim", "4M");
}

#define SWAP_DISKS	4
static bool swap_on[SWAP_DISKS];

static bool swap_on_ramdisk(int nr)
{
	char path[32];
	struct {
		char boot[1024];
		uint32_t version, last_page, nr_badpages;
		char rest[PAGE - 1024 - 12 - 10];
		char magic[10];
	} header = { .version = 1, .magic = "SWAPSPACE2" }, none = { 0 }, old;
	off_t size;
	int fd;

	snprintf(path, sizeof(path), "/dev/ram%d", nr);
	fd = open(path, O_RDWR);
	if (fd < 0)
		return false;
	size = lseek(fd, 0, SEEK_END);
	header.last_page = size / PAGE - 1;
	/* Only one that is unused, or was ours. */
	if (pread(fd, &old, PAGE, 0) != PAGE ||
	    (memcmp(&old, &none, PAGE) && memcmp(&old, &header, PAGE)) ||
	    pwrite(fd, &header, PAGE, 0) != PAGE || fsync(fd)) {
		close(fd);
		return false;
	}
	close(fd);
	swap_on[nr] = !swapon(path, 0);
	return swap_on[nr];
}

/* Is there room to swap, be it on disks in memory? */
static bool have_swap(void)
{
	int nr;

	for (nr = 0; nr < SWAP_DISKS; nr++) {
		if (proc_value("/proc/meminfo", "SwapFree:") >= 12 << 10)
			return true;
		swap_on_ramdisk(nr);
	}
	return proc_value("/proc/meminfo", "SwapFree:") >= 12 << 10;
}

static void drop_swap(void)
{
	char path[32];
	int nr;

	for (nr = 0; nr < SWAP_DISKS; nr++) {
		snprintf(path, sizeof(path), "/dev/ram%d", nr);
		if (swap_on[nr] && swapoff(path))
			perror(path);
		swap_on[nr] = false;
	}
}

/* --- Fixtures ------------------------------------------------------------- */

/*
 * Two mirrors, on a device each, and an area full of patterns. Return: what is
 * missing, or NULL.
 */
static const char *set_up(enum backing backing, int *a, int *b, char **area)
{
	int tries;

	*a = *b = -1;
	if (geteuid())
		return "needs root";
	if (psize() != PAGE)
		return "only for pages of 4 KiB";
	*a = open_mirror(0);
	*b = open_mirror(1);
	if (*a < 0 || *b < 0)
		return "no devices: is test_hmm loaded?";
	if (backing == MTHP &&
	    !set_knob(THP_KNOB "hugepages-64kB/enabled", "madvise"))
		return "no folios of 64 KiB";
	if (backing >= PMD && !has_huge_pages())
		return "no folios of 2 MiB";
	if (backing >= PMD && !set_knob(THP_KNOB "enabled", "madvise"))
		return "no huge pages";
	for (tries = 0; tries < 3; tries++) {
		*area = new_area(backing);
		if (!*area)
			return "no memory";
		if (area_is(*area, backing))
			return NULL;
	}
	return "no folios of this size to be had";
}

static void tear_down(int a, int b)
{
	drop_swap();
	remove_cgroup();
	restore_knobs();
	close(a);
	close(b);
}

/* Tests that depend on how the memory is mapped. */
FIXTURE(exclusive) {
	int a;
	int b;
	char *area;
};

FIXTURE_VARIANT(exclusive) {
	enum backing backing;
};

FIXTURE_VARIANT_ADD(exclusive, small) { .backing = SMALL };
FIXTURE_VARIANT_ADD(exclusive, mthp) { .backing = MTHP };
FIXTURE_VARIANT_ADD(exclusive, pmd) { .backing = PMD };
FIXTURE_VARIANT_ADD(exclusive, ptes) { .backing = PTES };

FIXTURE_SETUP(exclusive)
{
	const char *missing = set_up(variant->backing, &self->a, &self->b,
				     &self->area);

	if (missing) {
		tear_down(self->a, self->b);
		SKIP(return, "%s", missing);
	}
	ASSERT_TRUE(learn_type());
}

FIXTURE_TEARDOWN(exclusive)
{
	tear_down(self->a, self->b);
}

/* Tests that do not. */
FIXTURE(common) {
	int a;
	int b;
	char *area;
};

FIXTURE_SETUP(common)
{
	const char *missing = set_up(SMALL, &self->a, &self->b, &self->area);

	if (missing) {
		tear_down(self->a, self->b);
		SKIP(return, "%s", missing);
	}
	ASSERT_TRUE(learn_type());
}

FIXTURE_TEARDOWN(common)
{
	tear_down(self->a, self->b);
}

/* --- Acquiring ------------------------------------------------------------ */

/*
 * SUBTEST: acquire
 * All pages become exclusive where they are, and what the device writes is what
 * the CPU reads afterwards, which takes every page back.
 */
TEST_F(exclusive, acquire)
{
	uint64_t pfns[NPAGES];
	struct result add;

	read_pfns(self->area, NPAGES, pfns);
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	EXPECT_EQ(NPAGES, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(NPAGES, device_pages(self->a, self->area, NPAGES));
	EXPECT_EQ(NPAGES, count_unmoved(self->area, pfns));

	add = device_add(self->a, self->area, NPAGES, 3);
	EXPECT_EQ(0, add.err);
	EXPECT_EQ(0, add.tries);
	EXPECT_EQ(0, notified(self->a, 0).revoked);

	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 3));
	EXPECT_EQ(0, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(0, device_pages(self->a, self->area, NPAGES));
	EXPECT_EQ(NPAGES, count_unmoved(self->area, pfns));
	EXPECT_EQ(NPAGES, notified(self->a, 0).revoked);
	EXPECT_TRUE(is_unreferenced(self->area));
}

/*
 * SUBTEST: acquire_untouched
 * Pages that the device did not write have their contents still.
 */
TEST_F(exclusive, acquire_untouched)
{
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 0));
}

/*
 * SUBTEST: acquire_one
 * One page at the head, in the middle or at the tail of a folio becomes
 * exclusive alone.
 */
TEST_F(exclusive, acquire_one)
{
	static const unsigned long at[] = {
		0, 1, BLOCK - 1, BLOCK, NPAGES / 2 - 1, NPAGES / 2, NPAGES - 1,
	};
	uint64_t pfns[NPAGES];
	unsigned long i;

	read_pfns(self->area, NPAGES, pfns);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		char *page = self->area + at[i] * PAGE;

		ASSERT_TRUE(take(self->a, page, 1));
		EXPECT_TRUE(is_exclusive(page));
		EXPECT_TRUE(device_has(self->a, page));
		EXPECT_EQ(1, count_exclusive(self->area, NPAGES));
		EXPECT_EQ(0, add_one(self->a, page, 1));
		EXPECT_EQ(pattern(at[i]) + 1, (*word_of(page, 0))--);
		EXPECT_FALSE(is_exclusive(page));
		EXPECT_FALSE(device_has(self->a, page));
	}
	EXPECT_EQ(NPAGES, count_unmoved(self->area, pfns));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 0));
}

/*
 * SUBTEST: acquire_again
 * Acquiring pages again keeps them, tells nobody, and leaves the folios as they
 * are.
 */
TEST_F(exclusive, acquire_again)
{
	struct hmm_dmirror_notified before, after;
	uint64_t pfns[NPAGES];

	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	read_pfns(self->area, NPAGES, pfns);
	before = notified(self->a, 0);
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	after = notified(self->a, 0);

	EXPECT_EQ(before.invalidations, after.invalidations);
	EXPECT_EQ(before.revoked, after.revoked);
	EXPECT_LT(before.filtered, after.filtered);
	EXPECT_EQ(NPAGES, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(NPAGES, device_pages(self->a, self->area, NPAGES));
	EXPECT_EQ(NPAGES, count_unmoved(self->area, pfns));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 0));
}

/*
 * SUBTEST: acquire_rest
 * Acquiring a range of which some pages are exclusive takes the others too.
 */
TEST_F(exclusive, acquire_rest)
{
	unsigned long i;

	for (i = 0; i < NPAGES; i += 7)
		ASSERT_TRUE(take(self->a, self->area + i * PAGE, 1));
	ASSERT_EQ((NPAGES + 6) / 7, count_exclusive(self->area, NPAGES));
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	EXPECT_EQ(NPAGES, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(0, device_add(self->a, self->area, NPAGES, 1).tries);
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 1));
}

/*
 * SUBTEST: acquire_across_mappings
 * One call goes through several mappings, and stops at a hole.
 */
TEST_F(exclusive, acquire_across_mappings)
{
	unsigned long hole = NPAGES / 2 + 3;
	struct result got;

	ASSERT_EQ(0, madvise(self->area + 20 * PAGE, 100 * PAGE, MADV_DONTFORK));
	ASSERT_EQ(0, madvise(self->area + 40 * PAGE, PAGE, MADV_DONTDUMP));
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	EXPECT_EQ(NPAGES, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(0, device_add(self->a, self->area, NPAGES, 1).tries);
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 1));

	ASSERT_EQ(0, munmap(self->area + hole * PAGE, 3 * PAGE));
	got = acquire(self->a, self->area, NPAGES);
	EXPECT_EQ(0, got.err);
	EXPECT_EQ(hole, got.pages);
	EXPECT_EQ(DEVICE_EXCLUSIVE_UNMAPPED, got.reason);
	EXPECT_EQ(hole, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(-1, bad_page(self->area, hole, 1));
}

/*
 * SUBTEST: acquire_large
 * More pages than the kernel takes at once are taken in several goes.
 */
TEST_F(common, acquire_large)
{
	unsigned long npages = 3 * DEVICE_EXCLUSIVE_MAX_PAGES + 5, i;
	char *area = mmap(NULL, npages * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct result got;

	ASSERT_NE(MAP_FAILED, area);
	got = acquire(self->a, area, npages);
	EXPECT_EQ(0, got.err);
	EXPECT_EQ(0, got.reason);
	EXPECT_EQ(npages, got.pages);
	EXPECT_LE(4, got.tries);
	EXPECT_EQ(npages, device_pages(self->a, area, npages));
	EXPECT_EQ(0, device_add(self->a, area, npages, 1).tries);
	for (i = 0; i < npages; i++)
		ASSERT_EQ(1, *word_of(area, i));
}

/*
 * SUBTEST: acquire_unpopulated
 * Memory that nobody touched is populated, with zeroes.
 */
TEST_F(exclusive, acquire_unpopulated)
{
	char *area = map_area(variant->backing);

	ASSERT_NE(NULL, area);
	ASSERT_TRUE(take(self->a, area, NPAGES));
	EXPECT_EQ(NPAGES, count_exclusive(area, NPAGES));
	EXPECT_EQ(-1, other_page(area, 0));
	EXPECT_EQ(0, add_one(self->a, area, NPAGES));
	EXPECT_EQ(-1, other_page(area, 1));
}

/*
 * SUBTEST: acquire_zero_page
 * Where the zero page is mapped the device gets a page of its own.
 */
TEST_F(exclusive, acquire_zero_page)
{
	char *area = map_area(variant->backing), *other;
	uint64_t pfn;

	ASSERT_NE(NULL, area);
	ASSERT_EQ(-1, other_page(area, 0));
	pfn = read_pfn(area);
	ASSERT_TRUE(take(self->a, area, NPAGES));
	EXPECT_EQ(NPAGES, count_exclusive(area, NPAGES));
	EXPECT_NE(pfn, read_pfn(area));
	EXPECT_EQ(0, device_add(self->a, area, NPAGES, 1).tries);
	EXPECT_EQ(-1, other_page(area, 1));

	other = map_area(variant->backing);
	ASSERT_NE(NULL, other);
	EXPECT_EQ(-1, other_page(other, 0));
}

/*
 * SUBTEST: acquire_shared_by_fork
 * Pages shared with a child are copied, and the child's stay what they were.
 */
TEST_F(exclusive, acquire_shared_by_fork)
{
	uint64_t pfns[NPAGES];
	struct turns turns;
	pid_t pid;

	ASSERT_EQ(0, make_turns(&turns));
	read_pfns(self->area, NPAGES, pfns);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		await_turn(turns.to_child);
		if (count_unmoved(self->area, pfns) != NPAGES)
			_exit(1);
		_exit(bad_page(self->area, NPAGES, 0) == -1 ? 0 : 2);
	}
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	EXPECT_EQ(NPAGES, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(0, count_unmoved(self->area, pfns));
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
	give_turn(turns.to_child);
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 1));
}

/*
 * SUBTEST: acquire_swapped
 * Pages that are partly swapped out come back for the device.
 */
TEST_F(exclusive, acquire_swapped)
{
	unsigned long i;

	if (!have_swap())
		SKIP(return, "no swap");
	for (i = 0; i < NPAGES; i += 4 * BLOCK)
		ASSERT_EQ(0, madvise(self->area + i * PAGE, 2 * BLOCK * PAGE,
				     MADV_PAGEOUT));
	EXPECT_LT(0, count_entries(self->area, NPAGES, entry_is_swapped));
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	EXPECT_EQ(NPAGES, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(0, device_add(self->a, self->area, NPAGES, 1).tries);
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 1));
}

/*
 * SUBTEST: acquire_private_file
 * A private mapping of a file gets pages of its own, and the file stays as it
 * was.
 */
TEST_F(common, acquire_private_file)
{
	int fd = memfd_create("file", 0);
	uint64_t word = 7, *map;

	ASSERT_EQ(8, pwrite(fd, &word, 8, 0));
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(7, *map);
	ASSERT_TRUE(take(self->a, map, 1));
	EXPECT_TRUE(is_exclusive(map));
	EXPECT_EQ(0, add_one(self->a, map, 1));
	EXPECT_EQ(8, *map);
	ASSERT_EQ(8, pread(fd, &word, 8, 0));
	EXPECT_EQ(7, word);
}

/*
 * SUBTEST: acquire_heap_and_stack
 * There is nothing special about the heap and the stack, even while in use.
 */
TEST_F(common, acquire_heap_and_stack)
{
	char room[18 * PAGE];
	char *stack = (char *)(((uintptr_t)room | (PAGE - 1)) + 1);
	char *heap = sbrk(32 * PAGE);
	unsigned long i;

	ASSERT_NE((void *)-1, heap);
	heap = (char *)(((uintptr_t)heap | (PAGE - 1)) + 1);
	memset(room, 0, sizeof(room));
	memset(heap, 0, BLOCK * PAGE);
	ASSERT_TRUE(take(self->a, heap, BLOCK));
	ASSERT_TRUE(take(self->a, stack, BLOCK));
	EXPECT_EQ(BLOCK, device_pages(self->a, heap, BLOCK));
	EXPECT_EQ(0, add_one(self->a, heap, BLOCK));
	EXPECT_EQ(0, add_one(self->a, stack, BLOCK));
	for (i = 0; i < BLOCK; i++) {
		EXPECT_EQ(1, *word_of(heap, i));
		EXPECT_EQ(1, *word_of(stack, i));
	}
}

/*
 * SUBTEST: acquire_own_argument
 * A call may acquire the page that its own argument is in.
 */
TEST_F(exclusive, acquire_own_argument)
{
	struct hmm_dmirror_exclusive *cmd = (void *)(self->area + 64);

	*cmd = (struct hmm_dmirror_exclusive){
		.addr = (uintptr_t)self->area,
		.npages = NPAGES,
	};
	ASSERT_EQ(0, call(self->a, HMM_DMIRROR_ACQUIRE, cmd));
	EXPECT_EQ(NPAGES - 1, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(NPAGES, cmd->cpages);
	EXPECT_EQ(0, cmd->reason);
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 0));
}

/* --- Refusing ------------------------------------------------------------- */

static void expect_refused(struct __test_metadata *_metadata, int fd,
			   void *addr, unsigned int reason, int err)
{
	struct result got = acquire(fd, addr, 1);
	struct result add = device_add(fd, addr, 1, 1);

	EXPECT_EQ(0, got.err);
	EXPECT_EQ(0, got.pages);
	EXPECT_EQ(reason, got.reason);
	EXPECT_EQ(-err, add.err);
	EXPECT_EQ(reason, add.reason);
	EXPECT_EQ(0, add.tries);
	EXPECT_FALSE(device_has(fd, addr));
	EXPECT_FALSE(is_exclusive(addr));
}

static void *map_page(int prot, int flags, int fd)
{
	return mmap(NULL, PAGE, prot, flags, fd, 0);
}

/*
 * SUBTEST: refuse_unmapped
 * Where nothing is mapped, or can be, there is nothing to acquire.
 */
TEST_F(common, refuse_unmapped)
{
	int fd = memfd_create("empty", 0);
	void *page;

	ASSERT_EQ(0, munmap(self->area + PAGE, PAGE));
	expect_refused(_metadata, self->a, self->area + PAGE,
		       DEVICE_EXCLUSIVE_UNMAPPED, EFAULT);
	expect_refused(_metadata, self->a, NULL,
		       DEVICE_EXCLUSIVE_UNMAPPED, EFAULT);
	expect_refused(_metadata, self->a, (void *)-(1UL << 46),
		       DEVICE_EXCLUSIVE_UNMAPPED, EFAULT);

	/* Behind the end of a file. */
	page = map_page(PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	ASSERT_NE(MAP_FAILED, page);
	expect_refused(_metadata, self->a, page, DEVICE_EXCLUSIVE_UNMAPPED,
		       EFAULT);
}

/*
 * SUBTEST: refuse_readonly
 * What the process may not write it may not have its device write.
 */
TEST_F(common, refuse_readonly)
{
	int anon = MAP_PRIVATE | MAP_ANONYMOUS;

	expect_refused(_metadata, self->a, map_page(PROT_READ, anon, -1),
		       DEVICE_EXCLUSIVE_READONLY, EACCES);
	expect_refused(_metadata, self->a, map_page(PROT_NONE, anon, -1),
		       DEVICE_EXCLUSIVE_READONLY, EACCES);
	ASSERT_EQ(0, mprotect(self->area, PAGE, PROT_READ));
	expect_refused(_metadata, self->a, self->area,
		       DEVICE_EXCLUSIVE_READONLY, EACCES);
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 0));
}

/*
 * SUBTEST: refuse_shared
 * Shared memory and shared mappings of files are refused, each for its reason.
 */
TEST_F(common, refuse_shared)
{
	char path[] = "./device_exclusive.XXXXXX";
	int prot = PROT_READ | PROT_WRITE, fd = memfd_create("shm", 0);
	struct statfs fs;
	void *page;

	ASSERT_EQ(0, ftruncate(fd, PAGE));
	page = map_page(prot, MAP_SHARED, fd);
	expect_refused(_metadata, self->a, page, DEVICE_EXCLUSIVE_SHMEM,
		       EOPNOTSUPP);
	page = map_page(prot, MAP_SHARED | MAP_ANONYMOUS, -1);
	expect_refused(_metadata, self->a, page, DEVICE_EXCLUSIVE_SHMEM,
		       EOPNOTSUPP);
	page = map_page(prot, MAP_SHARED, self->a);
	ASSERT_NE(MAP_FAILED, page);
	expect_refused(_metadata, self->a, page, DEVICE_EXCLUSIVE_FILE,
		       EOPNOTSUPP);

	fd = mkstemp(path);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, unlink(path));
	ASSERT_EQ(0, ftruncate(fd, PAGE));
	ASSERT_EQ(0, fstatfs(fd, &fs));
	page = map_page(prot, MAP_SHARED, fd);
	expect_refused(_metadata, self->a, page,
		       fs.f_type == TMPFS_MAGIC ? DEVICE_EXCLUSIVE_SHMEM :
						  DEVICE_EXCLUSIVE_FILE,
		       EOPNOTSUPP);
}

/*
 * SUBTEST: refuse_hugetlb
 * Pages of hugetlb are refused.
 */
TEST_F(common, refuse_hugetlb)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB;
	uint64_t *area;

	if (!set_knob("/proc/sys/vm/nr_hugepages", "4"))
		SKIP(return, "no hugetlb");
	area = mmap(NULL, AREA_SIZE, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (area == MAP_FAILED)
		SKIP(return, "no hugetlb pages to be had");
	*area = 5;
	expect_refused(_metadata, self->a, area, DEVICE_EXCLUSIVE_HUGETLB,
		       EOPNOTSUPP);
	EXPECT_EQ(5, *area);
	munmap(area, AREA_SIZE);
}

static void *find_mapping(const char *name)
{
	FILE *file = fopen("/proc/self/maps", "r");
	unsigned long start;
	char line[512];
	void *found = NULL;

	while (file && !found && fgets(line, sizeof(line), file))
		if (strstr(line, name) && sscanf(line, "%lx-", &start) == 1)
			found = (void *)start;
	if (file)
		fclose(file);
	return found;
}

/*
 * SUBTEST: refuse_special
 * Mappings of things that are no ordinary memory are refused.
 */
TEST_F(common, refuse_special)
{
	void *vvar = find_mapping("[vvar]");

	if (!vvar)
		SKIP(return, "no vvar mapping");
	expect_refused(_metadata, self->a, vvar, DEVICE_EXCLUSIVE_SPECIAL,
		       EOPNOTSUPP);
}

/*
 * SUBTEST: refuse_one_of_many
 * The pages before one that cannot be had are exclusive, and no others.
 */
TEST_F(exclusive, refuse_one_of_many)
{
	unsigned long bad = NPAGES / 2 + 5;
	struct result got;

	ASSERT_EQ(0, mprotect(self->area + bad * PAGE, PAGE, PROT_READ));
	got = acquire(self->a, self->area, NPAGES);
	EXPECT_EQ(0, got.err);
	EXPECT_EQ(bad, got.pages);
	EXPECT_EQ(DEVICE_EXCLUSIVE_READONLY, got.reason);
	EXPECT_EQ(bad, count_exclusive(self->area, bad));
	EXPECT_EQ(bad, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(bad, device_pages(self->a, self->area, NPAGES));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 0));
}

/*
 * SUBTEST: bad_input
 * Nonsense is told from ranges that cannot be had, and huge ranges end where
 * the memory does.
 */
TEST_F(common, bad_input)
{
	uint64_t at = (uintptr_t)self->area;
	struct hmm_dmirror_exclusive bad[] = {
		{ .addr = at + 8, .npages = 1 },
		{ .addr = at, .npages = 0 },
		{ .addr = at, .npages = 1ULL << 52 },
		{ .addr = at, .npages = -1ULL },
		{ .addr = -PAGE, .npages = 2 },
		{ .addr = at, .npages = 1, .pad = 1 },
	};
	struct hmm_dmirror_atomic bad_add[] = {
		{ .addr = at + 4, .stride = 8, .nwords = 1, .repeat = 1 },
		{ .addr = at, .stride = 12, .nwords = 1, .repeat = 1 },
		{ .addr = at, .stride = PAGE, .nwords = 1ULL << 52, .repeat = 1 },
		{ .addr = at, .stride = PAGE, .nwords = -1ULL, .repeat = 1 },
		{ .addr = -8ULL, .stride = 8, .nwords = 2, .repeat = 1 },
		{ .addr = at, .stride = 8, .nwords = 1, .repeat = 1, .pad = 1 },
	};
	struct result got;
	unsigned long i;
	double start;
	void *far;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, call(self->a, HMM_DMIRROR_ACQUIRE, &bad[i]))
			TH_LOG("acquire %lu", i);
		EXPECT_EQ(-EINVAL, call(self->a, HMM_DMIRROR_RESTORE, &bad[i]))
			TH_LOG("restore %lu", i);
	}
	for (i = 0; i < ARRAY_SIZE(bad_add); i++)
		EXPECT_EQ(-EINVAL, call(self->a, HMM_DMIRROR_ATOMIC, &bad_add[i]))
			TH_LOG("atomic %lu", i);
	EXPECT_EQ(-EFAULT, call(self->a, HMM_DMIRROR_ACQUIRE, NULL));
	EXPECT_EQ(-EFAULT, call(self->a, HMM_DMIRROR_ATOMIC, NULL));
	EXPECT_EQ(0, count_exclusive(self->area, NPAGES));

	far = mmap((void *)(1UL << 40), 4 * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	ASSERT_NE(MAP_FAILED, far);
	start = now();
	got = acquire(self->a, far, 1UL << 40);
	EXPECT_EQ(0, got.err);
	EXPECT_EQ(4, got.pages);
	EXPECT_EQ(DEVICE_EXCLUSIVE_UNMAPPED, got.reason);
	EXPECT_GT(1.0, now() - start);
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 0));
}

/* --- Giving back ---------------------------------------------------------- */

/*
 * SUBTEST: restore
 * The owner gives back what it has of a range: nothing, a part or all. Nobody
 * counts that as revoked.
 */
TEST_F(exclusive, restore)
{
	unsigned long revoked;

	EXPECT_EQ(0, restore(self->a, self->area, NPAGES));
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
	EXPECT_EQ(10, restore(self->a, self->area + 20 * PAGE, 10));
	EXPECT_EQ(0, count_exclusive(self->area + 20 * PAGE, 10));
	EXPECT_EQ(NPAGES - 10, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(NPAGES - 10, device_pages(self->a, self->area, NPAGES));

	EXPECT_EQ(0, notified(self->a, 0).revoked);

	/* Several mappings, with a hole in between. */
	ASSERT_EQ(0, munmap(self->area + (NPAGES - 2) * PAGE, PAGE));
	ASSERT_EQ(0, madvise(self->area + 5 * PAGE, PAGE, MADV_DONTDUMP));
	revoked = notified(self->a, 0).revoked;
	EXPECT_EQ(NPAGES - 11, restore(self->a, self->area, NPAGES));
	EXPECT_EQ(0, restore(self->a, self->area, NPAGES));
	EXPECT_EQ(0, device_pages(self->a, self->area, NPAGES));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES - 2, 1));
	EXPECT_EQ(revoked, notified(self->a, 0).revoked);
}

/*
 * SUBTEST: restore_others
 * Whoever has pages loses them when someone else gives them back.
 */
TEST_F(exclusive, restore_others)
{
	ASSERT_TRUE(take(self->b, self->area, NPAGES));
	EXPECT_EQ(0, notified(self->b, 0).revoked);
	EXPECT_EQ(NPAGES, restore(self->a, self->area, NPAGES));
	EXPECT_EQ(0, device_pages(self->b, self->area, NPAGES));
	EXPECT_EQ(NPAGES, notified(self->b, 0).revoked);
	EXPECT_EQ(0, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 0));
}

/* --- Access by the CPU ---------------------------------------------------- */

static void *thread_increment(void *arg)
{
	uint64_t *word = arg;

	__atomic_store_n(word, __atomic_load_n(word, __ATOMIC_RELAXED) + 1,
			 __ATOMIC_RELAXED);
	return NULL;
}

static int by_thread(uint64_t *word)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_increment, word))
		return -1;
	return pthread_join(thread, NULL);
}

static int by_read(uint64_t *word)
{
	__atomic_load_n(word, __ATOMIC_RELAXED);
	return 0;
}

static int by_write(uint64_t *word)
{
	thread_increment(word);
	return 0;
}

static int by_atomic(uint64_t *word)
{
	__atomic_fetch_add(word, 1, __ATOMIC_RELAXED);
	return 0;
}

/* Out of the page and into it, by the kernel. */
static int by_syscall(uint64_t *word)
{
	int ends[2], err = -1;
	uint64_t value;

	if (pipe(ends))
		return -1;
	if (write(ends[1], word, 8) == 8 && read(ends[0], &value, 8) == 8) {
		value++;
		if (write(ends[1], &value, 8) == 8 && read(ends[0], word, 8) == 8)
			err = 0;
	}
	close(ends[0]);
	close(ends[1]);
	return err;
}

static int by_proc_mem(uint64_t *word)
{
	int fd = open("/proc/self/mem", O_RDWR), err = -1;
	off_t at = (uintptr_t)word;
	uint64_t value;

	if (pread(fd, &value, 8, at) == 8) {
		value++;
		err = pwrite(fd, &value, 8, at) == 8 ? 0 : -1;
	}
	close(fd);
	return err;
}

static int by_process_vm(uint64_t *word)
{
	uint64_t value;
	struct iovec local = { &value, 8 }, remote = { word, 8 };

	if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != 8)
		return -1;
	value++;
	return process_vm_writev(getpid(), &local, 1, &remote, 1, 0) == 8 ?
	       0 : -1;
}

/*
 * SUBTEST: cpu_access
 * However the CPU gets at a page: it takes that page back, alone, with what the
 * device wrote, and the device gets it again.
 */
TEST_F(exclusive, cpu_access)
{
	static const struct {
		const char *name;
		int (*access)(uint64_t *word);
		int adds;
	} ways[] = {
		{ "read", by_read, 0 },
		{ "write", by_write, 1 },
		{ "atomic", by_atomic, 1 },
		{ "thread", by_thread, 1 },
		{ "syscall", by_syscall, 1 },
		{ "/proc/self/mem", by_proc_mem, 1 },
		{ "process_vm_readv", by_process_vm, 1 },
	};
	unsigned long i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		unsigned long at = 3 * i + 1;
		uint64_t *word = word_of(self->area, at);
		char *page = (char *)word;

		ASSERT_TRUE(take(self->a, self->area, NPAGES));
		EXPECT_EQ(0, add_one(self->a, page, 1));
		EXPECT_EQ(0, ways[i].access(word)) TH_LOG("%s", ways[i].name);
		EXPECT_FALSE(is_exclusive(page)) TH_LOG("%s", ways[i].name);
		EXPECT_FALSE(device_has(self->a, page));
		EXPECT_EQ(NPAGES - 1, count_exclusive(self->area, NPAGES));
		EXPECT_EQ(NPAGES - 1, device_pages(self->a, self->area, NPAGES));
		EXPECT_EQ(1, device_add(self->a, page, 1, 1).tries);
		EXPECT_EQ(pattern(at) + 2 + ways[i].adds, *word)
			TH_LOG("%s", ways[i].name);
		*word = pattern(at);
	}
	EXPECT_LE(ARRAY_SIZE(ways), notified(self->a, 0).revoked);
}

/* In a child: go through its parent's page, which is stopped meanwhile. */
static int trace_parent(uint64_t *word)
{
	pid_t parent = getppid();
	long value;

	if (ptrace(PTRACE_ATTACH, parent, NULL, NULL))
		return 77;
	waitpid(parent, NULL, __WALL);
	errno = 0;
	value = ptrace(PTRACE_PEEKDATA, parent, word, NULL);
	if (!errno)
		ptrace(PTRACE_POKEDATA, parent, word, value + 1);
	ptrace(PTRACE_DETACH, parent, NULL, NULL);
	return errno;
}

/*
 * SUBTEST: ptrace_access
 * A debugger takes a page back like the process itself does.
 */
TEST_F(exclusive, ptrace_access)
{
	struct turns turns;
	int status;
	pid_t pid;

	ASSERT_EQ(0, make_turns(&turns));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		await_turn(turns.to_child);
		_exit(trace_parent(word_of(self->area, 9)));
	}
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
	give_turn(turns.to_child);
	status = reap(pid);
	if (status == 77)
		SKIP(return, "may not trace");
	EXPECT_EQ(0, status);
	EXPECT_EQ(NPAGES - 1, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(pattern(9) + 2, (*word_of(self->area, 9))--);
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 1));
}

/*
 * SUBTEST: fault_around
 * A fault takes as many pages back as the owner agreed to, within one block,
 * and never more.
 */
TEST_F(exclusive, fault_around)
{
	static const struct {
		unsigned long agreed, at, pages;
	} cases[] = {
		{ 0, 37, 1 }, { 1, 37, 1 }, { 2, 37, 2 }, { 4, 47, 4 },
		{ 16, 32, 16 }, { 16, 37, 16 }, { 16, 47, 16 },
		{ 1000, 500, 16 }, { 16, 0, 16 }, { 16, NPAGES - 1, 16 },
	};
	unsigned long i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned long block = cases[i].at / BLOCK * BLOCK;
		char *at = self->area + cases[i].at * PAGE;
		unsigned long revoked;

		revoked = notified(self->a, cases[i].agreed).revoked;
		ASSERT_TRUE(take(self->a, self->area, NPAGES));
		EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
		EXPECT_EQ(pattern(cases[i].at) + 1 + i, *word_of(at, 0));
		EXPECT_FALSE(is_exclusive(at));
		EXPECT_EQ(BLOCK - cases[i].pages,
			  count_exclusive(self->area + block * PAGE, BLOCK))
			TH_LOG("case %lu", i);
		EXPECT_EQ(NPAGES - cases[i].pages,
			  count_exclusive(self->area, NPAGES));
		EXPECT_EQ(NPAGES - cases[i].pages,
			  device_pages(self->a, self->area, NPAGES));
		EXPECT_EQ(revoked + cases[i].pages,
			  notified(self->a, cases[i].agreed).revoked);
	}
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, i));
}

/*
 * SUBTEST: fault_around_owners
 * A fault in a page of one owner leaves the pages of another alone, and so does
 * one at the edge of a mapping with those behind it.
 */
TEST_F(exclusive, fault_around_owners)
{
	char *area = self->area + 4 * BLOCK * PAGE;

	notified(self->a, 16);
	notified(self->b, 16);
	ASSERT_TRUE(take(self->a, area, 6));
	ASSERT_TRUE(take(self->b, area + 6 * PAGE, 10));
	EXPECT_EQ(pattern(4 * BLOCK + 3), *word_of(area, 3));
	EXPECT_EQ(0, device_pages(self->a, area, BLOCK));
	EXPECT_EQ(10, device_pages(self->b, area, BLOCK));
	EXPECT_EQ(10, count_exclusive(area, BLOCK));
	EXPECT_EQ(0, notified(self->b, 16).revoked);

	/* One that does not agree, beside one that does. */
	notified(self->b, 0);
	ASSERT_TRUE(take(self->a, area, 6));
	EXPECT_EQ(pattern(4 * BLOCK + 8), *word_of(area, 8));
	EXPECT_EQ(6, device_pages(self->a, area, BLOCK));
	EXPECT_EQ(9, device_pages(self->b, area, BLOCK));

	ASSERT_EQ(0, madvise(area + 8 * PAGE, AREA_SIZE / 2, MADV_DONTDUMP));
	ASSERT_TRUE(take(self->a, area, BLOCK));
	EXPECT_EQ(pattern(4 * BLOCK + 7), *word_of(area, 7));
	EXPECT_EQ(0, count_exclusive(area, 8));
	EXPECT_EQ(8, count_exclusive(area, BLOCK));
}

/* --- Several owners, and progress ----------------------------------------- */

static void take_turns(struct __test_metadata *_metadata, int a, int b,
		       char *page)
{
	unsigned long i, most = 0;
	int bad = 0;

	for (i = 0; i < 1000; i++) {
		int winner = i & 1 ? b : a, loser = i & 1 ? a : b;
		struct result got = acquire(winner, page, 1);
		struct result add = device_add(winner, page, 1, 1);

		if (got.err || got.reason || add.err || add.tries ||
		    !device_has(winner, page) || device_has(loser, page))
			bad++;
		most = got.tries > most ? got.tries : most;
	}
	EXPECT_EQ(0, bad);
	EXPECT_GE(2, most);
	EXPECT_LE(1, most);
	EXPECT_TRUE(is_exclusive(page));
	EXPECT_EQ(499, notified(b, 0).revoked);
	EXPECT_EQ(500, notified(a, 0).revoked);
}

/*
 * SUBTEST: two_owners
 * Who asks last has the page, on its first or second try, and the other one
 * knows.
 */
TEST_F(exclusive, two_owners)
{
	take_turns(_metadata, self->a, self->b, self->area);
	EXPECT_EQ(pattern(0) + 1000, *word_of(self->area, 0));
}

/*
 * SUBTEST: two_owners_one_device
 * Two that opened the same device are two owners.
 */
TEST_F(common, two_owners_one_device)
{
	int other = open_mirror(0);

	ASSERT_LE(0, other);
	take_turns(_metadata, self->a, other, self->area);
	EXPECT_EQ(pattern(0) + 1000, *word_of(self->area, 0));
	close(other);
}

/*
 * SUBTEST: two_owners_race
 * Two devices that add to the same words at the same time lose no addition.
 */
TEST_F_TIMEOUT(exclusive, two_owners_race, 120)
{
	bool stop = false;
	struct adder adders[] = {
		ADDER(self->a, self->area, 8, 100, &stop),
		ADDER(self->b, self->area, 8, 100, &stop),
	};

	ASSERT_EQ(0, start_adders(adders, 2));
	EXPECT_EQ(0, join_adders(adders, 2));
	EXPECT_EQ(-1, bad_page(self->area, 8, 200));
	EXPECT_EQ(-1, bad_page(self->area, 8, passes_done(adders, 2)));
	EXPECT_LT(0, notified(self->a, 0).revoked);
	EXPECT_LT(0, notified(self->b, 0).revoked);
}

/*
 * SUBTEST: no_livelock
 * A driver that was too late once has the pages on its next try.
 */
TEST_F(exclusive, no_livelock)
{
	static const unsigned int lose[] = { 0, 1, 5 };
	unsigned long i;

	for (i = 0; i < ARRAY_SIZE(lose); i++) {
		char *page = self->area + i * PAGE;
		struct result got = acquire_losing(self->a, page, 1, lose[i]);

		EXPECT_EQ(0, got.err);
		EXPECT_EQ(0, got.reason);
		EXPECT_EQ(1, got.pages);
		EXPECT_EQ(lose[i] + 1, got.tries);
		EXPECT_TRUE(is_exclusive(page));
		EXPECT_TRUE(device_has(self->a, page));
	}
	EXPECT_EQ(3, acquire_losing(self->b, self->area, NPAGES, 2).tries);
	EXPECT_EQ(NPAGES, device_pages(self->b, self->area, NPAGES));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 0));
	EXPECT_TRUE(is_unreferenced(self->area));
}

static void contend(struct __test_metadata *_metadata, struct adder *adders,
		    int nr, char *area, unsigned long npages)
{
	ASSERT_EQ(0, start_adders(adders, nr));
	EXPECT_EQ(0, join_adders(adders, nr));
	EXPECT_EQ(-1, bad_page(area, npages, passes_done(adders, nr)));
}

/*
 * SUBTEST: contended_add
 * CPUs and a device that add to the same words at the same time lose no
 * addition.
 */
TEST_F_TIMEOUT(exclusive, contended_add, 120)
{
	bool stop = false;
	struct adder adders[] = {
		ADDER(self->a, self->area, 8, 60, &stop),
		ADDER(-1, self->area, 8, 0, &stop),
		ADDER(-1, self->area, 8, 0, &stop),
	};

	contend(_metadata, adders, 3, self->area, 8);
	EXPECT_LT(0, notified(self->a, 0).revoked);
	EXPECT_EQ(-1, bad_page(self->area, 8, passes_done(adders, 3)));
}

/*
 * SUBTEST: contended_add_around
 * The same when faults take neighbours along, with a second device among them.
 */
TEST_F_TIMEOUT(exclusive, contended_add_around, 120)
{
	bool stop = false;
	struct adder adders[] = {
		ADDER(self->a, self->area, 2 * BLOCK, 25, &stop),
		ADDER(self->b, self->area, 2 * BLOCK, 25, &stop),
		ADDER(-1, self->area, 2 * BLOCK, 0, &stop),
	};

	notified(self->a, 16);
	notified(self->b, 16);
	contend(_metadata, adders, 3, self->area, 2 * BLOCK);
	EXPECT_EQ(-1, bad_page_in(self->area, 2 * BLOCK, NPAGES, 0));
}

/*
 * SUBTEST: progress
 * A device gets on with its work while two CPUs do nothing but take its pages
 * back.
 */
TEST_F_TIMEOUT(exclusive, progress, 60)
{
	bool stop = false;
	struct adder adders[] = {
		ADDER(-1, self->area, 1, 0, &stop),
		ADDER(-1, self->area, 1, 0, &stop),
	};
	struct result add;
	double start;

	ASSERT_EQ(0, start_adders(adders, 2));
	start = now();
	add = device_add(self->a, self->area, 1, 500);
	EXPECT_GT(30.0, now() - start);
	EXPECT_EQ(0, join_adders(adders, 2));
	EXPECT_EQ(0, add.err);
	EXPECT_EQ(-1, bad_page(self->area, 1, passes_done(adders, 2) + 500));
}

static void on_alarm(int sig)
{
}

/*
 * SUBTEST: interrupted
 * A signal ends a long operation between two passes over the words.
 */
TEST_F(common, interrupted)
{
	struct itimerval timer = { .it_value.tv_usec = 20000 };
	struct sigaction action = { .sa_handler = on_alarm };
	unsigned long i;
	uint64_t added;

	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, setitimer(ITIMER_REAL, &timer, NULL));
		EXPECT_EQ(-EINTR, device_add(self->a, self->area, 8, -1UL).err);
		EXPECT_EQ(8, device_pages(self->a, self->area, 8));
	}
	EXPECT_EQ(0, add_one(self->a, self->area, 8));
	added = *word_of(self->area, 0) - pattern(0);
	EXPECT_LE(6, added);
	EXPECT_EQ(-1, bad_page(self->area, 8, added));
}

/* --- Processes ------------------------------------------------------------ */

/*
 * SUBTEST: fork
 * A child gets what the device wrote, the device loses its pages, and whatever
 * it writes from then on the child does not see.
 */
TEST_F(exclusive, fork)
{
	struct turns turns;
	pid_t pid;

	ASSERT_EQ(0, make_turns(&turns));
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	ASSERT_EQ(0, add_one(self->a, self->area, NPAGES));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (count_exclusive(self->area, NPAGES))
			_exit(1);
		if (!await_turn(turns.to_child) ||
		    bad_page(self->area, NPAGES, 1) != -1)
			_exit(2);
		memset(self->area, 0, AREA_SIZE);
		give_turn(turns.to_parent);
		_exit(0);
	}
	EXPECT_EQ(0, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(0, device_pages(self->a, self->area, NPAGES));
	EXPECT_EQ(NPAGES, notified(self->a, 0).revoked);
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
	EXPECT_EQ(NPAGES, device_pages(self->a, self->area, NPAGES));
	give_turn(turns.to_child);
	EXPECT_TRUE(await_turn(turns.to_parent));
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 3));
}

/*
 * SUBTEST: fork_busy
 * A busy device never makes fork() fail, nor does fork() make it or a CPU lose
 * an addition.
 */
TEST_F_TIMEOUT(exclusive, fork_busy, 120)
{
	bool stop = false;
	struct adder adders[] = {
		ADDER(self->a, self->area, 16, 0, &stop),
		ADDER(-1, self->area, 16, 0, &stop),
	};
	int i, failed = 0, bad = 0;

	ASSERT_EQ(0, start_adders(adders, 2));
	for (i = 0; i < 50; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(bad_page_in(self->area, 16, 64, 0) != -1 ||
			      word_of(self->area, 15)[WORDS - 1] != ~pattern(15));
		failed += pid < 0;
		bad += pid > 0 && reap(pid);
	}
	EXPECT_EQ(0, failed);
	EXPECT_EQ(0, bad);
	EXPECT_EQ(0, join_adders(adders, 2));
	EXPECT_EQ(-1, bad_page(self->area, 16, passes_done(adders, 2)));
}

static char *const *exec_environment(int fd)
{
	static char variable[64];
	static char *const environment[] = { variable, NULL };

	snprintf(variable, sizeof(variable), EXEC_ENV "=%d", fd);
	return environment;
}

/*
 * SUBTEST: spawn
 * A child that borrows the memory until it calls exec() leaves the device its
 * pages.
 */
TEST_F(exclusive, spawn)
{
	char *const argv[] = { "device_exclusive", NULL };
	char *const *environment = exec_environment(-1);
	pid_t pid;

	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	pid = vfork();
	ASSERT_LE(0, pid);
	if (!pid) {
		execve("/proc/self/exe", argv, environment);
		_exit(1);
	}
	EXPECT_EQ(EXEC_STATUS, reap(pid));
	EXPECT_EQ(NPAGES, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(0, device_add(self->a, self->area, NPAGES, 1).tries);
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 1));
}

/* In a child: a mirror and an area of its own, with all of it exclusive. */
static int own_exclusive_area(enum backing backing, char **area)
{
	int fd = open_mirror(0);

	*area = new_area(backing);
	if (fd < 0 || !*area || !take(fd, *area, NPAGES) ||
	    add_one(fd, *area, NPAGES))
		_exit(100);
	return fd;
}

/*
 * SUBTEST: exec
 * exec() drops exclusive pages; a mirror that survives it serves the old image
 * only, which is gone.
 */
TEST_F(exclusive, exec)
{
	char *const argv[] = { "device_exclusive", NULL }, *area;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		int fd = own_exclusive_area(variant->backing, &area);

		execve("/proc/self/exe", argv, exec_environment(fd));
		_exit(1);
	}
	EXPECT_EQ(EXEC_STATUS, reap(pid));
}

/*
 * SUBTEST: exit
 * A process may end with exclusive pages, with and without its mirror closed.
 */
TEST_F(exclusive, exit)
{
	int i;

	for (i = 0; i < 4; i++) {
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid) {
			char *area;
			int fd = own_exclusive_area(variant->backing, &area);

			if (i & 1)
				close(fd);
			if (i & 2 && bad_page(area, NPAGES, 1) != -1)
				_exit(1);
			_exit(0);
		}
		EXPECT_EQ(0, reap(pid));
	}
}

/*
 * SUBTEST: orphaned_mirror
 * A mirror that outlives its process, in the hands of a child, fails cleanly.
 */
TEST_F(common, orphaned_mirror)
{
	struct turns turns;
	char *area;
	pid_t pid;
	int fd;

	ASSERT_EQ(0, make_turns(&turns));
	pid = fork();
	ASSERT_LE(0, pid);
	if (pid) {
		EXPECT_EQ(0, reap(pid));
		close(turns.to_parent[1]);
		give_turn(turns.to_child);
		EXPECT_TRUE(await_turn(turns.to_parent));
		return;
	}

	fd = own_exclusive_area(SMALL, &area);
	if (fork())
		_exit(0);
	await_turn(turns.to_child);
	if (acquire(fd, area, 1).err == -EINVAL &&
	    restore(fd, area, 1) == -EINVAL &&
	    add_one(fd, area, 1) == -EINVAL && !device_has(fd, area) &&
	    notified(fd, 0).revoked == NPAGES && bad_page(area, NPAGES, 1) == -1)
		give_turn(turns.to_parent);
	_exit(0);
}

/*
 * SUBTEST: remote
 * A child may use its parent's mirror, which works on its parent's memory, and
 * while the parent forks and adds no addition is lost.
 */
TEST_F_TIMEOUT(exclusive, remote, 60)
{
	bool stop = false;
	struct adder adders[] = {
		ADDER(-1, self->area, 4, 0, &stop),
	};
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		struct result add = device_add(self->a, self->area, 4, 50);

		_exit(add.err || !add.tries || bad_page(self->area, 4, 0) != -1);
	}
	ASSERT_EQ(0, start_adders(adders, 1));
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(0, join_adders(adders, 1));
	EXPECT_EQ(-1, bad_page(self->area, 4, adders[0].done + 50));
}

/*
 * SUBTEST: oom_kill
 * A process that its device makes run out of memory is killed, in time and
 * alone.
 */
TEST_F(common, oom_kill)
{
	unsigned long size = 64UL << 20;
	pid_t pid;

	if (!make_cgroup())
		SKIP(return, "no memory control groups");
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	cgroup_write("memory.swap.max", "0");
	ASSERT_TRUE(cgroup_write("memory.max", "8M"));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int fd = open_mirror(0);
		void *area = mmap(NULL, size, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (cgroup_write("cgroup.procs", "0"))
			acquire(fd, area, size / PAGE);
		_exit(0);
	}
	EXPECT_EQ(128 + SIGKILL, reap(pid));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 0));
}

/* In a child: two devices and a CPU fight until killed. */
static void fight(enum backing backing)
{
	bool stop = false;
	char *area = new_area(backing);
	struct adder adders[] = {
		ADDER(open_mirror(0), area, 32, 0, &stop),
		ADDER(open_mirror(1), area, 32, 0, &stop),
		ADDER(-1, area, 32, 0, &stop),
	};

	if (start_adders(adders, 3))
		_exit(1);
	for (;;)
		take(adders[0].fd, area, NPAGES);
}

/*
 * SUBTEST: kill
 * A process whose devices are at work can be killed at any time, and is gone
 * soon.
 */
TEST_F_TIMEOUT(exclusive, kill, 120)
{
	double start, longest = 0;
	int i;

	for (i = 0; i < 20; i++) {
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid)
			fight(variant->backing);
		sleep_ms(i * 2);
		start = now();
		kill(pid, SIGKILL);
		EXPECT_EQ(128 + SIGKILL, reap(pid));
		longest = now() - start > longest ? now() - start : longest;
	}
	EXPECT_GT(5.0, longest);
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 0));
}

/* --- System calls on exclusive memory ------------------------------------- */

/*
 * SUBTEST: mprotect
 * Protection holds for the CPU and for the device, and gives the pages back
 * unchanged when it is lifted.
 */
TEST_F(exclusive, mprotect)
{
	static const int prots[] = { PROT_READ, PROT_NONE };
	uint64_t *word = word_of(self->area, 3);
	unsigned long i;

	for (i = 0; i < ARRAY_SIZE(prots); i++) {
		ASSERT_TRUE(take(self->a, self->area, NPAGES));
		ASSERT_EQ(0, add_one(self->a, self->area, NPAGES));
		ASSERT_EQ(0, mprotect(self->area, AREA_SIZE, prots[i]));
		EXPECT_EQ(0, device_pages(self->a, self->area, NPAGES));
		EXPECT_EQ(SIGSEGV, try_write(word, 0));
		EXPECT_EQ(DEVICE_EXCLUSIVE_READONLY,
			  acquire(self->a, word_of(self->area, 3), 1).reason);
		EXPECT_EQ(-EACCES, add_one(self->a, self->area, NPAGES));
		if (prots[i] & PROT_READ)
			EXPECT_EQ(-1, bad_page(self->area, 16, i + 1));
		ASSERT_EQ(0, mprotect(self->area, AREA_SIZE,
				      PROT_READ | PROT_WRITE));
	}
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, i + 1));
	EXPECT_EQ(0, try_write(word, 0));
}

/*
 * SUBTEST: forced_write
 * A debugger may write to a protected page that is exclusive, in its place.
 */
TEST_F(exclusive, forced_write)
{
	uint64_t *word = word_of(self->area, 3), pfns[NPAGES];

	read_pfns(self->area, NPAGES, pfns);
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	ASSERT_EQ(0, add_one(self->a, self->area, NPAGES));
	ASSERT_EQ(0, mprotect(self->area, AREA_SIZE, PROT_READ));
	EXPECT_EQ(0, by_proc_mem(word));
	EXPECT_EQ(SIGSEGV, try_write(word, 0));
	EXPECT_EQ(pattern(3) + 2, *word);
	EXPECT_EQ(NPAGES, count_unmoved(self->area, pfns));
}

/*
 * SUBTEST: mremap
 * Exclusive pages move with their mapping, from which the device is gone.
 */
TEST_F(exclusive, mremap)
{
	char *old = self->area, *area = map_area(variant->backing);

	ASSERT_NE(NULL, area);
	ASSERT_TRUE(take(self->a, old, NPAGES));
	ASSERT_EQ(0, add_one(self->a, old, NPAGES));
	ASSERT_EQ(area, mremap(old, AREA_SIZE, AREA_SIZE,
			       MREMAP_MAYMOVE | MREMAP_FIXED, area));
	EXPECT_EQ(0, device_pages(self->a, old, NPAGES));
	EXPECT_EQ(0, device_pages(self->a, area, NPAGES));
	EXPECT_EQ(DEVICE_EXCLUSIVE_UNMAPPED, acquire(self->a, old, 1).reason);
	EXPECT_EQ(0, add_one(self->a, area, NPAGES));
	EXPECT_EQ(NPAGES, count_exclusive(area, NPAGES));
	EXPECT_EQ(-1, bad_page(area, NPAGES, 2));
}

/*
 * SUBTEST: mremap_size
 * Shrinking a mapping takes the pages behind its end from the device, growing
 * it brings new ones.
 */
TEST_F(exclusive, mremap_size)
{
	char *half = self->area + AREA_SIZE / 2, *area;

	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	ASSERT_EQ(self->area, mremap(self->area, AREA_SIZE, AREA_SIZE / 2, 0));
	EXPECT_EQ(0, device_pages(self->a, half, NPAGES / 2));
	EXPECT_EQ(NPAGES / 2, count_exclusive(self->area, NPAGES / 2));
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES / 2));

	area = mremap(self->area, AREA_SIZE / 2, AREA_SIZE, MREMAP_MAYMOVE);
	ASSERT_NE(MAP_FAILED, area);
	ASSERT_TRUE(take(self->a, area, NPAGES));
	EXPECT_EQ(0, add_one(self->a, area, NPAGES));
	EXPECT_EQ(1, *word_of(area, NPAGES - 1));
	EXPECT_EQ(1, *word_of(area, NPAGES / 2));
	EXPECT_EQ(-1, bad_page(area, NPAGES / 2, 2));
}

/*
 * SUBTEST: mremap_dontunmap
 * Exclusive pages move away and leave an empty mapping behind.
 */
TEST_F(exclusive, mremap_dontunmap)
{
	char *area;

	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	ASSERT_EQ(0, add_one(self->a, self->area, NPAGES));
	area = mremap(self->area, AREA_SIZE, AREA_SIZE,
		      MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	ASSERT_NE(MAP_FAILED, area);
	EXPECT_EQ(0, device_pages(self->a, self->area, NPAGES));
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
	EXPECT_EQ(0, add_one(self->a, area, NPAGES));
	EXPECT_EQ(-1, other_page(self->area, 1));
	EXPECT_EQ(-1, bad_page(area, NPAGES, 2));
}

/*
 * SUBTEST: munmap
 * Only what is unmapped stops being exclusive; a new mapping in its place is
 * empty.
 */
TEST_F(exclusive, munmap)
{
	unsigned long at = NPAGES / 2 - 1, n = 5;
	char *gone = self->area + at * PAGE;

	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	ASSERT_EQ(0, add_one(self->a, self->area, NPAGES));
	ASSERT_EQ(0, munmap(gone, n * PAGE));
	EXPECT_EQ(0, device_pages(self->a, gone, n));
	/* The others stay, even if the device is asked to map them again. */
	EXPECT_EQ(NPAGES - n, count_exclusive(self->area, NPAGES));

	ASSERT_EQ(gone, mmap(gone, n * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(0, *word_of(gone, 0));
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
	EXPECT_EQ(1, *word_of(gone, 0));
	EXPECT_EQ(1, *word_of(gone, n - 1));
	EXPECT_EQ(-1, bad_page(self->area, at, 2));

	ASSERT_EQ(0, munmap(self->area, AREA_SIZE));
	EXPECT_EQ(0, device_pages(self->a, self->area, NPAGES));
}

/*
 * SUBTEST: madvise_dontneed
 * Exclusive pages that are not needed are gone, and new ones are empty.
 */
TEST_F(exclusive, madvise_dontneed)
{
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	ASSERT_EQ(0, madvise(self->area, AREA_SIZE, MADV_DONTNEED));
	EXPECT_EQ(0, device_pages(self->a, self->area, NPAGES));
	EXPECT_EQ(0, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
	memset(self->area + 8, 0, 8);
	EXPECT_EQ(-1, other_page(self->area, 1));
}

/* Each page: as before plus @added, or zeroes plus @added. */
static long lost_page(char *area, uint64_t added)
{
	unsigned long i;

	for (i = 0; i < NPAGES; i++) {
		uint64_t first = word_of(area, i)[0];
		uint64_t last = word_of(area, i)[WORDS - 1];

		if (!(first == pattern(i) + added && last == ~pattern(i)) &&
		    !(first == added && !last))
			return i;
	}
	return -1;
}

/*
 * SUBTEST: madvise_free
 * What the device writes to pages after they were declared free stays, be it on
 * top of the old contents or of zeroes.
 */
TEST_F(exclusive, madvise_free)
{
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	ASSERT_EQ(0, add_one(self->a, self->area, NPAGES));
	ASSERT_EQ(0, madvise(self->area, AREA_SIZE, MADV_FREE));
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 2));

	ASSERT_EQ(0, madvise(self->area, AREA_SIZE, MADV_FREE));
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
	EXPECT_EQ(-1, lost_page(self->area, 3));
}

/*
 * SUBTEST: madvise_collapse
 * Asked for, a huge page is made of exclusive ones too, with or without others
 * among them.
 */
TEST_F(exclusive, madvise_collapse)
{
	int i;

	if (variant->backing == MTHP || !has_huge_pages())
		SKIP(return, "no room for a huge page");
	ASSERT_EQ(0, madvise(self->area, AREA_SIZE, MADV_HUGEPAGE));
	for (i = 0; i < 2; i++) {
		ASSERT_TRUE(take(self->a, self->area, NPAGES));
		ASSERT_EQ(0, add_one(self->a, self->area, NPAGES));
		if (!i)
			EXPECT_EQ(pattern(9) + 1, *word_of(self->area, 9));
		EXPECT_EQ(0, madvise(self->area, AREA_SIZE, MADV_COLLAPSE))
			TH_LOG("pass %d: %m", i);
		EXPECT_EQ(AREA_SIZE / 1024,
			  smaps_value(self->area, "AnonHugePages:"));
		EXPECT_EQ(0, device_pages(self->a, self->area, NPAGES));
		EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
		EXPECT_EQ(-1, bad_page(self->area, NPAGES, 2 * i + 2));
	}
}

static int self_madvise(void *addr, size_t size, int advice)
{
	struct iovec range = { addr, size };
	int fd = syscall(__NR_pidfd_open, getpid(), 0);
	long done = syscall(__NR_process_madvise, fd, &range, 1, advice, 0);

	close(fd);
	return done == (long)size ? 0 : -1;
}

/*
 * SUBTEST: madvise_hints
 * Hints about exclusive pages are heeded or not, and change no contents.
 */
TEST_F(exclusive, madvise_hints)
{
	static const int hints[] = {
		MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, MADV_POPULATE_READ,
		MADV_POPULATE_WRITE, MADV_SEQUENTIAL, MADV_HUGEPAGE,
		MADV_NOHUGEPAGE, MADV_DONTFORK, MADV_DOFORK,
	};
	static const int remote[] = { MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED };
	unsigned long i;

	have_swap();
	for (i = 0; i < ARRAY_SIZE(hints); i++) {
		ASSERT_TRUE(take(self->a, self->area, NPAGES));
		EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
		EXPECT_EQ(0, madvise(self->area, AREA_SIZE, hints[i]))
			TH_LOG("madvise %d: %m", hints[i]);
		EXPECT_EQ(-1, bad_page(self->area, NPAGES, i + 1));
	}
	for (i = 0; i < ARRAY_SIZE(remote); i++) {
		ASSERT_TRUE(take(self->a, self->area, NPAGES));
		EXPECT_EQ(0, self_madvise(self->area, AREA_SIZE, remote[i]));
		EXPECT_EQ(-1, bad_page(self->area, NPAGES, ARRAY_SIZE(hints)));
	}
}

/*
 * SUBTEST: populate
 * Populating exclusive memory for writing gives it back to the CPU.
 */
TEST_F(exclusive, populate)
{
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	ASSERT_EQ(0, add_one(self->a, self->area, NPAGES));
	ASSERT_EQ(0, madvise(self->area, AREA_SIZE, MADV_POPULATE_WRITE));
	EXPECT_EQ(0, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(0, device_pages(self->a, self->area, NPAGES));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 1));
}

/* What all processes have locked, without what CPUs have yet to account for. */
static long mlocked(void)
{
	write_file("/proc/sys/vm/drop_caches", "1");
	read_number("/proc/sys/vm/stat_refresh");
	return proc_value("/proc/meminfo", "Mlocked:");
}

/*
 * SUBTEST: mlock
 * Memory is locked and unlocked while exclusive, with the books balanced.
 */
TEST_F(exclusive, mlock)
{
	long baseline = mlocked(), ours = proc_value("/proc/self/status", "VmLck:");
	long kb = AREA_SIZE / 1024;

	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	ASSERT_EQ(0, mlock(self->area, AREA_SIZE));
	EXPECT_EQ(ours + kb, proc_value("/proc/self/status", "VmLck:"));
	EXPECT_EQ(baseline + kb, mlocked());
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
	EXPECT_EQ(baseline + kb, mlocked());
	ASSERT_EQ(0, munlock(self->area, AREA_SIZE));
	EXPECT_EQ(ours, proc_value("/proc/self/status", "VmLck:"));
	EXPECT_EQ(baseline, mlocked());

	ASSERT_EQ(0, mlock2(self->area, AREA_SIZE, MLOCK_ONFAULT));
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 2));
	ASSERT_EQ(0, munlock(self->area, AREA_SIZE));
	EXPECT_EQ(baseline, mlocked());

	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	ASSERT_EQ(0, mlock2(self->area, AREA_SIZE, MLOCK_ONFAULT));
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
	ASSERT_EQ(0, munmap(self->area, AREA_SIZE));
	EXPECT_EQ(ours, proc_value("/proc/self/status", "VmLck:"));
	EXPECT_EQ(baseline, mlocked());
}

/*
 * SUBTEST: mincore
 * Exclusive pages are in core.
 */
TEST_F(exclusive, mincore)
{
	unsigned char core[NPAGES];
	unsigned long i, n = 0;

	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	ASSERT_EQ(0, mincore(self->area, AREA_SIZE, core));
	for (i = 0; i < NPAGES; i++)
		n += core[i] & 1;
	EXPECT_EQ(NPAGES, n);
	EXPECT_EQ(NPAGES, count_exclusive(self->area, NPAGES));
}

/*
 * SUBTEST: offline
 * A page that is to be replaced is, with its contents; one that is broken is
 * broken for the device too, and said to be so.
 */
TEST_F(exclusive, offline)
{
	char *soft = self->area + 5 * PAGE, *hard = self->area + 90 * PAGE;
	uint64_t pfn = read_pfn(soft);

	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	ASSERT_EQ(0, add_one(self->a, self->area, NPAGES));
	if (madvise(soft, PAGE, MADV_SOFT_OFFLINE) && errno == EINVAL)
		SKIP(return, "no handling of memory failures");
	EXPECT_NE(pfn, read_pfn(soft));
	EXPECT_EQ(0, add_one(self->a, soft, 1));
	EXPECT_EQ(pattern(5) + 2, *word_of(soft, 0));

	/* Whoever breaks a page is told at once if the kernel saw it dirty. */
	signal_of(do_poison, hard);
	EXPECT_FALSE(device_has(self->a, hard));
	EXPECT_EQ(SIGBUS, try_write(word_of(hard, 0), 0));
	expect_refused(_metadata, self->a, hard, DEVICE_EXCLUSIVE_HWPOISON,
		       EHWPOISON);
	EXPECT_EQ(-1, bad_page(self->area, 5, 1));
}

/* --- Reclaim -------------------------------------------------------------- */

/*
 * SUBTEST: swap_out
 * Exclusive pages are swapped out like others, with what the device wrote, and
 * come back when it asks.
 */
TEST_F(exclusive, swap_out)
{
	unsigned long swapped;
	char *area;

	if (!have_swap() || !enter_cgroup())
		SKIP(return, "no swap, or no memory control groups");
	area = new_area(variant->backing);
	ASSERT_NE(NULL, area);
	ASSERT_TRUE(take(self->a, area, NPAGES));
	ASSERT_EQ(0, add_one(self->a, area, NPAGES));
	reclaim_cgroup();
	swapped = count_entries(area, NPAGES, entry_is_swapped);
	EXPECT_LT(NPAGES / 2, swapped);
	EXPECT_LE(swapped * PAGE / 1024,
		  proc_value("/proc/self/status", "VmSwap:"));
	EXPECT_GE(NPAGES - swapped, device_pages(self->a, area, NPAGES));

	EXPECT_EQ(0, add_one(self->a, area, NPAGES));
	EXPECT_EQ(NPAGES, count_exclusive(area, NPAGES));
	EXPECT_EQ(-1, bad_page(area, NPAGES, 2));
}

/*
 * SUBTEST: swap_contended
 * Reclaim in the midst of additions by a CPU and a device loses none.
 */
TEST_F_TIMEOUT(exclusive, swap_contended, 120)
{
	unsigned long swapped = 0;
	bool stop = false;
	char *area;
	int i;

	if (!have_swap() || !enter_cgroup())
		SKIP(return, "no swap, or no memory control groups");
	area = new_area(variant->backing);
	ASSERT_NE(NULL, area);

	struct adder adders[] = {
		ADDER(self->a, area, 32, 0, &stop),
		ADDER(-1, area, 32, 0, &stop),
	};

	ASSERT_EQ(0, start_adders(adders, 2));
	for (i = 0; i < 4; i++) {
		take(self->b, area + 32 * PAGE, NPAGES - 32);
		cgroup_write("memory.reclaim", "2M");
		swapped += count_entries(area, NPAGES, entry_is_swapped);
	}
	EXPECT_EQ(0, join_adders(adders, 2));
	/* A folio of 2 MiB may be in use all the time. */
	if (variant->backing <= MTHP)
		EXPECT_LT(0, swapped);
	EXPECT_EQ(-1, bad_page(area, 32, passes_done(adders, 2)));
}

/*
 * SUBTEST: lazyfree
 * Reclaim discards pages that were declared free, but none that the device
 * wrote since.
 */
TEST_F(exclusive, lazyfree)
{
	unsigned long i;
	char *area, *other;

	if (!enter_cgroup())
		SKIP(return, "no memory control groups");
	area = new_area(variant->backing);
	other = new_area(variant->backing);
	ASSERT_EQ(0, madvise(area, AREA_SIZE, MADV_FREE));
	ASSERT_EQ(0, madvise(other, AREA_SIZE, MADV_FREE));
	ASSERT_TRUE(take(self->a, area, NPAGES));
	ASSERT_EQ(0, device_add(self->a, area, NPAGES, 1).tries);
	/* Some are reclaimed while exclusive, some are the CPU's again. */
	for (i = 0; i < NPAGES; i += 3)
		EXPECT_EQ(pattern(i) + 1, *word_of(area, i));
	reclaim_cgroup();
	EXPECT_NE(-1, bad_page(other, NPAGES, 0));
	EXPECT_EQ(-1, bad_page(area, NPAGES, 1));
}

/* --- Those who move, merge and watch pages -------------------------------- */

/* Does @a share its page with @b, or come to do so in time? */
static bool becomes_shared(char *a, char *b)
{
	int i;

	for (i = 0; i < 500 && read_pfn(a) != read_pfn(b); i++)
		sleep_ms(10);
	return read_pfn(a) == read_pfn(b);
}

/*
 * SUBTEST: ksm
 * Pages are not merged while they are exclusive; merged ones are copied for the
 * device.
 */
TEST_F(common, ksm)
{
	char *x = self->area, *y = new_area(SMALL), *z = new_area(SMALL);
	size_t size = BLOCK * PAGE;

	if (!set_knob(KSM_KNOB "run", "1"))
		SKIP(return, "no KSM");
	set_knob(KSM_KNOB "smart_scan", "0");
	set_knob(KSM_KNOB "pages_to_scan", "1000");
	set_knob(KSM_KNOB "sleep_millisecs", "5");
	ASSERT_EQ(0, madvise(x, size, MADV_MERGEABLE));
	ASSERT_TRUE(take(self->a, x, BLOCK));
	ASSERT_EQ(0, madvise(y, size, MADV_MERGEABLE));
	ASSERT_EQ(0, madvise(z, size, MADV_MERGEABLE));

	ASSERT_TRUE(becomes_shared(y, z));
	ASSERT_TRUE(becomes_shared(y + size - PAGE, z + size - PAGE));
	EXPECT_EQ(BLOCK, count_exclusive(x, BLOCK));
	EXPECT_EQ(BLOCK, device_pages(self->a, x, BLOCK));
	EXPECT_NE(read_pfn(x), read_pfn(y));

	EXPECT_EQ(BLOCK, restore(self->a, x, BLOCK));
	ASSERT_TRUE(becomes_shared(x, y));
	ASSERT_TRUE(take(self->a, x, BLOCK));
	EXPECT_EQ(BLOCK, count_exclusive(x, BLOCK));
	EXPECT_NE(read_pfn(x), read_pfn(y));
	EXPECT_EQ(0, add_one(self->a, x, BLOCK));
	EXPECT_EQ(-1, bad_page(x, BLOCK, 1));
	EXPECT_EQ(-1, bad_page(y, BLOCK, 0));
	EXPECT_EQ(-1, bad_page(z, BLOCK, 0));
}

/*
 * SUBTEST: split
 * A folio of which pages are exclusive can be split.
 */
TEST_F(exclusive, split)
{
	char range[64];
	unsigned long i;

	if (variant->backing == SMALL)
		SKIP(return, "nothing to split");
	snprintf(range, sizeof(range), "%d,0x%lx,0x%lx", getpid(),
		 (long)self->area, (long)self->area + AREA_SIZE);
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	ASSERT_EQ(0, add_one(self->a, self->area, NPAGES));
	/* It looks for folios by pages that are mapped. */
	for (i = 3; i < NPAGES; i += BLOCK)
		EXPECT_EQ(pattern(i) + 1, *word_of(self->area, i));
	if (!write_file("/sys/kernel/debug/split_huge_pages", range))
		SKIP(return, "no splitting of huge pages by debugfs");
	EXPECT_TRUE(is_in_folios(self->area, 1));
	EXPECT_EQ(count_exclusive(self->area, NPAGES),
		  device_pages(self->a, self->area, NPAGES));
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 2));
}

/*
 * SUBTEST: khugepaged
 * No huge page is made of exclusive pages unasked, though of others.
 */
TEST_F(common, khugepaged)
{
	char *other = new_area(SMALL);
	uint64_t pfns[NPAGES];
	long scans;
	int i;

	if (!set_knob(THP_KNOB "enabled", "madvise") ||
	    !set_knob(THP_KNOB "khugepaged/scan_sleep_millisecs", "10") ||
	    !set_knob(THP_KNOB "khugepaged/pages_to_scan", "10000"))
		SKIP(return, "no khugepaged");
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	read_pfns(self->area, NPAGES, pfns);
	ASSERT_EQ(0, madvise(self->area, AREA_SIZE, MADV_HUGEPAGE));
	ASSERT_EQ(0, madvise(other, AREA_SIZE, MADV_HUGEPAGE));
	for (i = 0; i < 1000 && !smaps_value(other, "AnonHugePages:"); i++)
		sleep_ms(10);
	EXPECT_EQ(AREA_SIZE / 1024, smaps_value(other, "AnonHugePages:"));
	scans = read_number(THP_KNOB "khugepaged/full_scans");
	for (i = 0; i < 1000 &&
	     read_number(THP_KNOB "khugepaged/full_scans") < scans + 2; i++)
		sleep_ms(10);
	EXPECT_EQ(NPAGES, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(NPAGES, device_pages(self->a, self->area, NPAGES));
	EXPECT_EQ(NPAGES, count_unmoved(self->area, pfns));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 0));
	EXPECT_EQ(-1, bad_page(other, NPAGES, 0));
}

/*
 * SUBTEST: compaction
 * Moving pages around in the midst of additions by a CPU and a device loses
 * none.
 */
TEST_F_TIMEOUT(exclusive, compaction, 120)
{
	bool moved = false, stop = false;
	struct adder adders[] = {
		ADDER(self->a, self->area, 64, 0, &stop),
		ADDER(-1, self->area, 64, 0, &stop),
	};
	uint64_t pfns[NPAGES];
	int i;

	read_pfns(self->area, NPAGES, pfns);
	ASSERT_EQ(0, start_adders(adders, 2));
	for (i = 0; i < 6; i++) {
		take(self->b, self->area + 64 * PAGE, NPAGES - 64);
		if (!write_file("/proc/sys/vm/compact_memory", "1"))
			break;
		moved = moved || count_unmoved(self->area, pfns) < NPAGES;
	}
	EXPECT_EQ(0, join_adders(adders, 2));
	EXPECT_EQ(-1, bad_page(self->area, 64, passes_done(adders, 2)));
	if (!i)
		SKIP(return, "no compaction");
	if (!moved)
		SKIP(return, "compaction moved nothing");
}

/*
 * SUBTEST: collapse_contended
 * Making huge pages, over and over, in the midst of additions by a CPU and a
 * device loses none.
 */
TEST_F_TIMEOUT(exclusive, collapse_contended, 120)
{
	bool stop = false;
	struct adder adders[] = {
		ADDER(self->a, self->area, 16, 0, &stop),
		ADDER(-1, self->area, 16, 0, &stop),
	};
	double end = now() + 20;
	int i, done = 0;

	if (variant->backing == MTHP || !has_huge_pages())
		SKIP(return, "no room for a huge page");
	ASSERT_EQ(0, madvise(self->area, AREA_SIZE, MADV_HUGEPAGE));
	ASSERT_EQ(0, start_adders(adders, 2));
	for (i = 0; i < 20 || (!done && variant->backing == SMALL &&
			       now() < end); i++)
		done += !madvise(self->area, AREA_SIZE, MADV_COLLAPSE);
	EXPECT_EQ(0, join_adders(adders, 2));
	EXPECT_EQ(-1, bad_page(self->area, 16, passes_done(adders, 2)));
	EXPECT_EQ(-1, bad_page_in(self->area, 16, NPAGES, 0));
	/* A folio of 2 MiB may be in use all the time. */
	if (variant->backing == SMALL)
		EXPECT_LT(0, done);
}

/*
 * SUBTEST: idle
 * Looking for idle pages leaves exclusive ones exclusive.
 */
TEST_F(exclusive, idle)
{
	int fd = open("/sys/kernel/mm/page_idle/bitmap", O_RDWR);
	uint64_t pfns[NPAGES], bits;
	unsigned long i;

	if (fd < 0)
		SKIP(return, "no tracking of idle pages");
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	read_pfns(self->area, NPAGES, pfns);
	for (i = 0; i < NPAGES; i++) {
		bits = 1ULL << pfns[i] % 64;
		ASSERT_LE(0, pwrite(fd, &bits, 8, pfns[i] / 64 * 8));
	}
	EXPECT_EQ(0, device_add(self->a, self->area, NPAGES, 1).tries);
	for (i = 0; i < NPAGES; i++)
		ASSERT_LE(0, pread(fd, &bits, 8, pfns[i] / 64 * 8));
	close(fd);
	EXPECT_EQ(NPAGES, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(NPAGES, device_pages(self->a, self->area, NPAGES));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 1));
}

/* DAMON's thread takes the lock that its files only try, every millisecond. */
static bool damon(const char *name, const char *value)
{
	char path[160];
	int i;

	snprintf(path, sizeof(path), DAMON_KNOB "%s", name);
	for (i = 0; i < 1000; i++) {
		if (write_file(path, value))
			return true;
		if (errno != EBUSY)
			return false;
		sleep_ms(1);
	}
	return false;
}

/* Watch all of physical memory up to @end. */
static bool start_damon(uint64_t end)
{
	static const char * const setup[][2] = {
		{ "nr_kdamonds", "1" },
		{ "0/contexts/nr_contexts", "1" },
		{ "0/contexts/0/operations", "paddr" },
		{ "0/contexts/0/monitoring_attrs/intervals/sample_us", "1000" },
		{ "0/contexts/0/monitoring_attrs/intervals/aggr_us", "10000" },
		{ "0/contexts/0/targets/nr_targets", "1" },
		{ "0/contexts/0/targets/0/regions/nr_regions", "1" },
		{ "0/contexts/0/targets/0/regions/0/start", "4096" },
	};
	char value[32];
	unsigned long i;

	for (i = 0; i < ARRAY_SIZE(setup); i++)
		if (!damon(setup[i][0], setup[i][1]))
			return false;
	snprintf(value, sizeof(value), "%llu", (unsigned long long)end);
	return damon("0/contexts/0/targets/0/regions/0/end", value) &&
	       damon("0/state", "on");
}

/*
 * SUBTEST: damon
 * DAMON may watch exclusive pages, in the midst of additions.
 */
TEST_F_TIMEOUT(exclusive, damon, 60)
{
	bool stop = false;
	struct adder adders[] = {
		ADDER(self->a, self->area, 64, 30, &stop),
		ADDER(-1, self->area, 64, 0, &stop),
	};
	uint64_t pfns[NPAGES];

	read_pfns(self->area, NPAGES, pfns);
	if (!start_damon((pfns[NPAGES - 1] + 1) * PAGE)) {
		damon("nr_kdamonds", "0");
		SKIP(return, "no DAMON for physical memory");
	}
	ASSERT_TRUE(take(self->b, self->area + 64 * PAGE, NPAGES - 64));
	contend(_metadata, adders, 2, self->area, 64);
	sleep_ms(100);
	EXPECT_EQ(NPAGES - 64, device_pages(self->b, self->area, NPAGES));
	EXPECT_TRUE(damon("0/state", "off"));
	EXPECT_TRUE(damon("nr_kdamonds", "0"));
	EXPECT_EQ(NPAGES, count_unmoved(self->area, pfns));
}

static bool read_through(const char *path)
{
	static char buffer[1 << 16];
	int fd = open(path, O_RDONLY);
	ssize_t len = 1;

	while (fd >= 0 && len > 0)
		len = read(fd, buffer, sizeof(buffer));
	close(fd);
	return fd >= 0 && !len;
}

/*
 * SUBTEST: proc_files
 * What tells about memory can be read while it changes hands, and counts pages
 * of the device as the process's own.
 */
TEST_F_TIMEOUT(exclusive, proc_files, 120)
{
	static const char * const files[] = {
		"/proc/self/smaps", "/proc/self/smaps_rollup",
		"/proc/self/maps", "/proc/self/statm", "/proc/self/numa_maps",
	};
	bool stop = false;
	struct adder adders[] = {
		ADDER(self->a, self->area, 32, 0, &stop),
		ADDER(-1, self->area, 32, 0, &stop),
	};
	int fd = open("/proc/self/pagemap", O_RDONLY);
	long rss = smaps_value(self->area, "Rss:");
	unsigned long i;

	EXPECT_EQ(AREA_SIZE / 1024, rss);
	ASSERT_EQ(0, start_adders(adders, 2));
	for (i = 0; i < 8 * ARRAY_SIZE(files); i++) {
		const char *file = files[i % ARRAY_SIZE(files)];

		EXPECT_TRUE(read_through(file) || access(file, R_OK))
			TH_LOG("%s", file);
		EXPECT_TRUE(write_file("/proc/self/clear_refs", "1"));
		count_exclusive(self->area, NPAGES);
	}
	EXPECT_EQ(0, join_adders(adders, 2));
	EXPECT_EQ(-1, bad_page(self->area, 32, passes_done(adders, 2)));

	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	EXPECT_EQ(rss, smaps_value(self->area, "Rss:"));
	EXPECT_EQ(rss, smaps_value(self->area, "Anonymous:"));
	EXPECT_EQ(0, smaps_value(self->area, "Swap:"));
	EXPECT_TRUE(pagemap_is_swapped(fd, self->area));
	EXPECT_TRUE(pagemap_is_populated(fd, self->area));
	close(fd);
	EXPECT_EQ(NPAGES, count_exclusive(self->area, NPAGES));
}

/* --- Tracking of writes --------------------------------------------------- */

static bool is_soft_dirty(char *addr)
{
	uint64_t entry;

	read_entries(addr, 1, &entry);
	return entry & PM_SOFT_DIRTY;
}

/*
 * SUBTEST: soft_dirty
 * Pages that the device wrote are soft-dirty, and only those.
 */
TEST_F(exclusive, soft_dirty)
{
	char *area = self->area;

	if (!softdirty_supported())
		SKIP(return, "no tracking of soft-dirty pages");
	ASSERT_TRUE(take(self->a, area, NPAGES));
	clear_softdirty();
	EXPECT_FALSE(is_soft_dirty(area));
	EXPECT_EQ(0, add_one(self->a, area + PAGE, 1));
	EXPECT_EQ(pattern(2), *word_of(area, 2));
	EXPECT_TRUE(is_soft_dirty(area + PAGE));
	EXPECT_FALSE(is_soft_dirty(area + 2 * PAGE));
	EXPECT_EQ(pattern(1) + 1, *word_of(area, 1));
	EXPECT_TRUE(is_soft_dirty(area + PAGE));

	clear_softdirty();
	EXPECT_FALSE(is_soft_dirty(area + PAGE));
	*word_of(area, 1) -= 1;
	EXPECT_TRUE(is_soft_dirty(area + PAGE));
	EXPECT_EQ(0, try_write(word_of(area, 2), pattern(2)));
	EXPECT_TRUE(is_soft_dirty(area + 2 * PAGE));
	EXPECT_FALSE(is_soft_dirty(area + 3 * PAGE));
	EXPECT_EQ(-1, bad_page(area, NPAGES, 0));
}

static int open_uffd(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int write_protect(int uffd, char *addr, unsigned long npages, bool on)
{
	struct uffdio_writeprotect cmd = {
		.range = { (uintptr_t)addr, npages * PAGE },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return call(uffd, UFFDIO_WRITEPROTECT, &cmd);
}

/* The address of the next event, within 10 seconds. */
static uint64_t next_fault(int uffd, uint64_t flag)
{
	struct pollfd wait = { uffd, POLLIN };
	struct uffd_msg msg;

	if (poll(&wait, 1, 10000) != 1 ||
	    read(uffd, &msg, sizeof(msg)) != sizeof(msg) ||
	    msg.event != UFFD_EVENT_PAGEFAULT ||
	    !(msg.arg.pagefault.flags & flag))
		return 0;
	return msg.arg.pagefault.address & ~(PAGE - 1);
}

/*
 * SUBTEST: uffd_wp
 * Pages that a userfaultfd protects are kept from the device too, and a write
 * by the CPU raises its event still.
 */
TEST_F(exclusive, uffd_wp)
{
	int uffd = open_uffd(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	char *at = self->area + 7 * PAGE;
	struct result got;
	pthread_t thread;
	uint64_t entry;

	if (uffd < 0 || uffd_register(uffd, self->area, AREA_SIZE, false, true,
				      false))
		SKIP(return, "no write protection by userfaultfd");
	ASSERT_EQ(0, write_protect(uffd, self->area, NPAGES, true));
	EXPECT_EQ(DEVICE_EXCLUSIVE_USERFAULT,
		  acquire(self->a, self->area, NPAGES).reason);
	ASSERT_EQ(0, write_protect(uffd, self->area, NPAGES, false));
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	ASSERT_EQ(0, add_one(self->a, self->area, NPAGES));

	/* Exclusive pages. */
	ASSERT_EQ(0, write_protect(uffd, at, 3, true));
	EXPECT_EQ(0, device_pages(self->a, at, 3));
	got = acquire(self->a, self->area, NPAGES);
	EXPECT_EQ(7, got.pages);
	EXPECT_EQ(DEVICE_EXCLUSIVE_USERFAULT, got.reason);
	EXPECT_EQ(-EAGAIN, add_one(self->a, at, 1));
	EXPECT_EQ(0, device_pages(self->a, at, 3));
	EXPECT_EQ(pattern(8) + 1, *word_of(at, 1));
	read_entries(at + PAGE, 1, &entry);
	EXPECT_EQ(PM_PRESENT | PM_UFFD_WP, entry & (PM_PRESENT | PM_UFFD_WP));

	/* One that is exclusive still, and one that was. */
	for (; at <= self->area + 8 * PAGE; at += PAGE) {
		ASSERT_EQ(0, pthread_create(&thread, NULL, thread_increment, at));
		EXPECT_EQ((uintptr_t)at,
			  next_fault(uffd, UFFD_PAGEFAULT_FLAG_WP));
		ASSERT_EQ(0, write_protect(uffd, at, 1, false));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_EQ(0, add_one(self->a, at, 1));
		*(uint64_t *)at -= 2;
	}
	ASSERT_EQ(0, write_protect(uffd, self->area, NPAGES, false));
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 2));
	close(uffd);
}

static int uffd_copy(int uffd, void *to, void *from)
{
	struct uffdio_copy cmd = { .dst = (uintptr_t)to, .src = (uintptr_t)from,
				   .len = PAGE };

	return call(uffd, UFFDIO_COPY, &cmd);
}

/*
 * SUBTEST: uffd_missing
 * The device does not populate what a userfaultfd is to populate, and is told
 * of pages that it declared broken.
 */
TEST_F(exclusive, uffd_missing)
{
	int uffd = open_uffd(0);
	char *area = map_area(variant->backing);
	struct uffdio_poison poison = {
		.range = { (uintptr_t)area + 2 * PAGE, PAGE },
	};
	struct result got;

	if (uffd < 0 || uffd_register(uffd, area, AREA_SIZE, true, false, false))
		SKIP(return, "no userfaultfd");
	expect_refused(_metadata, self->a, area, DEVICE_EXCLUSIVE_USERFAULT,
		       EAGAIN);
	ASSERT_EQ(0, uffd_copy(uffd, area, self->area));
	ASSERT_EQ(0, uffd_copy(uffd, area + PAGE, self->area + PAGE));
	got = acquire(self->a, area, NPAGES);
	EXPECT_EQ(2, got.pages);
	EXPECT_EQ(DEVICE_EXCLUSIVE_USERFAULT, got.reason);
	EXPECT_EQ(2, count_exclusive(area, NPAGES));
	EXPECT_EQ(0, add_one(self->a, area, 2));
	EXPECT_EQ(-1, bad_page(area, 2, 1));

	if (!call(uffd, UFFDIO_POISON, &poison)) {
		expect_refused(_metadata, self->a, area + 2 * PAGE,
			       DEVICE_EXCLUSIVE_HWPOISON, EHWPOISON);
		EXPECT_EQ(SIGBUS, try_write(word_of(area, 2), 0));
	}
	close(uffd);
}

/*
 * SUBTEST: uffd_missing_shared
 * Pages that a userfaultfd would populate, but that are there, only to be copied
 * from those of a child, are none of its business.
 */
TEST_F(exclusive, uffd_missing_shared)
{
	int uffd = open_uffd(0);
	struct turns turns;
	pid_t pid;

	if (uffd < 0 || uffd_register(uffd, self->area, AREA_SIZE, true, false,
				      false))
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(0, make_turns(&turns));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		await_turn(turns.to_child);
		_exit(bad_page(self->area, NPAGES, 0) != -1);
	}
	EXPECT_TRUE(take(self->a, self->area, NPAGES));
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
	give_turn(turns.to_child);
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 1));
	close(uffd);
}

static int uffd_move(int uffd, char *to, char *from)
{
	struct uffdio_move cmd = { .dst = (uintptr_t)to, .src = (uintptr_t)from,
				   .len = PAGE };

	return call(uffd, UFFDIO_MOVE, &cmd);
}

/*
 * SUBTEST: uffd_move
 * Exclusive pages are not moved by a userfaultfd: it says EFAULT, as for any
 * entry that is no page, and nothing changes. Once the CPU has the page back it
 * moves.
 */
TEST_F(common, uffd_move)
{
	int uffd = open_uffd(UFFD_FEATURE_MOVE);
	char *area = map_area(SMALL);

	if (uffd < 0 || uffd_register(uffd, area, AREA_SIZE, true, false, false))
		SKIP(return, "no moving by userfaultfd");
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	ASSERT_EQ(0, add_one(self->a, self->area, NPAGES));
	EXPECT_EQ(-EFAULT, uffd_move(uffd, area, self->area));
	EXPECT_TRUE(is_exclusive(self->area));
	EXPECT_EQ(-1, bad_page(self->area, 2, 1));
	EXPECT_EQ(0, uffd_move(uffd, area, self->area));
	EXPECT_EQ(-1, bad_page(area, 1, 1));
	EXPECT_EQ(0, *word_of(self->area, 0));
	EXPECT_EQ(0, add_one(self->a, area, 1));
	EXPECT_EQ(-1, bad_page(area, 1, 2));
	close(uffd);
}

/* --- Pages that others hold ----------------------------------------------- */

/*
 * SUBTEST: pipe
 * A page that a pipe refers to stays the same, exclusive or not.
 */
TEST_F(exclusive, pipe)
{
	char *page = self->area + 3 * PAGE;
	struct iovec range = { page, 8 };
	uint64_t pfns[NPAGES], value;
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	read_pfns(self->area, NPAGES, pfns);
	ASSERT_EQ(8, vmsplice(ends[1], &range, 1, 0));
	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
	EXPECT_EQ(0, by_write(word_of(page, 0)));
	EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
	EXPECT_EQ(NPAGES, count_unmoved(self->area, pfns));
	ASSERT_EQ(8, read(ends[0], &value, 8));
	EXPECT_EQ(pattern(3) + 3, value);
	*word_of(page, 0) -= 1;
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 2));
}

static int pin(int ring, void *addr, size_t size)
{
	struct iovec range = { addr, size };

	return syscall(__NR_io_uring_register, ring, IORING_REGISTER_BUFFERS,
		       &range, 1) ? -errno : 0;
}

/*
 * SUBTEST: pinned
 * Pinned pages can be exclusive, and exclusive ones be pinned, which gives them
 * back; they are the same pages throughout.
 */
TEST_F(exclusive, pinned)
{
	struct io_uring_params params = { 0 };
	int ring = syscall(__NR_io_uring_setup, 1, &params);
	uint64_t pfns[NPAGES];
	int i;

	if (ring < 0)
		SKIP(return, "no io_uring to pin pages with");
	read_pfns(self->area, NPAGES, pfns);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pin(ring, self->area, AREA_SIZE));
		EXPECT_EQ(0, count_exclusive(self->area, NPAGES));
		EXPECT_EQ(0, device_pages(self->a, self->area, NPAGES));
		ASSERT_TRUE(take(self->a, self->area, NPAGES));
		EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
		EXPECT_EQ(NPAGES, count_unmoved(self->area, pfns));
		EXPECT_EQ(-1, bad_page(self->area, NPAGES, i + 1));
		ASSERT_TRUE(take(self->a, self->area, NPAGES));
		ASSERT_EQ(0, syscall(__NR_io_uring_register, ring,
				     IORING_UNREGISTER_BUFFERS, NULL, 0));
	}
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 2));
	EXPECT_EQ(NPAGES, count_unmoved(self->area, pfns));
	close(ring);
}

/* --- Other ways of devices ------------------------------------------------ */

/*
 * SUBTEST: mirror_access
 * Ordinary access by another device takes pages back, that by their owner does
 * not, nor does a mere look at the page tables.
 */
TEST_F(exclusive, mirror_access)
{
	char *copy = malloc(AREA_SIZE);
	unsigned char perms[NPAGES];
	unsigned long i;

	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	ASSERT_EQ(0, add_one(self->a, self->area, NPAGES));
	ASSERT_EQ(0, mirror_cmd(self->a, HMM_DMIRROR_READ, self->area, copy,
				NPAGES));
	EXPECT_EQ(-1, bad_page(copy, NPAGES, 1));
	ASSERT_EQ(0, mirror_cmd(self->b, HMM_DMIRROR_SNAPSHOT, self->area, perms,
				NPAGES));
	for (i = 0; i < NPAGES; i++)
		EXPECT_EQ(HMM_DMIRROR_PROT_NONE, perms[i]);
	EXPECT_EQ(NPAGES, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(NPAGES, device_pages(self->a, self->area, NPAGES));

	memset(copy, 0, AREA_SIZE);
	ASSERT_EQ(0, mirror_cmd(self->b, HMM_DMIRROR_READ, self->area, copy,
				NPAGES));
	EXPECT_EQ(-1, bad_page(copy, NPAGES, 1));
	EXPECT_EQ(0, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(0, device_pages(self->a, self->area, NPAGES));

	for (i = 0; i < 2; i++) {
		ASSERT_TRUE(take(self->a, self->area, NPAGES));
		fill(copy);
		ASSERT_EQ(0, mirror_cmd(i ? self->a : self->b, HMM_DMIRROR_WRITE,
					self->area, copy, NPAGES));
		EXPECT_EQ(0, count_exclusive(self->area, NPAGES));
		EXPECT_EQ(0, device_pages(self->a, self->area, NPAGES));
		EXPECT_EQ(0, add_one(self->a, self->area, NPAGES));
		EXPECT_EQ(-1, bad_page(self->area, NPAGES, 1));
	}
	free(copy);
}

/*
 * SUBTEST: migrate
 * Exclusive pages are not migrated to a device's own memory; pages that are
 * there come back to become exclusive.
 */
TEST_F(exclusive, migrate)
{
	char *copy = malloc(AREA_SIZE);
	unsigned char perms[64];
	int i;

	ASSERT_TRUE(take(self->a, self->area, NPAGES));
	ASSERT_EQ(0, add_one(self->a, self->area, NPAGES));
	EXPECT_EQ(0, mirror_cmd(self->a, HMM_DMIRROR_MIGRATE_TO_DEV, self->area,
				copy, NPAGES));
	EXPECT_EQ(NPAGES, count_exclusive(self->area, NPAGES));
	EXPECT_EQ(-1, bad_page(copy, NPAGES, 1));
	EXPECT_EQ(-1, bad_page(self->area, NPAGES, 1));

	for (i = 0; i < 2; i++) {
		int owner = i ? self->b : self->a;
		char *area = new_area(variant->backing);

		if (mirror_cmd(self->a, HMM_DMIRROR_MIGRATE_TO_DEV, area, copy,
			       64) == -ENOENT)
			SKIP(return, "folios like these do not migrate");
		EXPECT_EQ(-1, bad_page(copy, 64, 0));
		ASSERT_EQ(0, mirror_cmd(self->a, HMM_DMIRROR_SNAPSHOT, area,
					perms, 64));
		EXPECT_EQ(HMM_DMIRROR_PROT_DEV_PRIVATE_LOCAL |
			  HMM_DMIRROR_PROT_WRITE, perms[0]);
		ASSERT_TRUE(take(owner, area, NPAGES));
		EXPECT_EQ(NPAGES, count_exclusive(area, NPAGES));
		EXPECT_EQ(0, device_add(owner, area, NPAGES, 1).tries);
		EXPECT_EQ(-1, bad_page(area, NPAGES, 1));
	}
	free(copy);
}

/* --- Everything at once --------------------------------------------------- */

/* One of the things that happen to memory. Return: 0, or an errno. */
static int disturb(char *area, unsigned int what)
{
	char *at = area + what / 16 % 32 * BLOCK * PAGE;
	size_t size = (what / 512 % 4 * 7 + 1) * PAGE;
	int err = 0;
	pid_t pid;

	if (at + size > area + AREA_SIZE)
		at = area;
	switch (what % 8) {
	case 0:
		err = mprotect(at, size, PROT_READ) ?:
		      mprotect(at, size, PROT_READ | PROT_WRITE);
		break;
	case 1:
		err = madvise(at, size, MADV_DONTNEED);
		break;
	case 2:
		err = madvise(at, size, MADV_FREE);
		break;
	case 3:
		err = madvise(at, size, MADV_PAGEOUT);
		break;
	case 4:
		err = munmap(at, size) ?:
		      mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			   MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED;
		break;
	case 5:
		pid = fork();
		if (!pid)
			_exit(0);
		err = pid < 0 || reap(pid);
		break;
	case 6:
		err = mlock(at, size) ?: munlock(at, size);
		break;
	case 7:
		memset(at, 0, size);
		break;
	}
	return err ? errno : 0;
}

static void *acquire_randomly(void *arg)
{
	struct adder *adder = arg;
	unsigned int seed = adder->fd;

	while (!__atomic_load_n(adder->stop, __ATOMIC_RELAXED)) {
		unsigned long at = rand_r(&seed) % NPAGES;
		unsigned long n = rand_r(&seed) % (NPAGES - at) + 1;

		acquire(adder->fd, adder->area + at * PAGE, n);
		device_add(adder->fd, adder->area + at * PAGE, n, 1);
		if (rand_r(&seed) % 4 == 0)
			restore(adder->fd, adder->area + at * PAGE, n);
	}
	return NULL;
}

/*
 * SUBTEST: churn
 * Whatever happens to memory while two devices take it, with neighbours given
 * up, no call fails and both stop when told to.
 */
TEST_F_TIMEOUT(exclusive, churn, 120)
{
	bool stop = false;
	struct adder adders[] = {
		ADDER(self->a, self->area, 0, 0, &stop),
		ADDER(self->b, self->area, 0, 0, &stop),
	};
	unsigned int i, seed = 1;
	double end = now() + 20;

	have_swap();
	notified(self->a, 16);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&adders[i].thread, NULL,
					    acquire_randomly, &adders[i]));
	for (i = 0; i < 40 && now() < end; i++) {
		unsigned int what = rand_r(&seed);

		EXPECT_EQ(0, disturb(self->area, what)) TH_LOG("%u", what % 8);
	}
	EXPECT_EQ(0, join_adders(adders, 2));
	memset(self->area, 0, AREA_SIZE);
	EXPECT_EQ(0, add_one(self->b, self->area, NPAGES));
	EXPECT_EQ(-1, other_page(self->area, 1));
}

/* --- Allocations that fail ------------------------------------------------ */

static int make_it_fail = -1;

/* Let this many percent of our allocations of one kind fail. */
static bool start_failing(const char *kind, const char *percent)
{
	const char *knobs[][2] = {
		{ "task-filter", "Y" }, { "ignore-gfp-wait", "N" },
		{ "verbose", "0" }, { "times", "-1" },
		{ "probability", percent },
	};
	char path[96];
	unsigned long i;

	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", kind,
			 knobs[i][0]);
		if (!set_knob(path, knobs[i][1]))
			return false;
	}
	set_knob("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N");
	set_knob("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	make_it_fail = open("/proc/self/make-it-fail", O_WRONLY);
	return write(make_it_fail, "1", 1) == 1;
}

static void stop_failing(void)
{
	if (pwrite(make_it_fail, "0", 1, 0) != 1)
		perror("make-it-fail");
	close(make_it_fail);
}

/* Is that an outcome of a shortage, with what was taken really taken? */
static bool is_shortage(struct result got, char *area, unsigned long npages)
{
	if (got.err)
		return got.err == -ENOMEM;
	if (got.reason != DEVICE_EXCLUSIVE_NOMEM)
		return !got.reason && got.pages == npages;
	return got.pages < npages &&
	       count_exclusive(area, got.pages) == got.pages;
}

/*
 * SUBTEST: no_memory
 * Without memory to populate pages the device is told so; it has what it got
 * until then, and all of it once there is memory.
 */
TEST_F(exclusive, no_memory)
{
	static const struct {
		const char *kind, *percent;
	} ways[] = {
		{ "fail_page_alloc", "100" }, { "fail_page_alloc", "50" },
		{ "failslab", "100" }, { "failslab", "50" },
	};
	struct result got[8];
	char *areas[8];
	unsigned long i, j;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		int bad = 0, short_of = 0;

		for (j = 0; j < ARRAY_SIZE(areas); j++)
			areas[j] = map_area(variant->backing);
		/* Nothing but the device is to fault while faults fail. */
		memset(got, 0, sizeof(got));
		if (!start_failing(ways[i].kind, ways[i].percent))
			SKIP(return, "no injection of failures");
		for (j = 0; j < ARRAY_SIZE(areas); j++)
			got[j] = acquire(self->a, areas[j], 64);
		stop_failing();
		for (j = 0; j < ARRAY_SIZE(areas); j++) {
			bad += !is_shortage(got[j], areas[j], 64);
			short_of += got[j].err || got[j].reason;
			bad += !take(self->a, areas[j], NPAGES);
			bad += add_one(self->a, areas[j], NPAGES);
			bad += other_page(areas[j], 1) != -1;
			bad += !is_unreferenced(areas[j]);
			munmap(areas[j], AREA_SIZE);
		}
		EXPECT_EQ(0, bad) TH_LOG("%s", ways[i].kind);
		EXPECT_LT(0, short_of) TH_LOG("%s", ways[i].kind);
	}
}

TEST_HARNESS_MAIN
