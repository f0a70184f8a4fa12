/* SPDX-License-Identifier: MIT */
/*
 * Plan, then mutants, which also show which environment is best, then the test itself.
 */
#include "session.h"

#include "clock.h"
#include "stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A mutant that was killed so often needs no more time. */
#define ENOUGH_KILLS   20
#define LEAST_BATCHES  3
#define MAX_PLACEMENTS 1024

/* Variants beyond the file's: at most so many of a test, and one of so many combinations. */
#define MAX_OTHERS     64
#define OTHERS_STEP    7

typedef char placement_t[MAX_THREADS + 1];

/* --- what the file states --------------------------------------------------- */

static bool verify_one(const struct test *test, const struct variant *variant, enum scope scope,
		       const char *placement, enum total_order total, struct error *err)
{
	static struct judgement judgement;
	struct program program;
	enum verdict verdict;
	char name[128];

	if (!test_instantiate(test, variant, scope, placement, &program))
		return fail(err, EXIT_INTERNAL, "placement %s does not fit %s", placement,
			    test->name);
	if (!judge(&program, total, &judgement))
		return fail(err, EXIT_BAD_DATA, "%s: the test has more than %d outcomes",
			    test->file, MAX_OUTCOMES);
	verdict = judge_condition(&judgement, &test->condition);
	/* Scopes that are too narrow for a placement are no concern of the file. */
	if (verdict == variant->stated ||
	    (verdict == VERDICT_UNDEFINED && !judgement.race.plain && !variant->placement[0]))
		return true;
	variant_name(test, variant, name, sizeof(name));
	return fail(err, EXIT_BAD_DATA,
		    "%s:%u: %s is stated %s, but the model says %s (at %s, scope %s): correct the "
		    "line",
		    test->file, variant->line, name, verdict_words[variant->stated],
		    verdict_words[verdict], placement, scope_words[scope]);
}

bool test_verify(const struct test *test, enum total_order total, struct error *err)
{
	static placement_t placements[MAX_PLACEMENTS];
	const size_t count =
		place_all(test->threads, true, MAX_DEVICES, placements, MAX_PLACEMENTS);

	for (unsigned v = 0; v < test->variants; v++) {
		const struct variant *variant = &test->variant[v];

		for (size_t p = 0; p < count; p++) {
			if (variant->placement[0] && strcmp(variant->placement, placements[p]))
				continue;
			for (int scope = SCOPE_WG; scope < SCOPE_COUNT; scope++)
				if (!verify_one(test, variant, (enum scope)scope, placements[p],
						total, err))
					return false;
		}
	}
	return true;
}

/* --- plan: cells --------------------------------------------------------------- */

static struct cell *new_cell(struct session *session)
{
	struct cell *cells = realloc(session->cell, (session->cells + 1) * sizeof(*cells));
	struct cell *cell;

	if (!cells)
		return NULL;
	session->cell = cells;
	cell = &cells[session->cells];
	*cell = (struct cell){ 0 };
	cell->judgement = malloc(sizeof(*cell->judgement));
	if (!cell->judgement)
		return NULL;
	session->cells++;
	return cell;
}

static bool has_host(const struct program *program)
{
	for (unsigned t = 0; t < program->threads; t++)
		if (program->thread[t].place.host)
			return true;
	return false;
}

/* Why @cell cannot run, or "" */
static void decide(struct session *session, struct cell *cell)
{
	const struct engine *engine = session->engine;
	char race[160];

	if (cell->verdict == VERDICT_UNDEFINED) {
		race_text(session->test, &cell->program, &cell->judgement->race, race,
			  sizeof(race));
		snprintf(cell->skipped, sizeof(cell->skipped), "undefined: %s", race);
	} else if (cell->program.svm && !engine->svm) {
		snprintf(cell->skipped, sizeof(cell->skipped), "not applicable: %s",
			 engine->no_svm);
		session->cpu_missing |= has_host(&cell->program);
	} else if (engine_lacks(engine, &cell->program)[0]) {
		snprintf(cell->skipped, sizeof(cell->skipped), "not applicable: %s",
			 engine_lacks(engine, &cell->program));
	}
}

