/* SPDX-License-Identifier: MIT */
/*
 * The CPU side: a crew of host threads, each bound to one CPU, created once per
 * point and given work leg after leg.
 */
#ifndef BENCH_CREW_H
#define BENCH_CREW_H

#include "error.h"

#include <hwloc.h>
#include <stdbool.h>
#include <stdint.h>

struct crew;

/* Runs on every member; @member counts from 0. */
typedef void crew_work(void *context, unsigned member);

/*
 * Start @count threads, member i bound to @cpus[i] (NULL: unbound). Fails with
 * EXIT_UNAVAILABLE where the kernel refuses the binding.
 */
struct crew *crew_create(hwloc_topology_t topology, const hwloc_const_cpuset_t *cpus,
			 unsigned count, struct error *err);
void crew_destroy(struct crew *crew);

/* Have every member run @work; returns at once. One job at a time. */
void crew_start(struct crew *crew, crew_work *work, void *context);

/* Wait until every member has returned from the job. */
void crew_join(struct crew *crew);

#endif
