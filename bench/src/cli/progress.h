/* SPDX-License-Identifier: MIT */
/*
 * Progress on stderr: one line that rewrites itself on a terminal, plain lines
 * elsewhere.
 */
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	bool quiet;
	bool terminal;
	size_t total;
	uint64_t started_ns;
};

void progress_begin(struct progress *progress, size_t total, bool quiet);

/* Point @index (from 0) is about to be measured. */
void progress_point(const struct progress *progress, size_t index, const char *label);

void progress_end(const struct progress *progress);

#endif
