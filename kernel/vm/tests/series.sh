#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ./run kernel prepare and refresh, there and back, on a kernel of four files. Nothing
# is built. series.sh TREE
set -eu

tree=$(CDPATH='' cd -- "$1" && pwd -P)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
. "$tree/tests/lib/series.sh"

top=$tree
export top
. "$tree/run.d/lib/common.sh"
. "$tree/run.d/lib/packages.sh"
[ -z "$(packages_missing kernel 2>/dev/null)" ] || {
	echo 'skipped: the packages that ./run kernel needs are not installed'
	exit 77
}

# A repository of our own, and a kernel to go with it.
home=$scratch/home
source=$scratch/build/source
mkdir -p "$home/kernel"
cp -r "$tree/run" "$tree/run.d" "$home/"
unset SVMATOMIC_LINUX_TARBALL
SVMATOMIC_KERNEL_BUILD=$scratch/build
export SVMATOMIC_KERNEL_BUILD

# tarball SUBLEVEL WORD: linux-6.12.SUBLEVEL.tar.gz, with WORD in the middle of mm/rmap.c.
tarball()
{
	linux=$scratch/linux-6.12.$1
	mkdir -p "$linux/mm" "$linux/include"
	printf 'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = %s\nEXTRAVERSION =\n' "$1" >"$linux/Makefile"
	printf '%s\n' a b c "$2" e f g >"$linux/mm/rmap.c"
	# Its last lines are Debian's.
	printf '%s\n' '*.o' '/*' '!/debian/' >"$linux/.gitignore"
	echo kept >"$linux/mm/shipped.o"
	tar -C "$scratch" -czf "$linux.tar.gz" "${linux##*/}"
}

quiet()
{
	"$@" >"$scratch/out" 2>&1 </dev/null
}

snapshot()
{
	(cd "$home/kernel" && find . -type f -exec sha256sum {} + | LC_ALL=C sort)
}

tarball 5 d
quiet "$home/run" kernel prepare --tarball "$scratch/linux-6.12.5.tar.gz" ||
	fails 'prepare failed without patches'
[ -f "$source/mm/shipped.o" ] || fails 'a file that git ignores was lost'

# Four commits: a change; a new file for kernel/files, with a change; only such a file;
# a new file that stays in its patch.
sed -i s/b/B/ "$source/mm/rmap.c"
in_source commit -qam 'mm/rmap: a change

Why, at length.

Signed-off-by: An Author <author@localhost.invalid>'
echo one >"$source/mm/exclusive.c"
sed -i s/f/F/ "$source/mm/rmap.c"
in_source add -A
in_source commit -qm 'mm: a file of its own

Signed-off-by: An Author <author@localhost.invalid>
Files: mm/exclusive.c'
mkdir "$source/lib"
echo two >"$source/lib/only.h"
in_source add -A
in_source commit -qm 'lib: "only" a header — and nothing else

Files: lib/only.h'
echo three >"$source/mm/inline.c"
in_source add -A
in_source commit -qm 'mm: [x] a file within its patch'

quiet "$home/run" kernel prepare || fails 'prepare minds commits though nothing else changed'
quiet "$home/run" kernel refresh || fails 'refresh failed'
has "$home/kernel/files/mm/exclusive.c" one
has "$home/kernel/files/lib/only.h" two
has "$home/kernel/patches-6.12/0002-mm-a-file-of-its-own.patch" '^Files: mm/exclusive.c$'
has "$home/kernel/patches-6.12/0004-mm-x-a-file-within-its-patch.patch" '^+three$'
! grep -rq '^+one\|^+two' "$home/kernel/patches-6.12" || fails 'an overlay file is in a patch'

