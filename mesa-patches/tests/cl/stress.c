/* SPDX-License-Identifier: MIT */
/*
 * Host threads and a kernel do every atomic operation on the same words, and none is lost.
 */
#include "cltest.h"

#include <pthread.h>
#include <stdint.h>

/*
 * Everybody has a number, work-items first. The bit operations need a bit for each, hence few of
 * them.
 */
enum { ITEMS = 26, THREADS = 4, EVERYBODY = ITEMS + THREADS, ROUNDS = 20000 };

enum { ADD, SUB, XOR, BITS, MIN, MAX, EXCHANGE, COMPARE, OPERATIONS };

static const char *const names[OPERATIONS] = { "add", "sub", "xor",  "or and",
					       "min", "max", "xchg", "cmpxchg" };

/* One operation per cache line. */
struct word {
	_Alignas(128) int64_t value;
};

struct shared {
	struct word words[OPERATIONS];
	_Alignas(128) int started;
	/* Values that somebody took out with an exchange, and faults that somebody saw. */
	_Alignas(128) int64_t taken[EVERYBODY], faults[EVERYBODY];
};

static const char source[] =
	"#if WIDE\n"
	"typedef long T; typedef atomic_long A;\n"
	"#else\n"
	"typedef int T; typedef atomic_int A;\n"
	"#endif\n"
	"#define W(i) ((volatile global A *)(words + (i) * 16))\n"
	"#define ALL memory_scope_all_svm_devices\n"
	"#define EX ORDER, ALL\n"
	"kernel void work(global long *words, volatile global atomic_int *started,\n"
	"		 global long *taken, global long *faults, int rounds, int everybody)\n"
	"{\n"
	"	int me = get_global_id(0);\n"
	"	T bit = (T)1 << me, low = 0, high = 0;\n"
	"	long took = 0, wrong = 0;\n"
	"	atomic_fetch_add_explicit(started, 1, memory_order_relaxed, ALL);\n"
	"	for (int i = 0; i < rounds; i++) {\n"
	"		T mine = (T)i * everybody + me + 1, v;\n"
	"		atomic_fetch_add_explicit(W(0), 3, EX);\n"
	"		atomic_fetch_sub_explicit(W(1), 3, EX);\n"
	"		atomic_fetch_xor_explicit(W(2), mine, EX);\n"
	"		wrong += (atomic_fetch_or_explicit(W(3), bit, EX) & bit) != 0;\n"
	"		wrong += (atomic_load_explicit(W(3), LOAD, ALL) & bit) == 0;\n"
	"		wrong += (atomic_fetch_and_explicit(W(3), ~bit, EX) & bit) == 0;\n"
	"		v = atomic_fetch_min_explicit(W(4), -mine, EX);\n"
	"		wrong += v > low;\n"
	"		low = min(v, -mine);\n"
	"		v = atomic_fetch_max_explicit(W(5), mine, EX);\n"
	"		wrong += v < high;\n"
	"		high = max(v, mine);\n"
	"		took += atomic_exchange_explicit(W(6), mine, EX);\n"
	"		v = atomic_load_explicit(W(7), LOAD, ALL);\n"
	"		while (!atomic_compare_exchange_strong_explicit(W(7), &v, v + 1, ORDER,\n"
	"								LOAD, ALL))\n"
	"			;\n"
	"	}\n"
	"	taken[me] = took;\n"
	"	faults[me] = wrong;\n"
	"}\n";

static struct shared *shared;

#define HOST_WORK(name, T)                                                                         \
	static void *name(void *arg)                                                               \
	{                                                                                          \
		int me = (int)(intptr_t)arg;                                                       \
		T bit = (T)1 << me, low = 0, high = 0;                                             \
		T *w[OPERATIONS];                                                                  \
		int64_t took = 0, wrong = 0;                                                       \
                                                                                                   \
		for (int i = 0; i < OPERATIONS; i++)                                               \
			w[i] = (T *)&shared->words[i].value;                                       \
		while (!__atomic_load_n(&shared->started, __ATOMIC_RELAXED))                       \
			;                                                                          \
		for (int i = 0; i < ROUNDS; i++) {                                                 \
			T mine = (T)i * EVERYBODY + me + 1, v;                                     \
                                                                                                   \
			__atomic_fetch_add(w[ADD], 3, __ATOMIC_SEQ_CST);                           \
			__atomic_fetch_sub(w[SUB], 3, __ATOMIC_SEQ_CST);                           \
			__atomic_fetch_xor(w[XOR], mine, __ATOMIC_SEQ_CST);                        \
			wrong += (__atomic_fetch_or(w[BITS], bit, __ATOMIC_SEQ_CST) & bit) != 0;   \
			wrong += (__atomic_fetch_and(w[BITS], ~bit, __ATOMIC_SEQ_CST) & bit) == 0; \
			v = __atomic_load_n(w[MIN], __ATOMIC_SEQ_CST);                             \
			wrong += v > low;                                                          \
			low = v;                                                                   \
			while (v > -mine &&                                                        \
			       !__atomic_compare_exchange_n(w[MIN], &v, -mine, 0,                  \
							    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))   \
				;                                                                  \
			v = __atomic_load_n(w[MAX], __ATOMIC_SEQ_CST);                             \
			wrong += v < high;                                                         \
			high = v;                                                                  \
			while (v < mine &&                                                         \
			       !__atomic_compare_exchange_n(w[MAX], &v, mine, 0, __ATOMIC_SEQ_CST, \
							    __ATOMIC_SEQ_CST))                     \
				;                                                                  \
			took += __atomic_exchange_n(w[EXCHANGE], mine, __ATOMIC_SEQ_CST);          \
			v = __atomic_load_n(w[COMPARE], __ATOMIC_SEQ_CST);                         \
			while (!__atomic_compare_exchange_n(w[COMPARE], &v, v + 1, 0,              \
							    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))   \
				;                                                                  \
		}                                                                                  \
		shared->taken[me] = took;                                                          \
		shared->faults[me] = wrong;                                                        \
		return NULL;                                                                       \
	}

