/* SPDX-License-Identifier: MIT */
/*
 * Words, conditions, placements, and from a variant to a program.
 */
#include "litmus.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const op_words[OP_COUNT] = { "load", "store", "exchange", "add", "cas", "fence" };
const char *const order_words[ORDER_COUNT] = { "-", "na", "rlx", "acq", "rel", "acq_rel", "sc" };
const char *const scope_words[SCOPE_COUNT] = { "any", "wg", "dev", "all" };
const char *const verdict_words[VERDICT_COUNT] = { "allowed", "forbidden", "undefined" };

bool order_fits(enum op op, enum order order)
{
	switch (op) {
	case OP_LOAD:
		return order == ORDER_PLAIN || order == ORDER_RLX || order == ORDER_ACQ ||
		       order == ORDER_SC;
	case OP_STORE:
		return order == ORDER_PLAIN || order == ORDER_RLX || order == ORDER_REL ||
		       order == ORDER_SC;
	case OP_FENCE:
		return order == ORDER_ABSENT || order >= ORDER_ACQ;
	default:
		return order >= ORDER_RLX;
	}
}

static bool access_same(const struct access *a, const struct access *b)
{
	return a->op == b->op && a->order == b->order && a->scope == b->scope &&
	       a->location == b->location && a->target == b->target && a->value == b->value &&
	       a->expected == b->expected && a->guarded == b->guarded && a->guard == b->guard &&
	       a->guard_value == b->guard_value;
}

bool thread_same_code(const struct thread *a, const struct thread *b)
{
	if (a->count != b->count)
		return false;
	for (unsigned i = 0; i < a->count; i++)
		if (!access_same(&a->accesses[i], &b->accesses[i]))
			return false;
	return true;
}

/* --- conditions ----------------------------------------------------------- */

static bool node_holds(const struct condition *condition, unsigned index, outcome_t outcome)
{
	const struct node *node = &condition->nodes[index];

	switch (node->kind) {
	case NODE_AND:
		return node_holds(condition, node->left, outcome) &&
		       node_holds(condition, node->right, outcome);
	case NODE_OR:
		return node_holds(condition, node->left, outcome) ||
		       node_holds(condition, node->right, outcome);
	case NODE_NOT:
		return !node_holds(condition, node->left, outcome);
	case NODE_EQUALS:
		break;
	}
	return outcome_get(outcome, node->slot) == node->value;
}

bool condition_holds(const struct condition *condition, outcome_t outcome)
{
	return node_holds(condition, condition->count - 1, outcome);
}

/* --- placements ----------------------------------------------------------- */

static bool place_of(char letter, struct place *place)
{
	*place = (struct place){ 0 };
	if (letter == 'h')
		place->host = true;
	else if (letter >= 'a' && letter < 'a' + MAX_THREADS)
		place->group = (uint8_t)(letter - 'a');
	else if (letter >= 'A' && letter < 'A' + MAX_THREADS)
		*place = (struct place){ .device = 1, .group = (uint8_t)(letter - 'A') };
	else
		return false;
	return true;
}

bool place_parse(const char *placement, unsigned threads, struct place *places)
{
	uint8_t next[2] = { 0, 0 };

	if (strlen(placement) != threads)
		return false;
	for (unsigned i = 0; i < threads; i++) {
		if (!place_of(placement[i], &places[i]))
			return false;
		if (places[i].host)
			continue;
		if (places[i].group > next[places[i].device])
			return false;
		if (places[i].group == next[places[i].device])
			next[places[i].device]++;
	}
	/* A second device without a first is the first. */
	return next[0] || !next[1];
}

size_t place_all(unsigned threads, bool host, unsigned devices, char (*out)[MAX_THREADS + 1],
		 size_t room)
{
	static const char letters[] = "habcdABCD";
	struct place places[MAX_THREADS];
	size_t total = 1;
	size_t count = 0;

	for (unsigned i = 0; i < threads; i++)
		total *= sizeof(letters) - 1;
	for (size_t number = 0; number < total; number++) {
		char text[MAX_THREADS + 1] = "";
		size_t rest = number;

		for (unsigned i = threads; i-- > 0; rest /= sizeof(letters) - 1)
			text[i] = letters[rest % (sizeof(letters) - 1)];
		if (!place_parse(text, threads, places) || (!host && strchr(text, 'h')) ||
		    (devices < 2 && strpbrk(text, "ABCD")))
			continue;
		if (count < room)
			memcpy(out[count], text, sizeof(text));
		count++;
	}
	return count;
}

/* --- from a variant to a program ------------------------------------------- */

static void settle(const struct access *shape, enum order order, enum scope scope,
		   struct thread *out)
{
	struct access *access;

