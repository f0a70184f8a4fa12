/* SPDX-License-Identifier: MIT */
/*
 * Hash-table insert: random access with little contention. What SVM atomics
 * bring here is one table instead of two and a merge.
 */
#include "app.h"

#include <stdlib.h>
#include <string.h>

/* kernels/hash.cl has the same number and the same insert(). */
#define CHUNK	       1024u

#define BASE_KEYS      (1u << 22)
#define BASE_DISTINCT  (1u << 18)  /* at most */
#define GOLDEN	       0x9e3779b1u /* odd: multiplying by it is a permutation */
#define GOLDEN_INVERSE 0x0e8b2f51u

struct input {
	uint32_t count;
	uint32_t distinct; /* that occur */
	uint32_t ranks;
	uint32_t slots;
	uint32_t *keys;
	uint32_t *reference; /* by rank */
};

/* Slots are pairs of words: the key, 0 while free, and its count. */
struct state {
	uint32_t device_count; /* the device's keys come first */
	struct app_buffer keys;
	struct app_buffer device_cursor;
	struct app_buffer device_table;
	app_word *host_cursor; /* these two: other names for the device's where they are shared */
	app_word *host_table;
	app_word *output;
	app_word merge_cursor;
};

static size_t table_size(const struct input *input)
{
	return (size_t)input->slots * 2 * sizeof(uint32_t);
}

/* Frequent keys must not be neighbours, nor any key 0. */
static uint32_t key_of(uint32_t rank)
{
	return (rank + 1) * GOLDEN;
}

static uint32_t rank_of(uint32_t key)
{
	return key * GOLDEN_INVERSE - 1;
}

static void destroy_input(void *data)
{
	struct input *input = data;

	free(input->keys);
	free(input->reference);
	free(input);
}

static void *create_input(uint64_t seed, unsigned scale)
{
	struct input *input = app_alloc(sizeof(*input));

	if (!input)
		return NULL;
	input->count = BASE_KEYS << scale;
	input->ranks = BASE_DISTINCT << scale;
	input->slots = 2 * input->ranks;
	input->keys = app_alloc(input->count * sizeof(uint32_t));
	input->reference = app_alloc(input->ranks * sizeof(uint32_t));
	if (!input->keys || !input->reference) {
		destroy_input(input);
		return NULL;
	}
	for (uint32_t i = 0; i < input->count; i++) {
		const uint64_t fraction = app_skewed(&seed, 2);
		const uint32_t rank = (uint32_t)(fraction * input->ranks >> 32);

		input->keys[i] = key_of(rank);
		input->distinct += !input->reference[rank]++;
	}
	return input;
}

static bool create_host_table(struct app_run *run, struct state *state)
{
	if (run->variant == VARIANT_SVM) {
		state->host_cursor = state->device_cursor.host;
		state->host_table = state->device_table.host;
		return true;
	}
	state->host_cursor = app_alloc(sizeof(uint32_t));
	state->host_table = app_alloc(table_size(run->input));
	return state->host_cursor && state->host_table;
}

static bool setup(struct app_run *run, struct error *err)
{
	const struct input *input = run->input;
	struct state *state = app_alloc(sizeof(*state));
	size_t keys_size;

	run->state = state;
	if (!state)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	run->work = input->count;
	state->device_count = app_device_part(run, input->count);
	keys_size = state->device_count * sizeof(uint32_t);
	if (!app_buffer_create(run, keys_size, &state->keys, err) ||
	    !app_buffer_create(run, sizeof(uint32_t), &state->device_cursor, err) ||
	    !app_buffer_create(run, table_size(input), &state->device_table, err))
		return false;
	memcpy(state->keys.host, input->keys, keys_size);
	if (!create_host_table(run, state))
		return fail(err, EXIT_NO_MEMORY, "out of memory: use a smaller input");
	/* With no threads there is nothing to merge: the device's table is the output. */
	state->output = run->crew ? state->host_table : state->device_table.host;
	return true;
}

static void teardown(struct app_run *run)
{
	struct state *state = run->state;

	if (run->variant != VARIANT_SVM) {
		free(state->host_cursor);
		free(state->host_table);
	}
	app_buffer_destroy(run, &state->keys);
	app_buffer_destroy(run, &state->device_cursor);
	app_buffer_destroy(run, &state->device_table);
	free(state);
}

static bool reset(struct app_run *run, struct error *err)
{
	struct state *state = run->state;
	const size_t size = table_size(run->input);

	if (!app_take(run, &state->keys, err) || !app_take(run, &state->device_cursor, err) ||
	    !app_take(run, &state->device_table, err))
		return false;
	memset(state->device_cursor.host, 0, sizeof(uint32_t));
	memset(state->device_table.host, 0, size);
	memset(state->host_cursor, 0, sizeof(uint32_t));
	memset(state->host_table, 0, size);
	atomic_store(&state->merge_cursor, 0);
	return app_to_device(run, &state->device_cursor, sizeof(uint32_t), err) &&
	       app_to_device(run, &state->device_table, size, err);
}

