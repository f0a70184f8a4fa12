#!/bin/sh
# SPDX-License-Identifier: MIT
# summary: boot a kernel in QEMU and run programs or the tests; alone, it explains itself
#
# One command per thing to do with the virtual machine; the work is in lib/vm*.sh.
set -eu
: "${top:?is set by ./run}"

. "$top/run.d/lib/common.sh"
. "$top/run.d/lib/packages.sh"
. "$top/run.d/lib/build.sh"
. "$top/run.d/lib/series.sh"
. "$top/run.d/lib/kernel.sh"
. "$top/run.d/lib/kernel-build.sh"
. "$top/run.d/lib/kernel-dkms.sh"
. "$top/run.d/lib/vm.sh"
. "$top/run.d/lib/vm-test.sh"
. "$top/run.d/lib/vm-contend.sh"
. "$top/run.d/lib/vm-bench.sh"
. "$top/run.d/lib/vm-root.sh"
. "$top/run.d/lib/vm-cl.sh"

usage()
{
	cat <<-'END'
	usage: ./run vm COMMAND [OPTION...] [ARGUMENT...]

	  run [OPTION...] FILE... [-- ARGUMENT...]
	           boot, insmod the FILEs that end in .ko, put the others in /root and run the
	           first of those; its output and its status are this command's
	  shell [OPTION...] [FILE...]
	           the same machine, with a shell on this terminal instead
	  test [--timeout S] [KERNEL...]
	           the kernel's self-tests on these kernels (perf and debug); a test during which
	           the kernel complained has failed. TAP here, JUnit in build/kernel/KERNEL
	END
	vm_cl_usage
	vm_stack_usage
	vm_bench_usage
	cat <<-'END'

	  --kernel KERNEL   perf (the default), debug or unpatched, as ./run kernel has them
	  --vsvm            run, shell: load the virtual device, two of it
	END
	vm_cl_options
	cat <<-'END'
	  --cpus N          CPUs of the machine: 2
	  --memory M        its memory, as QEMU says it: 2G, 3G for debug; cl: 3G, 5G for debug
	  --timeout S       stop it after so many seconds: 1800
	  --icount          a clock that counts instructions: slow, and the same each time

	It runs under KVM where that boots the kernel, else emulated. Programs are to be static.
	build/logs/vm-*.console.log is the kernel's log; `run` prints what programs wrote on
	standard error after the end. A bad line in the log, or no end, is status 1.
	END
}

number()
{
	case $2 in
	'' | 0* | *[!0-9]*) die "$EX_USAGE" "vm: $1 wants a number from 1 up, not '$2'" ;;
	esac
}

kernels_are()
{
	for kernel in "$@"; do
		kernel_is "$kernel" || die "$EX_USAGE" "no kernel '$kernel'; there is perf, debug and unpatched"
	done
}

# Take the options off the arguments; what is left is for the caller, in the variables
# and in how many to shift.
options()
{
	vm_kernel=perf
	vm_cpus=2
	vm_memory=
	vm_seconds=1800
	vm_accel=auto
	vm_load=
	vm_device=vsvm
	vm_with=
	vm_transfers=
	taken=0
	while [ $# -gt 0 ]; do
		case $1 in
		--icount | --vsvm | --transfers)
			flag "$1"
			shift
			taken=$((taken + 1))
			;;
		--kernel | --cpus | --memory | --timeout | --device | --with)
			[ $# -ge 2 ] || die "$EX_USAGE" "vm: $1 wants a value"
			option "$1" "$2"
			shift 2
			taken=$((taken + 2))
			;;
		--) break ;;
		-*) die "$EX_USAGE" "vm takes no '$1'; ./run vm lists its options" ;;
		*) break ;;
		esac
	done
}

flag()
{
	case $1 in
	--icount) vm_accel=icount ;;
	--vsvm) vm_load=$vm_modules_series ;;
	--transfers) vm_transfers=1 ;;
	esac
}

