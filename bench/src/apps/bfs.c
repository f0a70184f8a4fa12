/* SPDX-License-Identifier: MIT */
/*
 * Breadth-first search: phases of very unequal size over irregular data. What
 * SVM atomics bring here is that both sides work on a level, and that nothing
 * moves between levels.
 */
#include "app.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* kernels/bfs.cl has the same numbers. */
#define UNSEEN		  UINT32_MAX
#define CHUNK		  64u
#define WORD_CURSOR	  0
#define WORD_NEXT	  APP_WORD_STRIDE
#define WORDS		  (2 * APP_WORD_STRIDE)

#define BASE_VERTICES	  (1u << 18)
#define MEAN_DEGREE	  16u
#define SCATTER		  0x9e3779b1u /* odd: a permutation of the vertices */
#define STAGE		  256u
#define CANDIDATE_SAMPLES 3

/* In compressed sparse rows: edges of v are targets[offsets[v]] to [offsets[v + 1]]. */
struct input {
	uint32_t vertices;
	uint32_t edges;
	uint32_t source;
	uint32_t reached;
	uint32_t *offsets;
	uint32_t *targets;
	uint32_t *levels; /* the reference */
};

struct state {
	struct app_buffer offsets;
	struct app_buffer targets;
	struct app_buffer levels;
	struct app_buffer words;
	struct app_buffer frontier[2];
	uint32_t threshold; /* smaller levels are the CPU's */
	/* The level at hand. */
	uint32_t level;
	uint32_t size;
	unsigned current; /* which frontier */
	uint32_t reached;
	bool on_device; /* who has the search, where only one side can */
	bool graph_sent;
};

/* --- input -------------------------------------------------------------- */

static void destroy_input(void *data)
{
	struct input *input = data;

	free(input->offsets);
	free(input->targets);
	free(input->levels);
	free(input);
}

/* A few vertices have very many edges, and they are not neighbours in memory. */
static uint32_t random_vertex(const struct input *input, uint64_t *random)
{
	const uint64_t fraction = app_skewed(random, 3);

	return (uint32_t)(fraction * input->vertices >> 32) * SCATTER & (input->vertices - 1);
}

/* Undirected edges, each in both directions; @ends has two words for each. */
static void build_rows(struct input *input, const uint32_t *ends)
{
	uint32_t *next = input->levels; /* free until search() */

	for (uint32_t i = 0; i < input->edges; i++)
		input->offsets[ends[i] + 1]++;
	for (uint32_t v = 0; v < input->vertices; v++) {
		input->offsets[v + 1] += input->offsets[v];
		next[v] = input->offsets[v];
	}
	for (uint32_t i = 0; i < input->edges; i++)
		input->targets[next[ends[i]]++] = ends[i ^ 1];
}

static uint32_t degree(const struct input *input, uint32_t vertex)
{
	return input->offsets[vertex + 1] - input->offsets[vertex];
}

/* The sequential search, from the vertex with most edges. */
static void search(struct input *input, uint32_t *queue)
{
	uint32_t tail = 0;

	for (uint32_t v = 0; v < input->vertices; v++) {
		input->levels[v] = UNSEEN;
		if (degree(input, v) > degree(input, input->source))
			input->source = v;
	}
	input->levels[input->source] = 0;
	queue[tail++] = input->source;
	for (uint32_t head = 0; head < tail; head++) {
		const uint32_t v = queue[head];

		for (uint32_t edge = input->offsets[v]; edge < input->offsets[v + 1]; edge++) {
			const uint32_t target = input->targets[edge];

			if (input->levels[target] != UNSEEN)
				continue;
			input->levels[target] = input->levels[v] + 1;
			queue[tail++] = target;
		}
	}
	input->reached = tail;
}

static void *create_input(uint64_t seed, unsigned scale)
{
	struct input *input = app_alloc(sizeof(*input));
	uint32_t *scratch;

	if (!input)
		return NULL;
	input->vertices = BASE_VERTICES << scale;
	input->edges = input->vertices * MEAN_DEGREE;
	input->offsets = app_alloc((input->vertices + 1) * sizeof(uint32_t));
	input->targets = app_alloc(input->edges * sizeof(uint32_t));
	input->levels = app_alloc(input->vertices * sizeof(uint32_t));
	scratch = app_alloc(input->edges * sizeof(uint32_t));
	if (!input->offsets || !input->targets || !input->levels || !scratch) {
		free(scratch);
		destroy_input(input);
		return NULL;
	}
	for (uint32_t i = 0; i < input->edges; i++)
		scratch[i] = random_vertex(input, &seed);
	build_rows(input, scratch);
	search(input, scratch);
	free(scratch);
	return input;
}

