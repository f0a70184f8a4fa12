/* SPDX-License-Identifier: MIT */
/*
 * The handoff workload: how long it takes a word written on one side to be seen
 * on the other.
 */
#include "clock.h"
#include "control.h"
#include "crew.h"
#include "gate.h"
#include "histogram.h"
#include "point.h"
#include "result.h"
#include "sampler.h"
#include "token.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HANDOFF_AXES                                                                               \
	(AXIS_BIT(AXIS_ORDER) | AXIS_BIT(AXIS_SCOPE) | AXIS_BIT(AXIS_PLACEMENT) |                  \
	 AXIS_BIT(AXIS_HOLD))

/* Devices that take pages from the CPU: what a round takes beside the holds, at a guess. */
#define FAULTS_S       250e-6
#define LEAST_ROUNDS   10

/* How often the waiting thread looks at the clock. */
#define SPINS_PER_LOOK (1u << 14)

struct handoff {
	const struct session *session;
	struct point point;
	struct crew *crew;
	struct kernel *kernel;
	struct memory token;
	struct memory message;
	struct memory control;
	struct memory report;
	struct histogram sample;
	struct histogram all;
	struct samples one_way;
	uint64_t wrong;	 /* messages that did not belong to the round */
	uint32_t rounds; /* of a sample */
	uint32_t rounds_done;
	bool oversubscribed;
};

/* --- the CPU's half ----------------------------------------------------- */

/* False past the deadline: the device has given up. */
static bool await_token(_Atomic uint32_t *token, uint32_t wanted, enum order order,
			bool takes_turns, uint64_t deadline)
{
	uint32_t spins = 0;

	while (token_take(token, order) != wanted) {
		if (++spins % SPINS_PER_LOOK == 0 && clock_ns() > deadline)
			return false;
		/* To relax would cost a real device time. */
		if (takes_turns)
			clock_relax();
	}
	return true;
}

static bool await_ready(struct handoff *handoff, uint64_t deadline)
{
	control_block *control = handoff->control.host;

	while (!atomic_load(&(*control)[CONTROL_READY])) {
		if (clock_ns() > deadline)
			return false;
		clock_sleep_until(clock_ns() + 20000);
	}
	return true;
}

static void pass_token(void *context, unsigned member)
{
	struct handoff *handoff = context;
	_Atomic uint32_t *token = handoff->token.host;
	_Atomic uint32_t *message = handoff->message.host;
	const uint64_t patience_ns = (uint64_t)(handoff->session->timeout_s * 0.5e9);
	/* A virtual device: the CPUs may be emulated, one after another. */
	const bool takes_turns = handoff->session->device->kind == DEVICE_VIRTUAL;
	uint64_t deadline;
	uint64_t before;

	(void)member;
	handoff->rounds_done = 0;
	if (!await_ready(handoff, clock_ns() + patience_ns))
		return;
	before = clock_ns();
	deadline = before + patience_ns;
	for (uint32_t round = 0; round < handoff->rounds; round++) {
		const uint32_t odd = 2 * round + 1;
		uint64_t after;

		atomic_store_explicit(&message[MESSAGE_TO_DEVICE], ~odd, memory_order_relaxed);
		token_give(token, odd, handoff->point.order);
		if (!await_token(token, odd + 1, handoff->point.order, takes_turns, deadline))
			return;
		handoff->wrong += atomic_load_explicit(&message[MESSAGE_TO_HOST],
						       memory_order_relaxed) != ~(odd + 1);
		after = clock_ns();
		histogram_add(&handoff->sample, (after - before) / 2);
		before = after;
		handoff->rounds_done++;
	}
}

/* --- one sample --------------------------------------------------------- */

static bool check_sample(const struct handoff *handoff, struct error *err)
{
	const struct token_report *report = handoff->report.host;
	const uint32_t rounds = handoff->rounds;
	const char *device = handoff->session->device->name;

	if (handoff->rounds_done < rounds || report->rounds < rounds)
		return fail(err, EXIT_DEVICE_LOST,
			    "%s stopped passing the token after %u of %u rounds; see the kernel "
			    "log, or allow more with --timeout",
			    device, handoff->rounds_done, rounds);
	if (report->checked && (report->wrong || handoff->wrong))
		return fail(err, EXIT_LOST_UPDATE,
			    "lost update on %s: %llu messages were not those of the token's round, "
			    "although the order carries them",
			    device, (unsigned long long)(report->wrong + handoff->wrong));
	return true;
}

