/* SPDX-License-Identifier: MIT */
/*
 * The machine a result was measured on, as far as it moves the numbers.
 */
#ifndef BENCH_ENVIRONMENT_H
#define BENCH_ENVIRONMENT_H

#include <hwloc.h>
#include <jansson.h>

/*
 * A schema "environment" object; the caller's. What the system does not tell is
 * "unknown", never left out. @topology is a loaded one. NULL when memory runs
 * out.
 */
json_t *environment_json(hwloc_topology_t topology);

#endif
