/* SPDX-License-Identifier: MIT */
/*
 * Reading and applying expectations.
 */
#include "expectations.h"

#include "record.h"
#include "transcript.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What a head may ask of a device; also the members of the device's object. */
static const char *const head_keys[] = { "platform", "version", "device", "driver", "svm" };

/* A file that is being read. */
struct reading {
	struct expectations *all;
	const char *path;
	const json_t *device;
	FILE *errors;
	unsigned line;
	bool has_head;
	bool has_lines;
	bool applies;
};

void expectations_begin(struct expectations *all)
{
	*all = (struct expectations){ .files = json_array() };
}

void expectations_clear(struct expectations *all)
{
	for (size_t i = 0; i < all->count; i++) {
		free(all->at[i].pattern);
		free(all->at[i].reason);
		free(all->at[i].where);
	}
	free(all->at);
	json_decref(all->files);
	*all = (struct expectations){ 0 };
}

static bool matches(const char *pattern, const char *text)
{
	return fnmatch(pattern, text, FNM_CASEFOLD) == 0;
}

/* --- lines -------------------------------------------------------------------- */

static void count_broken(struct expectations *all, enum exit_code code)
{
	if (!all->broken++)
		all->code = code;
}

static void broken(struct reading *reading, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void broken(struct reading *reading, const char *format, ...)
{
	va_list args;

	fprintf(reading->errors, "svmatomic-cts: %s:%u: ", reading->path, reading->line);
	va_start(args, format);
	vfprintf(reading->errors, format, args);
	va_end(args);
	fputc('\n', reading->errors);
	count_broken(reading->all, EXIT_BAD_DATA);
}

/* The next word of @line, which it is moved past. */
static char *next_word(char **line)
{
	char *word;

	do
		word = strsep(line, " \t");
	while (word && !*word);
	return word ? word : (char *)"";
}

static char *stripped(char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length && strchr(" \t\r\n", text[length - 1]))
		text[--length] = 0;
	return text;
}

static void take_head(struct reading *reading, const char *key, const char *pattern)
{
	for (size_t i = 0; i < sizeof(head_keys) / sizeof(*head_keys); i++) {
		if (strcmp(head_keys[i], key) != 0)
			continue;
		if (reading->has_lines)
			broken(reading, "'%s:' has to be above all expectations", key);
		else if (!matches(pattern, record_text(reading->device, key)))
			reading->applies = false;
		reading->has_head = true;
		return;
	}
	broken(reading, "a head has no '%s'; it has platform, version, device, driver and svm",
	       key);
}

/* "fail|crash" as bits; 0 where a word is no verdict. */
static unsigned parse_verdicts(char *words)
{
	unsigned bits = 0;
	char *word;

	while ((word = strsep(&words, "|"))) {
		const enum verdict verdict = verdict_parse(word);

		if (verdict == VERDICT_COUNT)
			return 0;
		bits |= 1u << verdict;
	}
	return bits;
}

static bool add(struct reading *reading, unsigned verdicts, const char *pattern, const char *reason)
{
	struct expectations *all = reading->all;
	struct expectation *grown = realloc(all->at, (all->count + 1) * sizeof(*grown));
	struct expectation *line;

	if (!grown)
		return false;
	all->at = grown;
	line = &all->at[all->count];
	*line = (struct expectation){ .verdicts = verdicts,
				      .pattern = strdup(pattern),
				      .reason = strdup(reason) };
	if (asprintf(&line->where, "%s:%u", reading->path, reading->line) < 0)
		line->where = NULL;
	all->count++;
	return line->pattern && line->reason && line->where;
}

static void take_expectation(struct reading *reading, char *line)
{
	char *rest = line;
	char words[64];
	const char *word = next_word(&rest);
	const char *pattern = next_word(&rest);
	unsigned verdicts;

	reading->has_lines = true;
	snprintf(words, sizeof(words), "%s", word);
	verdicts = parse_verdicts(words);
	if (!verdicts) {
		broken(reading,
		       "'%s' is no verdict; there is pass, partial, not-executed, fail, timeout, "
		       "crash and error",
		       word);
		return;
	}
	if (!strchr(pattern, '/') && strcmp(pattern, "*") != 0) {
		broken(reading, "'%s' is no test; they are called PROGRAM/NAME", pattern);
		return;
	}
	if (!reading->has_head) {
		broken(reading, "a head is missing above it, such as platform: PATTERN");
		reading->has_head = true; /* say it once */
		reading->applies = false;
		return;
	}
	if (reading->applies && !add(reading, verdicts, pattern, rest ? stripped(rest) : ""))
		broken(reading, "out of memory");
}

