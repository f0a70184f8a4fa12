/* SPDX-License-Identifier: MIT */
/*
 * The parser: one token ahead, recursive descent, the first error ends it.
 */
#include "parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nobody writes a litmus test this long; what is, is some other file. */
#define MAX_FILE_BYTES 65536

struct parser {
	const char *name;
	const char *at; /* what follows the token */
	unsigned line;	/* of the token */
	unsigned next_line;
	const char *token;
	int length; /* 0 at the end */
	struct test *test;
	struct error *err;
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct parser *p, const char *format, ...)
{
	char text[320];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return fail(p->err, EXIT_BAD_DATA, "%s:%u: %s", p->name, p->line, text);
}

/* --- tokens ---------------------------------------------------------------- */

/* Blanks and (* comments *), which nest in herd's files but not in ours. */
static void skip_blanks(struct parser *p)
{
	for (;;) {
		if (*p->at == '\n')
			p->next_line++;
		if (isspace((unsigned char)*p->at)) {
			p->at++;
			continue;
		}
		if (strncmp(p->at, "(*", 2))
			return;
		while (*p->at && strncmp(p->at, "*)", 2))
			p->next_line += *p->at++ == '\n';
		p->at += *p->at ? 2 : 0;
	}
}

static int token_length(const char *at)
{
	int length = 0;

	if (*at == '"') {
		for (length = 1; at[length] && at[length] != '"' && at[length] != '\n'; length++)
			;
		return length + (at[length] == '"');
	}
	if (!strncmp(at, "/\\", 2) || !strncmp(at, "\\/", 2))
		return 2;
	while (isalnum((unsigned char)at[length]) || at[length] == '_' || at[length] == '+')
		length++;
	return length ? length : *at != '\0';
}

static void advance(struct parser *p)
{
	skip_blanks(p);
	p->line = p->next_line;
	p->token = p->at;
	p->length = token_length(p->at);
	p->at += p->length;
}

static bool is(const struct parser *p, const char *word)
{
	return (size_t)p->length == strlen(word) && !strncmp(p->token, word, (size_t)p->length);
}

static bool accept(struct parser *p, const char *word)
{
	if (!is(p, word))
		return false;
	advance(p);
	return true;
}

static bool unexpected(struct parser *p, const char *wanted)
{
	if (!p->length)
		return wrong(p, "the file ends where %s is to be", wanted);
	return wrong(p, "'%.*s' where %s is to be", p->length > 40 ? 40 : p->length, p->token,
		     wanted);
}

static bool expect(struct parser *p, const char *word)
{
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "'%s'", word);
	return accept(p, word) || unexpected(p, wanted);
}

static int word_in(const struct parser *p, const char *const *words, int count)
{
	for (int i = 0; i < count; i++)
		if (is(p, words[i]))
			return i;
	return -1;
}

/* "allowed, forbidden or undefined" */
static void alternatives(const char *const *words, int count, char *out, size_t size)
{
	out[0] = '\0';
	for (int i = 0; i < count; i++)
		snprintf(out + strlen(out), size - strlen(out), "%s%s",
			 i == 0		  ? ""
			 : i == count - 1 ? " or "
					  : ", ",
			 words[i]);
}

static bool parse_value(struct parser *p, uint8_t *out)
{
	char *end;
	unsigned long value;

	if (!p->length || !isdigit((unsigned char)*p->token))
		return unexpected(p, "a number");
	value = strtoul(p->token, &end, 10);
	if (end != p->token + p->length || value > MAX_VALUE)
		return wrong(p, "'%.*s' is too large: values are 0 to %d", p->length, p->token,
			     MAX_VALUE);
	*out = (uint8_t)value;
	advance(p);
	return true;
}

static bool parse_register(struct parser *p, uint8_t *out)
{
	if (p->length != 2 || p->token[0] != 'r' || p->token[1] < '0' ||
	    p->token[1] >= '0' + MAX_REGISTERS)
		return unexpected(p, "a register, r0 to r3,");
	*out = (uint8_t)(p->token[1] - '0');
	advance(p);
	return true;
}

static int find_location(const struct parser *p)
{
	for (unsigned i = 0; i < p->test->locations; i++)
		if (is(p, p->test->location_names[i]))
			return (int)i;
	return -1;
}

static bool parse_location(struct parser *p, uint8_t *out)
{
	const int index = find_location(p);

	if (index < 0 && p->length && isalpha((unsigned char)*p->token))
		return wrong(p,
			     "location '%.*s' is not among those in braces: give it a value "
			     "there",
			     p->length, p->token);
	if (index < 0)
		return unexpected(p, "a location");
	*out = (uint8_t)index;
	advance(p);
	return true;
}

