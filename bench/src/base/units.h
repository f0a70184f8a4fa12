/* SPDX-License-Identifier: MIT */
/*
 * Numbers for people: four digits and an SI prefix.
 */
#ifndef BENCH_UNITS_H
#define BENCH_UNITS_H

#include <stddef.h>

/* @unit is a schema unit: "op/s", "1/s", "ns", "s", "ratio" or "share". NAN becomes "-". */
void format_value(char *out, size_t size, double value, const char *unit);

#endif
