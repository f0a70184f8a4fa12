/* SPDX-License-Identifier: MIT */
/*
 * A program by somebody who only has what is installed; C++ at times.
 */
#include <svmatomic.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
	struct svma_report report;

	if (!svma_explain("/dev/null", &report) || report.reason != SVMA_REASON_NOT_DRM)
		return 1;
	printf("%s\n", svma_version());
	return 0;
}
