#!/bin/sh
# SPDX-License-Identifier: MIT
#
# svmatomic-info: what it prints, in words and as JSON, and how it exits. info.sh PROGRAM
set -eu

info=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset SVMATOMIC_DEVICE
checks=0

# runs STATUS ARGUMENT...: its output goes to $work/out and $work/err.
runs()
{
	expected=$1
	shift
	status=0
	"$info" "$@" >"$work/out" 2>"$work/err" || status=$?
	[ "$status" = "$expected" ] || {
		echo "svmatomic-info $* exited with $status, not $expected:"
		cat "$work/out" "$work/err"
		exit 1
	}
	checks=$((checks + 1))
}

says()
{
	grep -qF -e "$1" "$work/out" || {
		echo "it does not say '$1':"
		cat "$work/out"
		exit 1
	}
	checks=$((checks + 1))
}

# One line on standard error, which has these words, and nothing on standard output.
complains()
{
	if [ "$(wc -l <"$work/err")" != 1 ] || [ -s "$work/out" ] ||
		! grep -qF -e "$1" "$work/err"; then
		echo "it does not complain in one line about '$1':"
		cat "$work/out" "$work/err"
		exit 1
	fi
	checks=$((checks + 1))
}

runs 1
says 'programs find no device: there is no DRM render node'

export FAKE_DRM='renderD131=vsvm:ok,renderD128=i915:ok,renderD129=nouveau:old,renderD130=vsvm:denied,renderD132=nouveau:hardware,renderD133=vsvm:nonsense'
runs 0
says '/dev/dri/renderD128    i915       no: the i915 driver has no SVM atomics that'
says '/dev/dri/renderD129    nouveau    no: this kernel'\''s nouveau driver has no SVM atomics; boot'
says '/dev/dri/renderD130    ?          no: permission denied; join'
says '/dev/dri/renderD131    vsvm       yes (fault, events)'
says '/dev/dri/renderD132    nouveau    no: the hardware, or its driver,'
says '/dev/dri/renderD133    vsvm       no: the vsvm driver'\''s answer makes no sense'
says 'programs use /dev/dri/renderD131'
[ "$(wc -l <"$work/out")" = 7 ]

runs 0 --json
says '"chosen": {'
if command -v python3 >/dev/null; then
	python3 - "$work/out" <<-'END'
		import json, sys
		d = json.load(open(sys.argv[1]))
		nodes = {n["node"][-3:]: n for n in d["nodes"]}
		assert list(nodes) == ["128", "129", "130", "131", "132", "133"]
		assert d["chosen"] == nodes["131"]
		assert nodes["131"]["svm_atomics"] is True and nodes["131"]["virtual"] is True
		assert nodes["131"]["features"] == ["fault", "events"]
		assert nodes["131"]["errno"] == 0 and nodes["131"]["interface"] == 1
		assert nodes["129"]["svm_atomics"] is False and nodes["129"]["reason"] == 0x105
		assert nodes["129"]["errno"] == 38 and nodes["129"]["virtual"] is False
		assert "driver" not in nodes["130"]
		assert all(n["text"] for n in nodes.values())
	END
	checks=$((checks + 1))
fi

runs 1 /dev/dri/renderD128
says 'i915'
says 'programs use /dev/dri/renderD131'
runs 0 -- /dev/dri/renderD131 /dev/null
says '/dev/null              ?          no: not a DRM device'
runs 1 --json /dev/dri/renderD999
says '"reason": 257'

export SVMATOMIC_DEVICE=/dev/dri/renderD129
runs 0
says 'programs find no device: /dev/dri/renderD129: this kernel'
unset SVMATOMIC_DEVICE

export FAKE_DRM='renderD129=nouveau:old'
runs 1
runs 1 --json

runs 0 --version
grep -qx 'svmatomic-info [0-9]*\.[0-9]*\.[0-9]*' "$work/out"
runs 0 --help
says 'usage: svmatomic-info'
runs 0 -h
runs 64 --frob
complains "bad option '--frob'"
runs 64 --json=yes
complains '--json=yes'
runs 64 -x
complains "bad option '-x'"
runs 64 -xh /dev/null
complains "bad option '-x'"

if [ -w /dev/full ]; then
	for option in '' --json --help --version; do
		status=0
		# shellcheck disable=SC2086
		"$info" $option >/dev/full 2>/dev/null || status=$?
		[ "$status" = 74 ] || {
			echo "with a full disk, svmatomic-info $option exited with $status"
			exit 1
		}
		checks=$((checks + 1))
	done
fi
echo "$checks checks"
