/* SPDX-License-Identifier: MIT */
/*
 * Which tests there are.
 */
#include "tests.h"

#include <string.h>

static const struct test *const tables[] = {
	query_tests,  alloc_tests,     argument_tests, copy_tests,	 fill_tests,
	map_tests,    migrate_tests,   free_tests,     command_tests,	 buffer_tests,
	no_svm_tests, structure_tests, system_tests,   visibility_tests, atomic_tests,
};

const struct test *tests_at(size_t index)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (const struct test *test = tables[i]; test->name; test++)
			if (!index--)
				return test;
	return NULL;
}

size_t tests_count(void)
{
	size_t count = 0;

	while (tests_at(count))
		count++;
	return count;
}

const struct test *tests_find(const char *name)
{
	const struct test *test;

	for (size_t i = 0; (test = tests_at(i)); i++)
		if (!strcmp(test->name, name))
			return test;
	return NULL;
}
