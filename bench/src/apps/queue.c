/* SPDX-License-Identifier: MIT */
/*
 * Multi-producer queue: a stream from both sides to the CPU. What SVM atomics
 * bring here is that a record is consumed while its producers still run.
 */
#include "app.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* kernels/queue.cl has the same numbers and the same produce(). */
#define CHUNK	    256u
#define ROUNDS	    8u
#define WORD_CURSOR 0
#define WORD_TAIL   APP_WORD_STRIDE
#define WORD_SLOTS  (2 * APP_WORD_STRIDE)
#define SLOT_WORDS  4u
#define MAX_RECORDS 2u /* of one item */

#define BASE_ITEMS  (1u << 19)
#define BATCHES	    4u	/* of the device's part, where it cannot be a stream */
#define CLAIM	    64u /* records that a consumer takes at once */

struct input {
	uint32_t count;
	uint32_t *items;
	uint32_t *reference; /* results by record id, 0 where there is no record */
};

struct record {
	uint32_t id;
	uint32_t value;
};

/* Slots: sequence (index + 1 once published), id, value, padding. */
struct queue {
	app_word *words;
	uint32_t capacity;
	app_word head; /* only the CPU consumes */
};

struct batch {
	uint32_t first;
	uint32_t count;
	struct app_buffer items;
	struct app_buffer words;
};

struct state {
	uint32_t device_count; /* the device's items come first */
	unsigned batches;
	struct batch batch[BATCHES];
	struct queue queues[BATCHES + 1]; /* the last one: the host's own */
	atomic_uint ready;		  /* batches that the host may consume */
	app_word *host_words;
	app_word *results;
};

static size_t queue_size(uint32_t items)
{
	return (WORD_SLOTS + (size_t)items * MAX_RECORDS * SLOT_WORDS) * sizeof(uint32_t);
}

static uint32_t produce(uint32_t item)
{
	for (uint32_t round = 0; round < ROUNDS; round++)
		item = app_mix(item + round);
	return item;
}

/* Never 0, so that a missing record shows. */
static uint32_t consume(uint32_t value)
{
	return produce(~value) | 1;
}

static uint32_t records_of(uint32_t value)
{
	return (uint32_t)__builtin_popcount(value & 3);
}

static void destroy_input(void *data)
{
	struct input *input = data;

	free(input->items);
	free(input->reference);
	free(input);
}

static void *create_input(uint64_t seed, unsigned scale)
{
	struct input *input = app_alloc(sizeof(*input));

	if (!input)
		return NULL;
	input->count = BASE_ITEMS << scale;
	input->items = app_alloc(input->count * sizeof(uint32_t));
	input->reference = app_alloc(input->count * MAX_RECORDS * sizeof(uint32_t));
	if (!input->items || !input->reference) {
		destroy_input(input);
		return NULL;
	}
	for (uint32_t i = 0; i < input->count; i++) {
		input->items[i] = (uint32_t)stats_random(&seed);
		const uint32_t value = produce(input->items[i]);

		for (uint32_t r = 0; r < records_of(value); r++)
			input->reference[MAX_RECORDS * i + r] = consume(value + r);
	}
	return input;
}

static bool setup_batch(struct app_run *run, unsigned index, struct error *err)
{
	const struct input *input = run->input;
	struct state *state = run->state;
	struct batch *batch = &state->batch[index];
	const uint64_t part = state->device_count;
	const uint32_t end = (uint32_t)(part * (index + 1) / state->batches);

	batch->first = (uint32_t)(part * index / state->batches);
	batch->count = end - batch->first;
	if (!app_buffer_create(run, batch->count * sizeof(uint32_t), &batch->items, err) ||
	    !app_buffer_create(run, queue_size(batch->count), &batch->words, err))
		return false;
	memcpy(batch->items.host, input->items + batch->first, batch->count * sizeof(uint32_t));
	state->queues[index].words = batch->words.host;
	state->queues[index].capacity = batch->count * MAX_RECORDS;
	return true;
}

static bool setup(struct app_run *run, struct error *err)
{
	const struct input *input = run->input;
	struct state *state = app_alloc(sizeof(*state));
	struct queue *own;

	run->state = state;
	if (!state)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	run->work = input->count;
	state->device_count = app_device_part(run, input->count);
	/* Batches are for consuming while the next one is produced. */
	state->batches = run->variant != VARIANT_SVM && run->crew ? BATCHES : 1;
	for (unsigned i = 0; i < state->batches; i++)
		if (!setup_batch(run, i, err))
			return false;
	own = &state->queues[state->batches];
	own->capacity = (input->count - state->device_count) * MAX_RECORDS;
	state->host_words = app_alloc(queue_size(input->count - state->device_count));
	own->words = state->host_words;
	state->results = app_alloc(input->count * MAX_RECORDS * sizeof(uint32_t));
	if (!state->host_words || !state->results)
		return fail(err, EXIT_NO_MEMORY, "out of memory: use a smaller input");
	return true;
}

