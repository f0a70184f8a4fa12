/* SPDX-License-Identifier: MIT */
/*
 * Starts OpenCL programs again, with the loader and the libraries of Mesa's build root, where
 * this machine's C library is too old for the rusticl made there. To be preloaded, by what
 * `./run mesa env` exports; other programs go on as they are.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Is this object OpenCL's loader? A program that links with it is an OpenCL program. */
static int is_opencl(struct dl_phdr_info *info, size_t size, void *data)
{
	const char *name = strrchr(info->dlpi_name, '/');

	(void)size;
	(void)data;
	return name && !strncmp(name, "/libOpenCL.so", strlen("/libOpenCL.so"));
}

/* The C library hands these to constructors as to main(). */
__attribute__((constructor)) static void reload(int argc, char **argv, char **environment)
{
	char *loader = getenv("SVMATOMIC_MESA_LOADER");
	char *libraries = getenv("SVMATOMIC_MESA_LIBRARIES");
	char program[4096], itself[4096];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (!loader || !libraries || length < 0 || argc < 1)
		return;
	program[length] = '\0';
	/* Run by a loader, a program is what that was given, and the loader is the process. */
	if (!realpath(loader, itself) || !strcmp(program, itself))
		return;
	if (!dl_iterate_phdr(is_opencl, NULL))
		return;

	char *arguments[argc + 6];
	size_t n = 0;

	arguments[n++] = loader;
	arguments[n++] = "--argv0";
	arguments[n++] = argv[0];
	arguments[n++] = "--library-path";
	arguments[n++] = libraries;
	arguments[n++] = program;
	memcpy(&arguments[n], &argv[1], (size_t)argc * sizeof(*argv));
	execve(loader, arguments, environment);
	fprintf(stderr, "%s: cannot start %s, of `./run mesa env`: %s\n", argv[0], loader,
		strerror(errno));
}
