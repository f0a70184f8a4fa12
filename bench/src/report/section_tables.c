/* SPDX-License-Identifier: MIT */
/*
 * The report's tables: every point, every remark, the devices, the environment.
 */
#include "report_parts.h"

#include "html.h"
#include "result.h"

#include <math.h>

/* --- cells --------------------------------------------------------------- */

void table_open(struct page *page, const char *const *columns, size_t count)
{
	fputs("<div class=\"table\"><table>\n<tr>", page->out);
	for (size_t i = 0; i < count; i++)
		fprintf(page->out, "<th>%s</th>", columns[i]);
	fputs("</tr>\n", page->out);
}

void table_close(struct page *page)
{
	fputs("</table></div>\n", page->out);
}

void table_cell(struct page *page, const char *text)
{
	fputs("<td>", page->out);
	html_text(page->out, text);
	fputs("</td>", page->out);
}

void table_number(struct page *page, enum number number, double value)
{
	char text[32] = "–";

	if (!isnan(value))
		chart_number(text, sizeof(text), number, value);
	fputs("<td class=\"number\">", page->out);
	html_text(page->out, text);
	fputs("</td>", page->out);
}

void table_share(struct page *page, double value)
{
	if (isnan(value))
		fputs("<td class=\"number\">–</td>", page->out);
	else
		fprintf(page->out, "<td class=\"number\">%.3g%%</td>", value * 100);
}

/* --- points -------------------------------------------------------------- */

static void point_cells(struct page *page, const struct entry *entry)
{
	struct words axes = { 0 };

	fputs("<tr>", page->out);
	if (page->data.source_count > 1)
		say(&axes, "%s: ", page->data.sources[entry->source].label);
	say_axes(&axes, entry->axes, NULL, NULL);
	table_cell(page, axes.text);
	table_cell(page, string_of(entry->point, "status"));
}

static void sample_cells(struct page *page, const json_t *point)
{
	fprintf(page->out, "<td class=\"number\">%" JSON_INTEGER_FORMAT,
		json_integer_value(json_object_get(point, "samples_taken")));
	if (json_integer_value(json_object_get(point, "samples_rejected")))
		fprintf(page->out, " (%" JSON_INTEGER_FORMAT ")",
			json_integer_value(json_object_get(point, "samples_rejected")));
	fputs("</td>", page->out);
}

static void contend_cells(struct page *page, const json_t *point)
{
	for (size_t i = 0; i < COUNT(sides); i++) {
		table_number(page, NUMBER_RATE, mark_of(point, sides[i].alone).value);
		table_number(page, NUMBER_RATE, mark_of(point, sides[i].together).value);
		table_number(page, NUMBER_RATIO, mark_of(point, sides[i].slowdown).value);
	}
	table_share(page, mark_of(point, "fairness").value);
	table_share(page, mark_of(point, "cpu_share").value);
	table_share(page, mark_of(point, "overlap").value);
	table_number(page, NUMBER_NS, number_of(histogram_of(point, "cpu_together"), "p99_9"));
	sample_cells(page, point);
}

static void handoff_cells(struct page *page, const json_t *point)
{
	static const char *const quantiles[] = { "p50", "p90", "p99", "p99_9", "p99_99", "max" };
	const json_t *histogram = histogram_of(point, "one_way");

	table_number(page, NUMBER_NS, mark_of(point, "one_way").value);
	for (size_t i = 0; i < COUNT(quantiles); i++)
		table_number(page, NUMBER_NS, number_of(histogram, quantiles[i]));
	sample_cells(page, point);
}

static void app_cells(struct page *page, const json_t *point)
{
	for (size_t v = 0; v < COUNT(variants); v++)
		table_number(page, NUMBER_SECONDS, mark_of(point, variants[v].name).value);
	table_number(page, NUMBER_RATIO, mark_of(point, "speedup").value);
	table_number(page, NUMBER_RATIO, mark_of(point, "speedup").low);
	table_number(page, NUMBER_RATIO, mark_of(point, "speedup").high);
	sample_cells(page, point);
}

/* The columns of a workload's points, after the point and its status. */
struct points {
	const char *workload;
	const char *columns[12];
	void (*cells)(struct page *page, const json_t *point);
};

