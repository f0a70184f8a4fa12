/* SPDX-License-Identifier: MIT */
/*
 * Running plans on devices and collecting the result document.
 */
#ifndef BENCH_RUNNER_H
#define BENCH_RUNNER_H

#include "plan.h"
#include "topology.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct run_options {
	struct request request;
	struct effort effort; /* the profile's, with the user's changes */
	unsigned device;      /* index, or RUN_ALL_DEVICES */
	uint64_t seed;
	double timeout_s;
	bool allow_unclaimed;
	bool no_gate;
	bool broken;
	bool self_check;
	bool quiet;
};
#define RUN_ALL_DEVICES UINT_MAX

/*
 * Measure everything asked for. *@result is always a valid document, partial
 * where the run was cut short; the caller's. The exit code says how it went;
 * @err has the line to print unless it is EXIT_OK.
 */
enum exit_code run_measure(const struct run_options *options, json_t **result, struct error *err);

/* A capability object per capability, as in the schema. */
json_t *run_capabilities(const struct device *dev);

/* A schema "device" object. */
json_t *run_device_json(const struct device *dev, const struct topology *topology);

#endif
