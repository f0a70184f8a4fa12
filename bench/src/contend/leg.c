/* SPDX-License-Identifier: MIT */
/*
 * Running one leg. With a gate, both sides wait for the same word in SVM, work
 * until another says stop, and the time they truly had in common is measured.
 * Without one, the device takes a fixed number of steps while the CPU threads
 * run for as long as it takes.
 */
#include "leg.h"

#include "clock.h"
#include "cputime.h"
#include "gate.h"
#include "stats.h"

#include <math.h>
#include <string.h>

#define BLOCK	       64		    /* device steps between two looks at stop */
#define READY_NS       UINT64_C(2000000000) /* the first launch may still compile */
#define READY_STALL_NS UINT64_C(20000000)   /* no more work-items come: the rest must queue */
#define STARTED_NS     UINT64_C(20000000)
#define POLL_NS	       UINT64_C(30000) /* shorter ones end before the CPU has changed hands */
#define TIMED_EVERY_NS 8000	       /* keeps the clock's share under 1% */
#define INTERVAL_MAX   (UINT64_C(1) << 20)

/* @ns: when; 0 where the driver counts nothing. */
struct reading {
	uint64_t ns;
	struct counters counters;
};

struct leg {
	struct contention *contention;
	enum leg_kind kind;
	control_block *control;
	struct launch *launch;
	struct launch_times times;
	uint64_t go_ns;
	uint64_t started_ns;  /* every resident work-item was seen past the gate */
	uint64_t finished_ns; /* … and past its last step */
	uint64_t others_cpu_ns;
	struct reading from; /* of the driver's counters, inside of the window */
	struct reading to;
	uint32_t resident;
};

static _Atomic uint32_t *word(const struct leg *leg, enum control_word which)
{
	return &(*leg->control)[which];
}

/* --- CPU side ----------------------------------------------------------- */

/* Turns on either side are to be about as long as the device's block of steps. */
static void think(const struct contention *contention)
{
	const uint64_t deadline = clock_ns() + contention->point.think_ns;

	if (!contention->takes_turns) {
		clock_spin(contention->think_iterations);
		return;
	}
	do {
		clock_spin(BLOCK);
		clock_relax();
	} while (clock_ns() < deadline);
}

static void take_steps(const struct contention *contention, struct cpu_side *side, uint64_t count)
{
	const bool thinks = contention->point.think_ns;

	if (!thinks && !contention->takes_turns) {
		contention->steps(&side->worker, count);
		return;
	}
	while (count) {
		const uint64_t some = thinks ? 1 : count < BLOCK ? count : BLOCK;

		contention->steps(&side->worker, some);
		if (thinks)
			think(contention);
		else
			clock_relax();
		count -= some;
	}
}

/*
 * Time one step in many: often enough for a distribution, seldom enough not to
 * slow the side down.
 */
static uint64_t timed_step(const struct contention *contention, struct cpu_side *side,
			   uint64_t previous)
{
	const uint64_t before = clock_ns();
	uint64_t after;

	contention->steps(&side->worker, 1);
	after = clock_ns();
	histogram_add(&side->latency, after - before);
	if (contention->point.think_ns)
		think(contention);
	if (after - previous < TIMED_EVERY_NS / 2 && side->interval < INTERVAL_MAX)
		side->interval *= 2;
	else if (after - previous > TIMED_EVERY_NS * 2 && side->interval > 1)
		side->interval /= 2;
	return after;
}

static void cpu_work(void *context, unsigned member)
{
	struct leg *leg = context;
	const struct contention *contention = leg->contention;
	struct cpu_side *side = &contention->cpu[member];
	_Atomic uint32_t *stop = word(leg, CONTROL_STOP);
	uint64_t now;

	cpu_worker_reset(&side->worker);
	memset(&side->latency, 0, sizeof(side->latency));
	while (!atomic_load_explicit(word(leg, CONTROL_GO), memory_order_acquire))
		clock_relax();
	side->cpu_time_ns = cputime_own_ns();
	now = side->start_ns = clock_ns();
	while (!atomic_load_explicit(stop, memory_order_relaxed)) {
		take_steps(contention, side, side->interval);
		now = timed_step(contention, side, now);
	}
	side->end_ns = now;
	side->cpu_time_ns = cputime_own_ns() - side->cpu_time_ns;
}

/* --- device side -------------------------------------------------------- */

