# shellcheck shell=sh
# shellcheck disable=SC2154 # kernel.sh and vm.sh set what is not set here
# SPDX-License-Identifier: MIT
#
# Run the kernel's self-tests and ours in the virtual machine and make one result of
# each test case. Needs vm.sh and build.sh.
: "${top:?is set by ./run}"

# Programs of the kernel tree's mm selftests; those a tree has not are not run.
vm_selftests='hmm-tests device_exclusive'
vm_modules='test_hmm'
# Of a kernel with the series, also, and what tests them in kernel/tests, in this order:
# kmemleak looks at what came before it.
vm_modules_series='drm_svm_atomic vsvm'
vm_tests_series='kunit.sh vsvm.c kmemleak.sh svm_fuzz.c'
vm_vsvm_parameters='devices=2'
# test_hmm plays coherent memory as well where it is given twice 256 MiB of RAM that the
# kernel does not take for its own.
vm_test_append="memmap=512M\$0x40000000"
vm_test_hmm_parameters='spm_addr_dev0=0x40000000 spm_addr_dev1=0x50000000'

# vm_compile KERNEL SOURCE OPTION...: a static program from one C file.
vm_compile()
{
	vm_tree=$(kernel_tree "$1")
	vm_object=$kernel_build/$1
	vm_program=$(basename "$2" .c)
	vm_source=$2
	shift 2
	vm_selftest_mm=$vm_tree/tools/testing/selftests/mm
	step "compiling $vm_program" "$kernel_logs/vm-$vm_program.log" \
		gcc -static -O2 -Wall -U_FORTIFY_SOURCE -D_GNU_SOURCE= "$@" \
		-isystem "$vm_object/usr/include" -I "$vm_tree" \
		-I "$vm_tree/tools/testing/selftests" -I "$vm_selftest_mm" \
		-o "$vm_object/tests/$vm_program.new" "$vm_source" "$vm_selftest_mm/vm_util.c" \
		-lpthread -lrt -lm ||
		die "$EX_SOFTWARE" "cannot compile $vm_source; see $kernel_logs/vm-$vm_program.log"
	mv "$vm_object/tests/$vm_program.new" "$vm_object/tests/$vm_program"
}

vm_has_vsvm()
{
	[ -f "$(kernel_tree "$1")/drivers/gpu/drm/vsvm/Kconfig" ]
}

vm_test_sources()
{
	for vm_name in $vm_selftests; do
		vm_source=$(kernel_tree "$1")/tools/testing/selftests/mm/$vm_name.c
		[ ! -f "$vm_source" ] || echo "$vm_source"
	done
	vm_has_vsvm "$1" || return 0
	for vm_name in $vm_tests_series; do
		echo "$top/kernel/tests/$vm_name"
	done
}

# The library's tests and the examples, which Meson builds; none where there is no vsvm.
vm_meson_programs()
{
	! vm_has_vsvm "$1" || meson introspect --targets "$top/build" |
		tr ',' '\n' | sed -n 's/.*"filename": \["\(.*\/vm_[^/]*\)"\].*/\1/p' | sort
}

