/* SPDX-License-Identifier: MIT */
/*
 * The result of a run for people and for other programs: a table, TAP, JUnit's XML, and lines
 * of expectations. Each prints a record whose tests have been compared with what is expected.
 */
#ifndef CTS_OUTPUTS_H
#define CTS_OUTPUTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Tests that did not plainly pass, or all where the record's "verbose" is true; counts. */
bool output_table(FILE *out, const json_t *record);
bool output_tap(FILE *out, const json_t *record);
bool output_junit(FILE *out, const json_t *record);

/* A file of expectations under which this record has no differences. */
bool output_expectations(FILE *out, const json_t *record);

#endif