static void teardown(struct app_run *run)
{
	struct state *state = run->state;

	for (unsigned i = 0; i < state->batches; i++) {
		app_buffer_destroy(run, &state->batch[i].items);
		app_buffer_destroy(run, &state->batch[i].words);
	}
	free(state->host_words);
	free(state->results);
	free(state);
}

static bool reset(struct app_run *run, struct error *err)
{
	const struct input *input = run->input;
	struct state *state = run->state;

	for (unsigned i = 0; i < state->batches; i++) {
		struct batch *batch = &state->batch[i];

		if (!app_take(run, &batch->items, err) || !app_take(run, &batch->words, err))
			return false;
		memset(batch->words.host, 0, queue_size(batch->count));
		if (!app_to_device(run, &batch->words, queue_size(batch->count), err))
			return false;
	}
	memset(state->host_words, 0, queue_size(input->count - state->device_count));
	memset(state->results, 0, input->count * MAX_RECORDS * sizeof(uint32_t));
	for (unsigned i = 0; i <= state->batches; i++)
		atomic_store(&state->queues[i].head, 0);
	/* A shared queue can be consumed from the start. */
	atomic_store(&state->ready, run->variant == VARIANT_SVM);
	return true;
}

static void publish(struct queue *queue, uint32_t at, struct record record)
{
	app_word *slot = &queue->words[WORD_SLOTS + SLOT_WORDS * at];

	atomic_store_explicit(&slot[1], record.id, memory_order_relaxed);
	atomic_store_explicit(&slot[2], record.value, memory_order_relaxed);
	atomic_store_explicit(&slot[0], at + 1, memory_order_release);
}

/* One reservation for many records: the tail is what everybody fights for. */
static void push(struct queue *queue, const struct record *records, uint32_t count)
{
	const uint32_t at = atomic_fetch_add(&queue->words[WORD_TAIL], count);

	/* The bound matters only to a queue that lost an update. */
	for (uint32_t i = 0; i < count && at + i < queue->capacity; i++)
		publish(queue, at + i, records[i]);
}

/* The next chunk of the CPU's items: how many there were. */
static uint32_t produce_chunk(struct app_run *run)
{
	const struct input *input = run->input;
	struct state *state = run->state;
	const bool shared = run->variant == VARIANT_SVM;
	struct queue *queue = &state->queues[shared ? 0 : state->batches];
	const uint32_t first = shared ? 0 : state->device_count;
	const uint32_t *items = shared ? state->batch[0].items.host : input->items + first;
	const uint32_t count = input->count - first;
	const uint32_t begin = atomic_fetch_add(&queue->words[WORD_CURSOR], CHUNK);
	struct record records[CHUNK * MAX_RECORDS];
	uint32_t pushed = 0;
	uint32_t end;

	if (begin >= count)
		return 0;
	end = count - begin < CHUNK ? count : begin + CHUNK;
	for (uint32_t i = begin; i < end; i++) {
		const uint32_t value = produce(items[i]);

		for (uint32_t r = 0; r < records_of(value); r++)
			records[pushed++] =
				(struct record){ MAX_RECORDS * (first + i) + r, value + r };
	}
	push(queue, records, pushed);
	return end - begin;
}

/* How many records from @head on have been published, CLAIM at most. */
static uint32_t published(const struct queue *queue, uint32_t head)
{
	uint32_t count = 0;

	while (count < CLAIM && head + count < queue->capacity) {
		const uint32_t at = head + count;
		app_word *sequence = &queue->words[WORD_SLOTS + SLOT_WORDS * at];

		if (atomic_load_explicit(sequence, memory_order_acquire) != at + 1)
			break;
		count++;
	}
	return count;
}

/* Consume what there is; false if there was nothing. */
static bool drain(struct queue *queue, const struct input *input, app_word *results)
{
	uint32_t head = atomic_load(&queue->head);
	bool any = false;
	uint32_t count;

	while ((count = published(queue, head))) {
		if (!atomic_compare_exchange_strong(&queue->head, &head, head + count))
			continue;
		any = true;
		for (uint32_t i = head; i < head + count; i++) {
			const app_word *slot = &queue->words[WORD_SLOTS + SLOT_WORDS * i];
			const uint32_t id = atomic_load_explicit(&slot[1], memory_order_relaxed);
			const uint32_t value = atomic_load_explicit(&slot[2], memory_order_relaxed);

			/* Added, not stored: a record that comes twice must show. */
			if (id < input->count * MAX_RECORDS)
				atomic_fetch_add_explicit(&results[id], consume(value),
							  memory_order_relaxed);
		}
		head = atomic_load(&queue->head);
	}
	return any;
}