/* --- set up ------------------------------------------------------------- */

static bool setup(struct app_run *run, struct error *err)
{
	const struct input *input = run->input;
	const size_t rows = (input->vertices + 1) * sizeof(uint32_t);
	const size_t edges = input->edges * sizeof(uint32_t);
	const size_t vertices = input->vertices * sizeof(uint32_t);
	struct state *state = app_alloc(sizeof(*state));

	run->state = state;
	if (!state)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	run->work = input->reached;
	/* The share is that of a level's vertices in the graph; over 1: no level at all. */
	state->threshold = run->share > 1 ? UNSEEN : (uint32_t)(run->share * input->vertices);
	if (!app_buffer_create(run, rows, &state->offsets, err) ||
	    !app_buffer_create(run, edges, &state->targets, err) ||
	    !app_buffer_create(run, vertices, &state->levels, err) ||
	    !app_buffer_create(run, vertices, &state->frontier[0], err) ||
	    !app_buffer_create(run, vertices, &state->frontier[1], err) ||
	    !app_buffer_create(run, WORDS * sizeof(uint32_t), &state->words, err))
		return false;
	memcpy(state->offsets.host, input->offsets, rows);
	memcpy(state->targets.host, input->targets, edges);
	return true;
}

static void teardown(struct app_run *run)
{
	struct state *state = run->state;

	app_buffer_destroy(run, &state->offsets);
	app_buffer_destroy(run, &state->targets);
	app_buffer_destroy(run, &state->levels);
	app_buffer_destroy(run, &state->frontier[0]);
	app_buffer_destroy(run, &state->frontier[1]);
	app_buffer_destroy(run, &state->words);
	free(state);
}

/* The search starts on the host, whose structures are the buffers' host side. */
static bool reset(struct app_run *run, struct error *err)
{
	const struct input *input = run->input;
	struct state *state = run->state;
	uint32_t *levels = state->levels.host;
	uint32_t *frontier = state->frontier[0].host;

	if (!app_take(run, &state->offsets, err) || !app_take(run, &state->targets, err) ||
	    !app_take(run, &state->levels, err) || !app_take(run, &state->frontier[0], err) ||
	    !app_take(run, &state->frontier[1], err) || !app_take(run, &state->words, err))
		return false;
	memset(levels, 0xff, input->vertices * sizeof(uint32_t));
	levels[input->source] = 0;
	frontier[0] = input->source;
	state->level = 1;
	state->size = 1;
	state->current = 0;
	state->reached = 1;
	state->on_device = false;
	state->graph_sent = false;
	return true;
}

/* --- one level ---------------------------------------------------------- */

static void append(const struct app_run *run, const uint32_t *found, uint32_t count)
{
	const struct input *input = run->input;
	const struct state *state = run->state;
	app_word *words = state->words.host;
	uint32_t *next = state->frontier[!state->current].host;
	const uint32_t to = atomic_fetch_add(&words[WORD_NEXT], count);

	/* The bound matters only to a search that lost an update. */
	for (uint32_t i = 0; i < count && to + i < input->vertices; i++)
		next[to + i] = found[i];
}

static bool claim(app_word *levels, uint32_t vertex, uint32_t level)
{
	uint32_t seen = atomic_load_explicit(&levels[vertex], memory_order_relaxed);

	return seen == UNSEEN && atomic_compare_exchange_strong(&levels[vertex], &seen, level);
}

