/* SPDX-License-Identifier: MIT */
/*
 * The token of handoff, as C code on either side passes it; kernels/handoff.cl agrees.
 */
#ifndef BENCH_TOKEN_H
#define BENCH_TOKEN_H

#include "atomics.h"

#include <stdatomic.h>
#include <stdint.h>

/* Where the messages lie, in words. */
#define MESSAGE_TO_DEVICE 0
#define MESSAGE_TO_HOST	  32
#define MESSAGE_BYTES	  (64 * sizeof(uint32_t))

/* What the device says at the end. */
struct token_report {
	uint64_t rounds;  /* completed */
	uint64_t wrong;	  /* messages that did not belong to the round */
	uint64_t checked; /* whether messages were looked at */
};

/* C11 atomics whose order is only known at run time would all be seq_cst. */
static inline uint32_t token_take(_Atomic uint32_t *token, enum order order)
{
	switch (order) {
	case ORDER_RELAXED:
		return atomic_load_explicit(token, memory_order_relaxed);
	case ORDER_SEQ_CST:
		return atomic_load_explicit(token, memory_order_seq_cst);
	default:
		return atomic_load_explicit(token, memory_order_acquire);
	}
}

static inline void token_give(_Atomic uint32_t *token, uint32_t value, enum order order)
{
	switch (order) {
	case ORDER_RELAXED:
		atomic_store_explicit(token, value, memory_order_relaxed);
		break;
	case ORDER_SEQ_CST:
		atomic_store_explicit(token, value, memory_order_seq_cst);
		break;
	default:
		atomic_store_explicit(token, value, memory_order_release);
		break;
	}
}

#endif
