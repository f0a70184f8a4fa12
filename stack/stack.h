/* SPDX-License-Identifier: MIT */
/*
 * What the programs here have in common: an OpenCL device that is vsvm, and a look behind it.
 * Whatever is wrong ends a program with a line and status 1; 77 is that there is no such device.
 */
#ifndef STACK_H
#define STACK_H

#include "cl.h"

#include <stdatomic.h>
#include <svmatomic.h>
#include <sys/types.h>

#define PAGE 4096u

_Noreturn void broken(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define CHECK(condition, ...)                                                                      \
	do {                                                                                       \
		if (!(condition))                                                                  \
			broken(__VA_ARGS__);                                                       \
	} while (0)

/* A call of OpenCL that has to work. */
void must(cl_int code, const char *call);

/* The device, opened; the same for all. */
const struct cts_device *vsvm(void);

/* Another queue on it: one on which a kernel failed is no longer of use. */
cl_command_queue new_queue(void);

/* Fine-grained memory for atomics, filled with 0. */
void *shared(size_t size);

/* Kernel @name of @source. */
cl_kernel kernel(const char *source, const char *name);

/* One whose items each add 1 to the word at @word, @times times. */
cl_kernel adding(const void *word, cl_uint times);

void set_pointer(cl_kernel kernel, cl_uint index, const void *pointer);
void set_uint(cl_kernel kernel, cl_uint index, cl_uint value);

/* Begin to run it; the event is the caller's. */
cl_event launch(cl_command_queue queue, cl_kernel kernel, size_t items, size_t group);

/* What became of it, within a minute: CL_COMPLETE or an error. Releases the event. */
cl_int ended(cl_event event);

/* Both, on a queue of its own; it has to work. */
void run(cl_kernel kernel, size_t items, size_t group);

/* The library's view of the file that the driver has open and bound for this process. */
struct svma_device *behind(void);

/* The process that is the device, or 0. */
pid_t engine_pid(void);

/* Microseconds of a clock that nobody sets; they begin anew every 71 minutes. */
unsigned now_us(void);

/* A number up to @bound, of a sequence that is the same each time. */
unsigned random_below(unsigned bound);

#endif
