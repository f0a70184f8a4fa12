/* SPDX-License-Identifier: MIT */
/*
 * A result as CSV: one row per point and measure, quoted as RFC 4180 has it.
 */
#include "result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers go through jansson: printf() would follow the locale and write 0,5. */
#define NUMBER_FORMAT (JSON_ENCODE_ANY | JSON_REAL_PRECISION(9))

static const char *const point_columns[] = { "status", "mode", "stopped_by", "reason" };
static const char *const measure_columns[] = { "name", "unit", "better", "median", "low", "high" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void put_text(FILE *out, const char *text)
{
	if (!text[strcspn(text, ",\"\r\n")]) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

/* Nothing where @value is missing. */
static void put_value(FILE *out, const json_t *value)
{
	if (json_is_string(value))
		put_text(out, json_string_value(value));
	else if (value)
		json_dumpf(value, out, NUMBER_FORMAT);
}

static void put_members(FILE *out, const json_t *object, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fputc(',', out);
		put_value(out, json_object_get(object, names[i]));
	}
}

static void put_notes(FILE *out, const json_t *notes)
{
	char *text = NULL;
	size_t size = 0;
	FILE *joined = open_memstream(&text, &size);
	const json_t *note;
	size_t i;

	if (!joined)
		return;
	json_array_foreach (notes, i, note)
		fprintf(joined, "%s%s", i ? "; " : "", json_string_value(note));
	if (fclose(joined) == 0)
		put_text(out, text);
	free(text);
}

/* The axes of all points: workloads do not have the same ones. */
static json_t *all_axes(const json_t *points)
{
	json_t *axes = json_object();
	const json_t *point;
	size_t i;

	json_array_foreach (points, i, point)
		json_object_update_missing(axes, json_object_get(point, "axes"));
	return axes;
}

static void put_header(FILE *out, json_t *axes)
{
	const char *name;
	json_t *value;

	fputs("workload,device,kind", out);
	json_object_foreach (axes, name, value) {
		fputc(',', out);
		put_text(out, name);
	}
	fputs(",status,mode,stopped_by,reason,measure,unit,better,median,low,high,samples,notes\n",
	      out);
}

static void put_row(FILE *out, const json_t *point, const json_t *device, json_t *axes,
		    const json_t *measure)
{
	const json_t *own_axes = json_object_get(point, "axes");
	const char *name;
	json_t *value;

	put_value(out, json_object_get(point, "workload"));
	fputc(',', out);
	put_value(out, json_object_get(device, "name"));
	fputc(',', out);
	put_value(out, json_object_get(device, "kind"));
	json_object_foreach (axes, name, value)
		put_members(out, own_axes, &name, 1);
	put_members(out, point, point_columns, COUNT(point_columns));
	put_members(out, measure, measure_columns, COUNT(measure_columns));
	fputc(',', out);
	if (measure)
		fprintf(out, "%zu", json_array_size(json_object_get(measure, "samples")));
	fputc(',', out);
	put_notes(out, json_object_get(point, "notes"));
	/* LF alone: awk and gnuplot would take a CR into the last field. */
	fputc('\n', out);
}

/* A point that measured nothing has a row all the same, with its status and reason. */
static void put_point(FILE *out, const json_t *point, const json_t *devices, json_t *axes)
{
	const json_int_t index = json_integer_value(json_object_get(point, "device"));
	const json_t *device = json_array_get(devices, (size_t)index);
	const json_t *measures = json_object_get(point, "measures");
	const json_t *measure;
	size_t i;

	if (json_array_size(measures) == 0)
		put_row(out, point, device, axes, NULL);
	json_array_foreach (measures, i, measure)
		put_row(out, point, device, axes, measure);
}

static bool put_result(FILE *out, const json_t *result)
{
	const json_t *points = json_object_get(result, "points");
	const json_t *devices = json_object_get(result, "devices");
	json_t *axes = all_axes(points);
	const json_t *point;
	size_t i;

	if (!axes)
		return false;
	put_header(out, axes);
	json_array_foreach (points, i, point)
		put_point(out, point, devices, axes);
	json_decref(axes);
	return !ferror(out);
}

bool result_write_csv(const char *path, const json_t *result, struct error *err)
{
	return result_write(path, put_result, result, err);
}
