# shellcheck shell=sh
# shellcheck disable=SC2034 # for those who read this file in
# SPDX-License-Identifier: MIT
#
# Where the kernel's trees are, and how its source gets there: the distribution's, as
# a git repository, with the series on it. Needs common.sh and packages.sh.
: "${top:?is set by ./run}"

kernel_build=${SVMATOMIC_KERNEL_BUILD:-$top/build/kernel}
kernel_source=$kernel_build/source
kernel_unpatched=$kernel_build/unpatched-source
kernel_files=$top/kernel/files
kernel_patches=$top/kernel/patches-6.12
kernel_configs=$top/kernel/configs
kernel_logs=${SVMATOMIC_KERNEL_BUILD:-$top/build}/logs
kernel_tarball_debian=/usr/src/linux-source-6.12.tar.xz
# Two lines: which tarball is unpacked, and the commit last written here or back.
kernel_stamp=$kernel_build/source.stamp
kernel_series_stamp=$kernel_build/series.stamp

# The subject of the commit that holds overlay files no patch asks for.
kernel_loose_subject='Files that no patch names'

# kgit DIRECTORY ARGUMENT...: git that no setting of the user's reaches, so that the
# same series gives the same commits and the same patches anywhere.
kgit()
(
	unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
	kgit_at=$1
	shift
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 exec git -C "$kgit_at" \
		-c safe.directory='*' -c user.name=svmatomic -c user.email=svmatomic@localhost.invalid \
		-c gc.auto=0 -c core.abbrev=12 -c advice.detachedHead=false "$@"
)

# Only one ./run at a time may change the trees; descriptor 9 holds the lock.
kernel_lock()
{
	{ mkdir -p "$kernel_build" && true >>"$kernel_build/lock"; } 2>/dev/null ||
		die "$EX_CANTCREAT" "cannot write to $kernel_build; make it yours or remove it"
	exec 9>>"$kernel_build/lock"
	flock -n 9 && return 0
	say "waiting for another ./run at work in $kernel_build"
	flock 9
}

# kernel_space GIB WHAT
kernel_space()
{
	kernel_free=$(df -Pk "$kernel_build" | awk 'NR == 2 { print int($4 / 1048576) }')
	[ "$kernel_free" -ge "$1" ] || die "$EX_CANTCREAT" \
		"$2 takes up to $1 GiB and $kernel_build has $kernel_free; make room, or set SVMATOMIC_KERNEL_BUILD to a directory elsewhere"
}

# kernel_version DIRECTORY: "6.12.N", from its Makefile.
kernel_version()
{
	sed -n 's/^VERSION = //p; s/^PATCHLEVEL = //p; s/^SUBLEVEL = //p' "$1/Makefile" 2>/dev/null |
		head -n 3 | paste -s -d . -
}

kernel_patch_list()
{
	find "$kernel_patches" -maxdepth 1 -name '[0-9]*.patch' 2>/dev/null | LC_ALL=C sort
}

# What the series is made of, as a hash: its contents, names and modes.
kernel_series_key()
{
	{
		kernel_patch_list | tr '\n' '\0' | xargs -0 -r sha256sum
		[ ! -d "$kernel_files" ] || find "$kernel_files" -type f -printf '%m %P\n' |
			LC_ALL=C sort
		[ ! -d "$kernel_files" ] || find "$kernel_files" -type f -print0 |
			LC_ALL=C sort -z | xargs -0 -r sha256sum
	} | sed "s|$top/||" | sha256sum | cut -d ' ' -f 1
}

kernel_has_series()
{
	[ -n "$(kernel_patch_list)" ]
}

kernel_tarball_key()
{
	stat -L -c '%n %s %Y' "$1"
}

kernel_stamped()
{
	sed -n "${1}p" "$kernel_stamp" 2>/dev/null
}

# What git says of the tree: its commit, and a hash of what is not committed.
kernel_state()
{
	kgit "$1" rev-parse HEAD
	{
		kgit "$1" diff HEAD
		kgit "$1" ls-files --others --exclude-standard
	} | sha256sum
}

# Is there work in the source that no patch holds?
kernel_unsaved()
{
	[ "$(kgit "$kernel_source" rev-parse HEAD)" != "$(kernel_stamped 2)" ] ||
		[ -n "$(kgit "$kernel_source" status --porcelain)" ]
}

kernel_keep_work()
{
	[ -d "$kernel_source" ] || return 0
	! kernel_unsaved || die "$EX_SOFTWARE" \
		"$kernel_source has changes that ./run kernel refresh has not written back; commit and refresh them, or drop them with: git -C $kernel_source checkout -f -B series $(kernel_stamped 2)"
}

