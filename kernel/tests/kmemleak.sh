#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the virtual machine, after other tests: memory that the kernel has allocated and has
# no pointer to any more.

leaks=/sys/kernel/debug/kmemleak
[ -w "$leaks" ] || {
	echo '1..0 # SKIP this kernel does not look for leaks'
	exit 4
}

# The fuzzer's million calls would take too long here: a sample of them.
[ ! -x /root/svm_fuzz ] || /root/svm_fuzz 1 30000 >/dev/null

# What is younger than 5 seconds is not reported, nor what changed since the scan before.
sleep 6
echo scan >"$leaks"
echo scan >"$leaks"

echo 'TAP version 13'
echo '1..1'
found=$(cat "$leaks")
if [ -z "$found" ]; then
	echo 'ok 1 no leak'
	exit 0
fi
echo "$found" | sed 's/^/# /'
echo 'not ok 1 no leak'
exit 1
