#!/bin/sh
# SPDX-License-Identifier: MIT
# summary: build Mesa's rusticl with the patches and use it; alone, it explains itself
#
# One command per thing to do with Mesa; the work is in lib/mesa*.sh.
set -eu
: "${top:?is set by ./run}"

verb=mesa
. "$top/run.d/lib/common.sh"
. "$top/run.d/lib/arguments.sh"
. "$top/run.d/lib/packages.sh"
. "$top/run.d/lib/series.sh"
. "$top/run.d/lib/mesa.sh"
. "$top/run.d/lib/mesa-root.sh"
. "$top/run.d/lib/mesa-build.sh"
. "$top/run.d/lib/build.sh"
. "$top/run.d/lib/mesa-test.sh"
. "$top/run.d/lib/mesa-bench.sh"

usage()
{
	cat <<-'END'
	usage: ./run mesa COMMAND [ARGUMENT...]

	  prepare [--tarball FILE]   unpack Mesa 25.0 into build/mesa/source, with the series of
	                             mesa-patches as commits on it
	  refresh                    write those commits back, after they were changed there
	  build                      build rusticl with llvmpipe and nouveau, and the drm-shim,
	                             and install them to build/mesa/install
	  test                       Mesa's unit tests of what the series touches, and our OpenCL
	                             programs on llvmpipe, and on nouveau with Mesa's drm-shim
	  bench                      llvmpipe's atomics to PoCL's and to native threads', in one run; and
	                             kernels without atomics, with the series and without
	  run [--shim CHIPSET] PROGRAM [ARGUMENT...]
	                             run a program of this machine with that rusticl as its only
	                             OpenCL: ./run mesa run clinfo; --shim: with Mesa's drm-shim
	                             in place of an NVIDIA card, to see what nouveau compiles for
	                             it and sends to it: --shim 134
	  env                        what to export so that any OpenCL program uses that rusticl:
	                             eval "$(./run mesa env)"
	  shell [COMMAND...]         a shell, or a command, in the build root
	  export [--each] [DIRECTORY]
	                             write the series for Mesa's maintainers (build/mesa/export),
	                             and have clang-format and rustfmt look at what it touches;
	                             --each: build every commit, too

	`./run bench --mesa` measures it.

	It is built in a Debian 13 tree of its own, which `build` unpacks from the mirror that apt
	is configured for; nothing in it is set up or started. Programs that are run with it have
	that tree's C library and LLVM, and their own file system and processes. `run` does that
	for one program, not for those it starts; `env` for all that link with libOpenCL.

	The source is Debian 13's Mesa, without Debian's patches, or the tarball of a mesa-25.0.N
	given by --tarball or SVMATOMIC_MESA_TARBALL. SVMATOMIC_MESA_BUILD is a place to build in
	other than build/mesa, SVMATOMIC_DEBIAN_MIRROR another mirror. Everything takes up to
	3 GiB there, and about 5 minutes on 2 CPUs.
	END
}

command_prepare()
{
	prepare_arguments "$@"
	mesa_prepare "$tarball"
}

command_refresh()
{
	none refresh "$@"
	mesa_series
	packages_install mesa
	series_lock
	series_refresh
}

command_build()
{
	none build "$@"
	mesa_build_all
}

command_test()
{
	none test "$@"
	mesa_test
}

command_bench()
{
	none bench "$@"
	mesa_bench
}

command_run()
{
	chipset=
	case ${1-} in
	--shim)
		chipset=${2-}
		case $chipset in
		'' | *[!0-9a-fA-F]*) die "$EX_USAGE" "mesa run: --shim wants a chipset in hexadecimal such as 134, not '$chipset'" ;;
		esac
		shift 2
		;;
	-*) die "$EX_USAGE" "mesa run takes no '$1', only --shim CHIPSET" ;;
	esac
	[ $# -gt 0 ] || die "$EX_USAGE" 'mesa run wants a program to run; ./run mesa explains'
	mesa_run "$chipset" "$@"
}

command_env()
{
	none env "$@"
	mesa_env
}

command_shell()
{
	{ [ $# -gt 0 ] || [ -t 0 ]; } || die "$EX_USAGE" 'mesa shell wants a terminal, or a command to run'
	mesa_shell "$@"
}

command_export()
{
	export_arguments "$@"
	mesa_export_series "$(place "$directory" "$mesa_build/export")"
	[ -z "$each" ] || mesa_export_each
}

case ${1-} in
'' | help | -h | --help)
	usage
	exit 0
	;;
prepare | refresh | build | test | bench | run | env | shell | export) ;;
*) die "$EX_USAGE" "no command 'mesa $1'; ./run mesa lists those there are" ;;
esac
command=$1
shift
"command_$command" "$@"
