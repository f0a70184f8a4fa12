# shellcheck shell=sh
# shellcheck disable=SC2154 # from those who read this file in
# SPDX-License-Identifier: MIT
#
# What the tests of bad input have in common: a failure is counted and the test goes on.
# Needs a directory of its own in $work.

failures=0

# bad WHAT...
bad()
{
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# refused WHAT STATUS PATTERN COMMAND...: it ends with STATUS, and its one line on stderr
# matches PATTERN.
refused()
{
	what=$1
	wanted=$2
	pattern=$3
	shift 3

	status=0
	timeout 120 "$@" >"$work/stdout" 2>"$work/stderr" </dev/null || status=$?

	echo "$what: status $status: $(cat "$work/stderr")"
	[ "$status" -eq "$wanted" ] || bad "$what: the status is $status, not $wanted"
	[ "$(wc -l <"$work/stderr")" -eq 1 ] || bad "$what: not one line on stderr"
	grep -qE -e "$pattern" "$work/stderr" || bad "$what: no '$pattern' on stderr"
}
