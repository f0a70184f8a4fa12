/* SPDX-License-Identifier: MIT */
/*
 * Charts by gnuplot. A script goes in, SVG comes out, both through unnamed
 * temporary files: a pipe each way could fill up and block both sides.
 */
#include "chart.h"

#include "html.h"

#include <errno.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WIDTH	   420
#define FONT_SIZE  13
#define CHAR_WIDTH 7.6 /* of that size, on the wide side */

/* The names of the inks in report.css, where "heat-device-1" is the palest. */
static const char *const ink_names[INK_COUNT] = {
	[INK_PAGE] = "page",
	[INK_TEXT] = "text",
	[INK_MUTED] = "muted",
	[INK_GRID] = "grid",
	[INK_DEVICE_ALONE] = "device-alone",
	[INK_DEVICE] = "device",
	[INK_CPU_ALONE] = "cpu-alone",
	[INK_CPU] = "cpu",
	[INK_HANDOFF] = "handoff",
	[INK_SVM] = "svm",
	[INK_COARSE] = "coarse",
	[INK_PLAIN] = "plain",
	[INK_HEAT_FASTER] = "heat-faster",
	[INK_HEAT_SAME] = "heat-same",
	[INK_HEAT_DEVICE] = "heat-device-1",
	[INK_HEAT_DEVICE + 1] = "heat-device-2",
	[INK_HEAT_DEVICE + 2] = "heat-device-3",
	[INK_HEAT_DEVICE + 3] = "heat-device-4",
	[INK_HEAT_DEVICE + 4] = "heat-device-5",
	[INK_HEAT_CPU] = "heat-cpu-1",
	[INK_HEAT_CPU + 1] = "heat-cpu-2",
	[INK_HEAT_CPU + 2] = "heat-cpu-3",
	[INK_HEAT_CPU + 3] = "heat-cpu-4",
	[INK_HEAT_CPU + 4] = "heat-cpu-5",
	[INK_HEAT_TEXT_LOW] = "heat-text-low",
	[INK_HEAT_TEXT_HIGH] = "heat-text-high",
};

/* gnuplot knows colours by value only: ink 5 travels as #000006 and is named on the way back. */
#define INK_FORMAT     "rgb '#%06x'"
#define INK_VALUE(ink) ((unsigned)(ink) + 1)

/* Hollow and filled marker of each style. */
static const struct {
	int hollow;
	int filled;
	const char *dashes;
} styles[] = {
	{ 6, 7, "solid" },
	{ 4, 5, "(9,5)" },
	{ 8, 9, "(2,5)" },
	{ 12, 13, "(9,5,2,5)" },
};
#define STYLE(n) styles[(n) % (sizeof(styles) / sizeof(styles[0]))]

struct scale {
	double low;
	double high;
	bool logarithmic;
};

bool chart_init(struct chart *chart, size_t categories, struct error *err)
{
	*chart = (struct chart){ .base = NAN, .category_count = categories };
	chart->categories = calloc(categories, sizeof(*chart->categories));
	if (!chart->categories)
		return fail(err, EXIT_NO_MEMORY, "no memory for a chart of the report");
	return true;
}

struct series *chart_add(struct chart *chart, enum ink ink, struct error *err)
{
	struct series *grown, *series;

	grown = realloc(chart->series, (chart->series_count + 1) * sizeof(*grown));
	if (!grown)
		goto no_memory;
	chart->series = grown;
	series = &grown[chart->series_count];
	*series = (struct series){ .ink = ink };
	series->marks = calloc(chart->category_count, sizeof(*series->marks));
	series->notes = calloc(chart->category_count, sizeof(*series->notes));
	chart->series_count++;
	if (!series->marks || !series->notes)
		goto no_memory;
	for (size_t i = 0; i < chart->category_count; i++)
		series->marks[i] = (struct mark){ NAN, NAN, NAN, 0 };
	return series;

no_memory:
	fail(err, EXIT_NO_MEMORY, "no memory for a chart of the report");
	return NULL;
}

void chart_clear(struct chart *chart)
{
	for (size_t i = 0; i < chart->series_count; i++) {
		free(chart->series[i].marks);
		free(chart->series[i].notes);
	}
	free(chart->series);
	free(chart->categories);
	*chart = (struct chart){ 0 };
}

/* @value with the largest prefix that leaves a digit in front of the point. */
static void prefixed(char *out, size_t size, double value, const char *const *prefixes,
		     size_t count)
{
	size_t i = 0;

	while (i + 1 < count && fabs(value) >= 999.5) {
		value /= 1000;
		i++;
	}
	snprintf(out, size, fabs(value) < 99.95 ? "%.3g%s" : "%.0f%s", value, prefixes[i]);
}

