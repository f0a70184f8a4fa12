#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What is installed is enough: pkg-config finds it, programs in C and C++ build and run
# with the shared and with the static library, and without the kernel's headers.
# install.sh BUILD SOURCE FLAGS CC CXX|none
set -eu

build=$1
source=$2
flags=$3
cc=$4
cxx=$5

for program in meson pkg-config readelf; do
	command -v "$program" >/dev/null || {
		echo "skipped: no $program here"
		exit 77
	}
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

meson install -C "$build" --no-rebuild --quiet --tags devel,runtime --destdir "$work/root" \
	>"$work/log" 2>&1 || {
	cat "$work/log"
	exit 1
}

pc=$(find "$work/root" -name libsvmatomic.pc)
lib=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH="${pc%/*}" PKG_CONFIG_SYSROOT_DIR="$work/root"
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
export LD_LIBRARY_PATH="$lib"

version=$(pkg-config --modversion libsvmatomic)
# Nothing but the library itself: users need no libdrm.
if grep '^Requires' "$pc"; then
	exit 1
fi
readelf -d "$lib/libsvmatomic.so" | grep -q 'SONAME.*\[libsvmatomic\.so\.0\]'
[ "$(readlink "$lib/libsvmatomic.so")" = libsvmatomic.so.0 ]
[ -x "$(find "$work/root" -name svmatomic-info)" ]

# The example of svmatomic(7), as its reader has it.
# shellcheck disable=SC2016 # these are no commands
sed -n '/^# EXAMPLE/,/^# SEE ALSO/p' "$source/../man/svmatomic.7.scd" |
	awk '/^```/ { inside = !inside; next } inside' |
	sed 's/\\\\/\\/g' >"$work/example.c"
[ -s "$work/example.c" ]

# compile COMPILER LANGUAGE STANDARD FILE PROGRAM LIBRARIES...
compile()
{
	compiler=$1
	language=$2
	standard=$3
	file=$4
	program=$5
	shift 5
	# shellcheck disable=SC2046,SC2086 # flags are words
	$compiler -x "$language" -std="$standard" -pedantic -Wall -Wextra -Werror $flags \
		$(pkg-config --cflags libsvmatomic) -c -o "$program.o" "$file"
	# shellcheck disable=SC2086
	$compiler $flags -o "$program" "$program.o" "$@"
}

# try COMPILER LANGUAGE STANDARD LIBRARIES...
try()
{
	compiler=$1
	language=$2
	standard=$3
	shift 3
	compile "$compiler" "$language" "$standard" "$source/user.c" "$work/user" "$@"
	[ "$("$work/user")" = "$version" ] || {
		echo "a program in $standard with $* does not say $version"
		exit 1
	}
	echo "$standard $*"
}

shared=$(pkg-config --libs libsvmatomic)
# shellcheck disable=SC2086
try "$cc" c c99 $shared
readelf -d "$work/user" | grep -q 'NEEDED.*libsvmatomic\.so\.0'
try "$cc" c c17 "$lib/libsvmatomic.a"
# Wholly static, where programs can be.
if [ -z "$flags" ] && echo 'int main(void) { return 0; }' |
	$cc -static -x c -o "$work/static" - 2>/dev/null; then
	# shellcheck disable=SC2046
	try "$cc" c c17 -static $(pkg-config --static --libs libsvmatomic)
	if readelf -d "$work/user" | grep NEEDED; then
		exit 1
	fi
fi
[ "$cxx" = none ] || {
	# shellcheck disable=SC2086
	try "$cxx" c++ c++11 $shared
	try "$cxx" c++ c++20 "$lib/libsvmatomic.a"
}

# Without a device the example says so, in a line.
# shellcheck disable=SC2086
compile "$cc" c c11 "$work/example.c" "$work/example" $shared
[ "$cxx" = none ] || compile "$cxx" c++ c++17 "$work/example.c" "$work/example++" "$lib/libsvmatomic.a"
status=0
SVMATOMIC_DEVICE=/dev/null "$work/example" 2>"$work/said" || status=$?
[ "$status" = 1 ] && grep -q '^no SVM atomics here: not a DRM device' "$work/said"
echo 'example'
