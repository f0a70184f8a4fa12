/* SPDX-License-Identifier: MIT */
/*
 * Stands in for a test program that dies with words in its buffer: what it printed gets out
 * only where its output is a terminal.
 */
#include <signal.h>
#include <stdio.h>

int main(void)
{
	puts("about to crash");
	signal(SIGSEGV, SIG_DFL); /* sanitizers have handlers of their own */
	raise(SIGSEGV);
	return 0;
}
