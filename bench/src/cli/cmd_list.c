/* SPDX-License-Identifier: MIT */
/*
 * svmatomic-bench list and describe: what there is, what it can do, and why not.
 */
#include "commands.h"
#include "runner.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char list_usage[] =
	"usage: svmatomic-bench list [devices|workloads|axes] [--json]\n"
	"\n"
	"Lists devices with each SVM and atomic capability (and why one is missing),\n"
	"workloads with their axes, axes with their values; without a word, all three.\n";

enum topic { TOPIC_DEVICES = 1, TOPIC_WORKLOADS = 2, TOPIC_AXES = 4, TOPIC_ALL = 7 };

/* --- devices ------------------------------------------------------------ */

static void print_capability(const struct device *dev, enum capability cap)
{
	const struct capability_state *state = &dev->caps[cap];

	printf("    %-3s  %-18s %s%s%s\n", state->have ? "yes" : "no", capability_names[cap],
	       capability_summaries[cap], state->note[0] ? ": " : "", state->note);
}

static void print_device(const struct device *dev, unsigned index)
{
	printf("device %u: %s\n", index, dev->name);
	printf("    %s, %u compute units, %s\n", device_kind_names[dev->kind], dev->units,
	       dev->ops->backend);
	printf("    platform %s (%s)\n", dev->platform, dev->platform_version);
	printf("    driver %s, %s\n", dev->driver, dev->version);
	if (dev->dialect[0])
		printf("    atomics in %s\n", dev->dialect);
	for (int cap = 0; cap < CAP_COUNT; cap++)
		print_capability(dev, (enum capability)cap);
	putchar('\n');
}

/* Opening is what finds out about compiler and gate. */
static bool list_devices(json_t *json, struct error *err)
{
	struct device_list list;

	if (!device_list_fill(&list, 0, err))
		return false;
	if (json)
		json_object_set_new(json, "devices", json_array());
	for (size_t i = 0; i < list.count; i++) {
		struct device *dev = list.devices[i];
		struct error reason = { 0 };

		if (device_open(dev, 0, &reason))
			device_close(dev);
		else
			fprintf(stderr, "svmatomic-bench: %s\n", reason.text);
		if (json)
			json_array_append_new(json_object_get(json, "devices"),
					      run_device_json(dev, NULL));
		else
			print_device(dev, (unsigned)i);
	}
	if (json && list.absent[0])
		json_object_set_new(json, "absent", json_string(list.absent));
	else if (list.absent[0])
		printf("%s\n\n", list.absent);
	device_list_clear(&list);
	return true;
}

/* --- workloads and axes ------------------------------------------------- */

static json_t *workload_axes(const struct workload *workload)
{
	json_t *names = json_array();

	for (int axis = 0; axis < AXIS_COUNT; axis++)
		if (workload->axes & AXIS_BIT(axis))
			json_array_append_new(names, json_string(axes[axis].name));
	return names;
}

static void list_workloads(json_t *json)
{
	json_t *array = json_array();

	for (size_t i = 0; workloads[i]; i++) {
		json_t *names = workload_axes(workloads[i]);
		const json_t *name;
		size_t n;

		json_array_append_new(array,
				      json_pack("{s:s, s:s, s:o}", "name", workloads[i]->name,
						"summary", workloads[i]->summary, "axes", names));
		if (json)
			continue;
		printf("workload %-10s %s\n    axes:", workloads[i]->name, workloads[i]->summary);
		json_array_foreach (names, n, name)
			printf(" %s", json_string_value(name));
		printf("\n\n");
	}
	if (json)
		json_object_set(json, "workloads", array);
	json_decref(array);
}

static void list_axes(json_t *json)
{
	json_t *array = json_array();

	for (int i = 0; i < AXIS_COUNT; i++) {
		const struct axis *axis = &axes[i];

		json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s}", "name", axis->name,
						       "summary", axis->summary, "values",
						       axis->values, "default", axis->initial));
		if (!json)
			printf("axis %-13s %s\n    values: %s\n    default: %s\n\n", axis->name,
			       axis->summary, axis->values, axis->initial);
	}
	if (json)
		json_object_set(json, "axes", array);
	json_decref(array);
}

static bool list_topics(unsigned topics, json_t *json, struct error *err)
{
	if (topics & TOPIC_AXES)
		list_axes(json);
	if (topics & TOPIC_WORKLOADS)
		list_workloads(json);
	/* Last: on a machine without a device the rest is still worth printing. */
	return !(topics & TOPIC_DEVICES) || list_devices(json, err);
}

static bool parse_topic(const char *word, unsigned *topics, struct error *err)
{
	static const char *const names[] = { "devices", "workloads", "axes", NULL };
	const int index = name_index(names, word);

	if (index < 0)
		return fail(err, EXIT_USAGE_ERROR,
			    "there is nothing called '%s' to list; use devices, workloads or axes",
			    word);
	*topics |= 1u << index;
	return true;
}

enum exit_code command_list(int argc, char **argv, struct error *err)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	json_t *json = NULL;
	unsigned topics = 0;
	bool as_json = false;
	bool ok;
	int code;

	optind = 0;
	opterr = 0;
	while ((code = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (code == 'h') {
			fputs(list_usage, stdout);
			return EXIT_OK;
		}
		if (code == '?')
			return command_fail(err, EXIT_USAGE_ERROR,
					    "option '%s' is unknown; see `svmatomic-bench list "
					    "--help`",
					    argv[optind - 1]);
		as_json = true;
	}
	for (int i = optind; i < argc; i++)
		if (!parse_topic(argv[i], &topics, err))
			return err->code;
	if (as_json)
		json = json_object();
	ok = list_topics(topics ? topics : TOPIC_ALL, json, err);
	if (json) {
		json_dumpf(json, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(json);
	return ok ? EXIT_OK : err->code;
}

/* --- describe ----------------------------------------------------------- */

/* Paragraphs filled to 78 columns. */
static void print_filled(const char *text)
{
	size_t column = 0;

	while (*text) {
		const size_t length = strcspn(text, " \n");

		if (column && column + 1 + length > 78) {
			putchar('\n');
			column = 0;
		}
		if (column)
			putchar(' ');
		printf("%.*s", (int)length, text);
		column += length + (column > 0);
		text += length;
		for (; *text == ' '; text++)
			;
		for (; *text == '\n'; text++) {
			putchar('\n');
			column = 0;
		}
	}
	putchar('\n');
}

enum exit_code command_describe(int argc, char **argv, struct error *err)
{
	const struct workload *workload;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs("usage: svmatomic-bench describe WORKLOAD\n\nSays in words what a workload "
		      "does, what is timed and how it is verified.\n",
		      stdout);
		return EXIT_OK;
	}
	if (argc != 2)
		return command_fail(err, EXIT_USAGE_ERROR,
				    "describe takes one workload; `svmatomic-bench list workloads` "
				    "names them");
	workload = workload_find(argv[1]);
	if (!workload)
		return command_fail(err, EXIT_USAGE_ERROR,
				    "there is no workload '%s'; `svmatomic-bench list workloads` "
				    "names them",
				    argv[1]);
	printf("%s: %s\n\n", workload->name, workload->summary);
	print_filled(workload->description);
	printf("\nAxes:\n");
	for (int axis = 0; axis < AXIS_COUNT; axis++)
		if (workload->axes & AXIS_BIT(axis))
			printf("  %-13s %s [%s]\n", axes[axis].name, axes[axis].summary,
			       axes[axis].initial);
	return EXIT_OK;
}
