# shellcheck shell=sh
# shellcheck disable=SC2154 # kernel.sh and vm.sh set what is not set here
# SPDX-License-Identifier: MIT
#
# Measure contention of a CPU with the virtual device by svmatomic-bench, in a machine
# whose clock counts instructions: two runs give the same digits, however busy the host
# is. Needs vm.sh and build.sh.
: "${top:?is set by ./run}"

# Every sample is like the other: two are there to show it. Others may be asked for, as
# options of `svmatomic-bench run`.
vm_contend_axes=${SVMATOMIC_CONTEND_AXES:-'-a hold_ns=5000,20000,100000,500000
	-a think_ns=0,20000,100000 -a order=relaxed --window 40 --samples 2'}

# With the HPET, an emulated machine's ticks come twice as often as they should, and the
# kernel gives up on the timers of the CPUs, without which there are no short holds.
vm_contend_append=hpet=disable

# vm_libraries PROGRAM DIRECTORY: its shared libraries, and what loads them.
vm_libraries()
{
	mkdir "$2"
	LC_ALL=C ldd "$1" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' |
		while read -r vm_library; do
			cp -L "$vm_library" "$2/" || exit
		done
}

vm_contend_stage()
{
	vm_new contend
	cp "$vm_pieces/contend-job.sh" "$vm_dir/job"
	printf '%s\n' "$vm_contend_axes" >"$vm_dir/root/contend-axes"
	cp "$top/build/bench/svmatomic-bench" "$vm_dir/root/"
	vm_libraries "$top/build/bench/svmatomic-bench" "$vm_dir/root/lib" ||
		die "$EX_SOFTWARE" 'cannot copy the libraries of svmatomic-bench'
	for vm_name in drm_svm_atomic vsvm; do
		vm_ko=$(kernel_module perf "$vm_name")
		[ -n "$vm_ko" ] ||
			die "$EX_SOFTWARE" "the perf kernel has no module $vm_name; is it in kernel/configs?"
		cp "$vm_ko" "$vm_dir/modules/"
	done
}

# shellcheck disable=SC2034 # vm.sh has them
vm_contend_run()
{
	vm_append_also=$vm_contend_append
	vm_job contend perf 2 icount 1800 "$vm_dir" || :
	vm_append_also=
	vm_contend_bad=$(vm_signs "$vm_dir") || :
	[ -n "$vm_contend_bad" ] || [ "$vm_ended" != 'ended 0' ] || return 0
	vm_said "$vm_dir" >&2
	die 1 "measuring contention failed (${vm_contend_bad:-$vm_ended}); see $vm_console_log"
}

# vm_contend_table CSV: a line per hold and think time.
vm_contend_table()
{
	awk -F, '
	function value(name) { return name in at ? $(at[name]) : "" }
	NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
	value("workload") == "handoff" && value("measure") == "one_way" {
		handoffs = handoffs sprintf("%9g us %12.1f us\n", value("hold_ns") / 1e3,
			value("median") / 1e3)
	}
	value("workload") != "contend" { next }
	{
		key = value("hold_ns") SUBSEP value("think_ns")
		if (!(key in status)) order[++points] = key
		status[key] = value("status")
		figure[key, value("measure")] = value("median")
	}
	END {
		printf "%12s %12s %12s %12s %12s %9s %9s\n", "hold", "CPU thinks",
			"transfers/s", "device op/s", "CPU op/s", "fairness", "CPU share"
		for (n = 1; n <= points; n++) {
			split(order[n], part, SUBSEP)
			printf "%9g us %9g us ", part[1] / 1e3, part[2] / 1e3
			if (status[order[n]] != "ok")
				printf "%s\n", status[order[n]]
			else
				printf "%12.0f %12.4g %12.4g %9.3f %9.3g\n",
					figure[order[n], "transfers"],
					figure[order[n], "device_together"],
					figure[order[n], "cpu_together"], figure[order[n], "fairness"],
					figure[order[n], "cpu_share"]
		}
		printf "\nhandoff: a token gets across\n%12s %15s\n%s", "hold", "one way", handoffs
	}' "$1"
}

# Needs the perf kernel and svmatomic-bench, both built. Leaves result.json, result.csv,
# table.txt and report.html in build/contend, and prints a short table.
vm_contend()
{
	vm_contend_out=$top/build/contend
	{ mkdir -p "$vm_contend_out" && rm -f "$vm_contend_out"/*; } 2>/dev/null ||
		die "$EX_CANTCREAT" "cannot write to $vm_contend_out; make it yours or remove it"
	vm_contend_stage
	printf 'measuring contention with the virtual device ...' >&2
	vm_began=$(date +%s)
	vm_contend_run
	say " $(($(date +%s) - vm_began)) s"
	vm_output "$vm_dir" | tar -x -C "$vm_contend_out" ||
		die "$EX_SOFTWARE" "the results cannot be unpacked; see $vm_output_log"
	vm_cleanup
	"$top/build/bench/svmatomic-bench" report -o "$vm_contend_out/report.html" \
		"$vm_contend_out/result.json" >/dev/null || exit

	cat <<-'END'
	contend: one CPU thread and one thread of vsvm add to one word. This is a virtual
	device: no figures of hardware. A second is a thousand million instructions, of both
	CPUs together.

	END
	vm_contend_table "$vm_contend_out/result.csv"
	say "report: $vm_contend_out/report.html"
}
