// SPDX-License-Identifier: MIT
//
// Atomics in the dialect the device's compiler knows, in front of every kernel.
//
// The host defines: DIALECT_C11 (OpenCL C 2.0 and 3.0) or DIALECT_LEGACY
// (1.x built-ins, relaxed and device scope only); SCOPE, ORDER and, for
// compare_exchange, FAILURE_ORDER; HAVE_ACQ_REL; TYPE and ATOMIC, the operand;
// TYPE_MAX, its largest value; BITS, its width; GATE_LOAD, GATE_VOLATILE,
// GATE_RMW or GATE_NONE; and BROKEN to take the atomicity out on purpose.

#ifdef WIDE
#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable
#pragma OPENCL EXTENSION cl_khr_int64_extended_atomics : enable
#endif

#ifdef DIALECT_C11

#ifdef HAVE_ACQ_REL
#define ACQUIRE memory_order_acquire
#define RELEASE memory_order_release
#define ACQ_REL memory_order_acq_rel
#else
#define ACQUIRE memory_order_relaxed
#define RELEASE memory_order_relaxed
#define ACQ_REL memory_order_relaxed
#endif

typedef atomic_uint atomic_word;

#define WORD_LOAD(p) atomic_load_explicit(p, memory_order_relaxed, SCOPE)
#define WORD_LOAD_ACQUIRE(p) atomic_load_explicit(p, ACQUIRE, SCOPE)
#define WORD_STORE(p, v) atomic_store_explicit(p, v, memory_order_relaxed, SCOPE)
#define WORD_STORE_RELEASE(p, v) atomic_store_explicit(p, v, RELEASE, SCOPE)

#ifndef BROKEN
#define WORD_ADD(p, v) atomic_fetch_add_explicit(p, v, ACQ_REL, SCOPE)
#define WORD_OR(p, v) atomic_fetch_or_explicit(p, v, ACQ_REL, SCOPE)
#define WORD_EXCHANGE(p, v) atomic_exchange_explicit(p, v, ACQ_REL, SCOPE)
#define WORD_CAS(p, expected, desired) \
	atomic_compare_exchange_strong_explicit(p, expected, desired, ACQ_REL, ACQUIRE, SCOPE)
#endif

#else // DIALECT_LEGACY

typedef uint atomic_word;

#define WORD_LOAD(p) (*(p))
#define WORD_LOAD_ACQUIRE(p) (*(p))
#define WORD_STORE(p, v) ((void)atomic_xchg(p, v))
#define WORD_STORE_RELEASE(p, v) (mem_fence(CLK_GLOBAL_MEM_FENCE), (void)atomic_xchg(p, v))

#ifndef BROKEN
#define WORD_ADD(p, v) atomic_add(p, v)
#define WORD_OR(p, v) atomic_or(p, v)
#define WORD_EXCHANGE(p, v) atomic_xchg(p, v)

inline bool word_cas(volatile __global uint *p, uint *expected, uint desired)
{
	const uint wanted = *expected;

	*expected = atomic_cmpxchg(p, wanted, desired);
	return *expected == wanted;
}
#define WORD_CAS(p, expected, desired) word_cas(p, expected, desired)
#endif

#endif

#ifdef BROKEN
inline uint broken_word(volatile __global uint *p, uint desired)
{
	const uint old = *p;

	*p = desired;
	return old;
}

inline bool broken_cas(volatile __global uint *p, uint *expected, uint desired)
{
	const uint old = *p;

	if (old != *expected) {
		*expected = old;
		return false;
	}
	*p = desired;
	return true;
}
#define PLAIN(p) ((volatile __global uint *)(p))
#define WORD_ADD(p, v) broken_word(PLAIN(p), *PLAIN(p) + (v))
#define WORD_OR(p, v) broken_word(PLAIN(p), *PLAIN(p) | (v))
#define WORD_EXCHANGE(p, v) broken_word(PLAIN(p), v)
#define WORD_CAS(p, expected, desired) broken_cas(PLAIN(p), expected, desired)
#endif

// One look at a word that the host may change while the kernel runs. Compilers
// have been seen to delete loops around the first form; the host finds out
// which one this compiler leaves alone.
#if defined(GATE_VOLATILE)
#define GATE_READ(p) (*(volatile __global uint *)(p))
#elif defined(GATE_RMW) && defined(DIALECT_C11)
#define GATE_READ(p) atomic_fetch_or_explicit(p, 0u, ACQ_REL, SCOPE)
#elif defined(GATE_RMW)
#define GATE_READ(p) atomic_or(p, 0u)
#else
#define GATE_READ(p) WORD_LOAD_ACQUIRE(p)
#endif

// Words of the control block, a pair of cache lines apart; src/device/control.h.
#define CONTROL_GO 0
#define CONTROL_STOP 32
#define CONTROL_READY 64
#define CONTROL_STARTED 96
#define CONTROL_FINISHED 128