void chart_number(char *out, size_t size, enum number number, double value)
{
	static const char *const rate[] = { "", " k", " M", " G", " T" };
	static const char *const time[] = { " ns", " µs", " ms", " s" };
	static const char *const ratio[] = { "×" };

	switch (number) {
	case NUMBER_RATE:
	case NUMBER_COUNT:
		prefixed(out, size, value, rate, sizeof(rate) / sizeof(rate[0]));
		break;
	case NUMBER_SECONDS:
		value *= 1e9;
		/* fall through */
	case NUMBER_NS:
		prefixed(out, size, value, time, sizeof(time) / sizeof(time[0]));
		break;
	case NUMBER_RATIO:
		prefixed(out, size, value, ratio, 1);
		break;
	}
}

/* In single quotes gnuplot gives nothing a meaning but the quote itself. */
static void quote(FILE *script, const char *text)
{
	fputc('\'', script);
	for (; *text; text++) {
		if (*text == '\'')
			fputc('\'', script);
		fputc((unsigned char)*text < ' ' ? ' ' : *text, script);
	}
	fputc('\'', script);
}

/* The name of a tick, which is a format: a percent sign would be the start of a number. */
static void quote_tick(FILE *script, const char *text)
{
	char plain[64];
	size_t length = 0;

	for (; *text && length + 2 < sizeof(plain); text++) {
		if (*text == '%')
			plain[length++] = '%';
		plain[length++] = *text;
	}
	plain[length] = '\0';
	quote(script, plain);
}

/* Where @text is to be broken to be no wider than @width: after a hyphen, if there is one. */
static size_t line_length(const char *text, double width)
{
	size_t length = strlen(text), best = 0;

	if ((double)length * CHAR_WIDTH <= width)
		return length;
	for (size_t i = 1; i < length; i++) {
		if ((text[i - 1] == '-' || text[i - 1] == '_') &&
		    (!best || (double)i * CHAR_WIDTH <= width))
			best = i;
	}
	return best ? best : length;
}

static unsigned line_count(const char *text, double width)
{
	unsigned lines = 1;

	for (text += line_length(text, width); *text; text += line_length(text, width))
		lines++;
	return lines;
}

/* The name of a tick, on as many lines as it takes. */
static void quote_wrapped(FILE *script, const char *text, double width)
{
	const char *separator = "";

	do {
		char line[64];
		size_t length = line_length(text, width);

		snprintf(line, sizeof(line), "%.*s", (int)length, text);
		fputs(separator, script);
		quote_tick(script, line);
		separator = ".\"\\n\".";
		text += length;
	} while (*text);
}

/* The plot's edges, in pixels from the picture's. */
struct frame {
	double left;
	double right;
	double top;
	double bottom;
	int height;
};

static FILE *script_open(const struct frame *frame, struct error *err)
{
	FILE *script = tmpfile();

	if (!script) {
		fail(err, EXIT_OUTPUT,
		     "cannot make a temporary file (%s): check TMPDIR and its space",
		     strerror(errno));
		return NULL;
	}
	fprintf(script,
		"set terminal svg size %d,%d dynamic noenhanced butt font 'sans-serif,%d'\n"
		"set encoding utf8\n"
		"set lmargin at screen %.4f\n"
		"set rmargin at screen %.4f\n"
		"set tmargin at screen %.4f\n"
		"set bmargin at screen %.4f\n"
		"unset key\n"
		"set border 0\n"
		"set pointintervalbox 0\n"
		"set errorbars 0\n"
		"set tics nomirror scale 0 textcolor " INK_FORMAT "\n"
		"set xtics offset 0,0.4\n",
		WIDTH, frame->height, FONT_SIZE, frame->left / WIDTH, 1 - frame->right / WIDTH,
		1 - frame->top / frame->height, frame->bottom / frame->height,
		INK_VALUE(INK_MUTED));
	return script;
}

/* Titles of axes stand at the picture's edge, however long the names of the ticks are. */
static void axis_titles(FILE *script, const struct frame *frame, const char *x, const char *y)
{
	fputs("set label ", script);
	quote(script, x);
	fprintf(script, " at graph 0.5, screen %.4f center textcolor " INK_FORMAT "\n",
		12.0 / frame->height, INK_VALUE(INK_MUTED));
	if (!y)
		return;
	fputs("set label ", script);
	quote(script, y);
	fprintf(script, " at screen %.4f, graph 0.5 center rotate textcolor " INK_FORMAT "\n",
		10.0 / WIDTH, INK_VALUE(INK_MUTED));
}

