/* SPDX-License-Identifier: MIT */
/*
 * Two results side by side: which of B's measures are better or worse than A's,
 * and by how much. What does not decide is said to be ambiguous, and what
 * cannot be compared is listed.
 */
#ifndef BENCH_COMPARE_H
#define BENCH_COMPARE_H

#include "error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/*
 * With fewer samples on each side even complete separation is chance more often
 * than one time in 20 (2 in C(2n, n)): such a measure is ambiguous.
 */
#define COMPARE_MIN_SAMPLES 4

/*
 * Compare results @a and @b, both from result_load(). Points pair up by
 * workload, name of the device and axes, and in them every measure of which one
 * direction is better. The verdict is "faster" or "slower" (that is: better or
 * worse) where the whole 95% interval of median(b) / median(a) is beyond
 * 1 +- @threshold, "same" where it is within, else "ambiguous".
 *
 * A point that lost updates in B counts as slower; one measured in A but not, or
 * not reliably, in B as ambiguous. EXIT_BAD_DATA where there is nothing to
 * compare. The caller's:
 *
 *   { "threshold": 0.05, "notes": ["kernels differ: ..."],
 *     "measures": [{ "point", "workload", "device", "axes", "measure", "unit",
 *                    "better", "a", "b", "ratio", "low", "high", "delta",
 *                    "verdict" }],
 *     "others": [{ "point", "workload", "device", "axes", "what", "verdict" }],
 *     "summary": { "faster": 0, "slower": 1, "same": 7, "ambiguous": 2 } }
 *
 * An infinite ratio is null; "verdict" is null for others that do not count.
 */
json_t *compare_json(const json_t *a, const json_t *b, double threshold, struct error *err);

/* The comparison as a table, then what was not compared, notes, one line of summary. */
bool compare_print(const json_t *comparison, FILE *out, struct error *err);

/* EXIT_SLOWER if anything is slower, else EXIT_AMBIGUOUS if anything is, else EXIT_OK. */
enum exit_code compare_exit_code(const json_t *comparison);

#endif
