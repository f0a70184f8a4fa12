#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the virtual machine: the results of the KUnit tests that ran when drm_svm_atomic
# was loaded, as the results of a program of ours.

kunit=/sys/kernel/debug/kunit
results=$kunit/drm_svm_atomic/results
[ -d "$kunit" ] || {
	echo '1..0 # SKIP this kernel has no KUnit'
	exit 4
}

# The suite as a whole is a test of one suite.
sed -n 's/^    //p' "$results"
! grep -q '^ *not ok' "$results"
