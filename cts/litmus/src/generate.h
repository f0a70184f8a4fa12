/* SPDX-License-Identifier: MIT */
/*
 * OpenCL C for the device's threads: one function with a case for each thing that some thread
 * of some program does, so that a test with all variants and mutants is compiled once.
 */
#ifndef CTS_LITMUS_GENERATE_H
#define CTS_LITMUS_GENERATE_H

#include "error.h"
#include "litmus.h"

/* Threads that differ. Zero-initialise; free with codes_clear(). */
struct codes {
	struct thread *at;
	size_t count;
	size_t room;
};

void codes_clear(struct codes *codes);

/* The number of @thread's case; -1 where there is none. */
int codes_find(const struct codes *codes, const struct thread *thread);

/* The same, and a new one if need be; -1 where memory runs out. */
int codes_number(struct codes *codes, const struct thread *thread);

/* The function perform() of @codes; the caller's. NULL where memory runs out. */
char *generate_perform(const struct codes *codes);

#endif
