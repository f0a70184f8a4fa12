# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# What verbs that run on an OpenCL device have in common: the programs, an implementation
# with a device, and where results are kept. Needs packages.sh and build.sh.
: "${top:?is set by ./run}"

# Is there any OpenCL here? Whether it has a device is another question.
opencl_installed()
{
	for icd in /etc/OpenCL/vendors/*.icd; do
		[ ! -e "$icd" ] || return 0
	done
	return 1
}

# opencl_build MESA: the programs; with MESA the rusticl of ./run mesa, else what is
# installed here, and PoCL where nothing is.
opencl_build()
{
	if [ -n "$1" ]; then
		packages_install bench
		"$top/run" mesa build
	elif opencl_installed; then
		packages_install bench
	else
		packages_install bench opencl
	fi
	build_normal all
}

# opencl_need_device COMMAND...: an implementation without a device is as good as none,
# and Mesa's often has none. COMMAND looks for devices.
opencl_need_device()
{
	[ -n "$(packages_missing opencl)" ] || return 0
	opencl_status=0
	("$@") >/dev/null 2>&1 || opencl_status=$?
	[ "$opencl_status" -ne "$EX_UNAVAILABLE" ] || packages_install opencl
}

# opencl_results PREFIX: a directory for the results of a run that begins now.
opencl_results()
{
	results=$top/results/$1$(date -u +%Y-%m-%dT%H-%M-%SZ)
	mkdir -p "$results" || die "$EX_CANTCREAT" "cannot create $results; make results/ yours or remove it"
}

# opencl_results_keep FILE LATEST: those that have FILE are the newest; others are nothing.
opencl_results_keep()
{
	if [ ! -f "$results/$1" ]; then
		rm -r "$results"
		return 1
	fi
	rm -f "$top/results/$2"
	ln -s "${results##*/}" "$top/results/$2"
}
