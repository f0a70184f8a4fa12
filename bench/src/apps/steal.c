/* SPDX-License-Identifier: MIT */
/*
 * Work stealing: tasks of very unequal length. What SVM atomics bring here is
 * that the side that runs dry takes work from the other.
 */
#include "app.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* kernels/steal.cl has the same numbers, and the same push() and take(). */
#define GRAIN	     16u
#define WORD_HEAD    0
#define WORD_TAIL    APP_WORD_STRIDE
#define WORD_SLOTS   (2 * APP_WORD_STRIDE)
#define SLOT_WORDS   4u

#define BASE_TASKS   2048u
#define LONGEST_TASK 1024u

/* Sum the Collatz steps of the numbers from first to before last. */
struct work {
	uint32_t id;
	uint32_t first;
	uint32_t last;
};

struct input {
	uint32_t count;
	uint32_t capacity; /* of a queue: every task in every piece it can be cut into */
	struct work *tasks;
	uint32_t *reference;
};

/* Of one side. A slot: sequence (index + 1 once published), id, first, last. */
struct queue {
	struct app_buffer buffer; /* unused where it is ordinary memory */
	app_word *words;
	uint32_t capacity;
};

struct state {
	uint32_t device_count; /* the device's tasks come first */
	struct queue device;
	struct queue host;
	struct app_buffer device_results;
	app_word *results;
	app_word busy; /* threads with a task in hand */
};

static size_t queue_size(uint32_t slots)
{
	return (WORD_SLOTS + (size_t)slots * SLOT_WORDS) * sizeof(uint32_t);
}

static uint32_t collatz_steps(uint64_t n)
{
	uint32_t steps = 0;

	for (; n > 1; steps++)
		n = n & 1 ? 3 * n + 1 : n >> 1;
	return steps;
}

static uint32_t range_steps(uint32_t first, uint32_t last)
{
	uint32_t steps = 0;

	for (uint32_t n = first; n < last; n++)
		steps += collatz_steps(n);
	return steps;
}

static void destroy_input(void *data)
{
	struct input *input = data;

	free(input->tasks);
	free(input->reference);
	free(input);
}

static void *create_input(uint64_t seed, unsigned scale)
{
	struct input *input = app_alloc(sizeof(*input));
	uint32_t next = 1;

	if (!input)
		return NULL;
	input->count = BASE_TASKS << scale;
	input->tasks = app_alloc(input->count * sizeof(struct work));
	input->reference = app_alloc(input->count * sizeof(uint32_t));
	if (!input->tasks || !input->reference) {
		destroy_input(input);
		return NULL;
	}
	for (uint32_t id = 0; id < input->count; id++) {
		const uint64_t fraction = app_skewed(&seed, 3);
		const uint32_t length = 1 + (uint32_t)(fraction * LONGEST_TASK >> 32);

		input->tasks[id] = (struct work){ id, next, next + length };
		input->reference[id] = range_steps(next, next + length);
		/* Halving leaves no piece shorter than half a grain. */
		input->capacity += 1 + 2 * length / GRAIN;
		next += length;
	}
	return input;
}

static bool setup_queues(struct app_run *run, struct state *state, struct error *err)
{
	const struct input *input = run->input;
	const size_t size = queue_size(input->capacity);

	state->device.capacity = input->capacity;
	state->host.capacity = input->capacity;
	if (!app_buffer_create(run, size, &state->device.buffer, err))
		return false;
	state->device.words = state->device.buffer.host;
	if (run->variant == VARIANT_SVM) {
		if (!app_buffer_create(run, size, &state->host.buffer, err))
			return false;
		state->host.words = state->host.buffer.host;
		return true;
	}
	state->host.words = app_alloc(size);
	return state->host.words ? true : fail(err, EXIT_NO_MEMORY, "out of memory");
}

