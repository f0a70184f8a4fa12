// SPDX-License-Identifier: MIT
//
// One atomic operation on one type, in every form that it has, by many work-items on one word.
// What each of them saw is logged, for history.c to judge.
//
// The host defines:
//   OP          the operation as in the functions' names: fetch_add, flag_clear
//   KIND_...    what is done with it: SUM, BITS, RANK, SWAP, COMPARE, STORE, LOAD, ELECT, CLEAR
//   TYPE, ATOMIC, BITS, AS_TYPE, IS_FLOAT    the operand (not for flags)
//   DOWN        SUM and RANK: the values go down (fetch_sub, fetch_min)
//   STRONG      COMPARE: it may not fail without a reason
//   HAVE_ACQ_REL, HAVE_SEQ_CST, HAVE_DEVICE, ALL_DEVICES (a scope), SUB_GROUPS
//               what the device has beyond relaxed order and work-group scope
//   SCOPE       the widest of the scopes

#define NAME_OF(op) atomic_##op
#define NAME_OF_EXPLICIT(op) atomic_##op##_explicit
#define EXPAND(macro, op) macro(op)
#define PLAIN EXPAND(NAME_OF, OP)
#define EXPLICIT EXPAND(NAME_OF_EXPLICIT, OP)

// A compare-exchange that fails is a load.
#define FAILURE_relaxed memory_order_relaxed
#define FAILURE_acquire memory_order_acquire
#define FAILURE_release memory_order_relaxed
#define FAILURE_acq_rel memory_order_acquire
#define FAILURE_seq_cst memory_order_seq_cst

// --- values ------------------------------------------------------------------

#if defined(KIND_ELECT) || defined(KIND_CLEAR)
#define WORD atomic_flag
#define VALUE uint
#else
#define WORD ATOMIC
#define VALUE TYPE
#if BITS == 32
#define TO_VALUE(bits) AS_TYPE((uint)(bits))
#define TO_BITS(value) ((ulong)as_uint(value))
#define STEP 1ul
#define BIT(me) (1u << (me))
#define FACTOR 2654435761u
#else
#define TO_VALUE(bits) AS_TYPE(bits)
#define TO_BITS(value) as_ulong(value)
#define STEP 0x100000001ul
#define BIT(me) (1ul << (2 * (me) + 1))
#define FACTOR 0x9e3779b97f4a7c15ul
#endif
#endif

typedef volatile __global WORD *word_pointer;

#if defined(KIND_SWAP) || defined(KIND_COMPARE) || defined(KIND_STORE) || defined(KIND_LOAD)
// The token of number @n; history.c has the same.
TYPE token(uint n)
{
#if IS_FLOAT && BITS == 32
	return TO_VALUE(0x3f800000u | n);
#elif IS_FLOAT
	return TO_VALUE(0x3ff0000000000000ul | (ulong)n << 26 | n);
#else
	return TO_VALUE(n * FACTOR);
#endif
}
#endif

// --- the operation, form by form -----------------------------------------------

#if defined(KIND_COMPARE)
#define PARAMETERS word_pointer w, TYPE *expected, TYPE v
#define RESULT bool
#define CALL_SCOPE(o, s) EXPLICIT(w, expected, v, memory_order_##o, FAILURE_##o, s)
#define CALL_ORDER(o) EXPLICIT(w, expected, v, memory_order_##o, FAILURE_##o)
#define CALL_PLAIN PLAIN(w, expected, v)
#elif defined(KIND_LOAD)
#define PARAMETERS word_pointer w
#define RESULT TYPE
#define CALL_SCOPE(o, s) EXPLICIT(w, memory_order_##o, s)
#define CALL_ORDER(o) EXPLICIT(w, memory_order_##o)
#define CALL_PLAIN PLAIN(w)
#elif defined(KIND_STORE)
#define PARAMETERS word_pointer w, TYPE v
#define RESULT TYPE
#define CALL_SCOPE(o, s) (EXPLICIT(w, v, memory_order_##o, s), v)
#define CALL_ORDER(o) (EXPLICIT(w, v, memory_order_##o), v)
#define CALL_PLAIN (PLAIN(w, v), v)
#elif defined(KIND_ELECT)
#define PARAMETERS word_pointer w
#define RESULT bool
#define CALL_SCOPE(o, s) EXPLICIT(w, memory_order_##o, s)
#define CALL_ORDER(o) EXPLICIT(w, memory_order_##o)
#define CALL_PLAIN PLAIN(w)
#elif defined(KIND_CLEAR)
#define PARAMETERS word_pointer w
#define RESULT bool
#define CALL_SCOPE(o, s) (EXPLICIT(w, memory_order_##o, s), true)
#define CALL_ORDER(o) (EXPLICIT(w, memory_order_##o), true)
#define CALL_PLAIN (PLAIN(w), true)
#else
#define PARAMETERS word_pointer w, TYPE v
#define RESULT TYPE
#define CALL_SCOPE(o, s) EXPLICIT(w, v, memory_order_##o, s)
#define CALL_ORDER(o) EXPLICIT(w, v, memory_order_##o)
#define CALL_PLAIN PLAIN(w, v)
#endif

