/* SPDX-License-Identifier: MIT */
/*
 * A result as aligned tables on a terminal or in a pipe.
 */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include "error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Everything in @result: tables per workload, notes, where it ran. */
bool table_print(const json_t *result, FILE *out, struct error *err);

#endif
