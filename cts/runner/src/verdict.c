/* SPDX-License-Identifier: MIT */
/*
 * Names of verdicts.
 */
#include "verdict.h"

#include <string.h>

static const char *const names[VERDICT_COUNT] = {
	[VERDICT_PASS] = "pass",
	[VERDICT_PARTIAL] = "partial",
	[VERDICT_NOT_EXECUTED] = "not executed",
	[VERDICT_FAIL] = "fail",
	[VERDICT_TIMEOUT] = "timeout",
	[VERDICT_CRASH] = "crash",
	[VERDICT_ERROR] = "error",
};

const char *verdict_name(enum verdict verdict)
{
	return names[verdict];
}

static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a == '-' ? ' ' : *a) != *b)
			return false;
	return *a == *b;
}

enum verdict verdict_parse(const char *name)
{
	for (int i = 0; i < VERDICT_COUNT; i++)
		if (same_name(name, names[i]))
			return (enum verdict)i;
	return VERDICT_COUNT;
}
