/* SPDX-License-Identifier: MIT */
/*
 * One run: which tests, each of them in the pool, its verdict into the record.
 */
#ifndef CTS_CAMPAIGN_H
#define CTS_CAMPAIGN_H

#include "cts_commands.h"
#include "expectations.h"
#include "progress.h"

#include <jansson.h>

struct campaign_options {
	struct selection selection;
	unsigned jobs;
	double timeout_s;
	const char *json; /* result files, or NULL */
	const char *tap;
	const char *junit;
	const char *logs;		 /* a directory for what each test writes, or NULL */
	const char *const *expectations; /* files and directories, NULL-terminated */
	bool resume;
	bool verbose;
	bool quiet;
};

/*
 * Run it and write what was asked for. The exit status: 0 all as expected, EXIT_WORSE,
 * EXIT_CHANGE, or an error's, of which @err has the line unless it was said in passing.
 */
int campaign_run(struct campaign_options *options, struct error *err);

#endif
