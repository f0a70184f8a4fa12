/* SPDX-License-Identifier: MIT */
/*
 * The gate probe. A kernel says that it is there, then looks at a word until the
 * host changes it. Compilers have been seen to delete that loop or to hoist the
 * load out of it, so each form is tried until one truly waits; every loop is
 * bounded, so that none can hang.
 */
#include "gate.h"

#include "clock.h"
#include "control.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LOOKS_FIRST (UINT64_C(1) << 22)
#define LOOKS_LAST  (UINT64_C(1) << 34)
#define HOLD_NS	    UINT64_C(5000000)	/* how long the gate stays shut */
#define READY_NS    UINT64_C(500000000) /* until the kernel is seen to run */
#define PATIENCE_NS UINT64_C(250000000) /* a loop that lasts this long is long enough */
#define SPEED_TRIES 2

struct outcome {
	uint64_t looks;
	uint64_t seen;
};

enum verdict { WAITS, EXHAUSTED, IGNORED, INVISIBLE };

static bool wait_ready(const control_block *control, struct launch *launch)
{
	const uint64_t deadline = clock_ns() + READY_NS;

	while (!atomic_load(&(*control)[CONTROL_READY])) {
		if (device_done(launch) || clock_ns() > deadline)
			return false;
		clock_sleep_until(clock_ns() + 20000);
	}
	return true;
}

/* A kernel that was preempted looks slow: the fastest one tells. */
static void note_speed(struct device *dev, uint64_t looks, uint64_t ns)
{
	const uint64_t rate = (uint64_t)((double)looks / ((double)ns * 1e-9));

	if (rate > dev->gate_spins_per_s)
		dev->gate_spins_per_s = rate;
}

/* One launch; the gate is opened HOLD_NS after the kernel was seen to wait. */
static bool try_once(struct device *dev, struct kernel *kernel, const struct memory *control,
		     const struct memory *result, uint64_t limit, enum verdict *verdict,
		     struct error *err)
{
	const struct argument args[] = { ARG_OF_MEMORY(control), ARG_OF_MEMORY(result),
					 ARG_OF_U64(limit) };
	control_block *words = control->host;
	const struct outcome *outcome = result->host;
	struct launch *launch;
	uint64_t opened;
	uint64_t start;
	bool visible;
	bool ended;

	memset(control->host, 0, CONTROL_BYTES);
	memset(result->host, 0, sizeof(*outcome));
	launch = device_launch(dev, kernel, args, 3, 1, 1, err);
	if (!launch)
		return false;
	visible = wait_ready((const control_block *)words, launch);
	start = clock_ns();
	clock_sleep_until(start + HOLD_NS);
	ended = device_done(launch);
	opened = clock_ns();
	atomic_store(&(*words)[CONTROL_GO], 1);
	if (!device_wait(launch, dev->timeout_ns, NULL, err))
		return false;

	if (!visible)
		*verdict = INVISIBLE;
	else if (outcome->seen && !ended)
		*verdict = WAITS;
	else if (outcome->looks >= limit)
		*verdict = EXHAUSTED;
	else
		*verdict = IGNORED;
	if (*verdict == WAITS)
		note_speed(dev, outcome->looks, opened - start);
	return true;
}

/* The first launch may compile, and start what runs kernels: that takes as long as it takes. */
static bool warm_up(struct device *dev, struct kernel *kernel, const struct memory *control,
		    const struct memory *result, struct error *err)
{
	const struct argument args[] = { ARG_OF_MEMORY(control), ARG_OF_MEMORY(result),
					 ARG_OF_U64(1) };
	struct launch *launch = device_launch(dev, kernel, args, 3, 1, 1, err);

	return launch && device_wait(launch, dev->timeout_ns, NULL, err);
}