// Forms are numbered as in atomics.c: 8 for each order, in it the scopes; from 40 on, without a
// scope; 48, without an order too.
#define FORM_WITHOUT_SCOPE 40
#define FORM_PLAIN 48

#ifdef HAVE_DEVICE
#define CASE_DEVICE(n, o)                                                                          \
	case n * 8 + 1:                                                                            \
		return CALL_SCOPE(o, memory_scope_device);                                         \
	case FORM_WITHOUT_SCOPE + n:                                                               \
		return CALL_ORDER(o);
#else
#define CASE_DEVICE(n, o)
#endif
#ifdef ALL_DEVICES
#define CASE_ALL_DEVICES(n, o)                                                                     \
	case n * 8 + 2:                                                                            \
		return CALL_SCOPE(o, ALL_DEVICES);
#else
#define CASE_ALL_DEVICES(n, o)
#endif
#ifdef SUB_GROUPS
#define CASE_SUB_GROUP(n, o)                                                                       \
	case n * 8 + 3:                                                                            \
		return CALL_SCOPE(o, memory_scope_sub_group);
#else
#define CASE_SUB_GROUP(n, o)
#endif

#define CASES(n, o)                                                                                \
	case n * 8:                                                                                \
		return CALL_SCOPE(o, memory_scope_work_group);                                     \
		CASE_DEVICE(n, o) CASE_ALL_DEVICES(n, o) CASE_SUB_GROUP(n, o)

RESULT operate(PARAMETERS, uint form)
{
	switch (form) {
		CASES(0, relaxed)
#ifdef HAVE_ACQ_REL
#if !defined(KIND_STORE) && !defined(KIND_CLEAR)
		CASES(1, acquire)
#endif
#if !defined(KIND_LOAD)
		CASES(2, release)
#endif
#if !defined(KIND_STORE) && !defined(KIND_CLEAR) && !defined(KIND_LOAD)
		CASES(3, acq_rel)
#endif
#endif
#ifdef HAVE_SEQ_CST
		CASES(4, seq_cst)
#ifdef HAVE_DEVICE
	case FORM_PLAIN:
		return CALL_PLAIN;
#endif
#endif
	}
	return 0;
}

uint scope_of(uint form)
{
	return form < FORM_WITHOUT_SCOPE ? form % 8 : 1;
}

// What a test does beside the operation is relaxed, and of the same scope: actions of
// different scopes may race (API 3.3, "inclusive scope").
#define BESIDE_WORK_GROUP(call) call(memory_scope_work_group)
#ifdef HAVE_DEVICE
#define BESIDE_DEVICE(call)                                                                        \
	case 1:                                                                                    \
		return call(memory_scope_device);
#else
#define BESIDE_DEVICE(call)
#endif
#ifdef ALL_DEVICES
#define BESIDE_ALL_DEVICES(call)                                                                   \
	case 2:                                                                                    \
		return call(ALL_DEVICES);
#else
#define BESIDE_ALL_DEVICES(call)
#endif
#ifdef SUB_GROUPS
#define BESIDE_SUB_GROUP(call)                                                                     \
	case 3:                                                                                    \
		return call(memory_scope_sub_group);
#else
#define BESIDE_SUB_GROUP(call)
#endif
#define BESIDE(scope, call)                                                                        \
	switch (scope) {                                                                           \
		BESIDE_DEVICE(call) BESIDE_ALL_DEVICES(call) BESIDE_SUB_GROUP(call)                \
	}                                                                                          \
	return call(memory_scope_work_group)

