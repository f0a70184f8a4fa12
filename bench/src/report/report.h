/* SPDX-License-Identifier: MIT */
/*
 * The report: one self-contained HTML page about one or several results.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Write the page about @results to @path; @names (their files, say) tell them
 * apart. EXIT_UNAVAILABLE where gnuplot is missing.
 */
bool report_write(const char *path, json_t *const *results, const char *const *names, size_t count,
		  struct error *err);

/*
 * Print what speaks for each device of @results, side by side, as a table to @out. Nothing
 * where there is only one device.
 */
bool report_print(json_t *const *results, const char *const *names, size_t count, FILE *out,
		  struct error *err);

#endif
