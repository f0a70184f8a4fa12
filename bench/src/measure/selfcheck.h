/* SPDX-License-Identifier: MIT */
/*
 * Does the harness get in its own way? `run --self-check` compares it with a
 * plain loop.
 */
#ifndef BENCH_SELFCHECK_H
#define BENCH_SELFCHECK_H

#include "workload.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * Append the checks to @result's "self_check". EXIT_SELF_CHECK where the
 * harness's CPU-only leg is not within 3% of the plain loop; the device's ratio
 * is only reported.
 */
bool selfcheck_run(const struct session *session, json_t *result, struct error *err);

#endif
