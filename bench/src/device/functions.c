/* SPDX-License-Identifier: MIT */
/*
 * The device's half of each workload as C: kernels/gate.cl, contend.cl and handoff.cl
 * say the same in OpenCL C.
 */
#include "functions.h"

#include "clock.h"
#include "control.h"
#include "cpu_ops.h"
#include "token.h"

#include <string.h>

static uint32_t gate_read(control_block *control, enum control_word word)
{
	return atomic_load_explicit(&(*control)[word], memory_order_acquire);
}

static void count_one(control_block *control, enum control_word word)
{
	atomic_fetch_add_explicit(&(*control)[word], 1, memory_order_acq_rel);
}

static void gate(const struct task *task, const union value *args, uint32_t item)
{
	control_block *control = args[0].memory;
	uint64_t *outcome = args[1].memory;
	const uint64_t limit = args[2].number;
	uint64_t looks = 0;
	uint32_t seen = 0;

	(void)task;
	(void)item;
	count_one(control, CONTROL_READY);
	while (looks < limit && !seen) {
		seen = gate_read(control, CONTROL_GO);
		looks++;
		clock_relax();
	}
	outcome[0] = looks;
	outcome[1] = seen;
}

/* --- contend ------------------------------------------------------------ */

enum contend_argument {
	ARG_CONTROL,
	ARG_WORDS,
	ARG_GUARDS,
	ARG_STREAM,
	ARG_OUTCOMES,
	ARG_FIRST_WORKER,
	ARG_STRIDE,
	ARG_MODULO,
	ARG_STREAM_MASK,
	ARG_BLOCK,
	ARG_LIMIT,
	ARG_GATE_LIMIT,
};

static void await_gate(control_block *control, uint64_t limit)
{
	count_one(control, CONTROL_READY);
	for (uint64_t looks = 0; looks < limit && !gate_read(control, CONTROL_GO); looks++)
		clock_relax();
	count_one(control, CONTROL_STARTED);
}

/* The steps are the CPU's: what runs them is another side. */
static void contend(const struct task *task, const union value *args, uint32_t item)
{
	const struct field field = { .op = task->op,
				     .type = task->type,
				     .random = task->random,
				     .stride = (uint32_t)args[ARG_STRIDE].number,
				     .modulo = (uint32_t)args[ARG_MODULO].number,
				     .stream_mask = (uint32_t)args[ARG_STREAM_MASK].number,
				     .memory.host = args[ARG_WORDS].memory,
				     .guards.host = args[ARG_GUARDS].memory,
				     .stream.host = args[ARG_STREAM].memory };
	struct cpu_worker worker = { .field = &field,
				     .order = task->order,
				     .me = (uint32_t)args[ARG_FIRST_WORKER].number + item };
	control_block *control = args[ARG_CONTROL].memory;
	struct outcome *outcomes = args[ARG_OUTCOMES].memory;
	cpu_steps *steps = cpu_steps_for(task->op, task->type);
	const uint64_t block = args[ARG_BLOCK].number;
	const uint64_t limit = args[ARG_LIMIT].number;
	const bool gated = task->gate != GATE_NONE;

	cpu_worker_reset(&worker);
	if (gated)
		await_gate(control, args[ARG_GATE_LIMIT].number);
	while (worker.outcome.attempts < limit && !(gated && gate_read(control, CONTROL_STOP))) {
		steps(&worker, block);
		clock_relax();
	}
	if (gated)
		count_one(control, CONTROL_FINISHED);
	outcomes[item] = worker.outcome;
}

/* --- handoff ------------------------------------------------------------ */

static void handoff(const struct task *task, const union value *args, uint32_t item)
{
	_Atomic uint32_t *token = args[0].memory;
	_Atomic uint32_t *message = args[1].memory;
	control_block *control = args[2].memory;
	struct token_report *report = args[3].memory;
	const uint64_t rounds = args[4].number;
	const uint64_t limit = args[5].number;
	const bool checks = task->order != ORDER_RELAXED;
	struct token_report own = { .checked = checks };
	uint64_t looks = 0;

	(void)item;
	count_one(control, CONTROL_READY);
	while (own.rounds < rounds && looks < limit) {
		const uint32_t wanted = 2 * (uint32_t)own.rounds + 1;

		if (token_take(token, task->order) != wanted) {
			looks++;
			clock_relax();
			continue;
		}
		if (checks) {
			own.wrong += atomic_load_explicit(&message[MESSAGE_TO_DEVICE],
							  memory_order_relaxed) != ~wanted;
			atomic_store_explicit(&message[MESSAGE_TO_HOST], ~(wanted + 1),
					      memory_order_relaxed);
		}
		token_give(token, wanted + 1, task->order);
		looks = 0;
		own.rounds++;
	}
	*report = own;
}

device_function *function_for(const struct task *task)
{
	static const struct {
		const char *workload;
		device_function *function;
	} functions[] = { { "gate", gate }, { "contend", contend }, { "handoff", handoff } };

	if (task->broken)
		return NULL;
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (!strcmp(functions[i].workload, task->workload))
			return functions[i].function;
	return NULL;
}
