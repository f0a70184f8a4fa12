# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# In the virtual machine: the image of Debian 13 as a file system that can be written to, in
# memory, and a command in it. debian COMMAND ARGUMENT... returns its status.

debian_mount()
{
	mkdir -p /lower /upper /debian
	mount -t erofs -o ro /dev/vda /lower &&
		mount -t tmpfs none /upper &&
		mkdir /upper/files /upper/work &&
		mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work none /debian &&
		mount -t proc none /debian/proc &&
		mount -t sysfs none /debian/sys &&
		mount -t debugfs none /debian/sys/kernel/debug &&
		mount -t tmpfs none /debian/tmp &&
		mount --bind /dev /debian/dev &&
		mount --bind /dev/pts /debian/dev/pts &&
		mount --bind /dev/shm /debian/dev/shm &&
		mount --bind /root /debian/root
}

# Which OpenCL: vsvm and llvmpipe are our rusticl, pocl is Debian's.
debian_device()
{
	vendor=rusticl
	vsvm=0
	case $1 in
	vsvm) vsvm=1 ;;
	pocl) vendor=pocl ;;
	esac
	export OCL_ICD_VENDORS=/etc/OpenCL/vendors/$vendor.icd RUSTICL_ENABLE=llvmpipe LP_VSVM=$vsvm \
		GALLIUM_PIPE_SEARCH_DIR=/usr/local/lib/gallium-pipe
}

debian()
{
	PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/root HOME=/root chroot /debian "$@"
}

debian_mount || exit