static bool launch(struct leg *leg, struct error *err)
{
	struct contention *contention = leg->contention;
	const struct field *field = &contention->field;
	struct device *dev = contention->session->device;
	const uint64_t limit =
		contention->gate ? field_step_limit(field) : contention->gateless_steps;
	const struct argument args[] = {
		ARG_OF_MEMORY(&contention->control),
		ARG_OF_MEMORY(&field->memory),
		ARG_OF_MEMORY(&field->guards),
		ARG_OF_MEMORY(&field->stream),
		ARG_OF_MEMORY(&contention->outcomes),
		ARG_OF_U32(contention->point.cpu_threads),
		ARG_OF_U32(field->stride),
		ARG_OF_U32(field->modulo),
		ARG_OF_U32(field->stream_mask),
		ARG_OF_U32(BLOCK),
		ARG_OF_U64(limit / BLOCK * BLOCK),
		ARG_OF_U64(gate_limit(dev, 4.0)),
	};

	leg->launch =
		device_launch(dev, contention->kernel, args, sizeof(args) / sizeof(args[0]),
			      contention->point.work_items, contention->point.group_size, err);
	return leg->launch;
}

/*
 * Wait until every work-item stands at the gate, or until no more come: a device
 * that cannot run them all at once runs the rest after the leg, when they find
 * the stop flag set.
 */
static void await_ready(struct leg *leg)
{
	const uint32_t wanted = leg->contention->point.work_items;
	const uint64_t begin = clock_ns();
	uint64_t changed = begin;
	uint32_t before = 0;

	for (;;) {
		const uint32_t ready = atomic_load(word(leg, CONTROL_READY));
		const uint64_t now = clock_ns();

		if (ready != before)
			changed = now;
		leg->resident = before = ready;
		if (ready >= wanted || device_done(leg->launch) || now - begin > READY_NS ||
		    (ready && now - changed > READY_STALL_NS))
			return;
		clock_sleep_until(now + POLL_NS);
	}
}

/* Sleeps in between: to spin would take a CPU away from those it waits for. */
static void await_count(struct leg *leg, enum control_word which, uint64_t patience_ns,
			uint64_t *when)
{
	const uint64_t deadline = clock_ns() + patience_ns;

	for (;;) {
		const uint32_t count = atomic_load(word(leg, which));

		*when = clock_ns();
		if (count >= leg->resident || *when > deadline || device_done(leg->launch))
			return;
		clock_sleep_until(*when + POLL_NS);
	}
}

static bool finish_device(struct leg *leg, struct error *err)
{
	const double window_s = (double)leg->contention->session->effort.window_ns * 1e-9;
	const double patience_s = leg->contention->session->timeout_s + window_s;

	if (!leg->launch)
		return true;
	return device_wait(leg->launch, (uint64_t)(patience_s * 1e9), &leg->times, err);
}

/* --- the leg ------------------------------------------------------------ */

/* Only a CPU device's threads are worth the look. */
static uint64_t others_cpu_time(const struct leg *leg)
{
	return leg->contention->session->device->kind == DEVICE_CPU ? cputime_others_ns() : 0;
}

/* Between the gates, only the field changes hands: setting up and ending do so too. */
static void read_counters(const struct leg *leg, struct reading *reading)
{
	if (device_counters(leg->contention->session->device, &reading->counters))
		reading->ns = clock_ns();
}

static void open_gate(struct leg *leg)
{
	leg->others_cpu_ns = others_cpu_time(leg);
	leg->go_ns = clock_ns();
	atomic_store_explicit(word(leg, CONTROL_GO), 1, memory_order_release);
}

static void stop_all(struct leg *leg)
{
	atomic_store_explicit(word(leg, CONTROL_STOP), 1, memory_order_release);
}

static bool run_gated(struct leg *leg, struct error *err)
{
	struct contention *contention = leg->contention;
	const uint64_t window_ns = contention->session->effort.window_ns;

	if (leg->kind & LEG_CPU)
		crew_start(contention->crew, cpu_work, leg);
	if ((leg->kind & LEG_DEVICE) && !launch(leg, err)) {
		/* The threads already wait at the gate. */
		stop_all(leg);
		open_gate(leg);
		if (leg->kind & LEG_CPU)
			crew_join(contention->crew);
		return false;
	}
	if (leg->launch)
		await_ready(leg);
	open_gate(leg);
	if (leg->launch)
		await_count(leg, CONTROL_STARTED, STARTED_NS, &leg->started_ns);
	read_counters(leg, &leg->from);
	clock_sleep_until(leg->go_ns + window_ns);
	read_counters(leg, &leg->to);
	stop_all(leg);
	if (leg->launch)
		await_count(leg, CONTROL_FINISHED, window_ns, &leg->finished_ns);
	if (leg->kind & LEG_CPU)
		crew_join(contention->crew);
	leg->others_cpu_ns = others_cpu_time(leg) - leg->others_cpu_ns;
	return finish_device(leg, err);
}

