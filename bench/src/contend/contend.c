/* SPDX-License-Identifier: MIT */
/*
 * The contend workload: what device atomics and CPU atomics do to each other.
 */
#include "contend.h"

#include "clock.h"
#include "leg.h"
#include "point.h"
#include "result.h"
#include "sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OVERLAP_WANTED 0.95
#define LEG_TRIES      4
#define FIRST_INTERVAL 256

static bool may_share(const struct session *session)
{
	return session->device->caps[CAP_SVM_ATOMICS].have || session->allow_unclaimed;
}

/* --- setting up --------------------------------------------------------- */

static bool create_workers(struct contention *contention, struct error *err)
{
	const unsigned count = contention->point.cpu_threads;

	if (!count)
		return true;
	contention->cpu = calloc(count, sizeof(*contention->cpu));
	if (!contention->cpu)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	for (unsigned i = 0; i < count; i++) {
		contention->cpu[i].interval = FIRST_INTERVAL;
		contention->cpu[i].worker = (struct cpu_worker){ .field = &contention->field,
								 .order = contention->point.order,
								 .me = i };
	}
	return true;
}

static bool allocate(struct contention *contention, struct error *err)
{
	const struct session *session = contention->session;
	const struct point *point = &contention->point;
	struct device *dev = session->device;
	const uint32_t workers = point->cpu_threads + point->work_items;
	const enum memory_kind kind =
		dev->caps[CAP_SVM_ATOMICS].have ? MEMORY_SVM_ATOMIC : MEMORY_SVM_FINE;

	contention->all = calloc(workers, sizeof(*contention->all));
	if (!contention->all)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	return device_alloc(dev, kind, CONTROL_BYTES, &contention->control, err) &&
	       device_alloc(dev, kind, point->work_items * sizeof(struct outcome),
			    &contention->outcomes, err) &&
	       field_create(&contention->field, dev, kind, point, workers,
			    session->topology->line_bytes, session->seed, err);
}

/* The words, and what they protect, are what the device is to keep. */
static bool set_hold(const struct contention *contention, struct error *err)
{
	struct device *dev = contention->session->device;
	const uint64_t hold_ns = contention->point.hold_ns;

	return !dev->max_hold_ns || (device_hold(dev, &contention->field.memory, hold_ns, err) &&
				     device_hold(dev, &contention->field.guards, hold_ns, err));
}

static bool prepare_kernel(struct contention *contention, struct error *err)
{
	const struct session *session = contention->session;
	const struct point *point = &contention->point;
	const struct task task = { .workload = "contend",
				   .entry = "contend",
				   .op = point->op,
				   .type = point->type,
				   .order = point->order,
				   .scope = point->scope,
				   .gate = contention->gate,
				   .random = point->layout == LAYOUT_RANDOM,
				   .broken = session->broken };

	contention->kernel = device_prepare(session->device, &task, err);
	return contention->kernel;
}

bool contention_create(struct contention *contention, const struct session *session,
		       const struct point *point, struct error *err)
{
	*contention =
		(struct contention){ .session = session,
				     .point = *point,
				     .gate = session->no_gate ? GATE_NONE : session->device->gate };
	point_resolve(session->device, &contention->point);
	contention->steps = cpu_steps_for(point->op, point->type);
	contention->think_iterations = clock_spin_iterations(point->think_ns);
	contention->takes_turns = session->device->kind == DEVICE_VIRTUAL;
	if (allocate(contention, err) && set_hold(contention, err) &&
	    create_workers(contention, err) && prepare_kernel(contention, err) &&
	    topology_hire(session->topology, session->device, point->placement, point->cpu_threads,
			  &contention->crew, &contention->oversubscribed, err))
		return true;
	contention_destroy(contention);
	return false;
}

void contention_destroy(struct contention *contention)
{
	struct device *dev = contention->session->device;

	crew_destroy(contention->crew);
	free(contention->cpu);
	field_destroy(&contention->field, dev);
	device_release(dev, &contention->outcomes);
	device_release(dev, &contention->control);
	free(contention->all);
}

/* --- sampling ----------------------------------------------------------- */

