# SPDX-License-Identifier: MIT
#
# A cost model of one page that a device and a CPU thread take from each other; docs/bench.md
# derives it. Find the costs from measured points, and say how well they predict them all:
#	awk -f model.awk points.tsv
# With other costs, say what would be measured, as shares of what each side does alone:
#	awk -v round=60000 -v fault=10000 -v lost_device=5000 -v lost_cpu=5000 \
#		-v holds='20000 100000' -v thinks='0 50000' -f model.awk
#
# In ns:
# work_*	an operation, alone
# round		what a round takes beside two holds, where both sides wait for each other
# fault		the CPU's fault on a page whose hold has ended
# lost_*	of its hold, or its turn, in which a side does not work, while the other waits
# And
# together	how fast the device works while the CPU thinks. 1, but less where emulated
#		CPUs take turns
BEGIN {
	FS = OFS = "\t"
	if (holds == "")
		next_is_data = 1
	else {
		work_device = work_cpu = together = 1
		foresee()
		exit
	}
}

function positive(x)
{
	return x > 0 ? x : 0
}

# The median of @values from 1 to @count, which it sorts.
function median(values, count,   i, j, value)
{
	for (i = 2; i <= count; i++) {
		value = values[i]
		for (j = i - 1; j >= 1 && values[j] > value; j--)
			values[j + 1] = values[j]
		values[j + 1] = value
	}
	return count ? (values[int((count + 1) / 2)] + values[int(count / 2) + 1]) / 2 : 0
}

# @period: of the CPU's operations, with what it thinks. Sets device, cpu and transfers.
function predict(hold, period, thinks,   ops, taken, ended, wanted, left, lasts, work)
{
	# The CPU has the page from 0 on, the device from taken on, for sure until ended.
	taken = hold + round - fault
	ended = taken + hold
	ops = positive(hold - lost_cpu) / period
	if (thinks)
		ops = 1 + int(ops)
	# When the CPU wants the page again, and gets it.
	wanted = thinks ? ops * period : taken
	left = wanted > ended ? wanted : ended
	lasts = left + fault
	# A CPU that waits is in the device's way only when it begins to.
	work = left - taken - (wanted < ended ? lost_device : 0)
	if (thinks)
		work -= (1 - together) * positive(wanted - taken)
	device = positive(work) / work_device / lasts * 1e9
	cpu = ops / lasts * 1e9
	transfers = 2e9 / lasts
}

# --- a prediction ---

function foresee(   h, t, i, j, count_holds, count_thinks)
{
	count_holds = split(holds, h, " ")
	count_thinks = split(thinks, t, " ")
	print "hold_ns", "think_ns", "device", "CPU", "transfers/s"
	for (j = 1; j <= count_thinks; j++)
		for (i = 1; i <= count_holds; i++) {
			predict(h[i], work_cpu + t[j], t[j] > 0)
			printf "%d\t%d\t%.0f%%\t%.0f%%\t%.0f\n", h[i], t[j], device / 1e7,
				cpu * (work_cpu + t[j]) / 1e7, transfers
		}
}

# --- the fit ---

!next_is_data || /^#/ { next }

!n && !("hold_ns" in at) {
	for (i = 1; i <= NF; i++)
		at[$i] = i
	next
}

{
	n++
	hold[n] = $(at["hold_ns"])
	think[n] = $(at["think_ns"])
	seen["device", n] = $(at["device_together"])
	seen["cpu", n] = $(at["cpu_together"])
	seen["transfers", n] = $(at["transfers"])
	waits[n] = $(at["cpu_waits"])
	period[n] = 1e9 / $(at["cpu_alone"])
	alone[n] = 1e9 / $(at["device_alone"])
}

# How long a round lasts that was measured.
function lasted(i)
{
	return 2e9 / seen["transfers", i]
}

function fit(   i, a, b, c, d, e, f, bare, idle, x)
{
	for (i = 1; i <= n; i++)
		a[i] = alone[i]
	work_device = median(a, n)

	# Without thinking, both sides want the page all the time.
	for (i = 1; i <= n; i++) {
		if (think[i])
			continue
		b[++bare] = period[i]
		c[bare] = lasted(i) - 2 * hold[i]
		d[bare] = hold[i] - seen["device", i] * work_device / 1e9 * lasted(i)
		e[bare] = hold[i] - seen["cpu", i] * period[i] / 1e9 * lasted(i)
	}
	work_cpu = median(b, bare)
	round = median(c, bare)
	lost_device = median(d, bare)
	lost_cpu = median(e, bare)

	# Where the CPU thinks for long, no hold is in its way.
	for (i = 1; i <= n; i++) {
		x = int(seen["cpu", i] / 1e9 * lasted(i) + 0.5) * period[i]
		if (think[i] && waits[i] * 40 < seen["transfers", i] && x)
			f[++idle] = lasted(i) - x
	}
	fault = median(f, idle)
	idle = 0
	for (i = 1; i <= n; i++) {
		x = int(seen["cpu", i] / 1e9 * lasted(i) + 0.5) * period[i]
		x -= hold[i] + round - fault
		if (think[i] && waits[i] * 40 < seen["transfers", i] && x > 0)
			f[++idle] = seen["device", i] * work_device / 1e9 * lasted(i) / x
	}
	together = idle ? median(f, idle) : 1
}

# Holds shorter than what both faults take are no holds: judge with them and without.
function judge(name, least,   i, errors, count)
{
	for (i = 1; i <= n; i++)
		if (hold[i] >= least)
			errors[++count] = error[name, i]
	printf "# error of %s, holds from %d ns, %d points: median %.1f%%, worst %.1f%%\n", name, least,
		count, 100 * median(errors, count), 100 * errors[count]
}

END {
	if (!next_is_data)
		exit
	fit()
	printf "# work_device=%.3f work_cpu=%.3f round=%.0f fault=%.0f lost_device=%.0f lost_cpu=%.0f together=%.2f\n",
		work_device, work_cpu, round, fault, lost_device, lost_cpu, together
	count = split("device cpu transfers", names, " ")
	print "hold_ns", "think_ns", "device", "model", "cpu", "model", "transfers", "model"
	for (i = 1; i <= n; i++) {
		predict(hold[i], period[i], think[i] > 0)
		said["device"] = device
		said["cpu"] = cpu
		said["transfers"] = transfers
		line = hold[i] OFS think[i]
		for (k = 1; k <= count; k++) {
			name = names[k]
			line = line OFS sprintf("%.4g\t%.4g", seen[name, i], said[name])
			error[name, i] = said[name] / seen[name, i] - 1
			if (error[name, i] < 0)
				error[name, i] = -error[name, i]
		}
		print line
	}
	for (k = 1; k <= count; k++) {
		judge(names[k], 0)
		judge(names[k], 10000)
	}
}
