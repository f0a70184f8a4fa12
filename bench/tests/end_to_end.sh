#!/bin/sh
# SPDX-License-Identifier: MIT
#
# svmatomic-bench on a real OpenCL device, PoCL by default: every operation, type
# and layout at tiny size, and what becomes of the results.
# end_to_end.sh PART SVMATOMIC-BENCH SCHEMA
#
# Exit status 77 (skip) where there is no OpenCL device with SVM atomics.
set -eu

part=$1
bench=$(realpath "$2")
schema=$(realpath "$3")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

die()
{
	echo "FAILED: $*" >&2
	exit 1
}

count()
{
	grep -c -e "$1" "$2" || true
}

# How many points of a result have a status.
points()
{
	count "\"status\": \"$1\"" "$2"
}

valid()
{
	/usr/bin/jsonschema -i "$1" "$schema" || die "$1 does not fit the schema"
}

# expect STATUS COMMAND...
expect()
{
	wanted=$1
	shift
	status=0
	"$@" >out.txt 2>err.txt || status=$?
	[ "$status" -eq "$wanted" ] && return
	cat err.txt >&2
	die "exit status $status, not $wanted: $*"
}

has()
{
	grep -A2 "\"$1\": {" devices.json | grep -q '"have": true'
}

[ -x /usr/bin/jsonschema ] || { echo "no /usr/bin/jsonschema: install python3-jsonschema"; exit 77; }
status=0
"$bench" list devices --json >devices.json || status=$?
[ "$status" -ne 69 ] || { echo "no OpenCL device"; exit 77; }
[ "$status" -eq 0 ] || die "cannot list devices"
has svm_atomics || { echo "no device with SVM atomics"; exit 77; }

tiny="run contend --quiet --device 0 --window 1 --samples 1 --budget 0.05"

# Every combination that means something is measured, and its invariant holds.
operations()
{
	# shellcheck disable=SC2086 # words
	expect 0 "$bench" $tiny -a working_set=64K -a order=seq_cst \
		-a op=fetch_add,fetch_sub,exchange,compare_exchange,fetch_min,fetch_max \
		-a type=int,uint,long,ulong,float,double \
		-a layout=word,line,line-per-worker,page-per-worker,random --json first.json
	# shellcheck disable=SC2086
	expect 0 "$bench" $tiny -a working_set=64K -a order=seq_cst \
		-a op=fetch_and,fetch_or,fetch_xor,load,store,flag \
		-a type=int,uint,long,ulong,float,double \
		-a layout=word,line,line-per-worker,page-per-worker,random --json second.json
	valid first.json
	valid second.json
	cat first.json second.json >both.json

	# 360 points. No min, max, and, or, xor on the 2 floating types (50), a flag
	# only as int (25); no addition on types the device cannot add atomically.
	refused=75
	has float_add || refused=$((refused + 10))
	has double_add || refused=$((refused + 10))
	[ "$(points refused both.json)" -eq "$refused" ] ||
		die "$(points refused both.json) points refused, not $refused"
	[ "$(count '"verified": true' both.json)" -eq $((360 - refused)) ] ||
		die "$(count '"verified": true' both.json) points verified, not $((360 - refused))"
	echo "360 points, $refused refused, the others verified"
}

# Orders and scopes, as far as they go together.
orders()
{
	# shellcheck disable=SC2086
	expect 0 "$bench" $tiny -a op=fetch_add,load,store,compare_exchange \
		-a order=relaxed,acquire,release,acq_rel,seq_cst \
		-a scope=work_group,device,all_devices --json orders.json
	valid orders.json
	# A load cannot release, a store cannot acquire: 2 orders of 2 operations, 3 scopes.
	[ "$(points refused orders.json)" -eq 12 ] || die "$(points refused orders.json) refused, not 12"
	[ "$(count '"verified": true' orders.json)" -eq 48 ] || die "not all of the others verified"
	echo "60 points, 12 refused, 48 verified"
}

# broken_operation OP: taking the atomicity out of the kernel must be noticed, whatever the operation.
# A lost update is met by chance, and of fetch_min and fetch_max only while neither side is ahead of
# the other: which one is, stays so for a process now and then. So several short runs, not a long one.
broken_operation()
{
	for attempt in 1 2 3 4 5 6; do
		status=0
		"$bench" run contend --quiet --device 0 --window 5 --samples 2000 --interval 0.001 \
			--budget 5 -a op="$1" -a type=int -a order=seq_cst --break-atomics --json broken.json \
			>out.txt 2>err.txt || status=$?
		[ "$status" -eq 0 ] || break
		echo "$1 without atomicity: not caught in run $attempt"
	done
	[ "$status" -eq 3 ] || die "$1: exit status $status, not 3: $(cat err.txt)"
}