/* --- head: architecture, name, summary, initial values --------------------- */

static bool parse_head(struct parser *p)
{
	struct test *test = p->test;

	if (!accept(p, "OpenCL"))
		return unexpected(p, "'OpenCL', the first word of a test,");
	if (!p->length || !isalnum((unsigned char)*p->token))
		return unexpected(p, "the test's name");
	if ((size_t)p->length >= sizeof(test->name))
		return wrong(p, "the name is longer than %zu letters", sizeof(test->name) - 1);
	snprintf(test->name, sizeof(test->name), "%.*s", p->length, p->token);
	advance(p);
	if (!p->length || *p->token != '"')
		return unexpected(p, "a summary in double quotes");
	if (p->length < 2 || p->token[p->length - 1] != '"')
		return wrong(p, "the summary's closing quote is missing on its line");
	if ((size_t)p->length - 2 >= sizeof(test->summary))
		return wrong(p, "the summary is longer than %zu letters",
			     sizeof(test->summary) - 1);
	snprintf(test->summary, sizeof(test->summary), "%.*s", p->length - 2, p->token + 1);
	advance(p);
	return true;
}

static bool parse_initial(struct parser *p)
{
	struct test *test = p->test;

	if (test->locations == MAX_LOCATIONS)
		return wrong(p, "there are more than %d locations", MAX_LOCATIONS);
	if (!p->length || !islower((unsigned char)*p->token) ||
	    (size_t)p->length >= sizeof(test->location_names[0]))
		return unexpected(p, "a location's name, up to seven letters,");
	if (find_location(p) >= 0)
		return wrong(p, "location '%.*s' is there twice", p->length, p->token);
	if (p->length == 2 && p->token[0] == 'r' && isdigit((unsigned char)p->token[1]))
		return wrong(p, "'%.*s' is a register's name; registers begin as 0", p->length,
			     p->token);
	snprintf(test->location_names[test->locations], sizeof(test->location_names[0]), "%.*s",
		 p->length, p->token);
	advance(p);
	if (!expect(p, "=") || !parse_value(p, &test->initial[test->locations]))
		return false;
	test->locations++;
	accept(p, ";");
	return true;
}

static bool parse_initials(struct parser *p)
{
	if (!expect(p, "{"))
		return false;
	while (!is(p, "}"))
		if (!parse_initial(p))
			return false;
	if (!p->test->locations)
		return wrong(p, "there are no locations: write { x = 0; }");
	advance(p);
	return true;
}

/* --- the shape: a column for each thread ------------------------------------ */

static bool parse_threads(struct parser *p)
{
	do {
		char wanted[8];

		if (p->test->threads == MAX_THREADS)
			return wrong(p, "there are more than %d threads", MAX_THREADS);
		snprintf(wanted, sizeof(wanted), "P%u", p->test->threads);
		if (!expect(p, wanted))
			return false;
		p->test->threads++;
	} while (accept(p, "|"));
	return expect(p, ";");
}

static bool parse_operands(struct parser *p, struct access *access)
{
	if (access->op == OP_FENCE)
		return true;
	if (!parse_location(p, &access->location))
		return false;
	if (access->op == OP_LOAD)
		return true;
	if (access->op == OP_CAS && !parse_value(p, &access->expected))
		return false;
	return parse_value(p, &access->value);
}

static bool parse_guard(struct parser *p, struct access *access)
{
	if (!accept(p, "if"))
		return true;
	access->guarded = true;
	if (!parse_register(p, &access->guard) || !expect(p, "="))
		return false;
	return parse_value(p, &access->guard_value);
}

static bool parse_operation(struct parser *p, struct access *access)
{
	char known[96];
	const bool target = p->length == 2 && p->token[0] == 'r';
	int op;

	if (target && (!parse_register(p, &access->target) || !expect(p, "=")))
		return false;
	op = word_in(p, op_words, OP_COUNT);
	if (op < 0) {
		alternatives(op_words, OP_COUNT, known, sizeof(known));
		return wrong(p, "'%.*s' is no instruction: use %s", p->length, p->token, known);
	}
	access->op = (enum op)op;
	if (target != access_reads(access))
		return target ? wrong(p, "%s reads nothing: no 'rN =' before it", op_words[op])
			      : wrong(p, "what %s reads has to go to a register: rN = %s ...",
				      op_words[op], op_words[op]);
	advance(p);
	return parse_operands(p, access) && parse_guard(p, access);
}