static bool spawn_gnuplot(FILE *script, FILE *svg, FILE *complaints, pid_t *pid, struct error *err)
{
	extern char **environ;
	char *argv[] = { (char[]){ "gnuplot" }, (char[]){ "-d" }, NULL };
	posix_spawn_file_actions_t actions;
	int status;

	status = posix_spawn_file_actions_init(&actions);
	if (status)
		return fail(err, EXIT_NO_MEMORY, "cannot start gnuplot: %s", strerror(status));
	status = posix_spawn_file_actions_adddup2(&actions, fileno(script), STDIN_FILENO);
	if (!status)
		status = posix_spawn_file_actions_adddup2(&actions, fileno(svg), STDOUT_FILENO);
	if (!status)
		status = posix_spawn_file_actions_adddup2(&actions, fileno(complaints),
							  STDERR_FILENO);
	if (!status)
		status = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (status == ENOENT)
		return fail(err, EXIT_UNAVAILABLE,
			    "gnuplot, which draws the report's charts, is missing: "
			    "install gnuplot-nox");
	if (status)
		return fail(err, EXIT_UNAVAILABLE, "cannot start gnuplot: %s", strerror(status));
	return true;
}

/* The whole of @file as a string; the caller's. */
static char *slurp(FILE *file)
{
	char *text;
	long size;

	if (fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0)
		return NULL;
	rewind(file);
	text = malloc((size_t)size + 1);
	if (!text)
		return NULL;
	size = (long)fread(text, 1, (size_t)size, file);
	text[size] = '\0';
	return text;
}

static bool gnuplot_succeeded(pid_t pid, FILE *complaints, struct error *err)
{
	char *text;
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return fail(err, EXIT_INTERNAL, "lost track of gnuplot: %s",
				    strerror(errno));
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	text = slurp(complaints);
	if (text) {
		for (char *p = text; *p; p++)
			*p = *p == '\n' ? ' ' : *p;
	}
	fail(err, EXIT_INTERNAL, "gnuplot failed, please report it: %.300s", text ? text : "");
	free(text);
	return false;
}

/* What gnuplot writes and a page must not repeat, and what stands there instead. */
static size_t copy_ink(FILE *out, const char *svg)
{
	unsigned red, green, blue;
	int length = 0;

	if (sscanf(svg, "rgb( %u , %u , %u )%n", &red, &green, &blue, &length) != 3 || !length ||
	    red || green || !blue || blue > INK_COUNT)
		return 0;
	fprintf(out, "var(--%s)", ink_names[blue - 1]);
	return (size_t)length;
}

/*
 * The drawing itself, without gnuplot's prolog and tooltips, with ids that no
 * other chart on the page has.
 */
static void copy_drawing(FILE *out, const char *svg, const char *end, unsigned id)
{
	while (svg < end) {
		size_t length = 0;

		if (!strncmp(svg, "<title>", 7)) {
			const char *close = strstr(svg, "</title>");

			svg = close ? close + 8 : end;
			continue;
		}
		if (!strncmp(svg, " id=", 4) && (svg[4] == '"' || svg[4] == '\'')) {
			fprintf(out, " id=%cc%u-", svg[4], id);
			length = 5;
		} else if (!strncmp(svg, "xlink:href='#", 13)) {
			fprintf(out, "href='#c%u-", id);
			length = 13;
		} else if (!strncmp(svg, "rgb(", 4)) {
			length = copy_ink(out, svg);
		}
		if (!length) {
			fputc(*svg, out);
			length = 1;
		}
		svg += length;
	}
}

static bool copy_chart(FILE *out, FILE *svg, unsigned id, const char *alt, int height,
		       struct error *err)
{
	const char *begin, *end = NULL;
	char *text = slurp(svg);

	if (!text)
		return fail(err, EXIT_NO_MEMORY, "no memory for a chart of the report");
	/* gnuplot itself does not say so when there was no room for all of it. */
	if (!strstr(text, "</svg>")) {
		free(text);
		return fail(err, EXIT_OUTPUT,
			    "gnuplot's temporary file is cut short: check TMPDIR and its space");
	}
	begin = strstr(text, "<g id=\"gnuplot_canvas\">");
	if (begin)
		end = strstr(begin, "</svg>");
	if (!end) {
		free(text);
		return fail(err, EXIT_INTERNAL,
			    "gnuplot wrote no SVG that this version knows, please report it");
	}
	fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, height);
	html_text(out, alt);
	fputs("\">\n", out);
	copy_drawing(out, begin, end, id);
	fputs("</svg>\n", out);
	free(text);
	return true;
}

