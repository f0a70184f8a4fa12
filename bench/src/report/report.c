/* SPDX-License-Identifier: MIT */
/*
 * The report page: the summary and the key figures on top, then its sections.
 * Every claim on it is worked out from the results; what cannot be shown says why.
 */
#include "report.h"

#include "html.h"
#include "report_parts.h"
#include "result.h"

#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

extern const char report_css[];

/* --- header -------------------------------------------------------------- */

static const char *kind_remark(const char *kind)
{
	if (streq(kind, "real GPU"))
		return "";
	if (streq(kind, "CPU device"))
		return " Its work-items are threads of the same processor: these are no figures of "
		       "a GPU.";
	if (streq(kind, "virtual device"))
		return " It is an emulation: these are no figures of hardware.";
	return " What it is could not be told.";
}

static void say_summary(struct words *words, const struct page *page, size_t source)
{
	const json_t *point = one_word_point(page, source, NULL);
	struct mark one_way = mark_of(handoff_point(page, source), "one_way");
	struct app_tally tally = tally_apps(page, source);

	if (point) {
		say(words, "with %s on one word the device is ",
		    string_of(json_object_get(point, "axes"), "op"));
		say_slowdown(words, mark_of(point, "device_slowdown"));
		say(words, " and the CPU ");
		say_slowdown(words, mark_of(point, "cpu_slowdown"));
		say(words, " than alone");
	}
	if (!isnan(one_way.value)) {
		say(words, "%sa token gets across in ", words->length ? "; " : "");
		say_number(words, NUMBER_NS, one_way.value);
	}
	if (tally.total) {
		say(words, "%s", words->length ? "; " : "");
		say_tally(words, &tally);
	}
	say(words, words->length ? "." : "nothing was measured that a summary could rest on.");
}

static void device_summary(struct page *page, size_t source)
{
	const struct source *its = &page->data.sources[source];
	const char *kind = string_of(its->device, "kind");
	struct words summary = { 0 };

	say_summary(&summary, page, source);
	fputs("<p class=\"lead\"><span class=\"kind\">", page->out);
	html_text(page->out, kind);
	fputs("</span> <strong>", page->out);
	if (its->label[0])
		html_printf(page->out, "%s · ", its->label);
	html_text(page->out, string_of(its->device, "name"));
	fputs("</strong>: ", page->out);
	html_text(page->out, summary.text);
	html_text(page->out, kind_remark(kind));
	fputs("</p>\n", page->out);
}

__attribute__((format(printf, 3, 4))) static void alert(struct page *page, const char *title,
							const char *format, ...)
{
	char text[600];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fputs("<p class=\"alert\"><strong>", page->out);
	html_text(page->out, title);
	fputs("</strong> ", page->out);
	html_text(page->out, text);
	fputs("</p>\n", page->out);
}

static size_t count_gateless(const json_t *result)
{
	const json_t *point;
	size_t i, count = 0;

	json_array_foreach (json_object_get(result, "points"), i, point)
		count += streq(string_of(point, "mode"), "gateless");
	return count;
}

/* On a CPU device whose threads did not get a CPU each, figures are those of the scheduler. */
static void starvation_alert(struct page *page, const char *name, const json_t *result)
{
	const json_t *point;
	size_t i, count = 0;
	double least = 1;

	json_array_foreach (json_object_get(result, "points"), i, point) {
		double share = mark_of(point, "device_cpu_share").value;

		count += share < 0.9;
		least = share < least ? share : least;
	}
	if (count)
		alert(page, "Busy machine.",
		      "%s: points at which the device's threads got less than 90%% of the CPU time "
		      "they needed: %zu; the least was %.0f%%.",
		      name, count, least * 100);
}

static void check_alerts(struct page *page, const char *name, const json_t *checks)
{
	const json_t *check;
	size_t i;

	json_array_foreach (checks, i, check) {
		if (!json_is_true(json_object_get(check, "pass")))
			alert(page, "Self-check failed.",
			      "%s: %s reached %.3f of the plain loop's speed.", name,
			      string_of(check, "name"), number_of(check, "ratio"));
	}
}

