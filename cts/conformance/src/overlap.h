/* SPDX-License-Identifier: MIT */
/*
 * A kernel and host threads that work on the same memory at once, as far as that can be had:
 * the items wait a little for the threads (gate.cl), the threads for the items, and whether
 * they met is reported. The kernel's last two arguments are the gate and the rounds.
 */
#ifndef CONFORMANCE_OVERLAP_H
#define CONFORMANCE_OVERLAP_H

#include "trial.h"

#define OVERLAP_THREADS 2

struct gate;

struct overlap {
	struct trial *t;
	cl_kernel kernel;
	size_t items;
	size_t group;
	cl_uint argument;     /* index of the gate; the rounds are behind it */
	unsigned threads;     /* host threads: OVERLAP_THREADS, or 0 */
	unsigned rounds;      /* of each item and thread, in the run at hand */
	unsigned most_rounds; /* what there is room for */
	unsigned enough;      /* runs in which they met, or 0: as many as there is time for */

	struct gate *gate;
	uint64_t deadline;
	unsigned runs;
	unsigned met; /* runs in which a thread worked before the last item had ended */
};

/* What a host thread does; @thread counts from 0. */
typedef void overlap_work(void *context, unsigned thread, unsigned rounds);

/*
 * There are runs until the trial's time is up. After this, threads, rounds, most_rounds and
 * enough may be changed.
 */
void overlap_begin(struct overlap *overlap, struct trial *t, cl_kernel kernel, cl_uint argument,
		   size_t items, size_t group);

/* Whether there is to be another run; sets rounds, more of them as long as they never met. */
bool overlap_next(struct overlap *overlap);

/* One run; both have ended when it returns. @work may be NULL where there are no threads. */
void overlap_run(struct overlap *overlap, overlap_work *work, void *context);

/* The test is partial where they never met. */
void overlap_end(struct overlap *overlap);

#endif