static bool try_gate(struct device *dev, enum gate gate, const struct memory *control,
		     const struct memory *result, bool *waits, const char **why, struct error *err)
{
	static const char *const reasons[] = {
		[WAITS] = "",
		[EXHAUSTED] = "the loop ends before the host's store arrives",
		[IGNORED] = "the compiler deletes the loop",
		[INVISIBLE] = "the host cannot see what a running kernel writes",
	};
	const struct task task = { .workload = "gate",
				   .entry = "gate",
				   .type = TYPE_UINT,
				   .scope = SCOPE_ALL_DEVICES,
				   .gate = gate };
	struct kernel *kernel = device_prepare(dev, &task, err);
	enum verdict verdict = EXHAUSTED;

	if (!kernel || !warm_up(dev, kernel, control, result, err))
		return false;
	for (uint64_t limit = LOOKS_FIRST; verdict == EXHAUSTED; limit <<= 4) {
		const uint64_t start = clock_ns();
		uint64_t lasted;

		if (!try_once(dev, kernel, control, result, limit, &verdict, err))
			return false;
		lasted = clock_ns() - start;
		if (limit >= LOOKS_LAST || lasted > PATIENCE_NS)
			break;
		/* A loop of 2^26 looks that takes no time was folded away. */
		if (verdict == EXHAUSTED && limit > LOOKS_FIRST && lasted < 2 * HOLD_NS)
			verdict = IGNORED;
	}
	for (unsigned i = 0; verdict == WAITS && i < SPEED_TRIES; i++)
		if (!try_once(dev, kernel, control, result, LOOKS_LAST, &verdict, err))
			return false;
	*waits = verdict == WAITS;
	*why = reasons[verdict];
	return true;
}

static bool probe_forms(struct device *dev, const struct memory *control,
			const struct memory *result, struct error *err)
{
	struct capability_state *cap = &dev->caps[CAP_GATE];
	const char *why[GATE_COUNT] = { NULL };

	for (enum gate gate = GATE_LOAD; gate < GATE_COUNT; gate++) {
		bool waits = false;

		if (!try_gate(dev, gate, control, result, &waits, &why[gate], err))
			return false;
		if (!waits)
			continue;
		cap->have = true;
		dev->gate = gate;
		cap->note[0] = '\0';
		if (gate != GATE_LOAD)
			snprintf(cap->note, sizeof(cap->note),
				 "by %s, because with a plain atomic load %s",
				 gate == GATE_RMW ? "read-modify-write" : "volatile load",
				 why[GATE_LOAD]);
		return true;
	}
	snprintf(cap->note, sizeof(cap->note),
		 "no kernel waits for the host: %s (atomic load), %s (volatile), %s "
		 "(read-modify-write)",
		 why[GATE_LOAD], why[GATE_VOLATILE], why[GATE_RMW]);
	return true;
}

bool gate_probe(struct device *dev, struct error *err)
{
	struct capability_state *cap = &dev->caps[CAP_GATE];
	struct memory control = { 0 };
	struct memory result = { 0 };
	enum memory_kind kind =
		dev->caps[CAP_SVM_ATOMICS].have ? MEMORY_SVM_ATOMIC : MEMORY_SVM_FINE;
	const struct task task = { .workload = "gate" };
	bool ok;

	dev->gate = GATE_NONE;
	*cap = (struct capability_state){ 0 };
	if (device_lacks(dev, &task) || !dev->caps[CAP_SVM_FINE_BUFFER].have) {
		snprintf(cap->note, sizeof(cap->note),
			 "a gate needs fine-grained SVM and a compiler");
		return true;
	}
	ok = device_alloc(dev, kind, CONTROL_BYTES, &control, err) &&
	     device_alloc(dev, kind, sizeof(struct outcome), &result, err) &&
	     probe_forms(dev, &control, &result, err);
	device_release(dev, &result);
	device_release(dev, &control);
	return ok;
}

uint64_t gate_limit(const struct device *dev, double seconds)
{
	const double looks = (double)dev->gate_spins_per_s * seconds;

	return looks < 1e6 ? 1000000 : (uint64_t)fmin(looks, 1e15);
}
