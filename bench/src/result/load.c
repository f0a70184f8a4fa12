/* SPDX-License-Identifier: MIT */
/*
 * Reading a result back, and making sure that it is one: what `report` and
 * `compare` rely on is checked here, once, so that they need not.
 */
#include "result.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a JSON value has to look like, as far as `report` and `compare` rely on it. */
enum kind { TEXT, INTEGER, NUMBER, BOOLEAN, SCALAR, OBJECT, ARRAY };

struct shape {
	enum kind kind;
	const struct member *members; /* OBJECT: ended by a NULL name */
	const struct shape *of;	      /* OBJECT, ARRAY: every value in it */
	size_t least;		      /* ARRAY: elements it has at least */
	const char *const *names;     /* TEXT: what it may say */
};

struct member {
	const char *name;
	const struct shape *shape;
	bool optional;
};

/* clang-format off */
#define MUST(name, of) { name, &of##_shape, false }
#define MAY(name, of)  { name, &of##_shape, true }
#define OBJECT_OF(...) { .kind = OBJECT, .members = (const struct member[]){ __VA_ARGS__, { 0 } } }
/* clang-format on */

static const char *const better_names[] = { "higher", "lower", "neither", NULL };
static const char *const status_names[] = { "ok",	   "unreliable", "refused",
					    "lost-update", "partial",	 NULL };

static const char *const kind_words[] = {
	[TEXT] = "a string",	     [INTEGER] = "an integer",		[NUMBER] = "a number",
	[BOOLEAN] = "true or false", [SCALAR] = "a string or a number", [OBJECT] = "an object",
	[ARRAY] = "an array",
};

static const struct shape text_shape = { .kind = TEXT };
static const struct shape integer_shape = { .kind = INTEGER };
static const struct shape number_shape = { .kind = NUMBER };
static const struct shape boolean_shape = { .kind = BOOLEAN };
static const struct shape scalar_shape = { .kind = SCALAR };
static const struct shape texts_shape = { .kind = ARRAY, .of = &text_shape };
static const struct shape scalars_shape = { .kind = OBJECT, .of = &scalar_shape };
static const struct shape numbers_shape = { .kind = OBJECT, .of = &number_shape };
static const struct shape better_shape = { .kind = TEXT, .names = better_names };
static const struct shape status_shape = { .kind = TEXT, .names = status_names };
static const struct shape samples_shape = { .kind = ARRAY, .of = &number_shape, .least = 1 };
static const struct shape bucket_shape = { .kind = ARRAY, .of = &number_shape, .least = 2 };
static const struct shape buckets_shape = { .kind = ARRAY, .of = &bucket_shape };

static const struct shape environment_shape = OBJECT_OF(
	MUST("kernel", text), MUST("machine", text), MUST("cpu", text), MUST("cpus", integer),
	MUST("packages", integer), MUST("cores", integer), MUST("numa_nodes", integer),
	MAY("l3_bytes", integer), MAY("hypervisor", text), MUST("governor", text),
	MUST("thp", text), MUST("loader", text), MUST("timer_overhead_ns", number));

static const struct shape capability_shape = OBJECT_OF(MUST("have", boolean), MAY("note", text));
static const struct shape capabilities_shape = { .kind = OBJECT, .of = &capability_shape };

static const struct shape device_shape = OBJECT_OF(
	MUST("name", text), MUST("kind", text), MUST("backend", text), MUST("platform", text),
	MAY("platform_version", text), MUST("driver", text), MUST("version", text),
	MAY("dialect", text), MUST("units", integer), MAY("open_units", integer), MAY("cpus", text),
	MUST("gate", text), MUST("capabilities", capabilities));
static const struct shape devices_shape = { .kind = ARRAY, .of = &device_shape };

static const struct shape measure_shape = OBJECT_OF(
	MUST("name", text), MUST("unit", text), MUST("better", better), MUST("samples", samples),
	MUST("median", number), MUST("low", number), MUST("high", number));
static const struct shape measures_shape = { .kind = ARRAY, .of = &measure_shape };

