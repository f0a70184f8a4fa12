/* SPDX-License-Identifier: MIT */
/*
 * What the tests in the virtual machine share. Each is a program: it exits with 0, with 77
 * where there is no vsvm, or says in a line what is wrong and exits with 1.
 */
#ifndef VM_H
#define VM_H

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <svmatomic-engine.h>

#define PAGE 4096ul

#define fail(...)                                                                                  \
	do {                                                                                       \
		fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                    \
		fprintf(stderr, __VA_ARGS__);                                                      \
		fputc('\n', stderr);                                                               \
		exit(1);                                                                           \
	} while (0)

#define check(what)                                                                                \
	do {                                                                                       \
		if (!(what))                                                                       \
			fail("not so: %s", #what);                                                 \
	} while (0)

/* Compare two integers. */
#define equal(a, b)                                                                                \
	do {                                                                                       \
		const long long a_ = (long long)(a), b_ = (long long)(b);                          \
                                                                                                   \
		if (a_ != b_)                                                                      \
			fail("%s is %lld, not %lld", #a, a_, b_);                                  \
	} while (0)

/* The vsvm device, or the end of the test. */
static inline struct svma_device *open_vsvm(void)
{
	struct svma_device *device;
	int err = svma_open(&device, SVMA_OPEN_VIRTUAL);

	if (err) {
		struct svma_report report;

		svma_explain(NULL, &report);
		printf("skipped: no vsvm here: %s\n", report.text);
		exit(77);
	}
	return device;
}

static inline void *map_pages(size_t pages)
{
	void *address = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (address == MAP_FAILED)
		fail("mmap: %s", strerror(errno));
	return address;
}

static inline struct svma_engine *start_engine(struct svma_device *device, unsigned int threads)
{
	struct svma_engine_status status;
	struct svma_engine *engine;
	int err = svma_engine_start(&engine, device, threads, NULL, &status);

	if (err)
		fail("svma_engine_start: %s: %s (signal %d, address %#llx)", strerror(-err),
		     svma_strreason(status.reason), status.signal,
		     (unsigned long long)status.address);
	return engine;
}

static inline void run_engine(struct svma_engine *engine, svma_engine_function function,
			      void *argument)
{
	struct svma_engine_status status;
	int err = svma_engine_run(engine, function, argument, &status);

	if (err)
		fail("svma_engine_run: %s: %s (signal %d, thread %u, address %#llx, by %#llx)",
		     strerror(-err), svma_strreason(status.reason), status.signal, status.thread,
		     (unsigned long long)status.address, (unsigned long long)status.instruction);
}

static inline int pid_of(struct svma_engine *engine)
{
	struct svma_engine_status status;

	equal(svma_engine_wait(engine, 0, &status), 0);
	check(status.pid > 0);
	return status.pid;
}

static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
