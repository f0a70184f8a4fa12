/* SPDX-License-Identifier: MIT */
/*
 * The words that the workers of a contention point meet on: where they lie, which
 * worker uses which, what they start as, and whether they ended as they must.
 */
#ifndef BENCH_FIELD_H
#define BENCH_FIELD_H

#include "axes.h"
#include "device.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a worker, on either side, leaves behind; kernels/contend.cl has the same. */
struct outcome {
	uint64_t attempts;   /* steps: atomic instructions issued */
	uint64_t ops;	     /* those that took effect */
	uint64_t violations; /* returned values no correct execution can return */
	uint64_t acc;	     /* bits of what the worker holds or accumulated */
};

struct field {
	enum op op;
	enum type type;
	bool random;
	uint32_t workers; /* CPU threads first, then work-items */
	uint32_t stride;  /* worker w uses word (w % modulo) * stride */
	uint32_t modulo;
	uint32_t words; /* allocated */
	uint32_t stream_mask;
	struct memory memory; /* the words */
	struct memory guards; /* op=flag: plain data that the flags protect */
	struct memory stream; /* layout=random: the order of words; else one entry */
};

/*
 * Lay out the words of @point for @workers in memory of @kind. @line_bytes is
 * the machine's cache line.
 */
bool field_create(struct field *field, struct device *dev, enum memory_kind kind,
		  const struct point *point, uint32_t workers, uint32_t line_bytes, uint64_t seed,
		  struct error *err);
void field_destroy(struct field *field, struct device *dev);

/* Put the words back to what they start a leg as. */
void field_reset(struct field *field);

/* How many steps a worker may take before the invariant could no longer be checked. */
uint64_t field_step_limit(const struct field *field);

/*
 * Check the operation's invariant after a leg; @outcomes has one entry per
 * worker, all zero for those that sat it out. False: @why says what is wrong.
 */
bool field_verify(const struct field *field, const struct outcome *outcomes, char *why,
		  size_t size);

#endif
