# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # from and for those who read this file in
# SPDX-License-Identifier: MIT
#
# What the commands of ./run kernel and ./run mesa take, where they take the same. Needs
# common.sh. $verb says whose command it is.
: "${top:?is set by ./run}"

# none COMMAND ARGUMENT...
none()
{
	[ $# -eq 1 ] || die "$EX_USAGE" "$verb $1 takes no '$2'"
}

# place DIRECTORY DEFAULT: where to write to, DEFAULT if DIRECTORY is empty.
place()
{
	case $1 in
	'') echo "$2" ;;
	/*) echo "$1" ;;
	*) echo "$PWD/$1" ;;
	esac
}

# prepare_arguments ARGUMENT...: sets tarball.
prepare_arguments()
{
	tarball=
	while [ $# -gt 0 ]; do
		case $1 in
		--tarball)
			[ $# -ge 2 ] || die "$EX_USAGE" "$verb prepare: --tarball wants a file"
			tarball=$2
			shift 2
			;;
		--tarball=*)
			tarball=${1#*=}
			shift
			;;
		*) die "$EX_USAGE" "$verb prepare takes no '$1', only --tarball FILE" ;;
		esac
	done
}

# export_arguments ARGUMENT...: sets each and directory, both empty if not given.
export_arguments()
{
	each=
	directory=
	for argument in "$@"; do
		case $argument in
		--each) each=1 ;;
		-*) die "$EX_USAGE" "$verb export takes no '$argument', only --each and a directory" ;;
		*)
			[ -z "$directory" ] || die "$EX_USAGE" "$verb export takes one directory, not '$argument' too"
			directory=$argument
			;;
		esac
	done
}
