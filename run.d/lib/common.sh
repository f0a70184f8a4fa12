# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# How every verb talks: what it says, how it fails, and how a long step is shown.
# All of it goes to stderr; stdout belongs to what the user asked for.

# After sysexits.h(3head), as in svmatomic-bench(1).
# shellcheck disable=SC2034 # for those who read this file in
readonly EX_USAGE=64 EX_UNAVAILABLE=69 EX_SOFTWARE=70 EX_CANTCREAT=73

say()
{
	printf '%s\n' "$*" >&2
}

# die STATUS MESSAGE: name the thing and the remedy, in one line.
die()
{
	die_status=$1
	shift
	say "run: $*"
	exit "$die_status"
}

# Show the seconds of a step in place, until killed.
step_tick()
{
	while kill -0 $$ 2>/dev/null; do
		printf '\r%s ... %d s' "$1" $(($(date +%s) - $2)) >&2
		sleep 1
	done
}

# step WHAT LOG COMMAND...: run COMMAND with its output in LOG, show how long it
# takes, and when it fails the end of LOG.
step()
{
	step_what=$1
	step_log=$2
	shift 2
	{ mkdir -p "${step_log%/*}" && true >"$step_log"; } 2>/dev/null ||
		die "$EX_CANTCREAT" "cannot write $step_log; make its directory yours or remove it"

	step_began=$(date +%s)
	step_ticker=
	if [ -t 2 ]; then
		step_tick "$step_what" "$step_began" &
		step_ticker=$!
	else
		printf '%s ...' "$step_what" >&2
	fi

	step_status=0
	"$@" >"$step_log" 2>&1 </dev/null || step_status=$?

	if [ -n "$step_ticker" ]; then
		kill "$step_ticker" 2>/dev/null || :
		wait "$step_ticker" 2>/dev/null || :
		printf '\r%s ...' "$step_what" >&2
	fi
	step_took="$(($(date +%s) - step_began)) s"
	if [ "$step_status" -eq 0 ]; then
		say " $step_took"
		return 0
	fi
	say " failed after $step_took"
	tail -n 20 "$step_log" >&2
	return "$step_status"
}
