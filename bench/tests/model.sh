#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The cost model: what docs/bench.md says of its costs and errors is what it makes of
# docs/contention.tsv, and points that follow it exactly give back the costs behind them.
# model.sh MODEL-DIRECTORY DOCS-DIRECTORY
set -eu

model=$1/model.awk
docs=$2
failures=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

bad()
{
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# cost FILE NAME: as the model found it.
cost()
{
	sed -n "s/^#.* $2=\([0-9.]*\).*/\1/p" "$1"
}

awk -f "$model" "$docs/contention.tsv" >"$work/fit"
grep '^#' "$work/fit"
for name in round fault lost_device lost_cpu together; do
	value=$(cost "$work/fit" "$name")
	grep -q "^|.*[ |]${value}[ ,|]" "$docs/bench.md" || bad "$name is $value, and docs/bench.md does not say so"
done
# Of all points, then of those with holds worth the name: median and worst.
errors()
{
	sed -n "s/^# error of $1, .*: median \(.*\), worst \(.*\)/\1 | \2/p" "$work/fit" |
		paste -s -d '|' - | sed 's/%|/% | /'
}
for name in device cpu transfers; do
	grep -qF "| $(errors $name) |" "$docs/bench.md" ||
		bad "the errors of $name are $(errors $name), and docs/bench.md does not say so"
done

# A point that the model is exact for: the device works 5 ns, the CPU 10 ns at each
# operation; a round costs 20000, a fault 6000, and 3000 and 2000 are lost.
awk 'BEGIN {
	OFS = "\t"
	print "hold_ns", "think_ns", "device_alone", "cpu_alone", "device_together", "cpu_together",
		"transfers", "cpu_waits"
	for (h = 20000; h <= 320000; h *= 2) {
		t = 2 * h + 20000
		print h, 0, 2e8, 1e8, (h - 3000) / 5 / t * 1e9, (h - 2000) / 10 / t * 1e9, 2e9 / t, 1e9 / t
		# The CPU comes long after the hold, to a device at half its speed.
		x = 10 * h
		t = x + 6000
		print h, x - 10, 2e8, 1e9 / x, (x - h - 14000) / 2 / 5 / t * 1e9, 1e9 / t, 2e9 / t, 0
	}
}' >"$work/exact"
awk -f "$model" "$work/exact" >"$work/found"
grep '^#' "$work/found"
for wanted in work_device=5.000 work_cpu=10.000 round=20000 fault=6000 lost_device=3000 lost_cpu=2000 \
	together=0.50; do
	[ "$(cost "$work/found" "${wanted%=*}")" = "${wanted#*=}" ] || bad "not $wanted"
done
for name in device cpu transfers; do
	grep -q "^# error of $name, holds from 0 ns, .* worst 0.0%" "$work/found" || bad "$name is not exact"
done

[ "$failures" -eq 0 ]
