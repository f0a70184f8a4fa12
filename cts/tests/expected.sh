#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The conformance cases and the litmus tests say of a device what cts/expectations has of it.
# Where it has nothing, whatever fails is a difference.
# expected.sh SVMATOMIC-CTS EXPECTATIONS [OPTION...]
set -eu

cts=$1
expectations=$2
shift 2
status=0
# A hang is found as well in half a minute as in the twenty that are usual.
"$cts" run conformance litmus --expectations "$expectations" --timeout 30 --quiet "$@" ||
	status=$?
[ "$status" -ne 69 ] || exit 77
exit "$status"
