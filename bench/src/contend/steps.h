/* SPDX-License-Identifier: MIT */
/*
 * What one contention step does, written once for both sides: C includes this
 * file, and the OpenCL build puts it in front of kernels/contend.cl. Hence
 * macros only, over names that each side defines:
 *
 *   TYPE, TYPE_MAX, BITS       the operand; IS_FLOATING 1 for float and double, else 0
 *   UTYPE                      its unsigned sister, where shifts are defined
 *   FETCH_ADD(p, v) … STORE    the atomic instructions, with their order
 *   TRY_ADD(p, &guess, delta)  one strong compare-exchange
 *   TAKE_FLAG(p), CLEAR_FLAG   test-and-set (true: taken), clear
 *
 * and over the worker's locals:
 *
 *   p           the word             i           steps so far
 *   me          the worker's number  ops         steps that took effect
 *   acc         what it accumulates  violations  impossible values returned
 *   fresh       compare_exchange: reload before the next guess
 *   guard       flag: plain data that the flag protects
 *   steady      the word never changes from step to step
 *
 * Every step leaves an invariant behind that verify.c checks over all workers.
 */
#ifndef BENCH_STEPS_H
#define BENCH_STEPS_H

/*
 * A float counts exactly for ever if it goes up 1024 times and down 1024 times:
 * |sum| stays at most 1024 x workers, under 2^24 for 16384 of them.
 */
#define DELTA_PERIOD_SHIFT 10
#define DELTA(n)	   (IS_FLOATING && ((n) >> DELTA_PERIOD_SHIFT) & 1 ? (TYPE)-1 : (TYPE)1)

/* Bits are set (or cleared) one after another, slowly, so that losses show. */
#define MASK_PERIOD_SHIFT  10
#define MASK(n, who)	   ((TYPE)((UTYPE)1 << ((((n) >> MASK_PERIOD_SHIFT) + (who)) % BITS)))

/* A different operand every time, so that a lost exclusive-or cannot cancel out. */
#define SCRAMBLE(n, who)   ((TYPE)(((n) + 1) * 0x9E3779B97F4A7C15u + (who)))

/* Words start at this value in a load-only leg, and keep it. */
#define LOAD_PATTERN	   42

#define STEP_fetch_add	   (void)FETCH_ADD(p, DELTA(i)), ops++
#define STEP_fetch_sub	   (void)FETCH_SUB(p, DELTA(i)), ops++

/* Tokens are swapped around: none may be lost or seen twice. */
#define STEP_exchange	   acc = EXCHANGE(p, acc), ops++

#define STEP_compare_exchange                                                                      \
	do {                                                                                       \
		if (fresh)                                                                         \
			acc = LOAD_RELAXED(p);                                                     \
		fresh = TRY_ADD(p, &acc, DELTA(ops));                                              \
		ops += fresh;                                                                      \
	} while (0)

/* The old value can never be on the wrong side of what this worker put there. */
#define STEP_fetch_max                                                                             \
	do {                                                                                       \
		const TYPE old = FETCH_MAX(p, (TYPE)(i + 1));                                      \
		violations += steady && old < acc;                                                 \
		acc = (TYPE)(i + 1);                                                               \
		ops++;                                                                             \
	} while (0)
#define STEP_fetch_min                                                                             \
	do {                                                                                       \
		const TYPE old = FETCH_MIN(p, (TYPE)(TYPE_MAX - (TYPE)(i + 1)));                   \
		violations += steady && old > (TYPE)(TYPE_MAX - acc);                              \
		acc = (TYPE)(i + 1);                                                               \
		ops++;                                                                             \
	} while (0)

/* Bits this worker has set (cleared) stay so. */
#define STEP_fetch_or                                                                              \
	do {                                                                                       \
		const TYPE mask = MASK(i, me);                                                     \
		const TYPE old = FETCH_OR(p, mask);                                                \
		violations += steady && (old & acc) != acc;                                        \
		acc |= mask;                                                                       \
		ops++;                                                                             \
	} while (0)
#define STEP_fetch_and                                                                             \
	do {                                                                                       \
		const TYPE mask = MASK(i, me);                                                     \
		const TYPE old = FETCH_AND(p, (TYPE)~mask);                                        \
		violations += steady && (old & acc) != 0;                                          \
		acc |= mask;                                                                       \
		ops++;                                                                             \
	} while (0)

#define STEP_fetch_xor                                                                             \
	do {                                                                                       \
		const TYPE operand = SCRAMBLE(i, me);                                              \
		(void)FETCH_XOR(p, operand);                                                       \
		acc ^= operand;                                                                    \
		ops++;                                                                             \
	} while (0)

#define STEP_load  violations += LOAD(p) != (TYPE)LOAD_PATTERN, ops++
#define STEP_store STORE(p, (TYPE)(me + 1)), ops++

/* One attempt, never a spin: work-items in lockstep could wait for each other. */
#define STEP_flag                                                                                  \
	do {                                                                                       \
		if (TAKE_FLAG(p)) {                                                                \
			*guard += 1;                                                               \
			ops++;                                                                     \
			CLEAR_FLAG(p);                                                             \
		}                                                                                  \
	} while (0)

/*
 * compare_exchange moves on to its next word when it succeeded, the rest
 * always; the verifier walks the same path.
 */
#define POSITION_fetch_add	  i
#define POSITION_fetch_sub	  i
#define POSITION_exchange	  i
#define POSITION_compare_exchange ops
#define POSITION_fetch_min	  i
#define POSITION_fetch_max	  i
#define POSITION_fetch_and	  i
#define POSITION_fetch_or	  i
#define POSITION_fetch_xor	  i
#define POSITION_load		  i
#define POSITION_store		  i
#define POSITION_flag		  i

/* What acc starts as: nothing, or the token a worker brings along. */
#define INITIAL_fetch_add	  (TYPE)0
#define INITIAL_fetch_sub	  (TYPE)0
#define INITIAL_exchange	  (TYPE)(me + 1)
#define INITIAL_compare_exchange  (TYPE)0
#define INITIAL_fetch_min	  (TYPE)0
#define INITIAL_fetch_max	  (TYPE)0
#define INITIAL_fetch_and	  (TYPE)0
#define INITIAL_fetch_or	  (TYPE)0
#define INITIAL_fetch_xor	  (TYPE)0
#define INITIAL_load		  (TYPE)0
#define INITIAL_store		  (TYPE)0
#define INITIAL_flag		  (TYPE)0

/* Where a worker's walk over the stream of random words begins. */
#define STREAM_START(who)	  ((who)*7919u)

#endif
