# shellcheck shell=sh
# shellcheck disable=SC2154 # kernel.sh and vm.sh set what is not set here
# SPDX-License-Identifier: MIT
#
# Count what device-exclusive memory costs, with the series and without, on machines
# whose clock counts instructions: two runs give the same digits. And what libsvmatomic
# adds to the ioctls of vsvm, which only the series has. Needs vm.sh, vm-contend.sh and
# build.sh.
: "${top:?is set by ./run}"

vm_bench_pieces=$top/kernel/bench
vm_bench_library=$top/libsvmatomic

vm_bench_usage()
{
	cat <<-'END'
	  bench [--json FILE]
	           count instructions, notifications and TLB flushes on perf and unpatched, and
	           what libsvmatomic adds, as a table here and for machines in FILE; status 1 if
	           a target is missed. Then contention of a CPU with vsvm, over hold and think
	           time, with a report in build/contend. About 5 minutes, once the kernels are
	           built
	END
}

# vm_bench_gcc ARGUMENT...: a static program.
vm_bench_gcc()
{
	gcc -O2 -Wall -Wextra -Werror -D_GNU_SOURCE= -U_FORTIFY_SOURCE -static -no-pie -pthread "$@"
}

# Nothing is built in kernel/bench: the sources go where their objects are to be.
vm_bench_compile()
{
	vm_bench_in=$kernel_build/bench-$1
	cp "$vm_bench_pieces/Kbuild" "$vm_bench_pieces"/*.[ch] "$vm_bench_in/" &&
		kernel_make "$1" M="$vm_bench_in" modules &&
		vm_bench_gcc -std=c17 -I "$(kernel_tree perf)/lib" \
			-o "$vm_bench_in/bench" "$vm_bench_in/bench.c" || return
	[ "$1" = unpatched ] ||
		vm_bench_gcc -std=gnu17 -I "$vm_bench_library/include" \
			-isystem "$kernel_build/$1/usr/include/drm" \
			-o "$vm_bench_in/library" "$vm_bench_in/library.c" "$vm_bench_library"/src/*.c
}

# vm_bench_programs KERNEL: the module for this kernel, and the programs. bench is the
# same for all: test_hmm's header of the series has what the unpatched one has.
vm_bench_programs()
{
	vm_bench_wanted=$(cat "$kernel_build/$1.stamp" "$kernel_build/perf.stamp" \
		"$vm_bench_pieces/Kbuild" "$vm_bench_pieces"/*.[ch] \
		"$vm_bench_library"/include/*.h "$vm_bench_library"/src/*.[ch] | sha256sum)
	[ "$vm_bench_wanted" != "$(cat "$kernel_build/bench-$1.stamp" 2>/dev/null)" ] || return 0
	rm -rf "$kernel_build/bench-$1" "$kernel_build/bench-$1.stamp"
	mkdir "$kernel_build/bench-$1"
	step "compiling the benchmark for the $1 kernel" "$kernel_logs/vm-bench-$1.log" vm_bench_compile "$1" ||
		die "$EX_SOFTWARE" "cannot compile kernel/bench; see $kernel_logs/vm-bench-$1.log"
	echo "$vm_bench_wanted" >"$kernel_build/bench-$1.stamp"
}

# vm_bench_stage KERNEL: put the job together in vm_dir.
vm_bench_stage()
{
	vm_bench_modules=test_hmm
	cp "$vm_bench_pieces/job.sh" "$vm_dir/job"
	cp "$kernel_build/bench-$1/bench" "$vm_dir/root/"
	cp "$kernel_build/bench-$1/exclusive_bench.ko" "$vm_dir/modules/"
	if [ "$1" != unpatched ]; then
		cp "$kernel_build/bench-$1/library" "$vm_dir/root/"
		vm_bench_modules="$vm_bench_modules drm_svm_atomic vsvm"
	fi
	for vm_module in $vm_bench_modules; do
		vm_bench_ko=$(kernel_module "$1" "$vm_module")
		[ -n "$vm_bench_ko" ] || die "$EX_SOFTWARE" "the $1 kernel has no module $vm_module; is it in kernel/configs?"
		cp "$vm_bench_ko" "$vm_dir/modules/"
	done
}

# vm_bench_run KERNEL CPUS: measure; the figures are in $kernel_build/bench-KERNEL/CPUS.tsv.
vm_bench_run()
{
	vm_new "bench-$1"
	vm_bench_stage "$1"
	printf 'measuring the %s kernel, CPUs: %d ...' "$1" "$2" >&2
	vm_began=$(date +%s)
	vm_job "bench-$1-$2" "$1" "$2" icount 3600 "$vm_dir" || :
	say " $(($(date +%s) - vm_began)) s"
	vm_output "$vm_dir" >"$kernel_build/bench-$1/$2.tsv"
	vm_bench_bad=$(vm_signs "$vm_dir") || :
	if [ -n "$vm_bench_bad" ] || [ "$vm_ended" != 'ended 0' ]; then
		vm_said "$vm_dir" >&2
		die 1 "measuring failed (${vm_bench_bad:-$vm_ended}); see $vm_console_log"
	fi
	vm_cleanup
}

vm_bench_report()
{
	awk -v json="$1" -f "$vm_bench_pieces/report.awk" "$vm_bench_pieces/targets.tsv" \
		kernel=series "$kernel_build/bench-perf/1.tsv" "$kernel_build/bench-perf/2.tsv" \
		kernel=unpatched "$kernel_build/bench-unpatched/1.tsv" "$kernel_build/bench-unpatched/2.tsv"
}

# vm_bench [--json FILE]
vm_bench()
{
	vm_bench_json=
	while [ $# -gt 0 ]; do
		case $1 in
		--json)
			[ $# -ge 2 ] || die "$EX_USAGE" 'vm bench: --json wants a file'
			vm_bench_json=$2
			shift 2
			;;
		--json=*)
			vm_bench_json=${1#*=}
			shift
			;;
		*) die "$EX_USAGE" "vm bench takes no '$1', only --json FILE" ;;
		esac
	done
	# Beside its place until it is whole; and before the long part, to fail early.
	vm_bench_new=
	if [ -n "$vm_bench_json" ]; then
		vm_bench_new=$vm_bench_json.$$.new
		true 2>/dev/null >"$vm_bench_new" ||
			die "$EX_CANTCREAT" "cannot write $vm_bench_json; name a file elsewhere"
		rm -f "$vm_bench_new"
	fi

	build_normal bench/svmatomic-bench
	kernel_build perf
	kernel_has_series || die "$EX_SOFTWARE" 'there are no patches in kernel/patches-6.12 yet, and nothing to compare'
	kernel_build unpatched
	vm_bench_programs perf
	vm_bench_programs unpatched
	exec 9>&-
	# One CPU for what is counted per page, two for what CPUs say to each other.
	for vm_kernel in perf unpatched; do
		vm_bench_run "$vm_kernel" 1
		vm_bench_run "$vm_kernel" 2
	done

	vm_bench_status=0
	vm_bench_report "$vm_bench_new" || vm_bench_status=$?
	[ "$vm_bench_status" -le 1 ] || die "$EX_SOFTWARE" 'the figures cannot be read; see build/logs'
	if [ -n "$vm_bench_new" ]; then
		mv "$vm_bench_new" "$vm_bench_json" ||
			die "$EX_CANTCREAT" "cannot write $vm_bench_json; name a file elsewhere"
	fi
	echo
	vm_contend
	exit "$vm_bench_status"
}
