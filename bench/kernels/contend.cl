// SPDX-License-Identifier: MIT
//
// The device's half of a contention leg: wait at the gate, then step after step
// (src/contend/steps.h, in front of this file) until the host says stop. The CPU's half
// is src/contend/cpu_ops.c.
//
// The host defines OP, the operation's name; IS_FLOATING (0 or 1);
// WIDE for 64 bits; RANDOM where the word changes from step to step.

// Agrees with struct outcome in src/contend/field.h.
struct outcome {
	ulong attempts;
	ulong ops;
	ulong violations;
	ulong acc;
};

#define PLAIN_WORD(p) ((volatile __global TYPE *)(p))

#if defined(BROKEN)
inline TYPE plain_rmw(volatile __global TYPE *p, TYPE desired)
{
	const TYPE old = *p;

	*p = desired;
	return old;
}
#define FETCH_ADD(p, v) plain_rmw(PLAIN_WORD(p), *PLAIN_WORD(p) + (v))
#define FETCH_SUB(p, v) plain_rmw(PLAIN_WORD(p), *PLAIN_WORD(p) - (v))
#define FETCH_AND(p, v) plain_rmw(PLAIN_WORD(p), *PLAIN_WORD(p) & (v))
#define FETCH_OR(p, v) plain_rmw(PLAIN_WORD(p), *PLAIN_WORD(p) | (v))
#define FETCH_XOR(p, v) plain_rmw(PLAIN_WORD(p), *PLAIN_WORD(p) ^ (v))
#define FETCH_MIN(p, v) plain_rmw(PLAIN_WORD(p), min(*PLAIN_WORD(p), (TYPE)(v)))
#define FETCH_MAX(p, v) plain_rmw(PLAIN_WORD(p), max(*PLAIN_WORD(p), (TYPE)(v)))
#define EXCHANGE(p, v) plain_rmw(PLAIN_WORD(p), v)
#elif defined(DIALECT_C11)
#define FETCH_ADD(p, v) atomic_fetch_add_explicit(p, v, ORDER, SCOPE)
#define FETCH_SUB(p, v) atomic_fetch_sub_explicit(p, v, ORDER, SCOPE)
#define FETCH_AND(p, v) atomic_fetch_and_explicit(p, v, ORDER, SCOPE)
#define FETCH_OR(p, v) atomic_fetch_or_explicit(p, v, ORDER, SCOPE)
#define FETCH_XOR(p, v) atomic_fetch_xor_explicit(p, v, ORDER, SCOPE)
#define FETCH_MIN(p, v) atomic_fetch_min_explicit(p, v, ORDER, SCOPE)
#define FETCH_MAX(p, v) atomic_fetch_max_explicit(p, v, ORDER, SCOPE)
#define EXCHANGE(p, v) atomic_exchange_explicit(p, v, ORDER, SCOPE)
#elif defined(WIDE)
#define FETCH_ADD(p, v) atom_add(p, v)
#define FETCH_SUB(p, v) atom_sub(p, v)
#define FETCH_AND(p, v) atom_and(p, v)
#define FETCH_OR(p, v) atom_or(p, v)
#define FETCH_XOR(p, v) atom_xor(p, v)
#define FETCH_MIN(p, v) atom_min(p, v)
#define FETCH_MAX(p, v) atom_max(p, v)
#define EXCHANGE(p, v) atom_xchg(p, v)
#define LEGACY_CAS(p, e, d) atom_cmpxchg(p, e, d)
#else
#define FETCH_ADD(p, v) atomic_add(p, v)
#define FETCH_SUB(p, v) atomic_sub(p, v)
#define FETCH_AND(p, v) atomic_and(p, v)
#define FETCH_OR(p, v) atomic_or(p, v)
#define FETCH_XOR(p, v) atomic_xor(p, v)
#define FETCH_MIN(p, v) atomic_min(p, v)
#define FETCH_MAX(p, v) atomic_max(p, v)
#define EXCHANGE(p, v) atomic_xchg(p, v)
#define LEGACY_CAS(p, e, d) atomic_cmpxchg(p, e, d)
#endif

#ifdef DIALECT_C11
#define LOAD(p) atomic_load_explicit(p, ORDER, SCOPE)
#define LOAD_RELAXED(p) atomic_load_explicit(p, memory_order_relaxed, SCOPE)
#define STORE(p, v) atomic_store_explicit(p, v, ORDER, SCOPE)
#else
#define LOAD(p) (*(p))
#define LOAD_RELAXED(p) (*(p))
#define STORE(p, v) ((void)EXCHANGE(p, v))
#endif

