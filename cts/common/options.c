/* SPDX-License-Identifier: MIT */
/*
 * What the command lines of our test programs have in common.
 */
#include "options.h"

#include <getopt.h>
#include <stdlib.h>

#define MOST_SECONDS 864000.0

bool option_seconds(const char *option, const char *text, double *out, struct error *err)
{
	char *end;

	*out = strtod(text, &end);
	/* Written so that what is not a number is refused as well. */
	if (end == text || *end || !(*out > 0 && *out <= MOST_SECONDS))
		return fail(err, EXIT_USAGE_ERROR,
			    "%s wants seconds, more than 0 and at most %.0f, not '%s'", option,
			    MOST_SECONDS, text);
	return true;
}

bool option_refuse(int code, char **argv, struct error *err)
{
	return fail(err, EXIT_USAGE_ERROR,
		    code == ':' ? "%s wants a value; see --help"
				: "there is no option '%s'; see --help",
		    argv[optind - 1]);
}
