/* SPDX-License-Identifier: MIT */
/*
 * The report in words: what figures and axes are called, which points speak for
 * a device.
 */
#include "report_parts.h"

#include "result.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

const struct side sides[2] = {
	{ "device", "device_alone", "device_together", "device_slowdown", INK_DEVICE_ALONE,
	  INK_DEVICE, INK_HEAT_DEVICE },
	{ "CPU", "cpu_alone", "cpu_together", "cpu_slowdown", INK_CPU_ALONE, INK_CPU,
	  INK_HEAT_CPU },
};

const struct variant variants[3] = {
	{ "svm_atomics", "SVM atomics", INK_SVM },
	{ "coarse", "coarse SVM", INK_COARSE },
	{ "plain", "plain buffers", INK_PLAIN },
};

const char *const apps[5] = { "histogram", "queue", "hash", "bfs", "steal" };

const struct axis_words axis_words[] = {
	{ "cpu_threads", "CPU threads", AXIS_IS_COUNT },
	{ "work_items", "work-items", AXIS_IS_COUNT },
	{ "think_ns", "CPU think time", AXIS_IS_TIME },
	{ "hold_ns", "hold", AXIS_IS_TIME },
	{ "working_set", "working set", AXIS_IS_BYTES },
	{ "group_size", "work-group size", AXIS_IS_NUMBER },
	{ "op", "operation", AXIS_IS_NAME },
	{ "layout", "layout", AXIS_IS_NAME },
	{ "type", "operand type", AXIS_IS_NAME },
	{ "order", "memory order", AXIS_IS_NAME },
	{ "scope", "memory scope", AXIS_IS_NAME },
	{ "distribution", "distribution", AXIS_IS_NAME },
	{ "placement", "CPU placement", AXIS_IS_NAME },
	{ NULL, NULL, AXIS_IS_NAME },
};

/* --- from the results ---------------------------------------------------- */

bool streq(const char *text, const char *other)
{
	return strcmp(text, other) == 0;
}

const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *string_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

double number_of(const json_t *object, const char *key)
{
	const json_t *number = json_object_get(object, key);

	return number ? json_number_value(number) : NAN;
}

struct mark mark_of(const json_t *point, const char *measure)
{
	const json_t *found = point ? result_find_measure(point, measure) : NULL;

	if (!found)
		return (struct mark){ NAN, NAN, NAN, 0 };
	return (struct mark){ number_of(found, "median"), number_of(found, "low"),
			      number_of(found, "high"),
			      json_array_size(json_object_get(found, "samples")) };
}

const json_t *histogram_of(const json_t *point, const char *name)
{
	const json_t *histogram;
	size_t i;

	json_array_foreach (json_object_get(point, "histograms"), i, histogram) {
		if (streq(string_of(histogram, "name"), name))
			return histogram;
	}
	return NULL;
}

size_t count_status(const json_t *result, const char *status)
{
	const json_t *point;
	size_t i, count = 0;

	json_array_foreach (json_object_get(result, "points"), i, point)
		count += streq(string_of(point, "status"), status);
	return count;
}

/* Loads do not contend, and stores need not see each other. */
static bool contends(const struct entry *entry)
{
	const char *op = string_of(entry->axes, "op");

	return streq(string_of(entry->point, "workload"), "contend") &&
	       streq(string_of(entry->axes, "layout"), "word") && !streq(op, "load") &&
	       !streq(op, "store") && result_find_measure(entry->point, "cpu_slowdown");
}

const json_t *one_word_point(const struct page *page, size_t source, const char *histogram)
{
	const json_t *best = NULL;
	int best_score = 0;

	for (size_t i = 0; i < page->data.entry_count; i++) {
		const struct entry *entry = &page->data.entries[i];
		int score = 1;

		if (entry->source != source || !point_has_figures(entry->point) ||
		    !contends(entry) || (histogram && !histogram_of(entry->point, histogram)))
			continue;
		score += streq(string_of(entry->axes, "op"), "fetch_add") ? 4 : 0;
		score += number_of(entry->axes, "think_ns") > 0 ? 0 : 2;
		score += streq(string_of(entry->axes, "type"), "uint") ? 1 : 0;
		if (score > best_score) {
			best_score = score;
			best = entry->point;
		}
	}
	return best;
}