/* What a reader must know before any figure of @result. */
static void alerts(struct page *page, const char *name, const json_t *result)
{
	const char *reason = string_of(result, "partial_reason");
	size_t lost = count_status(result, "lost-update");
	size_t unreliable = count_status(result, "unreliable");
	size_t gateless = count_gateless(result);

	if (json_is_true(json_object_get(result, "partial")))
		alert(page, "Partial result.", "%s was stopped before its plan was done%s%s.", name,
		      *reason ? ": " : "", reason);
	if (lost)
		alert(page, "Lost updates.",
		      "%s: the memory or the device is wrong, or the measurement is. Points whose "
		      "invariant broke, all without figures: %zu.",
		      name, lost);
	if (unreliable)
		alert(page, "Unreliable points.",
		      "%s: points without a sample in which both sides overlapped for 95%% of the "
		      "time, in no chart: %zu.",
		      name, unreliable);
	if (gateless)
		alert(page, "No start gate.",
		      "%s: points at which the device could not wait for the CPU to start with it: "
		      "%zu. The remarks below say more.",
		      name, gateless);
	starvation_alert(page, name, result);
	check_alerts(page, name, json_object_get(result, "self_check"));
}

static void header(struct page *page)
{
	fputs("<header>\n<h1>Atomics of CPU and device on shared memory</h1>\n", page->out);
	for (size_t source = 0; source < page->data.source_count; source++)
		device_summary(page, source);
	if (!page->data.source_count)
		fputs("<p class=\"lead\">No device was measured.</p>\n", page->out);
	for (size_t i = 0; i < page->count; i++)
		alerts(page, base_name(page->names[i]), page->results[i]);
	fputs("</header>\n", page->out);
}

/* --- key figures --------------------------------------------------------- */

struct key_figure {
	char value[32];
	struct words detail;
};

static bool slowdown_figure(const struct page *page, size_t source, const struct side *side,
			    struct key_figure *figure)
{
	const json_t *point = one_word_point(page, source, NULL);
	struct mark mark = mark_of(point, side->slowdown);

	if (isnan(mark.value))
		return false;
	chart_number(figure->value, sizeof(figure->value), NUMBER_RATIO, mark.value);
	say_interval(&figure->detail, NUMBER_RATIO, mark);
	say(&figure->detail, "; ");
	say_axes(&figure->detail, json_object_get(point, "axes"), NULL, NULL);
	return true;
}

static bool device_figure(const struct page *page, size_t source, struct key_figure *figure)
{
	return slowdown_figure(page, source, &sides[0], figure);
}

static bool cpu_figure(const struct page *page, size_t source, struct key_figure *figure)
{
	return slowdown_figure(page, source, &sides[1], figure);
}

static bool handoff_figure(const struct page *page, size_t source, struct key_figure *figure)
{
	const json_t *point = handoff_point(page, source);
	const json_t *histogram = histogram_of(point, "one_way");
	struct mark mark = mark_of(point, "one_way");

	if (isnan(mark.value))
		return false;
	chart_number(figure->value, sizeof(figure->value), NUMBER_NS, mark.value);
	if (histogram) {
		say_tail(&figure->detail, histogram);
		say(&figure->detail, "; ");
	}
	say_axes(&figure->detail, json_object_get(point, "axes"), NULL, NULL);
	return true;
}

static void app_figure(struct key_figure *figure, const char *name, struct mark mark)
{
	chart_number(figure->value, sizeof(figure->value), NUMBER_RATIO, mark.value);
	say(&figure->detail, "%s; ", name);
	say_interval(&figure->detail, NUMBER_RATIO, mark);
}

static bool best_app_figure(const struct page *page, size_t source, struct key_figure *figure)
{
	struct app_tally tally = tally_apps(page, source);

	if (tally.total)
		app_figure(figure, tally.best, tally.best_mark);
	return tally.total > 0;
}

static bool worst_app_figure(const struct page *page, size_t source, struct key_figure *figure)
{
	struct app_tally tally = tally_apps(page, source);

	if (tally.total > 1)
		app_figure(figure, tally.worst, tally.worst_mark);
	return tally.total > 1;
}

