/* SPDX-License-Identifier: MIT */
/*
 * The control block: how host and device agree on start and stop while a kernel
 * runs. Words stand two cache lines apart, because adjacent-line prefetchers
 * move lines in pairs. kernels/atomics.cl has the same numbers.
 */
#ifndef BENCH_CONTROL_H
#define BENCH_CONTROL_H

#include <stdatomic.h>
#include <stdint.h>

enum control_word {
	CONTROL_GO = 0,		/* host: the gate is open */
	CONTROL_STOP = 32,	/* host: finish the block at hand and end */
	CONTROL_READY = 64,	/* device: work-items that have reached the gate */
	CONTROL_STARTED = 96,	/* device: work-items past the gate */
	CONTROL_FINISHED = 128, /* device: work-items past their last step */
	CONTROL_WORDS = 160,
};

#define CONTROL_BYTES (CONTROL_WORDS * sizeof(uint32_t))

typedef _Atomic uint32_t control_block[CONTROL_WORDS];

#endif
