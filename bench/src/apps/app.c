/* SPDX-License-Identifier: MIT */
/*
 * Application workloads: the three variants side by side, on the same input,
 * threads and device, sampled in turn and each output verified.
 */
#include "app.h"

#include "clock.h"
#include "point.h"
#include "result.h"
#include "sampler.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALIBRATION_ROUNDS  4
#define CALIBRATION_SAMPLES 3
#define LEAST_SHARE	    0.02

const char *const variant_names[VARIANT_COUNT + 1] = { "svm_atomics", "coarse", "plain" };

/* --- for the applications ----------------------------------------------- */

void *app_alloc(size_t size)
{
	const size_t line = APP_WORD_STRIDE * sizeof(uint32_t);
	const size_t rounded = (size + line - 1) / line * line;
	void *memory = aligned_alloc(line, rounded ? rounded : line);

	return memory ? memset(memory, 0, rounded) : NULL;
}

uint32_t app_skewed(uint64_t *random, unsigned factors)
{
	uint64_t product = UINT32_MAX;

	for (unsigned i = 0; i < factors; i++)
		product = product * (stats_random(random) >> 32) >> 32;
	return (uint32_t)product;
}

uint32_t app_device_part(const struct app_run *run, uint32_t count)
{
	return run->variant == VARIANT_SVM ? count : (uint32_t)lrint(run->share * count);
}

bool app_buffer_create(struct app_run *run, size_t size, struct app_buffer *buffer,
		       struct error *err)
{
	/* An empty part still needs an address to pass to the kernel. */
	if (!size)
		size = sizeof(uint32_t);
	if (!device_alloc(run->device, run->memory, size, &buffer->memory, err))
		return false;
	if (run->variant != VARIANT_PLAIN) {
		buffer->host = buffer->memory.host;
		return app_take(run, buffer, err);
	}
	buffer->host = app_alloc(size);
	return buffer->host ? true
			    : fail(err, EXIT_NO_MEMORY, "out of memory: use a smaller input");
}

void app_buffer_destroy(struct app_run *run, struct app_buffer *buffer)
{
	if (run->variant == VARIANT_PLAIN)
		free(buffer->host);
	/* A device that stopped answering may still write to its memory: leave it. */
	if (run->device_lost || !buffer->memory.size)
		return;
	if (buffer->mapped)
		device_unmap(run->device, &buffer->memory, NULL);
	device_release(run->device, &buffer->memory);
	*buffer = (struct app_buffer){ 0 };
}

bool app_take(struct app_run *run, struct app_buffer *buffer, struct error *err)
{
	if (run->variant != VARIANT_COARSE || buffer->mapped)
		return true;
	buffer->mapped = device_map(run->device, &buffer->memory, err);
	return buffer->mapped;
}

bool app_to_device(struct app_run *run, struct app_buffer *buffer, size_t size, struct error *err)
{
	if (run->variant == VARIANT_PLAIN)
		return !size || device_write(run->device, &buffer->memory, buffer->host, size, err);
	if (!buffer->mapped)
		return true;
	buffer->mapped = false;
	return device_unmap(run->device, &buffer->memory, err);
}

bool app_to_host(struct app_run *run, struct app_buffer *buffer, size_t size, struct error *err)
{
	if (run->variant == VARIANT_PLAIN)
		return !size || device_read(run->device, buffer->host, &buffer->memory, size, err);
	return app_take(run, buffer, err);
}

bool app_launch(struct app_run *run, const struct argument *args, size_t nargs, struct error *err)
{
	struct launch *launch =
		device_launch(run->device, run->kernel, args, nargs, run->global, run->group, err);

	return launch && device_wait(launch, run->timeout_ns, NULL, err);
}

static void crew_part(void *context, unsigned member)
{
	struct app_run *run = context;

	run->cpu(run, member);
}

void app_cpu_finished(struct app_run *run, uint64_t work)
{
	atomic_fetch_add(&run->cpu_work, work);
	/* The last thread to come by is the one that counts. */
	atomic_store(&run->cpu_ns, clock_ns() - run->began_ns);
}

bool app_together(struct app_run *run, app_cpu_work *cpu, app_device_work *device,
		  struct error *err)
{
	bool ok;

