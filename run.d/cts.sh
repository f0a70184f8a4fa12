#!/bin/sh
# SPDX-License-Identifier: MIT
# summary: test SVM on the OpenCL device here (--mesa: our rusticl); or run svmatomic-cts COMMAND
#
# Build svmatomic-cts and the programs of tests, and run them. Without a command: all tests
# there are, kept under results/; options are those of `svmatomic-cts run`, such as --bindir
# DIR for Khronos' own tests, and --resume goes on with the newest results. --mesa, before all
# others: on the rusticl of ./run mesa instead of what is installed here.
set -eu
: "${top:?is set by ./run}"

. "$top/run.d/lib/common.sh"
. "$top/run.d/lib/packages.sh"
. "$top/run.d/lib/build.sh"
. "$top/run.d/lib/opencl.sh"

mesa=
if [ "${1-}" = --mesa ]; then
	mesa=1
	shift
fi

program=$top/build/cts/runner/svmatomic-cts
# For the shell that starts each program: what a program started with our rusticl starts does
# not get it by itself.
# shellcheck disable=SC2016
through='"$top/run" mesa run'

# cts COMMAND ARGUMENT...: in place of this shell, on the device that was asked for.
cts()
{
	command=$1
	shift
	[ "$command" != run ] || set -- --expectations "$top/cts/expectations" "$@"
	case $mesa$command in
	1run | 1list) set -- --through "$through" "$@" ;;
	1devices) exec "$top/run" mesa run "$program" devices "$@" ;;
	esac
	exec "$program" "$command" "$@"
}

# Where results go: to a directory of their own, or to the newest to go on with it.
results_directory()
{
	for argument in "$@"; do
		if [ "$argument" = --resume ]; then
			results=$(readlink -e "$top/results/cts-latest") ||
				die "$EX_USAGE" 'there are no results in results/cts-latest to go on with'
			return 0
		fi
	done
	opencl_results cts-
}

everything()
{
	results_directory "$@"
	# svmatomic-cts answers Ctrl-C by keeping what it has: outlive it to say where.
	trap : INT
	status=0
	(cts run --json "$results/result.json" --junit "$results/junit.xml" \
		--tap "$results/result.tap" --logs "$results/logs" "$@") || status=$?
	opencl_results_keep result.json cts-latest && say "results: $results"
	exit "$status"
}

opencl_build "$mesa"
case ${1-} in
-h | --help) cts run --help ;;
'' | -*) ;;
*) cts "$@" ;;
esac
[ -n "$mesa" ] || opencl_need_device cts devices
everything "$@"
