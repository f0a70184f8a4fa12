/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * Atomic operations by a device on shared virtual memory: what a process may ask
 * of any DRM driver that has them.
 *
 * A device whose atomic operations the CPU does not take part in makes them
 * atomic by having pages exclusively, one at a time, on demand. These calls take
 * pages in advance, give them back, say for how long they may be kept, and tell
 * what happened. None of them is needed for correctness: a device fault takes
 * what it needs.
 *
 * The structures are the same for every driver; the numbers of the ioctls start
 * at a base of the driver's own (DRM_NOUVEAU_SVM_ATOMIC_BASE,
 * DRM_VSVM_SVM_ATOMIC_BASE). Calls are of the process that bound the file to its
 * address space with the driver's SVM_INIT, and of no other. Addresses and
 * lengths are in bytes and multiples of the page size, times are in nanoseconds
 * of CLOCK_MONOTONIC. Reserved fields and unknown flags must be 0. Structures grow
 * at the end; what an older side does not know is 0.
 *
 * What a file is bound to is an address space. A child by fork() has one of its own,
 * that no device shares: calls on a file that it inherited fail with ESRCH, and its
 * copies of pages that the device had are the CPU's. exec(), and the end of the last
 * thread, take the address space away from the device: faults after that are refused,
 * calls fail with ENXIO or ESRCH, and only closing the file is left to do.
 */
#ifndef _DRM_SVM_ATOMIC_H_
#define _DRM_SVM_ATOMIC_H_

#include "drm.h"

