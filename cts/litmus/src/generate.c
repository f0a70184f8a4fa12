/* SPDX-License-Identifier: MIT */
/*
 * Cases are written twice: tight, as a test means it, and with a pause in front of each access,
 * for runs that vary how the threads meet.
 */
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>

void codes_clear(struct codes *codes)
{
	free(codes->at);
	*codes = (struct codes){ 0 };
}

int codes_find(const struct codes *codes, const struct thread *thread)
{
	for (size_t i = 0; i < codes->count; i++)
		if (thread_same_code(&codes->at[i], thread))
			return (int)i;
	return -1;
}

int codes_number(struct codes *codes, const struct thread *thread)
{
	const int known = codes_find(codes, thread);

	if (known >= 0)
		return known;
	if (codes->count == codes->room) {
		const size_t room = codes->room ? 2 * codes->room : 32;
		struct thread *at = realloc(codes->at, room * sizeof(*at));

		if (!at)
			return -1;
		codes->at = at;
		codes->room = room;
	}
	codes->at[codes->count] = *thread;
	return (int)codes->count++;
}

/* A compare-exchange that fails is a load. */
static enum order failed_order(enum order order)
{
	if (order == ORDER_ACQ_REL)
		return ORDER_ACQ;
	return order == ORDER_REL ? ORDER_RLX : order;
}

static void write_operation(FILE *out, const struct access *a)
{
	const char *order = order_words[a->order];
	const char *scope = scope_words[a->scope];

	switch (a->op) {
	case OP_LOAD:
		if (a->order == ORDER_PLAIN)
			fprintf(out, "r%u = PLAIN_LOAD(%u);", a->target, a->location);
		else
			fprintf(out, "r%u = LOAD(%u, %s, %s);", a->target, a->location, order,
				scope);
		break;
	case OP_STORE:
		if (a->order == ORDER_PLAIN)
			fprintf(out, "PLAIN_STORE(%u, %u);", a->location, a->value);
		else
			fprintf(out, "STORE(%u, %u, %s, %s);", a->location, a->value, order, scope);
		break;
	case OP_EXCHANGE:
	case OP_ADD:
		fprintf(out, "r%u = %s(%u, %u, %s, %s);", a->target,
			a->op == OP_ADD ? "ADD" : "EXCHANGE", a->location, a->value, order, scope);
		break;
	case OP_CAS:
		fprintf(out, "CAS(r%u, %u, %u, %u, %s, %s, %s);", a->target, a->location,
			a->expected, a->value, order, order_words[failed_order(a->order)], scope);
		break;
	default:
		fprintf(out, "FENCE(%s, %s);", order, scope);
	}
}

static void write_thread(FILE *out, const struct thread *thread, bool pauses)
{
	for (unsigned i = 0; i < thread->count; i++) {
		const struct access *access = &thread->accesses[i];

		if (pauses && i && access->op != OP_FENCE)
			fprintf(out, "\t\tPAUSE(%u);\n", (i - 1) % 4);
		fputs("\t\t", out);
		if (access->guarded)
			fprintf(out, "if (r%u == %u) ", access->guard, access->guard_value);
		write_operation(out, access);
		fputc('\n', out);
	}
}

/* One `if` after the other: some compilers nest the cases of a switch, and only so deep. */
static void write_cases(FILE *out, const struct codes *codes, bool pauses)
{
	for (size_t i = 0; i < codes->count; i++) {
		fprintf(out, "\tif (code == %zu) {\n", 2 * i + pauses);
		write_thread(out, &codes->at[i], pauses);
		fputs("\t}\n", out);
	}
}

char *generate_perform(const struct codes *codes)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs("static uint perform(int code, __global atomic_int *instance, uint stride,\n"
	      "\t\t    bool dawdles, uint pauses, uint pause_mask, uint pause_scale, uint *sunk)\n"
	      "{\n"
	      "\tint r0 = 0, r1 = 0, r2 = 0, r3 = 0;\n"
	      "\tuint sink = *sunk;\n\n"
	      "\tcode = 2 * code + dawdles;\n",
	      out);
	write_cases(out, codes, false);
	write_cases(out, codes, true);
	fputs("\t*sunk = sink;\n"
	      "\treturn SEEN(r0, r1, r2, r3);\n"
	      "}\n",
	      out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
