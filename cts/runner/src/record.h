/* SPDX-License-Identifier: MIT */
/*
 * The result of a run as a JSON document: kept while it runs, resumed from, compared. Its
 * contract is schema/cts-result.schema.json.
 */
#ifndef CTS_RECORD_H
#define CTS_RECORD_H

#include "error.h"
#include "verdict.h"

#include <jansson.h>

#define RECORD_SCHEMA "svmatomic-cts/1"

/* A run on @device (an object of `svmatomic-cts devices --json`) that has no results yet. */
json_t *record_new(json_t *device);

/*
 * Read one. EXIT_NO_INPUT where the file cannot be read, EXIT_BAD_DATA where it is not such a
 * result. The caller's.
 */
json_t *record_load(const char *path, struct error *err);

/* Its result of test @name, or NULL. Borrowed. */
json_t *record_find(const json_t *record, const char *name);

/* Add a result, in place of an earlier one of the test. @output may be NULL. Borrowed. */
json_t *record_add(json_t *record, const char *name, const struct outcome *outcome, double seconds,
		   const char *output);

enum verdict record_verdict(const json_t *test);

/* Text of a member; "" where there is none. */
const char *record_text(const json_t *object, const char *member);

/* "test_svm" of a test's name: how long that is. */
size_t record_suite_length(const char *name);

#endif