static void cpu_part(struct app_run *run, unsigned member)
{
	const struct input *input = run->input;
	const struct state *state = run->state;
	const bool shared = run->variant == VARIANT_SVM;
	const uint32_t *offsets = shared ? state->offsets.host : input->offsets;
	const uint32_t *targets = shared ? state->targets.host : input->targets;
	const uint32_t *frontier = state->frontier[state->current].host;
	app_word *levels = state->levels.host;
	app_word *words = state->words.host;
	uint32_t found[STAGE];
	uint32_t count = 0;
	uint32_t begin, done = 0;

	(void)member;
	while ((begin = atomic_fetch_add(&words[WORD_CURSOR], CHUNK)) < state->size) {
		const uint32_t end = state->size - begin < CHUNK ? state->size : begin + CHUNK;

		done += end - begin;
		for (uint32_t i = begin; i < end; i++) {
			const uint32_t last = offsets[frontier[i] + 1];

			for (uint32_t edge = offsets[frontier[i]]; edge < last; edge++) {
				if (!claim(levels, targets[edge], state->level))
					continue;
				found[count++] = targets[edge];
				if (count < STAGE)
					continue;
				append(run, found, count);
				count = 0;
			}
		}
	}
	append(run, found, count);
	app_cpu_finished(run, done);
}

static bool device_part(struct app_run *run, struct error *err)
{
	const struct input *input = run->input;
	struct state *state = run->state;
	const struct argument args[] = {
		ARG_OF_MEMORY(&state->offsets.memory),
		ARG_OF_MEMORY(&state->targets.memory),
		ARG_OF_MEMORY(&state->levels.memory),
		ARG_OF_MEMORY(&state->frontier[state->current].memory),
		ARG_OF_U32(state->size),
		ARG_OF_U32(state->level),
		ARG_OF_MEMORY(&state->words.memory),
		ARG_OF_MEMORY(&state->frontier[!state->current].memory),
		ARG_OF_U32(input->vertices),
	};

	return app_to_device(run, &state->words, WORDS * sizeof(uint32_t), err) &&
	       app_launch(run, args, 9, err) &&
	       app_to_host(run, &state->words, WORDS * sizeof(uint32_t), err);
}

/* --- the search --------------------------------------------------------- */

/* The graph moves once, and only if the device is ever asked. */
static bool send_graph(struct app_run *run, struct error *err)
{
	struct state *state = run->state;

	if (state->graph_sent)
		return true;
	state->graph_sent = true;
	return app_to_device(run, &state->offsets, state->offsets.memory.size, err) &&
	       app_to_device(run, &state->targets, state->targets.memory.size, err);
}

/* Hand the search to the other side; the next frontier is empty, no need to copy it. */
static bool hand_over(struct app_run *run, bool to_device, struct error *err)
{
	struct state *state = run->state;
	struct app_buffer *full = &state->frontier[state->current];
	struct app_buffer *empty = &state->frontier[!state->current];
	const size_t levels = state->levels.memory.size;
	const size_t vertices = state->size * sizeof(uint32_t);

	if (state->on_device == to_device)
		return true;
	state->on_device = to_device;
	if (to_device)
		return send_graph(run, err) && app_to_device(run, &state->levels, levels, err) &&
		       app_to_device(run, full, vertices, err) && app_to_device(run, empty, 0, err);
	return app_to_host(run, &state->levels, levels, err) &&
	       app_to_host(run, full, vertices, err) && app_to_host(run, empty, 0, err);
}

static bool search_level(struct app_run *run, struct error *err)
{
	const struct state *state = run->state;
	const bool for_device = state->size >= state->threshold;

	if (run->variant == VARIANT_SVM && for_device)
		return app_together(run, cpu_part, device_part, err);
	if (!hand_over(run, for_device, err))
		return false;
	if (for_device)
		return device_part(run, err);
	app_cpu_alone(run, cpu_part);
	return true;
}

static bool solve(struct app_run *run, struct error *err)
{
	const struct input *input = run->input;
	struct state *state = run->state;
	app_word *words = state->words.host;

	while (state->size) {
		words[WORD_CURSOR] = 0;
		words[WORD_NEXT] = 0;
		if (!search_level(run, err))
			return false;
		state->size = words[WORD_NEXT];
		state->reached += state->size;
		/* More than there are: updates were lost, which verify() will see. */
		if (state->size > input->vertices)
			state->size = 0;
		state->current = !state->current;
		state->level++;
	}
	return hand_over(run, false, err);
}

