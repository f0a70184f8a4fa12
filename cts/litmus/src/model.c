/* SPDX-License-Identifier: MIT */
/*
 * Candidate executions, one after the other: a path through each thread, a write for each read
 * (rf), an order of the writes to each location (mo), an order of the seq_cst operations (S).
 */
#include "model.h"

#include <stdio.h>
#include <string.h>

#define MAX_EVENTS (MAX_LOCATIONS + MAX_THREADS * MAX_ACCESSES)
#define MAX_WRITES (MAX_THREADS * MAX_ACCESSES + 1)
#define MAX_SC	   12 /* S is a search among their permutations */
#define NOBODY	   UINT32_MAX

typedef uint64_t set_t; /* of events */
#define IN(set, event) (((set) >> (event)) & 1)
#define ONE(event)     ((set_t)1 << (event))

struct event {
	const struct access *access; /* NULL: an initial value */
	unsigned thread;
	unsigned index;
	uint8_t location;
	bool reads;
	bool writes;
	bool fence;
	enum order order;
};

struct search {
	const struct program *program;
	enum total_order total;
	struct judgement *out;
	bool overflow;

	/* The path: for each choice (a guard, a compare-exchange), whether it is taken. */
	unsigned choices;
	uint32_t path;

	unsigned count;
	struct event event[MAX_EVENTS];

	uint32_t rf[MAX_EVENTS]; /* of reads: the write */
	int value[MAX_EVENTS];	 /* of writes: what is written */
	int seen[MAX_EVENTS];	 /* of reads: what is read */

	unsigned writes[MAX_LOCATIONS];
	uint32_t mo[MAX_LOCATIONS][MAX_WRITES]; /* initial value first */
	unsigned rank[MAX_EVENTS];		/* of writes: place in mo */

	set_t hb[MAX_EVENTS]; /* what the event happens before */

	unsigned sc_count;
	uint32_t sc[MAX_SC];
	unsigned sc_rank[MAX_EVENTS]; /* place in S, from 1; 0: not in S, or not yet */
};

/* --- scopes ---------------------------------------------------------------- */

static bool same_group(const struct place *a, const struct place *b)
{
	return !a->host && !b->host && a->device == b->device && a->group == b->group;
}

bool scopes_inclusive(const struct program *program, unsigned thread_a, enum scope a,
		      unsigned thread_b, enum scope b)
{
	const struct place *at = &program->thread[thread_a].place;
	const struct place *to = &program->thread[thread_b].place;

	if (a != b)
		return false;
	switch (a) {
	case SCOPE_WG:
		return same_group(at, to);
	case SCOPE_DEV:
		return !at->host && !to->host && at->device == to->device;
	default:
		return true;
	}
}

static bool inclusive(const struct search *s, uint32_t a, uint32_t b)
{
	const struct event *x = &s->event[a];
	const struct event *y = &s->event[b];

	return scopes_inclusive(s->program, x->thread, x->access->scope, y->thread,
				y->access->scope);
}

/* --- happens-before: A1, A2 -------------------------------------------------- */

static bool is_release(const struct event *event)
{
	return (event->writes || event->fence) && event->order >= ORDER_REL;
}

static bool is_acquire(const struct event *event)
{
	return (event->reads || event->fence) && event->order >= ORDER_ACQ &&
	       event->order != ORDER_REL;
}

/* Whether @write is in the release sequence that @head heads, or would if it released. */
static bool in_release_sequence(const struct search *s, uint32_t head, uint32_t write)
{
	const uint8_t location = s->event[head].location;

	if (s->event[write].location != location || s->rank[write] < s->rank[head])
		return false;
	for (unsigned i = s->rank[head] + 1; i <= s->rank[write]; i++) {
		const struct event *next = &s->event[s->mo[location][i]];

		if (next->thread != s->event[head].thread && !next->reads)
			return false;
	}
	return true;
}

static bool sequenced(const struct search *s, uint32_t a, uint32_t b)
{
	return s->event[a].access && s->event[b].access &&
	       s->event[a].thread == s->event[b].thread && s->event[a].index < s->event[b].index;
}

static bool is_atomic(const struct event *event)
{
	return event->order != ORDER_PLAIN;
}