static bool take_sample(struct handoff *handoff, struct error *err)
{
	const struct session *session = handoff->session;
	const struct argument args[] = {
		ARG_OF_MEMORY(&handoff->token),	  ARG_OF_MEMORY(&handoff->message),
		ARG_OF_MEMORY(&handoff->control), ARG_OF_MEMORY(&handoff->report),
		ARG_OF_U32(handoff->rounds),	  ARG_OF_U64(gate_limit(session->device, 4.0)),
	};
	struct launch *launch;
	bool ended;

	memset(handoff->token.host, 0, handoff->token.size);
	memset(handoff->message.host, 0, handoff->message.size);
	memset(handoff->control.host, 0, handoff->control.size);
	memset(handoff->report.host, 0, handoff->report.size);
	memset(&handoff->sample, 0, sizeof(handoff->sample));
	handoff->wrong = 0;
	launch = device_launch(session->device, handoff->kernel, args,
			       sizeof(args) / sizeof(args[0]), 1, 1, err);
	if (!launch)
		return false;
	crew_start(handoff->crew, pass_token, handoff);
	ended = device_wait(launch, (uint64_t)(session->timeout_s * 1e9), NULL, err);
	crew_join(handoff->crew);
	return ended && check_sample(handoff, err);
}

static bool sample_until_done(struct handoff *handoff, struct sampler *sampler, struct error *err)
{
	const struct samples *const watched[] = { &handoff->one_way };

	if (!take_sample(handoff, err)) /* warm-up */
		return false;
	while (sampler_more(sampler, watched, 1)) {
		if (!take_sample(handoff, err))
			return false;
		samples_add(&handoff->one_way, histogram_quantile(&handoff->sample, 0.5));
		histogram_merge(&handoff->all, &handoff->sample);
		sampler->taken++;
	}
	return true;
}

/* --- the point ---------------------------------------------------------- */

static bool set_hold(const struct handoff *handoff, struct error *err)
{
	struct device *dev = handoff->session->device;

	return !dev->max_hold_ns ||
	       (device_hold(dev, &handoff->token, handoff->point.hold_ns, err) &&
		device_hold(dev, &handoff->message, handoff->point.hold_ns, err));
}

/* Where each pass waits for pages, a sample of so many rounds would last for minutes. */
static void choose_rounds(struct handoff *handoff)
{
	const struct effort *effort = &handoff->session->effort;
	const double round_s = FAULTS_S + 4e-9 * (double)handoff->point.hold_ns;

	handoff->rounds = effort->rounds;
	if (handoff->session->device->max_hold_ns)
		handoff->rounds = (uint32_t)fmin(effort->rounds,
						 LEAST_ROUNDS + effort->budget_s / 4 / round_s);
}

static bool create(struct handoff *handoff, struct error *err)
{
	const struct session *session = handoff->session;
	struct device *dev = session->device;
	const enum memory_kind kind =
		dev->caps[CAP_SVM_ATOMICS].have ? MEMORY_SVM_ATOMIC : MEMORY_SVM_FINE;
	const struct task task = { .workload = "handoff",
				   .entry = "handoff",
				   .type = TYPE_UINT,
				   .order = handoff->point.order,
				   .scope = handoff->point.scope,
				   .gate = dev->gate };

	if (!device_alloc(dev, kind, 128, &handoff->token, err) ||
	    !device_alloc(dev, kind, MESSAGE_BYTES, &handoff->message, err) ||
	    !device_alloc(dev, kind, CONTROL_BYTES, &handoff->control, err) ||
	    !device_alloc(dev, kind, sizeof(struct token_report), &handoff->report, err) ||
	    !set_hold(handoff, err))
		return false;
	choose_rounds(handoff);
	handoff->kernel = device_prepare(dev, &task, err);
	return handoff->kernel && topology_hire(session->topology, dev, handoff->point.placement, 1,
						&handoff->crew, &handoff->oversubscribed, err);
}

