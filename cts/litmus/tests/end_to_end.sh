#!/bin/sh
# SPDX-License-Identifier: MIT
#
# On the first OpenCL device: tests that have to pass do, kernels that are broken on purpose are
# caught, results have their form. end_to_end.sh PROGRAM TESTS
set -eu

program=$1
tests=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail()
{
	echo "$*"
	exit 1
}

# verdict STATUS WORD ARGUMENT...: the protocol's exit status and last line
verdict()
{
	status=$1
	word=$2
	shift 2
	got=0
	"$program" "$@" >"$work/out" 2>"$work/err" || got=$?
	[ "$got" -eq "$status" ] || fail "'$*' ended with $got, to be $status: $(tail -n 1 "$work/out" "$work/err")"
	tail -n 1 "$work/out" | grep -q "^$word" || fail "'$*' says: $(tail -n 1 "$work/out")"
}

got=0
"$program" --run CoWW --time 0.1 --no-mutants >"$work/out" 2>"$work/err" || got=$?
[ "$got" -ne 69 ] || {
	echo "skipped: $(cat "$work/err")"
	exit 77
}
# 78: some placements do not apply to this device.
[ "$got" -eq 0 ] || [ "$got" -eq 78 ] || fail "CoWW ended with $got: $(cat "$work/out" "$work/err")"

# On the device alone, what every device has: coherence.
verdict 0 pass --run CoRR --placement ab --orders 'rlx|rlx.rlx' --time 1 --json "$work/CoRR.json"
grep -q '"placement": "ab"' "$work/CoRR.json" || fail 'the JSON result lacks the placement'
grep -q '"scope": "dev"' "$work/CoRR.json" || fail 'the narrowest scope that includes groups is dev'
grep -q '"memory": "buffer"' "$work/CoRR.json" || fail 'device scope is to be tested in a buffer'

# A scope too narrow is a race, and does not run.
verdict 77 'not applicable: undefined: store of x by P0 and load by P1 race' \
	--run CoRR --placement ab --scope wg --orders 'rlx|rlx.rlx' --time 1

# A file of the user's, in a run of several.
sed 's/^OpenCL CoRR/OpenCL mine/' "$tests/CoRR.litmus" >"$work/mine.litmus"
"$program" -q --time 2 CoWR "$work/mine.litmus" --json "$work/two.json" >"$work/out"
for name in CoWR mine; do
	grep -q "^$name " "$work/out" || fail "$name is not in the table: $(cat "$work/out")"
done
grep -q '"fail": 0' "$work/two.json" || fail 'the JSON result lacks the score'

[ "$(nproc)" -ge 2 ] || {
	echo 'on one CPU no two threads run at once: what is broken on purpose is not looked for'
	exit 0
}

# Broken on purpose. A read-modify-write that is none shows wherever threads run at once; an order
# that is weaker than it says, where the processor is an x86 and the compiler leaves it as it is.
start=$(date +%s)
"$program" -q --time 6 --break rmw 'RMW*' >"$work/out" && fail "broken read-modify-writes pass: $(cat "$work/out")"
grep -q 'again: svmatomic-litmus --run RMW.* --seed 1 --break rmw' "$work/out" ||
	fail "no way to repeat it: $(cat "$work/out")"
case $(uname -m) in
x86_64 | i?86)
	"$program" -q --time 10 --break sc SB R >"$work/out" && fail "broken seq_cst passes: $(cat "$work/out")"
	grep -q 'forbidden outcome' "$work/out" || fail "broken seq_cst: $(cat "$work/out")"
	;;
esac
echo "caught within $(($(date +%s) - start)) s"