option()
{
	case $1 in
	--kernel)
		kernels_are "$2"
		vm_kernel=$2
		;;
	--cpus)
		number "$1" "$2"
		[ "$2" -le 8 ] || die "$EX_USAGE" 'vm: the kernels are built for up to 8 CPUs'
		vm_cpus=$2
		;;
	--memory)
		case ${2%[MG]} in
		'' | *[!0-9]*) die "$EX_USAGE" "vm: --memory wants a size such as 512M or 2G, not '$2'" ;;
		esac
		vm_memory=$2
		;;
	--timeout)
		number "$1" "$2"
		vm_seconds=$2
		;;
	--with)
		vm_with="$vm_with$2
"
		;;
	--device)
		case $2 in
		vsvm | llvmpipe | pocl) vm_device=$2 ;;
		*) die "$EX_USAGE" "vm: no device '$2'; there is vsvm, llvmpipe and pocl" ;;
		esac
		;;
	esac
}

# load: the modules that an option has asked for, before those that are named.
load()
{
	[ -n "$vm_load" ] || return 0
	vm_modules_copy "$vm_kernel" "$vm_load"
	vm_modules_load
}

# files FILE... [-- ...]: are they there? To know before a kernel is built, which may
# make the very modules that are named: they are copied after it. Sets program to the
# first that is no module.
files()
{
	program=
	for file in "$@"; do
		[ "$file" != -- ] || return 0
		case $file in
		"$kernel_build"/*.ko) continue ;;
		*.ko) ;;
		*) : "${program:=$file}" ;;
		esac
		{ [ -f "$file" ] && [ -r "$file" ]; } || die "$EX_USAGE" "vm: no file '$file'"
	done
}

# stage FILE: where it goes in the job. Modules are loaded in the order they come.
stage()
{
	{ [ -f "$1" ] && [ -r "$1" ]; } || die "$EX_USAGE" "vm: no file '$1'"
	case $1 in
	*.ko) into=$vm_dir/modules/${1##*/} ;;
	*) into=$vm_dir/root/${1##*/} ;;
	esac
	[ ! -e "$into" ] || die "$EX_USAGE" "vm: two files with the name ${1##*/}"
	cp "$1" "$into"
	case $1 in
	*.ko) echo "insmod '/modules/${1##*/}' || exit" >>"$vm_dir/job" ;;
	*) chmod 755 "$into" ;;
	esac
}

quoted()
{
	printf "'%s' " "$(printf %s "$1" | sed "s/'/'\\\\''/g")"
}

command_run()
{
	options "$@"
	shift "$taken"
	packages_install vm
	files "$@"
	[ -n "$program" ] || die "$EX_USAGE" 'vm run wants a program to run; ./run vm explains'
	# A script may name an interpreter we have; a program has to bring its libraries.
	! LC_ALL=C readelf -lW "$program" 2>/dev/null | grep -q INTERP ||
		die "$EX_USAGE" "vm: ${program##*/} needs shared libraries, and the machine has none; link it with -static"
	kernel_build "$vm_kernel"
	exec 9>&-
	vm_new run
	true >"$vm_dir/job"
	load
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		stage "$1"
		shift
	done
	[ $# -eq 0 ] || shift
	{
		printf 'exec '
		quoted "/root/${program##*/}"
		for argument in "$@"; do
			quoted "$argument"
		done
		echo
	} >>"$vm_dir/job"

	run_job run
}

# What the job writes, as it does, for who looks on. Not to the byte: the last line is ours.
follow()
{
	true >"$vm_dir/output"
	tail -n +1 -f --pid=$$ "$vm_dir/output" 2>/dev/null | sed -u '/svmatomic-[0-9a-f]\{24\} [0-9]*$/d' &
	follower=$!
}

# run_job NAME: run what is in vm_dir and be it: its output, its status.
run_job()
{
	status=0
	follower=
	[ ! -t 1 ] || follow
	vm_job "$1" "$vm_kernel" "$vm_cpus" "$vm_accel" "$vm_seconds" "$vm_dir" || status=1
	if [ -n "$follower" ]; then
		# Time for the last of it to arrive.
		sleep 1
		kill "$follower"
	else
		vm_output "$vm_dir"
	fi
	vm_said "$vm_dir" >&2
	case $vm_ended in
	ended*) status=${vm_ended#ended } ;;
	timeout*) say "run: not done within ${vm_ended#timeout } s (--timeout); see $vm_console_log" ;;
	*) say "run: the machine died; see $vm_console_log" ;;
	esac
	vm_signs "$vm_dir" >"$vm_dir/signs" || {
		say "run: the kernel said: $(head -n 1 "$vm_dir/signs"); see $vm_console_log"
		status=1
	}
	exit "$status"
}

