/* SPDX-License-Identifier: MIT */
/*
 * What a test program wrote, read line by line while it runs, and what it means: the
 * verdict is the runner's own, from the words and from how the program ended. Khronos'
 * programs end with success where nothing was executed, so their status alone says little.
 */
#ifndef CTS_TRANSCRIPT_H
#define CTS_TRANSCRIPT_H

#include "verdict.h"

#include <stddef.h>

#define TRANSCRIPT_LINE 512
#define TRANSCRIPT_TAIL 16

struct transcript;

/* How a kind of program speaks. */
struct protocol {
	void (*line)(struct transcript *log, const char *line);
	/* It ended by itself, with exit status @status. */
	void (*judge)(const struct transcript *log, int status, struct outcome *out);
};

extern const struct protocol protocol_khronos;
extern const struct protocol protocol_ours;

/* What a program said of the test: which of these, Khronos' harness decides in its words. */
enum said { SAID_NOTHING, SAID_PASSED, SAID_FAILED, SAID_SKIPPED };

/* Properties of cases that Khronos' c11_atomics names in its log. */
enum named {
	NAMED_ORDER = 1 << 0,
	NAMED_SEQ_CST = 1 << 1,
	NAMED_SCOPE = 1 << 2,
	NAMED_DEVICE = 1 << 3,
	NAMED_ALL_DEVICES = 1 << 4,
	NAMED_HOST_THREADS = 1 << 5,
};

struct transcript {
	const struct protocol *protocol;
	const char *test;

	enum said said;
	bool began;	     /* the test itself has started */
	bool lost;	     /* a line says that there is no device */
	bool whole;	     /* a line says that nothing of the test was executed */
	bool lists_cases;    /* it names each of its cases */
	bool case_open;	     /* ... and is within one of which it is not known yet */
	unsigned named;	     /* enum named, of the cases that were executed */
	unsigned case_named; /* enum named, of the case at hand */
	unsigned executed;
	unsigned skipped;
	unsigned killed; /* as struct outcome has them */
	unsigned killable;
	char last[TRANSCRIPT_LINE];    /* the last line that is not empty */
	char reason[TRANSCRIPT_LINE];  /* the first line that says why something was left out */
	char failure[TRANSCRIPT_LINE]; /* the first line that says what is wrong */
	char detail[TRANSCRIPT_LINE];  /* the first line with the compiler's reason for it */
	char verdict[TRANSCRIPT_LINE]; /* the line that is a verdict */

	char line[TRANSCRIPT_LINE]; /* being read */
	size_t used;
	char tail[TRANSCRIPT_TAIL][TRANSCRIPT_LINE]; /* a ring of the last lines */
	size_t lines;
};

/* How a process ended. */
struct ending {
	bool timed_out;
	double limit_s; /* after which it was killed */
	int status;	/* as waitpid() has it */
};

void transcript_begin(struct transcript *log, const struct protocol *protocol, const char *test);
void transcript_feed(struct transcript *log, const char *bytes, size_t size);
void transcript_end(struct transcript *log, const struct ending *ending, struct outcome *out);

/* The last lines, with newlines, for people to look at; the caller's. */
char *transcript_tail(const struct transcript *log);

/* Keep @line in @kept (of TRANSCRIPT_LINE) unless there is one already. */
void transcript_keep(char *kept, const char *line);

/* Fill in a verdict and its reason. */
void outcome_set(struct outcome *out, enum verdict verdict, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Make bytes from outside fit for terminals, JSON and XML: valid UTF-8 without controls. */
void clean_text(char *text);

#endif
