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
	  --transfers       cl: say at the end how often pages went to vsvm and back
	END
}

# vm_cl_begin KERNEL: a job in Debian, as far as vsvm is loaded.
vm_cl_begin()
{
	vm_cl_machine "$1"
	cp "$vm_pieces/debian.sh" "$vm_dir/job"
	vm_modules_load
}

# vm_cl_command FILE: end the job with the command in FILE.
vm_cl_command()
{
	if [ -z "$vm_transfers" ]; then
		cat "$1" >>"$vm_dir/job"
		return
	fi
	cat "$vm_pieces/transfers.sh" "$1" - >>"$vm_dir/job" <<-'END'
		status=$?
		transfers_say >&2
		exit $status
	END
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
	           behind the device. --thorough: a thousand engines and a thousand clients killed;
	           an hour on the debug kernel, with --timeout 9000. Needs ./run mesa build
	END
}

# vm_stack_rounds KERNEL: what it is booted for. Tracking of leaks halves the speed of everything,
# and so is a round of its own.
vm_stack_rounds()
{
	echo "$1-stack"
	[ "$1" != debug ] || echo "$1-stack-leaks"
}

# vm_stack_programs ROUND: programs and their arguments. kmemleak looks at what came before it.
vm_stack_programs()
{
	case $1 in
	*-leaks)
		echo stack_features
		echo stack_processes
		echo 'stack_lost 20'
		echo 'stack_killed 10 100'
		echo kmemleak
		return
		;;
	esac
	for vm_program in features no_back_door pressure processes; do
		echo "stack_$vm_program"
	done
	echo "stack_lost $vm_stack_engines"
	echo "stack_killed $vm_stack_clients"
	echo example_svm_atomics
}

# vm_stack_stage KERNEL ROUND: put the job together in vm_dir.
vm_stack_stage()
{
	cp "$vm_pieces/test-job.sh" "$vm_dir/job"
	cp "$vm_pieces/debian.sh" "$vm_dir/root/"
	cp "$top"/build/stack/stack_* "$vm_dir/root/" 2>/dev/null || :
	cp "$top/build/examples/example_svm_atomics" "$vm_dir/root/"
	cp "$top/kernel/tests/kmemleak.sh" "$vm_dir/root/kmemleak"
	chmod 755 "$vm_dir/root/kmemleak"
	vm_stack_programs "$2" >"$vm_dir/root/programs"
	cut -d ' ' -f 1 "$vm_dir/root/programs" >"$vm_dir/programs"
	vm_plain=$(grep -vx kmemleak "$vm_dir/programs" | paste -s -d ' ')
	vm_cl_machine "$1"
}

# vm_stack ENGINES CLIENTS SECONDS KERNEL...: so many are killed; of clients, of OpenCL and of the
# library.
vm_stack()
{
	vm_stack_engines=$1
	vm_stack_clients=$2
	vm_seconds=$3
	shift 3
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
		for vm_round in $(vm_stack_rounds "$vm_kernel"); do
			vm_test_counted "$vm_kernel" "$vm_round" "$vm_seconds"
		done
	done
	vm_test_sum
}