#define APP_COLUMNS                                                                                \
	{                                                                                          \
		"SVM atomics", "coarse SVM", "plain buffers", "speed-up", "low", "high", "samples" \
	}

static const struct points tables[] = {
	{ "contend",
	  { "device alone, op/s", "together", "slow-down", "CPU alone, op/s", "together",
	    "slow-down", "fairness", "CPU's share", "overlap", "CPU op p99.9",
	    "samples (rejected)" },
	  contend_cells },
	{ "handoff",
	  { "median of samples", "p50", "p90", "p99", "p99.9", "p99.99", "max", "samples" },
	  handoff_cells },
	{ "histogram", APP_COLUMNS, app_cells },
	{ "queue", APP_COLUMNS, app_cells },
	{ "hash", APP_COLUMNS, app_cells },
	{ "bfs", APP_COLUMNS, app_cells },
	{ "steal", APP_COLUMNS, app_cells },
};

static void points_open(struct page *page, const struct points *points)
{
	fprintf(page->out,
		"<h3>%s</h3>\n<div class=\"table "
		"points\"><table>\n<tr><th>Point</th><th>Status</th>",
		points->workload);
	for (size_t i = 0; i < COUNT(points->columns) && points->columns[i]; i++)
		fprintf(page->out, "<th class=\"number\">%s</th>", points->columns[i]);
	fputs("</tr>\n", page->out);
}

static void points_table(struct page *page, const struct points *points)
{
	bool open = false;

	for (size_t i = 0; i < page->data.entry_count; i++) {
		const struct entry *entry = &page->data.entries[i];

		if (!streq(string_of(entry->point, "workload"), points->workload))
			continue;
		if (!open)
			points_open(page, points);
		open = true;
		point_cells(page, entry);
		points->cells(page, entry->point);
		fputs("</tr>\n", page->out);
	}
	if (open)
		table_close(page);
}

void report_points(struct page *page)
{
	fprintf(page->out, "<h2>Points</h2>\n<details><summary>All %zu points</summary>\n",
		page->data.entry_count);
	for (size_t i = 0; i < COUNT(tables); i++)
		points_table(page, &tables[i]);
	fputs("</details>\n", page->out);
}

/* --- remarks ------------------------------------------------------------- */

/* Points by what was said of them: {text: {"count": n, "first": label}}. */
static void remember(json_t *remarks, const char *text, const json_t *point)
{
	json_t *known = json_object_get(remarks, text);
	char label[160];

	if (known) {
		json_t *count = json_object_get(known, "count");

		json_integer_set(count, json_integer_value(count) + 1);
		return;
	}
	result_point_label(point, label, sizeof(label));
	json_object_set_new(remarks, text, json_pack("{s:i, s:s}", "count", 1, "first", label));
}

static void collect_remarks(const struct page *page, size_t source, json_t *remarks)
{
	for (size_t i = 0; i < page->data.entry_count; i++) {
		const struct entry *entry = &page->data.entries[i];
		const char *status = string_of(entry->point, "status");
		const char *reason = string_of(entry->point, "reason");
		struct words words = { 0 };
		const json_t *note;
		size_t n;

		if (entry->source != source)
			continue;
		if (!streq(status, "ok") || *reason) {
			say(&words, "%s%s%s", status, *reason ? ": " : "", reason);
			remember(remarks, words.text, entry->point);
		}
		json_array_foreach (json_object_get(entry->point, "notes"), n, note)
			remember(remarks, json_string_value(note), entry->point);
	}
}

bool report_remarks(struct page *page)
{
	static const char *const columns[] = { "Remark", "Points", "First of them" };

	for (size_t source = 0; source < page->data.source_count; source++) {
		json_t *found = json_object(), *known;
		const char *text;

		if (!found)
			return no_memory(page);
		collect_remarks(page, source, found);
		if (json_object_size(found)) {
			fputs("<h3>Refused, rejected and remarked on", page->out);
			if (page->data.sources[source].label[0])
				html_printf(page->out, " · %s", page->data.sources[source].label);
			fputs("</h3>\n", page->out);
			table_open(page, columns, COUNT(columns));
		}
		json_object_foreach (found, text, known) {
			fputs("<tr class=\"prose\">", page->out);
			table_cell(page, text);
			fprintf(page->out, "<td class=\"number\">%" JSON_INTEGER_FORMAT "</td>",
				json_integer_value(json_object_get(known, "count")));
			table_cell(page, string_of(known, "first"));
			fputs("</tr>\n", page->out);
		}
		if (json_object_size(found))
			table_close(page);
		json_decref(found);
	}
	return true;
}

