/* SPDX-License-Identifier: MIT */
/*
 * Progress on stderr.
 */
#include "progress.h"

#include "clock.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

void progress_begin(struct progress *progress, size_t total, bool quiet)
{
	*progress = (struct progress){ .quiet = quiet,
				       .terminal = isatty(STDERR_FILENO),
				       .total = total,
				       .started_ns = clock_ns() };
}

static unsigned terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return 80;
	return size.ws_col;
}

void progress_point(const struct progress *progress, size_t index, const char *label)
{
	const double elapsed_s = (double)(clock_ns() - progress->started_ns) * 1e-9;
	char line[256];
	char eta[32] = "";

	if (progress->quiet)
		return;
	if (index)
		snprintf(eta, sizeof(eta), ", %.0f s left",
			 elapsed_s / (double)index * (double)(progress->total - index));
	snprintf(line, sizeof(line), "[%zu/%zu%s] %s", index + 1, progress->total, eta, label);
	if (progress->terminal)
		fprintf(stderr, "\r%.*s\033[K", (int)terminal_width() - 1, line);
	else
		fprintf(stderr, "%s\n", line);
}

void progress_end(const struct progress *progress)
{
	if (!progress->quiet && progress->terminal)
		fputs("\r\033[K", stderr);
}
