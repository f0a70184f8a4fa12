/* SPDX-License-Identifier: MIT */
/*
 * Depth-first over states; the programs are too small to remember them.
 */
#include "machine.h"

struct store {
	uint8_t location;
	uint8_t value;
};

struct state {
	uint8_t memory[MAX_LOCATIONS];
	struct {
		uint8_t next; /* instruction */
		uint8_t registers[MAX_REGISTERS];
		uint8_t buffered;
		struct store buffer[MAX_ACCESSES]; /* oldest first */
	} thread[MAX_THREADS];
};

struct machine_search {
	const struct program *program;
	enum machine machine;
	void (*found)(outcome_t outcome, void *context);
	void *context;
};

static uint8_t load(const struct state *state, unsigned t, uint8_t location)
{
	for (unsigned i = state->thread[t].buffered; i-- > 0;)
		if (state->thread[t].buffer[i].location == location)
			return state->thread[t].buffer[i].value;
	return state->memory[location];
}

static void drain_one(struct state *state, unsigned t)
{
	const struct store oldest = state->thread[t].buffer[0];

	state->memory[oldest.location] = oldest.value;
	state->thread[t].buffered--;
	for (unsigned i = 0; i < state->thread[t].buffered; i++)
		state->thread[t].buffer[i] = state->thread[t].buffer[i + 1];
}

/* The compiled instruction waits for the thread's own buffer. */
static bool drains(const struct machine_search *search, const struct access *access)
{
	if (search->machine == MACHINE_SC)
		return true;
	if (access->op == OP_LOAD)
		return false;
	if (access->op == OP_STORE || access->op == OP_FENCE)
		return access->order == ORDER_SC;
	return true;
}

static void write(const struct machine_search *search, struct state *state, unsigned t,
		  const struct access *access, uint8_t value)
{
	if (drains(search, access))
		state->memory[access->location] = value;
	else
		state->thread[t].buffer[state->thread[t].buffered++] =
			(struct store){ access->location, value };
}

static void execute(const struct machine_search *search, struct state *state, unsigned t)
{
	const struct access *access = &search->program->thread[t].accesses[state->thread[t].next++];
	uint8_t *registers = state->thread[t].registers;
	uint8_t old;

	if (access->op == OP_FENCE ||
	    (access->guarded && registers[access->guard] != access->guard_value))
		return;
	old = load(state, t, access->location);
	if (access->op == OP_ADD)
		write(search, state, t, access, (old + access->value) & MAX_VALUE);
	else if (access->op != OP_LOAD && (access->op != OP_CAS || old == access->expected))
		write(search, state, t, access, access->value);
	if (access_reads(access))
		registers[access->target] = old;
}

static void finish(const struct machine_search *search, const struct state *state)
{
	outcome_t outcome = 0;

	for (unsigned t = 0; t < search->program->threads; t++)
		for (unsigned r = 0; r < MAX_REGISTERS; r++)
			outcome = outcome_with(outcome, register_slot(t, r),
					       state->thread[t].registers[r]);
	for (unsigned l = 0; l < search->program->locations; l++)
		outcome = outcome_with(outcome, location_slot(l), state->memory[l]);
	search->found(outcome, search->context);
}

static void explore(const struct machine_search *search, const struct state *from)
{
	bool ended = true;

	for (unsigned t = 0; t < search->program->threads; t++) {
		const unsigned next = from->thread[t].next;
		struct state to;

		if (from->thread[t].buffered) {
			ended = false;
			to = *from;
			drain_one(&to, t);
			explore(search, &to);
		}
		if (next == search->program->thread[t].count)
			continue;
		ended = false;
		if (from->thread[t].buffered &&
		    drains(search, &search->program->thread[t].accesses[next]))
			continue;
		to = *from;
		execute(search, &to, t);
		explore(search, &to);
	}
	if (ended)
		finish(search, from);
}

void machine_run(const struct program *program, enum machine machine,
		 void (*found)(outcome_t outcome, void *context), void *context)
{
	const struct machine_search search = { program, machine, found, context };
	struct state start = { 0 };

	for (unsigned l = 0; l < program->locations; l++)
		start.memory[l] = program->initial[l];
	explore(&search, &start);
}

struct reach {
	const struct condition *condition;
	bool reached;
};

static void reach(outcome_t outcome, void *context)
{
	struct reach *goal = context;

	goal->reached = goal->reached || condition_holds(goal->condition, outcome);
}

bool machine_reaches(const struct program *program, enum machine machine,
		     const struct condition *condition)
{
	struct reach goal = { .condition = condition };

	machine_run(program, machine, reach, &goal);
	return goal.reached;
}
