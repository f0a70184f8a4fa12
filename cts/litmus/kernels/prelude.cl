// SPDX-License-Identifier: MIT
//
// What the code of the tests is written in. In front of the generated function perform().
//
// SVMATOMIC_LITMUS_BROKEN_* make an implementation that is wrong on purpose, to see that the
// tests notice: an order, or an operation, is weaker here than the test says.

#define ORDER_rlx memory_order_relaxed
#ifdef SVMATOMIC_LITMUS_BROKEN_ACQ_REL
#define ORDER_acq memory_order_relaxed
#define ORDER_rel memory_order_relaxed
#define ORDER_acq_rel memory_order_relaxed
#else
#define ORDER_acq memory_order_acquire
#define ORDER_rel memory_order_release
#define ORDER_acq_rel memory_order_acq_rel
#endif
#ifdef SVMATOMIC_LITMUS_BROKEN_SC
#define ORDER_sc memory_order_relaxed
#else
#define ORDER_sc memory_order_seq_cst
#endif

#define SCOPE_wg memory_scope_work_group
#define SCOPE_dev memory_scope_device
#if defined(__opencl_c_atomic_scope_all_devices) || __OPENCL_C_VERSION__ < 300
#define SCOPE_all memory_scope_all_svm_devices
#else
// The device claims the scope, but its compiler forgot the name (PoCL 3.1): by its number.
#define SCOPE_all ((memory_scope)__OPENCL_MEMORY_SCOPE_ALL_SVM_DEVICES)
#endif

#define AT(location) (instance + (location) * stride)
#define PLAIN(location) ((__global int *)AT(location))

#define LOAD(l, order, scope) atomic_load_explicit(AT(l), ORDER_##order, SCOPE_##scope)
#define STORE(l, v, order, scope) atomic_store_explicit(AT(l), v, ORDER_##order, SCOPE_##scope)
#define PLAIN_LOAD(l) (*PLAIN(l))
#define PLAIN_STORE(l, v) (*PLAIN(l) = (v))

#ifdef SVMATOMIC_LITMUS_BROKEN_RMW
static int torn(__global atomic_int *at, int value, bool adds)
{
	const int old = atomic_load_explicit(at, memory_order_relaxed, memory_scope_device);

	atomic_store_explicit(at, adds ? old + value : value, memory_order_relaxed,
			      memory_scope_device);
	return old;
}
#define EXCHANGE(l, v, order, scope) torn(AT(l), v, false)
#define ADD(l, v, order, scope) torn(AT(l), v, true)
#else
#define EXCHANGE(l, v, order, scope) atomic_exchange_explicit(AT(l), v, ORDER_##order, SCOPE_##scope)
#define ADD(l, v, order, scope) atomic_fetch_add_explicit(AT(l), v, ORDER_##order, SCOPE_##scope)
#endif

// What was found is in @old either way: it is what was expected, or it is written there.
#define CAS(old, l, e, v, order, failed, scope)                                                    \
	do {                                                                                       \
		int expected = (e);                                                                \
		atomic_compare_exchange_strong_explicit(AT(l), &expected, v, ORDER_##order,        \
							ORDER_##failed, SCOPE_##scope);            \
		old = expected;                                                                    \
	} while (0)

#ifdef SVMATOMIC_LITMUS_BROKEN_FENCE
#define FENCE(order, scope)
#else
#define FENCE(order, scope)                                                                        \
	atomic_work_item_fence(CLK_GLOBAL_MEM_FENCE, ORDER_##order, SCOPE_##scope)
#endif

// A hash, for delays that the seed decides (the finaliser of MurmurHash3).
static uint mix(uint x)
{
	x ^= x >> 16;
	x *= 0x85ebca6bu;
	x ^= x >> 13;
	x *= 0xc2b2ae35u;
	return x ^ (x >> 16);
}

// Time passes, by a chain of multiplications that no compiler shortens.
static uint dawdle(uint steps, uint sink)
{
	while (steps--)
		sink = sink * 1664525u + 1013904223u;
	return sink;
}

// Between two looks at a word that another is to change; some 10 ns on a CPU.
#define LOOK_STEPS 8

#define PAUSE(number)                                                                              \
	(sink = dawdle(((pauses >> (8 * (number))) & pause_mask) * pause_scale, sink))
// In results: all threads were seen to come.
#define MET 4096u

#define SEEN(r0, r1, r2, r3) ((uint)(r0) | (uint)(r1) << 3 | (uint)(r2) << 6 | (uint)(r3) << 9)
