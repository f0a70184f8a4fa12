/* SPDX-License-Identifier: MIT */
/*
 * Mutants: programs with one ordering less, in which the outcome that was forbidden is allowed.
 * Whether a run sees it there says what it would have seen of such a mistake in the device. The
 * idea is MC Mutants' (Levine, Guo, Cho, Baker, Levien, Neto, Quinn, Sorensen, ASPLOS 2023).
 */
#ifndef CTS_LITMUS_MUTATE_H
#define CTS_LITMUS_MUTATE_H

#include "litmus.h"
#include "model.h"

/*
 * SWAP: two neighbouring accesses of one thread change places. WEAKEN: one thread's orders
 * become relaxed and its fences go. SPLIT: a read-modify-write becomes a load and a store.
 */
enum mutation { MUTATION_SWAP, MUTATION_WEAKEN, MUTATION_SPLIT, MUTATION_COUNT };

extern const char *const mutation_words[MUTATION_COUNT];

struct mutant {
	enum mutation mutation;
	unsigned thread;
	struct program program;
	bool killable_x86; /* x86-TSO reaches the outcome with the instructions it compiles to */
};

/*
 * The mutants of @program, in which @condition is forbidden, that are free of races and allow it.
 * Plain accesses are relaxed ones in a mutant, which would else race. At most @room.
 */
size_t mutants_of(const struct program *program, const struct condition *condition,
		  enum total_order total, struct mutant *out, size_t room);

#endif
