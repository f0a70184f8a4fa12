/* SPDX-License-Identifier: MIT */
/*
 * The memory model a second time, for comparison with model.c: values are guessed first and
 * events follow; axioms are equations of relations; and instead of looking for an order S, its
 * constraints must have no cycle (Batty, Donaldson, Wickerson, POPL 2016, section 3).
 */
#ifndef CTS_LITMUS_REFERENCE_H
#define CTS_LITMUS_REFERENCE_H

#include "model.h"

/* The same judgement, without which race it was and without counts. */
void reference_judge(const struct program *program, enum total_order total, struct judgement *out);

#endif
