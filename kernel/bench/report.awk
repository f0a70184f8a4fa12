# SPDX-License-Identifier: MIT
#
# Make one table of what bench printed on two kernels, and say which targets are met:
#
#	awk -v json=FILE -f report.awk targets.tsv kernel=series FILE... kernel=unpatched FILE...
#
# With json, the same for machines. Fails if a target is missed.

BEGIN {
	FS = "\t"

	# What the kernel does to the same range anyway, for a bound. Only single small
	# pages have a fault that is as cheap as can be.
	bound_of["acquire"] = "mprotect-none"
	bound_of["acquire-and-copy"] = "mprotect-none"
	bound_of["retake"] = "mprotect-none"
	bound_of["core-acquire"] = "mprotect-none"
	bound_of["core-retake"] = "mprotect-none"
	bound_of["restore"] = "mprotect-rw"
	bound_of["core-restore"] = "mprotect-rw"
	bound_of["fault"] = "wp-fault"
	bound_of["sweep"] = "wp-fault"
	bound_of["core-fault"] = "wp-fault"
	bound_of["core-sweep"] = "wp-fault"
	bound_of["acquire-unpopulated"] = "populate"
	# And what the library calls.
	bound_of["library-acquire"] = "ioctl-acquire"
	bound_of["library-release"] = "ioctl-release"

	groups = split("acquire acquire-and-copy core-acquire retake core-retake" \
		" acquire-unpopulated restore core-restore fault core-fault sweep core-sweep" \
		" mprotect-none mprotect-rw populate wp-fault loop library-acquire library-release", group, " ")
	sizes = split("4kB 64kB 2048kB", size, " ")
	name_of["4kB"] = "4 KiB"
	name_of["64kB"] = "64 KiB"
	name_of["2048kB"] = "2 MiB"

	explain("acquire", "take the range for test_hmm, its page table included")
	explain("acquire-and-copy", "the same by the ioctl that unpatched 6.12 has, less the copying it also does")
	explain("core-acquire", "take the range by the core's function alone")
	explain("retake, core-retake", "the same for a range that is taken already")
	explain("acquire-unpopulated", "acquire a range that no page was allocated for yet; bound: populate")
	explain("restore, core-restore", "give the range back with one call; bound: mprotect-rw")
	explain("fault, core-fault", "the CPU writes to each page, each a fault; bound: wp-fault")
	explain("sweep, core-sweep", "the same, up to 16 pages coming back at a fault; bound: wp-fault")
	explain("loop", "the loop of Documentation/mm/hmm.rst, the first attempt lost, of at most 100")
	explain("library-acquire", "a call of svma_acquire() for vsvm, not linked dynamically; bound: the ioctl itself")
	explain("library-release", "svma_release() thereafter")
	explain("mprotect-none", "mprotect(PROT_NONE) of the range: the bound for taking it")
	explain("mprotect-rw", "mprotect(PROT_READ | PROT_WRITE) thereafter")
	explain("populate", "write to each page of a range that has none")
	explain("wp-fault", "write to pages that soft-dirty tracking protects: the cheapest fault")
}

function explain(what, text)
{
	explained[++explanations] = sprintf("  %-22s %s", what, text)
}

function key(what, pages, backing, cpus, unit)
{
	return what FS pages FS backing FS cpus FS unit
}

/^#/ || NF == 0 { next }

kernel == "" {
	limit[key($1, $2, $3, $4, $5)] = $6
	next
}

{
	k = key($1, $2, $3, $4, $5)
	value[kernel, k] = $6
	if ($6 ~ /^[0-9.]+$/ && $7 - $6 > $6 / 100)
		unsteady[kernel, k] = 1
	most[kernel, k] = $7
	if (kernel == "series" && !(k in known)) {
		known[k] = 1
		row[++rows] = k
	}
}

function is_number(text)
{
	return text ~ /^[0-9]+(\.[0-9]+)?$/
}

# A figure as the table shows it, or why there is none.
function shown(kernel, k, none)
{
	if (!((kernel, k) in value))
		return none
	if (!is_number(value[kernel, k]))
		return value[kernel, k] " "
	# Events are whole numbers.
	if (k !~ /instructions|ratio/)
		return sprintf("%d ", value[kernel, k])
	return value[kernel, k] (((kernel, k) in unsteady) ? "~" : " ")
}

function quoted(text)
{
	return "\"" text "\""
}

function number_or_null(text)
{
	return is_number(text) ? text : "null"
}

# Which figure of the unpatched kernel is about the same: the old ioctl is its only one.
function unpatched_key(k)
{
	sub(/^acquire-and-copy\t/, "acquire\t", k)
	return k
}

function bound_key(what, pages, backing, cpus, unit)
{
	if (unit !~ /^instructions/ || !(what in bound_of))
		return ""
	return key(bound_of[what], pages, bound_of[what] == "wp-fault" ? "4kB" : backing, cpus, unit)
}

