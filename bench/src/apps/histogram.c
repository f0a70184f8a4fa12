/* SPDX-License-Identifier: MIT */
/*
 * Histogram: little sharing, much reading. What SVM atomics bring here is the
 * dynamic division of the work.
 */
#include "app.h"

#include <stdlib.h>
#include <string.h>

/* kernels/histogram.cl has the same numbers, and the same bin_of(). */
#define BINS	    1024u
#define CHUNK	    2048u
#define WORD_CURSOR 0
#define WORD_BINS   APP_WORD_STRIDE
#define WORDS	    (WORD_BINS + BINS)

#define BASE_PIXELS (1u << 23)

struct input {
	uint32_t count;
	uint32_t *pixels;
	uint32_t reference[BINS];
};

struct state {
	uint32_t device_count; /* the device's pixels come first */
	struct app_buffer pixels;
	struct app_buffer device_words;
	app_word *host_words; /* another name for the device's where they are shared */
};

/* Luma of 10 bits for each of red, green and blue (ITU-R BT.601 weights). */
static uint32_t bin_of(uint32_t pixel)
{
	return (306 * (pixel >> 20) + 601 * (pixel >> 10 & 1023) + 117 * (pixel & 1023)) >> 10;
}

/* A dark picture: small values are frequent in every colour. */
static uint32_t random_pixel(uint64_t *random)
{
	uint32_t pixel = 0;

	for (unsigned colour = 0; colour < 3; colour++)
		pixel = pixel << 10 | app_skewed(random, 2) >> 22;
	return pixel;
}

static void destroy_input(void *data)
{
	struct input *input = data;

	free(input->pixels);
	free(input);
}

static void *create_input(uint64_t seed, unsigned scale)
{
	struct input *input = app_alloc(sizeof(*input));

	if (!input)
		return NULL;
	input->count = BASE_PIXELS << scale;
	input->pixels = app_alloc(input->count * sizeof(uint32_t));
	if (!input->pixels) {
		destroy_input(input);
		return NULL;
	}
	for (uint32_t i = 0; i < input->count; i++) {
		input->pixels[i] = random_pixel(&seed);
		input->reference[bin_of(input->pixels[i])]++;
	}
	return input;
}

static bool setup(struct app_run *run, struct error *err)
{
	const struct input *input = run->input;
	struct state *state = app_alloc(sizeof(*state));

	run->state = state;
	if (!state)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	run->work = input->count;
	state->device_count = app_device_part(run, input->count);
	if (!app_buffer_create(run, state->device_count * sizeof(uint32_t), &state->pixels, err) ||
	    !app_buffer_create(run, WORDS * sizeof(uint32_t), &state->device_words, err))
		return false;
	memcpy(state->pixels.host, input->pixels, state->device_count * sizeof(uint32_t));
	state->host_words = run->variant == VARIANT_SVM ? state->device_words.host
							: app_alloc(WORDS * sizeof(uint32_t));
	return state->host_words ? true : fail(err, EXIT_NO_MEMORY, "out of memory");
}

static void teardown(struct app_run *run)
{
	struct state *state = run->state;

	if (run->variant != VARIANT_SVM)
		free(state->host_words);
	app_buffer_destroy(run, &state->pixels);
	app_buffer_destroy(run, &state->device_words);
	free(state);
}

static bool reset(struct app_run *run, struct error *err)
{
	struct state *state = run->state;

	if (!app_take(run, &state->pixels, err) || !app_take(run, &state->device_words, err))
		return false;
	memset(state->device_words.host, 0, WORDS * sizeof(uint32_t));
	memset(state->host_words, 0, WORDS * sizeof(uint32_t));
	return app_to_device(run, &state->device_words, WORDS * sizeof(uint32_t), err);
}

