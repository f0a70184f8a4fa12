/* SPDX-License-Identifier: MIT */
/*
 * What host and device see of each other while a kernel runs, without a synchronisation point.
 */
#include "clock.h"
#include "tests.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define WORDS	     512

/* Turns there are at least, however long they take, and at most. */
#define FEWEST_TURNS 20
#define MOST_TURNS   100000

/* Looks that an item takes before it gives up; the host gives up first. */
#define LOOKS	     (UINT64_C(1) << 40)

/* Each in cache lines of its own. */
struct talk {
	_Alignas(128) _Atomic cl_uint to;   /* raised by the host */
	_Alignas(128) _Atomic cl_uint from; /* raised by the device */
	_Alignas(128) cl_uint result[2];
	_Alignas(128) cl_uint payload[WORDS];
};

struct manner {
	const char *release;
	const char *acquire;
	cl_device_atomic_capabilities order;
	bool fences;
};

static const struct manner manners[] = {
	{ "memory_order_release", "memory_order_acquire", CL_DEVICE_ATOMIC_ORDER_ACQ_REL, false },
	{ "memory_order_seq_cst", "memory_order_seq_cst", CL_DEVICE_ATOMIC_ORDER_SEQ_CST, false },
	{ "memory_order_release", "memory_order_acquire", CL_DEVICE_ATOMIC_ORDER_ACQ_REL, true },
	{ "memory_order_seq_cst", "memory_order_seq_cst", CL_DEVICE_ATOMIC_ORDER_SEQ_CST, true },
};

static void check_manner(struct trial *t, const struct manner *manner)
{
	const cl_device_atomic_capabilities wanted =
		manner->order | CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES;
	const char *const names[] = { "memory", "fence" };
	const cl_device_atomic_capabilities have[] = { t->dev.atomic_memory, t->dev.atomic_fence };

	if (t->dev.cl_version < 30)
		return;
	if ((have[manner->fences] & wanted) != wanted)
		not_applicable("the %s capabilities, 0x%llx, lack the order or "
			       "CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES",
			       names[manner->fences], (unsigned long long)have[manner->fences]);
}

static cl_kernel talk_kernel(struct trial *t, struct talk *talk, cl_uint words)
{
	const struct manner *manner = &manners[t->test->variant];
	char options[256];
	cl_kernel kernel;

	check_manner(t, manner);
	snprintf(options, sizeof(options), "-DSCOPE=%s -DRELEASE=%s -DACQUIRE=%s%s", host_scope(t),
		 manner->release, manner->acquire, manner->fences ? " -DFENCES" : "");
	kernel = build(t, visibility_cl, "turns", options);
	set_svm(kernel, 0, (void *)&talk->to);
	set_svm(kernel, 1, (void *)&talk->from);
	set_svm(kernel, 2, talk->payload);
	set_uint(kernel, 3, words);
	set_ulong(kernel, 4, LOOKS);
	set_svm(kernel, 5, talk->result);
	return kernel;
}

/* False where @event ended first, or time ran out. */
static bool hear(struct trial *t, struct talk *talk, cl_uint wanted, cl_event event)
{
	const uint64_t deadline = clock_ns() + (uint64_t)(t->limit / 3 * 1e9);
	unsigned looks = 0;

	while (atomic_load_explicit(&talk->from, memory_order_acquire) < wanted) {
		clock_relax();
		if (++looks % 1024)
			continue;
		if (clock_ns() > deadline || event_status(event) <= CL_COMPLETE)
			return false;
	}
	return true;
}

/* End the kernel. */
static void let_go(struct trial *t, struct talk *talk, cl_event event)
{
	struct error err = { 0 };

	atomic_store(&talk->to, CL_UINT_MAX);
	CHECK(cts_wait(&t->dev, event, t->limit / 3, &err),
	      "a store of the host is not seen by a running kernel within %g s", t->limit / 3);
}

/* Whether kernels run while the host goes on, which nobody has to do: a kernel may be held back. */
static void await_start(struct trial *t, struct talk *talk, cl_event event)
{
	if (hear(t, talk, 1, event))
		return;
	let_go(t, talk, event);
	fail_test("a store of a kernel is not seen by the host while the kernel runs, within %g s",
		  t->limit / 3);
}

static void first_word(struct trial *t)
{
	struct talk *talk = svm_alloc(t, SVM_SHARED, sizeof(*talk));
	cl_event event;

	memset(talk, 0, sizeof(*talk));
	event = start_kernel(t, talk_kernel(t, talk, 1), 1, 1);
	await_start(t, talk, event);
	CHECK(event_status(event) > CL_COMPLETE, "the kernel did not wait for the host");
	let_go(t, talk, event);
}

