/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What bench.c asks of the module exclusive_bench: to call the kernel's functions for
 * device-exclusive memory with no driver around them. The caller's own address space is
 * what is worked on, in whole pages. "Instructions" are ticks of the time stamp counter,
 * which under QEMU's -icount shift=0 counts just those.
 */
#ifndef EXCLUSIVE_BENCH_H
#define EXCLUSIVE_BENCH_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * Take a range, or give it back.
 *
 * @addr: (in) first address
 * @npages: (in) number of pages
 * @done: (out) pages that were taken or given back
 * @instructions: (out) what that took, less the reading of the counter
 */
struct exclusive_bench_range {
	__u64 addr;
	__u64 npages;
	__u64 done;
	__u64 instructions;
};

/*
 * Have an interval notifier over a range, as any driver has; 0 pages for none. It ends
 * the one before, and tells what that one was called for.
 *
 * @addr: (in) first address
 * @npages: (in) number of pages
 * @fault_around: (in) whether pages may go back to the CPU together
 * @own: (out) calls about what this file took and gave back itself
 * @others: (out) all other calls
 */
struct exclusive_bench_watch {
	__u64 addr;
	__u64 npages;
	__u64 fault_around;
	__u64 own;
	__u64 others;
};

/*
 * Take a page by the loop that Documentation/mm/hmm.rst prescribes, pretending that
 * another MMU got in between at the first attempt.
 *
 * @addr: (in) the page
 * @attempts: (out) how often it tried, of at most EXCLUSIVE_BENCH_ATTEMPTS
 * @lost: (out) attempts after the first that had to be given up
 * @taken: (out) 1 if it has the page in the end, 0 if not
 */
struct exclusive_bench_loop {
	__u64 addr;
	__u64 attempts;
	__u64 lost;
	__u64 taken;
};

#define EXCLUSIVE_BENCH_ATTEMPTS 100

/* Return 1 on a kernel with the series, 0 on one without. */
#define EXCLUSIVE_BENCH_SERIES	 _IO('E', 0x00)
#define EXCLUSIVE_BENCH_TAKE	 _IOWR('E', 0x01, struct exclusive_bench_range)
#define EXCLUSIVE_BENCH_RESTORE	 _IOWR('E', 0x02, struct exclusive_bench_range)
#define EXCLUSIVE_BENCH_WATCH	 _IOWR('E', 0x03, struct exclusive_bench_watch)
#define EXCLUSIVE_BENCH_LOOP	 _IOWR('E', 0x04, struct exclusive_bench_loop)

#endif