/* Whether @write publishes for @a, and @read receives for @b. */
static bool carries(const struct search *s, uint32_t a, uint32_t write, uint32_t read, uint32_t b)
{
	if (!(a == write || (s->event[a].fence && sequenced(s, a, write))))
		return false;
	if (!(b == read || (s->event[b].fence && sequenced(s, read, b))))
		return false;
	return in_release_sequence(s, write, s->rf[read]);
}

static bool synchronizes(const struct search *s, uint32_t a, uint32_t b)
{
	if (s->event[a].thread == s->event[b].thread || !is_release(&s->event[a]) ||
	    !is_acquire(&s->event[b]) || !inclusive(s, a, b))
		return false;
	for (uint32_t w = 0; w < s->count; w++) {
		if (!s->event[w].access || !s->event[w].writes || !is_atomic(&s->event[w]))
			continue;
		for (uint32_t r = 0; r < s->count; r++)
			if (s->event[r].reads && is_atomic(&s->event[r]) && carries(s, a, w, r, b))
				return true;
	}
	return false;
}

static void happens_before(struct search *s)
{
	for (uint32_t a = 0; a < s->count; a++) {
		s->hb[a] = 0;
		for (uint32_t b = 0; b < s->count; b++) {
			if (!s->event[b].access)
				continue;
			if (!s->event[a].access || sequenced(s, a, b) || synchronizes(s, a, b))
				s->hb[a] |= ONE(b);
		}
	}
	for (uint32_t via = 0; via < s->count; via++)
		for (uint32_t a = 0; a < s->count; a++)
			if (IN(s->hb[a], via))
				s->hb[a] |= s->hb[via];
}

/* --- coherence and atomicity: A3 to A6, A8 ------------------------------------ */

static bool pair_coherent(const struct search *s, uint32_t a, uint32_t b)
{
	const struct event *x = &s->event[a];
	const struct event *y = &s->event[b];

	if (x->writes && y->writes && s->rank[a] >= s->rank[b])
		return false;
	if (x->reads && y->reads && s->rank[s->rf[a]] > s->rank[s->rf[b]])
		return false;
	if (x->reads && y->writes && s->rank[s->rf[a]] >= s->rank[b])
		return false;
	if (x->writes && y->reads && s->rank[a] > s->rank[s->rf[b]])
		return false;
	return true;
}

static bool coherent(const struct search *s)
{
	for (uint32_t a = 0; a < s->count; a++) {
		const struct event *x = &s->event[a];

		if (IN(s->hb[a], a))
			return false;
		if (x->reads && x->writes && s->rank[s->rf[a]] + 1 != s->rank[a])
			return false;
		for (uint32_t b = 0; b < s->count; b++)
			if (IN(s->hb[a], b) && !x->fence && !s->event[b].fence &&
			    x->location == s->event[b].location && !pair_coherent(s, a, b))
				return false;
	}
	return true;
}

/* --- the total order of seq_cst operations: A7 --------------------------------- */

static bool is_sc(const struct event *event)
{
	return event->access && event->order == ORDER_SC;
}

/* The last seq_cst modification of @location before @rank in S. */
static uint32_t last_sc_write(const struct search *s, uint8_t location, unsigned rank)
{
	uint32_t last = NOBODY;

	for (unsigned i = 0; i < s->sc_count; i++) {
		const uint32_t e = s->sc[i];

		if (s->event[e].writes && s->event[e].location == location && s->sc_rank[e] &&
		    s->sc_rank[e] < rank && (last == NOBODY || s->sc_rank[e] > s->sc_rank[last]))
			last = e;
	}
	return last;
}

static bool sc_read_allowed(const struct search *s, uint32_t read)
{
	const uint32_t from = s->rf[read];
	const uint32_t last = last_sc_write(s, s->event[read].location, s->sc_rank[read]);

	if (last == NOBODY)
		return !is_sc(&s->event[from]);
	return from == last || (!is_sc(&s->event[from]) && !IN(s->hb[from], last));
}

/* What seq_cst fences promise to the atomic operations around them: @b reads. */
static bool fences_allow_read(const struct search *s, uint32_t b)
{
	for (unsigned i = 0; i < s->sc_count; i++) {
		const uint32_t y = s->sc[i];
		uint32_t last;

		if (!s->event[y].fence || !sequenced(s, y, b))
			continue;
		last = last_sc_write(s, s->event[b].location, s->sc_rank[y]);
		if (last != NOBODY && s->rank[s->rf[b]] < s->rank[last])
			return false;
	}
	return true;
}

