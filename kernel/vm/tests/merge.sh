#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What merge.awk makes of kernel logs: good ones, bad ones and cut ones. merge.sh TREE
set -eu

tree=$(CDPATH='' cd -- "$1" && pwd -P)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

# merge ENDED PROGRAMS [PLAIN]: the log on standard input, as tests see it.
merge()
{
	cat >"$scratch/log"
	awk -f "$tree/kernel/vm/signs.awk" -f "$tree/kernel/vm/merge.awk" -v kernel=perf \
		-v ended="$1" -v programs="$2" -v plain="${3-}" -v first=1 -v xml="$scratch/xml" \
		-v counts="$scratch/counts" "$scratch/log" >"$scratch/tap"
}

# good PROGRAM: the log of a program of three tests, all well.
good()
{
	cat <<-END
	[    0.000000] Linux version 6.12.117
	[    1.100000] [U] svmatomic: begin $1
	[    1.200000] [U] TAP version 13
	[    1.200001] [U] 1..3
	[    1.200002] [U] #  RUN           one ...
	[    1.300000] [U] ok 1 one
	[    1.300001] [U] #  RUN           two ...
	[    1.400000] $2
	[    1.400000] [U] ok 2 two
	[    1.400001] [U] #  RUN           three ...
	[    1.500000] [U] ok 3 three # SKIP no such <device>
	[    1.500001] [U] svmatomic: end $1 0
	END
}

# wants WHAT COUNTS [PATTERN...]: what the last log was, "passed failed skipped", and
# lines that the TAP has.
wants()
{
	title=$1
	[ "$(cat "$scratch/counts")" = "$2" ] || {
		echo "$title: counted '$(cat "$scratch/counts")', not '$2'"
		cat "$scratch/tap"
		failures=$((failures + 1))
	}
	shift 2
	for pattern in "$@"; do
		grep -qx -e "$pattern" "$scratch/tap" || {
			echo "$title: no line '$pattern' in:"
			cat "$scratch/tap"
			failures=$((failures + 1))
		}
	done
}

good a 'a line of no matter' | merge 'ended 0' a
wants 'a good log' '3 0 1' 'ok 1 - perf a one' 'ok 3 - perf a three # SKIP no such <device>' \
	'ok 4 - perf kernel log outside tests'

good a 'a line of no matter' | sed 's/$/\r/' | merge 'ended 0' a
wants 'a log with carriage returns' '3 0 1' 'ok 1 - perf a one'

good a 'WARNING: CPU: 1 PID: 70 at mm/rmap.c:2500' | merge 'ended 0' a
wants 'a warning in a test' '2 1 1' 'ok 1 - perf a one' 'not ok 2 - perf a two' \
	'# the kernel said: WARNING: CPU: 1 PID: 70 at mm/rmap.c:2500'

# plain STATUS LINE: the log of a program that writes no TAP.
plain()
{
	cat <<-END
	[    1.100000] [U] svmatomic: begin p
	[    1.200000] $2
	[    1.300000] [U] skipped: no vsvm here
	[    1.500001] [U] svmatomic: end p $1
	END
}

plain 0 'a line' | merge 'ended 0' p p
wants 'status 0' '2 0 0' 'ok 1 - perf p all'
plain 77 'a line' | merge 'ended 0' p p
wants 'status 77' '1 0 1' 'ok 1 - perf p all # SKIP no vsvm here'
plain 1 'a line' | merge 'ended 0' p p
wants 'status 1' '1 1 0' 'not ok 1 - perf p all' '# exit status 1'
plain 0 'WARNING: CPU: 1 PID: 70 at mm/rmap.c:2500' | merge 'ended 0' p p
wants 'status 0 and a warning' '1 1 0' 'not ok 1 - perf p all'
plain 0 'a line' | merge 'ended 0' p
wants 'no TAP where there should be' '1 1 0' '# no plan, and exit status 0'
plain 0 'a line' | sed '$d' | merge 'timeout 9' p p
wants 'status of none' '1 1 0' '# timed out: the machine was stopped after 9 s'

# Each sign is one; what a program writes is none.
while IFS= read -r sign; do
	good a "$sign" | merge 'ended 0' a
	wants "the sign '$sign'" '2 1 1' 'not ok 2 - perf a two'
	good a "[U] # $sign" | merge 'ended 0' a
	wants "the words '$sign'" '3 0 1'
done <<-'END'
BUG: KASAN: slab-use-after-free in f+0x1/0x2
BUG: Bad page map in process a  pte:1 pmd:2
BUG: Bad rss-counter state mm:00 type:MM_ANONPAGES val:1
BUG: sleeping function called from invalid context at mm/a.c:1
WARNING: possible circular locking dependency detected
WARNING: suspicious RCU usage
INFO: task a:70 blocked for more than 120 seconds.
rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
watchdog: BUG: soft lockup - CPU#0 stuck for 22s!
Oops: general protection fault, probably for non-canonical address
UBSAN: shift-out-of-bounds in mm/a.c:1:2
get_swap_device: Bad swap file entry 3
refcount_t: underflow; use-after-free.
 *** DEADLOCK ***
