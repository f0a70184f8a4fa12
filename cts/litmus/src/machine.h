/* SPDX-License-Identifier: MIT */
/*
 * What an x86 can do: an operational machine that runs a program in every way. It says which
 * mutants can be killed where device and host are x86; it knows nothing of the axioms.
 */
#ifndef CTS_LITMUS_MACHINE_H
#define CTS_LITMUS_MACHINE_H

#include "litmus.h"

/*
 * SC: one instruction of one thread after the other, straight to memory. TSO: x86-TSO (Sewell,
 * Sarkar, Owens, Zappa Nardelli, Myreen, CACM 53(7), 2010): stores go through a buffer of the
 * thread; what is compiled to a locked instruction or MFENCE, which is every read-modify-write,
 * seq_cst store and seq_cst fence, drains it.
 */
enum machine { MACHINE_SC, MACHINE_TSO };

/* Calls @found with the outcome of each way to run @program, many times with the same. */
void machine_run(const struct program *program, enum machine machine,
		 void (*found)(outcome_t outcome, void *context), void *context);

/* Whether some way ends in @condition. */
bool machine_reaches(const struct program *program, enum machine machine,
		     const struct condition *condition);

#endif
