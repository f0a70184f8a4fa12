/* SPDX-License-Identifier: MIT */
/*
 * The report's latency distributions: CPU operations alone and together, and
 * handing a token over.
 */
#include "report_parts.h"

#include <math.h>
#include <stdlib.h>

/* As many as there are line styles. */
#define HANDOFF_CURVES 4

/* Curves in one chart, and what is said of them. */
struct curves {
	struct figure figure;
	struct curve *curves;
	size_t count;
};

static bool curves_init(struct page *page, struct curves *curves, const char *title, size_t room)
{
	*curves = (struct curves){ .curves = calloc(room + 1, sizeof(*curves->curves)) };
	say(&curves->figure.title, "%s", title);
	return curves->curves || no_memory(page);
}

static void curves_clear(struct curves *curves)
{
	for (size_t i = 0; i < curves->count; i++)
		free(curves->curves[i].steps);
	free(curves->curves);
}

static bool curves_figure(struct page *page, struct curves *curves)
{
	unsigned id = figure_open(page, &curves->figure);
	bool ok = chart_tail(page->out, id, curves->figure.alt.text, curves->curves, curves->count,
			     page->err);

	figure_close(page, &curves->figure);
	return ok;
}

/* The slowest of all counts half, so that it too has a place among the nines. */
static bool add_steps(struct page *page, struct curve *curve, const json_t *histogram)
{
	const json_t *buckets = json_object_get(histogram, "buckets"), *bucket;
	double count = number_of(histogram, "count"), below = 0;
	size_t i;

	curve->steps = calloc(json_array_size(buckets) + 1, sizeof(*curve->steps));
	if (!curve->steps)
		return no_memory(page);
	json_array_foreach (buckets, i, bucket) {
		double ns = fmax(json_number_value(json_array_get(bucket, 0)), 1);

		if (i == 0)
			curve->steps[curve->count++] = (struct step){ ns, 0 };
		below += json_number_value(json_array_get(bucket, 1));
		curve->steps[curve->count++] =
			(struct step){ ns, fmin(below, count - 0.5) / count };
	}
	return true;
}

static void say_distribution(struct words *words, const char *label, const json_t *histogram)
{
	say(words, "%s%s: half within ", words->length ? " " : "", label);
	say_number(words, NUMBER_NS, number_of(histogram, "p50"));
	say(words, ", ");
	say_tail(words, histogram);
	say(words, ".");
}

static bool add_cpu_curve(struct page *page, struct curves *curves, size_t source,
			  const json_t *histogram, bool together)
{
	const char *label = page->data.sources[source].label;
	struct curve *curve = &curves->curves[curves->count++];

	curve->ink = together ? INK_CPU : INK_CPU_ALONE;
	curve->style = (unsigned)source;
	snprintf(curve->label, sizeof(curve->label), "%s%s%s", *label ? label : "CPU",
		 *label ? ", " : " ", together ? "together" : "alone");
	say_distribution(&curves->figure.caption, curve->label, histogram);
	return add_steps(page, curve, histogram);
}

static bool add_cpu_curves(struct page *page, struct curves *curves)
{
	for (size_t source = 0; source < page->data.source_count; source++) {
		const json_t *point = one_word_point(page, source, "cpu_together");
		const json_t *alone = histogram_of(point, "cpu_alone");
		struct words *shared = &curves->figure.shared;

		if (!point)
			continue;
		say(shared, "%s", shared->length ? "; " : "");
		if (page->data.sources[source].label[0])
			say(shared, "%s: ", page->data.sources[source].label);
		say_axes(shared, json_object_get(point, "axes"), NULL, NULL);
		if (alone && !add_cpu_curve(page, curves, source, alone, false))
			return false;
		if (!add_cpu_curve(page, curves, source, histogram_of(point, "cpu_together"), true))
			return false;
	}
	return true;
}

static bool is_handoff(const struct entry *entry, size_t source)
{
	return entry->source == source && point_has_figures(entry->point) &&
	       histogram_of(entry->point, "one_way");
}

