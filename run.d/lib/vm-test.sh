# shellcheck shell=sh
# shellcheck disable=SC2154 # kernel.sh and vm.sh set what is not set here
# SPDX-License-Identifier: MIT
#
# Run the kernel's self-tests and ours in the virtual machine and make one result of
# each test case. Needs vm.sh, kernel-dkms.sh and build.sh.
: "${top:?is set by ./run}"

# Programs of the kernel tree's mm selftests; those a tree has not are not run.
vm_selftests='hmm-tests device_exclusive'
vm_modules='test_hmm'
# Of a kernel with the series, also; kernel/tests has what tests them. nouveau, where it is
# built, has nothing to drive: its KUnit tests run when it is loaded.
vm_modules_series='drm_svm_atomic vsvm'
vm_modules_optional='nouveau'
vm_tests_series='kunit vsvm svm_progress svm_fuzz dkms'
vm_vsvm_parameters='devices=2'
# To look for leaks takes a machine of its own: tracking halves the speed of everything.
# kmemleak looks at what came before it.
vm_tests_leaks='vsvm kmemleak'
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
	for vm_source in "$top"/kernel/tests/*.c "$top"/kernel/tests/*.sh; do
		echo "$vm_source"
	done
}

# vm_rounds KERNEL: what it is booted for, one after the other; KERNEL or KERNEL-leaks.
vm_rounds()
{
	echo "$1"
	[ "$1" != debug ] || ! vm_has_vsvm "$1" || echo "$1-leaks"
}

# vm_round_tests KERNEL ROUND: the names of what runs, in order, after the library's.
vm_round_tests()
{
	vm_names="$vm_selftests $vm_tests_series"
	[ "$1" = "$2" ] || vm_names=$vm_tests_leaks
	for vm_name in $vm_names; do
		[ ! -f "$kernel_build/$1/tests/$vm_name" ] || echo "$vm_name"
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

# vm_module_files KERNEL MODULE: its file, after those of the modules that it needs.
vm_module_files()
(
	ko=$(kernel_module "$1" "$2")
	# Names of files may have dashes where those of modules have underscores.
	[ -n "$ko" ] || ko=$(kernel_module "$1" "$(echo "$2" | tr _ -)")
	[ -n "$ko" ] || exit 0
	for name in $(modinfo -F depends "$ko" | tr , ' '); do
		vm_module_files "$1" "$name"
	done
	echo "$ko"
)

# vm_modules_copy KERNEL WANTED [OPTIONAL]: put these modules in vm_dir, and in which order
# they are loaded.
vm_modules_copy()
{
	for vm_module in $2; do
		[ -n "$(kernel_module "$1" "$vm_module")" ] ||
			die "$EX_SOFTWARE" "the $1 kernel has no module $vm_module; is it in kernel/configs?"
	done
	for vm_module in $2 ${3-}; do
		vm_module_files "$1" "$vm_module"
	done | awk '!seen[$0]++' >"$vm_dir/modules/order"
	while read -r vm_ko; do
		strip -g -o "$vm_dir/modules/${vm_ko##*/}" "$vm_ko"
	done <"$vm_dir/modules/order"
	sed -i 's,.*/,,' "$vm_dir/modules/order"
	echo "$vm_test_hmm_parameters" >"$vm_dir/modules/test_hmm.parameters"
	echo "$vm_vsvm_parameters" >"$vm_dir/modules/vsvm.parameters"
}

# vm_modules_load: have the job load them.
vm_modules_load()
{
	while read -r vm_ko; do
		echo "insmod '/modules/$vm_ko' $(cat "$vm_dir/modules/${vm_ko%.ko}.parameters" 2>/dev/null) || exit"
	done <"$vm_dir/modules/order" >>"$vm_dir/job"
}

# vm_test_modules KERNEL: those that its tests use.
vm_test_modules()
{
	vm_wanted=$vm_modules
	! vm_has_vsvm "$1" || vm_wanted="$vm_wanted $vm_modules_series"
	vm_modules_copy "$1" "$vm_wanted" "$vm_modules_optional"
}

