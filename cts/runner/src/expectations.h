/* SPDX-License-Identifier: MIT */
/*
 * What is expected of an implementation: text files of facts, each for the devices that its
 * head describes.
 *
 *	# a comment
 *	platform: Portable Computing Language
 *	version: *PoCL 6.0*
 *
 *	not-executed  test_svm/svm_fine_grain_*     no memory_scope_all_devices
 *	fail|crash    test_c11_atomics/svm_atomic_* https://...
 *
 * Patterns are the shell's, in any case; of the lines that match a test the last one counts.
 * Tests that no line matches are expected to pass.
 */
#ifndef CTS_EXPECTATIONS_H
#define CTS_EXPECTATIONS_H

#include "error.h"
#include "verdict.h"

#include <jansson.h>
#include <stdio.h>

struct expectation {
	unsigned verdicts; /* bits 1 << enum verdict: any of them */
	char *pattern;
	char *reason;
	char *where; /* "FILE:LINE" */
	bool used;   /* it matches a test there is */
};

struct expectations {
	struct expectation *at;
	size_t count;
	json_t *files;	     /* names of those that apply; empty: nothing is known of the device */
	unsigned broken;     /* lines that are not understood, and files that cannot be read */
	enum exit_code code; /* of the first of them */
};

/* How a verdict compares with what was expected. */
enum difference { DIFFERENCE_NONE, DIFFERENCE_BETTER, DIFFERENCE_WORSE };

void expectations_begin(struct expectations *all);

/*
 * Read a file, or all *.txt of a directory, and take what is for @device. What is broken is
 * said on @errors in a line each, counted, and left out.
 */
void expectations_read(struct expectations *all, const char *path, const json_t *device,
		       FILE *errors);
void expectations_clear(struct expectations *all);

/* The line that counts for test @name; NULL where none matches. */
struct expectation *expectations_find(const struct expectations *all, const char *name);

/*
 * Compare. @line may be NULL: then a pass is expected where anything is known of the device,
 * and no failure where nothing is.
 */
enum difference expectations_compare(const struct expectations *all, const struct expectation *line,
				     enum verdict verdict);

/* "fail or crash"; "no failure". */
void expectations_describe(const struct expectations *all, const struct expectation *line,
			   char *text, size_t size);

#endif
