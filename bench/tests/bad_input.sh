#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Everything that can be wrong with what svmatomic-bench is given: it says so in one
# line, ends with the documented status, leaves no file behind and none half written.
# bad_input.sh SVMATOMIC-BENCH FAULT-LIBRARY
set -eu

bench=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/files" "$work/empty"
# LD_PRELOAD takes no spaces, which the build's path may have.
fault=$work/fault.so
cp "$2" "$fault"
cd "$work/files"
failures=0

bad()
{
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# refused WHAT STATUS PATTERN COMMAND...: it ends with STATUS, its one line on stderr
# matches PATTERN, and the files here are as they were.
refused()
{
	what=$1
	wanted=$2
	pattern=$3
	shift 3
	before=$(ls -A && cksum ./*)

	status=0
	timeout 120 "$@" >/dev/null 2>"$work/stderr" </dev/null || status=$?

	echo "$what: status $status: $(cat "$work/stderr")"
	[ "$status" -eq "$wanted" ] || bad "$what: the status is $status, not $wanted"
	[ "$(wc -l <"$work/stderr")" -eq 1 ] || bad "$what: not one line on stderr"
	grep -qE -e "$pattern" "$work/stderr" || bad "$what: no '$pattern' on stderr"
	[ "$before" = "$(ls -A && cksum ./*)" ] || bad "$what: files were left or changed"
}

# The shortest run there is, for the rest of the arguments to spoil.
tiny="run contend -d 0 --quiet --samples 3 --window 5"
tiny="$tiny -a cpu_threads=1 -a work_items=1"

status=0
"$bench" list devices >/dev/null || status=$?
if [ "$status" -eq 69 ]; then
	echo 'skipped: no OpenCL device'
	exit 77
fi
# shellcheck disable=SC2086 # words
"$bench" $tiny --json good.json >/dev/null
head -c "$(($(wc -c <good.json) / 2))" good.json >truncated.json
echo '{"hello": "world"}' >foreign.json
echo 'precious' >kept

# What is asked for.
refused 'no such command' 64 'frobnicate' "$bench" frobnicate
refused 'no such option' 64 'frobnicate' "$bench" run --frobnicate
refused 'no such workload' 64 'frobnicate' "$bench" run frobnicate
refused 'nothing to describe' 64 'frobnicate' "$bench" describe frobnicate
refused 'no such list' 64 'frobnicate' "$bench" list frobnicate
refused 'no such profile' 64 'frobnicate' "$bench" run --profile frobnicate
refused 'no number' 64 'many' "$bench" run --samples many
refused 'no such axis' 64 'frobnicate' "$bench" run contend -a frobnicate=1
refused 'no such value' 64 'frobnicate' "$bench" run contend -a op=frobnicate
refused 'an axis without value' 64 'layout' "$bench" run contend -a layout
refused 'an empty value' 64 'layout' "$bench" run contend -a layout=
refused 'a negative value' 64 'cpu_threads' "$bench" run contend -a cpu_threads=-1
refused 'no such device' 64 '99' "$bench" run contend -d 99
refused 'no device number' 64 'gpu' "$bench" run contend -d gpu
# shellcheck disable=SC2086
refused 'no such CPU' 64 'cpus:99999' "$bench" $tiny -a placement=cpus:99999
# shellcheck disable=SC2086
refused 'no CPU list' 64 'cpus:x-y' "$bench" $tiny -a placement=cpus:x-y

# What there is to measure.
for vendors in /nonexistent "$work/empty"; do
	# shellcheck disable=SC2086
	refused 'no platform' 69 'OpenCL' env "OCL_ICD_VENDORS=$vendors" "$bench" $tiny
	refused 'no platform' 69 'OpenCL' env "OCL_ICD_VENDORS=$vendors" "$bench" list devices
done

# faulty FAULT WHAT STATUS PATTERN ARGUMENT...: the shortest run on a device that
# misbehaves so.
faulty()
{
	kind=$1
	what=$2
	status=$3
	pattern=$4
	shift 4
	# shellcheck disable=SC2086
	refused "$what" "$status" "$pattern" \
		env "LD_PRELOAD=$fault" "SVMATOMIC_FAULT=$kind" "$bench" $tiny "$@"
}

faulty no-svm 'a device without SVM' 69 'SVM'
faulty no-memory 'no device memory' 71 'allocat|memory'
faulty lost 'a device lost at once' 75 'CL_DEVICE_NOT_AVAILABLE'
faulty lost:8 'a device lost in mid-run' 75 'CL_DEVICE_NOT_AVAILABLE'
faulty hang 'a device that hangs at once' 75 'timeout' --timeout 2
faulty hang:8 'a device that hangs in mid-run' 75 'timeout' --timeout 2
refused 'a device without SVM atomics' 69 'SVM_ATOMICS' \
	env "LD_PRELOAD=$fault" SVMATOMIC_FAULT=no-svm-atomics "$bench" run handoff -d 0 --quiet
# shellcheck disable=SC2086
refused 'a working set beyond the machine' 71 'working' \
	"$bench" $tiny -a layout=random -a working_set=1T

# What is read.
for command in report compare; do
	other=good.json
	[ "$command" = compare ] || other=
	for try in 'missing.json 66' '. 66' 'kept 65' 'foreign.json 65' 'truncated.json 65' \
		'/dev/null 65'; do
		file=${try% *}
		# shellcheck disable=SC2086 # nothing or one file
		refused "$command $file" "${try#* }" "$file" "$bench" $command $other "$file"
	done
done

# What is written.
for option in --json --csv --report; do
	# shellcheck disable=SC2086
	refused "$option, disk full" 74 '/dev/full' "$bench" $tiny $option /dev/full
	# shellcheck disable=SC2086
	refused "$option, no directory" 73 'nowhere' "$bench" $tiny $option nowhere/file
	# shellcheck disable=SC2086
	refused "$option, a directory" 73 'empty' "$bench" $tiny $option "$work/empty"
done
refused 'report, disk full' 74 '/dev/full' "$bench" report -o /dev/full good.json
# An OpenCL compiler needs files too, so that this limit is for `report` alone. The
# page is the larger, but the charts' temporary files may hit it first.
# shellcheck disable=SC2016
refused 'report, file too large' 74 'kept|temporary file' \
	sh -c 'ulimit -f 16; exec "$@"' sh "$bench" report -o kept good.json

[ "$failures" -eq 0 ] || {
	echo "$failures of these are not as documented"
	exit 1
}
