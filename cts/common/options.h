/* SPDX-License-Identifier: MIT */
/*
 * What the command lines of our test programs have in common.
 */
#ifndef CTS_OPTIONS_H
#define CTS_OPTIONS_H

#include "error.h"

#include <stdbool.h>

/* Seconds, more than 0 and at most ten days; @option is for the error. */
bool option_seconds(const char *option, const char *text, double *out, struct error *err);

/*
 * What getopt_long() returned ':' or '?' for, with opterr 0 and ':' first in its short
 * options. Returns false.
 */
bool option_refuse(int code, char **argv, struct error *err);

#endif