# vm_test_programs KERNEL: build what is not built of this kernel's headers and these
# sources, in $kernel_build/KERNEL/tests.
vm_test_programs()
{
	vm_tests=$kernel_build/$1/tests
	vm_tests_wanted=$({ cat "$kernel_build/$1.stamp" && vm_test_sources "$1" | xargs cat; } | sha256sum)
	[ "$vm_tests_wanted" != "$(cat "$vm_tests.stamp" 2>/dev/null)" ] || return 0
	rm -rf "$vm_tests"
	mkdir "$vm_tests"
	for vm_test in $(vm_test_sources "$1"); do
		case $vm_test in
		*.sh)
			cp "$vm_test" "$vm_tests/$(basename "$vm_test" .sh)"
			chmod 755 "$vm_tests/$(basename "$vm_test" .sh)"
			;;
		"$top"/*) vm_compile "$1" "$vm_test" -Werror ;;
		*) vm_compile "$1" "$vm_test" ;;
		esac
	done
	echo "$vm_tests_wanted" >"$vm_tests.stamp"
}

# vm_test_stage KERNEL: put the job together in vm_dir.
vm_test_stage()
{
	cp "$vm_pieces/test-job.sh" "$vm_dir/job"
	vm_plain=
	for vm_test in $(vm_meson_programs "$1"); do
		cp "$vm_test" "$vm_dir/root/"
		vm_plain="$vm_plain ${vm_test##*/}"
	done
	{
		for vm_test in $vm_plain; do
			echo "$vm_test"
		done
		for vm_test in $(vm_test_sources "$1"); do
			vm_test=$(basename "${vm_test%.*}")
			cp "$kernel_build/$1/tests/$vm_test" "$vm_dir/root/"
			echo "$vm_test"
		done
	} >"$vm_dir/programs"
	cp "$vm_dir/programs" "$vm_dir/root/programs"
	vm_wanted=$vm_modules
	! vm_has_vsvm "$1" || vm_wanted="$vm_wanted $vm_modules_series"
	for vm_module in $vm_wanted; do
		vm_ko=$(kernel_module "$1" "$vm_module")
		[ -n "$vm_ko" ] || die "$EX_SOFTWARE" "the $1 kernel has no module $vm_module; is it in kernel/configs?"
		cp "$vm_ko" "$vm_dir/modules/"
	done
	echo "$vm_test_hmm_parameters" >"$vm_dir/modules/test_hmm.parameters"
	echo "$vm_vsvm_parameters" >"$vm_dir/modules/vsvm.parameters"
}

# vm_test KERNEL SECONDS FIRST: run all tests on one kernel; their TAP, numbered from
# FIRST. Leaves "PASSED FAILED SKIPPED" in build/KERNEL/vm-tests.counts.
vm_test()
{
	vm_test_programs "$1"
	vm_new "test-$1"
	vm_test_stage "$1"
	# shellcheck disable=SC2034 # for vm_qemu
	vm_append_also=$vm_test_append
	vm_began=$(date +%s)
	vm_job "$1" "$1" 2 auto "$2" "$vm_dir" || :
	say "$1: $(wc -l <"$vm_dir/programs") programs in $(($(date +%s) - vm_began)) s, $vm_accel_used; the kernel's log: $vm_console_log"
	awk -f "$vm_pieces/signs.awk" -f "$vm_pieces/merge.awk" \
		-v kernel="$1" -v programs="$(paste -s -d ' ' "$vm_dir/programs")" \
		-v plain="$vm_plain" -v ended="$vm_ended" \
		-v first="$3" -v xml="$kernel_build/$1/vm-tests.xml" \
		-v counts="$kernel_build/$1/vm-tests.counts" "$vm_dir/console"
	vm_cleanup
}

# vm_test_all SECONDS KERNEL...
vm_test_all()
{
	vm_seconds=$1
	shift
	vm_passed=0
	vm_failed=0
	vm_skipped=0
	build_normal vm-programs
	for vm_kernel in "$@"; do
		kernel_build "$vm_kernel"
		rm -f "$kernel_build/$vm_kernel/vm-tests.counts"
	done
	exec 9>&-
	echo 'TAP version 13'
	for vm_kernel in "$@"; do
		vm_test "$vm_kernel" "$vm_seconds" $((vm_passed + vm_failed + vm_skipped + 1))
		read -r vm_ok vm_not_ok vm_skip <"$kernel_build/$vm_kernel/vm-tests.counts"
		vm_passed=$((vm_passed + vm_ok))
		vm_failed=$((vm_failed + vm_not_ok))
		vm_skipped=$((vm_skipped + vm_skip))
	done
	echo "1..$((vm_passed + vm_failed + vm_skipped))"
	echo "tests: $vm_passed passed, $vm_failed failed, $vm_skipped skipped"
	[ "$vm_failed" -eq 0 ]
}
