# shellcheck shell=sh
# shellcheck disable=SC2154 # mesa.sh sets what is not set here
# SPDX-License-Identifier: MIT
#
# The build root: a Debian 13 tree, whatever this machine is, and commands that run in
# it. Packages are unpacked and none is set up, so that it takes seconds and nobody has
# to be root. Needs mesa.sh.
: "${top:?is set by ./run}"

mesa_root=$mesa_build/root
mesa_root_stamp=$mesa_build/root.stamp

# What nobody builds with, and LLVM's static libraries, a third of the whole.
mesa_root_without='/usr/share/locale/* /usr/share/man/* /usr/share/doc/* /usr/lib/llvm-*/lib/*.a'

mesa_root_packages()
{
	packages_table mesa-root | sed 's/.*://' | tr -s ' ' '\n' | sed '/^$/d'
}

# What the root is made of; its stamp has a second line, which tells it from another.
mesa_root_key()
{
	{
		echo "$mesa_suite $mesa_root_without"
		mesa_root_packages
		sed -n '/^# --- making it/,$p' "$top/run.d/lib/mesa-root.sh"
	} | sha256sum
}

# --- commands in it ---

# The script of mesa_enter, for a mount namespace of its own: what is mounted there is
# gone with its last process. The first argument is the root; those up to "--" are places
# to show in it, each at its own path.
# shellcheck disable=SC2016 # for the shell within
mesa_enter_script='
root=$1
shift
mount --bind "$root" "$root" || exit 125
while [ "$1" != -- ]; do
	mkdir -p "$root$1" && mount --rbind "$1" "$root$1" || exit 125
	shift
done
shift
exec chroot "$root" "$@"
'

# A mount namespace takes a privilege that containers may lack, and then a user
# namespace, which they may lack, too. Sets mesa_unshare.
mesa_find_unshare()
{
	for mesa_unshare in --mount '--user --map-root-user --mount'; do
		# shellcheck disable=SC2086 # options
		! unshare $mesa_unshare true 2>/dev/null || return 0
	done
	die "$EX_UNAVAILABLE" 'no mount namespaces here, which commands in the build root need; allow user namespaces (sysctl kernel.unprivileged_userns_clone), or give the container CAP_SYS_ADMIN'
}

# mesa_enter COMMAND...: run it in the root, where this repository, the build, /tmp and
# the kernel's file systems are at their own paths, and the environment is always the same.
mesa_enter()
(
	mesa_find_unshare
	case $PWD/ in
	"$top"/* | "$mesa_build"/* | /tmp/*) mesa_at=$PWD ;;
	*) mesa_at=$mesa_build ;;
	esac
	# shellcheck disable=SC2086
	exec unshare $mesa_unshare sh -c "$mesa_enter_script" mesa_enter "${mesa_enter_root-$mesa_root}" \
		/proc /sys /dev /tmp "$top" "$mesa_build" -- \
		/usr/bin/env -i -C "$mesa_at" PATH=/usr/bin:/usr/sbin HOME=/root LC_ALL=C.UTF-8 \
		TERM="${TERM-dumb}" CCACHE_DIR="$mesa_build/ccache" CCACHE_MAXSIZE=2G \
		PKG_CONFIG_PATH="$mesa_library/lib/pkgconfig" LD_LIBRARY_PATH="$mesa_install/lib" \
		OCL_ICD_VENDORS="$mesa_install/etc/OpenCL/vendors" RUSTICL_ENABLE="$mesa_devices" \
		"$@" 9>&-
)

# --- making it ---

# How this machine gets to its mirror, for the apt that is to fill the root.
mesa_root_proxies()
{
	apt-config dump --format '%f "%v";%n' 2>/dev/null | grep -E '^Acquire::https?::.+ ".+";$' || :
}

# mesa_root_unpack DIRECTORY. In a mode that runs nothing in it, and takes no privilege.
mesa_root_unpack()
(
	set -f # the patterns are for mmdebstrap
	mesa_root_proxies >"$mesa_build/root.apt"
	mesa_into=$1
	set -- --variant=extract --mode=chrootless --format=directory \
		--include='?essential' --include="$(mesa_root_packages | paste -s -d , -)"
	for mesa_path in $mesa_root_without; do
		set -- "$@" --dpkgopt="path-exclude=$mesa_path"
	done
	[ ! -s "$mesa_build/root.apt" ] || set -- "$@" --aptopt="$mesa_build/root.apt"
	mesa_sources deb | mmdebstrap "$@" "$mesa_suite" "$mesa_into" -
)

# What the packages' own scripts would have done, as far as a build needs it; and a link
# that rusticl's compiler, run out of the root, finds the headers of OpenCL C by.
mesa_root_finish()
{
	cp "$1/usr/share/base-passwd/passwd.master" "$1/etc/passwd" &&
		cp "$1/usr/share/base-passwd/group.master" "$1/etc/group" &&
		ln -sf gcc "$1/usr/bin/cc" &&
		ln -sf g++ "$1/usr/bin/c++" &&
		ln -sf mawk "$1/usr/bin/awk" &&
		ln -s llvm-19/lib "$1/usr/lib/lib" &&
		mesa_enter_root=$1 mesa_enter ldconfig &&
		mesa_enter_root=$1 mesa_enter sh -c 'gcc --version && rustc --version && llvm-config-19 --version'
}

# Under another name until it is complete, so that what is called root is.
mesa_root_have()
{
	mesa_root_wanted=$(mesa_root_key)
	[ "$mesa_root_wanted" = "$(sed -n 1p "$mesa_root_stamp" 2>/dev/null)" ] && [ -d "$mesa_root" ] && return 0
	series_space 2 'the build root'
	mesa_find_unshare
	mesa_find_mirror
	rm -f "$mesa_root_stamp"
	rm -rf --one-file-system "$mesa_root.new" "$mesa_root"
	step 'unpacking Debian 13 to build in' "$mesa_logs/mesa-root.log" \
		mesa_root_unpack "$mesa_root.new" || {
		rm -rf --one-file-system "$mesa_root.new"
		die "$EX_UNAVAILABLE" "cannot make the build root from $mesa_mirror: $(mesa_root_reason); see $mesa_logs/mesa-root.log"
	}
	step 'finishing it' "$mesa_logs/mesa-root.finish.log" mesa_root_finish "$mesa_root.new" ||
		die "$EX_SOFTWARE" "the build root does not work; see $mesa_logs/mesa-root.finish.log"
	mv "$mesa_root.new" "$mesa_root"
	printf '%s\n%s\n' "$mesa_root_wanted" "$(date +%s.%N)" >"$mesa_root_stamp"
}

mesa_root_reason()
{
	sed -n 's/^E: //p' "$mesa_logs/mesa-root.log" | head -n 1 | cut -c 1-160 | grep . || echo 'mmdebstrap failed'
}