/* Run @script and write its drawing to @out. Closes @script. */
static bool draw(FILE *out, FILE *script, unsigned id, const char *alt, int height,
		 struct error *err)
{
	FILE *svg = tmpfile(), *complaints = tmpfile();
	bool ok = false;
	pid_t pid;

	if (!svg || !complaints || fflush(script) || lseek(fileno(script), 0, SEEK_SET) < 0)
		fail(err, EXIT_OUTPUT,
		     "cannot use a temporary file (%s): check TMPDIR and its space",
		     strerror(errno));
	else
		ok = spawn_gnuplot(script, svg, complaints, &pid, err) &&
		     gnuplot_succeeded(pid, complaints, err) &&
		     copy_chart(out, svg, id, alt, height, err);
	fclose(script);
	if (svg)
		fclose(svg);
	if (complaints)
		fclose(complaints);
	return ok;
}

/* The range of all marks and interval ends; positive ones only, as logarithms want them. */
static struct scale scale_of(const struct chart *chart)
{
	struct scale scale = { INFINITY, 0, false };

	for (size_t s = 0; s < chart->series_count; s++) {
		for (size_t i = 0; i < chart->category_count; i++) {
			const struct mark *mark = &chart->series[s].marks[i];
			const double values[] = { mark->value, mark->low, mark->high };

			for (size_t v = 0; v < 3; v++) {
				if (!(values[v] > 0))
					continue;
				scale.low = fmin(scale.low, values[v]);
				scale.high = fmax(scale.high, values[v]);
			}
		}
	}
	if (scale.low > scale.high)
		scale = (struct scale){ 1, 1, false };
	return scale;
}

/* Room around the marks of a logarithmic axis, and at least a factor of four in all. */
static struct scale logarithmic(struct scale scale)
{
	double middle = sqrt(scale.low * scale.high);

	scale.low = fmin(scale.low / 1.25, middle / 2);
	scale.high = fmax(scale.high * 1.25, middle * 2);
	scale.logarithmic = true;
	return scale;
}

static struct scale linear_from_zero(struct scale scale)
{
	return (struct scale){ 0, scale.high * 1.08, false };
}

static void tick(FILE *script, bool *first, enum number number, double at)
{
	char label[32];

	chart_number(label, sizeof(label), number, at);
	fputs(*first ? "" : ", ", script);
	quote_tick(script, label);
	fprintf(script, " %.9g", at);
	*first = false;
}

static void linear_ticks(FILE *script, const struct scale *scale, enum number number)
{
	double raw = (scale->high - scale->low) / 5;
	double step = pow(10, floor(log10(raw)));
	bool first = true;

	if (raw / step > 5)
		step *= 10;
	else if (raw / step > 2)
		step *= 5;
	else if (raw / step > 1)
		step *= 2;
	for (unsigned i = 0; scale->low + i * step <= scale->high; i++)
		tick(script, &first, number, scale->low + i * step);
}

/* 1-2-5, 1-3, or whole decades, as many as there is room for. */
static double next_step(double step, double decades)
{
	if (decades > 2.6)
		return 10;
	if (decades > 1.3)
		return step < 3 ? 3 : 10;
	return step < 2 ? 2 : step < 5 ? 5 : 10;
}

/* Ratios double from 1. */
static void logarithmic_ticks(FILE *script, const struct scale *scale, enum number number)
{
	double decades = log10(scale->high / scale->low);
	bool first = true;

	if (number == NUMBER_RATIO) {
		double factor = 2;

		while (log(scale->high / scale->low) / log(factor) > 7)
			factor *= factor;
		for (double e = ceil(log(scale->low) / log(factor)); pow(factor, e) <= scale->high;
		     e++)
			tick(script, &first, number, pow(factor, e));
		return;
	}
	for (double e = floor(log10(scale->low)); pow(10, e) <= scale->high; e++) {
		for (double step = 1; step < 10; step = next_step(step, decades)) {
			double at = step * pow(10, e);

			if (at >= scale->low && at <= scale->high)
				tick(script, &first, number, at);
		}
	}
}

static void value_axis(FILE *script, char axis, const struct scale *scale, enum number number)
{
	if (scale->logarithmic)
		fprintf(script, "set logscale %c\n", axis);
	fprintf(script, "set %crange [%.9g:%.9g]\nset %ctics (", axis, scale->low, scale->high,
		axis);
	if (scale->logarithmic)
		logarithmic_ticks(script, scale, number);
	else
		linear_ticks(script, scale, number);
	fprintf(script, ")\nset grid %ctics linetype 1 linecolor " INK_FORMAT "\n", axis,
		INK_VALUE(INK_GRID));
}

