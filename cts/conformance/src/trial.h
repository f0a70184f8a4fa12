/* SPDX-License-Identifier: MIT */
/*
 * What a conformance test is, how it comes to its verdict, and what tests have in common.
 *
 * A test has a process to itself, which ends with the verdict: a check that fails prints it
 * and does not return, and what a test has allocated goes with the process. A test frees
 * only what it is about.
 */
#ifndef CONFORMANCE_TRIAL_H
#define CONFORMANCE_TRIAL_H

#include "cl.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a device has to claim for a test to be about it. */
enum need {
	NEED_SVM = 1 << 0,	/* any kind of SVM */
	NEED_BUFFER = 1 << 1,	/* clSVMAlloc() */
	NEED_FINE = 1 << 2,	/* CL_DEVICE_SVM_FINE_GRAIN_BUFFER */
	NEED_SYSTEM = 1 << 3,	/* CL_DEVICE_SVM_FINE_GRAIN_SYSTEM */
	NEED_ATOMICS = 1 << 4,	/* CL_DEVICE_SVM_ATOMICS, and fine-grained memory for it */
	NEED_INT64 = 1 << 5,	/* the cl_khr_int64 atomics */
	NEED_COMPILER = 1 << 6, /* kernels */
	NEED_ACQ_REL = 1 << 7,	/* acquire and release orders */
	NEED_NO_SVM = 1 << 8,	/* none of it: how it says so */
	NEED_NO_SYSTEM = 1 << 9,
	NEED_CL30 = 1 << 10, /* OpenCL 3.0 */
};

struct trial;

struct test {
	const char *name;    /* AREA.WHAT */
	const char *section; /* where the rule stands */
	const char *rule;    /* the rule in a few words, quoted where it is short */
	unsigned needs;
	void (*run)(struct trial *t);
	unsigned variant; /* for one function that is several tests */
};

struct trial {
	struct cts_device dev;
	const struct test *test;
	double seconds;	    /* for how long to try what may or may not happen */
	double limit;	    /* when a command counts as hanging */
	char left_out[700]; /* why it is partial */
};

/* --- verdicts ---------------------------------------------------------------- */

_Noreturn void fail_test(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void not_applicable(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Part of the test does not apply, or did not come about: "partial" if the rest passes. */
void left_out(struct trial *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Run the test and end the process with its verdict, whatever happens. */
_Noreturn void run_trial(struct trial *t);

/* The rest fails the test where @condition does not hold. */
#define CHECK(condition, ...)                                                                      \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_test(__VA_ARGS__);                                                    \
	} while (0)

/* @call has to return @wanted; @what says what was asked for. */
void expect_code(cl_int code, cl_int wanted, const char *what);

/* A call that a test depends on has to work. */
void must(cl_int code, const char *call);

/* --- memory ------------------------------------------------------------------ */

/* clSVMAlloc() that has to work, with the default alignment. */
void *svm_alloc(struct trial *t, cl_svm_mem_flags flags, size_t size);

/* The same, of the best kind that the device has and that is claimed: with atomics, fine, coarse.
 */
void *svm_best(struct trial *t, size_t size);

/* Flags for memory that host and device use at once: fine-grained with atomics. */
#define SVM_SHARED (CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER | CL_MEM_SVM_ATOMICS)

/* Copy to and from SVM of any kind, with mapping and unmapping. */
void put(struct trial *t, void *svm, const void *from, size_t size);
void get(struct trial *t, void *to, void *svm, size_t size);

/* The same for filling, and for the first byte that is not @byte (@size where there is none). */
void put_bytes(struct trial *t, void *svm, int byte, size_t size);
size_t differs_from(struct trial *t, void *svm, int byte, size_t size);

/* Bytes of address space that this process uses. */
size_t address_space(void);

/* --- kernels and commands ----------------------------------------------------- */

/* The sources in kernels/, embedded. */
extern const char gate_cl[];
extern const char simple_cl[];
extern const char atomics_cl[];
extern const char structures_cl[];
extern const char visibility_cl[];

/* Kernel @name of @source, with gate.cl ahead of it. */
cl_kernel build(struct trial *t, const char *source, const char *name, const char *options);

/* A kernel of simple.cl. */
cl_kernel simple(struct trial *t, const char *name);

void set_svm(cl_kernel kernel, cl_uint index, const void *pointer);
void set_uint(cl_kernel kernel, cl_uint index, cl_uint value);
void set_ulong(cl_kernel kernel, cl_uint index, cl_ulong value);

/* Have the kernel know of SVM that is not an argument of it. */
void set_pointers(cl_kernel kernel, void *const *pointers, size_t count);

/* Enqueue, flush; the event is the caller's. */
cl_event start_kernel(struct trial *t, cl_kernel kernel, size_t global, size_t local);

/* Wait for @event, at most for the time limit; it must not have failed. */
void finish(struct trial *t, cl_event event);

/* Both of these. */
void run_kernel(struct trial *t, cl_kernel kernel, size_t global, size_t local);

cl_int event_status(cl_event event);

/* An event that only set_event() ends, which passes on @status. */
cl_event user_event(cl_context context);
void set_event(cl_event event, cl_int status);

/* Wait until @event has a status other than queued, submitted or running; that status. */
cl_int final_status(struct trial *t, cl_event event);

/* A second context with the same device. */
cl_context other_context(struct trial *t);

/*
 * The scope that has host threads in it, as a kernel names it. Where the device claims the
 * scope but its compiler has no name for it, the widest that it has, and the test is partial.
 */
const char *host_scope(struct trial *t);

/* Yield for @seconds. */
void doze(double seconds);

#endif
