#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The list of tests, which other programs read: a name, one tab, the rule and its section; and it
# needs no OpenCL device. list.sh SVMATOMIC-CONFORMANCE
set -eu

list=$(OCL_ICD_VENDORS=/nonexistent "$1" --list)
bad=$(echo "$list" | grep -vE '^[a-z]+\.[a-z0-9_.-]+	[^	]+ \((API|C)[, ][^	]+\)$') || :
[ -z "$bad" ] || {
	echo "lines that are not a name, a tab, a rule and a section:"
	echo "$bad"
	exit 1
}
echo "$(echo "$list" | wc -l) tests"
