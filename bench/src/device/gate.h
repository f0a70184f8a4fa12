/* SPDX-License-Identifier: MIT */
/*
 * Find out how a kernel on this device can wait for the host while it runs.
 */
#ifndef BENCH_GATE_H
#define BENCH_GATE_H

#include "device.h"

/*
 * Set dev->gate, dev->gate_spins_per_s and CAP_GATE. Needs an open device.
 * Fails only when the device is lost; a device without a gate is no failure.
 */
bool gate_probe(struct device *dev, struct error *err);

/* How many looks at the gate last about @seconds on this device. */
uint64_t gate_limit(const struct device *dev, double seconds);

#endif