struct series {
	struct samples device_alone;
	struct samples cpu_alone;
	struct samples device_together;
	struct samples cpu_together;
	struct samples device_slowdown;
	struct samples cpu_slowdown;
	struct samples fairness;
	struct samples cpu_share;
	struct samples overlap;
	struct samples device_cpu_share;
	struct samples transfers;
	struct samples cpu_waits;
	struct histogram latency_leg;
	struct histogram latency_alone;
	struct histogram latency_together;
	struct histogram held;
	uint32_t least_resident;
	unsigned rejected; /* legs */
};

static void series_clear(struct series *series)
{
	samples_clear(&series->device_alone);
	samples_clear(&series->cpu_alone);
	samples_clear(&series->device_together);
	samples_clear(&series->cpu_together);
	samples_clear(&series->device_slowdown);
	samples_clear(&series->cpu_slowdown);
	samples_clear(&series->fairness);
	samples_clear(&series->cpu_share);
	samples_clear(&series->overlap);
	samples_clear(&series->device_cpu_share);
	samples_clear(&series->transfers);
	samples_clear(&series->cpu_waits);
}

static void keep(struct samples *set, double value)
{
	if (isfinite(value))
		samples_add(set, value);
}

/*
 * A leg in which all sides ran. On a busy machine that can take a few tries;
 * *@kept says whether it worked out. False on a failure.
 */
static bool take_leg(struct contention *contention, enum leg_kind kind, struct series *series,
		     struct histogram *latency, struct leg_result *result, bool *kept,
		     struct error *err)
{
	*kept = false;
	for (unsigned try = 0; !*kept && try < LEG_TRIES; try++) {
		memset(&series->latency_leg, 0, sizeof(series->latency_leg));
		if (!leg_run(contention, kind, &series->latency_leg, result, err))
			return false;
		*kept = result->overlap >= OVERLAP_WANTED;
		series->rejected += !*kept;
		if (kind == LEG_BOTH)
			keep(&series->overlap, result->overlap);
	}
	if (*kept)
		histogram_merge(latency, &series->latency_leg);
	return true;
}

/*
 * One sample: each side alone, then both, in one go, so that drift of the
 * machine hits all three. False on a failure, else *@kept says whether every leg
 * worked out.
 */
static bool take_sample(struct contention *contention, struct series *series, bool share,
			bool *kept, struct error *err)
{
	struct leg_result device = { 0 };
	struct leg_result cpu = { 0 };
	struct leg_result both = { 0 };

	if (!take_leg(contention, LEG_DEVICE, series, &series->latency_alone, &device, kept, err))
		return false;
	if (*kept && contention->crew &&
	    !take_leg(contention, LEG_CPU, series, &series->latency_alone, &cpu, kept, err))
		return false;
	if (*kept && share &&
	    !take_leg(contention, LEG_BOTH, series, &series->latency_together, &both, kept, err))
		return false;
	if (device.resident < series->least_resident)
		series->least_resident = device.resident;
	if (!*kept)
		return true;

	keep(&series->device_alone, device.device_rate);
	if (contention->crew)
		keep(&series->cpu_alone, cpu.cpu_rate);
	if (!share)
		return true;
	keep(&series->device_together, both.device_rate);
	keep(&series->cpu_together, both.cpu_rate);
	keep(&series->device_slowdown, device.device_rate / both.device_rate);
	keep(&series->cpu_slowdown, cpu.cpu_rate / both.cpu_rate);
	keep(&series->fairness, both.fairness);
	keep(&series->cpu_share, both.cpu_share);
	keep(&series->device_cpu_share, both.device_cpu_share);
	keep(&series->transfers, both.transfers);
	keep(&series->cpu_waits, both.cpu_waits);
	counters_held(&both.counters, &series->held);
	return true;
}

static bool sample_until_done(struct contention *contention, struct series *series, bool share,
			      struct sampler *sampler, struct error *err)
{
	const struct samples *const both[] = { &series->device_alone, &series->cpu_alone,
					       &series->device_together, &series->cpu_together };
	const struct samples *const apart[] = { &series->device_alone, &series->cpu_alone };
	bool kept;

	/* Warm-up: caches, clocks and the first launch's compilation. */
	if (!take_sample(contention, series, share, &kept, err))
		return false;
	series_clear(series);
	*series = (struct series){ .least_resident = UINT32_MAX };