/* @a modifies before fence x; @b comes after x in S, or after a fence that does. */
static bool fences_order(const struct search *s, uint32_t a, uint32_t b, bool *by_two)
{
	bool ordered = false;

	*by_two = false;
	for (unsigned i = 0; i < s->sc_count; i++) {
		const uint32_t x = s->sc[i];

		if (!s->event[x].fence || !sequenced(s, a, x))
			continue;
		ordered |= is_sc(&s->event[b]) && s->sc_rank[x] < s->sc_rank[b];
		for (unsigned j = 0; j < s->sc_count; j++) {
			const uint32_t y = s->sc[j];

			*by_two |= s->event[y].fence && sequenced(s, y, b) &&
				   s->sc_rank[x] < s->sc_rank[y];
		}
	}
	return ordered || *by_two;
}

static bool fences_allow(const struct search *s)
{
	for (uint32_t a = 0; a < s->count; a++) {
		if (s->event[a].reads && !fences_allow_read(s, a))
			return false;
		for (uint32_t b = 0; b < s->count; b++) {
			bool by_two;

			if (a == b || !s->event[a].access || !s->event[a].writes ||
			    !s->event[b].access || s->event[b].fence ||
			    s->event[a].location != s->event[b].location ||
			    !fences_order(s, a, b, &by_two))
				continue;
			if (s->event[b].reads && s->rank[s->rf[b]] < s->rank[a])
				return false;
			if (by_two && s->event[b].writes && s->rank[b] <= s->rank[a])
				return false;
		}
	}
	return true;
}

/* Whether @e may be next in S: all that has to be before it is. */
static bool sc_ready(const struct search *s, uint32_t e)
{
	for (unsigned i = 0; i < s->sc_count; i++) {
		const uint32_t other = s->sc[i];

		if (other == e || s->sc_rank[other])
			continue;
		if (IN(s->hb[other], e))
			return false;
		if (s->event[other].writes && s->event[e].writes &&
		    s->event[other].location == s->event[e].location && s->rank[other] < s->rank[e])
			return false;
	}
	return true;
}

static bool total_order_exists(struct search *s, unsigned placed)
{
	if (placed == s->sc_count)
		return fences_allow(s);
	for (unsigned i = 0; i < s->sc_count; i++) {
		const uint32_t e = s->sc[i];
		bool found;

		if (s->sc_rank[e] || !sc_ready(s, e))
			continue;
		s->sc_rank[e] = placed + 1;
		found = (!s->event[e].reads || sc_read_allowed(s, e)) &&
			total_order_exists(s, placed + 1);
		s->sc_rank[e] = 0;
		if (found)
			return true;
	}
	return false;
}

/* OpenCL 2.x makes S depend on scopes and memory. */
static bool total_promised(const struct search *s)
{
	const enum scope wanted = s->program->svm ? SCOPE_ALL : SCOPE_DEV;

	if (s->total == TOTAL_ALWAYS)
		return true;
	for (unsigned i = 0; i < s->sc_count; i++)
		if (s->event[s->sc[i]].access->scope != wanted)
			return false;
	return true;
}

static bool sequentially_consistent(struct search *s)
{
	s->sc_count = 0;
	memset(s->sc_rank, 0, sizeof(s->sc_rank));
	for (uint32_t e = 0; e < s->count; e++)
		if (is_sc(&s->event[e]) && s->sc_count < MAX_SC)
			s->sc[s->sc_count++] = e;
	return !s->sc_count || !total_promised(s) || total_order_exists(s, 0);
}

/* --- races: A9 ------------------------------------------------------------------ */

static void find_race(struct search *s)
{
	for (uint32_t a = 0; a < s->count && !s->out->racy; a++) {
		for (uint32_t b = a + 1; b < s->count; b++) {
			const struct event *x = &s->event[a];
			const struct event *y = &s->event[b];
			const bool plain = !is_atomic(x) || !is_atomic(y);

			if (!x->access || x->fence || y->fence || x->thread == y->thread ||
			    x->location != y->location || !(x->writes || y->writes) ||
			    IN(s->hb[a], b) || IN(s->hb[b], a) || (!plain && inclusive(s, a, b)))
				continue;
			s->out->racy = true;
			s->out->race = (struct race){ .thread = { x->thread, y->thread },
						      .access = { x->index, y->index },
						      .plain = plain };
			return;
		}
	}
}

