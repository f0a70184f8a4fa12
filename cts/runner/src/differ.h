/* SPDX-License-Identifier: MIT */
/*
 * Two runs side by side: whose verdict changed, and what only one of them has.
 */
#ifndef CTS_DIFFER_H
#define CTS_DIFFER_H

#include "verdict.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/*
 * {"changes": [{"name", "a", "b", "change", "reason"}], "same": N}; "change" is "worse",
 * "better", "only in A", "only in B", or "fewer cases" where both passed and B executed
 * fewer. Sorted as A is. The caller's; NULL without memory.
 */
json_t *differ(const json_t *a, const json_t *b);

bool differ_print(FILE *out, const json_t *differences);

/* 0 no change, 1 something is worse, is gone, or has fewer cases, 2 changes without that. */
int differ_exit_code(const json_t *differences);

#endif
