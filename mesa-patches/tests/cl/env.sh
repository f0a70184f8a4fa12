#!/bin/sh
# SPDX-License-Identifier: MIT
#
# With what ./run mesa env prints, OpenCL programs find our rusticl, whoever starts them,
# and other programs are as they were. env.sh RUN PROGRAM
set -eu

out=$(mktemp)
trap 'rm -f "$out"' EXIT
before=$(ls --version)
eval "$("$1" mesa env)"

sh -c 'exec "$@"' sh "$2"
clinfo -l | tee "$out"
grep -q llvmpipe "$out"
[ "$(ls --version)" = "$before" ]