static void insert(app_word *table, uint32_t mask, uint32_t key, uint32_t count)
{
	uint32_t slot = app_mix(key) & mask;

	for (uint32_t probe = 0; probe <= mask; probe++, slot = (slot + 1) & mask) {
		uint32_t seen = atomic_load_explicit(&table[2 * slot], memory_order_relaxed);

		if (seen == 0 && atomic_compare_exchange_strong(&table[2 * slot], &seen, key))
			seen = key;
		if (seen == key) {
			atomic_fetch_add(&table[2 * slot + 1], count);
			return;
		}
	}
}

static void cpu_part(struct app_run *run, unsigned member)
{
	const struct input *input = run->input;
	const struct state *state = run->state;
	const bool shared = run->variant == VARIANT_SVM;
	const uint32_t *keys = shared ? state->keys.host : input->keys + state->device_count;
	const uint32_t count = shared ? input->count : input->count - state->device_count;
	uint32_t begin, done = 0;

	(void)member;
	while ((begin = atomic_fetch_add(state->host_cursor, CHUNK)) < count) {
		const uint32_t end = count - begin < CHUNK ? count : begin + CHUNK;

		for (uint32_t i = begin; i < end; i++)
			insert(state->host_table, input->slots - 1, keys[i], 1);
		done += end - begin;
	}
	app_cpu_finished(run, done);
}

static bool device_part(struct app_run *run, struct error *err)
{
	const struct input *input = run->input;
	struct state *state = run->state;
	const struct argument args[] = {
		ARG_OF_MEMORY(&state->keys.memory),
		ARG_OF_U32(state->device_count),
		ARG_OF_MEMORY(&state->device_cursor.memory),
		ARG_OF_MEMORY(&state->device_table.memory),
		ARG_OF_U32(input->slots - 1),
	};

	return app_to_device(run, &state->keys, state->device_count * sizeof(uint32_t), err) &&
	       app_launch(run, args, 5, err) &&
	       app_to_host(run, &state->device_table, table_size(input), err);
}

static void merge_part(struct app_run *run, unsigned member)
{
	const struct input *input = run->input;
	struct state *state = run->state;
	const uint32_t *table = state->device_table.host;
	uint32_t begin;

	(void)member;
	/* The number of slots is a power of two and a multiple of the chunk. */
	while ((begin = atomic_fetch_add(&state->merge_cursor, CHUNK)) < input->slots)
		for (uint32_t slot = begin; slot < begin + CHUNK; slot++)
			if (table[2 * slot])
				insert(state->host_table, input->slots - 1, table[2 * slot],
				       table[2 * slot + 1]);
}

static bool solve(struct app_run *run, struct error *err)
{
	if (!app_together(run, cpu_part, device_part, err))
		return false;
	if (run->variant != VARIANT_SVM && run->crew)
		app_cpu_alone(run, merge_part);
	return true;
}

static bool verify(struct app_run *run, struct error *err)
{
	const struct input *input = run->input;
	const struct state *state = run->state;
	uint32_t used = 0;

	for (uint32_t slot = 0; slot < input->slots; slot++) {
		const uint32_t key = state->output[2 * slot];
		const uint32_t count = state->output[2 * slot + 1];
		const uint32_t rank = rank_of(key);

		used += key != 0;
		if (key && (rank >= input->ranks || count != input->reference[rank]))
			return fail(err, EXIT_LOST_UPDATE,
				    "hash, %s: key %#x counted %u times, it occurs %u times: the "
				    "device or its memory is wrong",
				    variant_names[run->variant], key, count,
				    rank < input->ranks ? input->reference[rank] : 0);
	}
	if (used != input->distinct)
		return fail(err, EXIT_LOST_UPDATE,
			    "hash, %s: %u keys in the table, there are %u: the device or its "
			    "memory is wrong",
			    variant_names[run->variant], used, input->distinct);
	return true;
}

static const struct app app = {
	.workload = &workload_hash,
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

const struct workload workload_hash = {
	.name = "hash",
	.summary = "insert keys into a hash table: SVM atomics against maps and copies",
	.description =
		"Counts 4 Mi keys (times 2 for each step of the input scale), some frequent and "
		"most rare, in a hash table with open addressing: a slot is claimed by "
		"compare-exchange on its key, then counts by fetch_add.\n"
		"\n"
		"svm_atomics: keys, table and a cursor are in SVM. CPU threads and work-groups "
		"take chunks of 1024 keys from the cursor until none are left, and insert them "
		"into the one table.\n"
		"coarse: a fixed part of the keys is the device's, in coarse-grained SVM; its "
		"size was calibrated in the warm-up so that both sides end together. Each side "
		"fills a table of its own; the device's is mapped, and the CPU threads insert "
		"its entries into theirs.\n"
		"plain: the same division with device buffers, written before and read after the "
		"kernel.\n"
		"\n"
		"Time: from the keys being in SVM (svm_atomics), or in host memory and, the "
		"device's part, in mapped SVM (coarse) or in host memory (plain), to one "
		"complete table being readable by the host. It includes unmapping or copying the "
		"keys, launching, waiting, mapping or copying the device's table, and merging; "
		"not allocating and not zeroing the tables. With no CPU threads nothing is "
		"merged.\n"
		"\n"
		"Verified: every key's count and the number of keys of every sample against a "
		"sequential count." APP_FIGURES,
	.axes = APP_AXES,
	.measure = measure,
};
