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

has_icd()
{
	for icd in /etc/OpenCL/vendors/*.icd; do
		[ ! -e "$icd" ] || return 0
	done
	return 1
}

has_device()
{
	status=0
	(bench list devices) >/dev/null 2>&1 || status=$?
	[ "$status" -ne "$EX_UNAVAILABLE" ]
}

quick()
{
	results=$top/results/$(date -u +%Y-%m-%dT%H-%M-%SZ)
	mkdir -p "$results" || die "$EX_CANTCREAT" "cannot create $results; make results/ yours or remove it"

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

	if [ -f "$results/result.json" ]; then
		rm -f "$top/results/latest"
		ln -s "${results##*/}" "$top/results/latest"
		say "report: $results/report.html"
	else
		rm -r "$results"
	fi
	exit "$status"
}

if [ -n "$mesa" ]; then
	packages_install bench
	"$top/run" mesa build
elif has_icd; then
	packages_install bench
else
	packages_install bench opencl
fi
build_normal all

[ $# -eq 0 ] || bench "$@"

# An implementation without a device is as good as none, and Mesa's often has none.
[ -n "$mesa" ] || [ -z "$(packages_missing opencl)" ] || has_device || packages_install opencl
quick
