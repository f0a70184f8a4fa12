#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The programs that ./run mesa calls and a test must not: installed under each of their
# names, next to files that say how they are to behave. What they were called for is in
# the file `calls`.
set -eu

here=$(dirname -- "$0")
name=${0##*/}

# answer FILE DEFAULT: what the test wants this time.
answer()
{
	if [ -f "$here/$1" ]; then
		cat "$here/$1"
	elif [ -n "$2" ]; then
		echo "$2"
	fi
}

# is FILE: has the test asked for this to go wrong?
is()
{
	[ -f "$here/$1" ]
}

# A tree with as much in it as is looked at.
root()
{
	mkdir -p "$1/etc" "$1/usr/bin" "$1/usr/lib/loader" "$1/usr/share/base-passwd"
	! is mmdebstrap.fails || {
		echo 'E: the mirror went away'
		exit 1
	}
	true >"$1/usr/share/base-passwd/passwd.master"
	true >"$1/usr/share/base-passwd/group.master"
	# What a program is loaded by says that it was, and runs it.
	cat >"$1/usr/lib/loader/ld-linux-test.so.2" <<-'END'
		#!/bin/sh
		[ "$1" != --verify ] || { ! head -c 2 "$2" | grep -q '^#!'; exit; }
		echo "loaded as $2 from $4"
		shift 4
		[ "$1" != --preload ] || { echo "with $2"; shift 2; }
		exec "$@"
	END
	chmod 755 "$1/usr/lib/loader/ld-linux-test.so.2"
}

# A command in the root, without the root.
within()
{
	case "$1 ${2-}" in
	'ldconfig ') ;;
	'sh -c') ! is root.broken ;;
	'meson setup')
		answer configured 'Run-time dependency libsvmatomic found: YES 0.1.0'
		[ "$3" = --prefix ] || eval "mkdir \"\${$(($# - 1))}\""
		;;
	'meson introspect') printf '{"%s/lib/libRusticlOpenCL.so.1.0.0": "/there", "%s/a.conf": "/b"}\n' "$4" "$4" ;;
	'ninja -j')
		eval "echo ninja target \"\${$#}\"" >>"$here/calls"
		! is ninja.fails || {
			echo '../a.c:1:2: error: a is not b'
			exit 1
		}
		;;
	'env DESTDIR='*)
		into=${2#DESTDIR=}$(cat "$here/install")
		mkdir -p "$into/lib/pkgconfig" "$into/etc/OpenCL/vendors"
		if is install.fails; then exit 1; fi
		case $* in
		*' --no-rebuild '*)
			echo libRusticlOpenCL.so.1 >"$into/etc/OpenCL/vendors/rusticl.icd"
			answer rusticl one >"$into/lib/libRusticlOpenCL.so.1"
			;;
		*) answer library 'Version: 0.1.0' >"$into/lib/pkgconfig/libsvmatomic.pc" ;;
		esac
		;;
	*)
		echo "within: $*" >>"$here/calls"
		answer "said.$1" ''
		;;
	esac
}

echo "$name $*" >>"$here/calls"
case $name in
apt-get)
	case " $* " in
	*' indextargets '*) answer mirror 'Debian Debian main http://mirror.invalid/debian' ;;
	*' update '*) ! is update.fails ;;
	*' source '*) cp "$here"/mesa_25.0.*.orig.tar.gz . ;;
	*) exit 100 ;;
	esac
	;;
apt-cache) answer showsrc 'Version: 25.0.5-1' ;;
apt-config) ;;
dpkg-query) for package in mmdebstrap debian-archive-keyring git mount xz-utils clinfo; do echo "installed $package"; done ;;
df) printf 'Filesystem blocks used free\nd 0 0 %s\n' "$(answer free 99999999)" ;;
ldd) answer said.ldd '' ;;
mmdebstrap)
	cat >/dev/null
	eval "root \"\${$(($# - 1))}\""
	;;
sudo)
	shift
	exec "$@"
	;;
unshare)
	case "$*" in
	*' true')
		! is unshare.fails
		exit
		;;
	esac
	while [ "$1" != /usr/bin/env ]; do
		shift
	done
	shift 4
	while :; do
		case $1 in
		*=*) shift ;;
		*) break ;;
		esac
	done
	within "$@"
	;;
esac
