#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the virtual machine: measure contention on the first virtual device. On standard
# output comes an archive of the results; what there is to say goes to standard error.
# /root/contend-axes has the axes and the effort, /root/lib the program's libraries and
# their loader.

for module in drm_svm_atomic vsvm; do
	insmod "/modules/$module.ko" || exit
done

# The kernel trusts its clock a second after it has booted. Until then holds would last
# until the next tick.
for second in 1 2 3 4 5; do
	! grep -q 'hres_active *: 0' /proc/timer_list || sleep "$second"
done
if grep -q 'hres_active *: 0' /proc/timer_list; then
	echo 'there are no high-resolution timers' >&2
	exit 1
fi

mkdir /tmp/result
# shellcheck disable=SC2046 # words
"$(echo /root/lib/ld-*.so*)" --library-path /root/lib /root/svmatomic-bench run contend handoff \
	-d 0 --quiet $(cat /root/contend-axes) --json /tmp/result/result.json \
	--csv /tmp/result/result.csv >/tmp/result/table.txt || exit
tar -c -C /tmp/result .