/* A cell of the table; an empty one is none of its thread's instructions. */
static bool parse_cell(struct parser *p, struct thread *thread)
{
	struct access access = { 0 };

	if (is(p, "|") || is(p, ";"))
		return true;
	if (thread->count == MAX_ACCESSES)
		return wrong(p, "a thread has more than %d instructions", MAX_ACCESSES);
	if (!parse_operation(p, &access))
		return false;
	thread->accesses[thread->count++] = access;
	return true;
}

static bool parse_row(struct parser *p)
{
	for (unsigned t = 0; t < p->test->threads; t++) {
		if (t && !accept(p, "|"))
			return wrong(p,
				     "a row has %u of %u columns: separate them by |, leave "
				     "empty what a thread does not have",
				     t, p->test->threads);
		if (!parse_cell(p, &p->test->thread[t]))
			return false;
	}
	return expect(p, ";");
}

static bool parse_shape(struct parser *p)
{
	if (!parse_threads(p))
		return false;
	while (p->length && !is(p, "exists"))
		if (!parse_row(p))
			return false;
	for (unsigned t = 0; t < p->test->threads; t++)
		if (!p->test->thread[t].count)
			return wrong(p, "P%u does nothing: leave it out", t);
	return true;
}

/* --- the condition ---------------------------------------------------------- */

static bool parse_either(struct parser *p, uint8_t *out);

static bool new_node(struct parser *p, struct node node, uint8_t *out)
{
	struct condition *condition = &p->test->condition;

	if (condition->count == MAX_NODES)
		return wrong(p, "the condition has more than %d parts", MAX_NODES);
	*out = (uint8_t)condition->count;
	condition->nodes[condition->count++] = node;
	return true;
}

/* "1:r0" or "x" */
static bool parse_slot(struct parser *p, uint8_t *out)
{
	uint8_t thread;
	uint8_t number = 0;

	if (p->length && isdigit((unsigned char)*p->token)) {
		if (!parse_value(p, &thread))
			return false;
		if (thread >= p->test->threads)
			return wrong(p, "there is no thread P%u", thread);
		if (!expect(p, ":") || !parse_register(p, &number))
			return false;
		*out = (uint8_t)register_slot(thread, number);
		return true;
	}
	if (!parse_location(p, &number))
		return false;
	*out = (uint8_t)location_slot(number);
	return true;
}

static bool parse_atom(struct parser *p, uint8_t *out)
{
	struct node node = { .kind = NODE_EQUALS };

	if (accept(p, "("))
		return parse_either(p, out) && expect(p, ")");
	if (accept(p, "~")) {
		node.kind = NODE_NOT;
		return parse_atom(p, &node.left) && new_node(p, node, out);
	}
	return parse_slot(p, &node.slot) && expect(p, "=") && parse_value(p, &node.value) &&
	       new_node(p, node, out);
}

static bool parse_both(struct parser *p, uint8_t *out)
{
	if (!parse_atom(p, out))
		return false;
	while (accept(p, "/\\")) {
		struct node node = { .kind = NODE_AND, .left = *out };

		if (!parse_atom(p, &node.right) || !new_node(p, node, out))
			return false;
	}
	return true;
}

static bool parse_either(struct parser *p, uint8_t *out)
{
	if (!parse_both(p, out))
		return false;
	while (accept(p, "\\/")) {
		struct node node = { .kind = NODE_OR, .left = *out };

		if (!parse_both(p, &node.right) || !new_node(p, node, out))
			return false;
	}
	return true;
}

/* The source text, blanks folded, for reports. */
static void keep_text(struct test *test, const char *from, const char *to)
{
	size_t length = 0;

	for (; from < to && length + 1 < sizeof(test->condition_text); from++) {
		const bool blank = isspace((unsigned char)*from);

		if (blank && length && test->condition_text[length - 1] == ' ')
			continue;
		test->condition_text[length++] = blank ? ' ' : *from;
	}
	while (length && test->condition_text[length - 1] == ' ')
		length--;
	test->condition_text[length] = '\0';
}

static bool parse_condition(struct parser *p)
{
	const char *start;
	uint8_t root;

	if (!expect(p, "exists"))
		return false;
	start = p->token;
	if (!parse_either(p, &root))
		return false;
	keep_text(p->test, start, p->token);
	return true;
}

/* --- variants: an order for each instruction --------------------------------- */

