#!/bin/sh
# SPDX-License-Identifier: MIT
#
# svmatomic-bench on the rusticl of ./run mesa, for the benchmark's own end-to-end tests,
# which take one program.
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/../../.." && pwd -P)
exec "$top/run" mesa run "$top/build/bench/svmatomic-bench" "$@"
