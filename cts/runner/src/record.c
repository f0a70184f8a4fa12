/* SPDX-License-Identifier: MIT */
/*
 * The result document.
 */
#include "record.h"

#include <errno.h>
#include <math.h>
#include <string.h>

json_t *record_new(json_t *device)
{
	return json_pack("{s:s, s:b, s:O, s:[], s:[], s:[]}", "schema", RECORD_SCHEMA, "complete",
			 0, "device", device, "expectations", "left_out", "tests");
}

const char *record_text(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

size_t record_suite_length(const char *name)
{
	return strcspn(name, "/");
}

enum verdict record_verdict(const json_t *test)
{
	return verdict_parse(record_text(test, "verdict"));
}

static bool valid(const json_t *record)
{
	const json_t *tests = json_object_get(record, "tests");
	const json_t *test;
	size_t i;

	if (strcmp(record_text(record, "schema"), RECORD_SCHEMA) != 0 || !json_is_array(tests) ||
	    !json_is_object(json_object_get(record, "device")))
		return false;
	json_array_foreach (tests, i, test)
		if (!*record_text(test, "name") || record_verdict(test) == VERDICT_COUNT)
			return false;
	return true;
}

json_t *record_load(const char *path, struct error *err)
{
	json_error_t where;
	FILE *file = fopen(path, "re");
	json_t *record;

	if (!file) {
		fail(err, EXIT_NO_INPUT, "cannot read '%s': %s", path, strerror(errno));
		return NULL;
	}
	record = json_loadf(file, 0, &where);
	fclose(file);
	if (!record) {
		fail(err, EXIT_BAD_DATA, "%s:%d: not JSON: %s", path, where.line, where.text);
		return NULL;
	}
	if (valid(record))
		return record;
	fail(err, EXIT_BAD_DATA, "%s is no result of `svmatomic-cts run`, or of another version",
	     path);
	json_decref(record);
	return NULL;
}

json_t *record_find(const json_t *record, const char *name)
{
	json_t *test;
	size_t i;

	json_array_foreach (json_object_get(record, "tests"), i, test)
		if (!strcmp(record_text(test, "name"), name))
			return test;
	return NULL;
}

static void remove_old(json_t *tests, const char *name)
{
	const json_t *test;
	size_t i;

	json_array_foreach (tests, i, test) {
		if (!strcmp(record_text(test, "name"), name)) {
			json_array_remove(tests, i);
			return;
		}
	}
}

json_t *record_add(json_t *record, const char *name, const struct outcome *outcome, double seconds,
		   const char *output)
{
	json_t *tests = json_object_get(record, "tests");
	json_t *test = json_pack("{s:s, s:s, s:s, s:f}", "name", name, "verdict",
				 verdict_name(outcome->verdict), "reason", outcome->reason,
				 "seconds", round(seconds * 1000) / 1000);

	if (!test)
		return NULL;
	if (outcome->executed || outcome->skipped) {
		json_object_set_new(test, "executed", json_integer(outcome->executed));
		json_object_set_new(test, "left_out", json_integer(outcome->skipped));
	}
	if (outcome->killable) {
		json_object_set_new(test, "mutants_killed", json_integer(outcome->killed));
		json_object_set_new(test, "mutants_killable", json_integer(outcome->killable));
	}
	if (output && *output)
		json_object_set_new(test, "output", json_string(output));
	remove_old(tests, name);
	json_array_append_new(tests, test);
	return test;
}