	if (order == ORDER_ABSENT)
		return;
	access = &out->accesses[out->count++];
	*access = *shape;
	access->order = order;
	access->scope = out->place.host ? SCOPE_ALL : scope;
}

bool test_instantiate(const struct test *test, const struct variant *variant, enum scope scope,
		      const char *placement, struct program *out)
{
	struct place places[MAX_THREADS];
	bool wide = scope == SCOPE_ALL;

	if (!place_parse(placement, test->threads, places))
		return false;
	*out = (struct program){ .threads = test->threads, .locations = test->locations };
	memcpy(out->initial, test->initial, sizeof(out->initial));
	for (unsigned t = 0; t < test->threads; t++) {
		out->thread[t].place = places[t];
		wide |= places[t].host || places[t].device;
		for (unsigned i = 0; i < test->thread[t].count; i++) {
			const enum scope own = variant->scope[t][i];

			wide |= own == SCOPE_ALL;
			settle(&test->thread[t].accesses[i], variant->order[t][i],
			       own == SCOPE_ANY ? scope : own, &out->thread[t]);
		}
	}
	out->svm = wide;
	return true;
}

void orders_first(const struct test *test, struct variant *variant)
{
	*variant = (struct variant){ 0 };
	for (unsigned t = 0; t < test->threads; t++)
		for (unsigned i = 0; i < test->thread[t].count; i++)
			variant->order[t][i] = test->thread[t].accesses[i].op == OP_FENCE
						       ? ORDER_ABSENT
						       : ORDER_RLX;
}

/* An odometer: a place that is through begins anew and moves the next one on. */
bool orders_next(const struct test *test, struct variant *variant)
{
	for (unsigned t = 0; t < test->threads; t++) {
		for (unsigned i = 0; i < test->thread[t].count; i++) {
			enum order *order = &variant->order[t][i];
			const enum op op = test->thread[t].accesses[i].op;

			do
				*order = (enum order)((*order + 1) % ORDER_COUNT);
			while (!order_fits(op, *order) || *order == ORDER_PLAIN);
			if (*order != ORDER_ABSENT && *order != ORDER_RLX)
				return true;
		}
	}
	return false;
}

/* --- words ----------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void add(char *out, size_t size, const char *format,
						      ...)
{
	const size_t used = strlen(out);
	va_list args;

	va_start(args, format);
	vsnprintf(out + used, size - used, format, args);
	va_end(args);
}

void variant_name(const struct test *test, const struct variant *variant, char *out, size_t size)
{
	out[0] = '\0';
	for (unsigned t = 0; t < test->threads; t++) {
		if (t)
			add(out, size, "|");
		for (unsigned i = 0; i < test->thread[t].count; i++) {
			add(out, size, "%s%s", i ? "." : "", order_words[variant->order[t][i]]);
			if (variant->scope[t][i] != SCOPE_ANY)
				add(out, size, "@%s", scope_words[variant->scope[t][i]]);
		}
	}
}

static unsigned registers_of(const struct thread *thread)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < thread->count; i++)
		if (access_reads(&thread->accesses[i]))
			mask |= 1u << thread->accesses[i].target;
	return mask;
}

void outcome_text(const struct test *test, outcome_t outcome, bool all, char *out, size_t size)
{
	out[0] = '\0';
	for (unsigned t = 0; t < test->threads; t++)
		for (unsigned r = 0; r < MAX_REGISTERS; r++)
			if (registers_of(&test->thread[t]) & (1u << r))
				add(out, size, "%s%u:r%u=%u", out[0] ? " " : "", t, r,
				    outcome_get(outcome, register_slot(t, r)));
	for (unsigned l = 0; l < test->locations; l++)
		if (all || outcome_get(outcome_mask(test), location_slot(l)))
			add(out, size, "%s%s=%u", out[0] ? " " : "", test->location_names[l],
			    outcome_get(outcome, location_slot(l)));
}

outcome_t outcome_mask(const struct test *test)
{
	outcome_t mask = 0;

	for (unsigned t = 0; t < test->threads; t++)
		for (unsigned r = 0; r < MAX_REGISTERS; r++)
			if (registers_of(&test->thread[t]) & (1u << r))
				mask = outcome_with(mask, register_slot(t, r), 7);
	/* Final values of locations are there to be asked for; else they are noise. */
	for (unsigned i = 0; i < test->condition.count; i++) {
		const struct node *node = &test->condition.nodes[i];

		if (node->kind == NODE_EQUALS && node->slot >= location_slot(0))
			mask = outcome_with(mask, node->slot, 7);
	}
	return mask;
}
