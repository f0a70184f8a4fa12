/* SPDX-License-Identifier: MIT */
/*
 * Reports.
 */
#include "report.h"

#include <libsmartcols.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *const result_words[RESULT_COUNT] = { "pass", "fail", "not applicable", "partial" };

/* --- the verdict --------------------------------------------------------------- */

static const struct cell *first_failed(const struct session *session)
{
	for (size_t i = 0; i < session->cells; i++)
		if (session->cell[i].violations)
			return &session->cell[i];
	return NULL;
}

static const char *first_missing(const struct session *session)
{
	static const char prefix[] = "not applicable: ";

	for (size_t i = 0; i < session->cells; i++)
		if (!strncmp(session->cell[i].skipped, prefix, sizeof(prefix) - 1))
			return session->cell[i].skipped + sizeof(prefix) - 1;
	return NULL;
}

static void failure(const struct session *session, char *out, size_t size)
{
	const struct cell *cell = first_failed(session);
	char orders[128];
	char outcome[160];

	variant_name(session->test, cell->variant, orders, sizeof(orders));
	outcome_text(session->test, cell->violation, true, outcome, sizeof(outcome));
	snprintf(out, size,
		 "forbidden outcome %s seen in %llu of %llu instances (%zu of %zu programs fail); "
		 "again: svmatomic-litmus --run %s --orders '%s' --placement %s --scope %s --seed "
		 "%u%s%s",
		 outcome, (unsigned long long)cell->violations,
		 (unsigned long long)cell->tally.instances, session->failed, session->ran,
		 session->test->name, orders, cell->placement, scope_words[cell->scope],
		 session->options->seed, session->engine->fault ? " --break " : "",
		 session->engine->fault ? fault_words[session->engine->fault] : "");
}

enum result session_result(const struct session *session, char *reason, size_t size)
{
	const char *missing = first_missing(session);

	reason[0] = '\0';
	if (session->failed) {
		failure(session, reason, size);
		return RESULT_FAIL;
	}
	if (!session->ran) {
		snprintf(reason, size, "%s", missing ? missing : session->cell[0].skipped);
		return RESULT_NOT_APPLICABLE;
	}
	if (missing) {
		snprintf(reason, size, "%zu programs ran and pass, others do not apply: %s",
			 session->ran, missing);
		return RESULT_PARTIAL;
	}
	return RESULT_PASS;
}

/* --- JSON ------------------------------------------------------------------------ */

static json_t *outcomes_json(const struct test *test, const struct tally *tally)
{
	const outcome_t mask = outcome_mask(test);
	json_t *object = json_object();

	for (size_t i = 0; i < tally->count; i++) {
		char text[160];
		json_int_t before;

		outcome_text(test, tally->at[i].outcome & mask, false, text, sizeof(text));
		before = json_integer_value(json_object_get(object, text));
		json_object_set_new(object, text,
				    json_integer(before + (json_int_t)tally->at[i].seen));
	}
	return object;
}

static json_t *cell_json(const struct session *session, const struct cell *cell)
{
	char orders[128];
	json_t *object;

	variant_name(session->test, cell->variant, orders, sizeof(orders));
	object = json_pack("{s:s, s:s, s:s, s:s, s:s}", "orders", orders, "scope",
			   scope_words[cell->scope], "placement", cell->placement, "memory",
			   cell->program.svm ? "svm" : "buffer", "model",
			   verdict_words[cell->verdict]);
	if (cell->skipped[0]) {
		json_object_set_new(object, "skipped", json_string(cell->skipped));
		return object;
	}
	json_object_set_new(object, "instances", json_integer((json_int_t)cell->tally.instances));
	json_object_set_new(object, "met", json_integer((json_int_t)cell->tally.met));
	json_object_set_new(object, "matches", json_integer((json_int_t)cell->matches));
	json_object_set_new(object, "violations", json_integer((json_int_t)cell->violations));
	json_object_set_new(object, "outcomes", outcomes_json(session->test, &cell->tally));
	return object;
}

