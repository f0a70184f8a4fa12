#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every test fails where what it is about is broken: for each test, at least one way to break
# an implementation (broken.c), with which it fails, where it does not without.
# broken.sh api|kernels|all SVMATOMIC-CONFORMANCE BROKEN-LIBRARY
set -eu

part=$1
conformance=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# LD_PRELOAD takes no spaces, which the build's path may have.
library=$work/broken.so
cp "$3" "$library"
failures=0
shown=0
not_shown=0

# A fault and the tests that find it, by names or patterns.
api_faults()
{
	cat <<-'END'
	old               query.mandatory-svm
	no-coarse         query.fine-extends-coarse
	memory-none       query.atomic-memory-minimum
	memory-gap        query.atomic-memory-hierarchy
	fence-none        query.atomic-fence-minimum
	fence-gap         query.atomic-fence-hierarchy
	no-features       query.atomic-features
	no-all-devices    query.svm-atomics-scope
	strict            alloc.flags-0 alloc.read-write alloc.write-only alloc.read-only
	strict            alloc.fine-grain alloc.atomics alloc.fine-grain-read-only
	lenient           alloc.read-write-and-* alloc.write-only-and-* alloc.atomics-without-*
	lenient           alloc.flags-of-buffers alloc.flags-undefined alloc.size-zero
	lenient           alloc.size-beyond-maximum alloc.alignment-not-a-power
	lenient           alloc.context-invalid
	no-fine           alloc.fine-grain-unsupported
	no-svm-atomics    alloc.atomics-unsupported
	short             alloc.size-odd
	misaligned        alloc.alignment-powers alloc.alignment-default alloc.alignment-beyond
	same              alloc.distinct
	shifted           alloc.same-address
	strict            svmfree.null
	leak              svmfree.returns-memory
	free-spoils       svmfree.leaves-others
	shifted           argument.pointer argument.offset argument.constant
	argument-first    argument.at-enqueue
	argument-once     argument.kept
	lenient           argument.kernel-invalid argument.index-invalid
	lenient           execinfo.*-invalid execinfo.value-null
	no-system         execinfo.system-true
	strict            execinfo.empty execinfo.system-false execinfo.reaches execinfo.replaced
	strict            execinfo.many
	base-only         execinfo.middle
	clone-bare        clone.*
	noop              memcpy.*-to-* memcpy.in-order memcpy.adjacent
	beside            memcpy.any-byte memcpy.nothing memfill.region
	late              memcpy.blocking
	no-wait           memcpy.non-blocking map.non-blocking enqueuefree.not-before
	lenient           memcpy.null memcpy.overlap memcpy.overlap-host
	overlap           memcpy.overlap memcpy.overlap-host
	noop              memfill.pattern-sizes
	pattern-late      memfill.pattern-reused
	lenient           memfill.*-null memfill.pattern-size-* memfill.size-* memfill.misaligned
	unmap-loses       map.turns map.turns-fine-grain map.region map.two-regions
	map-spoils        map.blocking
	lenient           map.null map.size-zero map.flags-* unmap.null
	writeback         map.without
	migrate-clears    migrate.without-sizes migrate.size-zero migrate.range migrate.middle
	migrate-clears    migrate.to-host migrate.then-kernel
	strict            migrate.content-undefined
	lenient           migrate.none migrate.null migrate.beyond migrate.foreign
	callback-twice    enqueuefree.callback
	callback-data     enqueuefree.callback enqueuefree.user-data-null
	callback-list     enqueuefree.list-reused
	callback-early    enqueuefree.not-before enqueuefree.after-earlier
	leak              enqueuefree.without-callback
	noop              enqueuefree.system
	lenient           enqueuefree.none enqueuefree.null
	lenient           *.queue-invalid *.wait-list-null *.wait-list-empty *.wait-list-invalid
	lenient           *.other-context *.failed-wait
	no-wait           *.waits
	list-late         *.wait-list-reused
	undead            *.terminated
	event-type        *.event-type
	event-owner       *.event-owner
	profile           *.profile
	buffer-copies     buffer.storage buffer.host-pointer buffer.map subbuffer.shares
	strict            buffer.smaller
	lenient           buffer.larger buffer.larger-copy
	release-frees     buffer.released
	uses-inverted     *.uses-svm-pointer*
	no-svm            nosvm.*
	END
}

