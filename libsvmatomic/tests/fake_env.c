/* SPDX-License-Identifier: MIT */
/*
 * A fake /dev/dri for a program, made before its main() from FAKE_DRM: NAME=DRIVER:STATE
 * for each node, with commas in between. A state is ok, old, denied, hardware or
 * nonsense.
 */
#include "fake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(char *word)
{
	char *driver = strchr(word, '=');
	char *state = driver ? strchr(driver, ':') : NULL;
	struct fake_node *node;

	if (!state) {
		fprintf(stderr, "fake: '%s' is not NAME=DRIVER:STATE\n", word);
		_Exit(70);
	}
	*driver++ = *state++ = '\0';
	node = fake_add(word, strdup(driver));
	if (!strcmp(state, "old"))
		node->query_errno = EINVAL;
	else if (!strcmp(state, "denied"))
		node->open_errno = EACCES;
	else if (!strcmp(state, "hardware"))
		node->query.absent = DRM_SVM_ATOMIC_HARDWARE;
	else if (!strcmp(state, "nonsense"))
		node->query.version = 0;
	else if (strcmp(state, "ok"))
		_Exit(70);
}

__attribute__((constructor)) static void begin(void)
{
	const char *nodes = getenv("FAKE_DRM");
	char *copy, *rest, *word;

	fake_reset();
	if (!nodes) {
		fake_no_dri(ENOENT);
		return;
	}
	copy = strdup(nodes);
	for (word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
		add(word);
	free(copy);
}
