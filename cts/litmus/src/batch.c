/* SPDX-License-Identifier: MIT */
/*
 * One launch: reset, start both sides, wait, count.
 */
#include "clock.h"
#include "engine.h"
#include "engine_parts.h"
#include "hostside.h"

#include <string.h>

/*
 * How long threads wait for each other: at the first instance, where the last may have to be
 * woken up on a busy machine; at each other one; in all of a batch. Threads that take turns on a
 * core are given the time for it, and few instances.
 */
#define FIRST_NS	  50000000u
#define PATIENCE_NS	  3000u
#define BUDGET_NS	  20000000u
#define CROWDED_NS	  300000u
#define CROWDED_BUDGET_NS 10000000u
#define CROWDED_INSTANCES 512u

/* Which thread each work-item of a team is, on one device. */
struct layout {
	unsigned groups;
	unsigned items; /* of a group */
	int roles[MAX_THREADS * MAX_THREADS];
};

struct batch {
	struct engine *engine;
	const struct program *program;
	const struct environment *environment;
	uint32_t seed;
	unsigned instance_words;
	uint32_t multiplier;
	unsigned instances;
	unsigned teams;
	bool crowded; /* more threads than CPUs */
	bool concurrent;
};

static void lay_out(const struct program *program, unsigned device, struct layout *out)
{
	unsigned items[MAX_THREADS] = { 0 };
	unsigned next[MAX_THREADS] = { 0 };

	*out = (struct layout){ 0 };
	memset(out->roles, -1, sizeof(out->roles));
	for (unsigned t = 0; t < program->threads; t++) {
		const struct place *place = &program->thread[t].place;

		if (place->host || place->device != device)
			continue;
		items[place->group]++;
		if (items[place->group] > out->items)
			out->items = items[place->group];
		if (place->group >= out->groups)
			out->groups = place->group + 1u;
	}
	for (unsigned t = 0; t < program->threads; t++) {
		const struct place *place = &program->thread[t].place;

		if (!place->host && place->device == device)
			out->roles[place->group * out->items + next[place->group]++] = (int)t;
	}
}

static unsigned own_cpus(const struct engine *engine, const struct program *program)
{
	unsigned wanted = 0;

	for (unsigned t = 0; t < program->threads; t++)
		wanted += program->thread[t].place.host || engine->cpu_device;
	return wanted;
}

static void take_cores(struct engine *engine, const struct program *program)
{
	unsigned hosts = 0;
	unsigned groups[MAX_DEVICES] = { 0 };

	for (unsigned t = 0; t < program->threads; t++) {
		const struct place *place = &program->thread[t].place;

		if (place->host)
			hosts++;
		else if (place->group >= groups[place->device])
			groups[place->device] = place->group + 1u;
	}
	cores_bind(&engine->cores, hosts, engine->cpu_device ? groups[0] + groups[1] : 0);
}

static bool all_on_first_device(const struct program *program)
{
	for (unsigned t = 0; t < program->threads; t++)
		if (program->thread[t].place.host || program->thread[t].place.device)
			return false;
	return true;
}

/* A wide device runs many teams side by side; with others, one: the others are alone too. */
static unsigned count_teams(const struct engine *engine, const struct program *program)
{
	const unsigned threads = program->threads;
	cl_uint units = 1;

	if (!all_on_first_device(program))
		return 1;
	if (engine->cpu_device)
		return engine->cores.count > threads ? engine->cores.count / threads : 1;
	clGetDeviceInfo(engine->device[0].id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof(units), &units,
			NULL);
	return units > threads ? units / threads : 1;
}

static void prepare(struct batch *batch)
{
	const struct environment *environment = batch->environment;
	const struct engine *engine = batch->engine;
	const unsigned words = batch->program->locations * environment->stride;

	batch->instance_words = (words + 15) & ~15u;
	/* Odd: every instance is visited once. */
	batch->multiplier = (batch->seed & 7) ? 1 : (batch->seed >> 3) | 1;
	batch->teams = count_teams(engine, batch->program);
	batch->crowded = own_cpus(engine, batch->program) > engine->cores.count;
	batch->concurrent = engine_concurrent(engine, batch->program);
	batch->instances = batch->crowded ? CROWDED_INSTANCES : INSTANCES;
}

