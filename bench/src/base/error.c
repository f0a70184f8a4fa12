/* SPDX-License-Identifier: MIT */
/*
 * Filling a struct error: the first failure wins, and it fits on one line.
 */
#include "error.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

bool fail(struct error *err, enum exit_code code, const char *format, ...)
{
	va_list args;

	if (!err || err->code != EXIT_OK)
		return false;

	err->code = code;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);

	/* Names come from files and drivers; a newline or an escape must not reach the terminal. */
	for (char *c = err->text; *c; c++) {
		if (iscntrl((unsigned char)*c))
			*c = ' ';
	}
	return false;
}
