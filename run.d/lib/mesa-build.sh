# shellcheck shell=sh
# shellcheck disable=SC2154 # mesa.sh and mesa-root.sh set what is not set here
# SPDX-License-Identifier: MIT
#
# Build and install Mesa in the build root, with libsvmatomic for it to find, and use the
# result out of it. Needs mesa-root.sh.
: "${top:?is set by ./run}"

# What is installed is also there for this machine's programs, at the same path.
mesa_install=$mesa_build/install
mesa_library=$mesa_build/library
mesa_object=$mesa_build/object
mesa_native=$top/mesa-patches/native.ini
mesa_reload=$top/mesa-patches/reload.c
# Where rusticl, as it was configured, finds OpenCL C's headers in this machine.
mesa_headers=/usr/lib/llvm-19/lib/clang/19/include/opencl-c-base.h
mesa_shim=libnouveau_noop_drm_shim.so
# For rusticl, which takes no device by itself.
mesa_devices=${RUSTICL_ENABLE-llvmpipe,nouveau}

# A project that tests wants assertions, and an optimiser that finds what is undefined:
# neither Meson's release, which has no assertions, nor its debug. Line numbers are enough
# to debug with, and half as large as all there is. What would be fetched is not had.
mesa_options="--libdir=lib --wrap-mode=nofallback
-Dbuildtype=debugoptimized -Db_ndebug=false -Dc_args=-g1 -Dcpp_args=-g1 -Drust_args=-Cdebuginfo=1
-Dgallium-rusticl=true -Dgallium-drivers=llvmpipe,nouveau -Dllvm=enabled -Dtools=drm-shim -Dstatic-libclc=spirv64
-Dbuild-tests=true
-Dplatforms= -Dvulkan-drivers= -Dvideo-codecs= -Dgallium-xa=disabled
-Dopengl=false -Dgles1=disabled -Dgles2=disabled -Degl=disabled -Dglx=disabled
-Dgbm=disabled -Dglvnd=disabled"

# mesa_fail WHAT LOG: the end of what failed, in one line with its first error.
mesa_fail()
{
	mesa_error=$(sed -n 's/^.*\(ERROR: \|[: ]error[:[]\)/\1/p' "$2" | head -n 1 | cut -c 1-160)
	die "$EX_SOFTWARE" "$1 failed: ${mesa_error:-no error named}; see $2"
}

# --- libsvmatomic, which Mesa looks for ---

mesa_library_key()
{
	cat "$mesa_root_stamp"
	echo "$mesa_install"
	for mesa_file in "$top/meson.build" "$top/meson_options.txt" "$top/kernel/files/include/uapi/drm" "$top/libsvmatomic"; do
		find "$mesa_file" -type f -print0
	done | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
}

# It says where it is by where it lies, and so Mesa finds it before it is where it is
# installed to.
mesa_library_make()
{
	rm -rf "$mesa_library.object" "$mesa_library.new" &&
		mesa_enter meson setup --prefix "$mesa_install" --libdir lib -Dbench=false -Dtests=disabled \
			-Dpkgconfig.relocatable=true "$mesa_library.object" "$top" &&
		mesa_enter env DESTDIR="$mesa_library.new" meson install -C "$mesa_library.object" &&
		rm -rf "$mesa_library" "$mesa_library.object" &&
		mv "$mesa_library.new$mesa_install" "$mesa_library" &&
		rm -rf "$mesa_library.new"
}

mesa_library_have()
{
	mesa_library_wanted=$(mesa_library_key)
	[ "$mesa_library_wanted" != "$(cat "$mesa_library.stamp" 2>/dev/null)" ] || return 0
	rm -f "$mesa_library.stamp"
	step 'compiling libsvmatomic in the build root' "$mesa_logs/mesa-library.log" mesa_library_make ||
		mesa_fail 'compiling libsvmatomic' "$mesa_logs/mesa-library.log"
	echo "$mesa_library_wanted" >"$mesa_library.stamp"
}

# --- Mesa ---

mesa_configure_key()
{
	echo "$2 $mesa_install $mesa_options"
	cat "$mesa_root_stamp" "$mesa_native" "$mesa_library/lib/pkgconfig/libsvmatomic.pc"
}

# mesa_setup OBJECT SOURCE: anew, as a configuration cannot change its compiler.
mesa_setup()
{
	rm -rf "$1" || return 1
	# shellcheck disable=SC2086 # options
	mesa_enter meson setup --native-file "$mesa_native" --prefix "$mesa_install" \
		$mesa_options "$1" "$2"
}