function print_row(k,	field, u, b, name, target, verdict, met)
{
	split(k, field, FS)
	u = unpatched_key(k)
	b = bound_key(field[1], field[2], field[3], field[4], field[5])
	if (field[5] ~ /^instructions/)
		name = field[1]
	else
		name = field[1] ", " field[5]

	target = ""
	verdict = ""
	met = "null"
	if (k in limit) {
		judged[k] = 1
		target = limit[k] == "unpatched" ? value["unpatched", u] : limit[k]
		met = is_number(target) && is_number(value["series", k]) && value["series", k] + 0 <= target + 0
		verdict = met ? "met" : "MISSED"
		met ? kept++ : missed++
		met = met ? "true" : "false"
	}

	line = sprintf("%-31s %5d  %-6s %12s %12s %12s %9s %s", name, field[2], name_of[field[3]],
		shown("series", k, ""), shown("unpatched", u, "- "),
		shown("series", b, ""), target == "" ? "" : "<= " target, verdict)
	sub(/ +$/, "", line)
	print line

	if (json == "")
		return
	printf "%s\n  {\"name\": %s, \"pages\": %d, \"backing\": %s, \"cpus\": %d, \"unit\": %s," \
		" \"value\": %s, \"most\": %s, \"error\": %s, \"unpatched\": %s, \"unpatched_error\": %s," \
		" \"bound\": %s, \"bound_name\": %s, \"target\": %s, \"met\": %s}",
		objects++ ? "," : "", quoted(field[1]), field[2], quoted(field[3]), field[4], quoted(field[5]),
		number_or_null(value["series", k]), number_or_null(most["series", k]), error("series", k),
		number_or_null(value["unpatched", u]), error("unpatched", u),
		b == "" ? "null" : number_or_null(value["series", b]), b == "" ? "null" : quoted(bound_of[field[1]]),
		target == "" ? "null" : number_or_null(target), met >json
}

function error(kernel, k)
{
	return value[kernel, k] != "" && !is_number(value[kernel, k]) ? quoted(value[kernel, k]) : "null"
}

# The table that a figure belongs to.
function table_of(unit)
{
	if (unit == "instructions/page")
		return "costs"
	return unit == "instructions/call" || unit == "ratio" ? "library" : "events"
}

# The rows of one kind, by page size: a list of figures for growing ranges each.
function print_rows(what, cpus, table,	s, r, field, printed)
{
	for (s = 1; s <= sizes; s++) {
		for (r = 1; r <= rows; r++) {
			split(row[r], field, FS)
			if (field[1] != what || field[3] != size[s] || field[4] != cpus ||
			    table_of(field[5]) != table)
				continue
			print_row(row[r])
			printed = 1
		}
	}
	return printed
}

function heading(text)
{
	printf "\n%s\n%-31s %5s  %-6s %12s %12s %12s %9s\n", text, "", "pages", "of", "this series ",
		"unpatched ", "bound ", "target"
}

END {
	if (!rows)
		exit 2
	if (json != "")
		printf "[" >json

	print "Counted instructions under QEMU TCG, not time; the device is a virtual one, test_hmm"
	print "or, for the library, vsvm."
	print "\"pages\" are of 4 KiB, \"of\" is what the memory behind them is allocated in."
	heading("Instructions per page, 1 CPU")
	for (i = 1; i <= groups; i++)
		if (print_rows(group[i], 1, "costs"))
			print ""
	for (cpus = 1; cpus <= 2; cpus++) {
		heading("Events per range, " (cpus == 1 ? "1 CPU" : "2 CPUs, the other one running in the same address space"))
		for (i = 1; i <= groups; i++)
			print_rows(group[i], cpus, "events")
	}
	heading("Instructions per call of libsvmatomic, 1 CPU, and their ratio to the ioctl's")
	for (i = 1; i <= groups; i++)
		print_rows(group[i], 1, "library")
	if (json != "") {
		print "\n]" >json
		close(json)
	}

	print "\nEach figure is the least of several; with ~, another was more than 1 % higher. An"
	print "error's name stands where the kernel gave that error. Of instructions that repeat,"
	print "such as those which clear a page, each repetition counts.\n"
	for (i = 1; i <= explanations; i++)
		print explained[i]

	print ""
	for (k in limit)
		if (!(k in judged)) {
			split(k, field, FS)
			print "no figure for the target of " field[1] ", " field[2] " pages of " field[3]
			missed++
		}
	livelock("this series", "series")
	livelock("unpatched 6.12", "unpatched")
	printf "targets: %d met, %d missed\n", kept, missed
	exit missed ? 1 : 0
}

function livelock(name, kernel,	k, retries)
{
	k = key("loop", 1, "4kB", 1, "retries")
	retries = value[kernel, k]
	if (value[kernel, key("loop", 1, "4kB", 1, "taken")] > 0)
		printf "livelock: %s took the page with %d retry\n", name, retries
	else
		printf "livelock: %s never took the page, %d of %d retries failed\n", name,
			value[kernel, key("loop", 1, "4kB", 1, "retries lost")], retries
}
