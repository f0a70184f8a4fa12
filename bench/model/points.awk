# SPDX-License-Identifier: MIT
#
# From a result as CSV to the points of contend that the model is about: a line for each
# hold and think time, the medians behind them. Times in ns, rates per second.
#	awk -f points.awk result.csv >points.tsv
BEGIN {
	FS = ","
	OFS = "\t"
	count = split("device_alone cpu_alone device_together cpu_together transfers cpu_waits " \
		"fairness cpu_share", measures, " ")
}

NR == 1 {
	for (i = 1; i <= NF; i++)
		at[$i] = i
	next
}

$(at["workload"]) == "contend" && $(at["status"]) == "ok" {
	key = $(at["hold_ns"]) OFS $(at["think_ns"])
	if (!(key in seen))
		keys[++points] = key
	seen[key] = 1
	median[key, $(at["measure"])] = $(at["median"])
}

END {
	line = "hold_ns" OFS "think_ns"
	for (i = 1; i <= count; i++)
		line = line OFS measures[i]
	print "# SPDX-License-Identifier: MIT"
	print line
	for (n = 1; n <= points; n++) {
		line = keys[n]
		for (i = 1; i <= count; i++)
			line = line OFS sprintf("%.6g", median[keys[n], measures[i]])
		print line
	}
}