static bool add_cell(struct session *session, const struct variant *variant, enum scope scope,
		     const char *placement, bool *inclusive, struct error *err)
{
	struct cell *cell = new_cell(session);

	if (!cell)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	cell->variant = variant;
	cell->scope = scope;
	snprintf(cell->placement, sizeof(cell->placement), "%s", placement);
	if (!test_instantiate(session->test, variant, scope, placement, &cell->program) ||
	    !judge(&cell->program, session->engine->total, cell->judgement))
		return fail(err, EXIT_BAD_DATA, "%s has too many outcomes", session->test->name);
	cell->verdict = judge_condition(cell->judgement, &session->test->condition);
	*inclusive = cell->verdict != VERDICT_UNDEFINED || cell->judgement->race.plain;
	decide(session, cell);
	return true;
}

static void drop_cell(struct session *session)
{
	free(session->cell[--session->cells].judgement);
}

/* Scopes too narrow for the placement are left out; quick takes the narrowest that is not. */
static bool add_scopes(struct session *session, const struct variant *variant,
		       const char *placement, struct error *err)
{
	const struct session_options *options = session->options;
	/* A placement of the variant's own goes with scopes of its own. */
	const int first = variant->placement[0] ? SCOPE_ALL : SCOPE_WG;

	for (int scope = first; scope < SCOPE_COUNT; scope++) {
		bool inclusive = false;

		if (options->scope && strcmp(options->scope, scope_words[scope]))
			continue;
		if (!add_cell(session, variant, (enum scope)scope, placement, &inclusive, err))
			return false;
		if (!inclusive && !options->scope)
			drop_cell(session);
		else if (options->profile == PROFILE_QUICK)
			return true;
	}
	return true;
}

/*
 * Host and device in turn, either first; all groups apart, and together; both devices. Where a
 * CPU device and too few CPUs could not run the first ones at once: with one work-item.
 */
static size_t quick_placements(const struct engine *engine, unsigned threads, placement_t *out)
{
	static const char *const patterns[] = { "hahb", "ahbh", "abcd", "aaaa", "aAbB" };
	static const char *const narrow[] = { "hahh", "ahhh" };
	const bool crowded = engine->cpu_device && engine->cores.count < threads;
	const size_t count = engine->devices > 1 ? 5 : 4;
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		const char *pattern = crowded && i < 2 ? narrow[i] : patterns[i];
		bool known = false;

		snprintf(out[kept], sizeof(out[kept]), "%.*s", (int)threads, pattern);
		for (size_t j = 0; j < kept; j++)
			known |= !strcmp(out[j], out[kept]);
		kept += !known;
	}
	return kept;
}

static bool add_placements(struct session *session, const struct variant *variant, bool all,
			   struct error *err)
{
	static placement_t placements[MAX_PLACEMENTS];
	const struct session_options *options = session->options;
	const unsigned threads = session->test->threads;
	size_t count;

	if (variant->placement[0]) {
		if (options->placement && strcmp(options->placement, variant->placement))
			return true;
		return add_scopes(session, variant, variant->placement, err);
	}
	if (options->placement)
		return add_scopes(session, variant, options->placement, err);
	count = all ? place_all(threads, true, session->engine->devices, placements, MAX_PLACEMENTS)
		    : quick_placements(session->engine, threads, placements);
	for (size_t i = 0; i < count; i++)
		if (!add_scopes(session, variant, placements[i], err))
			return false;
	return true;
}

/* Whether the options ask for @variant, or for no one in particular. */
static bool asked_for(const struct session *session, const struct variant *variant)
{
	char name[128];

	variant_name(session->test, variant, name, sizeof(name));
	return !session->options->orders || !strcmp(session->options->orders, name);
}

static bool plan_stated(struct session *session, struct error *err)
{
	const struct test *test = session->test;

	for (unsigned v = 0; v < test->variants; v++)
		if (asked_for(session, &test->variant[v]) &&
		    !add_placements(session, &test->variant[v],
				    session->options->profile == PROFILE_FULL, err))
			return false;
	return true;
}

static bool is_stated(const struct test *test, const struct variant *variant)
{
	for (unsigned v = 0; v < test->variants; v++)
		if (!memcmp(test->variant[v].order, variant->order, sizeof(variant->order)))
			return true;
	return false;
}

