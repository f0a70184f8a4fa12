/* SPDX-License-Identifier: MIT */
/*
 * Relations as matrices.
 */
#include "reference.h"

#include <string.h>

#define MOST 40

typedef struct {
	bool at[MOST][MOST];
} relation;

enum kind { READ = 1, WRITE = 2, FENCE = 4 };

struct action {
	unsigned kind;
	int thread; /* -1: initial */
	unsigned location;
	enum order order;
	enum scope scope;
	unsigned read;	  /* value */
	unsigned written; /* value */
	unsigned target;
};

struct world {
	const struct program *program;
	enum total_order total;
	struct judgement *out;
	unsigned guess[MOST]; /* values of reads, in program order */
	unsigned reads;
	unsigned n;
	struct action action[MOST];
	relation sb;
	relation rf;
	relation mo;
};

/* --- algebra --------------------------------------------------------------------- */

static relation sequence(const relation *a, const relation *b, unsigned n)
{
	relation c = { 0 };

	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < n; k++)
			for (unsigned j = 0; a->at[i][k] && j < n; j++)
				c.at[i][j] |= b->at[k][j];
	return c;
}

static relation either(const relation *a, const relation *b, unsigned n)
{
	relation c = { 0 };

	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < n; j++)
			c.at[i][j] = a->at[i][j] || b->at[i][j];
	return c;
}

static relation inverse(const relation *a, unsigned n)
{
	relation c = { 0 };

	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < n; j++)
			c.at[j][i] = a->at[i][j];
	return c;
}

static relation maybe(const relation *a, unsigned n)
{
	relation c = *a;

	for (unsigned i = 0; i < n; i++)
		c.at[i][i] = true;
	return c;
}

static relation closure(const relation *a, unsigned n)
{
	relation c = *a;

	for (unsigned k = 0; k < n; k++)
		for (unsigned i = 0; i < n; i++)
			for (unsigned j = 0; j < n; j++)
				c.at[i][j] |= c.at[i][k] && c.at[k][j];
	return c;
}

static bool irreflexive(const relation *a, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (a->at[i][i])
			return false;
	return true;
}

/* [from] a [to], by a test of actions. */
static relation between(const relation *a, const struct world *w,
			bool (*from)(const struct action *), bool (*to)(const struct action *))
{
	relation c = { 0 };

	for (unsigned i = 0; i < w->n; i++)
		for (unsigned j = 0; j < w->n; j++)
			c.at[i][j] = a->at[i][j] && from(&w->action[i]) && to(&w->action[j]);
	return c;
}

static bool any(const struct action *a)
{
	(void)a;
	return true;
}

static bool is_write(const struct action *a)
{
	return a->kind & WRITE;
}

static bool is_fence(const struct action *a)
{
	return a->kind & FENCE;
}

static bool is_atomic(const struct action *a)
{
	return a->order != ORDER_PLAIN;
}

static bool is_sc(const struct action *a)
{
	return a->thread >= 0 && a->order == ORDER_SC;
}

static bool is_sc_fence(const struct action *a)
{
	return is_sc(a) && is_fence(a);
}

static bool is_release(const struct action *a)
{
	return a->kind & (WRITE | FENCE) &&
	       (a->order == ORDER_REL || a->order == ORDER_ACQ_REL || a->order == ORDER_SC);
}

static bool is_acquire(const struct action *a)
{
	return a->kind & (READ | FENCE) &&
	       (a->order == ORDER_ACQ || a->order == ORDER_ACQ_REL || a->order == ORDER_SC);
}

static bool is_atomic_write(const struct action *a)
{
	return is_write(a) && is_atomic(a) && a->thread >= 0;
}

/* --- derived relations --------------------------------------------------------------- */

static bool incl(const struct world *w, unsigned i, unsigned j)
{
	const struct action *a = &w->action[i];
	const struct action *b = &w->action[j];
	const struct place *p = &w->program->thread[a->thread].place;
	const struct place *q = &w->program->thread[b->thread].place;

	if (a->scope != b->scope)
		return false;
	if (a->scope == SCOPE_ALL)
		return true;
	if (p->host || q->host || p->device != q->device)
		return false;
	return a->scope == SCOPE_DEV || p->group == q->group;
}