#if defined(KIND_BITS)
TYPE toggle(word_pointer w, TYPE bit, uint scope)
{
#define TOGGLE(s) atomic_fetch_xor_explicit(w, bit, memory_order_relaxed, s)
	BESIDE(scope, TOGGLE);
}
#elif defined(KIND_STORE)
TYPE load(word_pointer w, uint scope)
{
#define LOAD(s) atomic_load_explicit(w, memory_order_relaxed, s)
	BESIDE(scope, LOAD);
}
#elif defined(KIND_LOAD)
TYPE store(word_pointer w, TYPE v, uint scope)
{
#define STORE(s) (atomic_store_explicit(w, v, memory_order_relaxed, s), v)
	BESIDE(scope, STORE);
}
#elif defined(KIND_CLEAR)
bool test_and_set(word_pointer w, uint scope)
{
#define TEST_AND_SET(s) atomic_flag_test_and_set_explicit(w, memory_order_relaxed, s)
	BESIDE(scope, TEST_AND_SET);
}
#endif

// --- one step of one participant --------------------------------------------------

// @n: the step's number among all of all participants, from 1. Returns what is to be logged.
ulong step_(word_pointer w, uint form, uint me, uint i, uint n, ulong start, uint *wrong)
{
#if defined(KIND_SUM)
	return TO_BITS(operate(w, TO_VALUE(STEP), form));
#elif defined(KIND_RANK) && defined(DOWN)
	return TO_BITS(operate(w, TO_VALUE(start - n * STEP), form));
#elif defined(KIND_RANK)
	return TO_BITS(operate(w, TO_VALUE(start + n * STEP), form));
#elif defined(KIND_SWAP)
	return TO_BITS(operate(w, token(n), form));
#elif defined(KIND_COMPARE)
	TYPE expected = token(0);

	for (uint tries = 0; tries < 1000; tries++) {
		const ulong before = TO_BITS(expected);

		if (operate(w, &expected, token(n), form))
			return before;
#ifdef STRONG
		*wrong += TO_BITS(expected) == before;
#endif
	}
	return TO_BITS(token(n)); // never there: history.c leaves it out
#elif defined(KIND_STORE)
	operate(w, token(n), form);
	return TO_BITS(load(w, scope_of(form)));
#elif defined(KIND_LOAD)
	store(w, token(n), scope_of(form));
	return TO_BITS(operate(w, form));
#elif defined(KIND_BITS)
	// A bit of one's own, set and cleared in turn: nobody else may change it.
	const TYPE mine = (TYPE)BIT(me);
	const bool set = i % 2;
#if defined(OPERATION_XOR)
	const TYPE old = operate(w, mine, form);
#elif defined(OPERATION_OR)
	const TYPE old = set ? toggle(w, mine, scope_of(form)) : operate(w, mine, form);
#else
	const TYPE old = set ? operate(w, (TYPE)~mine, form) : toggle(w, mine, scope_of(form));
#endif
	*wrong += ((old & mine) != 0) != set;
	return TO_BITS(old);
#elif defined(KIND_ELECT)
	return operate(w, form);
#else
	// Whoever finds it clear has it, and clears it.
	if (test_and_set(w, scope_of(form)))
		return 1;
	operate(w, form);
	return 0;
#endif
}

__kernel void atomics(__global uchar *words, __global ulong *log, __global uint *slots,
		      __global uint *wrong, uint form, uint participants, ulong start,
		      __global uint *gate, uint rounds)
{
	const uint me = (uint)get_global_id(0);
	const uint scope = scope_of(form);
	uint mistakes = 0;
	// Who shares a word: a work-group, a sub-group of it, or all.
	uint slot = scope ? 0 : (uint)get_group_id(0);

#ifdef SUB_GROUPS
	// Not in a function: llvmpipe of Mesa 25.0 has no sub-group's number there.
	if (scope == 3)
		slot = (uint)(get_group_id(0) * get_local_size(0)) + get_sub_group_id();
#endif

	slots[me] = slot;
	gate_enter((gate_words)gate);
	for (uint i = 0; i < rounds; i++) {
#ifdef KIND_ELECT
		const uint at = (slot * rounds + i) * 4;
#else
		const uint at = slot * 8;
#endif
		log[me * rounds + i] = step_((word_pointer)(words + at), form, me, i,
					     i * participants + me + 1, start, &mistakes);
	}
	gate_leave((gate_words)gate);
	wrong[me] = mistakes;
}
