/* SPDX-License-Identifier: MIT */
/*
 * From a .litmus file to a struct test. docs/litmus.md has the grammar.
 */
#ifndef CTS_LITMUS_PARSE_H
#define CTS_LITMUS_PARSE_H

#include "error.h"
#include "litmus.h"

/* @name is what errors call the text: "NAME:LINE: what, remedy", EXIT_BAD_DATA. */
bool parse_text(const char *name, const char *text, struct test *out, struct error *err);

/* EXIT_NO_INPUT where it cannot be read. */
bool parse_file(const char *path, struct test *out, struct error *err);

#endif
