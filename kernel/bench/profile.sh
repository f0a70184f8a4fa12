#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Where the instructions of one figure of `./run vm bench` go, function by function:
#
#	kernel/bench/profile.sh SECTION WHAT PAGES SIZE [KERNEL]
#
# such as: driver fault 512 4kB; core core-acquire 512 2048kB unpatched. Prints the
# instructions of each function, the same per page, and how often it was entered.
# Everything that runs between two breakpoints is traced, so that nothing is a sample.
# Wants gdb, and the benchmark built by a run of `./run vm bench`.
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
. "$top/run.d/lib/common.sh"
. "$top/run.d/lib/packages.sh"
. "$top/run.d/lib/kernel.sh"
. "$top/run.d/lib/kernel-build.sh"
. "$top/run.d/lib/vm.sh"

{ [ $# -ge 4 ] && [ $# -le 5 ]; } || die "$EX_USAGE" 'profile.sh SECTION WHAT PAGES SIZE [KERNEL]'
command -v gdb >/dev/null || die "$EX_UNAVAILABLE" 'profile.sh wants gdb; apt-get install gdb'
kernel=${5-perf}
built=$kernel_build/bench-$kernel
[ -f "$built.stamp" ] || die "$EX_SOFTWARE" "no $built; ./run vm bench makes it"

vm_new profile
vm_pid=
cp "$built/bench" "$vm_dir/root/"
cp "$(kernel_module "$kernel" test_hmm)" "$built/exclusive_bench.ko" "$vm_dir/modules/"
cat >"$vm_dir/job" <<END
for module in /modules/*.ko; do insmod "\$module" || exit; done
awk '\$2 ~ /^[tTwW]\$/ { print \$1, \$3 \$4 }' /proc/kallsyms
exec ./bench --profile $2 $3 $4 $1
END
vm_initramfs "$vm_dir"

# One instruction per translated block makes the log of blocks one of instructions. The
# socket's path has to be short, and without spaces for QEMU.
scratch=$(mktemp -d)
trap 'vm_cleanup; rm -rf "$scratch"' EXIT
qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -display none -monitor none \
	-machine q35 -cpu max -smp 1 -m 2G -accel tcg -icount shift=0,sleep=off -seed 1 \
	-kernel "$(kernel_image "$kernel")" -initrd "$vm_dir/initramfs" \
	-append 'console=ttyS0 panic=-1 norandmaps' \
	-serial "file:$vm_dir/console" -serial "file:$vm_dir/output" \
	-gdb "unix:$scratch/gdb,server=on,wait=off" -S -D "$scratch/trace" >"$scratch/qemu" 2>&1 &
vm_pid=$!
while [ ! -S "$scratch/gdb" ]; do
	kill -0 "$vm_pid" 2>/dev/null || die "$EX_UNAVAILABLE" "QEMU does not start: $(head -n 1 "$scratch/qemu")"
	sleep 0.1
done

address()
{
	nm "$built/bench" | sed -n "s/ T $1\$//p"
}

timeout 600 gdb -nx -batch -ex 'set architecture i386:x86-64' -ex "target remote $scratch/gdb" \
	-ex "hbreak *0x$(address trace_begin)" -ex "hbreak *0x$(address trace_end)" -ex continue \
	-ex 'monitor singlestep on' -ex 'monitor log exec,nochain' -ex continue -ex kill \
	>"$scratch/gdb.log" 2>&1 </dev/null || :
kill "$vm_pid" 2>/dev/null || :
wait "$vm_pid" 2>/dev/null || :
vm_pid=
[ -s "$scratch/trace" ] || {
	vm_said "$vm_dir" >&2
	die "$EX_SOFTWARE" 'nothing was traced'
}

# Addresses all have 16 digits, so that text sorts as numbers do. First which function
# each address is of, then the addresses in the order in which they ran.
sed -n 's|^Trace .*/\([0-9a-f]\{16\}\)/.*|\1|p' "$scratch/trace" >"$scratch/ran"
grep -aE '^[0-9a-f]{16} ' "$vm_dir/output" | tr -d '\r' >"$scratch/symbols"
sort -u "$scratch/ran" | sed 's/$/ ~/' | LC_ALL=C sort - "$scratch/symbols" |
	awk '$2 != "~" { name = $2; begins = $1; next } { print $1, (/^0/ ? "(user)" : name), $1 == begins }' \
		>"$scratch/named"
awk '
	NR == FNR { name[$1] = $2; begins[$1] = $3; next }
	{ now = name[$1] }
	# A timer that expired while gdb held the machine has nothing to do with it.
	was == "(user)" && now != was { skip = now !~ /^(asm_exc_page_fault|entry_SYSCALL_64)/ }
	now == "(user)" { skip = 0 }
	!skip { count[now]++; total++; if (begins[$1] && now != was) calls[now]++ }
	{ was = now }
	END {
		printf "%9d %9.1f %8s  %s\n", total, total / pages, "entered", "(all)"
		for (now in count)
			printf "%9d %9.1f %8d  %s\n", count[now], count[now] / pages, calls[now], now
	}
' pages="$3" "$scratch/named" "$scratch/ran" | LC_ALL=C sort -rn
