#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Turn text files into C strings, for what the program carries inside itself.
#
#   embed.sh kernels FILE...   a kernel_sources[] table (src/device/kernel_sources.h)
#   embed.sh text NAME FILE    one array, const char NAME[]
set -eu

c_string()
{
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/\t"&\\n"/' "$1"
}

kernels()
{
	echo '#include "kernel_sources.h"'
	echo '#include <stddef.h>'
	echo 'const struct kernel_source kernel_sources[] = {'
	for file; do
		name=${file##*/}
		printf '{ "%s",\n' "${name%.*}"
		c_string "$file"
		echo '},'
	done
	echo '{ NULL, NULL } };'
}

what=$1
shift
case $what in
kernels)
	kernels "$@"
	;;
text)
	printf 'extern const char %s[];\nconst char %s[] =\n' "$1" "$1"
	c_string "$2"
	echo ';'
	;;
*)
	echo "embed.sh: unknown kind '$what': use kernels or text" >&2
	exit 64
	;;
esac
