/* SPDX-License-Identifier: MIT */
/*
 * The kernels' text, embedded when the program is built (embed.sh).
 */
#ifndef BENCH_KERNEL_SOURCES_H
#define BENCH_KERNEL_SOURCES_H

struct kernel_source {
	const char *name; /* file name without its ending; NULL ends the list */
	const char *text;
};

extern const struct kernel_source kernel_sources[];

#endif