	while (share		  ? sampler_more(sampler, both, 4)
	       : contention->crew ? sampler_more(sampler, apart, 2)
				  : sampler_more(sampler, apart, 1)) {
		if (!take_sample(contention, series, share, &kept, err))
			return false;
		sampler->taken += kept;
		sampler->rejected = series->rejected;
	}
	return true;
}

/* --- the result --------------------------------------------------------- */

static void describe_series(json_t *json, const struct series *series, uint64_t seed)
{
	point_measure(json, "device_alone", "op/s", BETTER_HIGHER, &series->device_alone, seed);
	point_measure(json, "cpu_alone", "op/s", BETTER_HIGHER, &series->cpu_alone, seed);
	point_measure(json, "device_together", "op/s", BETTER_HIGHER, &series->device_together,
		      seed);
	point_measure(json, "cpu_together", "op/s", BETTER_HIGHER, &series->cpu_together, seed);
	point_measure(json, "device_slowdown", "ratio", BETTER_LOWER, &series->device_slowdown,
		      seed);
	point_measure(json, "cpu_slowdown", "ratio", BETTER_LOWER, &series->cpu_slowdown, seed);
	point_measure(json, "fairness", "share", BETTER_HIGHER, &series->fairness, seed);
	point_measure(json, "cpu_share", "share", BETTER_NEITHER, &series->cpu_share, seed);
	point_measure(json, "overlap", "share", BETTER_NEITHER, &series->overlap, seed);
	point_measure(json, "device_cpu_share", "share", BETTER_NEITHER, &series->device_cpu_share,
		      seed);
	point_measure(json, "transfers", "1/s", BETTER_NEITHER, &series->transfers, seed);
	point_measure(json, "cpu_waits", "1/s", BETTER_NEITHER, &series->cpu_waits, seed);
	point_histogram(json, &series->latency_alone, "cpu_alone");
	point_histogram(json, &series->latency_together, "cpu_together");
	point_histogram(json, &series->held, "held");
}

static void note_cpu_device(const struct contention *contention, const struct series *series,
			    json_t *json)
{
	const struct device *dev = contention->session->device;
	const double share =
		stats_median(series->device_cpu_share.values, series->device_cpu_share.count);

	if (contention->oversubscribed)
		point_note(json, "over-subscribed: host threads share CPUs with each other or with "
				 "the device");
	if (device_is_on_cpus(dev) && series->least_resident > dev->open_units)
		point_note(json,
			   "over-subscribed: %u work-items run at once on the device's %u "
			   "CPU%s",
			   series->least_resident, dev->open_units,
			   dev->open_units == 1 ? "" : "s");
	point_note_confined(dev, json);
	if (share < OVERLAP_WANTED)
		point_note(json, "the device's threads got %.0f%% of the CPU time they needed",
			   100.0 * share);
}

static void note_circumstances(const struct contention *contention, const struct series *series,
			       bool share, json_t *json)
{
	const struct session *session = contention->session;
	const struct device *dev = session->device;

	if (!share && contention->crew)
		point_note(json, "not measured together: %s", dev->caps[CAP_SVM_ATOMICS].note);
	if (share)
		point_note_fallbacks(session, &contention->point, json);
	if (!contention->gate)
		point_note(json,
			   "gateless: %s; the device takes %llu steps per work-item while "
			   "the CPU runs",
			   session->no_gate ? "--no-gate was given" : dev->caps[CAP_GATE].note,
			   (unsigned long long)contention->gateless_steps);
	else if (series->least_resident < contention->point.work_items)
		point_note(json, "%u of %u work-items ran at once; the others came after the leg",
			   series->least_resident, contention->point.work_items);
	note_cpu_device(contention, series, json);
}

static void describe(const struct contention *contention, const struct series *series,
		     const struct sampler *sampler, bool share, json_t *json)
{
	const struct session *session = contention->session;
	const unsigned most = session->effort.max_samples;
	const unsigned wanted = most < SAMPLER_ENOUGH ? most : SAMPLER_ENOUGH;

	point_describe(json, session, sampler);
	describe_series(json, series, session->seed);
	json_object_set_new(json, "mode", json_string(contention->gate ? "gated" : "gateless"));
	note_circumstances(contention, series, share, json);
	if (strcmp(sampler->stopped_by, "interrupt") && sampler->taken < wanted) {
		json_object_set_new(json, "status", json_string("unreliable"));
		json_object_set_new(json, "reason",
				    json_sprintf("only %u samples in which all sides ran for 95%% "
						 "of the time; is the machine busy?",
						 sampler->taken));
	}
}