HOST_WORK(host_int, int32_t)
HOST_WORK(host_long, int64_t)

static int64_t value(int wide, int operation)
{
	int32_t narrow;

	memcpy(&narrow, &shared->words[operation], sizeof(narrow));
	return wide ? shared->words[operation].value : narrow;
}

static void verify(const char *options, int wide)
{
	int64_t count = (int64_t)ROUNDS * EVERYBODY, put = 0, took = 0, bits = 0;
	int64_t expected[OPERATIONS] = { [ADD] = 3 * count,
					 [SUB] = -3 * count,
					 [MIN] = -count,
					 [MAX] = count,
					 [COMPARE] = count };

	for (int64_t mine = 1; mine <= count; mine++) {
		put += mine;
		bits ^= mine;
	}
	expected[XOR] = bits;
	expected[EXCHANGE] = value(wide, EXCHANGE);
	for (int i = 0; i < OPERATIONS; i++)
		if (value(wide, i) != expected[i])
			fail("%s: %s left %lld, expected %lld", options, names[i],
			     (long long)value(wide, i), (long long)expected[i]);
	for (int i = 0; i < EVERYBODY; i++) {
		took += shared->taken[i];
		if (shared->faults[i])
			fail("%s: %s %d saw %lld updates lost", options,
			     i < ITEMS ? "work-item" : "thread", i, (long long)shared->faults[i]);
	}
	if (took + value(wide, EXCHANGE) != put)
		fail("%s: xchg took %lld out of %lld", options, (long long)took, (long long)put);
}

static void stress(const char *options, int wide, size_t local)
{
	cl_kernel k = kernel(build(source, options), "work");
	cl_int rounds = ROUNDS, everybody = EVERYBODY;
	pthread_t threads[THREADS];
	cl_event event;

	memset(shared, 0, sizeof(*shared));
	CHECK(clSetKernelArgSVMPointer(k, 0, shared->words));
	CHECK(clSetKernelArgSVMPointer(k, 1, &shared->started));
	CHECK(clSetKernelArgSVMPointer(k, 2, shared->taken));
	CHECK(clSetKernelArgSVMPointer(k, 3, shared->faults));
	CHECK(clSetKernelArg(k, 4, sizeof(rounds), &rounds));
	CHECK(clSetKernelArg(k, 5, sizeof(everybody), &everybody));
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, wide ? host_long : host_int,
				   (void *)(intptr_t)(ITEMS + i)))
			fail("pthread_create");
	event = launch(k, ITEMS, local);
	CHECK(clFinish(queue));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	if (event_status(event) != CL_COMPLETE)
		fail("%s: the kernel ended with %d", options, event_status(event));
	verify(options, wide);
}

int main(void)
{
	int wide;

	open_device();
	shared = alloc_for_atomics(sizeof(*shared));
	wide = has_extension("cl_khr_int64_base_atomics") &&
	       has_extension("cl_khr_int64_extended_atomics");
	alarm(300);
	stress("-cl-std=CL3.0 -DWIDE=0 -DORDER=memory_order_relaxed -DLOAD=memory_order_relaxed", 0,
	       1);
	stress("-cl-std=CL3.0 -DWIDE=0 -DORDER=memory_order_relaxed -DLOAD=memory_order_relaxed", 0,
	       ITEMS);
	stress("-cl-std=CL3.0 -DWIDE=0 -DORDER=memory_order_seq_cst -DLOAD=memory_order_seq_cst", 0,
	       ITEMS / 2);
	if (wide) {
		stress("-cl-std=CL3.0 -DWIDE=1 -DORDER=memory_order_relaxed "
		       "-DLOAD=memory_order_relaxed",
		       1, 1);
		stress("-cl-std=CL3.0 -DWIDE=1 -DORDER=memory_order_acq_rel "
		       "-DLOAD=memory_order_acquire",
		       1, ITEMS);
	}
	clSVMFree(context, shared);
	return 0;
}
