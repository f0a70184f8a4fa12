/* SPDX-License-Identifier: MIT */
/*
 * The tests that the program carries inside itself, and those of the user's files.
 */
#ifndef CTS_LITMUS_LIBRARY_H
#define CTS_LITMUS_LIBRARY_H

#include "error.h"
#include "litmus.h"

/* Zero-initialise; free with library_clear(). */
struct library {
	struct test *test;
	size_t count;
};

/* All tests of the program. */
bool library_fill(struct library *library, struct error *err);

/* One more, from a file. */
bool library_add_file(struct library *library, const char *path, struct error *err);

const struct test *library_find(const struct library *library, const char *name);
void library_clear(struct library *library);

/* A name on the command line that is a file's. */
bool is_file_name(const char *name);

#endif
