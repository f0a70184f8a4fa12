/* SPDX-License-Identifier: MIT */
/*
 * Every mutation of every thread, and the model to say which of them make a difference.
 */
#include "mutate.h"

#include "machine.h"

#include <string.h>

const char *const mutation_words[MUTATION_COUNT] = { "swap", "weaken", "split" };

struct mutant_list {
	const struct condition *condition;
	enum total_order total;
	struct mutant *at;
	size_t count;
	size_t room;
};

static void without_plain(struct program *program)
{
	for (unsigned t = 0; t < program->threads; t++)
		for (unsigned i = 0; i < program->thread[t].count; i++)
			if (program->thread[t].accesses[i].order == ORDER_PLAIN)
				program->thread[t].accesses[i].order = ORDER_RLX;
}

static bool same_code(const struct program *a, const struct program *b)
{
	for (unsigned t = 0; t < a->threads; t++)
		if (!thread_same_code(&a->thread[t], &b->thread[t]))
			return false;
	return true;
}

static void keep_if_weaker(struct mutant_list *list, const struct program *program, unsigned thread,
			   enum mutation mutation)
{
	static struct judgement judgement;
	struct mutant *mutant = &list->at[list->count];

	if (list->count == list->room || !judge(program, list->total, &judgement) ||
	    judge_condition(&judgement, list->condition) != VERDICT_ALLOWED)
		return;
	for (size_t i = 0; i < list->count; i++)
		if (same_code(&list->at[i].program, program))
			return;
	memset(mutant, 0, sizeof(*mutant));
	mutant->mutation = mutation;
	mutant->thread = thread;
	memcpy(&mutant->program, program, sizeof(*program));
	mutant->killable_x86 = machine_reaches(program, MACHINE_TSO, list->condition);
	list->count++;
}

/* The next access of @thread from @index on that is no fence; its count if there is none. */
static unsigned next_access(const struct thread *thread, unsigned index)
{
	while (index < thread->count && thread->accesses[index].op == OP_FENCE)
		index++;
	return index;
}

/* Fences stay where they are; a guard would ask for what is not read yet. */
static void swap(struct thread *thread, unsigned i, unsigned j)
{
	const struct access first = thread->accesses[i];

	thread->accesses[i] = thread->accesses[j];
	thread->accesses[j] = first;
	thread->accesses[i].guarded = false;
	thread->accesses[j].guarded = false;
}

static void add_swaps(struct mutant_list *list, const struct program *base, unsigned t)
{
	const struct thread *thread = &base->thread[t];
	unsigned i = next_access(thread, 0);

	while (i < thread->count) {
		const unsigned j = next_access(thread, i + 1);
		struct program program = *base;

		if (j < thread->count) {
			swap(&program.thread[t], i, j);
			keep_if_weaker(list, &program, t, MUTATION_SWAP);
		}
		i = j;
	}
}

static void weaken(struct thread *thread)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < thread->count; i++) {
		if (thread->accesses[i].op == OP_FENCE)
			continue;
		thread->accesses[kept] = thread->accesses[i];
		thread->accesses[kept++].order = ORDER_RLX;
	}
	memset(&thread->accesses[kept], 0, (thread->count - kept) * sizeof(thread->accesses[0]));
	thread->count = kept;
}

static void add_weakened(struct mutant_list *list, const struct program *base, unsigned t)
{
	struct program program = *base;

	weaken(&program.thread[t]);
	keep_if_weaker(list, &program, t, MUTATION_WEAKEN);
}

/* What it would store if it found the initial value. */
static void split(struct program *program, unsigned t, unsigned index)
{
	struct thread *thread = &program->thread[t];
	struct access load = thread->accesses[index];
	struct access store = load;

	load.op = OP_LOAD;
	load.order = ORDER_RLX;
	store.op = OP_STORE;
	store.order = ORDER_RLX;
	if (thread->accesses[index].op == OP_ADD)
		store.value = (program->initial[store.location] + store.value) & MAX_VALUE;
	if (thread->accesses[index].op == OP_CAS) {
		store.guarded = true;
		store.guard = load.target;
		store.guard_value = load.expected;
	}
	memmove(&thread->accesses[index + 1], &thread->accesses[index],
		(thread->count - index) * sizeof(load));
	thread->accesses[index] = load;
	thread->accesses[index + 1] = store;
	thread->count++;
}

static void add_splits(struct mutant_list *list, const struct program *base, unsigned t)
{
	for (unsigned i = 0; i < base->thread[t].count; i++) {
		const struct access *access = &base->thread[t].accesses[i];
		struct program program = *base;

		if (!access_reads(access) || access->op == OP_LOAD ||
		    program.thread[t].count == MAX_ACCESSES)
			continue;
		split(&program, t, i);
		keep_if_weaker(list, &program, t, MUTATION_SPLIT);
	}
}

size_t mutants_of(const struct program *program, const struct condition *condition,
		  enum total_order total, struct mutant *out, size_t room)
{
	struct mutant_list list = { condition, total, out, 0, room };
	struct program base = *program;

	without_plain(&base);
	for (unsigned t = 0; t < program->threads; t++) {
		add_swaps(&list, &base, t);
		add_weakened(&list, &base, t);
		add_splits(&list, &base, t);
	}
	return list.count;
}
