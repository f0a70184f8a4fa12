#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Mesa's copy of svm_atomic.h is the kernel's, as `make headers_install` leaves it.
# uapi.sh TREE
set -eu

cd -- "$1"
sed 's/\<_UAPI_/_/' kernel/files/include/uapi/drm/svm_atomic.h |
	diff -u - mesa-patches/files/include/drm-uapi/svm_atomic.h || {
	echo 'the kernel has another svm_atomic.h than Mesa; change it in build/mesa/source, then ./run mesa refresh'
	exit 1
}
