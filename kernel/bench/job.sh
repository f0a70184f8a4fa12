#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the virtual machine: load the modules and measure. With more than one CPU only
# events are counted: how the CPUs take turns is QEMU's affair, and so is how many
# instructions one of them waits for the other.

for module in /modules/*.ko; do
	insmod "$module" || exit
done

sections='bounds core driver counters loop'
[ "$(nproc)" -eq 1 ] || sections=counters
for section in $sections; do
	/root/bench "$section" || exit
done