/* --- the enumeration -------------------------------------------------------------- */

static void record(struct search *s)
{
	struct judgement *out = s->out;
	outcome_t outcome = 0;
	size_t at = 0;

	for (uint32_t e = 0; e < s->count; e++) {
		const struct event *event = &s->event[e];

		if (event->reads)
			outcome = outcome_with(outcome,
					       register_slot(event->thread, event->access->target),
					       (unsigned)s->seen[e]);
	}
	for (unsigned l = 0; l < s->program->locations; l++)
		outcome = outcome_with(outcome, location_slot(l),
				       (unsigned)s->value[s->mo[l][s->writes[l] - 1]]);
	while (at < out->count && out->outcomes[at] < outcome)
		at++;
	if (at < out->count && out->outcomes[at] == outcome)
		return;
	if (out->count == MAX_OUTCOMES) {
		s->overflow = true;
		return;
	}
	memmove(&out->outcomes[at + 1], &out->outcomes[at],
		(out->count - at) * sizeof(out->outcomes[0]));
	out->outcomes[at] = outcome;
	out->count++;
}

static void consider(struct search *s)
{
	s->out->candidates++;
	happens_before(s);
	if (!coherent(s) || !sequentially_consistent(s))
		return;
	s->out->consistent++;
	find_race(s);
	record(s);
}

/* Every order of the writes to locations from @location on; position @from is next. */
static void choose_mo(struct search *s, unsigned location, unsigned from)
{
	if (location == s->program->locations) {
		consider(s);
		return;
	}
	if (from >= s->writes[location]) {
		choose_mo(s, location + 1, 1);
		return;
	}
	for (unsigned i = from; i < s->writes[location]; i++) {
		uint32_t *mo = s->mo[location];
		const uint32_t chosen = mo[i];

		mo[i] = mo[from];
		mo[from] = chosen;
		s->rank[chosen] = from;
		choose_mo(s, location, from + 1);
		mo[from] = mo[i];
		mo[i] = chosen;
	}
}

static void collect_writes(struct search *s)
{
	memset(s->writes, 0, sizeof(s->writes));
	for (uint32_t e = 0; e < s->count; e++)
		if (s->event[e].writes) {
			const uint8_t location = s->event[e].location;

			s->rank[e] = s->writes[location];
			s->mo[location][s->writes[location]++] = e;
		}
}

/* What @write stores; false where it would depend on itself. */
static bool find_value(struct search *s, uint32_t write, unsigned depth)
{
	const struct event *event = &s->event[write];

	if (depth > s->count)
		return false;
	if (!event->access) {
		s->value[write] = s->program->initial[event->location];
		return true;
	}
	s->value[write] = event->access->value;
	if (event->access->op != OP_ADD)
		return true;
	if (!find_value(s, s->rf[write], depth + 1))
		return false;
	s->value[write] = (s->value[s->rf[write]] + event->access->value) & MAX_VALUE;
	return true;
}

/* The value of a register of @thread just before @index. */
static int register_value(const struct search *s, unsigned thread, unsigned index, unsigned number)
{
	int value = 0;

	for (uint32_t e = 0; e < s->count; e++)
		if (s->event[e].reads && s->event[e].thread == thread &&
		    s->event[e].index < index && s->event[e].access->target == number)
			value = s->seen[e];
	return value;
}

/* Whether the values read lead down the path that was supposed. */
static bool path_fits(const struct search *s)
{
	unsigned choice = 0;

	for (unsigned t = 0; t < s->program->threads; t++) {
		for (unsigned i = 0; i < s->program->thread[t].count; i++) {
			const struct access *access = &s->program->thread[t].accesses[i];
			bool taken;

			if (!access->guarded)
				continue;
			taken = register_value(s, t, i, access->guard) == access->guard_value;
			if (taken != (bool)(s->path >> choice++ & 1))
				return false;
		}
	}
	for (uint32_t e = 0; e < s->count; e++) {
		const struct event *event = &s->event[e];

		if (event->access && event->access->op == OP_CAS &&
		    (s->seen[e] == event->access->expected) != event->writes)
			return false;
	}
	return true;
}