/* Only what is forbidden somewhere can fail, and threads on the host have the widest scope. */
static bool is_forbidden(const struct test *test, const struct variant *variant)
{
	static struct judgement judgement;
	char placement[MAX_THREADS + 1] = "hhhh";
	struct program program;

	placement[test->threads] = '\0';
	return test_instantiate(test, variant, SCOPE_ALL, placement, &program) &&
	       judge(&program, TOTAL_ALWAYS, &judgement) &&
	       judge_condition(&judgement, &test->condition) == VERDICT_FORBIDDEN;
}

static void keep_other(struct session *session, const struct variant *variant)
{
	if (session->others == MAX_OTHERS || is_stated(session->test, variant) ||
	    !asked_for(session, variant) || !is_forbidden(session->test, variant))
		return;
	session->other[session->others++] = *variant;
}

/* Combinations of all orders that the file does not list: some of them, by the seed. */
static bool plan_others(struct session *session, struct error *err)
{
	const struct test *test = session->test;
	const size_t step = session->options->orders ? 1 : OTHERS_STEP;
	size_t number = session->options->seed;
	struct variant variant;

	session->other = calloc(MAX_OTHERS, sizeof(*session->other));
	if (!session->other)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	orders_first(test, &variant);
	do
		if (number++ % step == 0)
			keep_other(session, &variant);
	while (orders_next(test, &variant));
	for (size_t i = 0; i < session->others; i++)
		if (!add_placements(session, &session->other[i], false, err))
			return false;
	return true;
}

static bool plan_cells(struct session *session, struct error *err)
{
	const struct session_options *options = session->options;
	const struct test *test = session->test;
	struct place places[MAX_THREADS];

	if (options->placement && !place_parse(options->placement, test->threads, places))
		return fail(err, EXIT_USAGE_ERROR,
			    "'%s' is no placement of %s: it has %u threads, each h, a, b ... or A, "
			    "B ...",
			    options->placement, test->name, test->threads);
	if (!plan_stated(session, err))
		return false;
	if ((options->profile == PROFILE_FULL || (options->orders && !session->cells)) &&
	    !plan_others(session, err))
		return false;
	if (!session->cells)
		return fail(err, EXIT_USAGE_ERROR,
			    "no variant of %s has these orders, scope and placement; --show %s "
			    "lists them",
			    test->name, test->name);
	return true;
}

/* --- plan: mutants ----------------------------------------------------------------- */

static bool same_program(const struct program *a, const struct program *b)
{
	for (unsigned t = 0; t < a->threads; t++)
		if (!thread_same_code(&a->thread[t], &b->thread[t]) ||
		    memcmp(&a->thread[t].place, &b->thread[t].place, sizeof(struct place)))
			return false;
	return a->svm == b->svm;
}

static size_t find_mutant(const struct session *session, const struct program *program)
{
	size_t i = 0;

	while (i < session->mutants && !same_program(&session->mutant[i].mutant.program, program))
		i++;
	return i;
}

static bool add_mutant(struct session *session, size_t cell, const struct mutant *mutant)
{
	struct mutant_run *runs = realloc(session->mutant, (session->mutants + 1) * sizeof(*runs));

	if (!runs)
		return false;
	session->mutant = runs;
	runs[session->mutants++] = (struct mutant_run){ .mutant = *mutant, .cell = cell };
	return true;
}

static bool plan_mutants(struct session *session, struct error *err)
{
	for (size_t c = 0; c < session->cells; c++) {
		struct cell *cell = &session->cell[c];
		struct mutant mutants[MUTANTS_OF_CELL];
		size_t count;

		if (cell->skipped[0] || cell->verdict != VERDICT_FORBIDDEN)
			continue;
		count = mutants_of(&cell->program, &session->test->condition,
				   session->engine->total, mutants, MUTANTS_OF_CELL);
		for (size_t m = 0; m < count; m++) {
			const size_t at = find_mutant(session, &mutants[m].program);

			if (at == session->mutants && !add_mutant(session, c, &mutants[m]))
				return fail(err, EXIT_NO_MEMORY, "out of memory");
			cell->mutant[cell->mutants++] = at;
		}
	}
	return true;
}