static const char *best_environment(const struct mutant_run *run)
{
	return run->kills ? environments[experience_choose(&run->experience, 1)].name : "";
}

static json_t *mutant_json(const struct session *session, const struct mutant_run *run)
{
	const struct cell *cell = &session->cell[run->cell];
	char orders[128];

	variant_name(session->test, cell->variant, orders, sizeof(orders));
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:b, s:b, s:b, s:I, s:I, s:s}", "orders",
			 orders, "scope", scope_words[cell->scope], "placement", cell->placement,
			 "mutation", mutation_words[run->mutant.mutation], "thread",
			 (int)run->mutant.thread, "killable_x86", run->mutant.killable_x86,
			 "at_once", run->concurrent, "killable", run->killable, "instances",
			 (json_int_t)run->tally.instances, "kills", (json_int_t)run->kills,
			 "best_environment", best_environment(run));
}

json_t *session_json(const struct session *session, double seconds)
{
	char reason[480];
	const enum result result = session_result(session, reason, sizeof(reason));
	json_t *cells = json_array();
	json_t *mutants = json_array();

	for (size_t i = 0; i < session->cells; i++)
		json_array_append_new(cells, cell_json(session, &session->cell[i]));
	for (size_t i = 0; i < session->mutants; i++)
		json_array_append_new(mutants, mutant_json(session, &session->mutant[i]));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:i, s:i, s:i, s:f, s:o, s:o}",
			 "name", session->test->name, "summary", session->test->summary, "exists",
			 session->test->condition_text, "file", session->test->file, "verdict",
			 result_words[result], "reason", reason, "seconds", seconds, "killable",
			 (int)session->killable, "killed", (int)session->killed, "surprises",
			 (int)session->surprises, "confidence", session->confidence, "programs",
			 cells, "mutants", mutants);
}

json_t *engine_json(const struct engine *engine)
{
	const struct cts_device *device = &engine->device[0];

	return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:b, s:s, s:i, s:b, s:f, s:b, s:i, s:s}",
			 "name", device->name, "platform", device->platform_name, "version",
			 device->version, "driver", device->driver, "second",
			 engine->devices > 1 ? engine->device[1].name : NULL, "svm_atomics",
			 engine->svm, "no_svm_atomics", engine->no_svm, "groups_at_once",
			 (int)engine->concurrency.groups, "items_at_once",
			 engine->concurrency.items, "look_ns", engine->concurrency.look_ns, "x86",
			 engine->x86, "cpus", (int)engine->cores.count, "broken",
			 fault_words[engine->fault]);
}

