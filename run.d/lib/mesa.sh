# shellcheck shell=sh
# shellcheck disable=SC2034 # for those who read this file in
# SPDX-License-Identifier: MIT
#
# Where Mesa's trees are, and how its source gets there: the distribution's, through apt
# and from the mirror that the machine has, as a git repository with the series on it.
# Needs series.sh and packages.sh.
: "${top:?is set by ./run}"

mesa_build=${SVMATOMIC_MESA_BUILD:-$top/build/mesa}
mesa_source=$mesa_build/source
mesa_logs=${SVMATOMIC_MESA_BUILD:-$top/build}/logs
mesa_suite=trixie
mesa_keyring=/usr/share/keyrings/debian-archive-keyring.gpg
mesa_apt_dir=$mesa_build/apt
mesa_downloads=$mesa_build/downloads

# To be called before any function of series.sh is.
mesa_series()
{
	series_verb=mesa
	series_name=Mesa
	series_base=25.0
	series_tarball=mesa-25.0.N
	series_base_as=
	series_date=2025-05-28T00:00:00Z
	series_takes=1
	series_here=$top/mesa-patches
	series_build=$mesa_build
	series_build_by=SVMATOMIC_MESA_BUILD
	series_logs=$mesa_logs
	series_begin
}

# mesa_version DIRECTORY: "25.0.N".
mesa_version()
{
	head -n 1 "$1/VERSION" 2>/dev/null
}

mesa_tidy()
{
	:
}

# --- the mirror ---

# What apt is configured with: the first repository that says it is Debian's.
mesa_mirror_known()
{
	# shellcheck disable=SC2016 # for apt
	apt-get indextargets --format '$(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)' \
		'Created-By: Packages' 2>/dev/null | sed -n 's/^Debian Debian main //p' | head -n 1 | grep .
}

# Where Debian 13 is to come from; sets mesa_mirror. Apt knows whose a repository is once
# it has its lists.
mesa_find_mirror()
{
	mesa_mirror=${SVMATOMIC_DEBIAN_MIRROR-}
	[ -z "$mesa_mirror" ] || return 0
	mesa_mirror=$(mesa_mirror_known) || {
		packages_update && mesa_mirror=$(mesa_mirror_known)
	} || die "$EX_UNAVAILABLE" \
		"apt has no mirror of Debian here (/etc/apt/sources.list.d); set SVMATOMIC_DEBIAN_MIRROR to the address of one"
}

# mesa_sources TYPE: a line of sources.list.
mesa_sources()
{
	echo "$1 [signed-by=$mesa_keyring] $mesa_mirror $mesa_suite main"
}

# mesa_apt PROGRAM ARGUMENT...: one of apt's, with lists of our own of Debian 13. Those of
# the machine stay as they are.
mesa_apt()
{
	mesa_apt_program=$1
	shift
	"$mesa_apt_program" -q -o Dir::Etc::SourceList="$mesa_apt_dir/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$mesa_apt_dir/lists" \
		-o Dir::Cache="$mesa_apt_dir/cache" -o APT::Sandbox::User=root "$@"
}

mesa_apt_update()
{
	rm -rf "$mesa_apt_dir" &&
		mkdir -p "$mesa_apt_dir/lists/partial" "$mesa_apt_dir/cache/archives/partial" &&
		mesa_sources deb-src >"$mesa_apt_dir/sources.list" &&
		mesa_apt apt-get --error-on=any update
}

# The newest version that the mirror has of what the series is for.
mesa_apt_version()
{
	mesa_apt apt-cache showsrc mesa 2>/dev/null | sed -n "s/^Version: \($series_base\..*\)/\1/p" |
		sort -V | tail -n 1 | grep .
}

# --- the source ---

# Debian's own patches are left out: none is for what is built here but for a mend of
# spirv_to_nir's use of the stack, and the series has to fit a tarball without them, too.
mesa_fetch_into()
(
	rm -rf "$1" && mkdir "$1" && cd "$1" &&
		mesa_apt apt-get source --download-only --tar-only "mesa=$2"
)

# Have the mirror's tarball; sets mesa_tarball.
mesa_fetch()
{
	mesa_find_mirror
	step 'asking the mirror for Mesa' "$mesa_logs/mesa-fetch.log" mesa_apt_update ||
		die "$EX_UNAVAILABLE" "$mesa_mirror does not have Debian 13's sources; settle what $mesa_logs/mesa-fetch.log says (the network?), or give a tarball of Mesa with --tarball FILE"
	mesa_debian=$(mesa_apt_version) || die "$EX_UNAVAILABLE" \
		"$mesa_mirror has no Mesa $series_base any more; give a tarball of $series_tarball with --tarball FILE"
	step "fetching Mesa $mesa_debian" "$mesa_logs/mesa-fetch.log" \
		mesa_fetch_into "$mesa_downloads.new" "$mesa_debian" ||
		die "$EX_UNAVAILABLE" "cannot fetch Mesa; settle what $mesa_logs/mesa-fetch.log says (the network?), or give a tarball of it with --tarball FILE"
	rm -rf "$mesa_downloads" "$mesa_apt_dir"
	mv "$mesa_downloads.new" "$mesa_downloads"
	mesa_tarball=$(find "$mesa_downloads" -name 'mesa_*.orig.tar.*' ! -name '*.asc')
}

# mesa_find_source [TARBALL]: have some tarball's tree in mesa_source. One that is there
# stays, unless another is named: a build does not ask the network.
mesa_find_source()
{
	mesa_tarball=${1:-${SVMATOMIC_MESA_TARBALL-}}
	if [ -z "$mesa_tarball" ]; then
		[ ! -d "$mesa_source" ] || return 0
		mesa_fetch
	fi
	series_take "$mesa_tarball"
}

# mesa_prepare [TARBALL]
mesa_prepare()
{
	mesa_series
	packages_install mesa
	series_lock
	mesa_find_source "${1-}"
	series_put
}
