#!/bin/sh
# SPDX-License-Identifier: MIT
#
# svmatomic-cts from its command line to its files, on programs that stand in for Khronos'
# and for ours and do all that a test should not.
# runner.sh PART SVMATOMIC-CTS TESTS SCHEMA CRASH
set -eu

part=$1
cts=$(realpath "$2")
tests=$3
schema=$4
crash=$(realpath "$5")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir bin programs
for name in bin/test_svm bin/test_c11_atomics programs/svmatomic-conformance \
	programs/svmatomic-litmus device; do
	cp "$tests/standin.sh" "$name"
	chmod 755 "$name"
done
STANDIN_DIR=$work
STANDIN_CRASH=$crash
export STANDIN_DIR STANDIN_CRASH
unset SVMATOMIC_CTS

die()
{
	echo "FAILED: $*" >&2
	cat out.txt err.txt >&2
	exit 1
}

# expect STATUS COMMAND...
expect()
{
	wanted=$1
	shift
	status=0
	timeout 100 "$@" >out.txt 2>err.txt || status=$?
	[ "$status" -eq "$wanted" ] || die "exit status $status, not $wanted: $*"
}

said()
{
	grep -qE -e "$1" err.txt || die "no '$1' on stderr"
}

# verdict NAME VERDICT [REASON]: what the result has of a test.
verdict()
{
	got=$(jq -r --arg name "$1" '.tests[] | select(.name == $name) | .verdict' result.json)
	[ "$got" = "$2" ] || die "$1: '$got', not '$2'"
	[ $# -eq 2 ] ||
		jq -r --arg name "$1" '.tests[] | select(.name == $name) | .reason' result.json |
		grep -qE -e "$3" || die "$1: its reason does not have '$3'"
}

valid()
{
	[ ! -x /usr/bin/jsonschema ] || /usr/bin/jsonschema -i "$1" "$schema" ||
		die "$1 does not fit the schema"
}

# Whether a process that left its number in FILE is gone; what is left of it may be a zombie.
gone()
{
	state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$(cat "$1")/status" 2>/dev/null) || :
	[ -z "$state" ] || [ "$state" = Z ]
}

run()
{
	wanted_status=$1
	shift
	expect "$wanted_status" "$cts" run --quiet --bindir bin --programs programs \
		--through ./device --no-expectations --json result.json "$@"
}

# Every kind of end, from every kind of program.
verdicts()
{
	export STANDIN_TESTS='svm_pass svm_fail svm_skip svm_partial svm_crash svm_garbage svm_arguments'
	run 1 --verbose
	verdict test_svm/svm_pass pass
	verdict test_svm/svm_arguments pass
	verdict test_svm/svm_fail fail 'from main.cpp:1'
	verdict test_svm/svm_skip 'not executed' 'test not executed'
	verdict test_svm/svm_partial partial '1 of 2 parts not executed'
	# Its output was a terminal, and what it wrote not lost in its buffer.
	verdict test_svm/svm_crash crash 'signal 11 .*about to crash'
	verdict test_svm/svm_garbage error 'not what was expected .*garbage'
	verdict test_c11_atomics/svm_atomic_shared pass
	verdict conformance/alloc.pass pass
	verdict conformance/alloc.fail fail 'it took a size of 0'
	verdict conformance/alloc.none 'not executed' 'no SVM atomics'
	verdict conformance/alloc.partial partial 'no huge pages'
	verdict litmus/alloc.pass pass
	grep -qx 'litmus: 6 of 8 killable mutants killed (75%)' out.txt || die 'no score of mutants'
	[ "$(jq '.tests | length' result.json)" -eq 16 ] || die 'not 16 tests'
	[ "$(jq -r '.complete' result.json)" = true ] || die 'not complete'
	jq -r '.left_out[].why' result.json | grep -q '1 tests that are not of SVM' ||
		die 'nothing says that c11_atomics without SVM was left out'
	valid result.json

	run 0 'test_c11_atomics/*' '[cl]*/*.pass' --seed 7 --time 2 -d stand -p in
	[ "$(jq -r '[.tests[].name] | join(" ")' result.json)" = \
		'test_c11_atomics/atomic_plain test_c11_atomics/svm_atomic_shared conformance/alloc.pass litmus/alloc.pass' ] ||
		die 'other tests than the patterns name'
	for got in '--time 2' '--seed 7 --time 2'; do
		grep -qx "alloc.pass --platform in --device stand $got" ran ||
			die 'our programs do not get what was asked for'
	done
	run 0 test_c11_atomics --all
	[ "$(jq '.tests | length' result.json)" -eq 2 ] || die '--all does not add what is not of SVM'
	expect 0 "$cts" list --bindir bin --programs programs test_svm 'litmus/*.pass'
	[ "$(wc -l <out.txt)" -eq 8 ] || die 'list does not name 8 tests'
	grep -q "litmus/alloc.pass	passes (5.6.1)" out.txt || die 'list does not say what a test is for'
}

# What does not end, alone or with company, is ended; nothing waits for what is left over.
killing()
{
	hanging='svm_hang1 svm_hang2 svm_hang3 svm_hang4 svm_hang5 svm_hang6'
	export STANDIN_TESTS="$hanging svm_stubborn svm_flood"
	began=$(date +%s)
	run 1 test_svm -j 8 --timeout 3
	took=$(($(date +%s) - began))
	for name in $STANDIN_TESTS; do
		verdict "test_svm/$name" timeout 'no end within 3 s'
	done
	verdict test_svm/svm_flood timeout 'this never ends'
	for name in $hanging svm_stubborn; do
		gone "pid.$name" || die "$name is still there"
	done
	# Side by side: 3 s, and 2 for who does not listen. One after the other it would be 26.
	[ "$took" -le 20 ] || die "8 tests at a time took $took s"

	export STANDIN_TESTS='svm_orphan svm_escape svm_verbose svm_pass'
	run 0 test_svm --timeout 100 --logs logs
	for name in $STANDIN_TESTS; do
		verdict "test_svm/$name" pass
	done
	gone pid.svm_orphan || die 'what svm_orphan started is still there'
	[ "$(wc -c <logs/test_svm.svm_verbose.log)" -lt 8600000 ] || die 'a log grows without end'
	grep -q 'rest was not kept' logs/test_svm.svm_verbose.log || die 'a log is cut without a word'
	grep -qx 'svm_pass passed' logs/test_svm.svm_pass.log || die 'no log of svm_pass'
	# It holds the output for longer than that.
	jq -e '.tests[] | select(.name == "test_svm/svm_escape") | .seconds < 15' result.json >/dev/null ||
		die 'the runner waits for what left the group'
}

# interrupt SIGNAL: start a run in the background, wait for its first tests, and send it.
interrupt()
{
	"$cts" run --quiet --bindir bin --through ./device --no-expectations --json result.json \
		test_svm >out.txt 2>err.txt &
	runner=$!
	for _ in $(seq 100); do
		[ ! -s pid.svm_stubborn ] || break
		sleep 0.1
	done
	kill "-$1" "$runner"
	status=0
	wait "$runner" || status=$?
}

# A run that was interrupted keeps what is done, ends what is not, and can be gone on with.
resume()
{
	export STANDIN_TESTS='svm_pass svm_fail svm_stubborn svm_skip'
	for signal in INT TERM; do
		rm -f result.json ran pid.*
		interrupt "$signal"
		[ "$status" -eq 130 ] || die "$signal: exit status $status, not 130"
		gone pid.svm_stubborn || die "$signal: a test is still running"
		said 'interrupted; 2 tests are done, go on with .*--resume'
		[ "$(jq '.complete' result.json)" = false ] || die "$signal: called complete"
		verdict test_svm/svm_pass pass
		verdict test_svm/svm_fail fail
		jq -e '.tests | length == 2' result.json >/dev/null || die "$signal: not two results"
		valid result.json
	done

	# The rest, with another limit; what was done is not done again.
	: >ran
	run 1 test_svm --resume --timeout 1
	[ "$(cat ran)" = svm_skip ] || die "ran again: $(cat ran)"
	verdict test_svm/svm_pass pass
	verdict test_svm/svm_stubborn timeout
	verdict test_svm/svm_skip 'not executed'
	[ "$(jq '.complete' result.json)" = true ] || die 'not complete'
	[ "$(jq -r '[.tests[].name] | join(" ")' result.json)" = \
		'test_svm/svm_pass test_svm/svm_fail test_svm/svm_stubborn test_svm/svm_skip' ] ||
		die 'not in order'

	# Even a runner that is killed has kept what was done.
	rm -f result.json pid.*
	interrupt KILL
	kill -KILL "$(cat pid.svm_stubborn)"
	verdict test_svm/svm_fail fail
	[ "$(jq '.complete' result.json)" = false ] || die 'KILL: called complete'
	ls result.json.* 2>/dev/null && die 'a temporary file is left'

	# Nothing there yet to go on with; and not what another device did.
	rm result.json
	STANDIN_TESTS=svm_pass run 0 test_svm --resume
	STANDIN_PLATFORM=Other run 65 test_svm --resume
	said 'result.json is of another device'
}

# What is expected decides over the exit status, either way.
expecting()
{
	export STANDIN_TESTS='svm_pass svm_fail svm_skip svm_flaky'
	mkdir expected
	cat >expected/stand-in.txt <<-'END'
	platform: stand-in
	version: *1.0*
	fail          test_svm/svm_f*    bug #1
	not-executed  test_svm/svm_skip  no SVM
	END
	cat >expected/other.txt <<-'END'
	platform: other
	pass  test_svm/svm_f*
	END
	known='--no-expectations --expectations expected'
	# shellcheck disable=SC2086 # words
	run 0 test_svm $known
	grep -q 'stand-in.txt: 0 worse, 0 better' out.txt || die 'the table does not name the file'
	touch mended
	# shellcheck disable=SC2086
	run 2 test_svm $known
	[ "$(jq -r '.tests[] | select(.difference == "better") | .name' result.json)" = \
		test_svm/svm_flaky ] || die 'what is better is not marked'
	grep -q 'svm_flaky .*fail' out.txt || die 'the table does not show what is better'
	echo 'fail test_svm/svm_pass because' >>expected/stand-in.txt
	rm mended
	# shellcheck disable=SC2086
	run 2 test_svm $known
	sed -i '/svm_skip/d' expected/stand-in.txt
	# shellcheck disable=SC2086
	run 1 test_svm $known
	[ "$(jq -r '.tests[] | select(.difference == "worse") | .name' result.json)" = \
		test_svm/svm_skip ] || die 'a test that is not executed where it should is not marked'

	# For what nobody has described, failures count.
	# shellcheck disable=SC2086
	STANDIN_PLATFORM=Unknown run 1 test_svm $known
	# shellcheck disable=SC2086
	STANDIN_PLATFORM=Unknown run 0 test_svm/svm_skip test_svm/svm_pass $known
	grep -q 'expectations: none that apply' out.txt || die 'silent about that'

	# A misspelt name is said, and is no failure.
	echo 'fail test_svm/svm_misspelt because' >>expected/stand-in.txt
	# shellcheck disable=SC2086
	run 0 test_svm/svm_fail $known
	said "stand-in.txt:5: no test fits 'test_svm/svm_misspelt'"

	# What `expect` writes fits what it was made from.
	run 1 test_svm
	expect 0 "$cts" expect result.json
	cp out.txt made.txt
	run 0 test_svm --expectations made.txt
	sed -i 's/^fail /pass /' made.txt
	run 1 test_svm --expectations made.txt
}

outputs()
{
	export STANDIN_TESTS='svm_pass svm_fail svm_skip svm_partial svm_garbage'
	run 1 --tap tap.txt --junit junit.xml
	valid result.json
	if command -v xmllint >/dev/null; then
		xmllint --noout junit.xml || die 'junit.xml is not well-formed'
	fi
	# Two failures and an error of ours, of 14 tests.
	[ "$(grep -c '<testcase ' junit.xml)" -eq 14 ] || die 'not 14 test cases in junit.xml'
	[ "$(grep -c '<failure ' junit.xml)" -eq 3 ] || die 'not 3 failures in junit.xml'
	[ "$(grep -c '<error ' junit.xml)" -eq 1 ] || die 'not one error in junit.xml'
	grep -q '&lt;wrong&gt; &amp; &quot;bad&quot;' junit.xml || die 'not escaped in junit.xml'
	grep -qx '1..14' tap.txt || die 'no plan in tap.txt'
	[ "$(grep -c '^ok ' tap.txt)" -eq 10 ] || die 'not 10 ok in tap.txt'
	[ "$(grep -c '^not ok ' tap.txt)" -eq 4 ] || die 'not 4 not ok in tap.txt'
	[ "$(grep -c '# SKIP ' tap.txt)" -eq 3 ] || die 'not 3 skipped in tap.txt'
	if command -v prove >/dev/null; then
		prove --exec cat tap.txt >prove.txt 2>&1 || :
		grep -q 'Failed 4/14' prove.txt || die "prove does not understand: $(cat prove.txt)"
	fi

	cp result.json before.json
	run 1 --tap -
	grep -qx 'TAP version 13' out.txt || die 'no TAP on standard output'
	grep -q '^tests:' out.txt && die 'a table on standard output, too'
	expect 1 "$cts" run --quiet --bindir bin --through ./device --no-expectations test_svm --json -
	jq -e '.tests | length == 5' out.txt >/dev/null || die 'no JSON on standard output'

	expect 0 "$cts" compare before.json result.json
	grep -q '0 changed, 14 the same' out.txt || die 'compare does not see that they are the same'
	jq '(.tests[] | select(.name == "test_svm/svm_pass")).verdict = "fail"' before.json >after.json
	expect 1 "$cts" compare before.json after.json
	grep -q 'svm_pass .*worse' out.txt || die 'compare does not see what is worse'
	expect 2 "$cts" compare after.json before.json
	expect 1 "$cts" compare --json before.json after.json
	jq -e '.changes | length == 1' out.txt >/dev/null || die 'no JSON of compare'

	# Two things at a time and twice the same: the same result.
	run 1 -j 4
	expect 0 "$cts" compare before.json result.json
	[ "$(jq -c '[.tests[].name]' result.json)" = "$(jq -c '[.tests[].name]' before.json)" ] ||
		die 'another order with -j 4'
}

# refused WHAT STATUS PATTERN ARGUMENT...: nothing is run, and one line says why.
refused()
{
	what=$1
	wanted_status=$2
	pattern=$3
	shift 3
	expect "$wanted_status" "$cts" "$@"
	echo "$what: status $wanted_status: $(cat err.txt)"
	said "$pattern"
	[ "$(wc -l <err.txt)" -eq 1 ] || die "$what: not one line on stderr"
	[ ! -s out.txt ] || die "$what: something on standard output"
	[ ! -e ran ] || die "$what: a test was run"
}

# went_on STATUS PATTERN ARGUMENT...: one line says what is wrong, the rest is run.
went_on()
{
	wanted_status=$1
	pattern=$2
	shift 2
	rm -f ran
	expect "$wanted_status" "$cts" run --quiet --through ./device --no-expectations "$@"
	said "$pattern"
	[ "$(wc -l <err.txt)" -eq 1 ] || die "not one line on stderr: $*"
	grep -q 'alloc.pass' ran || die "the rest was not run: $*"
}

bad_input()
{
	here='--programs programs --through ./device --no-expectations'
	refused 'no such command' 64 'frobnicate' frobnicate
	refused 'no such option' 64 'frobnicate' run --frobnicate
	refused 'an option without its value' 64 'bindir' run --bindir
	refused 'no jobs' 64 "not '0'" run -j 0
	refused 'jobs without end' 64 "not '1000'" run -j 1000
	refused 'no time' 64 "not '-1'" run --timeout -1
	refused 'no number' 64 "not 'x'" run --seed x
	refused 'resume of what' 64 'file of --json' run --resume
	refused 'two outputs in one' 64 'only one of' run --json - --tap -
	# shellcheck disable=SC2086 # words
	refused 'no such test' 64 "fits 'litmus/nothing" run $here 'litmus/nothing*'
	# shellcheck disable=SC2086
	refused 'no such program' 64 "fits 'frobnicate'" run $here frobnicate
	refused 'no tests at all' 66 'there is no directory' run --bindir nowhere --through ./device test_svm
	refused 'compare with one' 64 'two results' compare one.json
	refused 'compare with nothing' 66 'nowhere.json' compare nowhere.json nowhere.json
	echo '{"schema": "other"}' >foreign.json
	echo '{' >truncated.json
	refused 'a foreign file' 65 'foreign.json is no result' compare foreign.json foreign.json
	refused 'half a file' 65 'truncated.json:[0-9]+: not JSON' expect truncated.json
	# shellcheck disable=SC2086
	refused 'resume of a foreign file' 65 'foreign.json is no result' run $here --json foreign.json --resume
	# shellcheck disable=SC2086
	STANDIN_DEVICE=gone refused 'no device' 69 'there is no OpenCL platform' run $here
	# shellcheck disable=SC2086
	STANDIN_DEVICE=crashes refused 'a driver that crashes' 69 'dies of signal 11' run $here
	# shellcheck disable=SC2086
	refused 'no directory for logs' 73 'cannot create' run $here --logs nowhere/logs

	# What is wrong with a program or a file is said; the rest of the run goes on.
	only='--programs programs conformance/alloc.pass'
	# shellcheck disable=SC2086
	went_on 66 'there is no directory nowhere' --bindir nowhere $only test_svm
	mkdir empty broken
	# shellcheck disable=SC2086
	went_on 66 'there is no test_svm in empty' --bindir empty $only test_svm
	printf '\177ELF\002\001\001\0\0\0\0\0\0\0\0\0\002\0\362\0\001\0\0\0' >broken/test_svm
	head -c 4096 /dev/zero >>broken/test_svm
	chmod 755 broken/test_svm
	rm -f ran
	expect 65 "$cts" list --bindir broken --programs programs test_svm conformance
	said 'test_svm is no program for this machine; is it built for another architecture'
	grep -q alloc.pass out.txt || die 'no list of what there is'
	printf '#!/bin/sh\necho Hello\n' >broken/test_svm
	# shellcheck disable=SC2086
	went_on 65 'broken/test_svm --list names no tests' --bindir broken $only test_svm
	printf '#!/bin/sh\necho oh no >&2\nexit 3\n' >broken/test_svm
	# shellcheck disable=SC2086
	went_on 65 'broken/test_svm --list ends with status 3: oh no' --bindir broken $only test_svm
	printf '#!/bin/sh\nkill -SEGV $$\n' >broken/test_svm
	# shellcheck disable=SC2086
	went_on 65 'broken/test_svm --list dies of signal 11' --bindir broken $only test_svm
	printf 'platform: *\nfail a/b\nno such line\n' >broken/expected.txt
	# shellcheck disable=SC2086
	went_on 65 "expected.txt:3: 'no' is no verdict" $only --expectations broken/expected.txt
	# shellcheck disable=SC2086
	went_on 66 'no-expectations-here' $only --expectations no-expectations-here
	# shellcheck disable=SC2086
	went_on 73 'nowhere/result.json' $only --json nowhere/result.json
	[ ! -c /dev/full ] || {
		# shellcheck disable=SC2086
		went_on 74 '/dev/full' $only --junit /dev/full
	}

	# A device that disappears, and comes back: the rest is run, and the status says it.
	export STANDIN_TESTS='svm_lost svm_pass'
	run 75 test_svm
	verdict test_svm/svm_lost error 'no device: .*CL_DEVICE_NOT_AVAILABLE'
	verdict test_svm/svm_pass pass
	: >ran
	touch mended
	run 0 test_svm --resume
	verdict test_svm/svm_lost pass
	[ ! -s ran ] || die 'what has a verdict was run again'
}

# On a real device, without a stand-in for it.
device()
{
	status=0
	"$cts" devices --json >devices.json || status=$?
	[ "$status" -ne 69 ] || {
		echo 'skipped: no OpenCL device'
		exit 77
	}
	expect 0 "$cts" devices
	grep -q '^device: ' out.txt || die 'devices names none'
	name=$(jq -r '.[0].device' devices.json)
	expect 0 "$cts" run --quiet --programs programs --no-expectations --json result.json \
		--device "$name" conformance/alloc.pass
	[ "$(jq -r .device.device result.json)" = "$name" ] || die 'another device'
	grep -q "alloc.pass --device $name" ran || die 'the program does not get the device'
	valid result.json
	expect 69 "$cts" run --quiet --programs programs --device 'no such device' conformance
	said "no device fits --device no such device"
}

command -v jq >/dev/null || { echo 'skipped: no jq here'; exit 77; }
"$part"