/* Room for the longest of @names, up to @most pixels. */
static double name_width(char (*names)[32], size_t count, double most)
{
	size_t longest = 0;

	for (size_t i = 0; i < count; i++)
		longest = strlen(names[i]) > longest ? strlen(names[i]) : longest;
	return fmin((double)longest * CHAR_WIDTH + 14, most);
}

static unsigned most_lines(char (*names)[32], size_t count, double width)
{
	unsigned most = 1;

	for (size_t i = 0; i < count; i++) {
		unsigned lines = line_count(names[i], width);

		most = lines > most ? lines : most;
	}
	return most;
}

/* Two columns where the labels leave room for them. */
static unsigned key_lines(size_t longest, size_t count)
{
	return (unsigned)(longest > 17 ? count : (count + 1) / 2);
}

static unsigned chart_key_lines(const struct chart *chart)
{
	size_t longest = 0;

	if (chart->series_count < 2)
		return 0;
	for (size_t s = 0; s < chart->series_count; s++) {
		size_t length = strlen(chart->series[s].label);

		longest = length > longest ? length : longest;
	}
	return key_lines(longest, chart->series_count);
}

static void key_on_top(FILE *script, unsigned lines, const struct frame *frame)
{
	if (lines)
		fprintf(script,
			"set key at screen %.4f, screen %.4f left top Left reverse vertical "
			"maxrows %u samplen 1.6 width 2 spacing 0.95 textcolor " INK_FORMAT "\n",
			frame->left / 2 / WIDTH, 1 - 2.0 / frame->height, lines,
			INK_VALUE(INK_TEXT));
}

/* Whiskers, lines, and markers; hollow ones hide the line behind them. */
static void plot_line(FILE *script, size_t s, const struct series *series)
{
	unsigned ink = INK_VALUE(series->ink);
	const char *dashes = STYLE(series->style).dashes;
	int marker = series->open ? STYLE(series->style).hollow : STYLE(series->style).filled;

	fprintf(script,
		"%s$s%zu using 1:3:(0):($4-$3) with vectors nohead lw 1.5 lc " INK_FORMAT
		" notitle, \\\n"
		"$s%zu using 1:2 with lines lw 2 dt %s lc " INK_FORMAT " notitle, \\\n"
		"$s%zu using 1:2 with points pt %d ps 0.75 lc " INK_FORMAT " notitle, \\\n"
		"$s%zu using 1:2 with points pt %d ps 0.75 lc " INK_FORMAT " notitle, \\\n"
		"keyentry with linespoints lw 2 dt %s pt %d ps 0.75 lc " INK_FORMAT " title ",
		s ? ", \\\n" : "plot ", s, ink, s, dashes, ink, s, STYLE(series->style).filled,
		INK_VALUE(series->open ? INK_PAGE : series->ink), s, marker, ink, dashes, marker,
		ink);
	quote(script, series->label);
}

static void category_ticks(FILE *script, const struct chart *chart, double width)
{
	size_t every = (size_t)ceil((double)chart->category_count * 48 / width);

	fputs("set xtics (", script);
	for (size_t i = 0; i < chart->category_count; i += every) {
		fputs(i ? ", " : "", script);
		quote_tick(script, chart->categories[i]);
		fprintf(script, " %zu", i);
	}
	fputs(")\n", script);
}

bool chart_lines(FILE *out, const struct chart *chart, struct error *err)
{
	double top = chart_key_lines(chart) * 19 + 12;
	const struct frame frame = { 70, 12, top, 48, (int)top + 260 };
	struct scale scale = scale_of(chart);
	FILE *script = script_open(&frame, err);

	if (!script)
		return false;
	if (scale.high / scale.low > 20)
		scale = logarithmic(scale);
	else
		scale = linear_from_zero(scale);
	value_axis(script, 'y', &scale, chart->number);
	category_ticks(script, chart, WIDTH - frame.left - frame.right);
	axis_titles(script, &frame, chart->category_title, chart->value_title);
	key_on_top(script, chart_key_lines(chart), &frame);
	fprintf(script, "set xrange [-0.25:%.2f]\n", (double)chart->category_count - 0.75);
	for (size_t s = 0; s < chart->series_count; s++) {
		fprintf(script, "$s%zu << EOD\n", s);
		for (size_t i = 0; i < chart->category_count; i++) {
			const struct mark *mark = &chart->series[s].marks[i];

			fprintf(script, "%zu %.9g %.9g %.9g\n", i, mark->value, mark->low,
				mark->high);
		}
		fputs("EOD\n", script);
	}
	for (size_t s = 0; s < chart->series_count; s++)
		plot_line(script, s, &chart->series[s]);
	fputc('\n', script);
	return draw(out, script, chart->id, chart->alt, frame.height, err);
}