static bool drain_all(struct app_run *run)
{
	struct state *state = run->state;
	const unsigned ready = atomic_load(&state->ready);
	bool any = drain(&state->queues[state->batches], run->input, state->results);

	for (unsigned i = 0; i < ready; i++)
		any |= drain(&state->queues[i], run->input, state->results);
	return any;
}

static void cpu_part(struct app_run *run, unsigned member)
{
	uint64_t done = 0;
	uint32_t count;

	(void)member;
	while ((count = produce_chunk(run))) {
		done += count;
		drain_all(run);
	}
	app_cpu_finished(run, done);
	while (!atomic_load(&run->device_ended))
		if (!drain_all(run))
			sched_yield();
	drain_all(run);
}

static bool device_batch(struct app_run *run, struct batch *batch, struct error *err)
{
	const struct argument args[] = {
		ARG_OF_MEMORY(&batch->items.memory),
		ARG_OF_U32(batch->first),
		ARG_OF_U32(batch->count),
		ARG_OF_MEMORY(&batch->words.memory),
		ARG_OF_U32(batch->count * MAX_RECORDS),
	};
	const app_word *words = batch->words.host;
	uint32_t tail;

	/* The tail comes first: it says how much of the queue is worth copying. */
	if (!app_to_device(run, &batch->items, batch->count * sizeof(uint32_t), err) ||
	    !app_launch(run, args, 5, err) ||
	    !app_to_host(run, &batch->words, WORD_SLOTS * sizeof(uint32_t), err))
		return false;
	tail = words[WORD_TAIL];
	if (tail > batch->count * MAX_RECORDS)
		tail = batch->count * MAX_RECORDS;
	return app_to_host(run, &batch->words,
			   (WORD_SLOTS + (size_t)tail * SLOT_WORDS) * sizeof(uint32_t), err);
}

static bool device_part(struct app_run *run, struct error *err)
{
	struct state *state = run->state;

	for (unsigned i = 0; i < state->batches; i++) {
		if (!device_batch(run, &state->batch[i], err))
			return false;
		atomic_store(&state->ready, i + 1);
	}
	return true;
}

static bool solve(struct app_run *run, struct error *err)
{
	if (!app_together(run, cpu_part, device_part, err))
		return false;
	if (!run->crew)
		drain_all(run);
	return true;
}

static bool verify(struct app_run *run, struct error *err)
{
	const struct input *input = run->input;
	const struct state *state = run->state;

	for (uint32_t id = 0; id < input->count * MAX_RECORDS; id++)
		if (state->results[id] != input->reference[id])
			return fail(
				err, EXIT_LOST_UPDATE,
				"queue, %s: record %u came out as %#x instead of %#x (0: not at "
				"all): the device or its memory is wrong",
				variant_names[run->variant], id, state->results[id],
				input->reference[id]);
	return true;
}

static const struct app app = {
	.workload = &workload_queue,
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

const struct workload workload_queue = {
	.name = "queue",
	.summary = "many producers, one queue: SVM atomics against maps and copies",
	.description =
		"Turns 512 Ki items (times 2 for each step of the input scale) into records, "
		"none to two from each, and pushes them into a queue: a slot is reserved by "
		"fetch_add on the tail and published by a release store to its sequence word. "
		"CPU threads produce a chunk, consume what is there, and so on; consuming a "
		"record costs as much arithmetic as producing it.\n"
		"\n"
		"svm_atomics: items, queue and a cursor are in SVM. CPU threads and work-groups "
		"take chunks of 256 items from the cursor until none are left, and push to one "
		"queue. The CPU consumes the device's records while the kernel runs.\n"
		"coarse: a fixed part of the items is the device's, in coarse-grained SVM; its "
		"size was calibrated in the warm-up so that both sides have produced everything "
		"at the same time. The device works in four batches with a queue each; the CPU "
		"consumes one, mapped, while the device produces the next.\n"
		"plain: the same in device buffers, written before and read after each kernel; "
		"only the used part of a queue is copied.\n"
		"\n"
		"Time: from the items being in SVM (svm_atomics), or in host memory and, the "
		"device's part, in mapped SVM (coarse) or in host memory (plain), to every "
		"record having been consumed. It includes unmapping or copying the items, "
		"launching, waiting, and mapping or copying the queues; not allocating and not "
		"zeroing them. With no CPU threads the host consumes when the kernel has ended.\n"
		"\n"
		"Verified: in every sample, every record of the sequential reference came out "
		"exactly once, with its value, and nothing else did." APP_FIGURES,
	.axes = APP_AXES,
	.measure = measure,
};