static json_int_t sum_of(const json_t *test, const char *key)
{
	const json_t *cell;
	json_int_t sum = 0;
	size_t i;

	json_array_foreach (json_object_get(test, "programs"), i, cell)
		sum += json_integer_value(json_object_get(cell, key));
	return sum;
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static const char *word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

json_t *score_json(const json_t *tests)
{
	json_int_t counts[RESULT_COUNT] = { 0 };
	json_int_t killable = 0;
	json_int_t killed = 0;
	json_int_t surprises = 0;
	json_int_t mutants = 0;
	const json_t *test;
	size_t i;

	json_array_foreach (tests, i, test) {
		for (int r = 0; r < RESULT_COUNT; r++)
			counts[r] += !strcmp(word(test, "verdict"), result_words[r]);
		killable += number(test, "killable");
		killed += number(test, "killed");
		surprises += number(test, "surprises");
		mutants += (json_int_t)json_array_size(json_object_get(test, "mutants"));
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "pass", counts[RESULT_PASS],
			 "fail", counts[RESULT_FAIL], "not applicable",
			 counts[RESULT_NOT_APPLICABLE], "partial", counts[RESULT_PARTIAL],
			 "mutants", mutants, "killable", killable, "killed", killed, "surprises",
			 surprises);
}

/* --- tables --------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void set(struct libscols_line *line, size_t column,
						      const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	scols_line_set_data(line, column, text);
}

static struct libscols_table *new_table(const char *const *columns, unsigned right, FILE *out)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		return NULL;
	scols_table_set_stream(table, out);
	for (unsigned i = 0; columns[i]; i++)
		scols_table_new_column(table, columns[i], 0, right >> i & 1 ? SCOLS_FL_RIGHT : 0);
	return table;
}

static void test_row(struct libscols_table *table, const json_t *test)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	const json_int_t instances = sum_of(test, "instances");
	const json_int_t killable = number(test, "killable");
	json_int_t ran = 0;
	const json_t *cell;
	size_t i;

	if (!line)
		return;
	json_array_foreach (json_object_get(test, "programs"), i, cell)
		ran += number(cell, "instances") > 0;
	set(line, 0, "%s", word(test, "name"));
	set(line, 1, "%s", word(test, "verdict"));
	set(line, 2, "%lld", (long long)ran);
	set(line, 3, "%lld", (long long)instances);
	set(line, 4, "%lld", (long long)sum_of(test, "violations"));
	if (instances)
		set(line, 5, "%.0f%%", 100.0 * (double)sum_of(test, "met") / (double)instances);
	set(line, 6, "%lld/%lld", (long long)number(test, "killed"), (long long)killable);
	if (killable)
		set(line, 7, "%.1f%%", 100 * json_real_value(json_object_get(test, "confidence")));
}

static void print_reasons(const json_t *tests, FILE *out)
{
	const json_t *test;
	size_t i;

	json_array_foreach (tests, i, test)
		if (word(test, "reason")[0])
			fprintf(out, "%s: %s: %s\n", word(test, "name"), word(test, "verdict"),
				word(test, "reason"));
}

/* Names of tests that pass without anything to show that they would not. */
static void print_weak(const json_t *tests, FILE *out)
{
	const char *before = "no mutant can be killed here, so a pass says little: ";
	const json_t *test;
	size_t i;

	json_array_foreach (tests, i, test) {
		if (number(test, "killable") || !json_array_size(json_object_get(test, "mutants")))
			continue;
		fprintf(out, "%s%s", before, word(test, "name"));
		before = ", ";
	}
	if (before[0] == ',')
		fputc('\n', out);
}

static void print_score(const json_t *score, FILE *out)
{
	const json_int_t killable = number(score, "killable");

	fprintf(out, "\n%lld pass, %lld fail, %lld partial, %lld not applicable\n",
		(long long)number(score, "pass"), (long long)number(score, "fail"),
		(long long)number(score, "partial"), (long long)number(score, "not applicable"));
	if (!number(score, "mutants"))
		return;
	fprintf(out, "mutants: %lld, killable here %lld, killed %lld",
		(long long)number(score, "mutants"), (long long)killable,
		(long long)number(score, "killed"));
	if (killable)
		fprintf(out, ": score %.1f%%",
			100.0 * (double)number(score, "killed") / (double)killable);
	if (number(score, "surprises"))
		fprintf(out, "; %lld more that no x86 shows, so the compiler reorders",
			(long long)number(score, "surprises"));
	fputc('\n', out);
}

static void print_device(const json_t *device, FILE *out)
{
	if (!device)
		return;
	fprintf(out,
		"%s (%s)\n%s; work-groups at once: %lld; work-items of a group at once: %s%s%s\n\n",
		word(device, "name"), word(device, "platform"),
		json_is_true(json_object_get(device, "svm_atomics"))
			? "SVM atomics"
			: word(device, "no_svm_atomics"),
		(long long)number(device, "groups_at_once"),
		json_is_true(json_object_get(device, "items_at_once")) ? "yes"
								       : "no, they take turns",
		word(device, "second")[0] ? "; second device: " : "", word(device, "second"));
}

bool report_tests(const json_t *document, FILE *out, struct error *err)
{
	static const char *const columns[] = { "TEST",	    "VERDICT",	  "PROGRAMS",
					       "INSTANCES", "FORBIDDEN",  "MET",
					       "MUTANTS",   "CONFIDENCE", NULL };
	const json_t *tests = json_object_get(document, "tests");
	struct libscols_table *table = new_table(columns, 0xfc, out);
	const json_t *test;
	size_t i;

	if (!table)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	print_device(json_object_get(document, "device"), out);
	json_array_foreach (tests, i, test)
		test_row(table, test);
	scols_print_table(table);
	scols_unref_table(table);
	print_reasons(tests, out);
	print_score(json_object_get(document, "score"), out);
	print_weak(tests, out);
	return true;
}

static void histogram_text(const json_t *cell, char *out, size_t size)
{
	const char *outcome;
	json_t *seen;

	out[0] = '\0';
	json_object_foreach (json_object_get(cell, "outcomes"), outcome, seen) {
		const size_t used = strlen(out);

		snprintf(out + used, size - used, "%s%lld: %s", used ? ", " : "",
			 (long long)json_integer_value(seen), outcome);
	}
}

static void cell_row(struct libscols_table *table, const json_t *cell)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	const json_int_t instances = number(cell, "instances");
	char histogram[1024];

	if (!line)
		return;
	set(line, 0, "%s", word(cell, "orders"));
	set(line, 1, "%s", word(cell, "placement"));
	set(line, 2, "%s", word(cell, "scope"));
	set(line, 3, "%s", word(cell, "model"));
	if (!instances) {
		scols_line_set_data(line, 6, word(cell, "skipped"));
		return;
	}
	set(line, 4, "%lld", (long long)number(cell, "matches"));
	set(line, 5, "%.0f%%", 100.0 * (double)number(cell, "met") / (double)instances);
	histogram_text(cell, histogram, sizeof(histogram));
	scols_line_set_data(line, 6, histogram);
}