#define LANE_HEIGHT 17.0

static unsigned lane_count(const struct chart *chart)
{
	unsigned lanes = 1;

	for (size_t s = 0; s < chart->series_count; s++)
		lanes = chart->series[s].lane >= lanes ? chart->series[s].lane + 1 : lanes;
	return lanes;
}

static double row_height(unsigned lanes)
{
	return lanes * LANE_HEIGHT + 12;
}

/* Rows go down from 0, one each; their lanes are close together. */
static double lane_position(size_t row, unsigned lane, unsigned lanes)
{
	return -(double)row - 0.5 - (lane - (lanes - 1) / 2.0) * LANE_HEIGHT / row_height(lanes);
}

static enum ink lane_ink(const struct chart *chart, unsigned lane)
{
	enum ink ink = INK_MUTED;

	for (size_t s = 0; s < chart->series_count; s++) {
		if (chart->series[s].lane == lane)
			ink = chart->series[s].ink;
	}
	return ink;
}

/* Lines through the marks of each lane, from the least to the greatest. */
static void lane_data(FILE *script, const struct chart *chart, unsigned lane, unsigned lanes)
{
	fprintf(script, "$l%u << EOD\n", lane);
	for (size_t i = 0; i < chart->category_count; i++) {
		double low = INFINITY, high = 0;

		for (size_t s = 0; s < chart->series_count; s++) {
			double value = chart->series[s].marks[i].value;

			if (chart->series[s].lane != lane || !(value > 0))
				continue;
			low = fmin(low, value);
			high = fmax(high, value);
		}
		if (low < high)
			fprintf(script, "%.9g %.3f %.9g\n", low, lane_position(i, lane, lanes),
				high - low);
		else
			fputs("NaN NaN NaN\n", script);
	}
	fputs("EOD\n", script);
}

static void plot_row_series(FILE *script, size_t s, const struct chart *chart, double bar)
{
	const struct series *series = &chart->series[s];
	unsigned ink = INK_VALUE(series->ink);
	int marker = series->open ? STYLE(series->style).hollow : STYLE(series->style).filled;
	bool bars = !isnan(chart->base);

	if (bars)
		fprintf(script,
			"$s%zu using (%.9g):2:($1-%.9g):(0) with vectors nohead lw %.1f "
			"lc " INK_FORMAT " notitle, \\\n",
			s, chart->base, chart->base, bar, ink);
	fprintf(script,
		"$s%zu using 3:2:($4-$3):(0) with vectors nohead lw 1.5 lc " INK_FORMAT " notitle",
		s, INK_VALUE(bars ? INK_TEXT : series->ink));
	if (bars && chart->series_count == 1)
		return;
	fprintf(script,
		", \\\n$s%zu using 1:2 with points pt %d ps 0.8 lc " INK_FORMAT " notitle, \\\n"
		"$s%zu using 1:2 with points pt %d ps 0.8 lc " INK_FORMAT " notitle, \\\n"
		"keyentry with points pt %d ps 0.8 lc " INK_FORMAT " title ",
		s, STYLE(series->style).filled, INK_VALUE(series->open ? INK_PAGE : series->ink), s,
		marker, ink, marker, ink);
	quote(script, series->label);
}

static void row_data(FILE *script, const struct chart *chart, unsigned lanes)
{
	for (size_t s = 0; s < chart->series_count; s++) {
		const struct series *series = &chart->series[s];

		fprintf(script, "$s%zu << EOD\n", s);
		for (size_t i = 0; i < chart->category_count; i++)
			fprintf(script, "%.9g %.3f %.9g %.9g\n", series->marks[i].value,
				lane_position(i, series->lane, lanes), series->marks[i].low,
				series->marks[i].high);
		fputs("EOD\n", script);
		for (size_t i = 0; i < chart->category_count; i++) {
			if (!series->notes[i][0])
				continue;
			fputs("set label ", script);
			quote(script, series->notes[i]);
			fprintf(script, " at graph 1.02, first %.3f textcolor " INK_FORMAT "\n",
				lane_position(i, series->lane, lanes), INK_VALUE(series->ink));
		}
	}
}