static const struct shape histogram_shape = OBJECT_OF(
	MUST("name", text), MUST("unit", text), MUST("count", integer), MUST("p50", number),
	MUST("p90", number), MUST("p99", number), MUST("p99_9", number), MUST("p99_99", number),
	MUST("max", number), MUST("buckets", buckets));
static const struct shape histograms_shape = { .kind = ARRAY, .of = &histogram_shape };

static const struct shape point_shape = OBJECT_OF(
	MUST("workload", text), MUST("device", integer), MUST("axes", scalars),
	MUST("status", status), MUST("notes", texts), MAY("reason", text), MAY("mode", text),
	MAY("stopped_by", text), MAY("samples_taken", integer), MAY("samples_rejected", integer),
	MAY("verified", boolean), MAY("measures", measures), MAY("histograms", histograms),
	MAY("counters", numbers));
static const struct shape points_shape = { .kind = ARRAY, .of = &point_shape };

static const struct shape self_check_shape = OBJECT_OF(
	MUST("name", text), MUST("harness", number), MUST("plain", number), MUST("unit", text),
	MUST("ratio", number), MUST("low", number), MUST("high", number), MUST("pass", boolean));
static const struct shape self_checks_shape = { .kind = ARRAY, .of = &self_check_shape };

static const struct shape result_shape =
	OBJECT_OF(MUST("version", text), MUST("started", text), MUST("elapsed_s", number),
		  MUST("partial", boolean), MAY("partial_reason", text), MUST("seed", integer),
		  MUST("profile", text), MUST("environment", environment), MUST("devices", devices),
		  MUST("points", points), MAY("self_check", self_checks));

/* The value being looked at: where in which file. */
struct place {
	const char *path;
	char where[160];
	struct error *err;
};

static bool refuse(const struct place *place, const char *problem)
{
	return fail(place->err, EXIT_BAD_DATA,
		    "'%s' is not a sound result: %s %s; measure again with 'svmatomic-bench run'",
		    place->path, place->where, problem);
}

static bool kind_matches(const json_t *value, enum kind kind)
{
	switch (kind) {
	case TEXT:
		return json_is_string(value);
	case INTEGER:
		return json_is_integer(value);
	case NUMBER:
		return json_is_number(value);
	case BOOLEAN:
		return json_is_boolean(value);
	case SCALAR:
		return json_is_string(value) || json_is_number(value);
	case OBJECT:
		return json_is_object(value);
	case ARRAY:
		return json_is_array(value);
	}
	return false;
}

static bool is_one_of(const char *word, const char *const *names)
{
	for (; *names; names++) {
		if (strcmp(word, *names) == 0)
			return true;
	}
	return false;
}

static bool check(const json_t *value, const struct shape *shape, struct place *place);

/* Check @value one step further down, at "@name" or, where that is NULL, at "[@index]". */
static bool check_inside(const json_t *value, const struct shape *shape, struct place *place,
			 const char *name, size_t index)
{
	const size_t length = strlen(place->where);
	char *end = place->where + length;
	const size_t room = sizeof(place->where) - length;
	bool sound;

	if (name)
		snprintf(end, room, "%s%s", length ? "." : "", name);
	else
		snprintf(end, room, "[%zu]", index);
	sound = value ? check(value, shape, place) : refuse(place, "is missing");
	*end = '\0';
	return sound;
}

static bool check_members(const json_t *object, const struct member *members, struct place *place)
{
	for (; members->name; members++) {
		const json_t *value = json_object_get(object, members->name);

		if (!value && members->optional)
			continue;
		if (!check_inside(value, members->shape, place, members->name, 0))
			return false;
	}
	return true;
}

static bool check_values(const json_t *object, const struct shape *shape, struct place *place)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)object, name, value) {
		if (!check_inside(value, shape, place, name, 0))
			return false;
	}
	return true;
}

static bool check_elements(const json_t *array, const struct shape *shape, struct place *place)
{
	const json_t *value;
	size_t i;

	json_array_foreach (array, i, value) {
		if (!check_inside(value, shape, place, NULL, i))
			return false;
	}
	return true;
}

