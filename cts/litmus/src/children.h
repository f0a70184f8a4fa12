/* SPDX-License-Identifier: MIT */
/*
 * Several tests, each in a process of its own: what a driver does to one of them is not done to
 * the rest.
 */
#ifndef CTS_LITMUS_CHILDREN_H
#define CTS_LITMUS_CHILDREN_H

#include "error.h"
#include "litmus.h"

#include <jansson.h>

/*
 * What runs in the child: writes a document to @out and returns the child's exit status. This
 * process must not have used OpenCL before: drivers do not survive fork().
 */
typedef enum exit_code child_work(const struct test *test, FILE *out, void *context);

/*
 * Run @work on @test in a child; returns its document, or one with verdict "fail" and the reason
 * where it crashed or ran longer than @limit seconds. NULL with @err where nothing could be run,
 * by the child's exit status.
 */
json_t *child_run(const struct test *test, double limit, child_work *work, void *context,
		  struct error *err);

#endif