static bool setup(struct app_run *run, struct error *err)
{
	const struct input *input = run->input;
	const bool shared = run->variant == VARIANT_SVM;
	struct state *state = app_alloc(sizeof(*state));
	uint32_t results;

	run->state = state;
	if (!state)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	run->work = input->tasks[input->count - 1].last - 1;
	/* Where stealing evens things out, the start need not be clever. */
	state->device_count = shared ? input->count / 2 : app_device_part(run, input->count);
	results = shared ? input->count : state->device_count;
	if (!setup_queues(run, state, err) ||
	    !app_buffer_create(run, results * sizeof(uint32_t), &state->device_results, err))
		return false;
	state->results =
		shared ? state->device_results.host : app_alloc(input->count * sizeof(uint32_t));
	return state->results ? true : fail(err, EXIT_NO_MEMORY, "out of memory");
}

static void teardown(struct app_run *run)
{
	struct state *state = run->state;

	if (run->variant != VARIANT_SVM) {
		free(state->host.words);
		free(state->results);
	}
	app_buffer_destroy(run, &state->device.buffer);
	app_buffer_destroy(run, &state->host.buffer);
	app_buffer_destroy(run, &state->device_results);
	free(state);
}

static bool push(struct queue *queue, struct work work)
{
	const uint32_t at = atomic_fetch_add(&queue->words[WORD_TAIL], 1);
	app_word *slot;

	/* The bound matters only to a queue that lost an update. */
	if (at >= queue->capacity)
		return false;
	slot = &queue->words[WORD_SLOTS + SLOT_WORDS * at];
	atomic_store_explicit(&slot[1], work.id, memory_order_relaxed);
	atomic_store_explicit(&slot[2], work.first, memory_order_relaxed);
	atomic_store_explicit(&slot[3], work.last, memory_order_relaxed);
	atomic_store_explicit(&slot[0], at + 1, memory_order_release);
	return true;
}

static bool take(struct queue *queue, struct work *work)
{
	uint32_t at = atomic_load(&queue->words[WORD_HEAD]);

	while (at < queue->capacity) {
		app_word *slot = &queue->words[WORD_SLOTS + SLOT_WORDS * at];

		if (atomic_load_explicit(&slot[0], memory_order_acquire) != at + 1)
			return false;
		if (atomic_compare_exchange_strong(&queue->words[WORD_HEAD], &at, at + 1)) {
			work->id = atomic_load_explicit(&slot[1], memory_order_relaxed);
			work->first = atomic_load_explicit(&slot[2], memory_order_relaxed);
			work->last = atomic_load_explicit(&slot[3], memory_order_relaxed);
			return true;
		}
	}
	return false;
}

static bool reset(struct app_run *run, struct error *err)
{
	const struct input *input = run->input;
	struct state *state = run->state;
	const size_t size = queue_size(input->capacity);

	if (!app_take(run, &state->device.buffer, err) ||
	    !app_take(run, &state->device_results, err))
		return false;
	memset(state->device.words, 0, size);
	memset(state->host.words, 0, size);
	memset(state->device_results.host, 0, state->device_results.memory.size);
	memset(state->results, 0, input->count * sizeof(uint32_t));
	atomic_store(&state->busy, 0);
	/* The empty structures go over now, the tasks in the device's queue on the clock. */
	if (!app_to_device(run, &state->device_results, state->device_results.memory.size, err) ||
	    !app_to_device(run, &state->device.buffer, size, err) ||
	    !app_take(run, &state->device.buffer, err))
		return false;
	for (uint32_t id = 0; id < input->count; id++)
		push(id < state->device_count ? &state->device : &state->host, input->tasks[id]);
	return true;
}

/* Returns how many numbers were looked at, the rest having been pushed. */
static uint32_t work_off(struct queue *own, struct work work, app_word *results)
{
	while (work.last - work.first > GRAIN) {
		struct work rest = work;

		rest.first = work.first + (work.last - work.first) / 2;
		if (!push(own, rest))
			break;
		work.last = rest.first;
	}
	atomic_fetch_add(&results[work.id], range_steps(work.first, work.last));
	return work.last - work.first;
}