static bool check(const json_t *value, const struct shape *shape, struct place *place)
{
	if (!kind_matches(value, shape->kind)) {
		char problem[64];

		snprintf(problem, sizeof(problem), "is not %s", kind_words[shape->kind]);
		return refuse(place, problem);
	}
	if (shape->names && !is_one_of(json_string_value(value), shape->names))
		return refuse(place, "is not a word this version knows");
	if (json_array_size(value) < shape->least)
		return refuse(place, "has too few elements");
	if (shape->members)
		return check_members(value, shape->members, place);
	if (shape->kind == OBJECT)
		return check_values(value, shape->of, place);
	if (shape->kind == ARRAY)
		return check_elements(value, shape->of, place);
	return true;
}

/* What ties one member to another, which no shape can say. */
static bool check_point(const json_t *point, size_t devices, struct place *place)
{
	const bool refused =
		strcmp(json_string_value(json_object_get(point, "status")), "refused") == 0;
	const json_int_t device = json_integer_value(json_object_get(point, "device"));

	if (device < 0 || (size_t)device >= devices)
		return refuse(place, "names a device that is not there");
	if (refused && !json_object_get(point, "reason"))
		return refuse(place, "was refused for no reason");
	if (!refused && !json_object_get(point, "measures"))
		return refuse(place, "has no measures");
	if (!refused && !json_object_get(point, "histograms"))
		return refuse(place, "has no histograms");
	return true;
}

static bool check_points(const json_t *document, struct place *place)
{
	const size_t devices = json_array_size(json_object_get(document, "devices"));
	const json_t *point;
	size_t i;

	json_array_foreach (json_object_get(document, "points"), i, point) {
		snprintf(place->where, sizeof(place->where), "points[%zu]", i);
		if (!check_point(point, devices, place))
			return false;
	}
	return true;
}

static bool check_schema(const json_t *document, const char *path, struct error *err)
{
	const char *schema = json_string_value(json_object_get(document, "schema"));
	const size_t family = strcspn(RESULT_SCHEMA, "/") + 1;

	if (!schema || strncmp(schema, RESULT_SCHEMA, family) != 0)
		return fail(err, EXIT_BAD_DATA,
			    "'%s' is JSON, but no result of svmatomic-bench; give a file that "
			    "'svmatomic-bench run --json' wrote",
			    path);
	if (strcmp(schema, RESULT_SCHEMA) != 0)
		return fail(err, EXIT_BAD_DATA,
			    "'%s' follows schema %s and this version reads %s; upgrade "
			    "svmatomic-bench or measure again",
			    path, schema, RESULT_SCHEMA);
	return true;
}

static json_t *parse(FILE *file, const char *path, struct error *err)
{
	json_error_t problem;
	json_t *document;

	errno = 0;
	document = json_loadf(file, JSON_REJECT_DUPLICATES, &problem);
	if (document)
		return document;

	if (ferror(file))
		fail(err, EXIT_NO_INPUT, "cannot read '%s': %s; give a result file", path,
		     strerror(errno));
	else if (json_error_code(&problem) == json_error_out_of_memory)
		fail(err, EXIT_NO_MEMORY, "no memory left to read '%s'", path);
	else
		fail(err, EXIT_BAD_DATA,
		     "'%s' is not JSON: line %d, column %d: %s; give a file that "
		     "'svmatomic-bench run --json' wrote",
		     path, problem.line, problem.column, problem.text);
	return NULL;
}

json_t *result_load(const char *path, struct error *err)
{
	struct place place = { .path = path, .err = err };
	FILE *file = fopen(path, "re");
	json_t *document;

	if (!file) {
		fail(err, EXIT_NO_INPUT, "cannot read '%s': %s; give a result file", path,
		     strerror(errno));
		return NULL;
	}
	document = parse(file, path, err);
	fclose(file);
	if (!document)
		return NULL;

	if (check_schema(document, path, err) && check(document, &result_shape, &place) &&
	    check_points(document, &place))
		return document;
	json_decref(document);
	return NULL;
}