static bool reset(struct batch *batch, struct error *err)
{
	struct engine *engine = batch->engine;
	const size_t used = (size_t)batch->instances * batch->instance_words * sizeof(uint32_t);
	const size_t met = (size_t)batch->instances * MEET_WORDS * sizeof(uint32_t);
	uint32_t *memory = engine->area[AREA_MEMORY].host;

	for (unsigned i = 0; i < batch->instances; i++)
		for (unsigned l = 0; l < batch->program->locations; l++)
			memory[i * batch->instance_words + l * batch->environment->stride] =
				batch->program->initial[l];
	memset(engine->area[AREA_MEET].host, 0, met);
	return area_to_device(engine, 0, AREA_MEMORY, used, err) &&
	       area_to_device(engine, 0, AREA_MEET, met, err);
}

/*
 * Threads that share a core interleave only where one is interrupted, which had better be within
 * a pause.
 */
static unsigned pause_scale(const struct batch *batch)
{
	return batch->environment->pause_scale * (batch->crowded ? 16 : 1);
}

struct patience {
	uint64_t first_ns;
	uint64_t each_ns;
	uint64_t budget_ns;
};

/* Nobody waits for what does not run at the same time, or takes turns at least. */
static struct patience patience_of(const struct batch *batch)
{
	if (!batch->concurrent && !batch->crowded)
		return (struct patience){ 0 };
	return (struct patience){
		.first_ns = FIRST_NS,
		.each_ns = batch->crowded ? CROWDED_NS : PATIENCE_NS,
		.budget_ns = batch->crowded ? CROWDED_BUDGET_NS : BUDGET_NS,
	};
}

static cl_int set_arguments(const struct batch *batch, cl_kernel kernel, unsigned device,
			    const struct layout *layout)
{
	const struct environment *environment = batch->environment;
	const struct patience patience = patience_of(batch);
	const cl_uint numbers[] = {
		batch->instances,
		MEET_WORDS,
		batch->instance_words,
		environment->stride,
		batch->multiplier,
		batch->program->threads,
		layout->groups,
		batch->teams,
		engine_looks(batch->engine, patience.each_ns),
		engine_looks(batch->engine, patience.first_ns),
		engine_looks(batch->engine, patience.budget_ns),
		environment->skew_mask,
		environment->pause_share,
		environment->pause_mask,
		pause_scale(batch),
		batch->seed,
	};
	const enum area_name areas[] = { AREA_MEMORY,	      AREA_MEET,  AREA_RESULTS,
					 AREA_ROLES + device, AREA_CODES, AREA_NOISE };
	cl_uint index = 0;
	cl_int code = CL_SUCCESS;

	for (size_t i = 0; !code && i < sizeof(areas) / sizeof(areas[0]); i++)
		code = area_argument(&batch->engine->area[areas[i]], kernel, index++);
	for (size_t i = 0; !code && i < sizeof(numbers) / sizeof(numbers[0]); i++)
		code = clSetKernelArg(kernel, index++, sizeof(numbers[i]), &numbers[i]);
	return code;
}

static bool launch(struct batch *batch, unsigned device, struct error *err)
{
	struct engine *engine = batch->engine;
	struct cts_device *dev = &engine->device[device];
	struct layout layout;
	cl_kernel kernel;
	size_t groups;
	size_t global;
	size_t local;
	cl_int code;

	lay_out(batch->program, device, &layout);
	if (!layout.groups)
		return true;
	kernel = engine_kernel(engine, device, layout.items > 1 ? KERNEL_TOGETHER : KERNEL_APART,
			       err);
	if (!kernel)
		return false;
	memcpy(engine->area[AREA_ROLES + device].host, layout.roles, sizeof(layout.roles));
	if (!area_to_device(engine, device, AREA_ROLES + device, sizeof(layout.roles), err))
		return false;
	groups = (size_t)batch->teams * layout.groups;
	if (batch->environment->noise &&
	    (!engine->cpu_device || engine->cores.count > groups + batch->program->threads))
		groups += layout.groups;
	local = layout.items;
	global = groups * local;
	code = set_arguments(batch, kernel, device, &layout);
	if (!code)
		code = clEnqueueNDRangeKernel(dev->queue, kernel, 1, NULL, &global, &local, 0, NULL,
					      NULL);
	if (!code)
		code = clFlush(dev->queue);
	return code ? cts_fail(err, code, dev, "launching a kernel") : true;
}

