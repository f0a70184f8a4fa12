#!/bin/sh
# SPDX-License-Identifier: MIT
# summary: run the tests, normally and under ASan and UBSan; arguments choose suites
#
# Build twice, run Meson's tests in both trees, and count them. The last line is
# "tests: N passed, N failed, N skipped"; the status is 1 when any failed.
set -eu
: "${top:?is set by ./run}"

. "$top/run.d/lib/common.sh"
. "$top/run.d/lib/packages.sh"
. "$top/run.d/lib/build.sh"

# Suites there are, from lines of "project:suite+suite / test".
suites()
{
	meson test -C "$top/build" --no-rebuild --list 2>/dev/null |
		sed -n 's/^[^:]*:\(.*\) \/ .*/\1/p' | tr '+' '\n' | sort -u
}

# test_tree NAME DIRECTORY ARGUMENT...
test_tree()
{
	say "testing the $1 build"
	tree=$2
	shift 2
	rm -f "$tree/meson-logs/testlog.json"
	meson test -C "$tree" --no-rebuild --print-errorlogs "$@" </dev/null
}

test_sanitized()
(
	export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
	export LSAN_OPTIONS="suppressions='$top/bench/tests/lsan.supp':print_suppressions=0"
	export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
	test_tree sanitized "$top/build/asan" --no-suite lint --no-suite kernel \
		--no-suite mesa --no-suite long "$@"
)

# What needs a Mesa of ours is ./run mesa test's, which builds it, unless it is asked for.
without_mesa='--no-suite rusticl --no-suite nouveau'

# count RESULT|RESULT: tests that ended so, in either tree.
count()
{
	build_tests_counted "$1" "$top/build/meson-logs/testlog.json" "$top/build/asan/meson-logs/testlog.json"
}

packages_install bench opencl test
build_normal meson-test-prereq

known=$(suites)
options=
for suite in "$@"; do
	echo "$known" | grep -qx -e "$suite" ||
		die "$EX_USAGE" "no test suite '$suite'; there is $(echo "$known" | paste -s -d ' ' -)"
	options="$options --suite $suite"
done
build_sanitized meson-test-prereq

[ -n "$options" ] || options=$without_mesa
crashed=0
# shellcheck disable=SC2086 # suites are words
test_tree normal "$top/build" $options || crashed=1
# shellcheck disable=SC2086
test_sanitized $options || crashed=1

passed=$(count 'OK|EXPECTEDFAIL')
skipped=$(count SKIP)
failed=$(($(count '[A-Z]+') - passed - skipped))
# Tests that Meson could not even run have not passed.
[ "$failed" -gt 0 ] || failed=$crashed

echo "tests: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
