# shellcheck shell=sh
# shellcheck disable=SC2154 # mesa.sh and mesa-build.sh set what is not set here
# SPDX-License-Identifier: MIT
#
# What the series costs and brings, in the build root, where the distribution has PoCL: the
# contended word on rusticl, on PoCL and by native threads, in one run; kernels without
# atomics with the series and without, in turn. Needs mesa-build.sh, packages.sh, build.sh.
: "${top:?is set by ./run}"

mesa_unpatched_source=$mesa_build/unpatched-source
mesa_unpatched=$mesa_build/unpatched
mesa_bench_out=$mesa_build/bench
mesa_bench_ops=fetch_add,fetch_sub,exchange,compare_exchange,fetch_min,fetch_max,fetch_and,fetch_or,fetch_xor,load,store

# mesa_bench_on NAME ICD... -- COMMAND...: a command in the root, with these
# implementations of OpenCL and no others.
mesa_bench_on()
{
	mesa_vendors=$mesa_bench_out/$1
	shift
	rm -rf "$mesa_vendors"
	mkdir -p "$mesa_vendors"
	while [ "$1" != -- ]; do
		echo "$1" >"$mesa_vendors/$(basename "$1").icd"
		shift
	done
	shift
	mesa_enter env OCL_ICD_VENDORS="$mesa_vendors" RUSTICL_ENABLE=llvmpipe \
		MESA_SHADER_CACHE_DIR="$mesa_bench_out/cache" "$@"
}

# --- the contended word ---

mesa_contend()
{
	mesa_bench_on both "$mesa_install/lib/$(mesa_rusticl)" libpocl.so.2 -- \
		"$top/build/bench/svmatomic-bench" run contend --quiet --device all \
		-a op="$mesa_bench_ops" "$@"
}

# mesa_contend_rates FILE...: from CSV, "DEVICE OPERATION ITEMS RATE". Names of devices have
# commas in them, and then quotes around them.
mesa_contend_rates()
{
	awk -F, '
		{
			n = split($0, part, "\"")
			$0 = ""
			for (i = 1; i <= n; i++) {
				if (i % 2 == 0)
					gsub(",", ";", part[i])
				$0 = $0 part[i]
			}
		}
		FNR == 1 {
			for (i = 1; i <= NF; i++)
				at[$i] = i
			next
		}
		$(at["measure"]) == "device_alone" {
			print $(at["device"]) ~ /llvmpipe/ ? "rusticl" : "pocl", $(at["op"]), $(at["work_items"]), $(at["median"]) / 1e6
		}' "$@"
}

# mesa_native_rates THREADS: the same steps by threads, each on a CPU of its own.
mesa_native_rates()
{
	"$top/build/mesa-patches/bench/native" "$1" |
		awk '$3 != "-" { print "native", $1, $2, $3 }'
}

# Rates of one and of two work-items, to those of PoCL and of as many native threads.
mesa_contend_table()
{
	awk '
		{ rate[$1 " " $2 " " $3] = $4 }
		!($2 in seen) { seen[$2] = 1; ops[++count] = $2 }
		function ratio(op, n, to) {
			if (!((to " " op " " n) in rate) || !(("rusticl " op " " n) in rate))
				return "-"
			return sprintf("%.2f", rate["rusticl " op " " n] / rate[to " " op " " n])
		}
		END {
			printf "%-18s%16s%16s%16s%16s\n", "rusticl over", "PoCL, 1 item", "1 C11 thread", "PoCL, 2 items", "2 C11 threads"
			for (i = 1; i <= count; i++)
				printf "%-18s%16s%16s%16s%16s\n", ops[i], ratio(ops[i], 1, "pocl"), \
					ratio(ops[i], 1, "native"), ratio(ops[i], 2, "pocl"), ratio(ops[i], 2, "native")
		}'
}

# Groups of one work-item, as PoCL runs the items of a group one after the other.
mesa_bench_contend()
{
	say 'one word of 32 bits, relaxed, on CPU devices: rusticl, PoCL and native threads'
	for mesa_items in 1 2; do
		mesa_contend -a work_items="$mesa_items" -a cpu_threads=0 \
			--csv "$mesa_bench_out/device-$mesa_items.csv" >/dev/null || return
		mesa_native_rates "$mesa_items" >"$mesa_bench_out/native-$mesa_items" || return
	done
	{
		mesa_contend_rates "$mesa_bench_out"/device-[12].csv
		cat "$mesa_bench_out"/native-[12]
	} | mesa_contend_table
}

# --- kernels without atomics ---

mesa_unpatched_have()
{
	series_worktree "$mesa_unpatched_source" 'Mesa without the series' unpatched
	series_git "$mesa_unpatched_source" checkout -q --detach base
	mesa_compile unpatched "$mesa_unpatched" "$mesa_unpatched_source"
}

# mesa_without_atomics ROUND
mesa_without_atomics()
{
	for mesa_which in before after; do
		case $mesa_which in
		before) mesa_icd=$mesa_unpatched/src/gallium/targets/rusticl/libRusticlOpenCL.so.1 ;;
		after) mesa_icd=$mesa_install/lib/$(mesa_rusticl) ;;
		esac
		for mesa_what in build run; do
			mesa_times=$(mesa_bench_on "$mesa_which" "$mesa_icd" -- \
				"$top/build/mesa-patches/bench/without_atomics" "$mesa_what") || return
			echo "$mesa_times" | sed "s/^/$1 $mesa_which /"
		done
	done
}

# Lines of "ROUND before|after MEASURE WALL CPU", to the median ratio of both times and the
# range of the rounds' own.
mesa_without_atomics_table()
{
	awk '
		function median(key, n,    i, j, t, v) {
			for (i = 1; i <= n; i++)
				v[i] = ratio[key, i]
			for (i = 2; i <= n; i++)
				for (j = i; j > 1 && v[j] < v[j - 1]; j--) {
					t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
				}
			low = v[1]; high = v[n]
			return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
		}
		$2 == "before" { wall[$3] = $4; cpu[$3] = $5 }
		$2 == "after" {
			if (!($3 in rounds))
				names[++count] = $3
			n = ++rounds[$3]
			ratio[$3 " wall", n] = $4 / wall[$3]
			ratio[$3 " cpu", n] = $5 / cpu[$3]
		}
		END {
			printf "%-30s%8s  %-14s%8s  %s\n", "patched over unpatched", "clock", "", "CPU", ""
			for (i = 1; i <= count; i++)
				for (k = 1; k <= 2; k++) {
					m = median(names[i] (k == 1 ? " wall" : " cpu"), rounds[names[i]])
					if (k == 1)
						printf "%-30s", names[i]
					printf "%8.2f  %-14s%s", m, sprintf("%.2f to %.2f", low, high), k == 2 ? "\n" : ""
				}
		}'
}

mesa_bench_without_atomics()
{
	say 'kernels without atomics, with the series and without, five rounds in turn'
	for mesa_round in 1 2 3 4 5; do
		mesa_without_atomics "$mesa_round" || return
	done >"$mesa_bench_out/without_atomics"
	mesa_without_atomics_table <"$mesa_bench_out/without_atomics"
}

mesa_bench()
{
	mesa_build_all
	packages_install bench
	build_normal all
	mesa_unpatched_have
	rm -rf "$mesa_bench_out"
	mkdir -p "$mesa_bench_out"
	mesa_bench_contend || die "$EX_SOFTWARE" 'svmatomic-bench failed, above'
	mesa_bench_without_atomics || die "$EX_SOFTWARE" 'without_atomics failed, above'
}