static const json_t *first_point(const struct page *page, size_t source, const char *workload)
{
	for (size_t i = 0; i < page->data.entry_count; i++) {
		const struct entry *entry = &page->data.entries[i];

		if (entry->source == source && point_has_figures(entry->point) &&
		    streq(string_of(entry->point, "workload"), workload) &&
		    json_array_size(json_object_get(entry->point, "measures")))
			return entry->point;
	}
	return NULL;
}

const json_t *handoff_point(const struct page *page, size_t source)
{
	return first_point(page, source, "handoff");
}

const json_t *app_point(const struct page *page, size_t source, const char *app)
{
	return first_point(page, source, app);
}

struct app_tally tally_apps(const struct page *page, size_t source)
{
	struct app_tally tally = { 0 };

	for (size_t i = 0; i < COUNT(apps); i++) {
		struct mark mark = mark_of(app_point(page, source, apps[i]), "speedup");

		if (isnan(mark.value))
			continue;
		tally.faster += mark.low > 1;
		tally.slower += mark.high < 1;
		if (!tally.total || mark.value > tally.best_mark.value) {
			tally.best = apps[i];
			tally.best_mark = mark;
		}
		if (!tally.total || mark.value < tally.worst_mark.value) {
			tally.worst = apps[i];
			tally.worst_mark = mark;
		}
		tally.total++;
	}
	return tally;
}

/* --- into words ---------------------------------------------------------- */

void say(struct words *words, const char *format, ...)
{
	size_t room = sizeof(words->text) - words->length;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(words->text + words->length, room, format, args);
	va_end(args);
	if (length > 0)
		words->length += (size_t)length < room ? (size_t)length : room - 1;
}

void say_number(struct words *words, enum number number, double value)
{
	char text[32];

	chart_number(text, sizeof(text), number, value);
	say(words, number == NUMBER_RATE ? "%s op/s" : "%s", text);
}

/* So few say nothing of how sure they are. */
static void say_if_few(struct words *words, struct mark mark)
{
	if (mark.samples < 3)
		say(words, " in %s", mark.samples == 1 ? "a single sample" : "two samples");
}

void say_slowdown(struct words *words, struct mark slowdown)
{
	double ratio = slowdown.value > 1 ? slowdown.value : 1 / slowdown.value;

	if (!(slowdown.value > 0)) {
		say(words, "at a standstill");
	} else if (slowdown.low <= 1 && slowdown.high >= 1) {
		say(words, "no slower");
	} else {
		say_number(words, NUMBER_RATIO, ratio);
		say(words, slowdown.value > 1 ? " slower" : " faster");
	}
	say_if_few(words, slowdown);
}

void say_interval(struct words *words, enum number number, struct mark mark)
{
	if (mark.samples < 3) {
		say(words, "no interval");
		say_if_few(words, mark);
		return;
	}
	say(words, "95%% interval ");
	say_number(words, number, mark.low);
	say(words, " to ");
	say_number(words, number, mark.high);
}

void say_tail(struct words *words, const json_t *histogram)
{
	static const struct {
		double least;
		const char *key;
		const char *share;
	} tails[] = {
		{ 1e4, "p99_99", "99.99%" },
		{ 1e3, "p99_9", "99.9%" },
		{ 0, "p99", "99%" },
	};
	size_t i = 0;

	while (number_of(histogram, "count") < tails[i].least)
		i++;
	say(words, "%s within ", tails[i].share);
	say_number(words, NUMBER_NS, number_of(histogram, tails[i].key));
}

