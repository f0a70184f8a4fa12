/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the report share: the page being written, and the words for
 * figures and axes. For report*.c only.
 */
#ifndef BENCH_REPORT_PARTS_H
#define BENCH_REPORT_PARTS_H

#include "chart.h"
#include "error.h"
#include "slice.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct page {
	FILE *out;
	struct dataset data;
	bool *skip; /* by source: scratch for slice queries */
	json_t *const *results;
	const char *const *names;
	size_t count;
	unsigned charts; /* drawn so far */
	struct error *err;
};

/* The sections, in their order on the page. */
void report_beside(struct page *page);
bool report_curves(struct page *page);
bool report_heat_maps(struct page *page);
bool report_named_axes(struct page *page);
bool report_ownership(struct page *page);
bool report_latency(struct page *page);
bool report_apps(struct page *page);
void report_points(struct page *page);
bool report_remarks(struct page *page);
void report_devices(struct page *page);
void report_environments(struct page *page);
void report_how_to_read(struct page *page);

/* --- report_words.c ------------------------------------------------------ */

/* A sentence in the making; past its size it is cut. */
struct words {
	char text[1000];
	size_t length;
};

void say(struct words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* With its unit: "12.3 M op/s". */
void say_number(struct words *words, enum number number, double value);

/* "3.1× slower" or "faster"; "no slower" where the interval includes 1. */
void say_slowdown(struct words *words, struct mark slowdown);

void say_interval(struct words *words, enum number number, struct mark mark);

/* "99.99% within 12 µs", or as many nines as there are values for. */
void say_tail(struct words *words, const json_t *histogram);

/* " · " and what tells @source from the others, if there are others. */
void say_source(struct words *words, const struct page *page, size_t source);

enum axis_kind { AXIS_IS_NAME, AXIS_IS_COUNT, AXIS_IS_NUMBER, AXIS_IS_BYTES, AXIS_IS_TIME };

struct axis_words {
	const char *name;
	const char *title;
	enum axis_kind kind;
};

/* Those of contend, numbers first; ended by one without a name. */
extern const struct axis_words axis_words[];

const struct axis_words *axis_words_of(const char *axis);
void axis_label(char *out, size_t size, const char *axis, const json_t *value);

/* "16 CPU threads", "layout word", "10 µs CPU think time". */
void say_axis(struct words *words, const char *axis, const json_t *value);

/* All of @axes that is worth a word, but for @x and @y, which may be NULL. */
void say_axes(struct words *words, const json_t *axes, const char *x, const char *y);

void bytes_label(char *out, size_t size, double bytes);

bool streq(const char *text, const char *other);
const char *base_name(const char *path);

/* "" and NAN where there is none. */
const char *string_of(const json_t *object, const char *key);
double number_of(const json_t *object, const char *key);

/* @point may be NULL, the mark's members NAN. */
struct mark mark_of(const json_t *point, const char *measure);
const json_t *histogram_of(const json_t *point, const char *name);
size_t count_status(const json_t *result, const char *status);

struct side {
	const char *name;
	const char *alone;
	const char *together;
	const char *slowdown;
	enum ink alone_ink;
	enum ink ink;
	enum ink ramp;
};
extern const struct side sides[2]; /* device, CPU */

struct variant {
	const char *name;
	const char *title;
	enum ink ink;
};
extern const struct variant variants[3];
extern const char *const apps[5];

/*
 * The point that speaks for a source: both sides change one word, best with
 * fetch_add and without think time; with @histogram where that is not NULL.
 */
const json_t *one_word_point(const struct page *page, size_t source, const char *histogram);

/* The first handoff, and the first point of @app, that have figures; or NULL. */
const json_t *handoff_point(const struct page *page, size_t source);
const json_t *app_point(const struct page *page, size_t source, const char *app);

struct app_tally {
	unsigned total;
	unsigned faster; /* the interval is above 1 */
	unsigned slower;
	const char *best;
	const char *worst;
	struct mark best_mark;
	struct mark worst_mark;
};

struct app_tally tally_apps(const struct page *page, size_t source);
void say_tally(struct words *words, const struct app_tally *tally);

/* --- report_figure.c ----------------------------------------------------- */

/* A chart's surroundings: what it shows, what all its points share, what to see in it. */
struct figure {
	struct words title;
	struct words shared;
	struct words caption;
	struct words alt;
};

/* Once all is said: the chart's id, with figure->alt ready for it. */
unsigned figure_open(struct page *page, struct figure *figure);
void figure_close(struct page *page, const struct figure *figure);

/* A figure with chart_lines() or chart_rows() in it. Clears @chart in any case. */
bool figure_chart(struct page *page, struct figure *figure, struct chart *chart,
		  bool (*draw)(FILE *out, const struct chart *chart, struct error *err));

void section_open(struct page *page, const char *title, const char *introduction);
void section_close(struct page *page);

/* Why a chart is not there. */
void absent(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool no_memory(struct page *page);

/* --- section_tables.c ---------------------------------------------------- */

void table_open(struct page *page, const char *const *columns, size_t count);
void table_close(struct page *page);
void table_cell(struct page *page, const char *text);

/* NAN becomes a dash. */
void table_number(struct page *page, enum number number, double value);
void table_share(struct page *page, double value);

#endif
