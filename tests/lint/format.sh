#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every C file is as clang-format leaves it, but for the kernel's and Mesa's, which are
# as those like them. format.sh TREE
set -eu

cd -- "$1"
. tests/lint/sources.sh
needs clang-format
# Versions disagree about macros; one has to decide.
clang-format --version | grep -q 'version 14\.' || {
	echo 'skipped: the tree is formatted by clang-format 14, which Debian 12 has'
	exit 77
}
files=$(sources '*.c' '*.h' ':!kernel/files' ':!mesa-patches/files')
echo "$files" | tr '\n' '\0' | xargs -0 clang-format --dry-run --Werror
