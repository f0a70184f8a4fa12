#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ./run mesa prepare, refresh and export, there and back, on a Mesa of three files. What
# they share with the kernel's, kernel/vm/tests/series.sh tests at length. series.sh TREE
set -eu

. "$1/mesa-patches/tests/tooling/common.sh"

snapshot()
{
	(cd "$patches" && find . -type f -exec sha256sum {} + | LC_ALL=C sort)
}

# From the mirror, by way of apt.
tarball 25.0.5
works prepare
[ "$(in_source log --format=%s)" = 'Mesa 25.0.5' ] || fails 'the first commit is another'
works prepare
! grep -q . "$scratch/out" || fails 'a second prepare did something'

# A change; a file for mesa-patches/files, with a change.
sed -i s/b/B/ "$source/src/nir/nir.c"
in_source commit -qam 'nir: a change'
mkdir "$source/src/svm"
echo one >"$source/src/svm/svm.rs"
sed -i s/f/F/ "$source/src/nir/nir.c"
in_source add -A
in_source commit -qm 'rusticl: a file of its own

Files: src/svm/svm.rs'
works refresh
has "$patches/files/src/svm/svm.rs" one
has "$patches/patches-25.0/0002-rusticl-a-file-of-its-own.patch" '^Files: src/svm/svm.rs$'
has "$patches/patches-25.0/base-version" '^25.0.5$'

before=$(snapshot)
tree_before=$(in_source rev-parse 'HEAD^{tree}')
rm -rf "$build"
works prepare --tarball "$fake/mesa_25.0.5.orig.tar.gz"
[ "$tree_before" = "$(in_source rev-parse 'HEAD^{tree}')" ] || fails 'prepare made another tree'
works refresh
[ "$before" = "$(snapshot)" ] || fails 'prepare and refresh changed the patches'

# The series for its maintainers: of each commit clang-format sees the lines it touches,
# and rustfmt the files.
rm -f "$fake/calls"
works export "$scratch/export"
[ "$(grep -c '^within: git .* clang-format-19 ' "$fake/calls")" -eq 2 ] ||
	fails 'clang-format does not see each commit'
has "$fake/calls" "^within: rustfmt .*$source/src/svm/svm.rs"
has "$scratch/export/0002-rusticl-a-file-of-its-own.patch" '^+one$'
! grep -rq '^Files: ' "$scratch/export" || fails 'messages still name files'
for program in git rustfmt; do
	echo '+	badly();' >"$fake/said.$program"
	refuses 70 'clang-format or rustfmt objects' export "$scratch/export"
	has "$scratch/out" 'badly();'
	rm "$fake/said.$program"
done

[ "$failures" -eq 0 ]