static void mutant_row(struct libscols_table *table, const json_t *mutant)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	const bool at_once = json_is_true(json_object_get(mutant, "at_once"));

	if (!line)
		return;
	set(line, 0, "%s", word(mutant, "orders"));
	set(line, 1, "%s", word(mutant, "placement"));
	set(line, 2, "%s", word(mutant, "scope"));
	set(line, 3, "%s P%lld", word(mutant, "mutation"), (long long)number(mutant, "thread"));
	set(line, 4, "%s",
	    json_is_true(json_object_get(mutant, "killable")) ? "yes"
	    : at_once					      ? "no: x86-TSO"
							      : "no: not at once");
	set(line, 5, "%lld", (long long)number(mutant, "instances"));
	set(line, 6, "%lld", (long long)number(mutant, "kills"));
	set(line, 7, "%s", word(mutant, "best_environment"));
}

bool report_details(const json_t *test, FILE *out, struct error *err)
{
	static const char *const cells[] = { "ORDERS", "AT",  "SCOPE",	  "MODEL",
					     "EXISTS", "MET", "OUTCOMES", NULL };
	static const char *const mutants[] = { "ORDERS",   "AT",       "SCOPE",
					       "MUTATION", "KILLABLE", "INSTANCES",
					       "KILLED",   "BEST",     NULL };
	struct libscols_table *table = new_table(cells, 0x30, out);
	const json_t *item;
	size_t i;

	if (!table)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	fprintf(out, "%s: %s\nexists %s\n\n", word(test, "name"), word(test, "summary"),
		word(test, "exists"));
	json_array_foreach (json_object_get(test, "programs"), i, item)
		cell_row(table, item);
	scols_print_table(table);
	scols_unref_table(table);
	if (!json_array_size(json_object_get(test, "mutants")))
		return true;
	table = new_table(mutants, 0x60, out);
	if (!table)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	fputc('\n', out);
	json_array_foreach (json_object_get(test, "mutants"), i, item)
		mutant_row(table, item);
	scols_print_table(table);
	scols_unref_table(table);
	fprintf(out, "\nmutants killed: %lld of %lld killable; confidence %.1f%%\n",
		(long long)number(test, "killed"), (long long)number(test, "killable"),
		100 * json_real_value(json_object_get(test, "confidence")));
	return true;
}