static bool number_threads(struct session *session, const struct program *program)
{
	for (unsigned t = 0; t < program->threads; t++)
		if (!program->thread[t].place.host &&
		    codes_number(&session->codes, &program->thread[t]) < 0)
			return false;
	return true;
}

static bool plan_codes(struct session *session, struct error *err)
{
	bool ok = true;

	for (size_t i = 0; ok && i < session->cells; i++)
		if (!session->cell[i].skipped[0])
			ok = number_threads(session, &session->cell[i].program);
	for (size_t i = 0; ok && i < session->mutants; i++)
		ok = number_threads(session, &session->mutant[i].mutant.program);
	return ok ? true : fail(err, EXIT_NO_MEMORY, "out of memory");
}

bool session_plan(struct session *session, struct engine *engine, const struct test *test,
		  const struct session_options *options, struct error *err)
{
	*session = (struct session){ .engine = engine, .test = test, .options = options };
	if (!plan_cells(session, err))
		return false;
	if (options->mutants && !plan_mutants(session, err))
		return false;
	return plan_codes(session, err);
}

void session_clear(struct session *session)
{
	for (size_t i = 0; i < session->cells; i++)
		free(session->cell[i].judgement);
	free(session->cell);
	free(session->other);
	free(session->mutant);
	codes_clear(&session->codes);
	*session = (struct session){ 0 };
}

/* --- run ------------------------------------------------------------------------------ */

/* Of what time is left, an equal part for each of @jobs. */
static uint64_t deadline_of(uint64_t end, size_t jobs)
{
	const uint64_t now = clock_ns();

	return now >= end ? now : now + (end - now) / jobs;
}

/*
 * In the environment that was best for the test's mutants so far, and the others in turn, until
 * it is killed often enough. What cannot be killed is tried all the same: a compiler may reorder
 * where no x86 does.
 */
static bool run_mutant(struct session *session, struct mutant_run *run, uint64_t deadline,
		       uint64_t *random, struct error *err)
{
	const unsigned least = run->killable ? LEAST_BATCHES : 1;

	for (unsigned batch = 0; batch < least || clock_ns() < deadline; batch++) {
		const unsigned environment = experience_choose(&session->experience, batch + 1);
		struct tally tally = { 0 };
		uint64_t kills;

		if (!engine_batch(session->engine, &run->mutant.program, &session->codes,
				  &environments[environment], (uint32_t)stats_random(random),
				  &tally, err))
			return false;
		kills = tally_matches(&tally, &session->test->condition);
		run->kills += kills;
		experience_add(&run->experience, environment, tally.instances, kills);
		experience_add(&session->experience, environment, tally.instances, kills);
		tally_merge(&run->tally, &tally);
		if (run->kills >= ENOUGH_KILLS)
			break;
	}
	return true;
}

/* Those that were not tried yet, or in vain though they can be killed. */
static bool run_mutants(struct session *session, uint64_t end, uint64_t *random, struct error *err)
{
	size_t jobs = 0;

	for (size_t m = 0; m < session->mutants; m++)
		jobs += session->mutant[m].killable && !session->mutant[m].kills;
	for (size_t m = 0; m < session->mutants; m++) {
		struct mutant_run *run = &session->mutant[m];
		const bool tried = run->tally.instances;

		if (tried && (!run->killable || run->kills))
			continue;
		if (!run_mutant(session, run, run->killable ? deadline_of(end, jobs) : 0, random,
				err))
			return false;
		jobs -= run->killable;
	}
	return true;
}

static bool has_outcome(const struct judgement *judgement, outcome_t outcome)
{
	for (size_t i = 0; i < judgement->count; i++)
		if (judgement->outcomes[i] == outcome)
			return true;
	return false;
}

static void hold_against_model(struct cell *cell, const struct tally *tally)
{
	for (size_t i = 0; i < tally->count; i++) {
		if (has_outcome(cell->judgement, tally->at[i].outcome))
			continue;
		if (!cell->violations)
			cell->violation = tally->at[i].outcome;
		cell->violations += tally->at[i].seen;
	}
}

