/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * vsvm, a virtual device that shares a process's virtual memory. It executes
 * nothing: other processes, its engines, map the file, and what they do through
 * that mapping the device does.
 *
 * The process that calls DRM_IOCTL_VSVM_INIT is the client. An engine mmap()s
 * (MAP_SHARED) the same open file, at file offsets that are the client's addresses.
 * Reads there share the client's pages, writes take them exclusively, as atomic
 * operations of a device do. What the client cannot access raises SIGSEGV or SIGBUS
 * in the engine.
 *
 * A process is a client or an engine, never both: mmap() fails with EDEADLK for one
 * that is, or was, the client of any device (or is watched by MMU notifiers for
 * another reason, as virtual machines are), and so does DRM_IOCTL_VSVM_INIT for one that
 * has mapped a file. A child starts afresh.
 */
#ifndef _UAPI_DRM_VSVM_H_
#define _UAPI_DRM_VSVM_H_

#include "svm_atomic.h"

#if defined(__cplusplus)
extern "C" {
#endif

#define DRM_VSVM_SVM_ATOMIC_BASE	0x00
#define DRM_VSVM_INIT			0x20

/**
 * struct drm_vsvm_init - bind the file to the caller's address space
 * @unmanaged_addr: In: the first address that is not shared: the cutout.
 * @unmanaged_size: In: its size in bytes, 0 for none.
 *
 * Engines keep what is their own in the cutout: they cannot map that part of the
 * file.
 *
 * Return: EBUSY when the file is bound already, EINVAL for a cutout that is
 * misaligned or beyond the addresses of user space, EDEADLK for a process that is an
 * engine, of any file.
 */
struct drm_vsvm_init {
	__u64 unmanaged_addr;
	__u64 unmanaged_size;
};

#define DRM_IOCTL_VSVM_INIT \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VSVM_INIT, struct drm_vsvm_init)

#if defined(__cplusplus)
}
#endif

#endif