/* Say those axes of @entry in which the handoffs of its source differ, or the others. */
static void say_varying(struct words *words, const struct page *page, const struct entry *entry,
			bool varying)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)entry->axes, name, value) {
		bool varies = false;

		for (size_t i = 0; i < page->data.entry_count; i++) {
			const struct entry *other = &page->data.entries[i];

			varies |= is_handoff(other, entry->source) &&
				  !json_equal(value, json_object_get(other->axes, name));
		}
		if (varies != varying || !axis_words_of(name)->name)
			continue;
		say(words, "%s", words->length ? ", " : "");
		say_axis(words, name, value);
	}
}

static bool add_handoff_curve(struct page *page, struct curves *curves, const struct entry *entry)
{
	const json_t *histogram = histogram_of(entry->point, "one_way");
	const char *label = page->data.sources[entry->source].label;
	struct curve *curve = &curves->curves[curves->count];
	struct words differing = { 0 };

	if (!*label) {
		curves->figure.shared = (struct words){ 0 };
		say_varying(&curves->figure.shared, page, entry, false);
		say_varying(&differing, page, entry, true);
	}
	snprintf(curve->label, sizeof(curve->label), "%.60s",
		 *label		    ? label
		 : differing.length ? differing.text
				    : "one way");
	curve->ink = INK_HANDOFF;
	curve->style = (unsigned)(*label ? entry->source : curves->count);
	curves->count++;
	say_distribution(&curves->figure.caption, curve->label, histogram);
	return add_steps(page, curve, histogram);
}

/* Of one source the first few handoffs, of several the first of each. */
static bool add_handoff_curves(struct page *page, struct curves *curves)
{
	size_t most = page->data.source_count > 1 ? 1 : HANDOFF_CURVES, left_out = 0;

	for (size_t source = 0; source < page->data.source_count; source++) {
		size_t taken = 0;

		for (size_t i = 0; i < page->data.entry_count; i++) {
			const struct entry *entry = &page->data.entries[i];

			if (!is_handoff(entry, source))
				continue;
			if (taken++ >= most)
				left_out++;
			else if (!add_handoff_curve(page, curves, entry))
				return false;
		}
	}
	if (left_out)
		say(&curves->figure.caption, " Not drawn, but in the table: %zu more.", left_out);
	return true;
}

static bool latency_figure(struct page *page, const char *title, size_t room,
			   bool (*add)(struct page *page, struct curves *curves), bool *drawn)
{
	struct curves curves;
	bool ok = curves_init(page, &curves, title, room) && add(page, &curves);

	*drawn = curves.count > 0;
	if (ok && *drawn)
		ok = curves_figure(page, &curves);
	curves_clear(&curves);
	return ok;
}

static void absent_handoff(struct page *page)
{
	for (size_t i = 0; i < page->data.entry_count; i++) {
		const json_t *point = page->data.entries[i].point;

		if (!streq(string_of(point, "workload"), "handoff"))
			continue;
		absent(page, "No latency of handing over: %s%s%s.", string_of(point, "status"),
		       *string_of(point, "reason") ? ", " : "", string_of(point, "reason"));
		return;
	}
	absent(page, "No latency of handing over: the handoff workload was not measured.");
}

bool report_latency(struct page *page)
{
	size_t sources = page->data.source_count;
	bool cpu, handoff;

	section_open(page, "Latency",
		     "The share of operations that took at most so long. The vertical axis counts "
		     "nines, so that rare delays show; further left is better.");
	if (!latency_figure(page, "One CPU operation on the contended word", 2 * sources,
			    add_cpu_curves, &cpu) ||
	    !latency_figure(page, "Handing a token to the other side, one way",
			    sources > 1 ? sources : HANDOFF_CURVES, add_handoff_curves, &handoff))
		return false;
	section_close(page);
	if (!cpu)
		absent(page, "No latency of CPU operations: no point on one word has a histogram "
			     "of them.");
	if (!handoff)
		absent_handoff(page);
	return true;
}