/* rs: from a write through mo, as long as the writes are of its thread or read-modify-writes. */
static relation release_sequences(const struct world *w)
{
	relation rs = { 0 };

	for (unsigned i = 0; i < w->n; i++) {
		rs.at[i][i] = is_write(&w->action[i]);
		for (unsigned j = 0; j < w->n; j++) {
			bool whole = w->mo.at[i][j];

			for (unsigned k = 0; k < w->n; k++)
				if (w->mo.at[i][k] && (k == j || w->mo.at[k][j]))
					whole &= w->action[k].thread == w->action[i].thread ||
						 w->action[k].kind & READ;
			rs.at[i][j] |= whole;
		}
	}
	return rs;
}

/* sw = [rel] ([F] sb)? [W] rs rf [R] (sb [F])? [acq], where scopes include each other. */
static relation synchronizes_with(const struct world *w)
{
	const relation rs = release_sequences(w);
	relation before = between(&w->sb, w, is_fence, is_atomic_write);
	relation after = between(&w->sb, w, is_atomic, is_fence);
	relation middle = sequence(&rs, &w->rf, w->n);
	relation sw;

	before = maybe(&before, w->n);
	after = maybe(&after, w->n);
	middle = between(&middle, w, is_atomic_write, is_atomic);
	sw = sequence(&before, &middle, w->n);
	sw = sequence(&sw, &after, w->n);
	sw = between(&sw, w, is_release, is_acquire);
	for (unsigned i = 0; i < w->n; i++)
		for (unsigned j = 0; j < w->n; j++)
			if (sw.at[i][j])
				sw.at[i][j] =
					w->action[i].thread != w->action[j].thread && incl(w, i, j);
	return sw;
}

static relation happens_before(const struct world *w)
{
	const relation sw = synchronizes_with(w);
	relation hb = either(&w->sb, &sw, w->n);

	for (unsigned i = 0; i < w->n; i++)
		for (unsigned j = 0; j < w->n; j++)
			hb.at[i][j] |= w->action[i].thread < 0 && w->action[j].thread >= 0;
	return closure(&hb, w->n);
}

static relation from_reads(const struct world *w)
{
	const relation back = inverse(&w->rf, w->n);
	relation fr = sequence(&back, &w->mo, w->n);

	/* A read-modify-write is not before itself. */
	for (unsigned i = 0; i < w->n; i++)
		fr.at[i][i] = false;
	return fr;
}

/* --- axioms ------------------------------------------------------------------------------ */

/* No happens-before against (rf^-1)? mo rf?, nor against rf. */
static bool coherent(const struct world *w, const relation *hb)
{
	const relation back = inverse(&w->rf, w->n);
	const relation some_back = maybe(&back, w->n);
	const relation some_rf = maybe(&w->rf, w->n);
	const relation from = sequence(&some_back, &w->mo, w->n);
	const relation communication = sequence(&from, &some_rf, w->n);
	const relation against = sequence(&communication, hb, w->n);
	const relation early = sequence(&w->rf, hb, w->n);

	return irreflexive(hb, w->n) && irreflexive(&against, w->n) && irreflexive(&early, w->n);
}

/* Nothing between a read-modify-write and what it reads. */
static bool atomic(const struct world *w, const relation *fr)
{
	for (unsigned i = 0; i < w->n; i++) {
		if ((w->action[i].kind & (READ | WRITE)) != (READ | WRITE))
			continue;
		for (unsigned k = 0; k < w->n; k++) {
			if (w->rf.at[k][i] && !w->mo.at[k][i])
				return false;
			if (fr->at[i][k] && w->mo.at[k][i])
				return false;
		}
	}
	return true;
}

static bool promised(const struct world *w)
{
	for (unsigned i = 0; w->total == TOTAL_UNDER_CONDITIONS && i < w->n; i++)
		if (is_sc(&w->action[i]) &&
		    w->action[i].scope != (w->program->svm ? SCOPE_ALL : SCOPE_DEV))
			return false;
	return true;
}

static void add(relation *to, const relation *more, const struct world *w)
{
	*to = either(to, more, w->n);
}