# vm_test_dkms KERNEL: have vsvm built out of the tree, too.
vm_test_dkms()
{
	vm_has_vsvm "$1" || return 0
	kernel_dkms_make "$kernel_build/$1/dkms" "$(kernel_dkms_version)"
	step 'compiling vsvm out of the tree' "$kernel_logs/vm-dkms.log" \
		make -C "$kernel_build/$1/dkms" KERNEL="$kernel_build/$1" ||
		die "$EX_SOFTWARE" "cannot compile vsvm out of the tree; see $kernel_logs/vm-dkms.log"
	strip -g -o "$vm_dir/root/vsvm-dkms.ko" "$kernel_build/$1/dkms/vsvm.ko"
}

# vm_test_stage KERNEL ROUND: put the job together in vm_dir.
vm_test_stage()
{
	cp "$vm_pieces/test-job.sh" "$vm_dir/job"
	cp "$kernel_build/$1/tests"/* "$vm_dir/root/"
	vm_plain=
	for vm_test in $(vm_meson_programs "$1"); do
		cp "$vm_test" "$vm_dir/root/"
		vm_plain="$vm_plain ${vm_test##*/}"
	done
	{
		for vm_test in $vm_plain; do
			echo "$vm_test"
		done
		vm_round_tests "$1" "$2"
	} >"$vm_dir/programs"
	cp "$vm_dir/programs" "$vm_dir/root/programs"
	vm_test_modules "$1"
	vm_test_dkms "$1"
}

# vm_test KERNEL ROUND SECONDS FIRST: run the tests of one round; their TAP, numbered
# from FIRST. Leaves "PASSED FAILED SKIPPED" in build/KERNEL/vm-tests.counts.
vm_test()
{
	vm_new "test-$2"
	# shellcheck disable=SC2034 # for vm_qemu
	case $2 in
	*-leaks) vm_append_also="$vm_test_append kmemleak=on" ;;
	*) vm_append_also=$vm_test_append ;;
	esac
	case $2 in
	*-stack*) vm_stack_stage "$1" "$2" ;;
	*) vm_test_stage "$1" "$2" ;;
	esac
	vm_began=$(date +%s)
	vm_job "$2" "$1" 2 auto "$3" "$vm_dir" || :
	say "$2: $(wc -l <"$vm_dir/programs") programs in $(($(date +%s) - vm_began)) s, $vm_accel_used; the kernel's log: $vm_console_log"
	awk -f "$vm_pieces/signs.awk" -f "$vm_pieces/merge.awk" \
		-v kernel="$2" -v programs="$(paste -s -d ' ' "$vm_dir/programs")" \
		-v plain="$vm_plain" -v ended="$vm_ended" \
		-v first="$4" -v xml="$kernel_build/$1/vm-tests${2#"$1"}.xml" \
		-v counts="$kernel_build/$1/vm-tests.counts" "$vm_dir/console"
	vm_cleanup
}

# vm_test_counted KERNEL ROUND SECONDS: one round, added to the sums.
vm_test_counted()
{
	rm -f "$kernel_build/$1/vm-tests.counts"
	vm_test "$1" "$2" "$3" $((vm_passed + vm_failed + vm_skipped + 1))
	read -r vm_ok vm_not_ok vm_skip <"$kernel_build/$1/vm-tests.counts"
	vm_passed=$((vm_passed + vm_ok))
	vm_failed=$((vm_failed + vm_not_ok))
	vm_skipped=$((vm_skipped + vm_skip))
}

# vm_test_rounds KERNEL SECONDS: all tests of a kernel.
vm_test_rounds()
{
	vm_test_programs "$1"
	for vm_round in $(vm_rounds "$1"); do
		vm_test_counted "$1" "$vm_round" "$2"
	done
}

# The last lines: the plan, and the sums, which are also the status.
vm_test_sum()
{
	echo "1..$((vm_passed + vm_failed + vm_skipped))"
	echo "tests: $vm_passed passed, $vm_failed failed, $vm_skipped skipped"
	[ "$vm_failed" -eq 0 ]
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
	done
	exec 9>&-
	echo 'TAP version 13'
	for vm_kernel in "$@"; do
		vm_test_rounds "$vm_kernel" "$vm_seconds"
	done
	vm_test_sum
}
