/* SPDX-License-Identifier: MIT */
/*
 * Charts of the report, drawn by gnuplot and written as inline SVG whose colours
 * are CSS variables, so that one picture serves the light and the dark page.
 */
#ifndef BENCH_CHART_H
#define BENCH_CHART_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What a colour stands for; report.css says which colour that is. */
enum ink {
	INK_PAGE,
	INK_TEXT,
	INK_MUTED,
	INK_GRID,
	INK_DEVICE_ALONE,
	INK_DEVICE,
	INK_CPU_ALONE,
	INK_CPU,
	INK_HANDOFF,
	INK_SVM,
	INK_COARSE,
	INK_PLAIN,
	INK_HEAT_FASTER,
	INK_HEAT_SAME,
	INK_HEAT_DEVICE, /* and the four after it, darker */
	INK_HEAT_CPU = INK_HEAT_DEVICE + 5,
	INK_HEAT_TEXT_LOW = INK_HEAT_CPU + 5,
	INK_HEAT_TEXT_HIGH,
	INK_COUNT,
};

/* A value and its 95% interval; NAN where nothing was measured. */
struct mark {
	double value;
	double low;
	double high;
	size_t samples;
};

struct series {
	char label[64];
	enum ink ink;
	unsigned style;	    /* marker and dashes */
	bool open;	    /* hollow marker */
	unsigned lane;	    /* rows: which line of the row it is on */
	struct mark *marks; /* one per category */
	char (*notes)[16];  /* rows: text at the right end, one per category */
};

enum number { NUMBER_RATE, NUMBER_COUNT, NUMBER_NS, NUMBER_SECONDS, NUMBER_RATIO };

/*
 * Series over the values of one axis. @number is the kind of value, @base where
 * bars start (NAN: no bars).
 */
struct chart {
	unsigned id; /* unique on the page */
	const char *alt;
	const char *category_title;
	const char *value_title;
	enum number number;
	double base;
	bool connect; /* rows: join the marks of a lane */
	char (*categories)[32];
	size_t category_count;
	struct series *series;
	size_t series_count;
};

bool chart_init(struct chart *chart, size_t categories, struct error *err);

/* The new series, every mark of it missing. NULL on failure. */
struct series *chart_add(struct chart *chart, enum ink ink, struct error *err);
void chart_clear(struct chart *chart);

/* Lines from left to right, and rows from top to bottom. */
bool chart_lines(FILE *out, const struct chart *chart, struct error *err);
bool chart_rows(FILE *out, const struct chart *chart, struct error *err);

/* A slow-down for each pair of values; @ramp is the first ink of the side's five. */
struct heat {
	unsigned id;
	const char *alt;
	const char *column_title;
	const char *row_title;
	enum ink ramp;
	char (*columns)[32];
	size_t column_count;
	char (*rows)[32];
	size_t row_count;
	double *values; /* row by row, NAN where nothing was measured */
};

bool chart_heat(FILE *out, const struct heat *heat, struct error *err);

/* A distribution of latencies: @share of all were at most @ns. */
struct step {
	double ns;
	double share;
};

struct curve {
	char label[64];
	enum ink ink;
	unsigned style;
	struct step *steps;
	size_t count;
};

/* Down to one in ten thousand: the vertical axis counts nines. */
bool chart_tail(FILE *out, unsigned id, const char *alt, const struct curve *curves, size_t count,
		struct error *err);

/* "12.3 M", "1.2 µs", "3.1×": three digits and an SI prefix. */
void chart_number(char *out, size_t size, enum number number, double value);

#endif
