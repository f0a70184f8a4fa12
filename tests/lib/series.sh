# shellcheck shell=sh
# shellcheck disable=SC2154 # from those who read this file in
# SPDX-License-Identifier: MIT
#
# What the tests of the tooling around a series of patches have in common: the source as a
# repository in $source, and what a command printed in $scratch/out.

failures=0

in_source()
{
	GIT_CONFIG_GLOBAL=/dev/null git -C "$source" -c user.name='An Author' \
		-c user.email=author@localhost.invalid "$@"
}

fails()
{
	echo "$1"
	cat "$scratch/out"
	failures=$((failures + 1))
}

# has FILE PATTERN
has()
{
	grep -q -e "$2" "$1" 2>/dev/null || fails "no '$2' in $1"
}