kernel_unpack_into()
{
	mkdir "$2" &&
		XZ_OPT=-T0 tar -x --strip-components=1 --no-same-owner -f "$1" -C "$2"
}

kernel_commit_base()
{
	# The date is that of Linux 6.12; any one will do that is always the same.
	GIT_AUTHOR_DATE='2024-11-17T22:15:08Z' GIT_COMMITTER_DATE='2024-11-17T22:15:08Z'
	export GIT_AUTHOR_DATE GIT_COMMITTER_DATE
	# Debian has git ignore all that is not its packaging: new files would go unseen.
	sed -i -e '/^# Debian packaging: /d' -e '\|^/\*$|d' -e '\|^!/debian/$|d' "$1/.gitignore" &&
		kgit "$1" init -q -b series &&
		kgit "$1" config gc.auto 0 &&
		kgit "$1" add -A -f &&
		kgit "$1" commit -q -m "$2" &&
		kgit "$1" tag base
}

# kernel_unpack TARBALL: under another name until it is complete, so that what is
# called source is.
kernel_unpack()
{
	kernel_space 4 'the source'
	rm -rf "$kernel_source.unpack"
	step "unpacking ${1##*/}" "$kernel_logs/kernel-unpack.log" \
		kernel_unpack_into "$1" "$kernel_source.unpack" ||
		die "$EX_SOFTWARE" "cannot unpack $1; see $kernel_logs/kernel-unpack.log"
	kernel_release=$(kernel_version "$kernel_source.unpack")
	case $kernel_release in
	6.12.*) ;;
	*)
		rm -rf "$kernel_source.unpack"
		die "$EX_SOFTWARE" "$1 is not Linux 6.12 but '$kernel_release'; give a tarball of 6.12.N"
		;;
	esac

	step "committing Linux $kernel_release" "$kernel_logs/kernel-unpack.log" \
		kernel_commit_base "$kernel_source.unpack" "Linux $kernel_release as Debian has it" ||
		die "$EX_SOFTWARE" "git failed; see $kernel_logs/kernel-unpack.log"
	rm -rf "$kernel_source" "$kernel_unpatched" "$kernel_build/apply"
	rm -f "$kernel_series_stamp"
	mv "$kernel_source.unpack" "$kernel_source"
	{
		kernel_tarball_key "$1"
		kgit "$kernel_source" rev-parse base
	} >"$kernel_stamp"
}

# kernel_find_source [TARBALL]: have some tarball's tree in kernel_source. One that is
# there stays, unless another is named or the distribution's has moved on.
kernel_find_source()
{
	kernel_tarball=${1:-${SVMATOMIC_LINUX_TARBALL-}}
	if [ -z "$kernel_tarball" ] && [ -d "$kernel_source" ]; then
		case $(kernel_stamped 1) in
		"$kernel_tarball_debian "*) ;;
		*) return 0 ;;
		esac
	fi
	if [ -z "$kernel_tarball" ]; then
		packages_install kernel kernel-source
		kernel_tarball=$kernel_tarball_debian
	fi
	{ [ -f "$kernel_tarball" ] && [ -r "$kernel_tarball" ]; } ||
		die "$EX_UNAVAILABLE" "no tarball $kernel_tarball; give one of linux-6.12.N with --tarball FILE"
	kernel_tarball=$(readlink -f "$kernel_tarball")

	if [ -d "$kernel_source" ]; then
		[ "$(kernel_tarball_key "$kernel_tarball")" != "$(kernel_stamped 1)" ] || return 0
		kernel_keep_work
	fi
	kernel_unpack "$kernel_tarball"
}

# The unpatched tree, beside the patched one, without a second copy of its history.
kernel_prepare_unpatched()
{
	[ ! -f "$kernel_unpatched/.git" ] || return 0
	kernel_space 3 'the unpatched source'
	rm -rf "$kernel_unpatched"
	kgit "$kernel_source" worktree prune
	step 'checking out the unpatched source' "$kernel_logs/kernel-unpack.log" \
		kgit "$kernel_source" worktree add --detach "$kernel_unpatched" base ||
		die "$EX_SOFTWARE" "git failed; see $kernel_logs/kernel-unpack.log"
}

# kernel_prepare [TARBALL]
kernel_prepare()
{
	packages_install kernel
	kernel_lock
	kernel_find_source "${1-}"
	kernel_key=$(kernel_series_key)
	if [ "$kernel_key" != "$(cat "$kernel_series_stamp" 2>/dev/null)" ]; then
		kernel_keep_work
		kernel_apply
		echo "$kernel_key" >"$kernel_series_stamp"
	fi
	kernel_prepare_unpatched
}