# mesa_configure NAME OBJECT SOURCE
mesa_configure()
{
	mesa_configure_wanted=$(mesa_configure_key "$2" "$3")
	[ "$mesa_configure_wanted" != "$(cat "$2.configured" 2>/dev/null)" ] || return 0
	rm -f "$2.configured"
	mesa_log=$mesa_logs/mesa-$1.config.log
	step 'configuring Mesa' "$mesa_log" mesa_setup "$2" "$3" || mesa_fail configuring "$mesa_log"
	mesa_library_taken "$mesa_log"
	echo "$mesa_configure_wanted" >"$2.configured"
}

# Mesa does without the library, and then without what it is for: not what is meant here.
mesa_library_taken()
{
	mesa_found=$(sed -n 's/.*ependency libsvmatomic found: NO\.\{0,1\} *//p' "$1" | head -n 1)
	! grep -q 'ependency libsvmatomic found: NO' "$1" || die "$EX_SOFTWARE" \
		"the patches do not take this repository's libsvmatomic ($mesa_found); is one of the two older than the other?"
}

# What is installed, as ninja's targets: tests are compiled when they are run.
mesa_targets()
{
	mesa_enter meson introspect --installed "$1" | tr ',' '\n' |
		sed -n "s|.*\"$1/\([^\"]*\.so[^\"]*\)\": .*|\1|p"
}

mesa_ninja()
{
	# shellcheck disable=SC2046 # targets
	mesa_enter ninja -j "$(nproc)" -C "$1" $(mesa_targets "$1")
}

# mesa_compile NAME OBJECT SOURCE: configure and build, or find that nothing has changed.
mesa_compile()
{
	mesa_compile_wanted=$(mesa_configure_key "$2" "$3" && cat "$mesa_library.stamp" && series_state "$3")
	[ "$mesa_compile_wanted" != "$(cat "$2.stamp" 2>/dev/null)" ] || return 0
	rm -f "$2.stamp"
	mesa_configure "$@"
	step 'compiling Mesa' "$mesa_logs/mesa-$1.log" mesa_ninja "$2" ||
		mesa_fail compiling "$mesa_logs/mesa-$1.log"
	echo "$mesa_compile_wanted" >"$2.stamp"
}

mesa_install_key()
{
	cat "$mesa_object.stamp"
	sha256sum <"$mesa_reload"
}

# Whole, or as it was before.
mesa_install_make()
{
	rm -rf "$mesa_install.new" "$mesa_install.old" &&
		mesa_enter env DESTDIR="$mesa_install.new" meson install --no-rebuild -C "$mesa_object" &&
		cp -a "$mesa_library/." "$mesa_install.new$mesa_install/" &&
		mesa_enter gcc -O2 -Wall -Wextra -Werror -fPIC -shared \
			-o "$mesa_install.new$mesa_install/lib/reload.so" "$mesa_reload" || return 1
	[ ! -d "$mesa_install" ] || mv "$mesa_install" "$mesa_install.old"
	mv "$mesa_install.new$mesa_install" "$mesa_install" &&
		rm -rf "$mesa_install.new" "$mesa_install.old"
}

mesa_install_have()
{
	mesa_install_wanted=$(mesa_install_key)
	[ "$mesa_install_wanted" = "$(cat "$mesa_install.stamp" 2>/dev/null)" ] && [ -d "$mesa_install" ] && return 0
	rm -f "$mesa_install.stamp"
	step 'installing Mesa' "$mesa_logs/mesa-install.log" mesa_install_make ||
		mesa_fail installing "$mesa_logs/mesa-install.log"
	echo "$mesa_install_wanted" >"$mesa_install.stamp"
}

# mesa_build_all: what is missing of all that the result is made of.
mesa_build_all()
{
	mesa_prepare
	mesa_root_have
	mesa_library_have
	series_note_work
	[ -d "$mesa_object" ] || series_space 2 'compiling Mesa'
	mesa_compile build "$mesa_object" "$mesa_source"
	mesa_install_have
}

# --- out of the root ---

mesa_installed()
{
	[ -f "$mesa_install.stamp" ] ||
		die "$EX_UNAVAILABLE" "no Mesa in $mesa_install yet; ./run mesa build makes it"
}

# The name of the library that OpenCL's loader is told of.
mesa_rusticl()
{
	sed -n 1p "$mesa_install/etc/OpenCL/vendors/rusticl.icd"
}

# Can programs of this machine load rusticl? Only where the machine's libraries are as new
# as those it was linked with.
mesa_loadable()
{
	[ -f "$mesa_headers" ] &&
		! LD_LIBRARY_PATH=$mesa_install/lib ldd "$mesa_install/lib/$(mesa_rusticl)" 2>&1 |
		grep -q 'not found'
}