/* The device's own clock where it has one, else the host's. */
static void place_gateless_window(struct leg *leg, uint64_t launched, uint64_t ended)
{
	const uint64_t length = leg->times.end_ns - leg->times.start_ns;

	leg->finished_ns = ended;
	leg->started_ns = length && length < ended - launched ? ended - length : launched;
}

static bool run_gateless(struct leg *leg, struct error *err)
{
	struct contention *contention = leg->contention;
	uint64_t launched;
	bool ok = true;

	if (leg->kind & LEG_CPU)
		crew_start(contention->crew, cpu_work, leg);
	open_gate(leg);
	launched = clock_ns();
	if (leg->kind & LEG_DEVICE) {
		ok = launch(leg, err) && finish_device(leg, err);
		place_gateless_window(leg, launched, clock_ns());
		leg->resident = contention->point.work_items;
	} else {
		clock_sleep_until(launched + contention->session->effort.window_ns);
	}
	stop_all(leg);
	if (leg->kind & LEG_CPU)
		crew_join(contention->crew);
	leg->others_cpu_ns = others_cpu_time(leg) - leg->others_cpu_ns;
	return ok;
}

/* --- what came of it ---------------------------------------------------- */

/* The time that all windows have in common, of the time that any of them covers. */
static double common_window(const struct leg *leg)
{
	const struct contention *contention = leg->contention;
	uint64_t first = contention->gate ? leg->go_ns : UINT64_MAX;
	uint64_t last = 0;
	uint64_t latest_start = 0;
	uint64_t earliest_end = UINT64_MAX;

	if (leg->kind & LEG_DEVICE) {
		first = leg->started_ns < first ? leg->started_ns : first;
		latest_start = leg->started_ns;
		last = earliest_end = leg->finished_ns;
	}
	for (uint32_t i = 0; (leg->kind & LEG_CPU) && i < contention->point.cpu_threads; i++) {
		const struct cpu_side *side = &contention->cpu[i];

		first = side->start_ns < first ? side->start_ns : first;
		last = side->end_ns > last ? side->end_ns : last;
		latest_start = side->start_ns > latest_start ? side->start_ns : latest_start;
		earliest_end = side->end_ns < earliest_end ? side->end_ns : earliest_end;
	}
	if (earliest_end <= latest_start || last <= first)
		return 0.0;
	return (double)(earliest_end - latest_start) / (double)(last - first);
}

/* The smallest part of its window that a CPU thread was really running. */
static double least_cpu_share(const struct leg *leg)
{
	const struct contention *contention = leg->contention;
	double least = 1.0;

	for (uint32_t i = 0; (leg->kind & LEG_CPU) && i < contention->point.cpu_threads; i++) {
		const struct cpu_side *side = &contention->cpu[i];

		least = fmin(least,
			     (double)side->cpu_time_ns / (double)(side->end_ns - side->start_ns));
	}
	return least;
}

/*
 * A side that waits for a CPU does not overlap with anything. Where threads
 * outnumber CPUs on purpose, or sleep because the other side has the page, that is the
 * point's nature and not held against it.
 */
static double overlap_of(const struct leg *leg, double device_cpu_share)
{
	const double overlap = common_window(leg);
	const double device = isnan(device_cpu_share) ? 1.0 : device_cpu_share;

	if (leg->contention->oversubscribed || leg->contention->session->device->max_hold_ns)
		return overlap;
	return overlap * fmin(device, least_cpu_share(leg));
}

static double sum_cpu(const struct leg *leg, struct outcome *all)
{
	const struct contention *contention = leg->contention;
	double rate = 0.0;

	for (uint32_t i = 0; i < contention->point.cpu_threads; i++) {
		const struct cpu_side *side = &contention->cpu[i];

		all[i] = side->worker.outcome;
		if (side->end_ns > side->start_ns)
			rate += (double)all[i].ops /
				((double)(side->end_ns - side->start_ns) * 1e-9);
	}
	return rate;
}

static double sum_device(const struct leg *leg, struct outcome *all)
{
	const struct contention *contention = leg->contention;
	const struct outcome *items = contention->outcomes.host;
	const uint64_t start = contention->gate ? leg->go_ns : leg->started_ns;
	double ops = 0.0;

	for (uint32_t i = 0; i < contention->point.work_items; i++) {
		all[contention->point.cpu_threads + i] = items[i];
		ops += (double)items[i].ops;
	}
	return leg->finished_ns > start ? ops / ((double)(leg->finished_ns - start) * 1e-9) : 0.0;
}