/* What S has to respect, over all actions; only edges among seq_cst ones count. */
static relation sc_constraints(const struct world *w, const relation *hb, const relation *fr)
{
	const relation fence_sb = between(&w->sb, w, is_sc_fence, any);
	const relation sb_fence = between(&w->sb, w, any, is_sc_fence);
	relation s = either(hb, &w->mo, w->n);
	relation fenced;

	add(&s, &w->rf, w);
	/* A read is before the seq_cst writes that overwrite what it read: at once, ... */
	for (unsigned w1 = 0; w1 < w->n; w1++)
		for (unsigned r = 0; r < w->n; r++)
			for (unsigned w2 = 0; w->rf.at[w1][r] && w2 < w->n; w2++)
				if (w2 != r && w->mo.at[w1][w2] &&
				    (is_sc(&w->action[w1]) || hb->at[w1][w2]))
					s.at[r][w2] = true;
	/* ... and through fences on either side. */
	fenced = sequence(&fence_sb, fr, w->n);
	add(&s, &fenced, w);
	fenced = sequence(&fenced, &sb_fence, w->n);
	add(&s, &fenced, w);
	fenced = sequence(fr, &sb_fence, w->n);
	add(&s, &fenced, w);
	fenced = sequence(&fence_sb, &w->mo, w->n);
	fenced = sequence(&fenced, &sb_fence, w->n);
	add(&s, &fenced, w);
	return between(&s, w, is_sc, is_sc);
}

static bool sc_acyclic(const struct world *w, const relation *hb, const relation *fr)
{
	relation s = sc_constraints(w, hb, fr);

	s = closure(&s, w->n);
	return !promised(w) || irreflexive(&s, w->n);
}

static bool races(const struct world *w, const relation *hb)
{
	for (unsigned i = 0; i < w->n; i++) {
		for (unsigned j = 0; j < w->n; j++) {
			const struct action *a = &w->action[i];
			const struct action *b = &w->action[j];

			if (a->thread < 0 || b->thread < 0 || a->thread == b->thread ||
			    is_fence(a) || is_fence(b) || a->location != b->location ||
			    !(is_write(a) || is_write(b)) || hb->at[i][j] || hb->at[j][i])
				continue;
			if (!is_atomic(a) || !is_atomic(b) || !incl(w, i, j))
				return true;
		}
	}
	return false;
}

static void record(const struct world *w)
{
	struct judgement *out = w->out;
	outcome_t outcome = 0;

	for (unsigned i = 0; i < w->n; i++) {
		const struct action *a = &w->action[i];
		bool last = is_write(a);

		if (a->kind & READ)
			outcome = outcome_with(
				outcome, register_slot((unsigned)a->thread, a->target), a->read);
		for (unsigned j = 0; j < w->n; j++)
			last &= !w->mo.at[i][j];
		if (last)
			outcome = outcome_with(outcome, location_slot(a->location), a->written);
	}
	for (size_t i = 0; i < out->count; i++)
		if (out->outcomes[i] == outcome)
			return;
	if (out->count < MAX_OUTCOMES)
		out->outcomes[out->count++] = outcome;
}

static void consider(const struct world *w)
{
	const relation hb = happens_before(w);
	const relation fr = from_reads(w);

	if (!coherent(w, &hb) || !atomic(w, &fr) || !sc_acyclic(w, &hb, &fr))
		return;
	w->out->racy |= races(w, &hb);
	record(w);
}

/* --- candidates ------------------------------------------------------------------------------ */

/* Each pair of writes to a location that is not ordered yet, both ways, if that is no cycle. */
static void choose_mo(struct world *w)
{
	for (unsigned i = 0; i < w->n; i++) {
		for (unsigned j = 0; j < i; j++) {
			const relation before = w->mo;

			if (!is_write(&w->action[i]) || !is_write(&w->action[j]) ||
			    w->action[i].location != w->action[j].location || w->mo.at[i][j] ||
			    w->mo.at[j][i])
				continue;
			w->mo.at[i][j] = true;
			w->mo = closure(&w->mo, w->n);
			choose_mo(w);
			w->mo = before;
			w->mo.at[j][i] = true;
			w->mo = closure(&w->mo, w->n);
			choose_mo(w);
			w->mo = before;
			return;
		}
	}
	consider(w);
}