mesa_find_loader()
{
	mesa_loader=$(find "$mesa_root/usr/lib" -maxdepth 2 -name 'ld-linux*.so.*' | head -n 1)
	mesa_libraries=$mesa_install/lib:${mesa_loader%/*}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
}

# mesa_env: lines for a shell.
mesa_env()
{
	mesa_installed
	mesa_export OCL_ICD_VENDORS "$mesa_install/etc/OpenCL/vendors"
	mesa_export RUSTICL_ENABLE "$mesa_devices"
	if mesa_loadable; then
		mesa_export LD_LIBRARY_PATH "$mesa_install/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
		return 0
	fi
	mesa_find_loader
	mesa_export SVMATOMIC_MESA_LOADER "$mesa_loader"
	mesa_export SVMATOMIC_MESA_LIBRARIES "$mesa_libraries"
	mesa_export LD_PRELOAD "$mesa_install/lib/reload.so${LD_PRELOAD:+:$LD_PRELOAD}"
}

# mesa_export NAME VALUE
mesa_export()
{
	printf "export %s='%s'\n" "$1" "$(printf %s "$2" | sed "s/'/'\\\\''/g")"
}

# mesa_run CHIPSET PROGRAM ARGUMENT...: a program of this machine, in its file system, but
# loaded by the root's loader with the root's libraries; those the root has not are the
# machine's. Programs it starts are on their own again. With a CHIPSET, nouveau finds one
# that Mesa's drm-shim plays: it compiles for it, and nothing runs.
mesa_run()
{
	mesa_installed
	mesa_chipset=$1
	shift
	mesa_program=$(command -v -- "$1") || :
	[ -f "$mesa_program" ] ||
		die "$EX_USAGE" "mesa run: no program '$1'"
	mesa_find_loader
	"$mesa_loader" --verify "$mesa_program" >/dev/null 2>&1 ||
		die "$EX_USAGE" "mesa run: $1 is a script or has no shared libraries; name the program that calls OpenCL"
	mesa_name=$1
	shift
	set -- "$mesa_program" "$@"
	OCL_ICD_VENDORS=$mesa_install/etc/OpenCL/vendors
	RUSTICL_ENABLE=$mesa_devices
	if [ -n "$mesa_chipset" ]; then
		NOUVEAU_CHIPSET=$mesa_chipset
		RUSTICL_ENABLE=nouveau
		export NOUVEAU_CHIPSET
		set -- --preload "$mesa_install/lib/$mesa_shim" "$@"
	fi
	export OCL_ICD_VENDORS RUSTICL_ENABLE
	exec "$mesa_loader" --argv0 "$mesa_name" \
		--library-path "$mesa_libraries" "$@"
}

# mesa_shell [COMMAND...]: in the root, as a build runs there.
mesa_shell()
{
	[ -f "$mesa_root_stamp" ] ||
		die "$EX_UNAVAILABLE" "no build root in $mesa_root yet; ./run mesa build makes it"
	[ $# -gt 0 ] || set -- bash -i
	mesa_enter "$@"
}

# --- the series for its maintainers ---

mesa_commits()
{
	series_git "$mesa_source" rev-list --reverse base..HEAD
}

# What clang-format would change of the lines that a commit touches. Mesa's own
# .clang-format says of which directories it is to be asked; headers of the kernel's are
# the kernel's.
mesa_check_c()
{
	for mesa_commit in $(mesa_commits); do
		mesa_enter git -C "$mesa_source" -c safe.directory='*' clang-format-19 \
			--binary clang-format-19 --diff "$mesa_commit^" "$mesa_commit" -- src |
			sed "/^no modified files to format$/d; /^clang-format did not modify any files$/d" |
			sed "s/^/$(echo "$mesa_commit" | cut -c 1-12): /"
	done
}

# What rustfmt would change of the files that the series touches.
mesa_check_rust()
{
	series_git "$mesa_source" diff --name-only --diff-filter=d base HEAD -- '*.rs' |
		while IFS= read -r mesa_file; do
			mesa_enter rustfmt --color never --check \
				--config skip_children=true "$mesa_source/$mesa_file" </dev/null || :
		done
}

# mesa_export_series DIRECTORY
mesa_export_series()
{
	mesa_prepare
	series_export "$1"
	mesa_root_have
	mesa_log=$mesa_logs/mesa-format.log
	{ mesa_check_c && mesa_check_rust; } >"$mesa_log" 2>&1 || mesa_fail 'checking the format' "$mesa_log"
	[ -s "$mesa_log" ] || return 0
	cat "$mesa_log" >&2
	die "$EX_SOFTWARE" "clang-format or rustfmt objects, above; mend the commits in $mesa_source, then ./run mesa refresh"
}

# Every commit has to build, or a bisection through the series ends in it.
mesa_export_each()
{
	mesa_library_have
	series_space 2 'a build of each commit'
	series_each "$mesa_build/each-source" mesa_compile each "$mesa_build/each" "$mesa_build/each-source"
}