static void learn(const struct session *session, const struct cell *cell, struct experience *out)
{
	*out = (struct experience){ 0 };
	for (size_t m = 0; m < cell->mutants; m++) {
		const struct experience *from = &session->mutant[cell->mutant[m]].experience;

		for (unsigned e = 0; e < ENVIRONMENTS; e++)
			experience_add(out, e, from->instances[e], from->kills[e]);
	}
}

static bool run_cell(struct session *session, struct cell *cell, uint64_t deadline,
		     uint64_t *random, struct error *err)
{
	struct experience experience;
	uint64_t batch = 0;

	learn(session, cell, &experience);
	do {
		const unsigned environment = experience_choose(&experience, batch++);
		struct tally tally = { 0 };

		if (!engine_batch(session->engine, &cell->program, &session->codes,
				  &environments[environment], (uint32_t)stats_random(random),
				  &tally, err))
			return false;
		cell->used[environment] += tally.instances;
		cell->matches += tally_matches(&tally, &session->test->condition);
		hold_against_model(cell, &tally);
		tally_merge(&cell->tally, &tally);
	} while (clock_ns() < deadline);
	return true;
}

/* --- what it means ----------------------------------------------------------------------- */

/*
 * The lower end of the one-sided 95% interval of a Poisson mean of which @count was seen, as a
 * share of @count (Wilson and Hilferty's approximation of chi-square quantiles, PNAS 17, 1931).
 */
static double cautious_share(uint64_t count)
{
	const double k = (double)count;
	const double root = 1 - 1 / (9 * k) - 1.645 / (3 * sqrt(k));

	return count && root > 0 ? root * root * root : 0;
}

double cell_confidence(const struct cell *cell, const struct mutant_run *mutant)
{
	double expected = 0;

	for (unsigned e = 0; e < ENVIRONMENTS; e++)
		if (mutant->experience.instances[e])
			expected += (double)cell->used[e] * (double)mutant->experience.kills[e] /
				    (double)mutant->experience.instances[e];
	return 1 - exp(-expected * cautious_share(mutant->kills));
}

static void sum_up(struct session *session)
{
	double sum = 0;
	size_t pairs = 0;

	for (size_t m = 0; m < session->mutants; m++) {
		const struct mutant_run *run = &session->mutant[m];

		session->killable += run->killable;
		session->killed += run->killable && run->kills;
		/* Of broken kernels it is no wonder. */
		session->surprises +=
			run->concurrent && !run->killable && run->kills && !session->engine->fault;
	}
	for (size_t c = 0; c < session->cells; c++) {
		const struct cell *cell = &session->cell[c];

		session->ran += cell->tally.instances > 0;
		session->failed += cell->violations > 0;
		for (size_t m = 0; m < cell->mutants; m++) {
			const struct mutant_run *run = &session->mutant[cell->mutant[m]];

			if (!run->killable)
				continue;
			sum += cell_confidence(cell, run);
			pairs++;
		}
	}
	session->confidence = pairs ? sum / (double)pairs : 0;
}

static void find_killable(struct session *session)
{
	const struct engine *engine = session->engine;

	for (size_t m = 0; m < session->mutants; m++) {
		struct mutant_run *run = &session->mutant[m];

		run->concurrent = engine_concurrent(engine, &run->mutant.program);
		run->killable = run->concurrent && (!engine->x86 || run->mutant.killable_x86);
	}
}

bool session_run(struct session *session, struct error *err)
{
	const uint64_t length = (uint64_t)(session->options->seconds * 1e9);
	uint64_t random = session->options->seed;
	uint64_t start;

	/* Compiling is not part of the time. */
	if (!engine_load(session->engine, &session->codes, err))
		return false;
	start = clock_ns();
	find_killable(session);
	/* Mutants take half of the time at most, and leave what they do not need. */
	if (!run_mutants(session, start + length / 2, &random, err) ||
	    !run_mutants(session, start + length / 2, &random, err))
		return false;
	for (size_t c = 0; c < session->cells; c++)
		if (!session->cell[c].skipped[0] &&
		    !run_cell(session, &session->cell[c],
			      deadline_of(start + length, session->cells - c), &random, err))
			return false;
	sum_up(session);
	return true;
}
