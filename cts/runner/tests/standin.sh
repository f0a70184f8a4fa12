#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Stands in for the programs of tests. Copied to their names, it speaks as they do, and its
# tests are named for what becomes of them. As "device" it is what --through runs programs
# with: it answers for the device and runs the rest.
set -eu

# STANDIN_PLATFORM is another implementation; STANDIN_DIR is where programs leave their marks.
device()
{
	case $1 in
	*/svmatomic-cts)
		case ${STANDIN_DEVICE-} in
		hangs) exec sleep 100 ;;
		crashes) kill -SEGV $$ ;;
		gone)
			echo 'svmatomic-cts: there is no OpenCL platform; install one'
			exit 69
			;;
		esac
		echo 'a driver talks'
		echo "[{\"platform\":\"${STANDIN_PLATFORM-Stand-in}\",\"version\":\"OpenCL 3.0 1.0\",\"device\":\"stand-in\",\"driver\":\"1.0\",\"svm\":\"coarse fine\",\"platform_index\":2,\"device_index\":1}]"
		echo 'a driver says goodbye'
		exit 0
		;;
	esac
	exec "$@"
}

khronos_list()
{
	for name in $1; do
		printf '\t%s\n' "$name"
	done
}

# khronos NAME pid2 id1 all
khronos()
{
	case $1 in
	svm_arguments) [ "$*" = 'svm_arguments pid2 id1 all' ] || exit 3 ;;
	esac
	echo ' Initializing random seed to 0.'
	echo "$1..."
	case $1 in
	svm_fail)
		echo 'ERROR: this is <wrong> & "bad"! (CL_INVALID_VALUE from /src/main.cpp:1)'
		echo "$1 FAILED"
		exit 1
		;;
	svm_skip) echo 'Requested SVM level or required extensions not supported by any device on this platform, test not executed.' ;;
	svm_partial)
		echo 'Testing clSVMalloc with flags: 0'
		echo 'Skipping clSVMalloc with flags: CL_MEM_SVM_ATOMICS'
		;;
	svm_hang*)
		echo "$$" >"$STANDIN_DIR/pid.$1"
		# In the background, and waited for: the shell hears signals at once.
		sleep 100 &
		wait
		;;
	svm_stubborn)
		trap '' TERM INT HUP
		echo "$$" >"$STANDIN_DIR/pid.$1"
		while :; do sleep 1 || :; done
		;;
	svm_crash) exec "$STANDIN_CRASH" ;;
	svm_garbage)
		printf '\377\376\001 garbage ]]>\n'
		exit 0
		;;
	svm_flood) exec yes 'this never ends' ;;
	svm_verbose) yes 'this ends' | head -c 9000000 ;;
	svm_orphan)
		# Stays in the group, and has our output.
		sleep 100 &
		echo $! >"$STANDIN_DIR/pid.$1"
		;;
	svm_escape)
		setsid sleep 30 &
		;;
	svm_lost)
		[ ! -e "$STANDIN_DIR/mended" ] || {
			echo "$1 passed"
			exit 0
		}
		echo 'ERROR: clFinish failed! (CL_DEVICE_NOT_AVAILABLE from /src/main.cpp:2)'
		echo "$1 FAILED"
		exit 1
		;;
	svm_slow) sleep 1 ;;
	svm_flaky) [ ! -e "$STANDIN_DIR/mended" ] && echo "$1 FAILED" && exit 1 ;;
	esac
	echo "$1 passed"
	echo "$1" >>"$STANDIN_DIR/ran"
}

ours()
{
	echo "$*" >>"$STANDIN_DIR/ran"
	case $1 in
	alloc.pass)
		echo 'mutants killed: 3 of 4 killable; confidence 81.0%'
		echo pass
		;;
	alloc.fail)
		echo 'fail: it took a size of 0'
		exit 1
		;;
	alloc.none)
		echo 'not applicable: no SVM atomics'
		exit 77
		;;
	alloc.partial)
		echo 'partial: no huge pages'
		exit 78
		;;
	esac
}

program=${0##*/}
first=${1-}
case $program in
device) device "$@" ;;
test_svm)
	[ "$first" != --list ] || {
		khronos_list "${STANDIN_TESTS-svm_pass svm_fail svm_skip svm_partial}"
		exit 0
	}
	khronos "$@"
	;;
test_c11_atomics)
	[ "$first" != --list ] || {
		khronos_list 'atomic_plain svm_atomic_shared'
		exit 0
	}
	khronos "$@"
	;;
svmatomic-conformance | svmatomic-litmus)
	[ "$first" != --list ] || {
		printf 'alloc.pass\tpasses (5.6.1)\nalloc.fail\tfails\n'
		printf 'alloc.none\tis not applicable\nalloc.partial\tis partial\n'
		exit 0
	}
	[ "$first" = --run ] || exit 64
	shift
	ours "$@"
	;;
esac
