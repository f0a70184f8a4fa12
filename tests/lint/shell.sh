#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every shell file passes shellcheck. shell.sh TREE
set -eu

cd -- "$1"
. tests/lint/sources.sh
needs shellcheck
files=$(sources '*.sh' run .ci/run)
echo "$files" | tr '\n' '\0' | xargs -0 shellcheck -x