/* Whether somebody may still push what this thread could take. */
static bool more_may_come(const struct app_run *run)
{
	const struct state *state = run->state;

	return atomic_load(&state->busy) ||
	       (run->variant == VARIANT_SVM && !atomic_load(&run->device_ended));
}

static void cpu_part(struct app_run *run, unsigned member)
{
	const bool shared = run->variant == VARIANT_SVM;
	struct state *state = run->state;
	struct queue *other = shared ? &state->device : &state->host;
	struct work work;
	uint64_t done = 0;

	(void)member;
	do {
		while (take(&state->host, &work) || take(other, &work)) {
			if (work.last - work.first > LONGEST_TASK)
				continue; /* torn: the queue lost an update */
			atomic_fetch_add(&state->busy, 1);
			done += work_off(&state->host, work, state->results);
			atomic_fetch_sub(&state->busy, 1);
		}
		sched_yield();
	} while (more_may_come(run));
	app_cpu_finished(run, done);
}

static bool device_part(struct app_run *run, struct error *err)
{
	struct state *state = run->state;
	const bool shared = run->variant == VARIANT_SVM;
	struct queue *other = shared ? &state->host : &state->device;
	const struct argument args[] = {
		ARG_OF_MEMORY(&state->device.buffer.memory),
		ARG_OF_MEMORY(&other->buffer.memory),
		ARG_OF_U32(state->device.capacity),
		ARG_OF_MEMORY(&state->device_results.memory),
	};

	return app_to_device(run, &state->device.buffer, queue_size(state->device_count), err) &&
	       app_launch(run, args, 4, err) &&
	       app_to_host(run, &state->device_results, state->device_results.memory.size, err);
}

static bool solve(struct app_run *run, struct error *err)
{
	struct state *state = run->state;

	if (!app_together(run, cpu_part, device_part, err))
		return false;
	if (run->variant != VARIANT_SVM)
		memcpy(state->results, state->device_results.host,
		       state->device_count * sizeof(uint32_t));
	return true;
}

static bool verify(struct app_run *run, struct error *err)
{
	const struct input *input = run->input;
	const struct state *state = run->state;

	for (uint32_t id = 0; id < input->count; id++)
		if (state->results[id] != input->reference[id])
			return fail(err, EXIT_LOST_UPDATE,
				    "steal, %s: task %u came to %u steps, they are %u: the device "
				    "or its memory is wrong",
				    variant_names[run->variant], id, state->results[id],
				    input->reference[id]);
	return true;
}

static const struct app app = {
	.workload = &workload_steal,
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

const struct workload workload_steal = {
	.name = "steal",
	.summary = "work stealing: SVM atomics against maps and copies",
	.description =
		"Counts the Collatz steps of 2048 ranges (times 2 for each step of the input "
		"scale) of 1 to 1024 numbers, most of them short. Each side has a queue of "
		"tasks: a worker takes one by compare-exchange on the head, cuts it in halves "
		"down to 16 numbers, pushes the halves it does not keep, and adds its steps to "
		"the range's result.\n"
		"\n"
		"svm_atomics: both queues and the results are in SVM. Each side starts with half "
		"the ranges; a worker that finds its own side's queue empty takes from the "
		"other's.\n"
		"coarse: a fixed part of the ranges is the device's, its queue and results in "
		"coarse-grained SVM; the size of that part was calibrated in the warm-up so that "
		"both sides end together. Within a side the queue is shared as above.\n"
		"plain: the same division with device buffers, written before and read after the "
		"kernel.\n"
		"\n"
		"Time: from the ranges being in the queues in SVM (svm_atomics), or in host "
		"memory and, the device's, in mapped SVM (coarse) or in host memory (plain), to "
		"all results being readable by the host. It includes unmapping or copying the "
		"device's ranges, launching, waiting, and mapping or copying the results; not "
		"allocating and not zeroing.\n"
		"\n"
		"Verified: the result of every range of every sample against a sequential "
		"count." APP_FIGURES,
	.axes = APP_AXES,
	.measure = measure,
};
