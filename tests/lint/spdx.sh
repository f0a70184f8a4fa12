#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every file says its licence in its first lines. spdx.sh TREE
set -eu

cd -- "$1"
. tests/lint/sources.sh

# Files with no place for a comment: licences' own texts, JSON, pictures, fixtures. A
# patch has the licence of the files it is for.
exempt()
{
	case $1 in
	LICENSES/* | *.json | *.png | *.svg | *.patch | */fixtures/*) return 0 ;;
	esac
	return 1
}

files=$(sources .)
bad=$(
	echo "$files" | while IFS= read -r file; do
		exempt "$file" || [ ! -f "$file" ] ||
			head -n 5 "$file" | grep -q 'SPDX-License-Identifier: (*[A-Z]' ||
			echo "$file: no SPDX-License-Identifier in its first five lines"
	done
)
[ -z "$bad" ] || {
	echo "$bad"
	exit 1
}