#if defined(__cplusplus)
extern "C" {
#endif

#define DRM_SVM_ATOMIC_VERSION		1

/* Offsets from the driver's base. */
#define DRM_SVM_ATOMIC_ACQUIRE		0x00
#define DRM_SVM_ATOMIC_RELEASE		0x01
#define DRM_SVM_ATOMIC_SET_POLICY	0x02
#define DRM_SVM_ATOMIC_GET_POLICY	0x03
#define DRM_SVM_ATOMIC_QUERY		0x04
#define DRM_SVM_ATOMIC_SUBSCRIBE	0x05
#define DRM_SVM_ATOMIC_NUM		0x06

/**
 * enum drm_svm_atomic_reason - why a page, or a call, was refused
 * @DRM_SVM_ATOMIC_OK: It was not.
 * @DRM_SVM_ATOMIC_UNMAPPED: Nothing is mapped at the address (EFAULT).
 * @DRM_SVM_ATOMIC_READONLY: The mapping may not be written (EACCES).
 * @DRM_SVM_ATOMIC_FILE: The mapping shares a file (EOPNOTSUPP).
 * @DRM_SVM_ATOMIC_SHMEM: The mapping is shared memory (EOPNOTSUPP).
 * @DRM_SVM_ATOMIC_HUGETLB: The mapping is hugetlb (EOPNOTSUPP).
 * @DRM_SVM_ATOMIC_SPECIAL: Not ordinary memory (EOPNOTSUPP).
 * @DRM_SVM_ATOMIC_USERFAULT: A userfaultfd has to resolve a fault first (EAGAIN).
 * @DRM_SVM_ATOMIC_CONTENDED: Others kept changing the page; trying again may help
 *	(EBUSY).
 * @DRM_SVM_ATOMIC_NOMEM: Out of memory (ENOMEM).
 * @DRM_SVM_ATOMIC_HWPOISON: The page is broken (EHWPOISON).
 * @DRM_SVM_ATOMIC_DENIED: The policy of the range denies it (EPERM).
 * @DRM_SVM_ATOMIC_OUTSIDE: The device does not share this part of the address
 *	space: it is the unmanaged cutout, or beyond the last address (ERANGE).
 * @DRM_SVM_ATOMIC_INTERRUPTED: A signal came first (EINTR).
 * @DRM_SVM_ATOMIC_DEVICE_LOST: The device is gone (ENODEV).
 * @DRM_SVM_ATOMIC_NO_CLIENT: The file is not bound to an address space, or that is
 *	gone (ENXIO).
 * @DRM_SVM_ATOMIC_FOREIGN: The caller is not the process that the file is bound to
 *	(ESRCH).
 * @DRM_SVM_ATOMIC_HARDWARE: The hardware or its driver cannot share virtual memory
 *	(ENODEV).
 */
enum drm_svm_atomic_reason {
	DRM_SVM_ATOMIC_OK = 0,
	DRM_SVM_ATOMIC_UNMAPPED = 1,
	DRM_SVM_ATOMIC_READONLY = 2,
	DRM_SVM_ATOMIC_FILE = 3,
	DRM_SVM_ATOMIC_SHMEM = 4,
	DRM_SVM_ATOMIC_HUGETLB = 5,
	DRM_SVM_ATOMIC_SPECIAL = 6,
	DRM_SVM_ATOMIC_USERFAULT = 7,
	DRM_SVM_ATOMIC_CONTENDED = 8,
	DRM_SVM_ATOMIC_NOMEM = 9,
	DRM_SVM_ATOMIC_HWPOISON = 10,
	DRM_SVM_ATOMIC_DENIED = 11,
	DRM_SVM_ATOMIC_OUTSIDE = 12,
	DRM_SVM_ATOMIC_INTERRUPTED = 13,
	DRM_SVM_ATOMIC_DEVICE_LOST = 14,
	DRM_SVM_ATOMIC_NO_CLIENT = 15,
	DRM_SVM_ATOMIC_FOREIGN = 16,
	DRM_SVM_ATOMIC_HARDWARE = 17,
};

/**
 * struct drm_svm_atomic_acquire - make a range exclusive and map it on the device
 * @start: In: first address.
 * @length: In: not 0.
 * @flags: In: 0.
 * @reason: Out: why the first page that the device did not get was refused, an
 *	enum drm_svm_atomic_reason. It is DRM_SVM_ATOMIC_OK when it got all.
 * @failed: Out: the address of that page; behind the range when there is none.
 * @pages: Out: how many pages of the range the device has now.
 * @next: Out: the first address that was not looked at; behind the range, unless
 *	the call was interrupted, the device was lost, or memory was out.
 *
 * Pages behind one that is refused are still taken. But nothing is taken of a range
 * that is not shared in full (DRM_SVM_ATOMIC_OUTSIDE), nor for a caller that is not
 * the client. Outputs are valid whatever is returned, but for EINVAL.
 *
 * Return: 0 when the device got all, else the errno of @reason; EINVAL for a range
 * that is empty, misaligned or wraps, or for flags.
 */
struct drm_svm_atomic_acquire {
	__u64 start;
	__u64 length;
	__u32 flags;
	__u32 reason;
	__u64 failed;
	__u64 pages;
	__u64 next;
};

/**
 * struct drm_svm_atomic_release - give a range back to the CPU
 * @start: In: first address.
 * @length: In: not 0.
 * @flags: In: 0.
 * @reason: Out: why the call was refused.
 * @pages: Out: how many pages were exclusive and no longer are.
 *
 * The device's mappings of the range are gone afterwards, and the CPU does not
 * fault on it. What is not exclusive is left alone, and no error.
 */
struct drm_svm_atomic_release {
	__u64 start;
	__u64 length;
	__u32 flags;
	__u32 reason;
	__u64 pages;
};

/**
 * enum drm_svm_atomic_mode - what the device may do with a range
 * @DRM_SVM_ATOMIC_MODE_DEFAULT: No policy: take pages on a fault, and hold them
 *	for @default_hold_ns of struct drm_svm_atomic_query.
 * @DRM_SVM_ATOMIC_MODE_HOLD: Take pages on a fault, and hold them for a time that
 *	is given, 0 being not at all.
 * @DRM_SVM_ATOMIC_MODE_DENY: Do not take pages. Atomic operations by the device
 *	fail there.
 */
enum drm_svm_atomic_mode {
	DRM_SVM_ATOMIC_MODE_DEFAULT = 0,
	DRM_SVM_ATOMIC_MODE_HOLD = 1,
	DRM_SVM_ATOMIC_MODE_DENY = 2,
};

/**
 * struct drm_svm_atomic_set_policy - say what the device may do with a range
 * @start: In: first address.
 * @length: In: not 0.
 * @mode: In: an enum drm_svm_atomic_mode.
 * @reason: Out: why the call was refused.
 * @hold_ns: In: for DRM_SVM_ATOMIC_MODE_HOLD, how long the device keeps a page at
 *	least, at most @max_hold_ns of struct drm_svm_atomic_query. Else 0.
 *
 * A CPU that wants the page waits until then; so does another device. What ends
 * the mapping (munmap, exit, reclaim, migration) does not wait. When a CPU took a
 * page back, the device in turn leaves it alone for the same time.
 *
 * A policy belongs to addresses, not to mappings: munmap() leaves it.
 *
 * Return: ENOSPC when the client has too many ranges with policies.
 */
struct drm_svm_atomic_set_policy {
	__u64 start;
	__u64 length;
	__u32 mode;
	__u32 reason;
	__u64 hold_ns;
};

/**
 * struct drm_svm_atomic_get_policy - what the device may do with a range, in sum
 * @start: In: first address.
 * @length: In: not 0.
 * @modes: Out: a bit (1 << mode) for each mode that some page of the range has.
 * @reason: Out: why the call was refused.
 * @min_hold_ns: Out: the shortest time that a page of the range would be held.
 *	Pages that are not to be taken do not count; with no other, 0.
 * @max_hold_ns: Out: the longest.
 */
struct drm_svm_atomic_get_policy {
	__u64 start;
	__u64 length;
	__u32 modes;
	__u32 reason;
	__u64 min_hold_ns;
	__u64 max_hold_ns;
};

/**
 * enum drm_svm_atomic_cause - what took a page away from the device
 * @DRM_SVM_ATOMIC_BY_CPU: A CPU accessed it.
 * @DRM_SVM_ATOMIC_BY_DEVICE: Another device took it.
 * @DRM_SVM_ATOMIC_BY_RELEASE: DRM_SVM_ATOMIC_RELEASE gave it back.
 * @DRM_SVM_ATOMIC_BY_UNMAP: Its mapping went: munmap(), mremap(), exec or exit.
 * @DRM_SVM_ATOMIC_BY_KERNEL: Anything else: reclaim, migration, mprotect(), fork().
 * @DRM_SVM_ATOMIC_CAUSES: How many causes there are.
 */
enum drm_svm_atomic_cause {
	DRM_SVM_ATOMIC_BY_CPU = 0,
	DRM_SVM_ATOMIC_BY_DEVICE = 1,
	DRM_SVM_ATOMIC_BY_RELEASE = 2,
	DRM_SVM_ATOMIC_BY_UNMAP = 3,
	DRM_SVM_ATOMIC_BY_KERNEL = 4,
	DRM_SVM_ATOMIC_CAUSES = 5,
};

/**
 * struct drm_svm_atomic_counters - what happened since the client was bound
 * @acquisitions: Runs of pages that were taken, by calls and by device faults.
 * @acquired: Pages that the device got.
 * @revoked: Pages that it lost, by enum drm_svm_atomic_cause.
 * @refused: Pages that it was refused, by enum drm_svm_atomic_reason. A mapping
 *	that cannot be had counts once for each call, whatever its size, and again for
 *	each aligned 2 MiB of it that the device has, or had, other pages in.
 * @retries: Runs that had to be taken again since others were faster.
 * @waits_cpu: How often a CPU, or another device, waited for a hold to end.
 * @waits_device: How often the device waited for a CPU's turn to end.
 * @events_lost: Events that were not sent for want of room.
 * @held: For each page that was lost, how long the device had it: @held[i] counts
 *	those of 2^i to 2^(i+1) - 1 nanoseconds, the first and the last what is
 *	beyond, too.
 */
struct drm_svm_atomic_counters {
	__u64 acquisitions;
	__u64 acquired;
	__u64 revoked[8];
	__u64 refused[32];
	__u64 retries;
	__u64 waits_cpu;
	__u64 waits_device;
	__u64 events_lost;
	__u64 held[32];
};

/* A device fault takes pages by itself. */
#define DRM_SVM_ATOMIC_FEATURE_FAULT	(1 << 0)
/* The device agrees to fault-around by the CPU. */
#define DRM_SVM_ATOMIC_FEATURE_AROUND	(1 << 1)
/* Events can be had. */
#define DRM_SVM_ATOMIC_FEATURE_EVENTS	(1 << 2)
/* Holds and turns are kept: each side makes progress in bounded time. */
#define DRM_SVM_ATOMIC_FEATURE_HOLD	(1 << 3)

/**
 * struct drm_svm_atomic_query - what there is
 * @flags: In: 0.
 * @version: Out: DRM_SVM_ATOMIC_VERSION of the kernel.
 * @features: Out: DRM_SVM_ATOMIC_FEATURE_*.
 * @absent: Out: why the device cannot be used for this, an enum
 *	drm_svm_atomic_reason. DRM_SVM_ATOMIC_OK when it can.
 * @start: Out: the first address that the client shares with the device.
 * @end: Out: the address behind the last.
 * @cutout_start: Out: the first address in between that it does not share.
 * @cutout_end: Out: the address behind the last; @cutout_start if there is none.
 * @default_hold_ns: Out: how long pages without a policy are held, as the driver has
 *	it; 0 before the file is bound.
 * @max_hold_ns: Out: how long a policy may ask for.
 * @max_policies: Out: how many ranges may have policies.
 * @policies: Out: how many have.
 * @counters: Out: what happened.
 *
 * Works for every caller, bound or not: @absent says what is missing. Addresses,
 * policies and counters are for the client alone, and 0 for others.
 */
struct drm_svm_atomic_query {
	__u32 flags;
	__u32 version;
	__u32 features;
	__u32 absent;
	__u64 start;
	__u64 end;
	__u64 cutout_start;
	__u64 cutout_end;
	__u64 default_hold_ns;
	__u64 max_hold_ns;
	__u32 max_policies;
	__u32 policies;
	struct drm_svm_atomic_counters counters;
};

/* Types of events, to be read from the file: struct drm_svm_atomic_event. */
#define DRM_SVM_ATOMIC_EVENT_REVOKED	0x80000100
#define DRM_SVM_ATOMIC_EVENT_REFUSED	0x80000101

#define DRM_SVM_ATOMIC_WANT_REVOKED	(1 << 0)
#define DRM_SVM_ATOMIC_WANT_REFUSED	(1 << 1)

/**
 * struct drm_svm_atomic_subscribe - say which events are wanted
 * @events: In: DRM_SVM_ATOMIC_WANT_*, 0 for none.
 * @reason: Out: why the call was refused.
 *
 * Events are read from the file, and poll() waits for them. The file has room for
 * a few dozen; further ones are lost, counted, and told by the next.
 */
struct drm_svm_atomic_subscribe {
	__u32 events;
	__u32 reason;
};

/**
 * struct drm_svm_atomic_event - something that happened to a range
 * @base: The type and the length.
 * @time_ns: When.
 * @start: First address.
 * @length: How long the range is.
 * @why: An enum drm_svm_atomic_cause, when pages of the range were revoked, or
 *	an enum drm_svm_atomic_reason, when they were refused to a device fault.
 * @lost: How many events were lost before this one.
 */
struct drm_svm_atomic_event {
	struct drm_event base;
	__u64 time_ns;
	__u64 start;
	__u64 length;
	__u32 why;
	__u32 lost;
};

/* The ioctls of a driver whose numbers start at @base. */
#define DRM_IOCTL_SVM_ATOMIC_ACQUIRE(base) \
	DRM_IOWR(DRM_COMMAND_BASE + (base) + DRM_SVM_ATOMIC_ACQUIRE, \
		 struct drm_svm_atomic_acquire)
#define DRM_IOCTL_SVM_ATOMIC_RELEASE(base) \
	DRM_IOWR(DRM_COMMAND_BASE + (base) + DRM_SVM_ATOMIC_RELEASE, \
		 struct drm_svm_atomic_release)
#define DRM_IOCTL_SVM_ATOMIC_SET_POLICY(base) \
	DRM_IOWR(DRM_COMMAND_BASE + (base) + DRM_SVM_ATOMIC_SET_POLICY, \
		 struct drm_svm_atomic_set_policy)
#define DRM_IOCTL_SVM_ATOMIC_GET_POLICY(base) \
	DRM_IOWR(DRM_COMMAND_BASE + (base) + DRM_SVM_ATOMIC_GET_POLICY, \
		 struct drm_svm_atomic_get_policy)
#define DRM_IOCTL_SVM_ATOMIC_QUERY(base) \
	DRM_IOWR(DRM_COMMAND_BASE + (base) + DRM_SVM_ATOMIC_QUERY, \
		 struct drm_svm_atomic_query)
#define DRM_IOCTL_SVM_ATOMIC_SUBSCRIBE(base) \
	DRM_IOWR(DRM_COMMAND_BASE + (base) + DRM_SVM_ATOMIC_SUBSCRIBE, \
		 struct drm_svm_atomic_subscribe)

#if defined(__cplusplus)
}
#endif

#endif
