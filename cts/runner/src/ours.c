/* SPDX-License-Identifier: MIT */
/*
 * The words of this repository's own test programs: the last verdict they print, which has
 * to fit the status they exit with.
 */
#include "error.h"
#include "transcript.h"

#include <stdio.h>
#include <string.h>

static const struct word {
	const char *word; /* ends with ": " where a reason follows */
	enum verdict verdict;
	int status;
} words[] = {
	{ "pass", VERDICT_PASS, 0 },
	{ "fail: ", VERDICT_FAIL, 1 },
	{ "not applicable: ", VERDICT_NOT_EXECUTED, 77 },
	{ "partial: ", VERDICT_PARTIAL, 78 },
};

static const struct word *word_of(const char *line)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		const size_t length = strlen(words[i].word);

		if (words[i].status ? !strncmp(line, words[i].word, length)
				    : !strcmp(line, words[i].word))
			return &words[i];
	}
	return NULL;
}

/* Drivers may have the last word on the terminal; ours is the last that is a verdict. */
static void ours_line(struct transcript *log, const char *line)
{
	/* The score of a litmus test, before its verdict. */
	sscanf(line, "mutants killed: %u of %u killable", &log->killed, &log->killable);
	if (!word_of(line))
		return;
	*log->verdict = 0;
	transcript_keep(log->verdict, line);
}

static void ours_judge(const struct transcript *log, int status, struct outcome *out)
{
	const struct word *word = word_of(log->verdict);

	if (status == EXIT_UNAVAILABLE || status == EXIT_DEVICE_LOST) {
		outcome_set(out, VERDICT_ERROR, "no device: %s", log->last);
		out->device_lost = true;
	} else if (status >= EXIT_USAGE_ERROR && status < 77) {
		outcome_set(out, VERDICT_ERROR, "exit status %d: %s", status, log->last);
	} else if (word && word->status == status) {
		outcome_set(out, word->verdict, "%s", log->verdict + strlen(word->word));
	}
}

const struct protocol protocol_ours = { .line = ours_line, .judge = ours_judge };
