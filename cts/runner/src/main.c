/* SPDX-License-Identifier: MIT */
/*
 * svmatomic-cts: runs tests of OpenCL's shared virtual memory and says what was tested.
 */
#include "cts_commands.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: svmatomic-cts COMMAND [arguments]\n"
	"\n"
	"Runs the SVM tests of a Khronos OpenCL-CTS that the user has built, and this\n"
	"project's conformance cases and litmus tests, each in a process of its own; says of\n"
	"each what was really executed, and how that compares with what is expected.\n"
	"\n"
	"  devices  what there is to test\n"
	"  list     the tests\n"
	"  run      run them: table, TAP, JUnit, JSON\n"
	"  compare  two results\n"
	"  expect   expectations from a result\n"
	"\n"
	"`svmatomic-cts COMMAND --help` explains a command. Exit status: 0 as expected;\n"
	"1 worse than expected; 2 only better; 64 usage; 65 a file or a program is not what\n"
	"it should be; 66 a file or a program is missing; 69 no device; 73 and 74 output;\n"
	"75 device lost; 130 interrupted.\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv, struct error *err);
} commands[] = {
	{ "devices", command_devices }, { "list", command_list },     { "run", command_run },
	{ "compare", command_compare }, { "expect", command_expect },
};

static int dispatch(int argc, char **argv, struct error *err)
{
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		fputs(usage, stdout);
		return EXIT_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("svmatomic-cts " VERSION);
		return EXIT_OK;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1, err);
	return command_fail(err, EXIT_USAGE_ERROR,
			    "there is no command '%s'; svmatomic-cts --help names them", argv[1]);
}

int main(int argc, char **argv)
{
	struct error err = { 0 };
	int code;

	/* For the tables: bytes are not columns. Numbers stay as C writes them. */
	setlocale(LC_CTYPE, "");
	/* A file-size limit and a reader that is gone are then errors of write(). */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	code = dispatch(argc, argv, &err);
	if (err.text[0])
		fprintf(stderr, "svmatomic-cts: %s\n", err.text);
	if (fflush(stdout) && code == EXIT_OK) {
		fputs("svmatomic-cts: cannot write to standard output: free space on the disk or "
		      "check the pipe\n",
		      stderr);
		code = EXIT_OUTPUT;
	}
	return code;
}