broken()
{
	for op in fetch_add fetch_sub exchange compare_exchange fetch_min fetch_max fetch_and \
		fetch_or fetch_xor flag; do
		broken_operation $op
		grep -q 'lost update' err.txt || die "$op: stderr does not say what happened"
		valid broken.json
		[ "$(points lost-update broken.json)" -eq 1 ] || die "$op: not marked in the result"
		[ "$(count '"median"' broken.json)" -eq 0 ] || die "$op: a number for a lost update"
		echo "$op without atomicity: caught"
	done
	for app in histogram queue hash bfs steal; do
		expect 3 "$bench" run $app --quiet --device 0 --samples 200 --interval 0.001 \
			--budget 30 --break-atomics --json broken.json
		valid broken.json
		echo "$app without atomicity: caught"
	done
}

workloads()
{
	expect 0 "$bench" run handoff --quiet --device 0 --samples 3 -a order=relaxed,acq_rel,seq_cst \
		--json handoff.json
	valid handoff.json
	[ "$(count '"name": "one_way"' handoff.json)" -eq 6 ] || die "handoff: not 3 measures and histograms"
	expect 0 "$bench" run apps --quiet --device 0 --samples 3 --budget 1 --json apps.json
	valid apps.json
	[ "$(count '"name": "speedup"' apps.json)" -eq 5 ] || die "apps: not 5 speed-ups"
	# Work-items beyond the compute units: they queue, and the sums still hold.
	# shellcheck disable=SC2086
	expect 0 "$bench" $tiny -a work_items=64 -a group_size=1,16 -a cpu_threads=0,1,3 \
		-a layout=word,random --json queued.json
	valid queued.json
	[ "$(count '"verified": true' queued.json)" -eq 12 ] || die "queued work-items: not verified"
	# shellcheck disable=SC2086
	expect 0 "$bench" $tiny --no-gate --json gateless.json
	valid gateless.json
	grep -q '"mode": "gateless"' gateless.json || die "--no-gate is not in the result"
	grep -q 'gateless: ' gateless.json || die "gateless mode is not noted"
}

# What a result is good for afterwards.
results()
{
	expect 0 "$bench" run contend handoff --quiet --device 0 --samples 6 --window 2 --budget 1 \
		--json a.json --csv a.csv --report a.html
	valid a.json
	grep -q 'contend' out.txt || die "no table"
	[ "$(head -c 15 a.html)" = "<!DOCTYPE html>" ] || die "no page"
	[ "$(wc -l <a.csv)" -gt 20 ] || die "too few lines of CSV"
	expect 0 "$bench" report -o again.html a.json a.json
	expect 0 "$bench" run contend --quiet --device 0 --samples 1 --window 1 --json - -a op=load
	mv out.txt stdout.json
	valid stdout.json

	# A result is the same as itself, and slower than one with twice its rates.
	status=0
	"$bench" compare --threshold 50 a.json a.json >out.txt || status=$?
	[ "$status" -eq 0 ] || [ "$status" -eq 2 ] || die "compare A A: exit status $status"
	grep -q ' 0 slower' out.txt || die "A is slower than A"
}

# Ctrl-C keeps what there is; a kill leaves what was there.
signals()
{
	"$bench" run contend --quiet --device 0 --samples 1000000 --interval 0.001 --budget 60 \
		--json partial.json >out.txt 2>err.txt &
	pid=$!
	sleep 5
	kill -INT $pid
	status=0
	wait $pid || status=$?
	[ "$status" -eq 130 ] || die "Ctrl-C: exit status $status, not 130"
	valid partial.json
	grep -q '"partial": true' partial.json || die "not marked as partial"
	[ "$(count '"samples_taken"' partial.json)" -ge 1 ] || die "nothing was kept"

	echo precious >kept.json
	"$bench" run contend --quiet --device 0 --samples 1000000 --interval 0.001 --budget 60 \
		--json kept.json >out.txt 2>err.txt &
	pid=$!
	sleep 3
	kill -KILL $pid
	wait $pid || true
	[ "$(cat kept.json)" = precious ] || die "a killed run changed its output file"
	[ "$(find . -name 'kept.json*' | wc -l)" -eq 1 ] || die "a killed run left a file behind"
}

case $part in
operations | orders | broken | workloads | results | signals) "$part" ;;
*) die "no part '$part'" ;;
esac