static void start_host(const struct batch *batch, struct host_batch *host)
{
	const struct patience patience = patience_of(batch);
	struct engine *engine = batch->engine;

	*host = (struct host_batch){
		.program = batch->program,
		.environment = batch->environment,
		.memory = engine->area[AREA_MEMORY].host,
		.meet = engine->area[AREA_MEET].host,
		.results = engine->area[AREA_RESULTS].host,
		.instances = batch->instances,
		.meet_words = MEET_WORDS,
		.instance_words = batch->instance_words,
		.multiplier = batch->multiplier,
		.seed = batch->seed,
		.first_patience_ns = patience.first_ns,
		.patience_ns = patience.each_ns,
		.budget_ns = patience.budget_ns,
		.pause_scale = pause_scale(batch),
		.sleeps = batch->crowded,
	};
	for (unsigned t = 0; t < batch->program->threads; t++)
		if (batch->program->thread[t].place.host)
			host->thread[host->members++] = t;
	if (host->members)
		crew_start(engine->cores.crew, host_run, host);
}

static bool finish(struct batch *batch, const struct host_batch *host, struct error *err)
{
	struct engine *engine = batch->engine;
	bool ok = true;

	for (unsigned d = 0; d < engine->devices; d++) {
		const cl_int code = clFinish(engine->device[d].queue);

		if (code)
			ok = cts_fail(err, code, &engine->device[d], "waiting for a kernel");
	}
	if (host->members)
		crew_join(engine->cores.crew);
	return ok &&
	       area_from_device(engine, 0, AREA_RESULTS,
				sizeof(uint32_t) * batch->instances * batch->program->threads,
				err) &&
	       area_from_device(engine, 0, AREA_MEMORY,
				sizeof(uint32_t) * batch->instances * batch->instance_words, err);
}

static void count(const struct batch *batch, struct tally *out)
{
	const struct program *program = batch->program;
	const uint32_t *results = batch->engine->area[AREA_RESULTS].host;
	const uint32_t *memory = batch->engine->area[AREA_MEMORY].host;

	for (unsigned i = 0; i < batch->instances; i++) {
		outcome_t outcome = 0;
		bool met = true;

		for (unsigned t = 0; t < program->threads; t++) {
			const uint32_t seen = results[t * batch->instances + i];

			for (unsigned r = 0; r < MAX_REGISTERS; r++)
				outcome =
					outcome_with(outcome, register_slot(t, r), seen >> (3 * r));
			met = met && (seen & RESULT_MET);
		}
		for (unsigned l = 0; l < program->locations; l++)
			outcome = outcome_with(
				outcome, location_slot(l),
				memory[i * batch->instance_words + l * batch->environment->stride]);
		tally_add(out, outcome, met);
	}
}

bool engine_batch(struct engine *engine, const struct program *program, const struct codes *codes,
		  const struct environment *environment, uint32_t seed, struct tally *out,
		  struct error *err)
{
	struct batch batch = {
		.engine = engine, .program = program, .environment = environment, .seed = seed
	};
	struct host_batch host = { 0 };
	bool ok = true;
	int *numbers;

	if (!areas_for(engine, program->svm, err))
		return false;
	prepare(&batch);
	take_cores(engine, program);
	numbers = engine->area[AREA_CODES].host;
	for (unsigned t = 0; t < program->threads; t++)
		numbers[t] = codes_find(codes, &program->thread[t]);
	if (!reset(&batch, err) ||
	    !area_to_device(engine, 0, AREA_CODES, MAX_THREADS * sizeof(int), err))
		return false;
	/* The host first: some devices run a kernel before they return from its launch. */
	start_host(&batch, &host);
	for (unsigned d = 0; ok && d < engine->devices; d++)
		ok = launch(&batch, d, err);
	if (!finish(&batch, &host, err) || !ok)
		return false;
	count(&batch, out);
	return true;
}
