# SPDX-License-Identifier: MIT
#
# What in a kernel's log says that something is wrong. For use with another awk
# program: feed every line of the log to log_line(), in order.

function signs_init()
{
	sign = "WARNING:|BUG:|KASAN|UBSAN|KFENCE|KCSAN|Oops|Call Trace:|Kernel panic" \
		"|INFO: possible (recursive locking|circular|irq lock inversion)" \
		"|INFO: suspicious RCU|suspicious RCU usage|INFO: trying to register non-static key" \
		"|INFO: inconsistent lock state|inconsistent lock state|possible deadlock" \
		"|\\*\\*\\* DEADLOCK|DEBUG_LOCKS_WARN_ON|INFO: lockdep|turning off the locking" \
		"|INFO: rcu_.*(stall|detected)|rcu: INFO:|INFO: task .* blocked|hung_task" \
		"|soft lockup|hard LOCKUP|general protection|stack segment|double fault" \
		"|unable to handle|Bad page|bad page|Bad rss-counter|bad pte|Bad swap|[Uu]nrecognized swap entry" \
		"|refcount_t|kernel BUG|list_add corruption|list_del corruption" \
		"|slab .*(corrupt|overwritten)|[Ss]tack overflow|scheduling while atomic|sleeping function" \
		"|printk messages dropped"
}

# log_line(LINE): take LINE apart. Sets log_user (written by a program), log_text (the
# line without time and mark), log_time (seconds) and log_bad (a bad sign).
function log_line(line)
{
	sub(/\r$/, "", line)
	log_user = 0
	log_bad = 0
	if (match(line, /^\[ *[0-9]+\.[0-9]+\] /)) {
		log_time = substr(line, 2, RLENGTH - 3) + 0
		line = substr(line, RLENGTH + 1)
	}
	if (line ~ /^\[U\] ?/) {
		log_user = 1
		sub(/^\[U\] ?/, "", line)
	}
	log_text = line
	if (log_user)
		return

	# A report of the OOM killer has a backtrace and means no harm.
	if (line ~ /invoked oom-killer/)
		log_oom = 1
	if (line ~ sign && !(log_oom && line ~ /Call Trace:/))
		log_bad = 1
	if (line ~ /[Oo]ut of memory.*Killed process|no killable processes|oom_reaper:/)
		log_oom = 0
}
