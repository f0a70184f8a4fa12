/* SPDX-License-Identifier: MIT */
/*
 * Reading lines whatever the bytes are, and the verdicts that do not depend on who speaks.
 */
#include "transcript.h"

#include "error.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* Length of the valid UTF-8 sequence at @s that is no control character; 0 where none is. */
static size_t sequence(const unsigned char *s)
{
	static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const size_t length = *s < 0x80	  ? 1
			      : *s < 0xc2 ? 0
			      : *s < 0xe0 ? 2
			      : *s < 0xf0 ? 3
			      : *s < 0xf5 ? 4
					  : 0;
	unsigned code;

	if (length <= 1)
		return *s >= 0x20 && *s != 0x7f ? length : 0;
	code = *s & (0xffu >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3fu);
	}
	/* XML knows neither C1 controls (better not), surrogates nor the last two of the plane. */
	if (code < least[length] || code > 0x10ffff || code < 0xa0 ||
	    (code >= 0xd800 && code < 0xe000) || (code & 0xfffe) == 0xfffe)
		return 0;
	return length;
}

void clean_text(char *text)
{
	unsigned char *at = (unsigned char *)text;

	while (*at) {
		const size_t length = sequence(at);

		if (!length)
			*at = *at == '\t' ? ' ' : '?';
		at += length ? length : 1;
	}
}

void transcript_keep(char *kept, const char *line)
{
	if (!*kept)
		snprintf(kept, TRANSCRIPT_LINE, "%s", line);
}

void outcome_set(struct outcome *out, enum verdict verdict, const char *format, ...)
{
	va_list args;

	out->verdict = verdict;
	va_start(args, format);
	vsnprintf(out->reason, sizeof(out->reason), format, args);
	va_end(args);
	/* It may have been cut within a character. */
	clean_text(out->reason);
}

void transcript_begin(struct transcript *log, const struct protocol *protocol, const char *test)
{
	*log = (struct transcript){ .protocol = protocol, .test = test };
}

static void take_line(struct transcript *log)
{
	const char *text = log->line;

	log->line[log->used] = 0;
	while (log->used && strchr("\r ", log->line[log->used - 1]))
		log->line[--log->used] = 0;
	log->used = 0;
	if (!text[strspn(text, " \t")])
		return;
	/* Protocols tell by the tabs: they are the last to be made spaces. */
	log->protocol->line(log, text);
	clean_text(log->line);
	snprintf(log->last, sizeof(log->last), "%s", text + strspn(text, " "));
	memcpy(log->tail[log->lines++ % TRANSCRIPT_TAIL], log->line, sizeof(log->line));
}

void transcript_feed(struct transcript *log, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] == '\n')
			take_line(log);
		else if (log->used < sizeof(log->line) - 1)
			log->line[log->used++] = bytes[i] ? bytes[i] : '?';
	}
}

char *transcript_tail(const struct transcript *log)
{
	const size_t first = log->lines > TRANSCRIPT_TAIL ? log->lines - TRANSCRIPT_TAIL : 0;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = first; i < log->lines; i++)
		fprintf(out, "%s\n", log->tail[i % TRANSCRIPT_TAIL]);
	fclose(out);
	return text;
}

/* "; its last line: ..." where there is one. */
static const char *last_line(const struct transcript *log, char *text, size_t size)
{
	if (!*log->last)
		return "; it printed nothing";
	snprintf(text, size, "; its last line: %s", log->last);
	return text;
}

static void judge_crash(const struct transcript *log, int number, struct outcome *out)
{
	char text[TRANSCRIPT_LINE + 32];

	outcome_set(out, VERDICT_CRASH, "signal %d (%s)%s", number, strsignal(number),
		    last_line(log, text, sizeof(text)));
}

static void judge(const struct transcript *log, const struct ending *ending, struct outcome *out)
{
	const int code = WIFEXITED(ending->status) ? WEXITSTATUS(ending->status) : 0;
	char text[TRANSCRIPT_LINE + 32];

	if (ending->timed_out)
		outcome_set(out, VERDICT_TIMEOUT, "no end within %g s%s", ending->limit_s,
			    last_line(log, text, sizeof(text)));
	else if (WIFSIGNALED(ending->status))
		judge_crash(log, WTERMSIG(ending->status), out);
	else if (code > 128 && code < 128 + NSIG) /* what a shell between us makes of it */
		judge_crash(log, code - 128, out);
	else
		log->protocol->judge(log, code, out);
}

void transcript_end(struct transcript *log, const struct ending *ending, struct outcome *out)
{
	char text[TRANSCRIPT_LINE + 32];

	if (log->used)
		take_line(log);
	*out = (struct outcome){ .verdict = VERDICT_COUNT };
	judge(log, ending, out);
	out->executed = log->executed;
	out->skipped = log->skipped;
	out->killed = log->killed;
	out->killable = log->killable;
	if (out->verdict == VERDICT_COUNT)
		outcome_set(out, VERDICT_ERROR,
			    "its output is not what was expected (exit status %d)%s",
			    WEXITSTATUS(ending->status), last_line(log, text, sizeof(text)));
}
