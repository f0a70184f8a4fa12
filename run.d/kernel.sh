#!/bin/sh
# SPDX-License-Identifier: MIT
# summary: prepare, build and export the patched Linux; alone, it explains itself
#
# One command per thing to do with the kernel; the work is in lib/kernel*.sh.
set -eu
: "${top:?is set by ./run}"

verb=kernel
. "$top/run.d/lib/common.sh"
. "$top/run.d/lib/arguments.sh"
. "$top/run.d/lib/packages.sh"
. "$top/run.d/lib/series.sh"
. "$top/run.d/lib/kernel.sh"
. "$top/run.d/lib/kernel-build.sh"
. "$top/run.d/lib/kernel-dkms.sh"

usage()
{
	cat <<-'END'
	usage: ./run kernel COMMAND [ARGUMENT...]

	  prepare [--tarball FILE]   unpack Linux 6.12 into build/kernel/source, with the series
	                             of kernel/patches-6.12 and kernel/files as commits on it
	  refresh                    write those commits back, after they were changed there
	  build [KERNEL]             build one: perf (the default), debug or unpatched
	  path KERNEL                print its object directory, for modules: make -C PATH M=...
	  export [--each] [DIRECTORY]
	                             write the series for a mailing list (build/kernel/export) and
	                             run checkpatch over it; --each: build every commit, too
	  dkms [DIRECTORY]           put vsvm-VERSION together there (build/kernel/dkms): the virtual
	                             device as a module out of the tree, in DKMS's layout
	  size                       what the series adds to mm/ in bytes, switched off and on

	perf is for measuring, debug checks itself (KASAN, lockdep, page tables) and has nouveau
	as well, unpatched is perf without the series. Commits hold whole files; in the
	repository, new files are in kernel/files. A commit that adds a file to be kept there
	says so in its message, in a line "Files: PATH".

	The source is Debian's linux-source-6.12, or the tarball of a linux-6.12.N given by
	--tarball or SVMATOMIC_LINUX_TARBALL. SVMATOMIC_KERNEL_BUILD is a place to build in other
	than build/kernel. Everything takes up to 12 GiB there; unpacking takes about 2 minutes
	on 2 CPUs, the perf kernel 5, the debug kernel 20.
	END
}

command_prepare()
{
	prepare_arguments "$@"
	kernel_prepare "$tarball"
}

command_refresh()
{
	none refresh "$@"
	packages_install kernel
	kernel_series
	series_lock
	series_refresh
}

command_build()
{
	[ $# -le 1 ] || die "$EX_USAGE" "kernel build takes one kernel at a time, not '$*'"
	kernel_is "${1-perf}" ||
		die "$EX_USAGE" "no kernel '$1'; there is perf, debug and unpatched"
	kernel_build "${1-perf}"
}

command_path()
{
	{ [ $# -eq 1 ] && kernel_is "$1"; } ||
		die "$EX_USAGE" 'kernel path wants one of perf, debug and unpatched'
	kernel_path "$1"
}

command_export()
{
	export_arguments "$@"
	kernel_export "$(place "$directory" "$kernel_build/export")"
	[ -z "$each" ] || kernel_export_each
}

command_dkms()
{
	[ $# -le 1 ] || die "$EX_USAGE" "kernel dkms takes one directory, not '$*'"
	kernel_dkms "$(place "${1-}" "$kernel_build/dkms")"
}

command_size()
{
	none size "$@"
	kernel_size
}

case ${1-} in
'' | help | -h | --help)
	usage
	exit 0
	;;
prepare | refresh | build | path | export | dkms | size) ;;
*) die "$EX_USAGE" "no command 'kernel $1'; ./run kernel lists those there are" ;;
esac
command=$1
shift
"command_$command" "$@"