static double fairness_of(const struct contention *contention, const struct outcome *all)
{
	struct samples shares = { 0 };
	double index;

	for (uint32_t i = 0; i < contention->field.workers; i++)
		if (all[i].attempts)
			samples_add(&shares, (double)all[i].ops);
	index = stats_jain(shares.values, shares.count);
	samples_clear(&shares);
	return index;
}

/* How much of the CPU time that a CPU device's threads need they really got. */
static double device_cpu_share_of(const struct leg *leg)
{
	const struct device *dev = leg->contention->session->device;
	uint64_t used = leg->others_cpu_ns;
	double threads;

	if (dev->kind != DEVICE_CPU || !(leg->kind & LEG_DEVICE))
		return NAN;
	threads = leg->resident < dev->open_units ? leg->resident : dev->open_units;
	for (uint32_t i = 0; (leg->kind & LEG_CPU) && i < leg->contention->point.cpu_threads; i++)
		used -= leg->contention->cpu[i].cpu_time_ns < used
				? leg->contention->cpu[i].cpu_time_ns
				: used;
	return fmin(1.0, (double)used / ((double)(leg->finished_ns - leg->go_ns) * threads));
}

static void count_transfers(const struct leg *leg, struct leg_result *result)
{
	const double seconds = (double)(leg->to.ns - leg->from.ns) * 1e-9;

	result->transfers = result->cpu_waits = NAN;
	if (!leg->from.ns || !leg->to.ns || !(seconds > 0))
		return;
	result->counters = counters_between(&leg->from.counters, &leg->to.counters);
	result->transfers = (double)counters_transfers(&result->counters) / seconds;
	result->cpu_waits = (double)result->counters.waits_cpu / seconds;
}

static void summarise(const struct leg *leg, struct histogram *latency, struct leg_result *result)
{
	struct contention *contention = leg->contention;
	struct outcome *all = contention->all;

	memset(all, 0, contention->field.workers * sizeof(*all));
	*result = (struct leg_result){ .device_cpu_share = device_cpu_share_of(leg),
				       .resident = leg->resident };
	result->overlap = overlap_of(leg, result->device_cpu_share);
	count_transfers(leg, result);
	if (leg->kind & LEG_CPU) {
		result->cpu_rate = sum_cpu(leg, all);
		for (uint32_t i = 0; i < contention->point.cpu_threads; i++)
			histogram_merge(latency, &contention->cpu[i].latency);
	}
	if (leg->kind & LEG_DEVICE)
		result->device_rate = sum_device(leg, all);
	result->fairness = fairness_of(contention, all);
	result->cpu_share = result->cpu_rate / (result->cpu_rate + result->device_rate);
}

static void prepare(struct leg *leg, struct contention *contention, enum leg_kind kind)
{
	*leg = (struct leg){ .contention = contention,
			     .kind = kind,
			     .control = contention->control.host };
	memset(contention->control.host, 0, CONTROL_BYTES);
	memset(contention->outcomes.host, 0, contention->outcomes.size);
	field_reset(&contention->field);
}

bool leg_run(struct contention *contention, enum leg_kind kind, struct histogram *latency,
	     struct leg_result *result, struct error *err)
{
	struct leg leg;
	char why[256];

	prepare(&leg, contention, kind);
	if (!(contention->gate ? run_gated(&leg, err) : run_gateless(&leg, err)))
		return false;
	summarise(&leg, latency, result);
	if (field_verify(&contention->field, contention->all, why, sizeof(why)))
		return true;
	return fail(err, EXIT_LOST_UPDATE, "lost update on %s (%s leg): %s",
		    contention->session->device->name,
		    kind == LEG_BOTH	 ? "both sides'"
		    : kind == LEG_DEVICE ? "device-only"
					 : "CPU-only",
		    why);
}

bool leg_calibrate(struct contention *contention, struct error *err)
{
	const double window_s = (double)contention->session->effort.window_ns * 1e-9;
	const double most = (double)field_step_limit(&contention->field);
	struct histogram unused = { 0 };
	struct leg_result result;

	contention->gateless_steps = BLOCK;
	/* The first launch may still compile, which would pass for a long kernel. */
	if (!leg_run(contention, LEG_DEVICE, &unused, &result, err))
		return false;
	for (;;) {
		const double steps = (double)contention->gateless_steps;
		double lasted_s;

		if (!leg_run(contention, LEG_DEVICE, &unused, &result, err))
			return false;
		lasted_s = steps * contention->point.work_items / result.device_rate;
		if (!isfinite(lasted_s) || lasted_s >= window_s || steps * 2 > most)
			return true;
		/* Approach the window from below: a first guess may be far off. */
		contention->gateless_steps =
			(uint64_t)(steps * fmax(2.0, fmin(16.0, 1.1 * window_s / lasted_s)));
	}
}
