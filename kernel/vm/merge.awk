# SPDX-License-Identifier: MIT
#
# Make results of a kernel's log in which tests have written their TAP: one per test
# case, failed if the kernel complained while it ran, whatever it said itself.
#
#	awk -f signs.awk -f merge.awk -v kernel=NAME -v programs='A B' -v plain='B'
#		-v ended=HOW -v first=N -v xml=FILE -v counts=FILE LOG
#
# programs: what was to run. plain: those of them that write no TAP and say by their
# exit status alone how it went, 77 being skipped. ended: "ended STATUS" when the machine switched itself off
# after its job, "timeout SECONDS" or "died". first: the number of the first result.
# TAP goes to standard output, JUnit XML and "PASSED FAILED SKIPPED" to the two files.

function xml_text(text)
{
	gsub(/[\001-\010\013\014\016-\037]/, "?", text)
	gsub(/&/, "\\&amp;", text)
	gsub(/</, "\\&lt;", text)
	gsub(/>/, "\\&gt;", text)
	gsub(/"/, "\\&quot;", text)
	return text
}

# A new span: what has been logged since belongs to the test that will end it.
function span_begin()
{
	span_signs = span_lines = span_now = span_last = ""
	span_from = log_time
	span_count = 0
}

# Kept for the report of a failure, and not without bound.
function span_add(text)
{
	if (++span_count <= 300)
		span_lines = span_lines text "\n"
	else if (span_count == 301)
		span_lines = span_lines "(and more: see the log)\n"
}

# result(CLASS, NAME, HOW, WHY, DETAIL, SECONDS): HOW is ok, failed or skipped.
function result(class, name, how, why, detail, seconds,    label, lines, count, i)
{
	label = kernel " " class (class == "" ? "" : " ") name
	gsub(/#/, "\\#", label)
	print (how == "failed" ? "not ok " : "ok ") number++ " - " label \
		(how == "skipped" ? " # SKIP " why : "")
	if (how == "failed") {
		print "# " why
		count = split(detail, lines, "\n")
		for (i = 1; i < count && i <= 60; i++)
			print "#   " lines[i]
	}
	total[how]++

	cases = cases "  <testcase classname=\"" xml_text(kernel (class == "" ? "" : "." class)) \
		"\" name=\"" xml_text(name) "\" time=\"" sprintf("%.3f", seconds) "\""
	if (how == "ok")
		cases = cases "/>\n"
	else if (how == "skipped")
		cases = cases "><skipped message=\"" xml_text(why) "\"/></testcase>\n"
	else
		cases = cases "><failure message=\"" xml_text(why) "\">" xml_text(detail) \
			"</failure></testcase>\n"
}

# A test of the program has ended: "ok N [-] NAME [# DIRECTIVE]", or "not ok".
function test_line(text,    how, why, name, directive)
{
	how = text ~ /^ok/ ? "ok" : "failed"
	why = "it says so"
	sub(/^(not )?ok */, "", text)
	ran++
	if (match(text, /^[0-9]+/)) {
		if (substr(text, 1, RLENGTH) + 0 != ran && !misnumbered)
			misnumbered = "its result " ran " has number " substr(text, 1, RLENGTH)
		text = substr(text, RLENGTH + 1)
	}
	sub(/^ *(- )?/, "", text)
	name = text
	if (match(text, / *# *(SKIP|XFAIL|XPASS|TODO|skip|todo)/)) {
		name = substr(text, 1, RSTART - 1)
		directive = substr(text, RSTART)
		if (how == "ok" && directive ~ /^ *# *(SKIP|skip)/) {
			how = "skipped"
			why = directive
			sub(/^ *# *(SKIP|skip) */, "", why)
		}
	}
	if (name == "")
		name = "test " ran
	if (span_signs != "") {
		how = "failed"
		why = "the kernel said: " span_signs
	}
	result(program, name, how, why, span_lines, log_time - span_from)
	span_begin()
}

# What is left of the span belongs to no test that ended.
function span_outside()
{
	if (span_signs != "" && outside == "")
		outside = span_signs
	if (span_signs != "")
		outside_lines = outside_lines span_lines
	span_begin()
}

function program_begin(name)
{
	span_outside()
	program = name
	started[name] = 1
	plan = -1
	ran = 0
	misnumbered = plan_skip = ""
}

# The last line of a program that is skipped says why.
function plain_end(status,    how, why)
{
	how = status == 0 ? "ok" : status == 77 ? "skipped" : "failed"
	why = status == 77 ? span_last : "exit status " status
	sub(/^skipped: /, "", why)
	if (span_signs != "") {
		how = "failed"
		why = "the kernel said: " span_signs
	}
	result(program, "all", how, why, span_lines, log_time - span_from)
	span_begin()
	program = ""
}

# program_end(HOW): HOW is an exit status, or why there is none.
function program_end(how,    why)
{
	if (how !~ /^[0-9]+$/)
		why = how
	else if (index(" " plain " ", " " program " ")) {
		plain_end(how)
		return
	}
	else if (plan == 0 || (plan < 0 && ran == 0 && how == 4)) {
		result(program, "all", "skipped", plan_skip, "", 0)
		program = ""
		return
	}
	else if (plan < 0)
		why = "no plan, and exit status " how
	else if (ran != plan)
		why = "only " ran " of " plan " tests ran, and exit status " how
	else if (misnumbered != "")
		why = misnumbered
	else if (how != 0 && !program_failed())
		why = "exit status " how ", though no test failed"

	# The test that was running is the one to name; its span is what there is to see.
	if (why != "") {
		if (how ~ /^[0-9]+$/)
			result(program, "to its end", "failed", why, span_lines, 0)
		else {
			if (span_signs != "")
				why = why "; the kernel said: " span_signs
			result(program, span_now == "" ? "test " (ran + 1) : span_now, "failed", why, \
				span_lines, log_time - span_from)
			span_begin()
		}
	}
	program = ""
}

function program_failed()
{
	return total["failed"] > failed_before
}

BEGIN {
	signs_init()
	number = first == "" ? 1 : first
	total["ok"] = total["failed"] = total["skipped"] = 0
	span_begin()
}

{
	log_line($0)
	if (log_user && log_text ~ /^svmatomic: begin /) {
		program_begin(substr(log_text, 18))
		failed_before = total["failed"]
	} else if (log_user && log_text ~ /^svmatomic: end / && program != "") {
		program_end($NF + 0 "")
		span_outside()
	} else if (program != "" && log_user && log_text ~ /^(not )?ok( |$)/) {
		test_line(log_text)
	} else {
		if (program != "" && log_user && log_text ~ /^1\.\.[0-9]+/) {
			plan = substr(log_text, 4) + 0
			if (match(log_text, /# *SKIP */))
				plan_skip = substr(log_text, RSTART + RLENGTH)
		}
		if (log_user && log_text ~ /^# +RUN +/) {
			span_now = log_text
			sub(/^# +RUN +/, "", span_now)
			sub(/ \.\.\.$/, "", span_now)
		}
		if (log_bad && span_signs == "")
			span_signs = log_text
		if (log_user)
			span_last = log_text
		span_add(log_text)
	}
}

END {
	split(ended, end, " ")
	if (end[1] == "timeout")
		over = "timed out: the machine was stopped after " end[2] " s"
	else if (end[1] != "ended")
		over = "the machine died"
	else
		over = "the job ended without it"
	explained = program != ""
	if (explained)
		program_end(over)
	span_outside()

	count = split(programs, wanted, " ")
	for (i = 1; i <= count; i++)
		if (!(wanted[i] in started))
			result(wanted[i], "all", "failed", "never started: " over, "", 0)
	if (!explained && (end[1] != "ended" || end[2] != 0))
		result("", "the machine's own job", "failed", end[1] == "ended" ? \
			"setting up or cleaning up failed, status " end[2] : over, outside_lines, 0)
	result("", "kernel log outside tests", outside == "" ? "ok" : "failed", \
		"the kernel said: " outside, outside_lines, 0)

	print total["ok"], total["failed"], total["skipped"] >counts
	print "<?xml version=\"1.0\" encoding=\"UTF-8\"?>" >xml
	printf "<testsuite name=\"%s\" tests=\"%d\" failures=\"%d\" skipped=\"%d\">\n%s</testsuite>\n", \
		xml_text(kernel), total["ok"] + total["failed"] + total["skipped"], total["failed"], \
		total["skipped"], cases >xml
}
