#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Everything that can be wrong with what svmatomic-conformance is given, or with the device: it says
# so in one line, and ends with the documented status.
# bad_input.sh SVMATOMIC-CONFORMANCE BROKEN-LIBRARY
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/../../.." && pwd -P)
. "$top/tests/lib/refused.sh"

conformance=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# LD_PRELOAD takes no spaces, which the build's path may have.
library=$work/broken.so
cp "$2" "$library"

refused 'no such option' 64 'frobnicate' "$conformance" --frobnicate
refused 'no such short option' 64 'option' "$conformance" -x
refused 'no such test' 64 'frobnicate' "$conformance" --run frobnicate
refused 'no name' 64 'run' "$conformance" --run
refused 'a pattern of nothing' 64 'frobnicate' "$conformance" 'frobnicate.*'
refused 'a name beside --run' 64 'memcpy' "$conformance" --run alloc.size-zero memcpy.null
refused 'a name beside --list' 64 'memcpy' "$conformance" --list memcpy.null
for value in 0 -1 many '' nan inf 1e9 1x; do
	refused "--timeout '$value'" 64 'timeout' "$conformance" --timeout "$value"
	refused "--time '$value'" 64 'time' "$conformance" --time "$value"
done

mkdir "$work/empty"
for vendors in /nonexistent "$work/empty"; do
	refused 'no platform, one test' 69 'OpenCL' \
		env "OCL_ICD_VENDORS=$vendors" "$conformance" --run alloc.size-zero
	refused 'no platform, all tests' 69 'OpenCL' env "OCL_ICD_VENDORS=$vendors" "$conformance"
done

status=0
"$conformance" --run alloc.size-zero >/dev/null 2>&1 || status=$?
[ "$status" -ne 69 ] || {
	echo 'skipped: the rest needs an OpenCL device'
	[ "$failures" -eq 0 ] || exit 1
	exit 77
}
refused 'no such device, one test' 69 'frobnicate' \
	"$conformance" --device frobnicate --run alloc.size-zero
refused 'no such device, all tests' 69 'frobnicate' "$conformance" --device frobnicate
refused 'no such platform' 69 'frobnicate' "$conformance" --platform frobnicate
refused 'no device of that number' 69 '99' "$conformance" --device 99
# shellcheck disable=SC2016
refused 'standard output is full' 74 'standard output' \
	sh -c '"$1" --list >/dev/full' sh "$conformance"

# hostile FAULT TEST PATTERN: the verdict of a device that behaves so, alone and among others.
hostile()
{
	status=0
	timeout 60 env "LD_PRELOAD=$library" "SVMATOMIC_BROKEN=$1" "$conformance" -q --timeout 3 \
		"$2" alloc.context-invalid >"$work/stdout" 2>"$work/stderr" || status=$?
	echo "$1: status $status: $(grep "^$2" "$work/stdout")"
	[ "$status" -eq 1 ] || bad "$1: the status is $status, not 1"
	grep -qE "^$2 +fail +$3" "$work/stdout" || bad "$1: no '$3' for $2"
	grep -qE '^alloc.context-invalid +pass' "$work/stdout" ||
		bad "$1: the test after it was not run"
}
hostile crash alloc.read-write 'crashed: SIGABRT'
hostile hang alloc.read-write 'no answer within'
hostile lost alloc.flags-0 '.*CL_DEVICE_NOT_AVAILABLE'

# Ctrl-C: what was run is told, and the status says so.
status=0
timeout -s INT 8 env "LD_PRELOAD=$library" SVMATOMIC_BROKEN=hang "$conformance" -q \
	query.atomic-memory-minimum alloc.read-write >"$work/stdout" 2>"$work/stderr" || status=$?
[ "$status" -eq 124 ] || bad "interrupted: timeout's status is $status"
grep -q 'interrupted' "$work/stderr" || bad "interrupted: nothing about it on stderr"
grep -q '^TEST' "$work/stdout" || bad "interrupted: no table"

[ "$failures" -eq 0 ] || {
	echo "$failures of these are not as documented"
	exit 1
}