static void cpu_part(struct app_run *run, unsigned member)
{
	const struct input *input = run->input;
	const struct state *state = run->state;
	const bool shared = run->variant == VARIANT_SVM;
	const uint32_t *pixels = shared ? state->pixels.host : input->pixels + state->device_count;
	const uint32_t count = shared ? input->count : input->count - state->device_count;
	app_word *words = state->host_words;
	uint32_t own[BINS] = { 0 };
	uint32_t begin, done = 0;

	(void)member;
	while ((begin = atomic_fetch_add(&words[WORD_CURSOR], CHUNK)) < count) {
		const uint32_t end = count - begin < CHUNK ? count : begin + CHUNK;

		for (uint32_t i = begin; i < end; i++)
			own[bin_of(pixels[i])]++;
		done += end - begin;
	}
	for (uint32_t bin = 0; bin < BINS; bin++)
		if (own[bin])
			atomic_fetch_add(&words[WORD_BINS + bin], own[bin]);
	app_cpu_finished(run, done);
}

static bool device_part(struct app_run *run, struct error *err)
{
	struct state *state = run->state;
	const struct argument args[] = {
		ARG_OF_MEMORY(&state->pixels.memory),
		ARG_OF_U32(state->device_count),
		ARG_OF_MEMORY(&state->device_words.memory),
	};

	return app_to_device(run, &state->pixels, state->device_count * sizeof(uint32_t), err) &&
	       app_launch(run, args, 3, err) &&
	       app_to_host(run, &state->device_words, WORDS * sizeof(uint32_t), err);
}

static bool solve(struct app_run *run, struct error *err)
{
	struct state *state = run->state;
	const uint32_t *device_words = state->device_words.host;

	if (!app_together(run, cpu_part, device_part, err))
		return false;
	if (run->variant == VARIANT_SVM)
		return true;
	for (uint32_t bin = 0; bin < BINS; bin++)
		state->host_words[WORD_BINS + bin] += device_words[WORD_BINS + bin];
	return true;
}

static bool verify(struct app_run *run, struct error *err)
{
	const struct input *input = run->input;
	const struct state *state = run->state;

	for (uint32_t bin = 0; bin < BINS; bin++) {
		const uint32_t counted = state->host_words[WORD_BINS + bin];

		if (counted != input->reference[bin])
			return fail(err, EXIT_LOST_UPDATE,
				    "histogram, %s: bin %u counted %u pixels, there are %u: the "
				    "device or its memory is wrong",
				    variant_names[run->variant], bin, counted,
				    input->reference[bin]);
	}
	return true;
}

static const struct app app = {
	.workload = &workload_histogram,
	.input_create = create_input,
	.input_destroy = destroy_input,
	.setup = setup,
	.teardown = teardown,
	.reset = reset,
	.solve = solve,
	.verify = verify,
	.calibrate = app_calibrate_split,
};

static bool measure(const struct session *session, const struct point *point, json_t **out,
		    struct error *err)
{
	return app_measure(&app, session, point, out, err);
}

const struct workload workload_histogram = {
	.name = "histogram",
	.summary = "count pixels into bins: SVM atomics against maps and copies",
	.description =
		"Counts 8 Mi 32-bit pixels (times 2 for each step of the input scale) into 1024 "
		"bins. Small pixels are far more frequent than large ones.\n"
		"\n"
		"svm_atomics: pixels, bins and a cursor are in SVM. CPU threads and work-groups "
		"take chunks of 2048 pixels from the cursor until none are left, count each "
		"chunk in memory of their own, and in the end add their counts to the shared "
		"bins.\n"
		"coarse: a fixed part of the pixels is the device's, in coarse-grained SVM; its "
		"size was calibrated in the warm-up so that both sides end together. Each side "
		"has its own cursor and bins; the device's bins are mapped and added to the "
		"CPU's.\n"
		"plain: the same division with a device buffer, written before and read after "
		"the kernel.\n"
		"\n"
		"Time: from the pixels being in SVM (svm_atomics), or in host memory and, the "
		"device's part, in mapped SVM (coarse) or in host memory (plain), to the "
		"complete bins being readable by the host. It includes unmapping or copying the "
		"pixels, launching, waiting, mapping or copying the bins, and adding them up; "
		"not allocating and not zeroing the bins.\n"
		"\n"
		"Verified: every bin of every sample against a sequential count." APP_FIGURES,
	.axes = APP_AXES,
	.measure = measure,
};
