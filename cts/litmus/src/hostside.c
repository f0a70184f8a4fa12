/* SPDX-License-Identifier: MIT */
/*
 * An interpreter: between two accesses there is a jump, which no x86 store buffer minds, and no
 * compiler can reorder what it interprets.
 */
#include "hostside.h"

#include "clock.h"

#include <stdatomic.h>
#include <sys/prctl.h>
#include <time.h>

/* A step of a pause, asleep. */
#define DOZE_NS 400u

typedef volatile _Atomic uint32_t word_t;

static uint32_t mix(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x85ebca6bu;
	x ^= x >> 13;
	x *= 0xc2b2ae35u;
	return x ^ (x >> 16);
}

/* C11 atomics whose order is only known at run time would all be seq_cst. */
#define WITH_ORDER(order, what)                                                                    \
	switch (order) {                                                                           \
	case ORDER_ACQ:                                                                            \
		what(memory_order_acquire);                                                        \
		break;                                                                             \
	case ORDER_REL:                                                                            \
		what(memory_order_release);                                                        \
		break;                                                                             \
	case ORDER_ACQ_REL:                                                                        \
		what(memory_order_acq_rel);                                                        \
		break;                                                                             \
	case ORDER_SC:                                                                             \
		what(memory_order_seq_cst);                                                        \
		break;                                                                             \
	default:                                                                                   \
		what(memory_order_relaxed);                                                        \
	}

static uint32_t load(word_t *at, enum order order)
{
	if (order == ORDER_PLAIN)
		return *(volatile uint32_t *)at;
	if (order == ORDER_SC)
		return atomic_load_explicit(at, memory_order_seq_cst);
	return order == ORDER_ACQ ? atomic_load_explicit(at, memory_order_acquire)
				  : atomic_load_explicit(at, memory_order_relaxed);
}

static void store(word_t *at, uint32_t value, enum order order)
{
	if (order == ORDER_PLAIN)
		*(volatile uint32_t *)at = value;
	else if (order == ORDER_SC)
		atomic_store_explicit(at, value, memory_order_seq_cst);
	else if (order == ORDER_REL)
		atomic_store_explicit(at, value, memory_order_release);
	else
		atomic_store_explicit(at, value, memory_order_relaxed);
}

static uint32_t exchange(word_t *at, uint32_t value, enum order order)
{
	uint32_t old;

#define EXCHANGE(o) old = atomic_exchange_explicit(at, value, o)
	WITH_ORDER(order, EXCHANGE);
	return old;
}

static uint32_t add(word_t *at, uint32_t value, enum order order)
{
	uint32_t old;

#define ADD(o) old = atomic_fetch_add_explicit(at, value, o)
	WITH_ORDER(order, ADD);
	return old;
}

/* A failure's order follows from the success's (C11, 7.17.7.4). */
static uint32_t compare_exchange(word_t *at, uint32_t expected, uint32_t value, enum order order)
{
	switch (order) {
	case ORDER_SC:
		atomic_compare_exchange_strong(at, &expected, value);
		break;
	case ORDER_ACQ_REL:
		atomic_compare_exchange_strong_explicit(at, &expected, value, memory_order_acq_rel,
							memory_order_acquire);
		break;
	case ORDER_ACQ:
		atomic_compare_exchange_strong_explicit(at, &expected, value, memory_order_acquire,
							memory_order_acquire);
		break;
	case ORDER_REL:
		atomic_compare_exchange_strong_explicit(at, &expected, value, memory_order_release,
							memory_order_relaxed);
		break;
	default:
		atomic_compare_exchange_strong_explicit(at, &expected, value, memory_order_relaxed,
							memory_order_relaxed);
	}
	return expected;
}

static void fence(enum order order)
{
#define FENCE(o) atomic_thread_fence(o)
	WITH_ORDER(order, FENCE);
}

