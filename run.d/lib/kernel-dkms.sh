# shellcheck shell=sh
# shellcheck disable=SC2154 # kernel.sh sets what is not set here
# SPDX-License-Identifier: MIT
#
# vsvm as a module outside of the kernel's tree, in the layout that DKMS wants: the
# tree's own files, and kernel/dkms. Needs kernel.sh.
: "${top:?is set by ./run}"

kernel_dkms_pieces=$top/kernel/dkms
kernel_dkms_driver=$kernel_files/drivers/gpu/drm/vsvm

# The module has no version of its own: ours.
kernel_dkms_version()
{
	sed -n "s/^  version: '\(.*\)',\$/\1/p" "$top/meson.build"
}

# The options that a kernel is to have: in the tree, the driver selects them.
kernel_dkms_needed()
{
	sed -n 's/^[[:space:]]*select \([A-Z0-9_]*\).*/CONFIG_\1/p' "$kernel_dkms_driver/Kconfig" |
		paste -s -d ' ' -
}

# kernel_dkms_make DIRECTORY VERSION. As Kbuild, the tree's Makefile goes before ours
# where the kernel looks.
kernel_dkms_make()
{
	rm -rf "$1" &&
		mkdir -p "$1" &&
		cp "$kernel_dkms_driver"/*.[ch] "$1/" &&
		cp "$kernel_dkms_driver/Makefile" "$1/Kbuild" &&
		cp "$kernel_dkms_pieces/Makefile" "$1/" &&
		sed -e "s/#MODULE_VERSION#/$2/" -e "s/#NEEDED#/$(kernel_dkms_needed)/" \
			"$kernel_dkms_pieces/dkms.conf" >"$1/dkms.conf"
}

# kernel_dkms DIRECTORY: put vsvm-VERSION together in it.
kernel_dkms()
{
	kernel_dkms_of=$(kernel_dkms_version)
	[ -n "$kernel_dkms_of" ] ||
		die "$EX_SOFTWARE" "cannot find the version in $top/meson.build; mend run.d/lib/kernel-dkms.sh"
	kernel_dkms_make "$1/vsvm-$kernel_dkms_of" "$kernel_dkms_of" 2>/dev/null ||
		die "$EX_CANTCREAT" "cannot write to $1/vsvm-$kernel_dkms_of; name another directory"
	say "$1/vsvm-$kernel_dkms_of: build it with make KERNEL=DIRECTORY, or copy it to /usr/src and: dkms install vsvm/$kernel_dkms_of"
}
