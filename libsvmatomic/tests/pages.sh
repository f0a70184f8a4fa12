#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every exported name has a man page that names it, other names lead to pages that there
# are, and none makes groff complain. pages.sh DIRECTORY MAP
set -eu

pages=$1
map=$2
[ -f "$pages/svmatomic.7" ] || {
	echo 'skipped: no scdoc here'
	exit 77
}

bad=0
count=0
complain()
{
	echo "$1"
	bad=1
}

# shellcheck disable=SC2013 # names are words
for name in $(sed -n 's/^\t\(svma_[a-z_]*\);$/\1/p' "$map"); do
	page=$pages/$name.3
	[ -f "$page" ] || {
		complain "$name has no man page"
		continue
	}
	target=$(sed -n '1s/^\.so man3\///p' "$page")
	[ -z "$target" ] || page=$pages/$target
	[ -f "$page" ] || {
		complain "$name.3 leads to $target, which is not there"
		continue
	}
	sed -n '/^\.SH NAME/,/^\.SH SYN/p' "$page" | sed 's/\\//g' | grep -qw "$name" ||
		complain "${page##*/} does not have $name under NAME"
	for section in SYNOPSIS DESCRIPTION 'RETURN VALUE' ERRORS EXAMPLE 'SEE ALSO'; do
		grep -q "^\.SH $section" "$page" || complain "${page##*/} has no $section"
	done
	count=$((count + 1))
done

if command -v groff >/dev/null; then
	for page in "$pages"/*.[137]; do
		grep -q '^\.so ' "$page" && continue
		said=$(groff -t -man -ww -Tutf8 "$page" 2>&1 >/dev/null)
		[ -z "$said" ] || complain "$said"
	done
fi

# What a page of ours refers to is there, too.
for page in "$pages"/*.[137]; do
	# shellcheck disable=SC2013
	for other in $(sed 's/\\f.//g; s/\\//g' "$page" | grep -o 'svma[a-z_-]*([137])' | sort -u); do
		name=${other%(*}
		section=${other#*(}
		[ -f "$pages/$name.${section%)}" ] ||
			complain "${page##*/} refers to $other, which is not there"
	done
done

[ "$count" -gt 0 ] || complain 'the map names nothing'
echo "$count names"
exit "$bad"
