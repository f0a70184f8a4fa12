/* SPDX-License-Identifier: MIT */
/*
 * A growing array of tests.
 */
#include "library.h"

#include "engine_parts.h"
#include "parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct litmus_file litmus_tests[];

static struct test *new_test(struct library *library, struct error *err)
{
	struct test *tests = realloc(library->test, (library->count + 1) * sizeof(*tests));

	if (!tests) {
		fail(err, EXIT_NO_MEMORY, "out of memory");
		return NULL;
	}
	library->test = tests;
	return &tests[library->count];
}

bool library_fill(struct library *library, struct error *err)
{
	for (const struct litmus_file *file = litmus_tests; file->name; file++) {
		struct test *test = new_test(library, err);
		char name[64];

		snprintf(name, sizeof(name), "%s.litmus", file->name);
		if (!test || !parse_text(name, file->text, test, err))
			return false;
		library->count++;
	}
	return true;
}

bool library_add_file(struct library *library, const char *path, struct error *err)
{
	struct test *test = new_test(library, err);

	if (!test || !parse_file(path, test, err))
		return false;
	library->count++;
	return true;
}

const struct test *library_find(const struct library *library, const char *name)
{
	for (size_t i = 0; i < library->count; i++)
		if (!strcmp(library->test[i].name, name))
			return &library->test[i];
	return NULL;
}

void library_clear(struct library *library)
{
	free(library->test);
	*library = (struct library){ 0 };
}

bool is_file_name(const char *name)
{
	const char *dot = strrchr(name, '.');

	return strchr(name, '/') || (dot && !strcmp(dot, ".litmus"));
}
