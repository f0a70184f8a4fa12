/* SPDX-License-Identifier: MIT */
/*
 * Building the measures of a result document, naming its points, writing it.
 */
#include "result.h"

#include "axes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const better_names[] = {
	[BETTER_HIGHER] = "higher",
	[BETTER_LOWER] = "lower",
	[BETTER_NEITHER] = "neither",
};
static json_t *samples_json(const struct samples *samples)
{
	json_t *array = json_array();

	for (size_t i = 0; i < samples->count; i++)
		json_array_append_new(array, json_real(samples->values[i]));
	return array;
}

/* JSON has no infinities, and a ratio over nothing is one. */
static bool finite_samples(const struct samples *samples, struct samples *finite)
{
	for (size_t i = 0; i < samples->count; i++) {
		if (isfinite(samples->values[i]) && !samples_add(finite, samples->values[i]))
			return false;
	}
	/* Where half of them are infinite, so is the median: the rest would not speak for it. */
	return finite->count > samples->count / 2;
}

json_t *result_measure(const char *name, const char *unit, enum better better,
		       const struct samples *samples, uint64_t seed)
{
	struct samples finite = { 0 };
	json_t *measure = NULL;

	if (finite_samples(samples, &finite)) {
		const double *values = finite.values;
		const struct interval interval = stats_bootstrap_median(values, finite.count, seed);

		measure =
			json_pack("{s:s, s:s, s:s, s:o, s:f, s:f, s:f}", "name", name, "unit", unit,
				  "better", better_names[better], "samples", samples_json(&finite),
				  "median", stats_median(values, finite.count), "low", interval.low,
				  "high", interval.high);
	}
	samples_clear(&finite);
	return measure;
}

const json_t *result_find_measure(const json_t *point, const char *name)
{
	const json_t *measures = json_object_get(point, "measures");
	const json_t *measure;
	size_t i;

	json_array_foreach (measures, i, measure) {
		const char *its = json_string_value(json_object_get(measure, "name"));

		if (its && strcmp(its, name) == 0)
			return measure;
	}
	return NULL;
}

double result_median(const json_t *point, const char *name)
{
	const json_t *median = json_object_get(result_find_measure(point, name), "median");

	return median ? json_number_value(median) : NAN;
}

static const char *axis_string(const json_t *point, const char *name)
{
	const json_t *value = json_object_get(json_object_get(point, "axes"), name);

	return json_is_string(value) ? json_string_value(value) : "";
}

static json_int_t axis_integer(const json_t *point, const char *name)
{
	return json_integer_value(json_object_get(json_object_get(point, "axes"), name));
}

/* Axes whose default goes without saying. */
static void append_unusual(const json_t *point, char *out, size_t size)
{
	static const enum axis_id named[] = { AXIS_ORDER,	 AXIS_SCOPE,	 AXIS_WORKING_SET,
					      AXIS_DISTRIBUTION, AXIS_PLACEMENT, AXIS_THINK,
					      AXIS_HOLD };

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		const struct axis *axis = &axes[named[i]];
		const json_t *value = json_object_get(json_object_get(point, "axes"), axis->name);
		const size_t length = strlen(out);

		if (json_is_string(value) && strcmp(json_string_value(value), axis->initial))
			snprintf(out + length, size - length, " %s=%s", axis->name,
				 json_string_value(value));
		else if (json_is_integer(value) &&
			 json_integer_value(value) != (json_int_t)axis_default_number(named[i]))
			snprintf(out + length, size - length, " %s=%" JSON_INTEGER_FORMAT,
				 axis->name, json_integer_value(value));
	}
}

void result_point_label(const json_t *point, char *out, size_t size)
{
	const char *workload = json_string_value(json_object_get(point, "workload"));
	const char *op = axis_string(point, "op");
	const char *type = axis_string(point, "type");
	const char *layout = axis_string(point, "layout");
	const json_int_t items = axis_integer(point, "work_items");
	const json_int_t threads = axis_integer(point, "cpu_threads");
	size_t length;

	snprintf(out, size, "%s%s%s%s%s%s%s", workload ? workload : "?", *op || *type ? " " : "",
		 op, *op && *type ? "/" : "", type, *layout ? " " : "", layout);
	length = strlen(out);
	if (items || threads)
		snprintf(out + length, size - length,
			 " %" JSON_INTEGER_FORMAT "x%" JSON_INTEGER_FORMAT, items, threads);

	append_unusual(point, out, size);
	/* A character cut in half at the end would not be UTF-8. */
	length = strlen(out);
	while (length + 1 == size && length > 0 && (unsigned char)out[length - 1] >= 0x80)
		out[--length] = '\0';
}