static void choose_rf(struct world *w, unsigned from)
{
	while (from < w->n && !(w->action[from].kind & READ))
		from++;
	if (from == w->n) {
		memset(&w->mo, 0, sizeof(w->mo));
		for (unsigned i = 0; i < w->n; i++)
			for (unsigned j = 0; j < w->n; j++)
				w->mo.at[i][j] = w->action[i].thread < 0 &&
						 w->action[j].thread >= 0 &&
						 is_write(&w->action[j]) &&
						 w->action[i].location == w->action[j].location;
		choose_mo(w);
		return;
	}
	for (unsigned i = 0; i < w->n; i++) {
		if (i == from || !is_write(&w->action[i]) ||
		    w->action[i].location != w->action[from].location ||
		    w->action[i].written != w->action[from].read)
			continue;
		w->rf.at[i][from] = true;
		choose_rf(w, from + 1);
		w->rf.at[i][from] = false;
	}
}

static enum order failed(enum order order)
{
	return order == ORDER_ACQ_REL ? ORDER_ACQ : order == ORDER_REL ? ORDER_RLX : order;
}

/* One instruction that reads @value, if it reads; the register file of its thread follows. */
static void execute(struct world *w, unsigned t, const struct access *access, unsigned value,
		    unsigned *registers)
{
	const bool exchanged = access->op != OP_CAS || value == access->expected;
	struct action action = { .thread = (int)t,
				 .location = access->location,
				 .order = exchanged ? access->order : failed(access->order),
				 .scope = access->scope,
				 .target = access->target };

	if (access_reads(access)) {
		action.kind |= READ;
		action.read = value;
		registers[access->target] = value;
	}
	if (access->op == OP_FENCE)
		action.kind = FENCE;
	else if (access->op != OP_LOAD && exchanged)
		action.kind |= WRITE;
	action.written = access->op == OP_ADD ? (value + access->value) & MAX_VALUE : access->value;
	w->action[w->n++] = action;
}

/* The events of the guessed values. */
static void follow(struct world *w)
{
	unsigned read = 0;

	w->n = 0;
	for (unsigned l = 0; l < w->program->locations; l++)
		w->action[w->n++] = (struct action){ .kind = WRITE,
						     .thread = -1,
						     .location = l,
						     .order = ORDER_RLX,
						     .written = w->program->initial[l] };
	for (unsigned t = 0; t < w->program->threads; t++) {
		unsigned registers[MAX_REGISTERS] = { 0 };

		for (unsigned i = 0; i < w->program->thread[t].count; i++) {
			const struct access *access = &w->program->thread[t].accesses[i];
			const unsigned value = access_reads(access) ? w->guess[read++] : 0;

			if (!access->guarded || registers[access->guard] == access->guard_value)
				execute(w, t, access, value, registers);
		}
	}
	memset(&w->sb, 0, sizeof(w->sb));
	memset(&w->rf, 0, sizeof(w->rf));
	for (unsigned i = 0; i < w->n; i++)
		for (unsigned j = i + 1; j < w->n; j++)
			w->sb.at[i][j] = w->action[i].thread >= 0 &&
					 w->action[i].thread == w->action[j].thread;
}

static void guess_values(struct world *w, unsigned from)
{
	/* No test here stores or adds up to more. */
	const unsigned most = 5;

	if (from == w->reads) {
		follow(w);
		choose_rf(w, 0);
		return;
	}
	for (w->guess[from] = 0; w->guess[from] <= most; w->guess[from]++)
		guess_values(w, from + 1);
	w->guess[from] = 0;
}

void reference_judge(const struct program *program, enum total_order total, struct judgement *out)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	memset(out, 0, sizeof(*out));
	w.program = program;
	w.total = total;
	w.out = out;
	for (unsigned t = 0; t < program->threads; t++)
		for (unsigned i = 0; i < program->thread[t].count; i++)
			w.reads += access_reads(&program->thread[t].accesses[i]);
	guess_values(&w, 0);
}