static bool has_notes(const struct chart *chart)
{
	for (size_t s = 0; s < chart->series_count; s++) {
		for (size_t i = 0; i < chart->category_count; i++) {
			if (chart->series[s].notes[i][0])
				return true;
		}
	}
	return false;
}

static void row_axis(FILE *script, const struct chart *chart, double width)
{
	fprintf(script, "set yrange [-%zu:0]\nset ytics (", chart->category_count);
	for (size_t i = 0; i < chart->category_count; i++) {
		fputs(i ? ", " : "", script);
		quote_wrapped(script, chart->categories[i], width);
		fprintf(script, " -%zu.5", i);
	}
	fputs(")\n", script);
}

static void base_line(FILE *script, const struct chart *chart)
{
	fprintf(script,
		"set arrow from %.9g, graph 0 to %.9g, graph 1 nohead front lw 1.5 lc " INK_FORMAT
		"\n",
		chart->base, chart->base, INK_VALUE(INK_TEXT));
}

static void plot_rows(FILE *script, const struct chart *chart, unsigned lanes)
{
	fputs("plot ", script);
	for (unsigned lane = 0; chart->connect && lane < lanes; lane++)
		fprintf(script,
			"$l%u using 1:2:3:(0) with vectors nohead lw 3 lc " INK_FORMAT
			" notitle, \\\n",
			lane, INK_VALUE(lane_ink(chart, lane)));
	for (size_t s = 0; s < chart->series_count; s++) {
		fputs(s ? ", \\\n" : "", script);
		plot_row_series(script, s, chart, lanes > 1 ? 7 : 13);
	}
	fputc('\n', script);
}

bool chart_rows(FILE *out, const struct chart *chart, struct error *err)
{
	unsigned lanes = lane_count(chart);
	double top = chart_key_lines(chart) * 19 + 8;
	double body = row_height(lanes) * (double)chart->category_count;
	const struct frame frame = { name_width(chart->categories, chart->category_count, 150),
				     has_notes(chart) ? 62 : 28, top, 48, (int)(top + body) + 48 };
	struct scale scale = logarithmic(scale_of(chart));
	FILE *script = script_open(&frame, err);

	if (!script)
		return false;
	if (!isnan(chart->base)) {
		scale.low = fmin(scale.low, chart->base / 1.5);
		scale.high = fmax(scale.high, chart->base * 1.5);
		base_line(script, chart);
	}
	value_axis(script, 'x', &scale, chart->number);
	row_axis(script, chart, frame.left);
	axis_titles(script, &frame, chart->value_title, NULL);
	key_on_top(script, chart_key_lines(chart), &frame);
	row_data(script, chart, lanes);
	for (unsigned lane = 0; chart->connect && lane < lanes; lane++)
		lane_data(script, chart, lane, lanes);
	plot_rows(script, chart, lanes);
	return draw(out, script, chart->id, chart->alt, frame.height, err);
}

/* Colour of a slow-down, and whether it is one of the dark ones. */
static enum ink heat_ink(enum ink ramp, double value, bool *dark)
{
	static const double limits[] = { 1.5, 2.5, 5, 10 };
	size_t step = 0;

	*dark = false;
	if (value < 0.9)
		return INK_HEAT_FASTER;
	if (value < 1.1)
		return INK_HEAT_SAME;
	while (step < 4 && value >= limits[step])
		step++;
	*dark = step >= 3;
	return ramp + (enum ink)step;
}

static void heat_cell(FILE *script, const struct heat *heat, size_t row, size_t column)
{
	double value = heat->values[row * heat->column_count + column];
	bool narrow = heat->column_count > 8, dark;
	enum ink ink;

	if (isnan(value)) {
		fprintf(script, "set label '–' at %zu,%zu center textcolor " INK_FORMAT "\n",
			column, row, INK_VALUE(INK_MUTED));
		return;
	}
	ink = heat_ink(heat->ramp, value, &dark);
	fprintf(script,
		"set object rectangle from %.2f,%.2f to %.2f,%.2f "
		"fillcolor " INK_FORMAT " fillstyle solid noborder\n",
		(double)column - 0.48, (double)row - 0.47, (double)column + 0.48,
		(double)row + 0.47, INK_VALUE(ink));
	fprintf(script, "set label '%.*f%s' at %zu,%zu center front textcolor " INK_FORMAT "\n",
		value < 9.95 ? 1 : 0, value, narrow ? "" : "×", column, row,
		INK_VALUE(dark ? INK_HEAT_TEXT_HIGH : INK_HEAT_TEXT_LOW));
}

