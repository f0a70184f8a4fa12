/* SPDX-License-Identifier: MIT */
/*
 * A kernel and host threads at once.
 */
#include "overlap.h"

#include "clock.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#define FIRST_ROUNDS 256
#define MOST_ROUNDS  65536

/* In memory that both use; gate.cl has the same words, a pair of cache lines apart. */
struct gate {
	_Alignas(128) _Atomic cl_uint started;
	_Alignas(128) _Atomic cl_uint go;
	_Alignas(128) _Atomic cl_uint finished;
	_Alignas(128) _Atomic cl_uint groups;
};

struct member {
	struct overlap *overlap;
	overlap_work *work;
	void *context;
	unsigned thread;
	const atomic_bool *over; /* the kernel has ended */
	bool met;
};

void overlap_begin(struct overlap *overlap, struct trial *t, cl_kernel kernel, cl_uint argument,
		   size_t items, size_t group)
{
	*overlap = (struct overlap){ .t = t,
				     .kernel = kernel,
				     .items = items,
				     .group = group,
				     .argument = argument,
				     .threads = OVERLAP_THREADS,
				     .rounds = FIRST_ROUNDS,
				     .most_rounds = MOST_ROUNDS,
				     .gate = svm_best(t, sizeof(struct gate)) };
	overlap->deadline = clock_ns() + (uint64_t)(t->seconds * 1e9);
}

bool overlap_next(struct overlap *overlap)
{
	const bool in_time = clock_ns() < overlap->deadline;
	const unsigned count = overlap->threads ? overlap->met : overlap->runs;

	if (!overlap->runs)
		return true;
	if (overlap->enough && count >= overlap->enough)
		return false;
	if (overlap->threads && !overlap->met && overlap->rounds * 4 <= overlap->most_rounds)
		overlap->rounds *= 4;
	return in_time;
}

static void *member_run(void *argument)
{
	struct member *member = argument;
	struct gate *gate = member->overlap->gate;

	/* Yielding: where cores are few, the device's threads need this one. */
	for (unsigned looks = 1; !atomic_load_explicit(&gate->started, memory_order_relaxed) &&
				 !atomic_load(member->over);
	     looks++) {
		if (looks % 256)
			clock_relax();
		else
			sched_yield();
	}
	atomic_store_explicit(&gate->go, 1, memory_order_relaxed);
	member->met =
		atomic_load(&gate->finished) < member->overlap->items && !atomic_load(member->over);
	member->work(member->context, member->thread, member->overlap->rounds);
	return NULL;
}

/* The gate as a run begins: open where nobody else comes. */
static void set_gate(struct overlap *overlap)
{
	const struct gate begin = { .go = !overlap->threads };

	if (overlap->t->dev.svm & CL_DEVICE_SVM_FINE_GRAIN_BUFFER)
		memcpy(overlap->gate, &begin, sizeof(begin));
	else
		put(overlap->t, overlap->gate, &begin, sizeof(begin));
	set_svm(overlap->kernel, overlap->argument, overlap->gate);
	set_uint(overlap->kernel, overlap->argument + 1, overlap->rounds);
}

void overlap_run(struct overlap *overlap, overlap_work *work, void *context)
{
	struct member members[OVERLAP_THREADS];
	pthread_t threads[OVERLAP_THREADS];
	atomic_bool over = false;
	bool met = false;
	cl_event event;

	set_gate(overlap);
	for (unsigned i = 0; i < overlap->threads; i++) {
		members[i] = (struct member){ overlap, work, context, i, &over, false };
		CHECK(!pthread_create(&threads[i], NULL, member_run, &members[i]),
		      "a host thread cannot be started");
	}
	event = start_kernel(overlap->t, overlap->kernel, overlap->items, overlap->group);
	finish(overlap->t, event);
	clReleaseEvent(event);
	atomic_store(&over, true);
	for (unsigned i = 0; i < overlap->threads; i++) {
		pthread_join(threads[i], NULL);
		met |= members[i].met;
	}
	overlap->met += met;
	overlap->runs++;
}

void overlap_end(struct overlap *overlap)
{
	if (overlap->threads && !overlap->met)
		left_out(overlap->t,
			 "host and device never worked at the same time, in %u tries: each was "
			 "right by itself",
			 overlap->runs);
}
