#!/bin/sh
# SPDX-License-Identifier: MIT
# summary: the whole stack in one go, with no GPU: OpenCL on vsvm, tested and measured
#
# What the virtual machine can show of the whole stack, step by step, each a command that can
# be given by itself. It ends in a report of what each layer costs. What is not built yet is
# built first, as ./run kernel build perf and ./run mesa build do.
set -eu
: "${top:?is set by ./run}"

. "$top/run.d/lib/common.sh"
. "$top/run.d/lib/packages.sh"
. "$top/run.d/lib/build.sh"
. "$top/run.d/lib/opencl.sh"

usage()
{
	cat <<-'END'
	usage: ./run demo [--short]

	An OpenCL program whose kernel runs on vsvm, the tests of the stack, some of the conformance and
	litmus tests there, and what an atomic costs on PoCL, on llvmpipe, on vsvm and through OpenCL on
	vsvm, side by side. Seven minutes on two cores, once the kernel and Mesa are built. The last
	report is results/demo-latest/report.html.

	  --short   without `./run vm stack`, and with little of the rest: 3 minutes

	exit status: 0 all went well, 1 a step failed
	END
}

passed=0
failed=0

# show WHAT COMMAND...: its output is ours. One that fails does not keep us from the next.
show()
{
	say ''
	say "== $1"
	shift
	say "   ./run $*"
	if "$top/run" "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		say 'demo: that failed'
	fi
}

# measure NAME DEVICE NUMBER: on device NUMBER where OpenCL is DEVICE's; the document is NAME.json.
measure()
{
	document=$results/$1.json
	# shellcheck disable=SC2086 # names
	set -- vm cl --device "$2" svmatomic-bench run $workloads --device "$3" -a order=relaxed \
		--window 200 --samples "$samples" --budget 10 --timeout 60 --quiet --json -
	say "   ./run $* >${document#"$top"/}"
	if "$top/run" "$@" >"$document.new" 2>"$document.log"; then
		mv "$document.new" "$document"
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		say "demo: that failed: $(tail -n 1 "$document.log"); see ${document#"$top"/}.log"
	fi
}

# Of the layers, from the first to what is on top of all.
measure_all()
{
	say ''
	say '== What each layer costs: the CPUs are emulated, so look at ratios'
	opencl_results demo-
	measure pocl pocl 0
	measure llvmpipe llvmpipe 0
	measure vsvm vsvm 1
	measure opencl-on-vsvm vsvm 0
}

# report DOCUMENT...: of those that there are.
report()
{
	for document in "$@"; do
		shift
		[ ! -f "$document" ] || set -- "$@" "$document"
	done
	[ $# -gt 0 ] || return 0
	say ''
	"$top/build/bench/svmatomic-bench" report -o "$results/report.html" "$@"
	opencl_results_keep report.html demo-latest
}

short=
samples=5
workloads='contend handoff'
tests='conformance/visibility.* conformance/atomic.fetch_add.* litmus/SB litmus/MP'
case ${1-} in
'') ;;
--short)
	short=1
	samples=2
	# Handing over takes each side when the other has it ready: not a thing for a busy machine.
	workloads=contend
	tests='conformance/atomic.fetch_add.int litmus/SB'
	;;
-h | --help)
	usage
	exit 0
	;;
*) die "$EX_USAGE" "demo takes no '$1'; there is --short" ;;
esac
[ $# -le 1 ] || die "$EX_USAGE" "demo takes no '$2'"

"$top/run" kernel build perf
"$top/run" mesa build
packages_install bench vm
build_normal all
began=$(date +%s)

show 'An OpenCL program: its kernel on vsvm and the CPU add to the same words' \
	vm cl --transfers "$top/build/examples/example_svm_atomics"
[ -n "$short" ] || show 'What a kernel can reach, and what becomes of it when its device dies' vm stack
# shellcheck disable=SC2086 # patterns
show 'Rules of the specification, and of its memory model' vm cl --transfers svmatomic-cts run $tests --quiet
measure_all
report "$results/pocl.json" "$results/llvmpipe.json" "$results/vsvm.json" "$results/opencl-on-vsvm.json"
say "$(($(date +%s) - began)) s"
echo "tests: $passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
