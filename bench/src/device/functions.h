/* SPDX-License-Identifier: MIT */
/*
 * What a device without a compiler runs in place of kernels: the same work as C
 * functions. They make no system call and allocate nothing.
 */
#ifndef BENCH_FUNCTIONS_H
#define BENCH_FUNCTIONS_H

#include "device.h"

#include <stddef.h>
#include <stdint.h>

/* An argument, in the order in which kernels/<workload>.cl has them. */
union value {
	void *memory;
	uint64_t number;
};

/* The work of work-item @item. */
typedef void device_function(const struct task *task, const union value *args, uint32_t item);

/* NULL where there is none. */
device_function *function_for(const struct task *task);

#endif
