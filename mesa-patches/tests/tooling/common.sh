# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# What the tests of ./run mesa have in common: a repository of their own, a Mesa of three
# files to go with it, and fakes of what needs a network or a build root. Takes the tree
# as $1.

tree=$(CDPATH='' cd -- "$1" && pwd -P)
command -v git >/dev/null || {
	echo 'skipped: no git here'
	exit 77
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
. "$tree/tests/lib/series.sh"

home=$scratch/home
fake=$scratch/fake
patches=$home/mesa-patches
build=$scratch/build
source=$build/source
mkdir -p "$patches" "$fake" "$home/kernel/files/include/uapi/drm" "$home/libsvmatomic"
cp -r "$tree/run" "$tree/run.d" "$tree/meson.build" "$tree/meson_options.txt" "$home/"
cp "$tree/mesa-patches/native.ini" "$tree/mesa-patches/reload.c" "$patches/"
echo one >"$home/libsvmatomic/source.c"
sed -i "s|^mesa_headers=.*|mesa_headers=$scratch/headers|" "$home/run.d/lib/mesa-build.sh"
true >"$scratch/headers"
for program in apt-get apt-cache apt-config dpkg-query df ldd mmdebstrap sudo unshare; do
	cp "$tree/mesa-patches/tests/tooling/fake.sh" "$fake/$program"
	chmod 755 "$fake/$program"
done
echo "$build/install" >"$fake/install"
PATH=$fake:$PATH
unset SVMATOMIC_MESA_TARBALL SVMATOMIC_DEBIAN_MIRROR
SVMATOMIC_MESA_BUILD=$build
export SVMATOMIC_MESA_BUILD

# tarball VERSION: mesa_VERSION.orig.tar.gz, where the mirror has it.
tarball()
{
	mesa=$scratch/mesa-$1
	mkdir -p "$mesa/src/nir"
	echo "$1" >"$mesa/VERSION"
	echo '*.out' >"$mesa/.gitignore"
	printf '%s\n' a b c d e f g h i j k l m n o p q r s t u v w x y z >"$mesa/src/nir/nir.c"
	rm -f "$fake"/mesa_*
	tar -C "$scratch" -czf "$fake/mesa_$1.orig.tar.gz" "mesa-$1"
}

mesa()
{
	"$home/run" mesa "$@" >"$scratch/out" 2>&1 </dev/null
}

# works COMMAND...: a ./run mesa that has to.
works()
{
	mesa "$@" || fails "mesa $* failed"
}

# refuses STATUS PATTERN COMMAND...: a ./run mesa that has to fail, with one line of ours
# that matches.
refuses()
{
	wants=$1
	pattern=$2
	shift 2
	status=0
	mesa "$@" || status=$?
	[ "$status" -eq "$wants" ] || fails "mesa $*: status $status, not $wants"
	[ "$(grep -c '^run: ' "$scratch/out")" -eq 1 ] || fails "mesa $*: not one line"
	has "$scratch/out" "^run: .*$pattern"
}
