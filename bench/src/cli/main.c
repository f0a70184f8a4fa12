/* SPDX-License-Identifier: MIT */
/*
 * svmatomic-bench: what device atomics and CPU atomics do to each other on
 * shared memory.
 */
#include "commands.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
	"usage: svmatomic-bench COMMAND [arguments]\n"
	"\n"
	"Measures what device atomics and CPU atomics do to each other on shared\n"
	"virtual memory, on any OpenCL implementation and on vsvm, the kernel's virtual\n"
	"device, and verifies every sample.\n"
	"\n"
	"  list      devices and what they can do (and why not), workloads, axes\n"
	"  describe  what a workload does, in words\n"
	"  run       measure: table, JSON, CSV, HTML report\n"
	"  report    an HTML page from results\n"
	"  compare   two results: faster, slower, same or ambiguous\n"
	"\n"
	"`svmatomic-bench COMMAND --help` explains a command. Exit codes: 0 fine;\n"
	"1 and 2 verdicts of compare; 3 a lost update; 4 self-check failed; 64 usage;\n"
	"65 not a result; 66 unreadable; 69 device or capability missing; 71 memory;\n"
	"73 and 74 output; 75 device lost; 130 interrupted.\n";

static const struct {
	const char *name;
	enum exit_code (*run)(int argc, char **argv, struct error *err);
} commands[] = {
	{ "list", command_list },     { "describe", command_describe }, { "run", command_run },
	{ "report", command_report }, { "compare", command_compare },
};

static enum exit_code dispatch(int argc, char **argv, struct error *err)
{
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		fputs(usage, stdout);
		return EXIT_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("svmatomic-bench " VERSION);
		return EXIT_OK;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1, err);
	return command_fail(err, EXIT_USAGE_ERROR,
			    "there is no command '%s'; svmatomic-bench --help names them", argv[1]);
}

int main(int argc, char **argv)
{
	struct error err = { 0 };
	enum exit_code code;

	/* For the tables: bytes are not columns. Numbers stay as C writes them. */
	setlocale(LC_CTYPE, "");
	/* A file-size limit is then an error of write(), reported like a full disk. */
	signal(SIGXFSZ, SIG_IGN);
	code = dispatch(argc, argv, &err);
	if (err.text[0])
		fprintf(stderr, "svmatomic-bench: %s\n", err.text);
	if (fflush(stdout) && code == EXIT_OK) {
		fputs("svmatomic-bench: cannot write to standard output: free space on the disk or "
		      "check the pipe\n",
		      stderr);
		code = EXIT_OUTPUT;
	}
	/* The driver of a lost device may hang in its exit handlers. */
	if (code == EXIT_DEVICE_LOST)
		_exit(code);
	return code;
}