/* --- devices ------------------------------------------------------------- */

static void capabilities(struct page *page, const json_t *device)
{
	static const char *const columns[] = { "Capability", "", "Why, or remark" };
	const json_t *state;
	const char *name;

	fputs("<h3>", page->out);
	html_printf(page->out, "%s (%s)", string_of(device, "name"), string_of(device, "kind"));
	fputs("</h3>\n<p>", page->out);
	html_printf(page->out, "%s: %s, %s, driver %s. %.0f compute units",
		    string_of(device, "backend"), string_of(device, "platform"),
		    string_of(device, "version"), string_of(device, "driver"),
		    number_of(device, "units"));
	if (json_object_get(device, "open_units"))
		html_printf(page->out, ", %.0f used", number_of(device, "open_units"));
	if (*string_of(device, "cpus"))
		html_printf(page->out, ", bound to CPUs %s", string_of(device, "cpus"));
	html_printf(page->out, "; start gate: %s.", string_of(device, "gate"));
	if (*string_of(device, "dialect"))
		html_printf(page->out, " Compiler: %s.", string_of(device, "dialect"));
	fputs("</p>\n", page->out);
	table_open(page, columns, COUNT(columns));
	json_object_foreach ((json_t *)json_object_get(device, "capabilities"), name, state) {
		bool have = json_is_true(json_object_get(state, "have"));

		fputs("<tr class=\"prose\">", page->out);
		table_cell(page, name);
		fprintf(page->out, "<td class=\"%s\">%s</td>", have ? "yes" : "no",
			have ? "yes" : "no");
		table_cell(page, string_of(state, "note"));
		fputs("</tr>\n", page->out);
	}
	table_close(page);
}

void report_devices(struct page *page)
{
	fputs("<h2>Devices</h2>\n", page->out);
	for (size_t i = 0; i < page->count; i++) {
		const json_t *device;
		size_t n;

		json_array_foreach (json_object_get(page->results[i], "devices"), n, device)
			capabilities(page, device);
	}
}

/* --- environment --------------------------------------------------------- */

static void term(struct page *page, const char *name, const char *text)
{
	fprintf(page->out, "<dt>%s</dt><dd>", name);
	html_text(page->out, text);
	fputs("</dd>\n", page->out);
}

static void machine_terms(struct page *page, const json_t *environment)
{
	struct words words = { 0 };
	char size[32];

	term(page, "CPU", string_of(environment, "cpu"));
	bytes_label(size, sizeof(size), number_of(environment, "l3_bytes"));
	say(&words, "logical CPUs %.0f, cores %.0f, packages %.0f, NUMA nodes %.0f",
	    number_of(environment, "cpus"), number_of(environment, "cores"),
	    number_of(environment, "packages"), number_of(environment, "numa_nodes"));
	if (number_of(environment, "l3_bytes") > 0)
		say(&words, ", L3 %s", size);
	term(page, "Topology", words.text);
	words = (struct words){ 0 };
	say(&words, "%s, %s", string_of(environment, "kernel"), string_of(environment, "machine"));
	term(page, "Kernel", words.text);
	term(page, "Hypervisor",
	     *string_of(environment, "hypervisor") ? string_of(environment, "hypervisor") : "none");
	term(page, "Governor", string_of(environment, "governor"));
	term(page, "Huge pages", string_of(environment, "thp"));
	term(page, "OpenCL loader", string_of(environment, "loader"));
	words = (struct words){ 0 };
	say_number(&words, NUMBER_NS, number_of(environment, "timer_overhead_ns"));
	say(&words, " for one reading of the clock; latencies include it");
	term(page, "Timer", words.text);
}

