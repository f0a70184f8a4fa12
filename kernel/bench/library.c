// SPDX-License-Identifier: MIT
/*
 * What libsvmatomic adds to the ioctls under it, in counted instructions of a call: pages
 * are taken for a vsvm and given back, by ioctl() and by the library. Runs in the same
 * virtual machine as bench.c and prints lines of the same kind; a ratio is what the library
 * takes, divided by what ioctl() does.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <svmatomic.h>
#include <vsvm_drm.h>

#include "counter.h"

#define PAGE	    4096u
#define LONGEST	    512u

/* The first ones fill caches: of slabs, of pages, of the device's page table. */
#define WARM_UP	    2
#define REPETITIONS 9

/* Both are what a program has to do for it, and return an errno. */
typedef int call_fn(void *address, size_t length, uint64_t *pages);

struct figure {
	uint64_t least;
	uint64_t most;
};

static struct svma_device *device;
static int fd;

static int ioctl_acquire(void *address, size_t length, uint64_t *pages)
{
	struct drm_svm_atomic_acquire acquire = {
		.start = (uintptr_t)address,
		.length = length,
	};
	int ret = ioctl(fd, DRM_IOCTL_SVM_ATOMIC_ACQUIRE(DRM_VSVM_SVM_ATOMIC_BASE), &acquire);

	*pages = acquire.pages;
	return ret ? errno : 0;
}

static int ioctl_release(void *address, size_t length, uint64_t *pages)
{
	struct drm_svm_atomic_release release = {
		.start = (uintptr_t)address,
		.length = length,
	};
	int ret = ioctl(fd, DRM_IOCTL_SVM_ATOMIC_RELEASE(DRM_VSVM_SVM_ATOMIC_BASE), &release);

	*pages = release.pages;
	return ret ? errno : 0;
}

static int library_acquire(void *address, size_t length, uint64_t *pages)
{
	struct svma_outcome outcome;
	int err = svma_acquire(device, address, length, &outcome);

	*pages = outcome.pages;
	return -err;
}

static int library_release(void *address, size_t length, uint64_t *pages)
{
	struct svma_outcome outcome;
	int err = svma_release(device, address, length, &outcome);

	*pages = outcome.pages;
	return -err;
}

/* Each pair is compared: the ioctl, the library. They run in this order. */
enum { IOCTL, LIBRARY, WAYS };

static const struct {
	const char *names[WAYS];
	call_fn *calls[WAYS];
} pairs[] = {
	{ { "ioctl-acquire", "library-acquire" }, { ioctl_acquire, library_acquire } },
	{ { "ioctl-release", "library-release" }, { ioctl_release, library_release } },
};

#define PAIRS (sizeof(pairs) / sizeof(pairs[0]))

static char *range;

/* Pages as a program has them that works on them. */
static void touch(size_t npages)
{
	for (size_t i = 0; i < npages; i++)
		((volatile char *)range)[i * PAGE] = 1;
}

static void count(size_t pair, int way, size_t npages, struct figure *figure)
{
	uint64_t counted, pages = 0, began = __rdtsc();
	int error = pairs[pair].calls[way](range, npages * PAGE, &pages);

	counted = counted_since(began);
	if (error || pages != npages)
		die("%s of %zu pages: %" PRIu64 " pages, %s", pairs[pair].names[way], npages, pages,
		    strerror(error));
	if (counted < figure->least)
		figure->least = counted;
	if (counted > figure->most)
		figure->most = counted;
}

static void run(size_t npages, struct figure figures[PAIRS][WAYS])
{
	for (int i = 0; i < WARM_UP + REPETITIONS; i++) {
		for (size_t pair = 0; i <= WARM_UP && pair < PAIRS; pair++)
			for (int way = 0; way < WAYS; way++)
				figures[pair][way] = (struct figure){ .least = UINT64_MAX };
		for (int way = 0; way < WAYS; way++) {
			touch(npages);
			for (size_t pair = 0; pair < PAIRS; pair++)
				count(pair, way, npages, &figures[pair][way]);
		}
	}
}

static void print(const char *what, size_t npages, const struct figure *figure)
{
	printf("%s\t%zu\t4kB\t1\tinstructions/call\t%" PRIu64 "\t%" PRIu64 "\n", what, npages,
	       figure->least, figure->most);
}

static void measure(size_t npages)
{
	struct figure figures[PAIRS][WAYS];
	double ratio;

	run(npages, figures);
	for (size_t pair = 0; pair < PAIRS; pair++) {
		for (int way = 0; way < WAYS; way++)
			print(pairs[pair].names[way], npages, &figures[pair][way]);
		ratio = (double)figures[pair][LIBRARY].least / (double)figures[pair][IOCTL].least;
		printf("%s\t%zu\t4kB\t1\tratio\t%.4f\t%.4f\n", pairs[pair].names[LIBRARY], npages,
		       ratio, ratio);
	}
}

static void set_up(void)
{
	int err = svma_open(&device, SVMA_OPEN_VIRTUAL);

	if (err)
		die("cannot open a vsvm: %s; is the module loaded?", strerror(-err));
	fd = svma_fd(device);
	err = svma_bind(device, NULL, 0);
	if (err)
		die("cannot bind it: %s", strerror(-err));

	range = mmap(NULL, LONGEST * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	if (range == MAP_FAILED || madvise(range, LONGEST * PAGE, MADV_NOHUGEPAGE))
		die("cannot map %u pages: %s", LONGEST, strerror(errno));
}

int main(void)
{
	static const size_t lengths[] = { 1, 16, LONGEST };

	check_counter();
	set_up();
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		measure(lengths[i]);
	svma_close(device);
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
