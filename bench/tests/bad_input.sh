#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Everything that can be wrong with what svmatomic-bench is given: it says so in one
# line, ends with the documented status, leaves no file behind and none half written.
# bad_input.sh SVMATOMIC-BENCH FAULT-LIBRARY
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
. "$top/tests/lib/refused.sh"

bench=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/files" "$work/empty"
# LD_PRELOAD takes no spaces, which the build's path may have.
fault=$work/fault.so
cp "$2" "$fault"
cd "$work/files"

# refused_cleanly WHAT STATUS PATTERN COMMAND...: and the files here are as they were.
refused_cleanly()
{
	before=$(ls -A && cksum ./*)
	refused "$@"
	[ "$before" = "$(ls -A && cksum ./*)" ] || bad "$1: files were left or changed"
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
refused_cleanly 'no such command' 64 'frobnicate' "$bench" frobnicate
refused_cleanly 'no such option' 64 'frobnicate' "$bench" run --frobnicate
refused_cleanly 'no such workload' 64 'frobnicate' "$bench" run frobnicate
refused_cleanly 'nothing to describe' 64 'frobnicate' "$bench" describe frobnicate
refused_cleanly 'no such list' 64 'frobnicate' "$bench" list frobnicate
refused_cleanly 'no such profile' 64 'frobnicate' "$bench" run --profile frobnicate
refused_cleanly 'no number' 64 'many' "$bench" run --samples many
refused_cleanly 'no such axis' 64 'frobnicate' "$bench" run contend -a frobnicate=1
refused_cleanly 'no such value' 64 'frobnicate' "$bench" run contend -a op=frobnicate
refused_cleanly 'an axis without value' 64 'layout' "$bench" run contend -a layout
refused_cleanly 'an empty value' 64 'layout' "$bench" run contend -a layout=
refused_cleanly 'a negative value' 64 'cpu_threads' "$bench" run contend -a cpu_threads=-1
refused_cleanly 'no such device' 64 '99' "$bench" run contend -d 99
refused_cleanly 'no device number' 64 'gpu' "$bench" run contend -d gpu
# shellcheck disable=SC2086
refused_cleanly 'no such CPU' 64 'cpus:99999' "$bench" $tiny -a placement=cpus:99999
# shellcheck disable=SC2086
refused_cleanly 'no CPU list' 64 'cpus:x-y' "$bench" $tiny -a placement=cpus:x-y

# What there is to measure.
for vendors in /nonexistent "$work/empty"; do
	# shellcheck disable=SC2086
	refused_cleanly 'no platform' 69 'OpenCL' env "OCL_ICD_VENDORS=$vendors" "$bench" $tiny
	refused_cleanly 'no platform' 69 'OpenCL' env "OCL_ICD_VENDORS=$vendors" "$bench" list devices
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
	refused_cleanly "$what" "$status" "$pattern" \
		env "LD_PRELOAD=$fault" "SVMATOMIC_FAULT=$kind" "$bench" $tiny "$@"
}

faulty no-svm 'a device without SVM' 69 'SVM'
faulty no-memory 'no device memory' 71 'allocat|memory'
faulty lost 'a device lost at once' 75 'CL_DEVICE_NOT_AVAILABLE'
faulty lost:8 'a device lost in mid-run' 75 'CL_DEVICE_NOT_AVAILABLE'
faulty hang 'a device that hangs at once' 75 'timeout' --timeout 2
faulty hang:8 'a device that hangs in mid-run' 75 'timeout' --timeout 2
refused_cleanly 'a device without SVM atomics' 69 'SVM_ATOMICS' \
	env "LD_PRELOAD=$fault" SVMATOMIC_FAULT=no-svm-atomics "$bench" run handoff -d 0 --quiet
# shellcheck disable=SC2086
refused_cleanly 'a working set beyond the machine' 71 'working' \
	"$bench" $tiny -a layout=random -a working_set=1T

# What is read.
for command in report compare; do
	other=good.json
	[ "$command" = compare ] || other=
	for try in 'missing.json 66' '. 66' 'kept 65' 'foreign.json 65' 'truncated.json 65' \
		'/dev/null 65'; do
		file=${try% *}
		# shellcheck disable=SC2086 # nothing or one file
		refused_cleanly "$command $file" "${try#* }" "$file" "$bench" $command $other "$file"
	done
done

# What is written.
for option in --json --csv --report; do
	# shellcheck disable=SC2086
	refused_cleanly "$option, disk full" 74 '/dev/full' "$bench" $tiny $option /dev/full
	# shellcheck disable=SC2086
	refused_cleanly "$option, no directory" 73 'nowhere' "$bench" $tiny $option nowhere/file
	# shellcheck disable=SC2086
	refused_cleanly "$option, a directory" 73 'empty' "$bench" $tiny $option "$work/empty"
done
refused_cleanly 'report, disk full' 74 '/dev/full' "$bench" report -o /dev/full good.json
# An OpenCL compiler needs files too, so that this limit is for `report` alone. The
# page is the larger, but the charts' temporary files may hit it first.
# shellcheck disable=SC2016
refused_cleanly 'report, file too large' 74 'kept|temporary file' \
	sh -c 'ulimit -f 16; exec "$@"' sh "$bench" report -o kept good.json

[ "$failures" -eq 0 ] || {
	echo "$failures of these are not as documented"
	exit 1
}
