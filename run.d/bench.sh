#!/bin/sh
# SPDX-License-Identifier: MIT
# summary: measure every OpenCL device here (--mesa: our rusticl); with arguments, run svmatomic-bench
#
# Build svmatomic-bench and run it. Without arguments: the quick profile of every
# workload on every usable device, kept under results/. --mesa, before all others: on
# the rusticl of ./run mesa instead of what is installed here.
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

# bench ARGUMENT...: in place of this shell.
bench()
{
	set -- "$top/build/bench/svmatomic-bench" "$@"
	[ -z "$mesa" ] || set -- "$top/run" mesa run "$@"
	exec "$@"
}

quick()
{
	opencl_results ''
	# svmatomic-bench answers Ctrl-C by keeping what it has: outlive it to say where,
	# in the pipeline's subshell too, which does not inherit the trap.
	trap : INT
	{
		trap : INT
		status=0
		(bench run --profile quick --json "$results/result.json" \
			--csv "$results/result.csv" --report "$results/report.html") || status=$?
		echo "$status" >"$results/status"
	} | tee -i "$results/table.txt"
	status=$(cat "$results/status")
	rm -f "$results/status"

	opencl_results_keep result.json latest && say "report: $results/report.html"
	exit "$status"
}

opencl_build "$mesa"
[ $# -eq 0 ] || bench "$@"
[ -n "$mesa" ] || opencl_need_device bench list devices
quick