static void run_terms(struct page *page, const json_t *result)
{
	struct words words = { 0 };

	say(&words, "%s, for %.0f s, profile %s, seed %" JSON_INTEGER_FORMAT,
	    string_of(result, "started"), number_of(result, "elapsed_s"),
	    string_of(result, "profile"), json_integer_value(json_object_get(result, "seed")));
	term(page, "Started", words.text);
	words = (struct words){ 0 };
	say(&words, "%zu: %zu ok, %zu partial, %zu unreliable, %zu refused, %zu with lost updates",
	    json_array_size(json_object_get(result, "points")), count_status(result, "ok"),
	    count_status(result, "partial"), count_status(result, "unreliable"),
	    count_status(result, "refused"), count_status(result, "lost-update"));
	term(page, "Points", words.text);
	term(page, "svmatomic-bench", string_of(result, "version"));
}

static void self_checks(struct page *page, const json_t *checks)
{
	static const char *const columns[] = {
		"Self-check", "Harness, op/s", "Plain loop, op/s", "Ratio", "", "Allowed"
	};
	const json_t *check;
	size_t i;

	if (!json_array_size(checks))
		return;
	table_open(page, columns, COUNT(columns));
	json_array_foreach (checks, i, check) {
		bool pass = json_is_true(json_object_get(check, "pass"));
		const json_t *tolerance = json_object_get(check, "tolerance");

		fputs("<tr>", page->out);
		table_cell(page, string_of(check, "name"));
		table_number(page, NUMBER_RATE, number_of(check, "harness"));
		table_number(page, NUMBER_RATE, number_of(check, "plain"));
		table_number(page, NUMBER_RATIO, number_of(check, "ratio"));
		fprintf(page->out, "<td class=\"%s\">%s</td>", pass ? "yes" : "no",
			pass ? "pass" : "fail");
		if (json_is_number(tolerance))
			fprintf(page->out, "<td>1 ± %.3g</td>", json_number_value(tolerance));
		else
			fputs("<td>any, reported only</td>", page->out);
		fputs("</tr>\n", page->out);
	}
	table_close(page);
}

void report_environments(struct page *page)
{
	fputs("<h2>Environment</h2>\n", page->out);
	for (size_t i = 0; i < page->count; i++) {
		const json_t *result = page->results[i];

		fputs("<h3>", page->out);
		html_text(page->out, base_name(page->names[i]));
		fputs("</h3>\n<dl>\n", page->out);
		run_terms(page, result);
		machine_terms(page, json_object_get(result, "environment"));
		fputs("</dl>\n", page->out);
		self_checks(page, json_object_get(result, "self_check"));
	}
}

void report_how_to_read(struct page *page)
{
	fputs("<h2>How to read this</h2>\n"
	      "<ul>\n"
	      "<li><b>Alone and together.</b> Each sample runs the device alone, the CPU alone, "
	      "and "
	      "both at once. Slow-down is alone divided by together; above 1× is slower.</li>\n"
	      "<li><b>Median and interval.</b> A figure is the median of its samples; the interval "
	      "holds the true median with 95% confidence (bootstrap). Where the interval of a "
	      "slow-down or speed-up includes 1, there is no difference to speak of.</li>\n"
	      "<li><b>Overlap.</b> Together means together: a sample in which both sides were at "
	      "work for less than 95% of the time is rejected and in no figure.</li>\n"
	      "<li><b>Verified.</b> After every sample the sum, or whatever invariant the "
	      "operation "
	      "has, is checked. A lost update is a failure, never a number.</li>\n"
	      "<li><b>Fairness</b> is Jain's index over all workers: 100% when all get the same, "
	      "1/n when one of n gets everything. <b>CPU's share</b> is the share of all "
	      "operations "
	      "that the CPU made.</li>\n"
	      "<li><b>Layouts.</b> word: all on one word; line: own words of one cache line; "
	      "line-per-worker and page-per-worker: nothing shared but the allocation; random: "
	      "words drawn from a working set.</li>\n"
	      "<li><b>Kind of device.</b> A CPU device shares caches with the CPU side; a virtual "
	      "device is an emulation. Neither tells how a GPU behind a bus would do.</li>\n"
	      "</ul>\n",
	      page->out);
}
