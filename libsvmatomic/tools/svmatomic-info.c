/* SPDX-License-Identifier: MIT */
/*
 * svmatomic-info: which devices here can do SVM atomics and, of those that cannot, why.
 */
#include <svmatomic.h>

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* Documented in svmatomic-info(1); from 64 on they follow sysexits.h(3head). */
enum exit_code {
	EXIT_CAN = 0,
	EXIT_CANNOT = 1,
	EXIT_USAGE_ERROR = 64,
	EXIT_NO_MEMORY = 71,
	EXIT_OUTPUT = 74,
};

static const char usage[] =
	"usage: svmatomic-info [--json] [NODE...]\n"
	"\n"
	"Says of every DRM render node, or of those named, which driver it has, whether\n"
	"it can do SVM atomics and, if not, why.\n"
	"\n"
	"  --json     print JSON\n"
	"  --help     print this\n"
	"  --version  print the version\n"
	"\n"
	"SVMATOMIC_DEVICE=/dev/dri/renderDN names the node that programs are to use.\n"
	"Exit codes: 0 a device can; 1 none can; 64 usage; 71 memory; 74 output.\n";

/* What is shown, in the order of the bits. */
static const struct {
	unsigned int bit;
	const char *name;
} features[] = {
	{ SVMA_FEATURE_FAULT, "fault" },
	{ SVMA_FEATURE_AROUND, "around" },
	{ SVMA_FEATURE_EVENTS, "events" },
	{ SVMA_FEATURE_HOLD, "hold" },
};

#define FEATURES (sizeof(features) / sizeof(*features))

struct listing {
	struct svma_report *nodes;
	size_t count;
	struct svma_report chosen; /* what a program gets */
};

static bool can(const struct svma_report *report)
{
	return !report->error;
}

static void print_features(const struct svma_report *report)
{
	const char *separator = " (";

	for (size_t i = 0; i < FEATURES; i++) {
		if (!(report->features & features[i].bit))
			continue;
		printf("%s%s", separator, features[i].name);
		separator = ", ";
	}
	if (*separator == ',')
		putchar(')');
}

static void print_table(const struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++) {
		const struct svma_report *node = &listing->nodes[i];

		printf("%-22s %-10s ", node->node, *node->driver ? node->driver : "?");
		if (can(node)) {
			printf("yes");
			print_features(node);
			putchar('\n');
		} else {
			printf("no: %s\n", node->text);
		}
	}
	if (can(&listing->chosen))
		printf("programs use %s\n", listing->chosen.node);
	else if (*listing->chosen.node)
		printf("programs find no device: %s: %s\n", listing->chosen.node,
		       listing->chosen.text);
	else
		printf("programs find no device: %s\n", listing->chosen.text);
}

static json_t *json_features(const struct svma_report *report)
{
	json_t *names = json_array();

	for (size_t i = 0; i < FEATURES; i++)
		if (report->features & features[i].bit)
			json_array_append_new(names, json_string(features[i].name));
	return names;
}

static json_t *json_report(const struct svma_report *report)
{
	/* A name that is not UTF-8 is left out. */
	return json_pack("{s:s*, s:s*, s:b, s:b, s:i, s:i, s:s, s:i, s:o}", "node",
			 *report->node ? report->node : NULL, "driver",
			 *report->driver ? report->driver : NULL, "svm_atomics", can(report),
			 "virtual", report->flags == SVMA_OPEN_VIRTUAL, "errno", -report->error,
			 "reason", (int)report->reason, "text", report->text, "interface",
			 (int)report->version, "features", json_features(report));
}

static bool print_json(const struct listing *listing)
{
	json_t *nodes = json_array();
	json_t *root;
	bool good;

	for (size_t i = 0; i < listing->count; i++)
		json_array_append_new(nodes, json_report(&listing->nodes[i]));
	root = json_pack("{s:s, s:o, s:o}", "version", svma_version(), "nodes", nodes, "chosen",
			 json_report(&listing->chosen));
	good = root && !json_dumpf(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
	return good;
}

/* Fill @listing with all nodes. What appears meanwhile is left for the next time. */
static bool list_all(struct listing *listing)
{
	int count = svma_survey(NULL, 0);

	/* Then the chosen one says why. */
	if (count <= 0)
		return true;
	listing->nodes = calloc((size_t)count, sizeof(*listing->nodes));
	if (!listing->nodes)
		return false;
	listing->count = (size_t)count;
	count = svma_survey(listing->nodes, listing->count);
	if (count < 0)
		count = 0;
	if ((size_t)count < listing->count)
		listing->count = (size_t)count;
	return true;
}

static bool list_named(struct listing *listing, char **names, size_t count)
{
	listing->nodes = calloc(count, sizeof(*listing->nodes));
	if (!listing->nodes)
		return false;
	for (; listing->count < count; listing->count++)
		svma_explain(names[listing->count], &listing->nodes[listing->count]);
	return true;
}

static enum exit_code show(struct listing *listing, bool json)
{
	bool any = false;
	bool good = true;

	svma_explain(NULL, &listing->chosen);
	for (size_t i = 0; i < listing->count; i++)
		any |= can(&listing->nodes[i]);

	if (json)
		good = print_json(listing);
	else
		print_table(listing);
	if (fflush(stdout) || ferror(stdout) || !good) {
		fputs("svmatomic-info: cannot write to standard output: free space on the disk or "
		      "check the pipe\n",
		      stderr);
		return EXIT_OUTPUT;
	}
	return any ? EXIT_CAN : EXIT_CANNOT;
}

/* @word is what was looked at last: all of it, or what is behind it is still to be. */
static enum exit_code bad_option(const char *word)
{
	if (strncmp(word, "--", 2) && optopt)
		fprintf(stderr,
			"svmatomic-info: bad option '-%c'; svmatomic-info --help names them\n",
			optopt);
	else
		fprintf(stderr,
			"svmatomic-info: bad option '%s'; svmatomic-info --help names them\n",
			word);
	return EXIT_USAGE_ERROR;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	struct listing listing = { 0 };
	enum exit_code code;
	bool json = false;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return fflush(stdout) ? EXIT_OUTPUT : EXIT_CAN;
		case 'V':
			printf("svmatomic-info %s\n", svma_version());
			return fflush(stdout) ? EXIT_OUTPUT : EXIT_CAN;
		default:
			return bad_option(argv[optind - 1]);
		}
	}

	if (!(optind < argc ? list_named(&listing, argv + optind, (size_t)(argc - optind))
			    : list_all(&listing))) {
		fputs("svmatomic-info: out of memory; name fewer nodes\n", stderr);
		return EXIT_NO_MEMORY;
	}
	code = show(&listing, json);
	free(listing.nodes);
	return code;
}