static void take_line(struct reading *reading, char *line)
{
	char *colon;

	line = stripped(line);
	clean_text(line);
	if (!*line || *line == '#')
		return;
	colon = strchr(line, ':');
	if (!colon || (size_t)(colon - line) != strspn(line, "abcdefghijklmnopqrstuvwxyz")) {
		take_expectation(reading, line);
		return;
	}
	*colon = 0;
	take_head(reading, line, stripped(colon + 1));
}

/* --- files ---------------------------------------------------------------------- */

static void read_stream(struct reading *reading, FILE *file)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, file) >= 0) {
		reading->line++;
		take_line(reading, line);
	}
	free(line);
}

static void unreadable(struct expectations *all, const char *path, FILE *errors)
{
	fprintf(errors, "svmatomic-cts: cannot read expectations %s: %s\n", path, strerror(errno));
	count_broken(all, EXIT_NO_INPUT);
}

static void read_file(struct expectations *all, const char *path, const json_t *device,
		      FILE *errors)
{
	struct reading reading = {
		.all = all, .path = path, .device = device, .errors = errors, .applies = true
	};
	const char *slash = strrchr(path, '/');
	FILE *file = fopen(path, "re");

	if (!file) {
		unreadable(all, path, errors);
		return;
	}
	read_stream(&reading, file);
	fclose(file);
	if (reading.has_head && reading.applies)
		json_array_append_new(all->files, json_string(slash ? slash + 1 : path));
}

static int is_text(const struct dirent *entry)
{
	return fnmatch("[!.]*.txt", entry->d_name, 0) == 0;
}

static void read_directory(struct expectations *all, const char *path, const json_t *device,
			   FILE *errors)
{
	struct dirent **entries;
	const int count = scandir(path, &entries, is_text, alphasort);
	char *name;

	if (count < 0) {
		unreadable(all, path, errors);
		return;
	}
	for (int i = 0; i < count; i++) {
		if (asprintf(&name, "%s/%s", path, entries[i]->d_name) >= 0) {
			read_file(all, name, device, errors);
			free(name);
		}
		free(entries[i]);
	}
	free(entries);
}

void expectations_read(struct expectations *all, const char *path, const json_t *device,
		       FILE *errors)
{
	struct stat status;

	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		read_directory(all, path, device, errors);
	else
		read_file(all, path, device, errors);
}

/* --- use -------------------------------------------------------------------------- */

struct expectation *expectations_find(const struct expectations *all, const char *name)
{
	struct expectation *found = NULL;

	for (size_t i = 0; i < all->count; i++) {
		if (!matches(all->at[i].pattern, name))
			continue;
		found = &all->at[i];
		found->used = true;
	}
	return found;
}

static bool known(const struct expectations *all)
{
	return json_array_size(all->files) > 0;
}

enum difference expectations_compare(const struct expectations *all, const struct expectation *line,
				     enum verdict verdict)
{
	const unsigned expected = line ? line->verdicts : 1u << VERDICT_PASS;

	if (!line && !known(all))
		return verdict_is_failure(verdict) ? DIFFERENCE_WORSE : DIFFERENCE_NONE;
	if (expected & (1u << verdict))
		return DIFFERENCE_NONE;
	/* Better than the best that was expected; all else is worse. */
	return (expected & ((1u << verdict) - 1)) == 0 ? DIFFERENCE_BETTER : DIFFERENCE_WORSE;
}

void expectations_describe(const struct expectations *all, const struct expectation *line,
			   char *text, size_t size)
{
	size_t used = 0;

	snprintf(text, size, "%s", known(all) ? "pass" : "no failure");
	for (int i = 0; line && i < VERDICT_COUNT; i++)
		if (line->verdicts & (1u << i) && used < size)
			used += (size_t)snprintf(text + used, size - used, "%s%s",
						 used ? " or " : "", verdict_name((enum verdict)i));
}
