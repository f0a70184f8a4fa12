/* SPDX-License-Identifier: MIT */
/*
 * One error, one line: what went wrong, what to do about it, and the exit code
 * it leads to. Functions that can fail return bool and fill a struct error;
 * only main() prints it.
 */
#ifndef BENCH_ERROR_H
#define BENCH_ERROR_H

#include <stdbool.h>

/*
 * Exit codes, documented in svmatomic-bench(1). 0 to 2 are verdicts of
 * `compare`; 64 and up follow sysexits.h(3head).
 */
enum exit_code {
	EXIT_OK = 0,
	EXIT_SLOWER = 1,	 /* compare: at least one point is slower */
	EXIT_AMBIGUOUS = 2,	 /* compare: nothing slower, something undecided */
	EXIT_LOST_UPDATE = 3,	 /* an invariant broke: the memory or the device is wrong */
	EXIT_SELF_CHECK = 4,	 /* run --self-check outside its tolerance */
	EXIT_USAGE_ERROR = 64,	 /* bad option, axis, value or device index */
	EXIT_BAD_DATA = 65,	 /* a file that is not a result of ours */
	EXIT_NO_INPUT = 66,	 /* a file that cannot be read */
	EXIT_UNAVAILABLE = 69,	 /* no platform, no device, capability missing */
	EXIT_INTERNAL = 70,	 /* a bug in svmatomic-bench */
	EXIT_NO_MEMORY = 71,	 /* host or device memory */
	EXIT_CANNOT_CREATE = 73, /* an output file cannot be created */
	EXIT_OUTPUT = 74,	 /* an output file cannot be written, disk full */
	EXIT_DEVICE_LOST = 75,	 /* the device failed or stopped answering in mid-run */
	EXIT_INTERRUPTED = 130,	 /* Ctrl-C; what was measured is kept, marked partial */
};

struct error {
	enum exit_code code;
	char text[480];
};

/*
 * Fill @err and return false, so that `return fail(err, …)` reads well. The
 * first failure wins: a later one is most often its consequence. @err may be
 * NULL where the caller has no use for the reason.
 */
bool fail(struct error *err, enum exit_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
