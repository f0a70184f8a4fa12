# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# In the virtual machine: how often pages went to the device and came back, over all processes,
# by the kernel's trace events. A trace buffer for each, as its statistics count what it saw.

transfers_traces=/sys/kernel/tracing

transfers_begin()
{
	mount -t tracefs none "$transfers_traces" || return
	for transfers_event in take revoke; do
		transfers_trace=$transfers_traces/instances/$transfers_event
		mkdir "$transfers_trace" &&
			echo 64 >"$transfers_trace/buffer_size_kb" &&
			cd "$transfers_trace/events/drm_svm_atomic/drm_svm_atomic_$transfers_event" &&
			echo 'pages > 0' >filter && echo 1 >enable || return
	done
}

# transfers_of EVENT: those that are in the buffer and those that had to leave it.
transfers_of()
{
	cat "$transfers_traces/instances/$1"/per_cpu/*/stats |
		awk '$1 == "entries:" || $1 == "overrun:" { sum += $2 } END { print sum + 0 }'
}

transfers_say()
{
	echo "vsvm took pages $(transfers_of take) times, and was made to give some back $(transfers_of revoke) times"
}

(transfers_begin) || exit