static bool measure_contention(struct contention *contention, json_t *json, struct error *err)
{
	const bool share = contention->crew && may_share(contention->session);
	struct series *series = calloc(1, sizeof(*series));
	struct sampler sampler;
	bool ok;

	if (!series)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	sampler_begin(&sampler, contention->session);
	ok = (contention->gate || leg_calibrate(contention, err)) &&
	     sample_until_done(contention, series, share, &sampler, err);
	if (ok)
		describe(contention, series, &sampler, share, json);
	else if (err->code == EXIT_LOST_UPDATE)
		point_lost_update(json, err->text);
	series_clear(series);
	free(series);
	return ok;
}

/* What takes a moment alone may take a fault at every step together: for minutes. */
static const char *refusal(const struct session *session, const struct point *point)
{
	const char *missing = point_missing(session, &workload_contend, point);

	if (!missing && session->no_gate && session->device->max_hold_ns)
		return "where pages change hands, steps without a gate do not end in time: leave "
		       "out --no-gate";
	return missing;
}

static bool measure(const struct session *session, const struct point *point, json_t **out,
		    struct error *err)
{
	const char *missing = refusal(session, point);
	struct point resolved = *point;
	struct contention contention;
	struct error reason = { 0 };
	json_t *json;
	bool ok;

	point_resolve(session->device, &resolved);
	json = *out = point_new(session, &workload_contend, &resolved, err);
	if (!json)
		return false;
	if (missing) {
		point_refuse(json, "%s", missing);
		return true;
	}
	if (!contention_create(&contention, session, &resolved, &reason)) {
		if (reason.code != EXIT_UNAVAILABLE)
			return fail(err, reason.code, "%s", reason.text);
		point_refuse(json, "%s", reason.text);
		return true;
	}
	ok = measure_contention(&contention, json, err);
	if (ok || err->code != EXIT_DEVICE_LOST)
		contention_destroy(&contention);
	return ok;
}

const struct workload workload_contend = {
	.name = "contend",
	.summary = "CPU threads and work-items hammer shared words at the same time",
	.description =
		"Every sample has three legs, one after the other: the device alone, the CPU "
		"threads alone, both together. In a leg every worker (a CPU thread or a work-item) "
		"repeats one atomic operation on its word until a stop flag in shared memory is "
		"set. All workers start at a gate in shared memory; the share of the time that the "
		"two sides truly had in common is measured, and a sample under 95% is counted but "
		"not summarised.\n"
		"\n"
		"Figures: operations per second of each side, alone and together; slow-down of "
		"each side (alone / together); Jain's fairness index over all workers; the CPU's "
		"share of all operations; percentiles of the time of single CPU operations, which "
		"include one reading of the clock (timer_overhead_ns). An operation is one that "
		"took effect: a failed compare_exchange or a flag found taken is an attempt. One "
		"flag operation is taking the flag, adding one under it and giving it back.\n"
		"\n"
		"Every leg is verified. Additions, subtractions and compare_exchange must add up; "
		"fetch_min, fetch_max, fetch_and, fetch_or and fetch_xor must leave the value that "
		"follows from what was submitted, and may never return a value that contradicts "
		"it; exchange must conserve a set of tokens; a stored value must come from "
		"somebody who stored it; data under a flag must have been changed by one worker at "
		"a time. A lost update ends the run with exit code 3. fetch_and and fetch_or set "
		"or clear one bit after another and are the weakest check: once every bit is "
		"there, nothing more can be lost.\n"
		"\n"
		"A device that has no coherent atomics takes a page from the CPU before it changes "
		"it, and the CPU takes it back. On such devices the axis hold_ns says for how long "
		"a side keeps the page that the other wants, and there are more figures, from the "
		"kernel's counters: how many pages changed sides per second while both worked, how "
		"often CPUs waited for a hold to end, and how long pages were kept, rounded down "
		"to a power of two.\n"
		"\n"
		"On the CPU side fetch_min, fetch_max and additions to floating-point numbers are "
		"compare-exchange loops, because C17 has no such operations.",
	.axes = (1u << AXIS_COUNT) - 1,
	.measure = measure,
};