	run->cpu = cpu;
	run->began_ns = clock_ns();
	atomic_store(&run->device_ended, false);
	if (run->crew)
		crew_start(run->crew, crew_part, run);
	ok = device(run, err);
	run->device_ns = clock_ns() - run->began_ns;
	atomic_store(&run->device_ended, true);
	if (run->crew)
		crew_join(run->crew);
	return ok;
}

void app_cpu_alone(struct app_run *run, app_cpu_work *cpu)
{
	run->cpu = cpu;
	crew_start(run->crew, crew_part, run);
	crew_join(run->crew);
}

bool app_sample(struct app_run *run, double *seconds, struct error *err)
{
	uint64_t began;

	atomic_store(&run->cpu_work, 0);
	if (!run->app->reset(run, err))
		return false;
	began = clock_ns();
	if (!run->app->solve(run, err))
		return false;
	*seconds = (double)(clock_ns() - began) * 1e-9;
	return run->app->verify(run, err);
}

/* --- calibration -------------------------------------------------------- */

static void tear_down(struct app_run *run)
{
	if (run->state)
		run->app->teardown(run);
	run->state = NULL;
}

bool app_setup_again(struct app_run *run, double share, struct error *err)
{
	tear_down(run);
	run->share = share;
	return run->app->setup(run, err);
}

/* The best of a few samples for each side: what disturbed one is not its speed. */
static bool time_sides(struct app_run *run, uint64_t *device_ns, uint64_t *cpu_ns,
		       struct error *err)
{
	double seconds;

	*device_ns = UINT64_MAX;
	*cpu_ns = UINT64_MAX;
	for (unsigned i = 0; i < CALIBRATION_SAMPLES; i++) {
		if (!app_sample(run, &seconds, err))
			return false;
		if (run->device_ns < *device_ns)
			*device_ns = run->device_ns;
		if (run->cpu_ns < *cpu_ns)
			*cpu_ns = run->cpu_ns;
	}
	return true;
}

static double balanced_share(double share, uint64_t device_ns, uint64_t cpu_ns)
{
	const double device_speed = share / (double)(device_ns + 1);
	const double cpu_speed = (1 - share) / (double)(cpu_ns + 1);
	const double balanced = device_speed / (device_speed + cpu_speed);

	return fmin(fmax(balanced, LEAST_SHARE), 1 - LEAST_SHARE);
}

/*
 * Fixed costs make one step fall short of the balance, and a disturbed step may
 * miss it: take several, and keep the best that was seen.
 */
static bool find_balance(struct app_run *run, struct error *err)
{
	uint64_t best_ns = UINT64_MAX;
	double best = 0.5;
	double share = 0.5;

	for (unsigned round = 0; round < CALIBRATION_ROUNDS; round++) {
		uint64_t device_ns, cpu_ns, later_ns;

		if (!app_setup_again(run, share, err) || !time_sides(run, &device_ns, &cpu_ns, err))
			return false;
		later_ns = device_ns > cpu_ns ? device_ns : cpu_ns;
		if (later_ns < best_ns) {
			best_ns = later_ns;
			best = share;
		}
		share = balanced_share(share, device_ns, cpu_ns);
	}
	return app_setup_again(run, best, err);
}

bool app_calibrate_split(struct app_run *run, struct error *err)
{
	double warm_up;

	if (!run->crew || run->variant == VARIANT_SVM)
		return app_setup_again(run, 1, err) && app_sample(run, &warm_up, err);
	if (!find_balance(run, err) || !app_sample(run, &warm_up, err))
		return false;
	snprintf(run->remark, sizeof(run->remark), "the device gets %.0f%% of the input",
		 100 * run->share);
	return true;
}

/* --- one point ---------------------------------------------------------- */

struct bench {
	const struct app *app;
	const struct session *session;
	struct point point;
	void *input;
	struct crew *crew;
	struct app_run runs[VARIANT_COUNT];
	bool able[VARIANT_COUNT];
	struct samples speedup;
	struct samples device_share; /* of the work, where it is shared out as it goes */
	struct sampler sampler;
	char reason[480]; /* why the last variant was left out */
	json_t *json;
};

static void note_oversubscribed(struct bench *bench, bool threads)
{
	if (threads)
		point_note(bench->json, "over-subscribed: host threads share CPUs with each other "
					"or with the device");
	point_note_confined(bench->session->device, bench->json);
}

