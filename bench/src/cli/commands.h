/* SPDX-License-Identifier: MIT */
/*
 * The sub-commands. Each parses its own arguments (argv[0] is its name) and
 * returns the exit code; unless it is a verdict, @err has the line to print.
 */
#ifndef BENCH_COMMANDS_H
#define BENCH_COMMANDS_H

#include "error.h"

enum exit_code command_list(int argc, char **argv, struct error *err);
enum exit_code command_run(int argc, char **argv, struct error *err);
enum exit_code command_compare(int argc, char **argv, struct error *err);
enum exit_code command_report(int argc, char **argv, struct error *err);
enum exit_code command_describe(int argc, char **argv, struct error *err);

/* fail() as a command's return value. */
#define command_fail(err, code, ...) (fail(err, code, __VA_ARGS__), (code))

#endif