command_shell()
{
	options "$@"
	shift "$taken"
	[ -t 0 ] || die "$EX_USAGE" 'vm shell wants a terminal'
	packages_install vm
	files "$@"
	kernel_build "$vm_kernel"
	exec 9>&-
	vm_new shell
	true >"$vm_dir/job"
	load
	for file in "$@"; do
		stage "$file"
	done
	shell_job 'exec setsid cttyhack sh </dev/ttyS0 >/dev/ttyS0 2>&1'
}

# In the terminal, until the shell that the job ends with is left.
shell_job()
{
	echo "$1" >>"$vm_dir/job"
	if [ "$vm_accel" = auto ]; then
		vm_accel=tcg
		! vm_kvm "$vm_kernel" || vm_accel=kvm
	fi
	vm_initramfs "$vm_dir"
	say 'Leave with exit, or at once with Ctrl-A X.'
	vm_prefix=
	(vm_qemu "$vm_kernel" "$vm_cpus" "$vm_accel" "$vm_dir" mon:stdio null)
}

command_cl()
{
	options "$@"
	shift "$taken"
	[ $# -gt 0 ] || [ -t 0 ] || die "$EX_USAGE" 'vm cl wants a command to run; ./run vm explains'
	packages_install vm bench
	kernel_build "$vm_kernel"
	exec 9>&-
	build_normal all
	vm_new cl
	vm_root_make
	vm_cl_begin "$vm_kernel"
	echo "$vm_with" | while read -r file; do
		[ -z "$file" ] || stage "$file"
	done
	echo "debian_device $vm_device" >>"$vm_dir/job"
	if [ $# -eq 0 ]; then
		shell_job 'debian setsid -c bash </dev/ttyS0 >/dev/ttyS0 2>&1'
		return
	fi
	command=$1
	case $command in
	*/*)
		stage "$command"
		command=/root/${command##*/}
		;;
	esac
	shift
	{
		printf 'debian '
		for argument in "$command" "$@"; do
			quoted "$argument"
		done
		echo
	} >"$vm_dir/command"
	vm_cl_command "$vm_dir/command"
	run_job cl
}

command_test()
{
	options "$@"
	shift "$taken"
	kernels_are "$@"
	[ $# -gt 0 ] || set -- perf debug
	packages_install vm bench test
	vm_test_all "$vm_seconds" "$@"
}

command_stack()
{
	engines=20
	clients='10 100'
	if [ "${1-}" = --thorough ]; then
		engines=1000
		clients='100 1000'
		shift
	fi
	options "$@"
	shift "$taken"
	kernels_are "$@"
	[ $# -gt 0 ] || set -- perf
	packages_install vm bench
	vm_stack "$engines" "$clients" "$vm_seconds" "$@"
}

command_bench()
{
	packages_install vm bench
	vm_bench "$@"
}

case ${1-} in
'' | help | -h | --help)
	usage
	exit 0
	;;
run | shell | cl | test | stack | bench) ;;
*) die "$EX_USAGE" "no command 'vm $1'; ./run vm lists those there are" ;;
esac
command=$1
shift
"command_$command" "$@"
