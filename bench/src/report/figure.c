/* SPDX-License-Identifier: MIT */
/*
 * What stands around the charts of the report.
 */
#include "report_parts.h"

#include "html.h"

#include <stdarg.h>

unsigned figure_open(struct page *page, struct figure *figure)
{
	say(&figure->alt, "%s. %s", figure->title.text, figure->caption.text);
	fputs("<figure>\n<h3>", page->out);
	html_text(page->out, figure->title.text);
	fputs("</h3>\n", page->out);
	if (figure->shared.length) {
		fputs("<p>", page->out);
		html_text(page->out, figure->shared.text);
		fputs("</p>\n", page->out);
	}
	return ++page->charts;
}

void figure_close(struct page *page, const struct figure *figure)
{
	fputs("<figcaption>", page->out);
	html_text(page->out, figure->caption.text);
	fputs("</figcaption>\n</figure>\n", page->out);
}

bool figure_chart(struct page *page, struct figure *figure, struct chart *chart,
		  bool (*draw)(FILE *out, const struct chart *chart, struct error *err))
{
	bool ok;

	chart->id = figure_open(page, figure);
	chart->alt = figure->alt.text;
	ok = draw(page->out, chart, page->err);
	figure_close(page, figure);
	chart_clear(chart);
	return ok;
}

void section_open(struct page *page, const char *title, const char *introduction)
{
	fprintf(page->out, "<h2>%s</h2>\n<p>%s</p>\n<div class=\"grid\">\n", title, introduction);
}

void section_close(struct page *page)
{
	fputs("</div>\n", page->out);
}

void absent(struct page *page, const char *format, ...)
{
	char text[600];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fputs("<p class=\"absent\">", page->out);
	html_text(page->out, text);
	fputs("</p>\n", page->out);
}

bool no_memory(struct page *page)
{
	return fail(page->err, EXIT_NO_MEMORY, "no memory for the report");
}
