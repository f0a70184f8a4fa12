#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The shared library exports what the map says, no more and no less, each in its version;
# and that is what the headers declare. symbols.sh LIBRARY MAP HEADER...
set -eu

library=$1
map=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A line for each: NAME@@VERSION.
nm -D --defined-only "$library" | awk '$2 != "A" { print $3 }' | sort >"$work/exported"
awk '
	/^SVMATOMIC_/ { version = $1 }
	/^\t[a-z_]+;$/ { sub(/;/, "", $1); print $1 "@@" version }
' "$map" | sort >"$work/mapped"
cat "$@" | grep -o '\bsvma_[a-z_]*(' | tr -d '(' | sort -u >"$work/named"
cat "$@" |
	awk '/^SVMA_API/ { match($0, /svma_[a-z_]+\(/); print substr($0, RSTART, RLENGTH - 1) }' |
	sort >"$work/declared"
sed 's/@@.*//' "$work/mapped" >"$work/mapped.names"

[ -s "$work/mapped" ] || {
	echo 'the map names nothing'
	exit 1
}
diff -u "$work/mapped" "$work/exported"
diff -u "$work/mapped.names" "$work/declared"
# Comments speak of nothing that is not there either.
diff -u "$work/declared" "$work/named"
echo "$(wc -l <"$work/mapped") symbols"
