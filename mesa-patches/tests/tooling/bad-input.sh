#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What ./run mesa says when something is missing or broken: one line, which names it and
# the remedy; and that nothing is left half-made. bad-input.sh TREE
set -eu

. "$1/mesa-patches/tests/tooling/common.sh"

# absent FILE...
absent()
{
	for path in "$@"; do
		[ ! -e "$path" ] || fails "there is a ${path#"$scratch/"}"
	done
}

tarball 25.0.5

# Of the command line.
refuses 64 "no command 'mesa biuld'" biuld
refuses 64 "prepare takes no '--force'" prepare --force
refuses 64 "build takes no 'all'" build all
refuses 64 'wants a terminal, or a command' shell
refuses 64 'wants a program' run
refuses 64 "wants a chipset in hexadecimal such as 134, not 'GTX'" run --shim GTX true
refuses 64 "run takes no '-x'" run -x true
refuses 69 './run mesa build makes it' env
refuses 69 './run mesa build makes it' run true
refuses 69 './run mesa build makes it' shell true
refuses 70 './run mesa prepare makes it' refresh

# No mirror, one that does not answer, one that has moved on.
true >"$fake/mirror"
refuses 69 'no mirror of Debian here .*set SVMATOMIC_DEBIAN_MIRROR' prepare
echo 'Example Example main http://example.invalid/apt' >"$fake/mirror"
refuses 69 'no mirror of Debian here' prepare
rm "$fake/mirror"
true >"$fake/update.fails"
refuses 69 'mirror.invalid/debian does not have .*--tarball FILE' prepare
SVMATOMIC_DEBIAN_MIRROR=http://other.invalid/debian
export SVMATOMIC_DEBIAN_MIRROR
refuses 69 'other.invalid/debian does not have' prepare
unset SVMATOMIC_DEBIAN_MIRROR
rm "$fake/update.fails"
echo 'Version: 25.2.1-1' >"$fake/showsrc"
refuses 69 'mirror.invalid/debian has no Mesa 25.0 any more; give a tarball of mesa-25.0.N' prepare
rm "$fake/showsrc"
absent "$source"

# Too little room, for each of what takes some.
echo 1000000 >"$fake/free"
refuses 73 'the source takes up to 1 GiB .* make room, or set SVMATOMIC_MESA_BUILD' prepare
echo 1100000 >"$fake/free"
refuses 73 'the build root takes up to 2 GiB' build
rm "$fake/free"
absent "$source.unpack" "$build/root" "$build/root.new"

# Tarballs of something else.
refuses 69 'no tarball /nowhere; give one of mesa-25.0.N' prepare --tarball /nowhere
echo text >"$scratch/text.tar.gz"
refuses 70 "cannot unpack $scratch/text.tar.gz" prepare --tarball "$scratch/text.tar.gz"
sed -i 's/25.0/25.1/' "$scratch/mesa-25.0.5/VERSION"
tar -C "$scratch" -czf "$scratch/other.tar.gz" mesa-25.0.5
refuses 70 "is not Mesa 25.0 but '25.1.5'; give a tarball of 25.0.N" prepare --tarball "$scratch/other.tar.gz"
absent "$source.unpack"
[ "$(in_source log -1 --format=%s base)" = 'Mesa 25.0.5' ] || fails 'the source is another'

# A root half made, by others or by a mirror that goes away; one that does not work; a
# machine on which it cannot be entered.
mkdir -p "$build/root" "$build/root.new/usr"
true >"$build/root/leftover"
true >"$fake/mmdebstrap.fails"
refuses 69 'cannot make the build root from http://mirror.invalid/debian.*: the mirror went away' build
absent "$build/root" "$build/root.new" "$build/root.stamp"
rm "$fake/mmdebstrap.fails"
true >"$fake/root.broken"
refuses 70 'the build root does not work' build
absent "$build/root" "$build/root.stamp"
rm "$fake/root.broken"
true >"$fake/unshare.fails"
refuses 69 'no mount namespaces here' build
absent "$build/root"
rm "$fake/unshare.fails"

# One that was there and is to be another: what is left of it is not taken for the old.
works build
cp "$home/run.d/lib/packages.sh" "$scratch/packages"
sed -i 's/^\([[:space:]]*OpenCL loader: ocl-icd-lib.*\)/\1 more/' "$home/run.d/lib/packages.sh"
true >"$fake/mmdebstrap.fails"
refuses 69 'cannot make the build root' build
absent "$build/root" "$build/root.stamp"
rm "$fake/mmdebstrap.fails"
cp "$scratch/packages" "$home/run.d/lib/packages.sh"

# A libsvmatomic that the patches do not take.
echo "Run-time dependency libsvmatomic found: NO. Found 0.1.0 but need: '>=9'." >"$fake/configured"
refuses 70 "do not take this repository's libsvmatomic (Found 0.1.0 but need: '>=9'.)" build
rm "$fake/configured"

# What does not compile or install leaves what was installed as it was.
works build
echo two >"$fake/rusticl"
echo h >>"$source/src/nir/nir.c"
true >"$fake/ninja.fails"
refuses 70 'compiling failed: .*error: a is not b; see ' build
rm "$fake/ninja.fails"
true >"$fake/install.fails"
refuses 70 'installing failed' build
rm "$fake/install.fails"
has "$build/install/lib/libRusticlOpenCL.so.1" one
in_source checkout -q .

# Programs that cannot be helped.
works build
printf '%s\n' '#!/bin/sh' true >"$scratch/script"
chmod 755 "$scratch/script"
refuses 64 'is a script or has no shared libraries' run "$scratch/script"
refuses 64 "no program 'no-such'" run no-such

# A point release on which the second of three patches does not apply.
for word in b m y; do
	sed -i "s/^$word/changed/" "$source/src/nir/nir.c"
	in_source commit -qam "nir: $word"
done
works refresh
tarball 25.0.6
sed -i 's/^m/elsewhere/' "$scratch/mesa-25.0.6/src/nir/nir.c"
tar -C "$scratch" -czf "$scratch/next.tar.gz" mesa-25.0.6
refuses 70 '0002-nir-m.patch does not apply to Mesa 25.0.6 (src/nir/nir.c:.*give --tarball a Mesa 25.0.5' \
	prepare --tarball "$scratch/next.tar.gz"
refuses 70 'has 1 commits of a series of 3' refresh
[ "$(find "$patches/patches-25.0" -name '*.patch' | wc -l)" -eq 3 ] || fails 'a failure lost patches'

[ "$failures" -eq 0 ]
