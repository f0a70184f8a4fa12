#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Which stages ./run mesa build runs: all at first, none the second time, and after a
# change those it concerns. And how the result is used. build.sh TREE
set -eu

. "$1/mesa-patches/tests/tooling/common.sh"

# steps WORD...: the stages that ran, by a word each, in this order.
steps()
{
	ran=$(sed -n 's/^\(unpacking mesa\|unpacking Debian\|compiling lib\|configuring\|compiling Mesa\|installing\).* [0-9]* s$/\1/p' "$scratch/out" |
		tr ' ' - | paste -s -d ' ' -)
	[ "$ran" = "$*" ] || fails "ran '$ran' and not '$*'"
}

tarball 25.0.5
works build
steps unpacking-mesa unpacking-Debian compiling-lib configuring compiling-Mesa installing
has "$build/install/lib/libRusticlOpenCL.so.1" one
has "$build/install/lib/pkgconfig/libsvmatomic.pc" 0.1.0
has "$fake/calls" '^ninja target lib/libRusticlOpenCL.so.1.0.0$'
rm "$fake/calls"
works build
! grep -q . "$scratch/out" || fails 'a second build did something'
! grep -q 'mmdebstrap\|update\|source\|ninja' "$fake/calls" || fails 'a second build asked for something'

# Work that is in no patch is built as it is.
echo h >>"$source/src/nir/nir.c"
echo two >"$fake/rusticl"
works build
steps compiling-Mesa installing
has "$scratch/out" 'has work that is not in mesa-patches/patches-25.0: building it as it is'
has "$build/install/lib/libRusticlOpenCL.so.1" two
[ ! -e "$build/install.old" ] || fails 'the install before is still there'
in_source checkout -q .

echo two >"$home/libsvmatomic/source.c"
works build
steps compiling-lib compiling-Mesa installing
echo '# changed' >>"$patches/native.ini"
works build
steps configuring compiling-Mesa installing
sed -i 's/^\([[:space:]]*OpenCL loader: ocl-icd-lib.*\)/\1 more/' "$home/run.d/lib/packages.sh"
works build
steps unpacking-Debian compiling-lib configuring compiling-Mesa installing

echo '# another way to make it' >>"$home/run.d/lib/mesa-root.sh"
works build
steps unpacking-Debian compiling-lib configuring compiling-Mesa installing

# Anything that was not finished is done again.
rm -rf "$build/root"
mkdir -p "$build/root.new/usr" "$build/install.new$build/install/stale" "$build/install.old/usr"
works build
steps unpacking-Debian compiling-lib configuring compiling-Mesa installing
for rest in root.new install.new install.old install/stale; do
	[ ! -e "$build/$rest" ] || fails "there is still a $rest"
done
rm -rf "$build/install"
works build
steps installing

# Programs get the loader and the libraries of the root.
ln -s "$(command -v printenv)" "$scratch/printenv"
works run "$scratch/printenv" OCL_ICD_VENDORS
has "$scratch/out" "^loaded as $scratch/printenv from $build/install/lib:$build/root/usr/lib/loader"
has "$scratch/out" "^$build/install/etc/OpenCL/vendors$"
works run --shim 134 "$scratch/printenv" RUSTICL_ENABLE NOUVEAU_CHIPSET
has "$scratch/out" "^with $build/install/lib/libnouveau_noop_drm_shim.so$"
[ "$(tail -n 2 "$scratch/out" | paste -s -d ' ' -)" = 'nouveau 134' ] || fails 'the shim is another card'
works env
has "$scratch/out" "^export OCL_ICD_VENDORS='$build/install/etc/OpenCL/vendors'$"
(
	unset LD_LIBRARY_PATH OCL_ICD_VENDORS
	eval "$("$home/run" mesa env)"
	[ "$LD_LIBRARY_PATH" = "$build/install/lib" ] && [ -d "$OCL_ICD_VENDORS" ]
) || fails 'what env prints is of no use'

# So do all, where the machine's libraries are too old, or OpenCL C's headers are not
# where rusticl looks for them.
needs_loader()
{
	works env
	has "$scratch/out" "^export SVMATOMIC_MESA_LOADER='$build/root/usr/lib/loader/ld-linux-test.so.2'$"
	has "$scratch/out" "^export LD_PRELOAD='$build/install/lib/reload.so'$"
	! grep -q LD_LIBRARY_PATH "$scratch/out" || fails 'programs of this machine would find libraries of another'
}
echo "	/lib/libc.so.6: version \`GLIBC_2.38' not found (required by libRusticlOpenCL.so.1)" >"$fake/said.ldd"
needs_loader
rm "$fake/said.ldd" "$scratch/headers"
needs_loader

works shell echo hello
has "$fake/calls" '^within: echo hello$'

[ "$failures" -eq 0 ]
