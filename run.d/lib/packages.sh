# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Which Debian packages a verb needs and what for, and how the missing ones come.
: "${top:?is set by ./run}"

packages_log=$top/build/logs/apt.log

# packages_table GROUP...: "purpose: package...", a line each. a/b: either will do,
# a is the one to install.
packages_table()
{
	for packages_group in "$@"; do
		packages_table_of "$packages_group"
	done
}

packages_table_of()
{
	case $1 in
	bench)
		cat <<-'END'
		C compiler: gcc libc6-dev
		build system: meson ninja-build pkg-config
		CPU topology: libhwloc-dev
		JSON: libjansson-dev
		tables: libsmartcols-dev
		headers of DRM: libdrm-dev
		OpenCL loader and headers: ocl-icd-opencl-dev opencl-headers
		charts in the report: gnuplot-nox/gnuplot-qt/gnuplot-x11
		END
		;;
	opencl)
		cat <<-'END'
		OpenCL on the CPU: pocl-opencl-icd
		END
		;;
	test)
		cat <<-'END'
		unit tests: libcmocka-dev
		second compiler and sanitizers: clang libclang-rt-dev llvm
		the library in C++: g++
		checks of the sources: clang-format shellcheck git
		validation of results: python3-jsonschema jq libxml2-utils
		opening the report: chromium
		man pages: scdoc groff-base
		END
		;;
	kernel)
		cat <<-'END'
		C compiler and build tools: gcc libc6-dev make bc bison flex
		headers for the kernel's own tools: libelf-dev libssl-dev
		packing of modules and of images: kmod cpio gzip
		scripts of the kernel: perl python3
		the series as commits: git
		END
		;;
	kernel-source)
		cat <<-'END'
		Linux source: linux-source-6.12 xz-utils
		END
		;;
	mesa)
		cat <<-'END'
		a Debian 13 to build in: mmdebstrap debian-archive-keyring mount
		the series as commits: git
		unpacking of Mesa: xz-utils
		a program to try it with: clinfo
		END
		;;
	mesa-root) # of Debian 13, in the build root
		cat <<-'END'
		compilers: gcc g++ libc6-dev ccache
		build system: meson ninja-build pkgconf
		rusticl: rustc bindgen
		LLVM and clang: llvm-19-dev libclang-19-dev libclang-cpp19-dev
		OpenCL's built-in functions: libclc-19 libclc-19-dev
		SPIR-V: libllvmspirvlib-19-dev spirv-tools
		Mesa's generators of code: python3-mako python3-yaml python3-packaging flex bison
		libraries of Mesa: libdrm-dev libelf-dev libexpat1-dev zlib1g-dev libzstd-dev
		library of libsvmatomic: libjansson-dev
		checks of the series: git clang-format-19 rustfmt
		OpenCL loader: ocl-icd-libopencl1
		PoCL, to compare with, and svmatomic-bench's libraries: pocl-opencl-icd libhwloc15 libjansson4 libsmartcols1
		END
		;;
	vm)
		cat <<-'END'
		virtual machine: qemu-system-x86
		its user space: busybox-static cpio gzip erofs-utils
		static test programs: gcc libc6-dev
		END
		;;
	esac
}

# packages_missing GROUP...: the table's lines, less what is installed.
packages_missing()
{
	packages_have=" $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null |
		sed -n 's/^installed //p' | tr '\n' ' ')"
	packages_table "$@" | while IFS=: read -r packages_purpose packages_names; do
		packages_lacking=
		for packages_choice in $packages_names; do
			packages_found=
			for packages_name in $(echo "$packages_choice" | tr / ' '); do
				case $packages_have in
				*" $packages_name "*) packages_found=1 ;;
				esac
			done
			[ -n "$packages_found" ] || packages_lacking="$packages_lacking ${packages_choice%%/*}"
		done
		[ -z "$packages_lacking" ] || printf '%s:%s\n' "$packages_purpose" "$packages_lacking"
	done
}

# Versions of all that the verbs may have installed.
packages_versions()
{
	# shellcheck disable=SC2046 # package names, to be split
	dpkg-query -W -f '${Package} ${Version}\n' \
		$(packages_table bench test opencl | sed 's/.*://; s,/, ,g') 2>/dev/null || :
}

# Installing by name is only known to be right where the names were tried.
packages_supported()
{
	[ -r /etc/os-release ] || return 1
	# shellcheck source=/dev/null
	case $(. /etc/os-release && echo "${ID-} ${VERSION_ID-}") in
	'debian 12' | 'debian 13') return 0 ;;
	esac
	return 1
}

packages_apt()
{
	set -- env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 "$@"
	if [ "$(id -u)" -ne 0 ]; then
		set -- sudo -- "$@"
	fi
	"$@"
}

packages_update()
{
	step 'updating the package lists' "$packages_log" packages_apt update
}

packages_fetch()
{
	# shellcheck disable=SC2086 # package names, to be split
	step 'installing packages' "$packages_log" \
		packages_apt install --no-install-recommends --no-remove $packages_list
}

# packages_install GROUP...: install what is missing, saying what and why.
packages_install()
{
	packages_lines=$(packages_missing "$@")
	[ -n "$packages_lines" ] || return 0
	packages_list=$(echo "$packages_lines" | sed 's/.*://' | tr -d '\n')

	if ! packages_supported; then
		say 'This needs, by their Debian names:'
		say "$(packages_table "$@" | sed 's/^/  /')"
		die "$EX_UNAVAILABLE" 'packages are installed on Debian 12 and 13 only; install these, then: meson setup build && ninja -C build'
	fi

	say 'Installing from the distribution, with apt:'
	say "$(echo "$packages_lines" | sed 's/^/  /')"
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null ||
			die "$EX_UNAVAILABLE" "no sudo here; as root: apt-get install --no-install-recommends$packages_list"
		say 'apt-get runs as root, through sudo.'
		sudo -- true ||
			die "$EX_UNAVAILABLE" "sudo refused; as root: apt-get install --no-install-recommends$packages_list"
	fi

	# shellcheck disable=SC2086 # package names, to be split
	if apt-cache show $packages_list >/dev/null 2>&1; then
		packages_fetch && return 0
	fi
	# The lists are missing, or name versions that have left the archive since.
	packages_update && packages_fetch && return 0
	die "$EX_UNAVAILABLE" "apt-get cannot install the packages; settle what $packages_log says (the network? /etc/apt?), then run this again"
}