static bool write_failed(const char *path, struct error *err)
{
	if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
		return fail(err, EXIT_OUTPUT,
			    "disk full while writing '%s' (%s); free space or choose another path",
			    path, strerror(errno));
	return fail(err, EXIT_OUTPUT, "cannot write '%s': %s; choose another path", path,
		    strerror(errno));
}

static bool create_failed(const char *path, struct error *err)
{
	if (errno == ENOSPC || errno == EDQUOT)
		return write_failed(path, err);
	return fail(err, EXIT_CANNOT_CREATE,
		    "cannot create '%s': %s; choose a path in a directory you can write to", path,
		    strerror(errno));
}

static bool write_all(int fd, const char *text, size_t size)
{
	while (size > 0) {
		const ssize_t written = write(fd, text, size);

		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0) {
			text += written;
			size -= (size_t)written;
		}
	}
	return true;
}

static bool write_stdout(const char *text, size_t size, struct error *err)
{
	if (fflush(stdout) != 0 || !write_all(STDOUT_FILENO, text, size))
		return write_failed("standard output", err);
	return true;
}

/* A device or a pipe: nothing to rename over, nobody to see half of it. */
static bool write_through(const char *path, const char *text, size_t size, struct error *err)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	bool written;

	if (fd < 0)
		return create_failed(path, err);
	written = write_all(fd, text, size) || write_failed(path, err);
	if (close(fd) != 0 && written)
		return write_failed(path, err);
	return written;
}

/* mkstemp() keeps a file to its owner; a result is like any other file. */
static bool fill_and_sync(int fd, const char *text, size_t size)
{
	const mode_t mask = umask(0);

	umask(mask);
	return fchmod(fd, 0666 & ~mask) == 0 && write_all(fd, text, size) && fsync(fd) == 0;
}

static bool write_renamed(const char *path, const char *text, size_t size, struct error *err)
{
	char *temporary;
	bool written;
	int fd;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return fail(err, EXIT_NO_MEMORY, "no memory left to write '%s'", path);

	fd = mkstemp(temporary);
	if (fd < 0) {
		free(temporary);
		return create_failed(path, err);
	}
	written = fill_and_sync(fd, text, size) || write_failed(path, err);
	if (close(fd) != 0 && written)
		written = write_failed(path, err);
	if (written && rename(temporary, path) != 0)
		written = create_failed(path, err);
	if (!written)
		unlink(temporary);
	free(temporary);
	return written;
}

bool result_write_text(const char *path, const char *text, size_t size, struct error *err)
{
	struct stat existing;
	char *target;
	bool written;

	if (strcmp(path, "-") == 0)
		return write_stdout(text, size, err);
	if (stat(path, &existing) == 0 && !S_ISREG(existing.st_mode))
		return write_through(path, text, size, err);

	/* What a symbolic link leads to is replaced, not the link. */
	target = realpath(path, NULL);
	written = write_renamed(target ? target : path, text, size, err);
	free(target);
	return written;
}

bool result_write(const char *path, bool (*put)(FILE *out, const json_t *result),
		  const json_t *result, struct error *err)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	bool written = false;

	if (stream) {
		written = put(stream, result);
		written &= fclose(stream) == 0;
	}
	if (written)
		written = result_write_text(path, text, size, err);
	else
		fail(err, EXIT_NO_MEMORY, "no memory left to write '%s'", path);
	free(text);
	return written;
}

static bool put_json(FILE *out, const json_t *result)
{
	return json_dumpf(result, out, JSON_INDENT(1)) == 0 && fputc('\n', out) != EOF;
}

bool result_write_json(const char *path, const json_t *result, struct error *err)
{
	return result_write(path, put_json, result, err);
}
