# shellcheck shell=sh
# shellcheck disable=SC2154 # kernel.sh sets what is not set here
# SPDX-License-Identifier: MIT
#
# Boot a kernel in QEMU with an initramfs of our own, run one job in it and bring back
# what it wrote. Needs kernel.sh and kernel-build.sh.
: "${top:?is set by ./run}"

vm_pieces=$top/kernel/vm

# A directory for one job, under the kernel's build; sets vm_dir. What goes where:
#	job		the shell script to run; its status is the job's
#	root/FILE	goes to /root/FILE, modules/FILE to /modules/FILE
#	console, output	after vm_job: the kernel's log, and what the job wrote
vm_new()
{
	vm_dir=
	if mkdir -p "$kernel_build/vm" 2>/dev/null; then
		vm_dir=$(mktemp -d "$kernel_build/vm/$1.XXXXXX" 2>/dev/null) || :
	fi
	[ -n "$vm_dir" ] ||
		die "$EX_CANTCREAT" "cannot write to $kernel_build; make it yours or remove it"
	mkdir "$vm_dir/root" "$vm_dir/modules"
	vm_pid=
	trap vm_cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

vm_cleanup()
{
	[ -z "$vm_pid" ] || kill "$vm_pid" 2>/dev/null || :
	rm -rf "$vm_dir" "$vm_dir".*
}

# An archive whose bytes depend on the files and on nothing else. The kernel unpacks
# one after another from the same image.
vm_cpio()
(
	cd "$1" || exit
	find . -exec touch -h -d @0 {} +
	find . -mindepth 1 -print0 | LC_ALL=C sort -z |
		cpio -o -0 -H newc --reproducible --owner=0:0 --quiet | gzip -1 -n
)

vm_busybox()
{
	dpkg -L busybox-static 2>/dev/null | grep -x '.*/bin/busybox' | head -n 1
}

vm_base_make()
{
	mkdir -p "$1/bin" "$1/proc" "$1/sys" "$1/tmp" "$1/dev" &&
		cp "$(vm_busybox)" "$1/bin/busybox" &&
		ln -s busybox "$1/bin/sh" &&
		cp "$vm_pieces/init" "$1/init" &&
		chmod 755 "$1/init" &&
		vm_cpio "$1" >"$1.cpio.gz"
}

# The part that every job has: busybox and init. Made once for their contents.
vm_base()
{
	vm_base_dir=$kernel_build/vm/base
	vm_base_wanted=$(sha256sum "$(vm_busybox)" "$vm_pieces/init")
	[ "$vm_base_wanted" != "$(cat "$vm_base_dir.stamp" 2>/dev/null)" ] || return 0
	rm -rf "$vm_base_dir" "$vm_base_dir.stamp"
	vm_base_make "$vm_base_dir" ||
		die "$EX_CANTCREAT" "cannot make an initramfs in $kernel_build/vm; is the disk full?"
	echo "$vm_base_wanted" >"$vm_base_dir.stamp"
}

vm_hash()
{
	(cd "$1" && find . -type f -exec sha256sum {} +) | LC_ALL=C sort | sha256sum | cut -c 1-24
}

# The job's part. The token is made of what the job is: the same job boots from the
# same bytes, and takes the same instructions under --icount.
vm_initramfs()
{
	vm_base
	vm_stage=$1/stage
	mkdir "$vm_stage"
	cp "$1/job" "$vm_stage/job"
	mv "$1/root" "$1/modules" "$vm_stage/"
	vm_token=svmatomic-$(vm_hash "$vm_stage")
	echo "$vm_token" >"$vm_stage/token"
	{ vm_cpio "$vm_stage" >"$1/job.cpio.gz" &&
		cat "$kernel_build/vm/base.cpio.gz" "$1/job.cpio.gz" >"$1/initramfs"; } ||
		die "$EX_CANTCREAT" "cannot make an initramfs in $1; is the disk full?"
	rm -rf "$vm_stage" "$1/job.cpio.gz"
}

# vm_qemu KERNEL CPUS ACCEL DIRECTORY CONSOLE OUTPUT: the machine. CONSOLE and OUTPUT
# are QEMU's words for where the two serial ports go. ACCEL is kvm, tcg or icount.
# Callers may set vm_memory, vm_append_also for more of the kernel's command line, and
# vm_disk, an image that the machine may read.
vm_qemu()
{
	vm_append="console=ttyS0 panic=-1 loglevel=8 ${vm_append_also-}"
	vm_clock=
	case $3 in
	icount)
		# Nothing random, and a clock that counts instructions from a fixed date.
		vm_accel='tcg -icount shift=0,sleep=off -seed 1'
		vm_clock='-rtc base=2026-01-01,clock=vm'
		vm_append="$vm_append norandmaps"
		;;
	tcg) vm_accel=tcg,thread=multi ;;
	*) vm_accel=$3 ;;
	esac
	# shellcheck disable=SC2086 # options, to be split
	set -- -nodefaults -no-user-config -no-reboot -display none -monitor none \
		-machine q35 -cpu max -smp "$2" -m "${vm_memory:-$(vm_memory_of "$1")}" \
		-accel $vm_accel $vm_clock \
		-kernel "$(kernel_image "$1")" -initrd "$4/initramfs" -append "$vm_append" \
		-serial "$5" -serial "$6"
	[ -z "${vm_disk-}" ] || set -- "$@" -drive "if=virtio,format=raw,readonly=on,file=$vm_disk"
	# shellcheck disable=SC2086
	exec $vm_prefix qemu-system-x86_64 "$@"
}

