# shellcheck shell=sh
# shellcheck disable=SC2154 # kernel.sh sets what is not set here
# SPDX-License-Identifier: MIT
#
# Configure and build kernels, each in an object directory of its own. Needs kernel.sh
# and series.sh.
: "${top:?is set by ./run}"

# Nothing in a build may depend on when, where and by whom: it is compared with others.
KBUILD_BUILD_TIMESTAMP='2024-11-17 22:15:08 UTC'
KBUILD_BUILD_USER=svmatomic
KBUILD_BUILD_HOST=localhost
# Set, and empty: no "+" in the version for a tree that is not a release's.
LOCALVERSION=
export KBUILD_BUILD_TIMESTAMP KBUILD_BUILD_USER KBUILD_BUILD_HOST LOCALVERSION

kernel_fragments()
{
	case $1 in
	perf | unpatched) set -- "$1" base perf ;;
	debug) set -- "$1" base debug nouveau ;;
	each) set -- "$1" base perf nouveau ;;
	size-unpatched | size-off) set -- "$1" size ;;
	size-on) set -- "$1" size series ;;
	esac
	kernel_fragments_of=$1
	shift
	for kernel_fragment in "$@"; do
		echo "$kernel_configs/$kernel_fragment.config"
	done
	case $kernel_fragments_of in
	perf | debug)
		! kernel_has_series || echo "$kernel_configs/series.config"
		;;
	esac
}

kernel_tree()
{
	case $1 in
	unpatched | size-unpatched) echo "$kernel_unpatched" ;;
	each) echo "$kernel_build/each-source" ;;
	*) echo "$kernel_source" ;;
	esac
}

kernel_is()
{
	case $1 in
	perf | debug | unpatched) return 0 ;;
	esac
	return 1
}

kernel_path()
{
	echo "$kernel_build/$1"
}

kernel_image()
{
	echo "$kernel_build/$1/arch/x86/boot/bzImage"
}

# kernel_module NAME MODULE: where MODULE.ko was staged; nothing when there is none.
kernel_module()
{
	find "$kernel_build/$1/modroot/lib/modules" -name "$2.ko" 2>/dev/null | head -n 1
}

# kernel_make NAME TARGET...
kernel_make()
{
	kernel_make_of=$1
	shift
	kernel_make_cc=gcc
	if command -v ccache >/dev/null; then
		CCACHE_DIR=${CCACHE_DIR-$kernel_build/ccache}
		CCACHE_MAXSIZE=${CCACHE_MAXSIZE-2G}
		export CCACHE_DIR CCACHE_MAXSIZE
		kernel_make_cc='ccache gcc'
	fi
	make -C "$(kernel_tree "$kernel_make_of")" O="$kernel_build/$kernel_make_of" \
		-j"$(nproc)" CC="$kernel_make_cc" HOSTCC=gcc "$@" 9>&-
}

# What a build depends on. Work in the tree that is not committed counts too.
kernel_inputs()
{
	series_state "$(kernel_tree "$1")"
	kernel_fragments "$1" | xargs sha256sum
	gcc --version | head -n 1
	ld --version | head -n 1
}

# All that can be off is off, but for what the fragments say; of two, the later one.
# As tinyconfig is made, except that this starts out with 64 bits, on which defaults
# depend.
kernel_configure()
{
	mkdir -p "$kernel_build/$1" &&
		kernel_fragments "$1" | xargs cat >"$kernel_build/$1/.fragments" &&
		kernel_make "$1" KCONFIG_ALLCONFIG="$kernel_build/$1/.fragments" allnoconfig
}

# kernel_config_unmet NAME: what the fragments ask for and the configuration has not.
# Of two fragments that disagree, the later one asks.
kernel_config_unmet()
{
	# shellcheck disable=SC2046
	awk '
		/^CONFIG_[A-Z0-9_]+=/ { name = $0; sub(/=.*/, "", name); value = substr($0, length(name) + 2) }
		/^# CONFIG_[A-Z0-9_]+ is not set$/ { name = $2; value = "n" }
		name != "" && FILENAME == ARGV[1] { is[name] = value }
		name != "" && FILENAME != ARGV[1] { wants[name] = value }
		{ name = "" }
		END {
			for (name in wants)
				if ((name in is ? is[name] : "n") != wants[name])
					print name "=" wants[name]
		}
	' "$kernel_build/$1/.config" $(kernel_fragments "$1") | LC_ALL=C sort | paste -s -d ' ' -
}

kernel_config()
{
	step "configuring the $1 kernel" "$kernel_logs/kernel-$1.config.log" kernel_configure "$1" ||
		die "$EX_SOFTWARE" "configuring failed; see $kernel_logs/kernel-$1.config.log"
	kernel_unmet=$(kernel_config_unmet "$1")
	[ -z "$kernel_unmet" ] || die "$EX_SOFTWARE" \
		"the $1 kernel cannot have $kernel_unmet; mend its fragments in kernel/configs (a dependency?)"
}

kernel_compile()
{
	kernel_make "$1" bzImage modules headers &&
		rm -rf "$kernel_build/$1/modroot" &&
		kernel_make "$1" INSTALL_MOD_PATH="$kernel_build/$1/modroot" DEPMOD=true modules_install
}

