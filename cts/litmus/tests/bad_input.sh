#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What is wrong is named in one line, with the documented exit status; the rest goes on. Needs no
# device. bad_input.sh PROGRAM TESTS
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/../../.." && pwd -P)
. "$top/tests/lib/refused.sh"

program=$1
tests=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# expect STATUS PATTERN ARGUMENT...
expect()
{
	expected=$1
	pattern=$2
	shift 2
	refused "'$*'" "$expected" "$pattern" "$program" "$@"
}

expect 64 "there is no option '--nonsense'" --nonsense
expect 64 'wants a value' --time
expect 64 '--time wants seconds' --time never
expect 64 '--time wants seconds' --time -1
expect 64 '--seed wants a number' --seed -1
expect 64 '--profile is none of quick, full' --profile slow
expect 64 '--scope is none of wg, dev, all' --scope gpu
expect 64 '--break is none of sc, acq_rel, fence, rmw' --break all
expect 64 "there is no test 'XY'" --run XY
expect 64 "there is no test 'XY'" --show XY
expect 64 "no test's name matches 'XY[*]'" 'XY*'
expect 64 'one argument too many' --list MP
expect 64 '--check wants the files' --check
expect 66 'cannot read' --check "$work/missing.litmus"
expect 66 'cannot read' --run "$work/missing.litmus"
expect 66 'cannot read' "$work/missing.litmus"
expect 69 'platform' --run MP --platform no-such-platform

# Files: a fault in the text, a statement that the model does not share, something else.
sed 's/fence /fense /' "$tests/MP.litmus" >"$work/typo.litmus"
sed 's/^allowed   rlx - rlx       | rlx - rlx/forbidden rlx - rlx | rlx - rlx/' \
	"$tests/MP.litmus" >"$work/wrong.litmus"
head -c 4096 /dev/zero >"$work/zero.litmus"
: >"$work/empty.litmus"
expect 65 "typo.litmus:7: 'fense' is no instruction" --check "$work/typo.litmus"
expect 65 'wrong.litmus:12: rlx.-.rlx[|]rlx.-.rlx is stated forbidden, but the model says allowed' \
	--check "$work/wrong.litmus"
expect 65 'is stated forbidden' --run "$work/wrong.litmus"
expect 65 'no litmus test' --check "$work/zero.litmus"
expect 65 'the file ends' --check "$work/empty.litmus"

# Of several files, each has its line, and good ones are no matter.
got=0
"$program" --check "$work/typo.litmus" "$tests/SB.litmus" "$work/empty.litmus" \
	2>"$work/err" || got=$?
[ "$got" -eq 65 ] || bad "two bad files of three: ended with $got"
[ "$(wc -l <"$work/err")" -eq 2 ] || bad "two bad files of three: $(cat "$work/err")"

# What the repository has is right, and listed in the protocol's form.
"$program" --check "$tests"/*.litmus
"$program" --list >"$work/list"
for file in "$tests"/*.litmus; do
	name=${file##*/}
	grep -q "^${name%.litmus}	." "$work/list" || bad "$name is not among what --list says"
done
"$program" --show SB | grep -q '^sc.-.sc|sc.-.sc  forbidden; 3 of 4 candidate' ||
	bad '--show SB does not say that sc is forbidden'

[ "$failures" -eq 0 ]