kernel_faults()
{
	cat <<-'END'
	non-atomic        subbuffer.borders subbuffer.pointer-across subbuffer.aliases
	unmap-loses       structure.list-of-host structure.list-fine-grain structure.list-mixed
	unmap-loses       structure.tree
	map-spoils        structure.list-of-device
	shifted           structure.list-of-malloc
	non-atomic        structure.list-of-both
	writeback         system.malloc system.malloc-large system.offset system.untouched
	writeback         system.stack system.thread-stack system.program system.constants
	writeback         system.file-* system.*huge-pages system.two-mappings system.moved
	writeback         system.replaced system.discarded system.fork-*
	shifted           system.through-pointer
	noop              system.memfill
	non-atomic        system.atomics
	no-system         system.refused
	serial            visibility.while-running
	early-flag        visibility.acquire-release visibility.seq-cst visibility.fences*
	writeback         visibility.neighbours visibility.neighbours-system
	non-atomic        atomic.*.int atomic.flag_*
	non-atomic        atomic.exchange.* atomic.fetch_add.*
	new-value         atomic.fetch_add.long atomic.fetch_max.int atomic.exchange.float
	lower-half        atomic.fetch_add.ulong atomic.exchange.ulong atomic.fetch_min.ulong
	unsigned          atomic.fetch_min.int atomic.fetch_max.long
	spurious          atomic.compare_exchange_strong.uint
	END
}

# The same for every type, which takes a while.
all_faults()
{
	echo 'non-atomic atomic.*'
}

bad()
{
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# verdict_of FAULT TEST [SECONDS]: the last line, or how the process ended. Without a fault: '-'.
verdict_of()
{
	how=$1
	set -- "$conformance" --run "$2" --timeout 20 --time "${3-1}"
	[ "$how" = - ] || set -- env "LD_PRELOAD=$library" "SVMATOMIC_BROKEN=$how" "$@"
	status=0
	timeout -s KILL 90 "$@" >"$work/out" 2>"$work/err" || status=$?
	case $status in
	0 | 1 | 77 | 78) tail -n 1 "$work/out" ;;
	137) echo 'fail: it hangs' ;;
	64 | 69 | 70) echo "error: $(cat "$work/err")" ;;
	*) echo "fail: crashed, status $status" ;;
	esac
}

# try FAULT TEST
try()
{
	# One verdict without a fault is enough for all faults.
	plain=$work/plain-$2
	[ -s "$plain" ] || verdict_of - "$2" >"$plain"
	before=$(cat "$plain")
	after=$(verdict_of "$1" "$2")
	case $after in
	# A race that was not lost yet: with more patience.
	pass | partial*) after=$(verdict_of "$1" "$2" 10) ;;
	esac
	case $before:$after in
	fail*)
		echo "$2: not shown, it fails without a fault: $before"
		not_shown=$((not_shown + 1))
		;;
	*:"not applicable"*)
		echo "$2: not shown: $after"
		not_shown=$((not_shown + 1))
		;;
	# It may just be slow: that is no finding, but where the fault is to make it hang.
	*:"fail: no answer"* | *:"fail: it hangs")
		if [ "$1" = serial ]; then
			echo "$2 finds $1: $after"
			shown=$((shown + 1))
		else
			bad "$2 with $1: $after"
		fi
		;;
	*:fail*)
		echo "$2 finds $1: $after"
		shown=$((shown + 1))
		;;
	*) bad "$2 does not find $1: $before, and with it $after" ;;
	esac
}

# matching PATTERN: the tests of that name.
matching()
{
	found=
	while read -r name; do
		# shellcheck disable=SC2254 # a pattern
		case $name in
		$1) found="$found $name" ;;
		esac
	done <"$work/names"
	[ -n "$found" ] || bad "there is no test '$1'"
	for name in $found; do
		echo "$name" >>"$work/covered"
	done
}

"$conformance" --list | cut -f 1 >"$work/names"
: >"$work/covered"

status=0
LD_PRELOAD=$library SVMATOMIC_BROKEN=misspelt "$conformance" --run alloc.size-zero \
	>/dev/null 2>&1 || status=$?
[ "$status" -eq 70 ] || bad "a misspelt fault is not noticed"
status=0
"$conformance" --run alloc.size-zero >/dev/null 2>&1 || status=$?
[ "$status" -ne 69 ] || {
	echo 'skipped: no OpenCL device'
	exit 77
}

case $part in
api) api_faults >"$work/faults" ;;
kernels) kernel_faults >"$work/faults" ;;
all) all_faults >"$work/faults" ;;
esac
while read -r fault patterns; do
	set -f
	for pattern in $patterns; do
		matching "$pattern"
		for name in $found; do
			try "$fault" "$name"
		done
	done
	set +f
done <"$work/faults"

# No test without a fault; those of atomics are by operation and by type.
{
	api_faults
	kernel_faults
} | while read -r fault patterns; do
	set -f
	for pattern in $patterns; do
		matching "$pattern"
	done
	set +f
done
grep -v '^atomic\.' "$work/names" | while read -r name; do
	grep -qx "$name" "$work/covered" || echo "$name"
done >"$work/uncovered"
[ ! -s "$work/uncovered" ] || bad "no fault is for $(tr '\n' ' ' <"$work/uncovered")"

echo "$shown faults found, $not_shown could not be shown here"
[ "$failures" -eq 0 ] || {
	echo "$failures were not found"
	exit 1
}
