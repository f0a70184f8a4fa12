#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the virtual machine: load the modules and measure. With more than one CPU only
# events are counted: how the CPUs take turns is QEMU's affair, and so is how many
# instructions one of them waits for the other.

# load MODULE...
load()
{
	for module in "$@"; do
		insmod "/modules/$module.ko" || exit
	done
}

load test_hmm exclusive_bench
sections='bounds core driver counters loop'
[ "$(nproc)" -eq 1 ] || sections=counters
for section in $sections; do
	/root/bench "$section" || exit
done

# The library's last, for its modules to be no part of what comes before.
if [ -f /root/library ] && [ "$(nproc)" -eq 1 ]; then
	load drm_svm_atomic vsvm
	/root/library
fi