static uint32_t read_access(word_t *at, const struct access *access)
{
	switch (access->op) {
	case OP_EXCHANGE:
		return exchange(at, access->value, access->order);
	case OP_ADD:
		return add(at, access->value, access->order);
	case OP_CAS:
		return compare_exchange(at, access->expected, access->value, access->order);
	default:
		return load(at, access->order);
	}
}

/*
 * Asleep, not yielding: who wakes up runs at once, who yields waits for every process that is
 * ready, also on a busy machine.
 */
static void doze(uint32_t ns)
{
	const struct timespec length = { .tv_nsec = ns };

	nanosleep(&length, NULL);
}

static void pause_for(const struct host_batch *batch, uint32_t steps)
{
	if (batch->sleeps && steps & 1)
		doze(steps * DOZE_NS);
	else
		clock_spin((uint64_t)steps * batch->pause_scale);
}

static uint32_t perform(const struct host_batch *batch, const struct thread *thread,
			uint32_t *instance, uint32_t random)
{
	const struct environment *environment = batch->environment;
	const bool pauses = (random >> 24) % 16 < environment->pause_share;
	const uint32_t lengths = mix(random);
	uint32_t registers[MAX_REGISTERS] = { 0 };

	for (unsigned i = 0; i < thread->count; i++) {
		const struct access *access = &thread->accesses[i];
		word_t *at = (word_t *)instance + access->location * environment->stride;

		if (pauses && i && access->op != OP_FENCE)
			pause_for(batch,
				  (lengths >> (8 * ((i - 1) % 4))) & environment->pause_mask);
		if (access->guarded && registers[access->guard] != access->guard_value)
			continue;
		if (access->op == OP_STORE)
			store(at, access->value, access->order);
		else if (access->op == OP_FENCE)
			fence(access->order);
		else
			registers[access->target] = read_access(at, access);
	}
	return registers[0] | registers[1] << 3 | registers[2] << 6 | registers[3] << 9;
}

/*
 * Until all threads are at this instance, or patience ends. *@budget is what is left of it for
 * the batch.
 */
static bool meet(const struct host_batch *batch, word_t *counter, bool first, uint64_t *budget)
{
	const uint32_t threads = batch->program->threads;
	uint32_t there = atomic_fetch_add_explicit(counter, 1, memory_order_relaxed) + 1;
	uint64_t patience = first ? batch->first_patience_ns : batch->patience_ns;
	uint64_t start;

	if (there >= threads)
		return true;
	if (!first && patience > *budget)
		patience = *budget;
	start = clock_ns();
	while (there < threads && clock_ns() - start < patience) {
		if (batch->sleeps)
			doze(10 * DOZE_NS);
		for (unsigned looks = 0; looks < 16 && there < threads; looks++)
			there = atomic_load_explicit(counter, memory_order_relaxed);
	}
	if (!first) {
		const uint64_t waited = clock_ns() - start;

		*budget -= waited < *budget ? waited : *budget;
	}
	return there >= threads;
}

void host_run(void *context, unsigned member)
{
	const struct host_batch *batch = context;
	uint64_t budget = batch->budget_ns;
	unsigned number;

	if (member >= batch->members)
		return;
	number = batch->thread[member];
	if (batch->sleeps)
		prctl(PR_SET_TIMERSLACK, 1);
	for (uint32_t turn = 0; turn < batch->instances; turn++) {
		const uint32_t instance = (turn * batch->multiplier) & (batch->instances - 1);
		const uint32_t random = mix(batch->seed ^ mix(turn * 4 + number));
		const bool met = meet(batch, (word_t *)batch->meet + instance * batch->meet_words,
				      turn == 0, &budget);
		uint32_t seen;

		pause_for(batch, random & batch->environment->skew_mask);
		seen = perform(batch, &batch->program->thread[number],
			       batch->memory + instance * batch->instance_words, random);
		batch->results[number * batch->instances + instance] =
			seen | (met ? RESULT_MET : 0);
	}
}
