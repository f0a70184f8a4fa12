# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # for vm-test.sh and vm.sh; kernel.sh and vm.sh set what is not set here
# SPDX-License-Identifier: MIT
#
# OpenCL programs in the virtual machine, in the Debian 13 of vm-root.sh, on vsvm or on what
# it is compared with. Needs vm-root.sh and vm-test.sh.
: "${top:?is set by ./run}"

vm_cl_usage()
{
	cat <<-'END'
	  cl [OPTION...] [COMMAND [ARGUMENT...]]
	           boot with a Debian 13 that has our Mesa, and run an OpenCL program on vsvm: a file
	           of this machine, when COMMAND has a slash in it, else what is installed there, as
	           svmatomic-bench, svmatomic-cts and svmatomic-info are. Without a COMMAND, a
	           shell on this terminal. Needs ./run mesa build
	END
}

vm_cl_options()
{
	cat <<-'END'
	  --device DEVICE   cl: vsvm (the default), or llvmpipe or pocl, on the machine's CPUs
	  --with FILE       cl: take this file along, to /root; may be repeated
	END
}

# vm_cl_begin KERNEL: a job in Debian, as far as vsvm is loaded.
vm_cl_begin()
{
	vm_cl_machine "$1"
	cp "$vm_pieces/debian.sh" "$vm_dir/job"
	vm_modules_load
}

# vm_cl_machine KERNEL: what a machine with Debian has. LLVM wants memory, and files that are
# written are in memory, too.
vm_cl_machine()
{
	vm_disk=$vm_image
	vm_modules_copy "$1" "$vm_modules_series"
	case $1 in
	debug) : "${vm_memory:=5G}" ;;
	*) : "${vm_memory:=3G}" ;;
	esac
}

# --- tests of the whole stack ---

vm_stack_usage()
{
	cat <<-'END'
	  stack [--thorough] [--timeout S] [KERNEL...]
	           tests of the whole stack on these kernels (perf): OpenCL programs on vsvm, with a look
	           behind the device. --thorough: a thousand engines killed. Needs ./run mesa build
	END
}

# Programs and their arguments.
vm_stack_programs()
{
	for vm_program in features no_back_door pressure processes; do
		echo "stack_$vm_program"
	done
	echo "stack_lost $vm_stack_kills"
	echo example_svm_atomics
}

# vm_stack_stage KERNEL: put the job together in vm_dir.
vm_stack_stage()
{
	cp "$vm_pieces/test-job.sh" "$vm_dir/job"
	cp "$vm_pieces/debian.sh" "$vm_dir/root/"
	cp "$top"/build/stack/stack_* "$vm_dir/root/" 2>/dev/null || :
	cp "$top/build/examples/example_svm_atomics" "$vm_dir/root/"
	vm_stack_programs >"$vm_dir/root/programs"
	cut -d ' ' -f 1 "$vm_dir/root/programs" >"$vm_dir/programs"
	vm_plain=$(paste -s -d ' ' "$vm_dir/programs")
	vm_cl_machine "$1"
}

# vm_stack KILLS SECONDS KERNEL...
vm_stack()
{
	vm_stack_kills=$1
	vm_seconds=$2
	shift 2
	vm_passed=0
	vm_failed=0
	vm_skipped=0
	build_normal all
	for vm_kernel in "$@"; do
		kernel_build "$vm_kernel"
	done
	exec 9>&-
	vm_new root
	vm_root_make
	vm_cleanup
	echo 'TAP version 13'
	for vm_kernel in "$@"; do
		vm_test_counted "$vm_kernel" "$vm_kernel-stack" "$vm_seconds"
	done
	vm_test_sum
}
