/* SPDX-License-Identifier: MIT */
/*
 * From options to a result document: open each device, measure its plan, keep
 * what was measured whatever happens.
 */
#include "runner.h"

#include "clock.h"
#include "environment.h"
#include "point.h"
#include "progress.h"
#include "result.h"
#include "selfcheck.h"

#include <limits.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

/* The one thing a signal handler may touch. */
static volatile sig_atomic_t stop_requested;

static void request_stop(int number)
{
	(void)number;
	stop_requested = 1;
}

static bool interrupted(void)
{
	return stop_requested;
}

/* The second signal kills: SA_RESETHAND puts the default back. */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = request_stop, .sa_flags = SA_RESETHAND };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/*
 * With a CPU for each side there is none left for who says stop: it would wait for a
 * tick. It sleeps nearly all the time; the threads it starts are ordinary ones. Not
 * everybody may ask for that, and then it goes without.
 */
static void come_first(void)
{
	const struct sched_param least = { .sched_priority = 1 };

	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &least);
	/* The end of a leg is seen by a thread that sleeps: by default 50 us too long. */
	prctl(PR_SET_TIMERSLACK, 1UL);
}

/* --- the document ------------------------------------------------------- */

json_t *run_capabilities(const struct device *dev)
{
	json_t *all = json_object();

	for (int cap = 0; cap < CAP_COUNT; cap++) {
		const struct capability_state *state = &dev->caps[cap];
		json_t *json = json_pack("{s:b}", "have", (int)state->have);

		if (state->note[0])
			json_object_set_new(json, "note", json_string(state->note));
		json_object_set_new(all, capability_names[cap], json);
	}
	return all;
}

json_t *run_device_json(const struct device *dev, const struct topology *topology)
{
	json_t *json = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:o}", "name", dev->name,
		"kind", device_kind_names[dev->kind], "backend", dev->ops->backend, "platform",
		dev->platform, "platform_version", dev->platform_version, "driver", dev->driver,
		"version", dev->version, "dialect", dev->dialect, "units", (int)dev->units, "gate",
		gate_names[dev->gate], "capabilities", run_capabilities(dev));
	char *cpus = NULL;

	if (dev->open_units)
		json_object_set_new(json, "open_units", json_integer(dev->open_units));
	if (topology && !hwloc_bitmap_iszero(topology->device_cpus) &&
	    hwloc_bitmap_list_asprintf(&cpus, topology->device_cpus) >= 0)
		json_object_set_new(json, "cpus", json_string(cpus));
	free(cpus);
	return json;
}

static json_t *document_new(const struct run_options *options, const struct topology *topology)
{
	const time_t now = time(NULL);
	struct tm utc;
	char started[32];

	gmtime_r(&now, &utc);
	strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", &utc);
	return json_pack("{s:s, s:s, s:s, s:f, s:b, s:I, s:s, s:o, s:[], s:[]}", "schema",
			 RESULT_SCHEMA, "version", VERSION, "started", started, "elapsed_s", 0.0,
			 "partial", 0, "seed", (json_int_t)options->seed, "profile",
			 options->request.has_axes ? "custom" : options->request.profile->name,
			 "environment", environment_json(topology->hwloc), "devices", "points");
}

static void mark_partial(json_t *result, const char *why)
{
	json_object_set_new(result, "partial", json_true());
	json_object_set_new(result, "partial_reason", json_string(why));
}

/* --- measuring ---------------------------------------------------------- */

struct run {
	const struct run_options *options;
	struct topology topology;
	struct device_list devices;
	json_t *result;
};

static void entry_label(const struct session *session, const struct plan_entry *entry, char *out,
			size_t size)
{
	struct point resolved = entry->point;
	json_t *json;

	point_resolve(session->device, &resolved);
	json = point_new(session, entry->workload, &resolved, NULL);
	if (json)
		result_point_label(json, out, size);
	json_decref(json);
}

static bool measure_plan(struct run *run, const struct session *session, const struct plan *plan,
			 struct error *err)
{
	json_t *points = json_object_get(run->result, "points");
	struct progress progress;
	bool ok = true;

	progress_begin(&progress, plan->count, run->options->quiet);
	for (size_t i = 0; ok && i < plan->count && !interrupted(); i++) {
		const struct plan_entry *entry = &plan->entries[i];
		char label[160] = "";
		json_t *point = NULL;

		entry_label(session, entry, label, sizeof(label));
		progress_point(&progress, i, label);
		ok = entry->workload->measure(session, &entry->point, &point, err);
		if (point && (ok || err->code == EXIT_LOST_UPDATE))
			json_array_append(points, point);
		json_decref(point);
	}
	progress_end(&progress);
	return ok;
}

