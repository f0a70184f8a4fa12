# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# In the virtual machine: how often pages went to the device and the CPU took some back, over all
# processes, by the kernel's trace events. A trace buffer for each, as its statistics count what
# it saw.

transfers_traces=/sys/kernel/tracing

# transfers_trace EVENT FILTER: in an instance of that name.
transfers_trace()
{
	mkdir "$transfers_traces/instances/$1" && cd "$transfers_traces/instances/$1" &&
		echo 64 >buffer_size_kb &&
		echo "$2" >"events/drm_svm_atomic/drm_svm_atomic_$1/filter" &&
		echo 1 >"events/drm_svm_atomic/drm_svm_atomic_$1/enable"
}

# Pages come back for other reasons as well, as exit(): cause 0 is DRM_SVM_ATOMIC_BY_CPU.
transfers_begin()
(
	mount -t tracefs none "$transfers_traces" &&
		transfers_trace take 'pages > 0' &&
		transfers_trace revoke 'pages > 0 && cause == 0'
)

# transfers_of EVENT: those that are in the buffer and those that had to leave it.
transfers_of()
{
	cat "$transfers_traces/instances/$1"/per_cpu/*/stats |
		awk '$1 == "entries:" || $1 == "overrun:" { sum += $2 } END { print sum + 0 }'
}

transfers_say()
{
	echo "vsvm took pages $(transfers_of take) times, and the CPU took some back $(transfers_of revoke) times"
}

transfers_begin || exit
