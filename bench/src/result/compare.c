/* SPDX-License-Identifier: MIT */
/*
 * Pairing the points of two results and judging their measures.
 */
#include "compare.h"

#include "result.h"
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum verdict { FASTER, SLOWER, SAME, AMBIGUOUS, VERDICTS };

static const char *const verdict_names[VERDICTS] = { "faster", "slower", "same", "ambiguous" };

struct comparison {
	const json_t *a;
	const json_t *b;
	double threshold;
	uint64_t seed;
	json_t *varying; /* axes that tell points apart */
	json_t *measures;
	json_t *others;
	json_t *notes;
	unsigned verdicts[VERDICTS];
};

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static const json_t *device_of(const json_t *result, const json_t *point)
{
	const json_int_t index = json_integer_value(json_object_get(point, "device"));

	return json_array_get(json_object_get(result, "devices"), (size_t)index);
}

/* Axes with more than one value among the points of @result, in @varying. */
static void add_varying_axes(const json_t *result, json_t *seen, json_t *varying)
{
	const json_t *point;
	size_t i;

	json_array_foreach (json_object_get(result, "points"), i, point) {
		const char *name;
		json_t *value;

		json_object_foreach (json_object_get(point, "axes"), name, value) {
			const json_t *first = json_object_get(seen, name);

			if (!first)
				json_object_set(seen, name, value);
			else if (!json_equal(first, value))
				json_object_set_new(varying, name, json_true());
		}
	}
}

static bool in_label(const char *axis)
{
	/* result_point_label() has all the others, as far as they are not the default. */
	return strcmp(axis, "group_size") != 0;
}

/* The point's label, and what else it takes to tell it from the others. */
static json_t *label_json(const struct comparison *comparison, const json_t *result,
			  const json_t *point)
{
	char label[256];
	const char *name;
	json_t *value, *string;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	result_point_label(point, label, sizeof(label));
	fputs(label, out);
	json_object_foreach (json_object_get(point, "axes"), name, value) {
		if (in_label(name) || !json_object_get(comparison->varying, name))
			continue;
		fprintf(out, " %s=", name);
		if (json_is_string(value))
			fputs(json_string_value(value), out);
		else
			json_dumpf(value, out, JSON_ENCODE_ANY);
	}
	if (json_array_size(json_object_get(result, "devices")) > 1)
		fprintf(out, " on %s", text_of(device_of(result, point), "name"));
	fclose(out);
	string = json_string(text);
	free(text);
	return string;
}

/* The members that say which point of @result an entry is about. */
static json_t *entry_json(const struct comparison *comparison, const json_t *result,
			  const json_t *point)
{
	return json_pack("{s:o, s:O, s:O, s:O}", "point", label_json(comparison, result, point),
			 "workload", json_object_get(point, "workload"), "device",
			 json_object_get(device_of(result, point), "name"), "axes",
			 json_object_get(point, "axes"));
}

