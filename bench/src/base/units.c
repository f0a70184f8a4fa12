/* SPDX-License-Identifier: MIT */
/*
 * Numbers for people.
 */
#include "units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void format_value(char *out, size_t size, double value, const char *unit)
{
	static const struct {
		const char *unit;
		double least;
		double scale;
		const char *shown;
	} scales[] = {
		{ "op/s", 1e9, 1e-9, " Gop/s" },
		{ "op/s", 1e6, 1e-6, " Mop/s" },
		{ "op/s", 1e3, 1e-3, " kop/s" },
		{ "1/s", 1e6, 1e-6, " M/s" },
		{ "1/s", 1e3, 1e-3, " k/s" },
		{ "1/s", 0, 1, " /s" },
		{ "s", 1, 1, " s" },
		{ "s", 1e-3, 1e3, " ms" },
		{ "s", 0, 1e6, " us" },
		{ "ns", 1e9, 1e-9, " s" },
		{ "ns", 1e6, 1e-6, " ms" },
		{ "ns", 1e4, 1e-3, " us" },
		{ "ratio", 0, 1, "" },
		{ "share", 0, 1, "" },
	};

	if (isnan(value)) {
		snprintf(out, size, "-");
		return;
	}
	for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
		if (!strcmp(unit, scales[i].unit) && value >= scales[i].least) {
			snprintf(out, size, "%.4g%s", value * scales[i].scale, scales[i].shown);
			return;
		}
	}
	snprintf(out, size, "%.4g %s", value, unit);
}
