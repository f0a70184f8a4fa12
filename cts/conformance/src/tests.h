/* SPDX-License-Identifier: MIT */
/*
 * Which tests there are.
 *
 * "API" in a test's section is the OpenCL API Specification 3.0, "C" the OpenCL C
 * Specification 3.0; both are quoted from revision 3.0.19 of 10 July 2025.
 */
#ifndef CONFORMANCE_TESTS_H
#define CONFORMANCE_TESTS_H

#include "trial.h"

/* Each ends with a test without a name. */
extern const struct test query_tests[];
extern const struct test alloc_tests[];
extern const struct test argument_tests[];
extern const struct test copy_tests[];
extern const struct test fill_tests[];
extern const struct test map_tests[];
extern const struct test migrate_tests[];
extern const struct test free_tests[];
extern const struct test command_tests[];
extern const struct test buffer_tests[];
extern const struct test no_svm_tests[];
extern const struct test structure_tests[];
extern const struct test system_tests[];
extern const struct test visibility_tests[];
extern const struct test atomic_tests[];

size_t tests_count(void);

/* The test of that index, in the order of the tables above; NULL past the end. */
const struct test *tests_at(size_t index);

/* NULL where there is none. */
const struct test *tests_find(const char *name);

#endif
