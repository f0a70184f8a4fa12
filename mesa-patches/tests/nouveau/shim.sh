# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Running OpenCL programs on nouveau without hardware, for the tests beside this, which
# take ./run as $1 and the program made of svm_host.c as $2.

run=$1
svm_host=$2

fail()
{
	echo "$*" >&2
	exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# on CHIPSET ARGUMENT...: run svm_host with a nouveau device of that chipset, as nouveau
# has it. Its variables, and the shim's, are the environment's.
on()
{
	chipset=$1
	shift
	NOUVEAU_SVM=1 MESA_SHADER_CACHE_DISABLE=1 "$run" mesa run --shim "$chipset" "$svm_host" "$@"
}
