# shellcheck shell=sh
# shellcheck disable=SC2034 # for those who read this file in
# SPDX-License-Identifier: MIT
#
# Where the kernel's trees are, and how its source gets there: the distribution's, as
# a git repository, with the series on it. Needs series.sh and packages.sh.
: "${top:?is set by ./run}"

kernel_build=${SVMATOMIC_KERNEL_BUILD:-$top/build/kernel}
kernel_source=$kernel_build/source
kernel_unpatched=$kernel_build/unpatched-source
kernel_files=$top/kernel/files
kernel_configs=$top/kernel/configs
kernel_logs=${SVMATOMIC_KERNEL_BUILD:-$top/build}/logs
kernel_tarball_debian=/usr/src/linux-source-6.12.tar.xz

# To be called before any function of series.sh is.
kernel_series()
{
	series_verb=kernel
	series_name=Linux
	series_base=6.12
	series_tarball=linux-6.12.N
	series_base_as=' as Debian has it'
	series_date=2024-11-17T22:15:08Z
	series_takes=4
	series_here=$top/kernel
	series_build=$kernel_build
	series_build_by=SVMATOMIC_KERNEL_BUILD
	series_logs=$kernel_logs
	series_begin
}

# kernel_version DIRECTORY: "6.12.N", from its Makefile.
kernel_version()
{
	sed -n 's/^VERSION = //p; s/^PATCHLEVEL = //p; s/^SUBLEVEL = //p' "$1/Makefile" 2>/dev/null |
		head -n 3 | paste -s -d . -
}

# kernel_tidy DIRECTORY: Debian has git ignore all that is not its packaging, and new
# files would go unseen.
kernel_tidy()
{
	sed -i -e '/^# Debian packaging: /d' -e '\|^/\*$|d' -e '\|^!/debian/$|d' "$1/.gitignore"
}

kernel_has_series()
{
	kernel_series
	series_any
}

# kernel_find_source [TARBALL]: have some tarball's tree in kernel_source. One that is
# there stays, unless another is named or the distribution's has moved on.
kernel_find_source()
{
	kernel_tarball=${1:-${SVMATOMIC_LINUX_TARBALL-}}
	if [ -z "$kernel_tarball" ] && [ -d "$kernel_source" ]; then
		case $(series_stamped 1) in
		"$kernel_tarball_debian "*) ;;
		*) return 0 ;;
		esac
	fi
	if [ -z "$kernel_tarball" ]; then
		packages_install kernel kernel-source
		kernel_tarball=$kernel_tarball_debian
	fi
	series_take "$kernel_tarball"
}

# kernel_prepare [TARBALL]
kernel_prepare()
{
	kernel_series
	packages_install kernel
	series_lock
	kernel_find_source "${1-}"
	series_put
	[ -f "$kernel_unpatched/.git" ] || series_space 3 'the unpatched source'
	series_worktree "$kernel_unpatched" 'the unpatched source' unpack
}
