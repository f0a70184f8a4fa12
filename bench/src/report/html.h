/* SPDX-License-Identifier: MIT */
/*
 * Text on its way into HTML. Names of devices and reasons of drivers come from
 * outside and may hold anything.
 */
#ifndef BENCH_HTML_H
#define BENCH_HTML_H

#include <stdio.h>

/* Write @text so that it means itself, in an element or between double quotes. */
void html_text(FILE *out, const char *text);

/* The same for formatted text, of up to 1 KiB. */
void html_printf(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
