#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the virtual machine: the results of the KUnit tests that ran when the modules were
# loaded, of all suites as those of one program.

kunit=/sys/kernel/debug/kunit
[ -d "$kunit" ] || {
	echo '1..0 # SKIP this kernel has no KUnit'
	exit 4
}

set -- "$kunit/drm_svm_atomic/results"
[ ! -d /sys/module/nouveau ] || set -- "$@" "$kunit/nouveau_svm/results"

# A suite numbers its tests from 1; what is further in is cases of one test.
awk '
/^    ok [0-9]/ { sub(/^    ok [0-9]+ /, ""); print "ok " ++n " " $0; next }
/^    not ok [0-9]/ { sub(/^    not ok [0-9]+ /, ""); print "not ok " ++n " " $0; failed = 1; next }
/^    # Subtest: / { suites++ }
{ sub(/^ */, ""); if (!/^(not )?ok / && !/^1\.\./) print "# " $0 }
END { print "1.." n; exit failed || suites != ARGC - 1 }' "$@"