# kernel_warned NAME: fail if the log has a warning. Not all come again by themselves:
# forget what they were about, or a second run would find nothing to complain of.
kernel_warned()
{
	kernel_log=$kernel_logs/kernel-$1.log
	kernel_warnings=$(grep -E 'warning:|WARNING:' "$kernel_log" || :)
	[ -n "$kernel_warnings" ] || return 0
	rm -f "$kernel_build/$1/vmlinux.o" "$kernel_build/$1/Module.symvers"
	echo "$kernel_warnings" | sed -n 's/^\([^ :]*\.o\): .*/\1/p' | while IFS= read -r kernel_object; do
		rm -f "$kernel_build/$1/$kernel_object"
	done
	die "$EX_SOFTWARE" "the $1 kernel has warnings, the first: $(echo "$kernel_warnings" | head -n 1); see $kernel_log"
}

# kernel_compiled NAME FUNCTION: run FUNCTION NAME as a step and hold it to its log.
kernel_compiled()
{
	step "compiling the $1 kernel" "$kernel_logs/kernel-$1.log" "$2" "$1" ||
		die "$EX_SOFTWARE" "compiling failed: $(grep -m 1 -E ' error: |ERROR|\*\*\*' "$kernel_logs/kernel-$1.log" || echo 'make says nothing'); see $kernel_logs/kernel-$1.log"
	kernel_warned "$1"
}

# kernel_current NAME [FUNCTION]: configure and build, or find that nothing changed.
kernel_current()
{
	kernel_wanted=$(kernel_inputs "$1")
	[ "$kernel_wanted" != "$(cat "$kernel_build/$1.stamp" 2>/dev/null)" ] || return 0
	rm -f "$kernel_build/$1.stamp"
	kernel_config "$1"
	kernel_compiled "$1" "${2-kernel_compile}"
	echo "$kernel_wanted" >"$kernel_build/$1.stamp"
}

kernel_build()
{
	kernel_prepare
	if [ ! -f "$(kernel_image "$1")" ]; then
		rm -f "$kernel_build/$1.stamp"
		case $1 in
		debug) series_space 6 "the $1 kernel" ;;
		*) series_space 3 "the $1 kernel" ;;
		esac
	fi
	[ "$1" = unpatched ] || series_note_work
	kernel_current "$1"
}

# --- what the series costs in bytes ---

# The parts of the kernel that know of device-exclusive entries.
kernel_size_parts='mm/ fs/proc/ kernel/events/'

kernel_size_compile()
{
	# shellcheck disable=SC2086 # several targets
	kernel_make "$1" $kernel_size_parts || return 1
	set -- "$1" ''
	for kernel_part in $kernel_size_parts; do
		set -- "$1" "$2 ${kernel_part}built-in.a"
	done
	# What the linker would throw away is not counted.
	# shellcheck disable=SC2086
	(cd "$kernel_build/$1" && ld -r --whole-archive $2 -o size.o && objcopy -R '.discard.*' size.o)
}

# kernel_size_compare TITLE OLD NEW
kernel_size_compare()
{
	echo "$1"
	"$kernel_source/scripts/bloat-o-meter" "$kernel_build/$2/size.o" "$kernel_build/$3/size.o"
}

kernel_size()
{
	kernel_prepare
	kernel_has_series ||
		die "$EX_SOFTWARE" 'there are no patches in kernel/patches-6.12 yet, and nothing to compare'
	series_space 2 'three builds of mm/'
	for kernel_variant in size-unpatched size-off size-on; do
		[ -f "$kernel_build/$kernel_variant/size.o" ] || rm -f "$kernel_build/$kernel_variant.stamp"
		kernel_current "$kernel_variant" kernel_size_compile
	done
	kernel_size_compare "unpatched -> patched, DEVICE_EXCLUSIVE off ($kernel_size_parts):" size-unpatched size-off
	echo
	kernel_size_compare 'DEVICE_EXCLUSIVE off -> on:' size-off size-on
}

# --- the series for a mailing list ---

# kernel_check_style DIRECTORY
kernel_check_style()
{
	kernel_bad=0
	for kernel_patch in "$1"/[0-9]*.patch; do
		case $kernel_patch in
		*/0000-*) continue ;;
		esac
		# It asks for an entry in MAINTAINERS even where a directory has one.
		"$kernel_source/scripts/checkpatch.pl" --root="$kernel_source" --strict --no-summary \
			--ignore FILE_PATH_CHANGES --terse --show-types "$kernel_patch" || kernel_bad=$((kernel_bad + 1))
	done
	[ "$kernel_bad" -eq 0 ]
}

kernel_export()
{
	kernel_prepare
	series_export "$1"

	kernel_export_log=$kernel_logs/kernel-checkpatch.log
	kernel_check_style "$1" >"$kernel_export_log" 2>&1 && return 0
	grep -E ': (ERROR|WARNING|CHECK):' "$kernel_export_log" >&2 || cat "$kernel_export_log" >&2
	! grep -qE ': (ERROR|WARNING):' "$kernel_export_log" ||
		die "$EX_SOFTWARE" "checkpatch objects; mend the commits in $kernel_source, then ./run kernel refresh"
}

# Every commit has to build, or a bisection through the series ends in it.
kernel_export_each()
{
	series_space 5 'a build of each commit'
	series_each "$(kernel_tree each)" kernel_current each
}