static const struct card {
	const char *title;
	const char *class;
	bool (*fill)(const struct page *page, size_t source, struct key_figure *figure);
} cards[] = {
	{ "Slow-down of the device on one word", "device", device_figure },
	{ "Slow-down of the CPU on one word", "cpu", cpu_figure },
	{ "Token to the other side, median", "handoff", handoff_figure },
	{ "Best application speed-up", "svm", best_app_figure },
	{ "Worst application speed-up", "svm", worst_app_figure },
};

static void card(struct page *page, const struct card *card)
{
	bool open = false;

	for (size_t source = 0; source < page->data.source_count; source++) {
		struct key_figure figure = { 0 };

		if (!card->fill(page, source, &figure))
			continue;
		if (!open)
			fprintf(page->out, "<div class=\"card %s\">\n<h3>%s</h3>\n", card->class,
				card->title);
		open = true;
		if (page->data.sources[source].label[0]) {
			fputs("<p class=\"of\">", page->out);
			html_text(page->out, page->data.sources[source].label);
			fputs("</p>\n", page->out);
		}
		fputs("<p class=\"value\">", page->out);
		html_text(page->out, figure.value);
		fputs("</p>\n<p>", page->out);
		html_text(page->out, figure.detail.text);
		fputs("</p>\n", page->out);
	}
	if (open)
		fputs("</div>\n", page->out);
}

static void key_figures(struct page *page)
{
	fputs("<div class=\"cards\">\n", page->out);
	for (size_t i = 0; i < COUNT(cards); i++)
		card(page, &cards[i]);
	fputs("</div>\n", page->out);
}

/* --- the page ------------------------------------------------------------ */

static bool sections(struct page *page)
{
	header(page);
	key_figures(page);
	report_beside(page);
	if (!report_curves(page) || !report_heat_maps(page) || !report_named_axes(page) ||
	    !report_ownership(page) || !report_latency(page) || !report_apps(page))
		return false;
	report_points(page);
	if (!report_remarks(page))
		return false;
	report_devices(page);
	report_environments(page);
	report_how_to_read(page);
	return true;
}

static bool write_page(struct page *page)
{
	bool ok;

	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<link rel=\"icon\" href=\"data:,\">\n"
	      "<title>svmatomic-bench",
	      page->out);
	for (size_t i = 0; i < page->count; i++)
		html_printf(page->out, "%s %s", i ? "," : ":", base_name(page->names[i]));
	fprintf(page->out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n", report_css);
	ok = sections(page);
	fputs("</main>\n</body>\n</html>\n", page->out);
	return ok;
}

static bool write_to(const char *path, struct page *page)
{
	char *text = NULL;
	size_t size = 0;
	bool ok;

	page->out = open_memstream(&text, &size);
	if (!page->out)
		return no_memory(page);
	ok = write_page(page);
	if (ferror(page->out) || fflush(page->out))
		ok = no_memory(page);
	fclose(page->out);
	ok = ok && result_write_text(path, text, size, page->err);
	free(text);
	return ok;
}

/* gnuplot and CSS want a point in their numbers, whatever the user's language has. */
static bool write_with_points(const char *path, struct page *page)
{
	locale_t base = duplocale(LC_GLOBAL_LOCALE);
	locale_t numbers = base ? newlocale(LC_NUMERIC_MASK, "C", base) : base;
	locale_t before;
	bool ok;

	if (!numbers) {
		if (base)
			freelocale(base);
		return no_memory(page);
	}
	before = uselocale(numbers);
	ok = write_to(path, page);
	uselocale(before);
	freelocale(numbers);
	return ok;
}

bool report_write(const char *path, json_t *const *results, const char *const *names, size_t count,
		  struct error *err)
{
	struct page page = { .results = results, .names = names, .count = count, .err = err };
	bool ok;

	if (!dataset_fill(&page.data, results, names, count, err))
		return false;
	page.skip = calloc(page.data.source_count + 1, sizeof(*page.skip));
	ok = page.skip ? write_with_points(path, &page) : no_memory(&page);
	free(page.skip);
	dataset_clear(&page.data);
	return ok;
}
