/* SPDX-License-Identifier: MIT */
/*
 * Counting instructions, for bench.c and library.c: under QEMU's -icount shift=0 the time
 * stamp counter counts them.
 */
#ifndef COUNTER_H
#define COUNTER_H

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <x86intrin.h>

static uint64_t counter_cost;

static inline void __attribute__((format(printf, 1, 2), noreturn)) die(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

static inline uint64_t counted_since(uint64_t began)
{
	return __rdtsc() - began - counter_cost;
}

/* Without -icount the counter counts time, and every figure would be nonsense. */
static inline void check_counter(void)
{
	uint64_t rounds = 1000000, began, counted;

	counter_cost = UINT64_MAX;
	for (int i = 0; i < 16; i++) {
		uint64_t first = __rdtsc(), cost = __rdtsc() - first;

		if (cost < counter_cost)
			counter_cost = cost;
	}

	began = __rdtsc();
	__asm__ volatile("1: dec %0; jnz 1b" : "+r"(rounds)::"cc");
	counted = counted_since(began);
	if (counted < 2000000 || counted > 2050000)
		die("2000000 instructions count as %" PRIu64 "; boot with -icount shift=0",
		    counted);
}

#endif