static void choose_rf(struct search *s, uint32_t event)
{
	if (event == s->count) {
		for (uint32_t e = 0; e < s->count; e++)
			if (s->event[e].writes && !find_value(s, e, 0))
				return;
		for (uint32_t e = 0; e < s->count; e++)
			if (s->event[e].reads)
				s->seen[e] = s->value[s->rf[e]];
		if (path_fits(s)) {
			collect_writes(s);
			choose_mo(s, 0, 1);
		}
		return;
	}
	if (!s->event[event].reads) {
		choose_rf(s, event + 1);
		return;
	}
	for (uint32_t w = 0; w < s->count; w++) {
		if (!s->event[w].writes || w == event || sequenced(s, event, w) ||
		    s->event[w].location != s->event[event].location)
			continue;
		s->rf[event] = w;
		choose_rf(s, event + 1);
	}
}

static void add_event(struct search *s, unsigned thread, unsigned index, bool succeeds)
{
	const struct access *access = &s->program->thread[thread].accesses[index];

	s->event[s->count++] = (struct event){
		.access = access,
		.thread = thread,
		.index = index,
		.location = access->location,
		.reads = access_reads(access),
		.writes = access->op != OP_LOAD && access->op != OP_FENCE && succeeds,
		.fence = access->op == OP_FENCE,
		.order = access->order,
	};
}

/* The events of one path. A compare-exchange that fails is a load with what is left of its order.
 */
static void take_path(struct search *s)
{
	unsigned choice = 0;
	unsigned exchange = 0;

	for (unsigned t = 0; t < s->program->threads; t++)
		for (unsigned i = 0; i < s->program->thread[t].count; i++)
			exchange += s->program->thread[t].accesses[i].guarded;
	s->count = 0;
	for (unsigned l = 0; l < s->program->locations; l++)
		s->event[s->count++] = (struct event){
			.thread = NOBODY, .location = (uint8_t)l, .writes = true, .order = ORDER_RLX
		};
	for (unsigned t = 0; t < s->program->threads; t++) {
		for (unsigned i = 0; i < s->program->thread[t].count; i++) {
			const struct access *access = &s->program->thread[t].accesses[i];
			bool succeeds = true;

			if (access->op == OP_CAS)
				succeeds = s->path >> exchange++ & 1;
			if (!access->guarded || (s->path >> choice++ & 1))
				add_event(s, t, i, succeeds);
		}
	}
	for (uint32_t e = 0; e < s->count; e++)
		if (s->event[e].access && s->event[e].access->op == OP_CAS && !s->event[e].writes)
			s->event[e].order = s->event[e].order == ORDER_REL ? ORDER_RLX
					    : s->event[e].order == ORDER_ACQ_REL
						    ? ORDER_ACQ
						    : s->event[e].order;
}

static unsigned count_choices(const struct program *program)
{
	unsigned choices = 0;

	for (unsigned t = 0; t < program->threads; t++)
		for (unsigned i = 0; i < program->thread[t].count; i++) {
			const struct access *access = &program->thread[t].accesses[i];

			choices += access->guarded + (access->op == OP_CAS);
		}
	return choices;
}

bool judge(const struct program *program, enum total_order total, struct judgement *out)
{
	struct search s = { .program = program, .total = total, .out = out };

	*out = (struct judgement){ 0 };
	s.choices = count_choices(program);
	for (s.path = 0; s.path < 1u << s.choices; s.path++) {
		take_path(&s);
		choose_rf(&s, 0);
	}
	return !s.overflow;
}

enum verdict judge_condition(const struct judgement *judgement, const struct condition *condition)
{
	if (judgement->racy)
		return VERDICT_UNDEFINED;
	for (size_t i = 0; i < judgement->count; i++)
		if (condition_holds(condition, judgement->outcomes[i]))
			return VERDICT_ALLOWED;
	return VERDICT_FORBIDDEN;
}

void race_text(const struct test *test, const struct program *program, const struct race *race,
	       char *out, size_t size)
{
	const struct access *a = &program->thread[race->thread[0]].accesses[race->access[0]];
	const struct access *b = &program->thread[race->thread[1]].accesses[race->access[1]];

	snprintf(out, size, "%s of %s by P%u and %s by P%u race: %s", op_words[a->op],
		 test->location_names[a->location], race->thread[0], op_words[b->op],
		 race->thread[1],
		 race->plain ? "not both are atomic, and nothing orders them"
			     : "their scopes do not include each other, and nothing orders them");
}