Call Trace:
** 12 printk messages dropped **
END

# A report of the OOM killer is no sign, but what comes in its midst can be.
oom()
{
	cat <<-END
	[    1.000000] [U] svmatomic: begin a
	[    1.100000] [U] 1..1
	[    1.200000] a invoked oom-killer: gfp_mask=0x1
	[    1.200001] Call Trace:
	[    1.200002] $1
	[    1.200003] Memory cgroup out of memory: Killed process 70 (a)
	[    1.300000] $2
	[    1.400000] [U] ok 1 killed
	[    1.500000] [U] svmatomic: end a 0
	END
}
oom ' <TASK>' 'nothing' | merge 'ended 0' a
wants 'an OOM report' '2 0 0'
oom 'BUG: Bad page state' 'nothing' | merge 'ended 0' a
wants 'a bug in an OOM report' '1 1 0'
oom ' <TASK>' 'Call Trace:' | merge 'ended 0' a
wants 'a trace after an OOM report' '1 1 0'

good a nothing | sed 's/ok 2 two/not ok 2 two/; s/end a 0/end a 1/' | merge 'ended 0' a
wants 'a failed test' '2 1 1' 'not ok 2 - perf a two' '# it says so'

good a nothing | sed 's/not ok 3 three # SKIP.*/XX/; s/ok 3 three # SKIP/not ok 3 three # SKIP/' |
	merge 'ended 0' a
wants 'a failure that says skip' '3 1 0' 'not ok 3 - perf a three'

good a nothing | sed '/ok 3/d; s/end a 0/end a 139/' | merge 'ended 0' a
wants 'a program that crashed' '3 1 0' 'not ok 3 - perf a to its end' \
	'# only 2 of 3 tests ran, and exit status 139'

good a nothing | sed '/1\.\.3/d' | merge 'ended 0' a
wants 'a program without a plan' '3 1 1' '# no plan, and exit status 0'

good a nothing | sed 's/ok 2 two/ok 7 two/' | merge 'ended 0' a
wants 'a wrong number' '3 1 1' '# its result 2 has number 7'

good a nothing | sed 's/end a 0/end a 3/' | merge 'ended 0' a
wants 'a status without a failure' '3 1 1' '# exit status 3, though no test failed'

printf '%s\n' '[1.0] [U] svmatomic: begin a' '[1.1] [U] 1..0 # SKIP no device' \
	'[1.2] [U] svmatomic: end a 4' | merge 'ended 0' a
wants 'a program that skips' '1 0 1' 'ok 1 - perf a all # SKIP no device'

good a nothing | sed '/ok 2/,$d' | merge 'timeout 900' 'a b'
wants 'a hang' '2 2 0' 'not ok 2 - perf a two' \
	'# timed out: the machine was stopped after 900 s' 'not ok 3 - perf b all'

good a 'Kernel panic - not syncing: Fatal exception' | sed '/ok 2/,$d' | merge died a
wants 'a panic' '2 1 0' 'not ok 2 - perf a two' \
	'# the machine died; the kernel said: Kernel panic - not syncing: Fatal exception'

good a nothing | merge died 'a'
wants 'a death after the tests' '3 1 1' "not ok 4 - perf the machine's own job"

good a nothing | merge 'ended 1' 'a'
wants 'a failed set-up' '3 1 1' "not ok 4 - perf the machine's own job"

merge died 'a b' </dev/null
wants 'no log at all' '1 3 0' 'not ok 1 - perf a all' '# never started: the machine died'

bug='[    0.500000] BUG: unable to handle page fault'
{ echo "$bug" && good a nothing; } | merge 'ended 0' a
wants 'a bug before the tests' '2 1 1' 'not ok 4 - perf kernel log outside tests'
{ good a nothing && echo "$bug"; } | merge 'ended 0' a
wants 'a bug after the tests' '2 1 1' 'not ok 4 - perf kernel log outside tests'

# The second program's results are its own, and a trace between the two is nobody's.
{
	good a nothing
	echo '[    2.000000] WARNING: at unload'
	good b nothing
} | merge 'ended 0' 'a b'
wants 'two programs' '4 1 2' 'ok 4 - perf b one' 'not ok 7 - perf kernel log outside tests'

# The XML is well-formed, whatever a test is called.
good a 'WARNING: <&">' | sed 's/one/o<n>&e "x"/' | merge 'ended 0' a
if command -v python3 >/dev/null; then
	python3 - "$scratch/xml" <<-'END' || failures=$((failures + 1))
	import sys, xml.etree.ElementTree as tree
	suite = tree.parse(sys.argv[1]).getroot()
	assert suite.get('tests') == '4' and suite.get('failures') == '1', suite.attrib
	names = [case.get('name') for case in suite]
	assert any('<n>' in name and '"x"' in name for name in names), names
	assert 'WARNING: <&">' in suite.find('.//failure').text
	END
fi

[ "$failures" -eq 0 ]