static bool measure_device(struct run *run, struct device *dev, struct error *err)
{
	const struct run_options *options = run->options;
	json_t *devices = json_object_get(run->result, "devices");
	struct session session = { .topology = &run->topology,
				   .device = dev,
				   .device_index = (unsigned)json_array_size(devices),
				   .effort = options->effort,
				   .seed = options->seed,
				   .timeout_s = options->timeout_s,
				   .allow_unclaimed = options->allow_unclaimed,
				   .no_gate = options->no_gate,
				   .broken = options->broken,
				   .interrupted = interrupted };
	struct plan plan;
	bool ok;

	if (!plan_make(&plan, &options->request, dev, run->topology.cpus, err))
		return false;
	dev->timeout_ns = (uint64_t)(options->timeout_s * 1e9);
	ok = device_open(dev, topology_split(&run->topology, dev, plan_cpu_threads(&plan)), err);
	json_array_append_new(devices, run_device_json(dev, &run->topology));
	if (ok && options->self_check)
		ok = selfcheck_run(&session, run->result, err);
	else if (ok)
		ok = measure_plan(run, &session, &plan, err);
	/* A lost device's driver may hang when asked to clean up. */
	if (ok || err->code != EXIT_DEVICE_LOST)
		device_close(dev);
	plan_clear(&plan);
	return ok;
}

static bool measure_devices(struct run *run, struct error *err)
{
	const unsigned wanted = run->options->device;
	const size_t count = run->devices.count;

	if (wanted != RUN_ALL_DEVICES && wanted >= count)
		return fail(err, EXIT_USAGE_ERROR,
			    "there is no device %u: `svmatomic-bench list devices` shows 0 to %zu",
			    wanted, count - 1);
	for (size_t i = 0; i < count && !interrupted(); i++)
		if ((wanted == RUN_ALL_DEVICES || wanted == i) &&
		    !measure_device(run, run->devices.devices[i], err))
			return false;
	return true;
}

/* Threads for a CPU device that cannot be partitioned: what the host threads leave. */
static unsigned cpu_units(const struct run_options *options, unsigned cpus)
{
	const struct device any = { .kind = DEVICE_CPU, .units = cpus };
	struct plan plan;
	unsigned threads;

	if (!plan_make(&plan, &options->request, &any, cpus, NULL))
		return 0;
	threads = plan_cpu_threads(&plan);
	plan_clear(&plan);
	return threads < cpus ? cpus - threads : 1;
}

/* Nothing but refusals is no result: say why the first was refused. */
static bool measured_anything(const json_t *result, struct error *err)
{
	const json_t *points = json_object_get(result, "points");
	const json_t *first = json_array_get(points, 0);
	const json_t *point;
	size_t i;

	if (json_object_get(result, "self_check") ||
	    json_boolean_value(json_object_get(result, "partial")))
		return true;
	json_array_foreach (points, i, point)
		if (strcmp(json_string_value(json_object_get(point, "status")), "refused"))
			return true;
	return fail(err, EXIT_UNAVAILABLE,
		    "nothing could be measured: %s; `svmatomic-bench list devices` says what each "
		    "device can do, -d chooses one",
		    first ? json_string_value(json_object_get(first, "reason")) : "no points");
}

static bool run_all(struct run *run, struct error *err)
{
	if (!device_list_fill(&run->devices, cpu_units(run->options, run->topology.cpus), err))
		return false;
	return measure_devices(run, err) && measured_anything(run->result, err);
}

enum exit_code run_measure(const struct run_options *options, json_t **result, struct error *err)
{
	struct run run = { .options = options };
	const uint64_t began = clock_ns();
	bool ok;

	*result = NULL;
	if (!topology_init(&run.topology, err))
		return err->code;
	run.result = *result = document_new(options, &run.topology);
	if (!run.result) {
		fail(err, EXIT_NO_MEMORY, "out of memory");
		return EXIT_NO_MEMORY;
	}
	catch_signals();
	come_first();
	ok = run_all(&run, err);
	if (ok && interrupted())
		ok = fail(err, EXIT_INTERRUPTED,
			  "interrupted; what was measured is kept, marked partial");
	if (!ok)
		mark_partial(run.result, err->text);
	json_object_set_new(run.result, "elapsed_s",
			    json_real((double)(clock_ns() - began) * 1e-9));
	if (ok || err->code != EXIT_DEVICE_LOST)
		device_list_clear(&run.devices);
	topology_clear(&run.topology);
	return ok ? EXIT_OK : err->code;
}
