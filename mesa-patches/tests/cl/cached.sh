#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What holds for a program that is compiled holds for one out of Mesa's cache, too.
# cached.sh RUN PROGRAM
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MESA_SHADER_CACHE_DIR="$work/cache"

# Indices say when something was used; the rest changes when something is added.
contents()
{
	find "$work/cache" -type f ! -name '*.idx' -size +0 -exec sha256sum {} + | sort
}

"$1" mesa run "$2"
contents >"$work/first"
[ -s "$work/first" ] || {
	echo 'nothing was cached'
	exit 1
}
"$1" mesa run "$2"
contents | diff "$work/first" - || {
	echo 'the second run compiled something anew'
	exit 1
}