/* JSON has no infinities. */
static json_t *number_or_null(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static bool append(json_t *array, json_t *entry, json_t *members)
{
	const bool whole = json_object_update(entry, members) == 0;

	json_decref(members);
	if (whole)
		return json_array_append_new(array, entry) == 0;
	json_decref(entry);
	return false;
}

static bool add_other(struct comparison *comparison, const json_t *result, const json_t *point,
		      json_t *what, const enum verdict *verdict)
{
	if (verdict)
		comparison->verdicts[*verdict]++;
	return append(comparison->others, entry_json(comparison, result, point),
		      json_pack("{s:o, s:s?}", "what", what, "verdict",
				verdict ? verdict_names[*verdict] : NULL));
}

static bool note_difference(struct comparison *comparison, const char *what, const char *a,
			    const char *b)
{
	json_t *note, *known;
	size_t i;

	if (strcmp(a, b) == 0)
		return true;
	note = json_sprintf("%s differ: %s in A, %s in B; the numbers do not compare like for like",
			    what, a, b);
	json_array_foreach (comparison->notes, i, known) {
		if (json_equal(known, note)) {
			json_decref(note);
			return true;
		}
	}
	return json_array_append_new(comparison->notes, note) == 0;
}

static bool note_partial(struct comparison *comparison, const char *which, const json_t *result)
{
	const char *reason = text_of(result, "partial_reason");

	if (!json_is_true(json_object_get(result, "partial")))
		return true;
	return json_array_append_new(comparison->notes,
				     json_sprintf("%s is partial%s%s; points may be missing or "
						  "have too few samples",
						  which, reason ? ": " : "",
						  reason ? reason : "")) == 0;
}

static bool note_environments(struct comparison *comparison)
{
	const json_t *a = json_object_get(comparison->a, "environment");
	const json_t *b = json_object_get(comparison->b, "environment");

	return note_difference(comparison, "kernels", text_of(a, "kernel"), text_of(b, "kernel")) &&
	       note_difference(comparison, "CPUs", text_of(a, "cpu"), text_of(b, "cpu")) &&
	       note_partial(comparison, "A", comparison->a) &&
	       note_partial(comparison, "B", comparison->b);
}

static bool samples_of(const json_t *measure, struct samples *samples)
{
	const json_t *value;
	size_t i;

	json_array_foreach (json_object_get(measure, "samples"), i, value) {
		if (!samples_add(samples, json_number_value(value)))
			return false;
	}
	return true;
}

static enum verdict judge(struct interval ratio, double threshold, bool higher_is_better)
{
	if (ratio.low > 1 + threshold)
		return higher_is_better ? FASTER : SLOWER;
	if (ratio.high < 1 - threshold)
		return higher_is_better ? SLOWER : FASTER;
	if (ratio.low >= 1 - threshold && ratio.high <= 1 + threshold)
		return SAME;
	return AMBIGUOUS;
}

static json_t *verdict_json(struct comparison *comparison, const json_t *measure,
			    const struct samples *a, const struct samples *b)
{
	const bool higher = strcmp(text_of(measure, "better"), "higher") == 0;
	const struct interval interval =
		stats_bootstrap_ratio(a->values, a->count, b->values, b->count, comparison->seed);
	const double median_a = stats_median(a->values, a->count);
	const double median_b = stats_median(b->values, b->count);
	const double ratio = median_a == median_b ? 1 : median_b / median_a;
	enum verdict verdict = AMBIGUOUS;

	if (a->count >= COMPARE_MIN_SAMPLES && b->count >= COMPARE_MIN_SAMPLES)
		verdict = judge(interval, comparison->threshold, higher);
	comparison->verdicts[verdict]++;
	return json_pack("{s:O, s:O, s:O, s:f, s:f, s:o, s:o, s:o, s:f, s:s}", "measure",
			 json_object_get(measure, "name"), "unit", json_object_get(measure, "unit"),
			 "better", json_object_get(measure, "better"), "a", median_a, "b", median_b,
			 "ratio", number_or_null(ratio), "low", number_or_null(interval.low),
			 "high", number_or_null(interval.high), "delta",
			 stats_cliffs_delta(a->values, a->count, b->values, b->count), "verdict",
			 verdict_names[verdict]);
}

static bool compare_measure(struct comparison *comparison, const json_t *point,
			    const json_t *measure_a, const json_t *measure_b)
{
	struct samples a = { 0 };
	struct samples b = { 0 };
	bool added = false;

	if (samples_of(measure_a, &a) && samples_of(measure_b, &b))
		added = append(comparison->measures, entry_json(comparison, comparison->a, point),
			       verdict_json(comparison, measure_a, &a, &b));
	samples_clear(&a);
	samples_clear(&b);
	return added;
}

static bool compare_measures(struct comparison *comparison, const json_t *a, const json_t *b)
{
	const enum verdict missing = AMBIGUOUS;
	const json_t *measure_a;
	size_t i;

	json_array_foreach (json_object_get(a, "measures"), i, measure_a) {
		const char *name = text_of(measure_a, "name");
		const json_t *measure_b = result_find_measure(b, name);
		bool added;

		if (strcmp(text_of(measure_a, "better"), "neither") == 0)
			continue;
		if (measure_b)
			added = compare_measure(comparison, a, measure_a, measure_b);
		else
			added = add_other(comparison, comparison->a, a,
					  json_sprintf("%s not measured in B", name), &missing);
		if (!added)
			return false;
	}
	return true;
}

static bool was_measured(const json_t *point)
{
	const char *status = text_of(point, "status");

	return strcmp(status, "ok") == 0 || strcmp(status, "partial") == 0;
}

static json_t *status_json(const json_t *a, const json_t *b)
{
	const char *reason_a = text_of(a, "reason");
	const char *reason_b = text_of(b, "reason");
	const char *reason = was_measured(b) ? reason_a : reason_b;

	return json_sprintf("%s in A, %s in B%s%s", text_of(a, "status"), text_of(b, "status"),
			    reason ? ": " : "", reason ? reason : "");
}

static bool compare_points(struct comparison *comparison, const json_t *a, const json_t *b)
{
	const bool lost = strcmp(text_of(b, "status"), "lost-update") == 0;
	const enum verdict verdict = lost ? SLOWER : AMBIGUOUS;
	const char *kind_a = text_of(device_of(comparison->a, a), "kind");
	const char *kind_b = text_of(device_of(comparison->b, b), "kind");

	if (!note_difference(comparison, "kinds of device", kind_a, kind_b))
		return false;
	if (was_measured(a) && was_measured(b))
		return compare_measures(comparison, a, b);
	return add_other(comparison, comparison->a, a, status_json(a, b),
			 lost || was_measured(a) ? &verdict : NULL);
}

static bool same_point(const struct comparison *comparison, const json_t *a, const json_t *b)
{
	const json_t *device_a = device_of(comparison->a, a);
	const json_t *device_b = device_of(comparison->b, b);

	return json_equal(json_object_get(a, "workload"), json_object_get(b, "workload")) &&
	       json_equal(json_object_get(device_a, "name"), json_object_get(device_b, "name")) &&
	       json_equal(json_object_get(a, "axes"), json_object_get(b, "axes"));
}

/* Index of @a's partner among those of B's points that have none yet, or their count. */
static size_t find_partner(const struct comparison *comparison, const json_t *a, const bool *taken)
{
	const json_t *b;
	size_t i;

	json_array_foreach (json_object_get(comparison->b, "points"), i, b) {
		if (!taken[i] && same_point(comparison, a, b))
			return i;
	}
	return i;
}

static bool compare_all(struct comparison *comparison, bool *taken)
{
	const json_t *points_b = json_object_get(comparison->b, "points");
	const json_t *point;
	size_t i;

	json_array_foreach (json_object_get(comparison->a, "points"), i, point) {
		const size_t partner = find_partner(comparison, point, taken);
		bool added;

		if (partner == json_array_size(points_b)) {
			added = add_other(comparison, comparison->a, point,
					  json_string("only in A"), NULL);
		} else {
			taken[partner] = true;
			added = compare_points(comparison, point,
					       json_array_get(points_b, partner));
		}
		if (!added)
			return false;
	}
	json_array_foreach (points_b, i, point) {
		if (!taken[i] &&
		    !add_other(comparison, comparison->b, point, json_string("only in B"), NULL))
			return false;
	}
	return true;
}

static bool anything_judged(const struct comparison *comparison)
{
	for (unsigned i = 0; i < VERDICTS; i++) {
		if (comparison->verdicts[i])
			return true;
	}
	return false;
}

static json_t *summary_json(const struct comparison *comparison)
{
	json_t *summary = json_object();

	for (unsigned i = 0; i < VERDICTS; i++)
		json_object_set_new(summary, verdict_names[i],
				    json_integer(comparison->verdicts[i]));
	return summary;
}

static bool comparison_init(struct comparison *comparison, const json_t *a, const json_t *b,
			    double threshold)
{
	json_t *seen = json_object();

	*comparison = (struct comparison){
		.a = a,
		.b = b,
		.threshold = threshold,
		.seed = (uint64_t)json_integer_value(json_object_get(a, "seed")),
		.varying = json_object(),
		.measures = json_array(),
		.others = json_array(),
		.notes = json_array(),
	};
	add_varying_axes(a, seen, comparison->varying);
	add_varying_axes(b, seen, comparison->varying);
	json_decref(seen);
	return comparison->varying && comparison->measures && comparison->others &&
	       comparison->notes;
}

static void comparison_clear(struct comparison *comparison)
{
	json_decref(comparison->varying);
	json_decref(comparison->measures);
	json_decref(comparison->others);
	json_decref(comparison->notes);
}

static const char *first_device(const json_t *result)
{
	const json_t *point = json_array_get(json_object_get(result, "points"), 0);

	return point ? text_of(device_of(result, point), "name") : "no point at all";
}

static json_t *comparison_json(const struct comparison *comparison, struct error *err)
{
	if (!anything_judged(comparison)) {
		fail(err, EXIT_BAD_DATA,
		     "the results have no point in common that was measured; measure the same axes "
		     "on a device of the same name (A has '%s', B '%s')",
		     first_device(comparison->a), first_device(comparison->b));
		return NULL;
	}
	return json_pack("{s:f, s:O, s:O, s:O, s:o}", "threshold", comparison->threshold, "notes",
			 comparison->notes, "measures", comparison->measures, "others",
			 comparison->others, "summary", summary_json(comparison));
}

json_t *compare_json(const json_t *a, const json_t *b, double threshold, struct error *err)
{
	bool *taken = calloc(json_array_size(json_object_get(b, "points")) + 1, sizeof(*taken));
	struct comparison comparison;
	json_t *json = NULL;

	if (comparison_init(&comparison, a, b, threshold) && taken &&
	    compare_all(&comparison, taken) && note_environments(&comparison))
		json = comparison_json(&comparison, err);
	if (!json)
		fail(err, EXIT_NO_MEMORY, "no memory left to compare the results");
	comparison_clear(&comparison);
	free(taken);
	return json;
}

static json_int_t count_of(const json_t *comparison, enum verdict verdict)
{
	const json_t *summary = json_object_get(comparison, "summary");

	return json_integer_value(json_object_get(summary, verdict_names[verdict]));
}

enum exit_code compare_exit_code(const json_t *comparison)
{
	if (count_of(comparison, SLOWER) > 0)
		return EXIT_SLOWER;
	return count_of(comparison, AMBIGUOUS) > 0 ? EXIT_AMBIGUOUS : EXIT_OK;
}