static bool verify(struct app_run *run, struct error *err)
{
	const struct input *input = run->input;
	const struct state *state = run->state;
	const uint32_t *levels = state->levels.host;

	for (uint32_t v = 0; v < input->vertices; v++)
		if (levels[v] != input->levels[v])
			return fail(err, EXIT_LOST_UPDATE,
				    "bfs, %s: vertex %u is on level %d instead of %d (-1: out of "
				    "reach): the device or its memory is wrong",
				    variant_names[run->variant], v, (int)levels[v],
				    (int)input->levels[v]);
	/* A vertex claimed twice has the right level all the same. */
	if (state->reached != input->reached)
		return fail(err, EXIT_LOST_UPDATE,
			    "bfs, %s: %u vertices were claimed, %u are in reach: the device or its "
			    "memory is wrong",
			    variant_names[run->variant], state->reached, input->reached);
	return true;
}

/* --- calibration -------------------------------------------------------- */

static bool try_share(struct app_run *run, double share, double *best, struct error *err)
{
	double seconds;

	if (!app_setup_again(run, share, err))
		return false;
	*best = INFINITY;
	for (unsigned i = 0; i < CANDIDATE_SAMPLES; i++) {
		if (!app_sample(run, &seconds, err))
			return false;
		*best = fmin(*best, seconds);
	}
	return true;
}

/*
 * From which size of a level on it is worth asking the device: tried out. Where
 * it takes a level over, it may never be; where it only helps, it always helps
 * with some, or the variant would not be what it is called.
 */
static bool calibrate(struct app_run *run, struct error *err)
{
	static const double shares[] = { 0, 1. / 1024, 1. / 64, 1. / 8, 2 };
	const size_t count = !run->crew ? 1 : run->variant == VARIANT_SVM ? 4 : 5;
	double best_seconds = INFINITY;
	double best = 0;
	double seconds;

	for (size_t i = 0; i < count; i++) {
		if (!try_share(run, shares[i], &seconds, err))
			return false;
		if (seconds < best_seconds) {
			best_seconds = seconds;
			best = shares[i];
		}
	}
	if (best > 1)
		snprintf(run->remark, sizeof(run->remark),
			 "the CPU alone is fastest, the device gets no level");
	else
		snprintf(run->remark, sizeof(run->remark),
			 "the device %s levels of %.1f%% of the vertices and more",
			 run->variant == VARIANT_SVM ? "joins in" : "takes", 100 * best);
	return app_setup_again(run, best, err);
}

static const struct app app = {
	.workload = &workload_bfs,
	.input_create = create_input,
	.input_destroy = destroy_input,
	.setup = setup,
	.teardown = teardown,
	.reset = reset,
	.solve = solve,
	.verify = verify,
	.calibrate = calibrate,
};

static bool measure(const struct session *session, const struct point *point, json_t **out,
		    struct error *err)
{
	return app_measure(&app, session, point, out, err);
}

const struct workload workload_bfs = {
	.name = "bfs",
	.summary = "breadth-first search: SVM atomics against maps and copies",
	.description =
		"Finds every vertex's distance from the best-connected vertex of an undirected "
		"graph of 256 Ki vertices (times 2 for each step of the input scale) with 16 "
		"edges on average and thousands on a few, level by level: vertices are claimed "
		"by compare-exchange on their level and appended to the next frontier by "
		"fetch_add.\n"
		"\n"
		"svm_atomics: graph, levels, frontiers and a cursor are in SVM. CPU threads and "
		"work-groups take chunks of 64 vertices of the frontier from the cursor until "
		"none are left. Small levels are the CPU's alone.\n"
		"coarse: one side searches a whole level, the device if it is large, the CPU if "
		"it is small; levels and frontiers are in coarse-grained SVM and unmapped or "
		"mapped when the search changes sides. The CPU has a graph of its own.\n"
		"plain: the same with device buffers; the graph is copied once, levels and "
		"frontier when the search changes sides.\n"
		"From which size on a level is large was tried out in the warm-up, in each "
		"variant; coarse and plain may find that the device is of no use.\n"
		"\n"
		"Time: from the graph being in SVM (svm_atomics), or in host memory and in "
		"mapped SVM (coarse) or in host memory (plain), to all levels being readable by "
		"the host. It includes unmapping or copying the graph, every launch and wait, "
		"and every change of sides; not allocating and not clearing the levels.\n"
		"\n"
		"Verified: every vertex's level in every sample against a sequential search, and "
		"that each vertex was claimed exactly once." APP_FIGURES,
	.axes = APP_AXES,
	.measure = measure,
};