/* One turn: the host writes and speaks, the device answers, and what it wrote is there. */
static void take_turn(struct trial *t, struct talk *talk, cl_uint turn, cl_event event)
{
	for (cl_uint i = 0; i < WORDS; i++)
		talk->payload[i] = turn + i;
	atomic_store_explicit(&talk->to, turn, memory_order_release);
	if (!hear(t, talk, turn, event)) {
		let_go(t, talk, event);
		fail_test("turn %u: the device does not see the host's store, or the host the "
			  "device's",
			  turn - 1);
	}
	for (cl_uint i = 0; i < WORDS; i++)
		CHECK(talk->payload[i] == ~(turn + i),
		      "turn %u: the host saw the device's flag and not word %u that was written "
		      "before it",
		      turn - 1, i);
}

static void turns(struct trial *t)
{
	struct talk *talk = svm_alloc(t, SVM_SHARED, sizeof(*talk));
	const uint64_t deadline = clock_ns() + (uint64_t)(t->seconds * 1e9);
	cl_uint count = 0;
	cl_event event;

	memset(talk, 0, sizeof(*talk));
	event = start_kernel(t, talk_kernel(t, talk, WORDS), 1, 1);
	await_start(t, talk, event);
	while (count < FEWEST_TURNS || (count < MOST_TURNS && clock_ns() < deadline))
		take_turn(t, talk, ++count + 1, event);
	let_go(t, talk, event);
	CHECK(talk->result[0] == count, "the device counts %u turns, the host %u", talk->result[0],
	      count);
	CHECK(!talk->result[1],
	      "the device saw the host's flag and not %u words that were written before it",
	      talk->result[1]);
}

/* --- bytes side by side ----------------------------------------------------------------------- */

enum { BYTES = 4096, ROUNDS = 2000 };

/*
 * The device has every @stride'th byte, the host all others. What either wrote last is there
 * after the synchronisation point.
 */
static void neighbours(struct trial *t, volatile unsigned char *bytes, unsigned stride)
{
	const size_t items = (BYTES + stride - 1) / stride;
	cl_kernel kernel = build(t, visibility_cl, "own_bytes", NULL);
	unsigned char last = 0;
	cl_event event;

	set_svm(kernel, 0, (const void *)bytes);
	set_uint(kernel, 1, stride);
	set_uint(kernel, 2, ROUNDS);
	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = 0;
	event = start_kernel(t, kernel, items, 1);
	do {
		last++;
		for (size_t i = 0; i < BYTES; i++)
			if (i % stride)
				bytes[i] = (unsigned char)(last + i);
	} while (event_status(event) > CL_COMPLETE);
	finish(t, event);
	for (size_t i = 0; i < BYTES; i++) {
		const bool device = i % stride == 0;
		const unsigned char due =
			(unsigned char)(device ? ROUNDS * 7 + i / stride : last + i);

		CHECK(bytes[i] == due, "byte %zu, the %s's, is 0x%02x, 0x%02x is due", i,
		      device ? "device" : "host", bytes[i], due);
	}
}

static void neighbours_fine(struct trial *t)
{
	unsigned char *bytes =
		svm_alloc(t, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, BYTES);
	const uint64_t deadline = clock_ns() + (uint64_t)(t->seconds * 1e9);

	do {
		neighbours(t, bytes, 2);
		neighbours(t, bytes, 3);
		neighbours(t, bytes, 64);
	} while (clock_ns() < deadline);
}

static void neighbours_system(struct trial *t)
{
	static unsigned char bytes[BYTES];
	const uint64_t deadline = clock_ns() + (uint64_t)(t->seconds * 1e9);

	do {
		neighbours(t, bytes, 2);
		neighbours(t, bytes, 64);
	} while (clock_ns() < deadline);
}

#define ORDERING "API 3.3, Atomic Operations"
#define NEEDS	 (NEED_FINE | NEED_ATOMICS | NEED_COMPILER)

const struct test visibility_tests[] = {
	{ "visibility.while-running", ORDERING,
	  "\"use atomic and synchronization operations to ensure that its assignments, and those "
	  "of the kernel, are visible to each other\": one store each way",
	  NEEDS, first_word, 0 },
	{ "visibility.acquire-release", ORDERING,
	  "what was written before a release is seen after the acquire that reads it, by turns, "
	  "2 KiB at a time",
	  NEEDS, turns, 0 },
	{ "visibility.seq-cst", ORDERING, "the same with memory_order_seq_cst", NEEDS, turns, 1 },
	{ "visibility.fences", "API 3.3, Fence Operations",
	  "the same with atomic_work_item_fence and relaxed atomics", NEEDS, turns, 2 },
	{ "visibility.fences-seq-cst", "API 3.3, Fence Operations",
	  "the same with fences of memory_order_seq_cst", NEEDS, turns, 3 },
	{ "visibility.neighbours", "API 5.6.1",
	  "fine-grained: host and devices \"can concurrently update non-overlapping memory "
	  "regions\", byte by byte",
	  NEED_FINE | NEED_COMPILER, neighbours_fine, 0 },
	{ "visibility.neighbours-system", "API 5.6.1", "the same in memory of the program itself",
	  NEED_SYSTEM | NEED_COMPILER, neighbours_system, 0 },
	{ 0 },
};