void say_source(struct words *words, const struct page *page, size_t source)
{
	if (page->data.sources[source].label[0])
		say(words, " · %s", page->data.sources[source].label);
}

void say_tally(struct words *words, const struct app_tally *tally)
{
	unsigned undecided = tally->total - tally->faster - tally->slower;

	say(words, "SVM atomics beat the best of the other variants in %u of %u applications",
	    tally->faster, tally->total);
	if (tally->slower)
		say(words, " and lose in %u", tally->slower);
	if (undecided)
		say(words, " (%u undecided)", undecided);
}

const struct axis_words *axis_words_of(const char *axis)
{
	const struct axis_words *words = axis_words;

	while (words->name && !streq(words->name, axis))
		words++;
	return words;
}

void bytes_label(char *out, size_t size, double bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t i = 0;

	for (; i + 1 < COUNT(units) && bytes >= 1024; i++)
		bytes /= 1024;
	snprintf(out, size, "%.4g %s", bytes, units[i]);
}

void axis_label(char *out, size_t size, const char *axis, const json_t *value)
{
	double number = json_number_value(value);
	enum axis_kind kind = axis_words_of(axis)->kind;

	if (json_is_string(value))
		snprintf(out, size, "%s", json_string_value(value));
	else if (kind == AXIS_IS_BYTES)
		bytes_label(out, size, number);
	else if (kind == AXIS_IS_TIME && number > 0)
		chart_number(out, size, NUMBER_NS, number);
	else if (kind == AXIS_IS_COUNT && number >= 10000 && fmod(number, 1024) == 0)
		snprintf(out, size, "%.0fKi", number / 1024);
	else
		snprintf(out, size, "%.0f", number);
}

void say_axis(struct words *words, const char *axis, const json_t *value)
{
	const struct axis_words *its = axis_words_of(axis);
	char label[32];

	axis_label(label, sizeof(label), axis, value);
	if (its->kind == AXIS_IS_COUNT && streq(label, "1"))
		say(words, "1 %.*s", (int)strlen(its->title) - 1, its->title);
	else if (its->kind == AXIS_IS_TIME && streq(label, "0"))
		say(words, "no %s", its->title);
	else if (streq(axis, "group_size"))
		say(words, "groups of %s", label);
	else if (its->kind == AXIS_IS_COUNT || its->kind == AXIS_IS_TIME)
		say(words, "%s %s", label, its->title);
	else if (its->kind != AXIS_IS_NAME || streq(axis, "layout") || streq(axis, "placement"))
		say(words, "%s %s", its->title, label);
	else
		say(words, "%s", label);
}

/* What is at its default, or says nothing for this layout, is not worth a word. */
static bool axis_matters(const json_t *axes, const char *axis, const json_t *value)
{
	if (streq(axis, "think_ns"))
		return json_number_value(value) > 0;
	if (streq(axis, "group_size"))
		return json_number_value(value) > 1;
	if (streq(axis, "placement"))
		return !json_is_string(value) || !streq(json_string_value(value), "spread");
	if (streq(axis, "working_set") || streq(axis, "distribution"))
		return streq(string_of(axes, "layout"), "random");
	return true;
}

void say_axes(struct words *words, const json_t *axes, const char *x, const char *y)
{
	static const char *const order[] = { "op",	     "type",	    "order",
					     "scope",	     "layout",	    "working_set",
					     "distribution", "cpu_threads", "work_items",
					     "group_size",   "placement",   "think_ns",
					     "hold_ns" };
	const char *separator = "";

	for (size_t i = 0; i < COUNT(order); i++) {
		const json_t *value = json_object_get(axes, order[i]);

		if (!value || (x && streq(order[i], x)) || (y && streq(order[i], y)) ||
		    !axis_matters(axes, order[i], value))
			continue;
		say(words, "%s", separator);
		say_axis(words, order[i], value);
		separator = ", ";
	}
}