static bool place_threads(struct bench *bench, struct error *err)
{
	const struct session *session = bench->session;
	bool oversubscribed;

	if (!topology_hire(session->topology, session->device, bench->point.placement,
			   bench->point.cpu_threads, &bench->crew, &oversubscribed, err))
		return false;
	note_oversubscribed(bench, oversubscribed);
	return true;
}

/* The memory of a variant, or false with the device's own reason in bench->reason. */
static bool choose_memory(struct bench *bench, enum variant variant, enum memory_kind *kind)
{
	const struct capability_state *caps = bench->session->device->caps;
	enum capability missing = variant == VARIANT_SVM ? CAP_SVM_ATOMICS : CAP_SVM_COARSE;

	*kind = variant == VARIANT_SVM	    ? MEMORY_SVM_ATOMIC
		: variant == VARIANT_COARSE ? MEMORY_SVM_COARSE
					    : MEMORY_PLAIN;
	if (variant == VARIANT_PLAIN || caps[missing].have)
		return true;
	if (variant == VARIANT_SVM && bench->session->allow_unclaimed &&
	    caps[CAP_SVM_FINE_BUFFER].have) {
		*kind = MEMORY_SVM_FINE;
		return true;
	}
	snprintf(bench->reason, sizeof(bench->reason), "%s", caps[missing].note);
	return false;
}

static bool prepare_kernel(struct bench *bench, struct app_run *run, struct error *err)
{
	const struct task task = {
		.workload = bench->app->workload->name,
		.entry = bench->app->workload->name,
		.op = OP_FETCH_ADD,
		.type = TYPE_UINT,
		.order = ORDER_RELAXED,
		.scope = run->variant == VARIANT_SVM ? SCOPE_ALL_DEVICES : SCOPE_DEVICE,
		.broken = bench->session->broken,
	};

	run->kernel = device_prepare(run->device, &task, err);
	return run->kernel;
}

static void note_variant(struct bench *bench, const struct app_run *run)
{
	struct point point = bench->point;

	if (run->remark[0])
		point_note(bench->json, "%s, %s: %s", bench->app->workload->name,
			   variant_names[run->variant], run->remark);
	point.scope = SCOPE_ALL_DEVICES;
	if (run->variant == VARIANT_SVM)
		point_note_fallbacks(bench->session, &point, bench->json);
}

/* Ready to sample; false with bench->reason where the device cannot, with @err where it fails. */
static bool start_variant(struct bench *bench, enum variant variant, struct error *err)
{
	struct app_run *run = &bench->runs[variant];
	struct error why = { 0 };

	*run = (struct app_run){
		.app = bench->app,
		.variant = variant,
		.device = bench->session->device,
		.crew = bench->crew,
		.global = bench->point.work_items,
		.group = bench->point.group_size,
		.timeout_ns = (uint64_t)(bench->session->timeout_s * 1e9),
		.input = bench->input,
	};
	if (!choose_memory(bench, variant, &run->memory))
		return false;
	if (prepare_kernel(bench, run, &why) && bench->app->calibrate(run, &why)) {
		note_variant(bench, run);
		return true;
	}
	if (why.code == EXIT_UNAVAILABLE)
		snprintf(bench->reason, sizeof(bench->reason), "%s", why.text);
	else
		fail(err, why.code, "%s", why.text);
	return false;
}

static bool interrupted(const struct bench *bench)
{
	return bench->session->interrupted && bench->session->interrupted();
}

static bool start_variants(struct bench *bench, struct error *err)
{
	for (enum variant variant = 0; variant < VARIANT_COUNT; variant++) {
		if (interrupted(bench))
			return true;
		bench->able[variant] = start_variant(bench, variant, err);
		if (err->code != EXIT_OK)
			return false;
		if (!bench->able[variant])
			point_note(bench->json, "%s: left out: %s", variant_names[variant],
				   bench->reason);
	}
	return true;
}

static bool add_sample(struct samples *samples, double value, struct error *err)
{
	return samples_add(samples, value) ? true : fail(err, EXIT_NO_MEMORY, "out of memory");
}

static bool add_figures(struct bench *bench, const double *seconds, struct error *err)
{
	const struct app_run *shared = &bench->runs[VARIANT_SVM];
	const double best = fmin(seconds[VARIANT_COARSE], seconds[VARIANT_PLAIN]);
	const double cpu_share = (double)shared->cpu_work / (double)shared->work;

	for (enum variant variant = 0; variant < VARIANT_COUNT; variant++)
		if (bench->able[variant] &&
		    !add_sample(&bench->runs[variant].samples, seconds[variant], err))
			return false;
	if (!bench->able[VARIANT_SVM])
		return true;
	if (!isnan(best) && !add_sample(&bench->speedup, best / seconds[VARIANT_SVM], err))
		return false;
	return add_sample(&bench->device_share, 1 - cpu_share, err);
}

