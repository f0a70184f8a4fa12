# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Configure and build a Meson tree, doing nothing where nothing has changed. Needs
# packages.sh.
: "${top:?is set by ./run}"

# The builds, and what tells them apart. Two compilers see the code this way.
build_normal()
{
	build_tree normal "$top/build" "$1" -Dwerror=true
}

build_sanitized()
{
	# The sanitizers' runtime is in the program: no library is to look for it. It
	# meets C++ exceptions only where libstdc++ is there from the start, and OpenCL
	# implementations throw them.
	CC=clang CXX=clang++ build_tree sanitized "$top/build/asan" "$1" -Dwerror=true -Dtests=enabled \
		-Db_sanitize=address,undefined -Db_lundef=false \
		-Dc_link_args='-Wl,--no-as-needed -lstdc++' \
		-Dbuildtype=debug -Doptimization=1
}

# What a configuration depends on beyond meson.build, which ninja watches itself.
build_inputs()
{
	printf '%s\n' "$top" "$*" "CC=${CC-} CXX=${CXX-} CFLAGS=${CFLAGS-} LDFLAGS=${LDFLAGS-}"
	packages_versions
}

# build_tree NAME DIRECTORY TARGET OPTION...
build_tree()
{
	build_name=$1
	build_dir=$2
	build_target=$3
	shift 3
	build_log=$top/build/logs/$build_name.log
	build_wanted=$(build_inputs "$@")

	if [ ! -f "$build_dir/build.ninja" ] ||
		[ "$build_wanted" != "$(cat "$build_dir/run.stamp" 2>/dev/null)" ]; then
		# A configuration cannot change its compiler: forget the old one, and with
		# ninja's log every object made by it. Other things in build/ stay.
		rm -rf "$build_dir"/meson-* "$build_dir/build.ninja" "$build_dir"/.ninja_* 2>/dev/null ||
			die "$EX_CANTCREAT" "cannot write to $build_dir; make it yours or remove it"
		step "configuring the $build_name build" "$build_log" \
			meson setup "$@" "$build_dir" "$top" ||
			die "$EX_SOFTWARE" "configuring failed; mend what $build_log says, then run this again"
		echo "$build_wanted" >"$build_dir/run.stamp"
	fi

	ninja -C "$build_dir" -n "$build_target" 2>/dev/null | grep -q '^ninja: no work' && return 0
	step "compiling the $build_name build" "$build_log" ninja -C "$build_dir" "$build_target" ||
		die "$EX_SOFTWARE" "compiling failed; mend what $build_log says, then run this again"
}

# build_tests_counted RESULT|RESULT LOG...: tests that ended so, of Meson's testlog.json.
# What they printed has its quotes escaped.
build_tests_counted()
{
	build_results=$1
	shift
	cat "$@" 2>/dev/null | grep -cE "\"result\": \"($build_results)\"" || :
}