#define CONCAT_(a, b) a##b
#define CONCAT(a, b) CONCAT_(a, b)
#define IS_compare_exchange 1
#define IS_flag 2
#define KIND CONCAT(IS_, OP)

#if KIND == IS_compare_exchange
inline bool try_add(volatile __global ATOMIC *p, TYPE *guess, TYPE delta)
{
#if defined(BROKEN)
	if (*PLAIN_WORD(p) != *guess) {
		*guess = *PLAIN_WORD(p);
		return false;
	}
	*PLAIN_WORD(p) = *guess + delta;
	return true;
#elif defined(DIALECT_C11)
	return atomic_compare_exchange_strong_explicit(p, guess, *guess + delta, ORDER,
						       FAILURE_ORDER, SCOPE);
#else
	const TYPE wanted = *guess;

	*guess = LEGACY_CAS(p, wanted, wanted + delta);
	return *guess == wanted;
#endif
}
#define TRY_ADD(p, guess, delta) try_add(p, guess, delta)
#endif

#if KIND == IS_flag
#if defined(BROKEN)
#define TAKE_FLAG(p) (*PLAIN_WORD(p) == 0 && plain_rmw(PLAIN_WORD(p), 1) == 0)
#define CLEAR_FLAG(p) ((void)plain_rmw(PLAIN_WORD(p), 0))
#elif defined(DIALECT_C11)
#define FLAG(p) ((volatile __global atomic_flag *)(p))
#define TAKE_FLAG(p) (!atomic_flag_test_and_set_explicit(FLAG(p), ORDER, SCOPE))
#define CLEAR_FLAG(p) atomic_flag_clear_explicit(FLAG(p), STORE_ORDER, SCOPE)
#else
#define TAKE_FLAG(p) (atomic_xchg(p, 1) == 0)
#define CLEAR_FLAG(p) (mem_fence(CLK_GLOBAL_MEM_FENCE), (void)atomic_xchg(p, 0))
#endif
#endif

#ifdef RANDOM
#define STEADY false
#else
#define STEADY true
#endif

inline ulong bits_of(TYPE value)
{
#if IS_FLOATING && defined(WIDE)
	return as_ulong(value);
#elif IS_FLOATING
	return as_uint(value);
#elif defined(WIDE)
	return (ulong)value;
#else
	return (ulong)(uint)value;
#endif
}

__kernel void contend(volatile __global atomic_word *control, volatile __global ATOMIC *words,
		      volatile __global uint *guards, __global const uint *stream,
		      __global struct outcome *outcomes, uint first_worker, uint stride, uint modulo,
		      uint stream_mask, uint block, ulong limit, ulong gate_limit)
{
	const uint me = first_worker + (uint)get_global_id(0);
	const bool steady = STEADY;
	uint index = (me % modulo) * stride;
	volatile __global ATOMIC *p = words + index;
	volatile __global uint *guard = guards + index;
	ulong i = 0;
	ulong ops = 0;
	ulong violations = 0;
	bool fresh = true;
	TYPE acc = CONCAT(INITIAL_, OP);

#ifndef GATE_NONE
	(void)WORD_ADD(control + CONTROL_READY, 1u);
	for (ulong looks = 0; looks < gate_limit; looks++)
		if (GATE_READ(control + CONTROL_GO))
			break;
	(void)WORD_ADD(control + CONTROL_STARTED, 1u);
	while (i < limit && !GATE_READ(control + CONTROL_STOP)) {
#else
	while (i < limit) {
#endif
		for (uint b = 0; b < block; b++, i++) {
#ifdef RANDOM
			index = stream[(STREAM_START(me) + (uint)(CONCAT(POSITION_, OP))) & stream_mask];
			p = words + index;
			guard = guards + index;
#endif
			CONCAT(STEP_, OP);
		}
	}
#ifndef GATE_NONE
	(void)WORD_ADD(control + CONTROL_FINISHED, 1u);
#endif
	outcomes[get_global_id(0)].attempts = i;
	outcomes[get_global_id(0)].ops = ops;
	outcomes[get_global_id(0)].violations = violations;
	outcomes[get_global_id(0)].acc = bits_of(acc);
}