static void heat_names(FILE *script, char axis, char (*names)[32], size_t count, double width)
{
	fprintf(script, "set %ctics (", axis);
	for (size_t i = 0; i < count; i++) {
		fputs(i ? ", " : "", script);
		quote_wrapped(script, names[i], width);
		fprintf(script, " %zu", i);
	}
	fputs(")\n", script);
}

bool chart_heat(FILE *out, const struct heat *heat, struct error *err)
{
	double left = name_width(heat->rows, heat->row_count, 150) + 22;
	double cell = (WIDTH - left - 8) / (double)heat->column_count;
	double bottom = 30 + most_lines(heat->columns, heat->column_count, cell) * 18;
	const struct frame frame = { left, 8, 6, bottom,
				     (int)(6 + (double)heat->row_count * 34 + bottom) };
	FILE *script = script_open(&frame, err);

	if (!script)
		return false;
	fprintf(script, "set xrange [-0.5:%.1f]\nset yrange [%.1f:-0.5]\n",
		(double)heat->column_count - 0.5, (double)heat->row_count - 0.5);
	heat_names(script, 'x', heat->columns, heat->column_count, cell);
	heat_names(script, 'y', heat->rows, heat->row_count, left);
	axis_titles(script, &frame, heat->column_title, heat->row_title);
	for (size_t row = 0; row < heat->row_count; row++) {
		for (size_t column = 0; column < heat->column_count; column++)
			heat_cell(script, heat, row, column);
	}
	fputs("plot NaN notitle\n", script);
	return draw(out, script, heat->id, heat->alt, frame.height, err);
}

/* Nines: half is 0.3, 99.9% is 3. */
static double nines(double share)
{
	return -log10(1 - share);
}

static struct scale tail_scale(const struct curve *curves, size_t count)
{
	struct scale scale = { INFINITY, 0, true };

	for (size_t c = 0; c < count; c++) {
		const struct curve *curve = &curves[c];

		for (size_t i = 0; i < curve->count; i++) {
			scale.low = fmin(scale.low, curve->steps[i].ns);
			scale.high = fmax(scale.high, curve->steps[i].ns);
			if (curve->steps[i].share >= 0.9999)
				break;
		}
	}
	return logarithmic(scale);
}

/* Few curves are named in the corner they leave free, many above the plot. */
static unsigned tail_key_lines(const struct curve *curves, size_t count)
{
	size_t longest = 0;

	for (size_t c = 0; c < count; c++) {
		size_t length = strlen(curves[c].label);

		longest = length > longest ? length : longest;
	}
	return count > 4 ? key_lines(longest, count) : 0;
}

bool chart_tail(FILE *out, unsigned id, const char *alt, const struct curve *curves, size_t count,
		struct error *err)
{
	unsigned lines = tail_key_lines(curves, count);
	double top = lines * 19 + 10;
	const struct frame frame = { 76, 26, top, 48, (int)top + 290 };
	struct scale scale = tail_scale(curves, count);
	FILE *script = script_open(&frame, err);

	if (!script)
		return false;
	value_axis(script, 'x', &scale, NUMBER_NS);
	axis_titles(script, &frame, "latency", "share at or below");
	fprintf(script,
		"set yrange [0:4.1]\n"
		"set ytics ('50%%%%' %.4f, '90%%%%' 1, '99%%%%' 2, '99.9%%%%' 3, '99.99%%%%' 4)\n"
		"set grid ytics linetype 1 linecolor " INK_FORMAT "\n"
		"set key at graph 1, graph 0.02 right bottom vertical Right noreverse samplen 1.6 "
		"spacing 0.95 textcolor " INK_FORMAT "\n",
		nines(0.5), INK_VALUE(INK_GRID), INK_VALUE(INK_TEXT));
	key_on_top(script, lines, &frame);
	for (size_t c = 0; c < count; c++) {
		fprintf(script, "$s%zu << EOD\n", c);
		for (size_t i = 0; i < curves[c].count; i++)
			fprintf(script, "%.9g %.6f\n", curves[c].steps[i].ns,
				nines(curves[c].steps[i].share));
		fputs("EOD\n", script);
	}
	for (size_t c = 0; c < count; c++) {
		fprintf(script,
			"%s$s%zu using 1:2 with steps lw 2.5 dt %s lc " INK_FORMAT " title ",
			c ? ", \\\n" : "plot ", c, STYLE(curves[c].style).dashes,
			INK_VALUE(curves[c].ink));
		quote(script, curves[c].label);
	}
	fputc('\n', script);
	return draw(out, script, id, alt, frame.height, err);
}