# The same bytes again, from the commits that are there and from those made anew.
before=$(snapshot)
quiet "$home/run" kernel refresh || fails 'a second refresh failed'
[ "$before" = "$(snapshot)" ] || fails 'a second refresh changed the patches'
tree_before=$(in_source rev-parse 'HEAD^{tree}')
rm -rf "$scratch/build"
quiet "$home/run" kernel prepare --tarball "$scratch/linux-6.12.5.tar.gz" || fails 'prepare failed'
[ "$tree_before" = "$(in_source rev-parse 'HEAD^{tree}')" ] || fails 'prepare made another tree'
[ "$(in_source rev-list --count base..HEAD)" -eq 4 ] || fails 'prepare made other commits'
! in_source log --format=%B | grep -q '^Files:' || fails 'a commit still names its files'
commits=$(in_source rev-parse HEAD)
quiet "$home/run" kernel refresh || fails 'refresh failed'
[ "$before" = "$(snapshot)" ] || fails 'prepare and refresh changed the patches'

# What changes is written, and what does not keeps its time.
touch -d '2020-01-01' "$source/Makefile" "$source/mm/rmap.c"
in_source update-index -q --refresh
echo ONE >"$home/kernel/files/mm/exclusive.c"
echo loose >"$home/kernel/files/mm/loose.c"
quiet "$home/run" kernel prepare || fails 'prepare failed on a changed overlay file'
has "$source/mm/exclusive.c" ONE
has "$source/mm/loose.c" loose
[ "$(in_source log --reverse --format=%s base..HEAD | head -n 1)" = 'Files that no patch names' ] ||
	fails 'files that no patch names do not come first'
[ "$(stat -c %Y "$source/mm/rmap.c")" = "$(date -d 2020-01-01 +%s)" ] ||
	fails 'a file that stayed the same was written'
changed=$(snapshot)
quiet "$home/run" kernel refresh || fails 'refresh failed'
[ "$changed" = "$(snapshot)" ] || fails 'refresh changed the loose files'
rm "$home/kernel/files/mm/loose.c"
echo one >"$home/kernel/files/mm/exclusive.c"
quiet "$home/run" kernel prepare || fails 'prepare failed'
[ "$commits" = "$(in_source rev-parse HEAD)" ] || fails 'the same series made other commits'

# Work that is in no patch survives a changed series.
echo mine >>"$source/mm/inline.c"
echo ONE >"$home/kernel/files/mm/exclusive.c"
if quiet "$home/run" kernel prepare; then
	fails 'prepare overwrites work'
fi
has "$scratch/out" 'has not written back'
has "$source/mm/inline.c" mine
if quiet "$home/run" kernel refresh; then
	fails 'refresh leaves work behind'
fi
in_source commit -qam 'mm: mine'
if quiet "$home/run" kernel prepare; then
	fails 'prepare overwrites a commit'
fi
in_source reset -q --hard HEAD~
echo one >"$home/kernel/files/mm/exclusive.c"
quiet "$home/run" kernel prepare || fails 'prepare failed though the work is gone'

# A point release on which the second patch does not apply.
tarball 6 d
sed -i s/f/changed/ "$scratch/linux-6.12.6/mm/rmap.c"
tar -C "$scratch" -czf "$scratch/linux-6.12.6.tar.gz" linux-6.12.6
if quiet "$home/run" kernel prepare --tarball "$scratch/linux-6.12.6.tar.gz"; then
	fails 'a patch applies that cannot'
fi
has "$scratch/out" '^run: 0002-mm-a-file-of-its-own.patch does not apply to Linux 6.12.6 (mm/rmap.c:.*6.12.5'
[ "$before" = "$(snapshot)" ] || fails 'a failure changed the patches'
if quiet "$home/run" kernel refresh; then
	fails 'refresh forgets the patches that did not apply'
fi
[ "$before" = "$(snapshot)" ] || fails 'a refused refresh changed the patches'

# Other tarballs are refused by name.
sed -i 's/12/13/' "$scratch/linux-6.12.5/Makefile"
tar -C "$scratch" -czf "$scratch/other.tar.gz" linux-6.12.5
if quiet "$home/run" kernel prepare --tarball "$scratch/other.tar.gz"; then
	fails 'another kernel is taken'
fi
has "$scratch/out" "is not Linux 6.12 but '6.13.5'"

[ "$failures" -eq 0 ]