static void destroy(struct handoff *handoff)
{
	struct device *dev = handoff->session->device;

	crew_destroy(handoff->crew);
	device_release(dev, &handoff->report);
	device_release(dev, &handoff->control);
	device_release(dev, &handoff->message);
	device_release(dev, &handoff->token);
	samples_clear(&handoff->one_way);
	free(handoff);
}

static void describe(const struct handoff *handoff, const struct sampler *sampler, json_t *json)
{
	const struct token_report *report = handoff->report.host;

	point_describe(json, handoff->session, sampler);
	point_measure(json, "one_way", "ns", BETTER_LOWER, &handoff->one_way,
		      handoff->session->seed);
	point_histogram(json, &handoff->all, "one_way");
	point_note_fallbacks(handoff->session, &handoff->point, json);
	if (handoff->oversubscribed)
		point_note(json, "over-subscribed: the host thread shares a CPU with the device");
	if (!report->checked)
		point_note(json, "the token alone was checked: %s",
			   handoff->point.order == ORDER_RELAXED
				   ? "a relaxed order carries no data"
				   : "this device's gate carries no data");
}

static const char *refusal(const struct session *session, const struct point *point)
{
	const struct device *dev = session->device;
	const char *missing = point_missing(session, &workload_handoff, point);

	if (missing)
		return missing;
	if (!dev->caps[CAP_SVM_ATOMICS].have && !session->allow_unclaimed)
		return dev->caps[CAP_SVM_ATOMICS].note;
	if (dev->gate == GATE_NONE)
		return dev->caps[CAP_GATE].note;
	if (point->order == ORDER_ACQUIRE || point->order == ORDER_RELEASE)
		return "a token is both taken and given: use order relaxed, acq_rel or seq_cst";
	return NULL;
}

static bool measure(const struct session *session, const struct point *point, json_t **out,
		    struct error *err)
{
	const char *refused = refusal(session, point);
	struct point resolved = *point;
	struct handoff *handoff;
	struct error reason = { 0 };
	struct sampler sampler;
	json_t *json;
	bool ok;

	point_resolve(session->device, &resolved);
	json = *out = point_new(session, &workload_handoff, &resolved, err);
	if (!json)
		return false;
	if (refused) {
		point_refuse(json, "%s", refused);
		return true;
	}
	handoff = calloc(1, sizeof(*handoff));
	if (!handoff)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	handoff->session = session;
	handoff->point = resolved;
	if (!create(handoff, &reason)) {
		destroy(handoff);
		if (reason.code != EXIT_UNAVAILABLE)
			return fail(err, reason.code, "%s", reason.text);
		point_refuse(json, "%s", reason.text);
		return true;
	}
	sampler_begin(&sampler, session);
	ok = sample_until_done(handoff, &sampler, err);
	if (ok)
		describe(handoff, &sampler, json);
	else if (err->code == EXIT_LOST_UPDATE)
		point_lost_update(json, err->text);
	if (ok || err->code != EXIT_DEVICE_LOST)
		destroy(handoff);
	return ok;
}

const struct workload workload_handoff = {
	.name = "handoff",
	.summary = "a token passed between a CPU thread and a work-item",
	.description =
		"One CPU thread and one work-item pass a token through a word of shared memory: "
		"the CPU makes it odd, the device makes it even. The time of a round trip is taken "
		"on the CPU (a device has no clock that a kernel can read), and half of it is one "
		"sample of the one-way latency; it includes half a reading of the clock. The "
		"figure is the median; the histogram in the result goes to p99.99.\n"
		"\n"
		"With an order that carries data (acq_rel, seq_cst), each side also writes a plain "
		"word before it passes the token, and the other side must find the one that "
		"belongs to the round; anything else is a lost update and ends the run with exit "
		"code 3.\n"
		"\n"
		"Needs SVM atomics and a gate (`list` says whether a kernel on the device can wait "
		"for the host). The token stands on a cache line of its own; both sides spin. On "
		"devices that take pages from the CPU each pass waits for holds (hold_ns); a "
		"sample then has as many rounds as fit into a part of the budget.",
	.axes = HANDOFF_AXES,
	.measure = measure,
};
