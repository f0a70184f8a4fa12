/* SPDX-License-Identifier: MIT */
/*
 * The harness against the plain loop, in turn, in one run: a ratio survives a
 * noisy machine where two absolute figures would not.
 */
#include "selfcheck.h"

#include "leg.h"
#include "plain_loop.h"
#include "point.h"
#include "stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE 0.03
#define PAIRS	  61
#define WINDOW_NS 10000000
#define TRIES	  10
#define RUNNING	  0.98 /* of the time */

struct check {
	const char *name;
	enum layout layout;
	uint32_t threads; /* of the plain loop; and of the CPU leg */
	enum leg_kind leg;
	double tolerance; /* NAN: only reported */
};

static bool place_plain(const struct session *session, const struct check *check,
			hwloc_cpuset_t *cpus, struct error *err)
{
	struct topology everywhere = *session->topology;
	bool oversubscribed;
	bool ok;

	/* Against the device's leg, the plain threads run where the device's do. */
	everywhere.device_cpus = hwloc_bitmap_alloc();
	if (check->leg == LEG_DEVICE)
		everywhere.allowed = session->topology->device_cpus;
	else
		hwloc_bitmap_copy(everywhere.device_cpus, session->topology->device_cpus);
	ok = topology_place(&everywhere, session->device, "spread", check->threads, cpus,
			    &oversubscribed, err);
	hwloc_bitmap_free(everywhere.device_cpus);
	return ok;
}

/* Rates of one pair; on a busy machine it can take a few tries until all threads ran. */
struct pair {
	double harness;
	double plain;
};

static bool take_harness(struct contention *contention, const struct check *check,
			 struct pair *pair, struct histogram *unused, struct error *err)
{
	struct leg_result leg = { 0 };

	for (unsigned try = 0; try < TRIES && leg.overlap < RUNNING; try++)
		if (!leg_run(contention, check->leg, unused, &leg, err))
			return false;
	pair->harness = check->leg == LEG_CPU ? leg.cpu_rate : leg.device_rate;
	return true;
}

static bool take_plain(const struct session *session, const struct check *check,
		       const hwloc_cpuset_t *cpus, struct pair *pair, struct error *err)
{
	const unsigned stride = check->layout == LAYOUT_WORD ? 0 : session->topology->line_bytes;
	double share = 0.0;

	for (unsigned try = 0; try < TRIES && share < RUNNING; try++) {
		pair->plain = plain_loop_rate(session->topology->hwloc, cpus, check->threads,
					      stride, WINDOW_NS * 1e-9, &share);
		if (pair->plain < 0.0)
			return fail(err, EXIT_SELF_CHECK,
				    "the plain loop of %u threads failed or lost a count: do not "
				    "trust this machine",
				    check->threads);
	}
	return true;
}

static bool take_pairs(const struct session *session, const struct check *check,
		       struct contention *contention, const hwloc_cpuset_t *cpus,
		       struct samples *harness, struct samples *plain, struct error *err)
{
	struct histogram *unused = calloc(1, sizeof(*unused));
	bool ok = unused || fail(err, EXIT_NO_MEMORY, "out of memory");

	for (unsigned i = 0; ok && i <= PAIRS; i++) {
		struct pair pair;

		ok = take_harness(contention, check, &pair, unused, err) &&
		     take_plain(session, check, cpus, &pair, err);
		if (ok && i) { /* the first is warm-up */
			samples_add(harness, pair.harness);
			samples_add(plain, pair.plain);
		}
	}
	free(unused);
	return ok;
}

static bool judge(const struct check *check, const struct samples *harness,
		  const struct samples *plain, uint64_t seed, json_t *result, struct error *err)
{
	const double mine = stats_median(harness->values, harness->count);
	const double theirs = stats_median(plain->values, plain->count);
	const double ratio = mine / theirs;
	const struct interval interval = stats_bootstrap_ratio(
		plain->values, plain->count, harness->values, harness->count, seed);
	const bool judged = !isnan(check->tolerance);
	const bool pass = !judged || fabs(ratio - 1.0) <= check->tolerance;
	json_t *list = json_object_get(result, "self_check");

	json_array_append_new(list, json_pack("{s:s, s:f, s:f, s:s, s:f, s:f, s:f, s:o, s:b}",
					      "name", check->name, "harness", mine, "plain", theirs,
					      "unit", "op/s", "ratio", ratio, "low", interval.low,
					      "high", interval.high, "tolerance",
					      judged ? json_real(check->tolerance) : json_null(),
					      "pass", (int)pass));
	if (pass)
		return true;
	return fail(err, EXIT_SELF_CHECK,
		    "self-check '%s': the harness runs at %.1f%% of a plain loop, allowed are 97%% "
		    "to 103%%; is the machine busy?",
		    check->name, 100.0 * ratio);
}

static bool run_check(const struct session *session, const struct check *check, json_t *result,
		      struct error *err)
{
	struct session own = *session;
	struct point point = { .type = TYPE_UINT,
			       .scope = SCOPE_ALL_DEVICES,
			       .layout = check->layout,
			       .cpu_threads = check->leg == LEG_CPU ? check->threads : 0,
			       .work_items = check->leg == LEG_DEVICE ? check->threads : 1,
			       .placement = "spread",
			       .hold_ns = DEVICE_HOLD_DEFAULT };
	hwloc_cpuset_t *cpus = calloc(check->threads, sizeof(hwloc_cpuset_t));
	struct contention contention;
	struct samples harness = { 0 };
	struct samples plain = { 0 };
	bool ok;

	if (!cpus)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	own.effort.window_ns = WINDOW_NS;
	ok = place_plain(session, check, cpus, err) &&
	     contention_create(&contention, &own, &point, err);
	if (ok) {
		ok = (contention.gate || check->leg == LEG_CPU ||
		      leg_calibrate(&contention, err)) &&
		     take_pairs(session, check, &contention, cpus, &harness, &plain, err) &&
		     judge(check, &harness, &plain, session->seed, result, err);
		contention_destroy(&contention);
	}
	for (unsigned i = 0; i < check->threads; i++)
		hwloc_bitmap_free(cpus[i]);
	free(cpus);
	samples_clear(&plain);
	samples_clear(&harness);
	return ok;
}

bool selfcheck_run(const struct session *session, json_t *result, struct error *err)
{
	const struct device *dev = session->device;
	const uint32_t all = session->topology->cpus;
	const struct check checks[] = {
		{ "one CPU thread, one word", LAYOUT_WORD, 1, LEG_CPU, TOLERANCE },
		{ "all CPU threads, a line each", LAYOUT_LINE_PER_WORKER, all, LEG_CPU, TOLERANCE },
		{ "all CPU threads, one word", LAYOUT_WORD, all, LEG_CPU, TOLERANCE },
		{ "device-only leg, a line each", LAYOUT_LINE_PER_WORKER, dev->open_units,
		  LEG_DEVICE, NAN },
	};
	const size_t count = sizeof(checks) / sizeof(checks[0]) - !device_is_on_cpus(dev);

	bool ok = true;

	if (!json_object_get(result, "self_check"))
		json_object_set_new(result, "self_check", json_array());
	/* A failed check does not keep the others from being made. */
	for (size_t i = 0; i < count; i++) {
		struct error own = { 0 };

		if (run_check(session, &checks[i], result, &own))
			continue;
		fail(err, own.code, "%s", own.text);
		if (own.code != EXIT_SELF_CHECK)
			return false;
		ok = false;
	}
	return ok;
}