/* One sample of each, one after the other, so that a slow spell of the machine hits all. */
static bool take_turn(struct bench *bench, struct error *err)
{
	double seconds[VARIANT_COUNT] = { NAN, NAN, NAN };

	for (enum variant variant = 0; variant < VARIANT_COUNT; variant++)
		if (bench->able[variant] &&
		    !app_sample(&bench->runs[variant], &seconds[variant], err))
			return false;
	bench->sampler.taken++;
	return add_figures(bench, seconds, err);
}

static bool take_samples(struct bench *bench, struct error *err)
{
	const struct samples *watched[VARIANT_COUNT];
	size_t count = 0;

	for (enum variant variant = 0; variant < VARIANT_COUNT; variant++)
		if (bench->able[variant])
			watched[count++] = &bench->runs[variant].samples;
	sampler_begin(&bench->sampler, bench->session);
	while (sampler_more(&bench->sampler, watched, count))
		if (!take_turn(bench, err))
			return false;
	return true;
}

static void describe(struct bench *bench)
{
	const uint64_t seed = bench->session->seed;
	json_t *out = bench->json;

	point_describe(out, bench->session, &bench->sampler);
	for (enum variant variant = 0; variant < VARIANT_COUNT; variant++)
		point_measure(out, variant_names[variant], "s", BETTER_LOWER,
			      &bench->runs[variant].samples, seed);
	point_measure(out, "speedup", "ratio", BETTER_HIGHER, &bench->speedup, seed);
	point_measure(out, "device_share", "share", BETTER_NEITHER, &bench->device_share, seed);
}

static bool any_able(const struct bench *bench)
{
	for (enum variant variant = 0; variant < VARIANT_COUNT; variant++)
		if (bench->able[variant])
			return true;
	return false;
}

static bool measure_variants(struct bench *bench, struct error *err)
{
	if (!start_variants(bench, err))
		return false;
	if (!any_able(bench) && !interrupted(bench)) {
		point_refuse(bench->json, "%s", bench->reason);
		return true;
	}
	if (!take_samples(bench, err))
		return false;
	describe(bench);
	return true;
}

static bool measure_point(struct bench *bench, struct error *err)
{
	const struct effort *effort = &bench->session->effort;
	struct error why = { 0 };

	if (!place_threads(bench, &why)) {
		if (why.code != EXIT_UNAVAILABLE)
			return fail(err, why.code, "%s", why.text);
		point_refuse(bench->json, "%s", why.text);
		return true;
	}
	bench->input = bench->app->input_create(bench->session->seed, effort->app_scale);
	if (!bench->input)
		return fail(err, EXIT_NO_MEMORY, "%s: no memory for the input: use a smaller one",
			    bench->app->workload->name);
	return measure_variants(bench, err);
}

static void clear(struct bench *bench, bool device_lost)
{
	for (enum variant variant = 0; variant < VARIANT_COUNT; variant++) {
		bench->runs[variant].device_lost = device_lost;
		tear_down(&bench->runs[variant]);
		samples_clear(&bench->runs[variant].samples);
	}
	samples_clear(&bench->speedup);
	samples_clear(&bench->device_share);
	crew_destroy(bench->crew);
	if (bench->input)
		bench->app->input_destroy(bench->input);
}

bool app_measure(const struct app *app, const struct session *session, const struct point *point,
		 json_t **out, struct error *err)
{
	struct bench bench = { .app = app, .session = session, .point = *point };
	bool ok;

	*out = NULL;
	point_resolve(session->device, &bench.point);
	bench.json = point_new(session, app->workload, &bench.point, err);
	if (!bench.json)
		return false;
	ok = measure_point(&bench, err);
	clear(&bench, err->code == EXIT_DEVICE_LOST);
	if (err->code == EXIT_LOST_UPDATE)
		point_lost_update(bench.json, err->text);
	if (ok || err->code == EXIT_LOST_UPDATE)
		*out = bench.json;
	else
		json_decref(bench.json);
	return ok;
}
