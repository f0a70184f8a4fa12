/* SPDX-License-Identifier: MIT */
/*
 * The back end for vsvm, the kernel's virtual device with shared virtual memory,
 * through libsvmatomic.
 */
#ifndef BENCH_VSVM_H
#define BENCH_VSVM_H

#include "device.h"

/* Append every vsvm device to @list; where there is none, list->absent says why. */
bool vsvm_enumerate(struct device_list *list, struct error *err);

#endif
