#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the virtual machine: vsvm's tests again, with the module that was built out of the
# kernel's tree. It stays loaded, in place of the tree's own.

[ -f /root/vsvm-dkms.ko ] || {
	echo '1..0 # SKIP the module was not built out of the tree'
	exit 4
}
if ! { rmmod vsvm && insmod /root/vsvm-dkms.ko devices=2; }; then
	echo '1..1'
	echo 'not ok 1 the module that was built out of the tree is loaded'
	exit 1
fi
exec /root/vsvm