static bool parse_order(struct parser *p, const struct access *access, enum order *out)
{
	char known[64] = "";
	const int order = word_in(p, order_words, ORDER_COUNT);

	if (order >= 0 && order_fits(access->op, (enum order)order)) {
		*out = (enum order)order;
		advance(p);
		return true;
	}
	for (int i = 0; i < ORDER_COUNT; i++)
		if (order_fits(access->op, (enum order)i))
			snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s",
				 known[0] ? ", " : "", order_words[i]);
	if (order >= 0)
		return wrong(p, "a %s cannot be '%s': use one of %s", op_words[access->op],
			     order_words[order], known);
	if (is(p, "|") || !p->length || word_in(p, verdict_words, VERDICT_COUNT) >= 0)
		return wrong(p,
			     "an order is missing: there is one for each instruction, here one "
			     "of %s",
			     known);
	return wrong(p, "'%.*s' is no order: use one of %s", p->length, p->token, known);
}

static bool parse_scope(struct parser *p, enum scope *out)
{
	int scope;

	if (!accept(p, "@"))
		return true;
	scope = word_in(p, scope_words, SCOPE_COUNT);
	if (scope <= SCOPE_ANY)
		return wrong(p, "'%.*s' is no scope: use wg, dev or all", p->length, p->token);
	*out = (enum scope)scope;
	advance(p);
	return true;
}

static bool parse_placement(struct parser *p, struct variant *variant)
{
	struct place places[MAX_THREADS];

	if (!accept(p, "at"))
		return true;
	snprintf(variant->placement, sizeof(variant->placement), "%.*s", p->length, p->token);
	if ((unsigned)p->length != p->test->threads ||
	    !place_parse(variant->placement, p->test->threads, places))
		return wrong(p,
			     "'%.*s' is no placement: a letter for each thread, h for a host "
			     "thread, a, b ... for the device's work-groups in order, A, B ... "
			     "for the second device's",
			     p->length, p->token);
	advance(p);
	return true;
}

static bool parse_variant(struct parser *p)
{
	struct test *test = p->test;
	struct variant *variant = &test->variant[test->variants];
	const int verdict = word_in(p, verdict_words, VERDICT_COUNT);

	if (verdict < 0)
		return unexpected(p, "'allowed', 'forbidden' or 'undefined'");
	if (test->variants == MAX_VARIANTS)
		return wrong(p, "there are more than %d variants", MAX_VARIANTS);
	*variant = (struct variant){ .stated = (enum verdict)verdict, .line = p->line };
	advance(p);
	for (unsigned t = 0; t < test->threads; t++) {
		if (t && !accept(p, "|"))
			return wrong(p, "P%u has %u instructions: an order for each, then |", t - 1,
				     test->thread[t - 1].count);
		for (unsigned i = 0; i < test->thread[t].count; i++)
			if (!parse_order(p, &test->thread[t].accesses[i], &variant->order[t][i]) ||
			    !parse_scope(p, &variant->scope[t][i]))
				return false;
	}
	test->variants++;
	return parse_placement(p, variant);
}

static bool parse_test(struct parser *p)
{
	advance(p);
	if (!parse_head(p) || !parse_initials(p) || !parse_shape(p) || !parse_condition(p))
		return false;
	while (p->length)
		if (!parse_variant(p))
			return false;
	if (!p->test->variants)
		return wrong(p, "no variant: say 'allowed' or 'forbidden' and an order for each "
				"instruction");
	return true;
}

/* --- entry ------------------------------------------------------------------- */

bool parse_text(const char *name, const char *text, struct test *out, struct error *err)
{
	struct parser p = {
		.name = name, .at = text, .line = 1, .next_line = 1, .test = out, .err = err
	};

	*out = (struct test){ 0 };
	snprintf(out->file, sizeof(out->file), "%s", name);
	return parse_test(&p);
}

bool parse_file(const char *path, struct test *out, struct error *err)
{
	char *text = calloc(1, MAX_FILE_BYTES + 1);
	FILE *file;
	size_t length;
	bool ok;

	if (!text)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	file = fopen(path, "r");
	if (!file) {
		free(text);
		return fail(err, EXIT_NO_INPUT, "cannot read %s: %s", path, strerror(errno));
	}
	length = fread(text, 1, MAX_FILE_BYTES + 1, file);
	ok = !ferror(file);
	fclose(file);
	if (!ok)
		fail(err, EXIT_NO_INPUT, "cannot read %s: is it a file?", path);
	else if (length > MAX_FILE_BYTES || memchr(text, '\0', length))
		ok = fail(err, EXIT_BAD_DATA, "%s is no litmus test: it is not a short text", path);
	ok = ok && parse_text(path, text, out, err);
	free(text);
	return ok;
}
