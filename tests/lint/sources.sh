# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Which files the checks of the sources look at.

# sources PATHSPEC...: files of the working tree that git does not ignore, a line
# each. Ends the check as skipped in a tree without git, such as a release's.
sources()
{
	git -c safe.directory='*' ls-files --cached --others --exclude-standard -- "$@" || exit 77
}

# needs PROGRAM: end the check as skipped without it.
needs()
{
	command -v "$1" >/dev/null || {
		echo "skipped: no $1 here"
		exit 77
	}
}
