/* SPDX-License-Identifier: MIT */
/*
 * What a session showed, as JSON; and JSON of sessions as tables for people.
 */
#ifndef CTS_LITMUS_REPORT_H
#define CTS_LITMUS_REPORT_H

#include "session.h"

#include <jansson.h>
#include <stdio.h>

/* A verdict of the protocol that our test programs share. */
enum result { RESULT_PASS, RESULT_FAIL, RESULT_NOT_APPLICABLE, RESULT_PARTIAL, RESULT_COUNT };
extern const char *const result_words[RESULT_COUNT];

enum result session_result(const struct session *session, char *reason, size_t size);

/* One test; NULL where memory runs out. */
json_t *session_json(const struct session *session, double seconds);

/* The device and what of it matters here. */
json_t *engine_json(const struct engine *engine);

/* Sums over the objects of session_json() in @tests. */
json_t *score_json(const json_t *tests);

/* A row for each test, then failures with how to reproduce them, then the score. */
bool report_tests(const json_t *document, FILE *out, struct error *err);

/* Everything of one test: each cell with its histogram, each mutant. */
bool report_details(const json_t *test, FILE *out, struct error *err);

#endif