# What checks itself needs more.
vm_memory_of()
{
	case $1 in
	debug) echo 3G ;;
	*) echo 2G ;;
	esac
}

# vm_boot KERNEL CPUS ACCEL SECONDS DIRECTORY: boot and wait. Sets vm_ended to "ended
# STATUS", "timeout SECONDS" or "died", and leaves console and output in DIRECTORY.
vm_boot()
{
	vm_initramfs "$5"
	true >"$5/console"
	true >"$5/output"
	# In the background, so that a signal to this shell is heard at once.
	vm_prefix="timeout --foreground -k 2 $4"
	vm_qemu "$1" "$2" "$3" "$5" "file:$5/console" "file:$5/output" \
		</dev/null >"$5/qemu" 2>&1 9>&- &
	vm_pid=$!
	vm_status=0
	wait "$vm_pid" || vm_status=$?
	vm_pid=

	vm_ended=$(tail -n 1 "$5/output" | tr -d '\000' | sed -n "s/.*$vm_token \([0-9]*\)\$/ended \1/p")
	[ -z "$vm_ended" ] || return 0
	vm_ended=died
	[ "$vm_status" -ne 124 ] || vm_ended="timeout $4"
	[ -s "$5/console" ] || [ ! -s "$5/qemu" ] ||
		die "$EX_UNAVAILABLE" "QEMU does not start: $(head -n 1 "$5/qemu")"
}

# Does this kernel get to our init with KVM? /dev/kvm can be there and not be up to
# it, so only booting tells. Asked once for a kernel and a device.
vm_kvm()
{
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || return 1
	vm_kvm_stamp=$kernel_build/$1.kvm.stamp
	vm_kvm_key="$(sha256sum <"$(kernel_image "$1")") $(stat -c '%t:%T %g %a' /dev/kvm) $(uname -r)"
	if [ "$vm_kvm_key" != "$(sed -n 1p "$vm_kvm_stamp" 2>/dev/null)" ]; then
		rm -rf "$vm_dir.probe"
		mkdir "$vm_dir.probe" "$vm_dir.probe/root" "$vm_dir.probe/modules"
		echo true >"$vm_dir.probe/job"
		say 'finding out whether KVM boots this kernel (20 s at most)'
		(vm_boot "$1" 1 kvm 20 "$vm_dir.probe" && echo "$vm_ended") >"$vm_dir.answer" 2>/dev/null || :
		printf '%s\n%s\n' "$vm_kvm_key" "$(cat "$vm_dir.answer")" >"$vm_kvm_stamp"
		rm -rf "$vm_dir.probe" "$vm_dir.answer"
	fi
	[ "$(sed -n 2p "$vm_kvm_stamp")" = 'ended 0' ]
}

# vm_job NAME KERNEL CPUS ACCEL SECONDS DIRECTORY: run the job in a directory made by
# vm_new. ACCEL is auto (KVM if it works, else TCG), kvm, tcg or icount. Sets vm_ended
# as vm_boot does and vm_accel_used; keeps the logs as build/logs/vm-NAME.*.log. True
# when the job ended, whatever its status.
vm_job()
{
	vm_accel_used=$4
	if [ "$4" = auto ]; then
		vm_accel_used=tcg
		! vm_kvm "$2" || vm_accel_used=kvm
	fi
	vm_boot "$2" "$3" "$vm_accel_used" "$5" "$6"
	vm_console_log=$kernel_logs/vm-$1.console.log
	vm_output_log=$kernel_logs/vm-$1.output.log
	{ mkdir -p "$kernel_logs" && cp "$6/console" "$vm_console_log" && cp "$6/output" "$vm_output_log"; } 2>/dev/null ||
		die "$EX_CANTCREAT" "cannot write to $kernel_logs; make it yours or remove it"
	case $vm_ended in
	ended*) return 0 ;;
	esac
	return 1
}

# What the job wrote, to the byte: without the line of init's after it.
vm_output()
{
	case $vm_ended in
	ended*)
		vm_tail="$vm_token ${vm_ended#ended } "
		head -c "-${#vm_tail}" "$1/output"
		;;
	*) cat "$1/output" ;;
	esac
}

# vm_signs DIRECTORY: the lines of the kernel's log that are bad signs; false if any.
vm_signs()
{
	awk -f "$vm_pieces/signs.awk" -f "$vm_pieces/bad.awk" "$1/console"
}

# vm_said DIRECTORY: what the job and its programs wrote on standard error.
vm_said()
{
	awk -f "$vm_pieces/signs.awk" -f "$vm_pieces/said.awk" "$1/console"
}
