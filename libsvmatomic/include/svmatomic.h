/* SPDX-License-Identifier: MIT */
/*
 * libsvmatomic: atomic operations by a device on shared virtual memory, for programs
 * that want to take pages in advance, give them back, or know what happens to them.
 *
 * A GPU whose atomic operations on PCIe are not coherent with the CPU's makes them
 * atomic by having pages to itself, one at a time and on demand. None of the calls here
 * is needed for that to be correct; a device's fault takes what it needs.
 *
 * Manners, the same for each call:
 *
 *  - It returns 0, or a count, or a negative errno value. errno means nothing after it.
 *  - Addresses are the calling process's. Addresses and lengths are in bytes and
 *    multiples of the page size; a length of 0 is EINVAL. Times are in nanoseconds of
 *    CLOCK_MONOTONIC.
 *  - Nothing is kept of what a caller passes. Strings that are returned are constant.
 *  - A device is not changed by any call after it was opened: any calls on it may run
 *    at the same time in different threads. svma_close() alone must come after all.
 *  - Memory is allocated by svma_open*(), svma_explain() and svma_survey(), and by no
 *    other call.
 *  - No call may be made from a signal handler, but for svma_fd(), svma_driver(),
 *    svma_strreason(), svma_strcause() and svma_version().
 *  - Pointers must not be NULL where it does not say that they may.
 *  - Reserved fields are 0. They, and values that an enum does not have yet, are how
 *    later versions grow: ignore what you do not know.
 *
 * Everything here is there since version 0.1. svmatomic(7) is the overview, with an
 * example; each call has a page in section 3.
 */
#ifndef SVMATOMIC_H
#define SVMATOMIC_H

#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

#if defined(__GNUC__)
#define SVMA_API __attribute__((visibility("default")))
#else
#define SVMA_API
#endif

#define SVMA_VERSION_MAJOR 0
#define SVMA_VERSION_MINOR 1
#define SVMA_VERSION_PATCH 0

/* A device that was opened. */
struct svma_device;

/*
 * Why a page, or a call, was refused. Those below 0x100 are the kernel's, the others
 * are the library's own. A newer kernel may have more. svma_strreason() has a text for
 * every value. In parentheses: what the call returns, negated.
 */
enum svma_reason {
	/* It was not refused (0). */
	SVMA_REASON_OK = 0,
	/* Nothing is mapped at the address (EFAULT). */
	SVMA_REASON_UNMAPPED = 1,
	/* The mapping may not be written (EACCES). */
	SVMA_REASON_READONLY = 2,
	/* The mapping shares a file (EOPNOTSUPP). */
	SVMA_REASON_FILE = 3,
	/* The mapping is shared memory (EOPNOTSUPP). */
	SVMA_REASON_SHMEM = 4,
	/* The mapping is hugetlb (EOPNOTSUPP). */
	SVMA_REASON_HUGETLB = 5,
	/* Not ordinary memory, such as a device's (EOPNOTSUPP). */
	SVMA_REASON_SPECIAL = 6,
	/* A userfaultfd has to resolve a fault first (EAGAIN). */
	SVMA_REASON_USERFAULT = 7,
	/* Others kept changing the page; trying again may help (EBUSY). */
	SVMA_REASON_CONTENDED = 8,
	/* Out of memory (ENOMEM). */
	SVMA_REASON_NOMEM = 9,
	/* The page is broken (EHWPOISON). */
	SVMA_REASON_HWPOISON = 10,
	/* The policy of the range denies it (EPERM). */
	SVMA_REASON_DENIED = 11,
	/* The cutout, or beyond what the device can address (ERANGE). */
	SVMA_REASON_OUTSIDE = 12,
	/* A signal came first (EINTR). */
	SVMA_REASON_INTERRUPTED = 13,
	/* The device is gone (ENODEV). */
	SVMA_REASON_DEVICE_LOST = 14,
	/* svma_bind() is missing, or the address space is gone (ENXIO). */
	SVMA_REASON_NO_CLIENT = 15,
	/* Another process bound the file (ESRCH). */
	SVMA_REASON_FOREIGN = 16,
	/* The hardware, or its driver, cannot share virtual memory (ENODEV). */
	SVMA_REASON_HARDWARE = 17,

	/* No DRM render node is on this system (ENOENT). */
	SVMA_REASON_NO_NODES = 0x100,
	/* The node that was named does not exist (ENOENT). */
	SVMA_REASON_NO_NODE = 0x101,
	/* The node may not be opened by this user (EACCES). */
	SVMA_REASON_PERMISSION = 0x102,
	/* The file is not a DRM device (ENOTTY). */
	SVMA_REASON_NOT_DRM = 0x103,
	/* This library does not know the driver (EOPNOTSUPP). */
	SVMA_REASON_UNKNOWN_DRIVER = 0x104,
	/* The driver is known, but this kernel's has no SVM atomics (ENOSYS). */
	SVMA_REASON_OLD_KERNEL = 0x105,
	/* The kernel's answer makes no sense (EPROTO). */
	SVMA_REASON_PROTOCOL = 0x106,
	/* An argument is wrong (EINVAL). */
	SVMA_REASON_INVALID = 0x107,
	/* Something else; what the call returned says what. */
	SVMA_REASON_SYSTEM = 0x108,
	/* The kernel gave a reason that cannot be one. */
	SVMA_REASON_UNKNOWN = 0x109,
	/* Engines are for virtual devices (EOPNOTSUPP). */
	SVMA_REASON_NO_ENGINE = 0x10a,
	/* Engines are for x86-64, in processes without shadow stacks (EOPNOTSUPP). */
	SVMA_REASON_ARCHITECTURE = 0x10b,
	/* The device is bound already, not as an engine needs it (EBUSY). */
	SVMA_REASON_BOUND = 0x10c,
	/* A function did on an engine what cannot be done there (EFAULT). */
	SVMA_REASON_ENGINE_FAULT = 0x10d,
	/* The engine is gone; something killed it (EIO). */
	SVMA_REASON_ENGINE_DEAD = 0x10e,
	/* A process is a client or an engine, never both (EDEADLK). */
	SVMA_REASON_ROLE = 0x10f,
};

/*
 * What a call did to a range. It is filled whatever is returned.
 *
 * @failed and @pages are meant by svma_acquire() and svma_release(); the calls about
 * policies set @failed to the beginning or the end of the range and @pages to 0. @next
 * is meant by svma_acquire(); the others set it to the beginning or the end.
 */
struct svma_outcome {
	uint32_t reason; /* why the first page that was refused was: an enum svma_reason */
	uint32_t reserved;
	uint64_t failed; /* the address of that page; the end of the range if there is none */
	uint64_t pages;	 /* how many pages the device has now, or no longer has */
	uint64_t next;	 /* the first address that was not looked at; the end for none */
};

/* -- Finding and opening a device -- */

/* Only devices that are hardware; only virtual ones, such as vsvm. Both: either. */
#define SVMA_OPEN_HARDWARE (1u << 0)
#define SVMA_OPEN_VIRTUAL  (1u << 1)

/*
 * Open the first device that can do SVM atomics: hardware before virtual devices, and
 * by the number of the render node in each. @flags is 0 or SVMA_OPEN_*.
 *
 * The environment variable SVMATOMIC_DEVICE, a path such as /dev/dri/renderD128, names
 * the node to open instead, whatever @flags says. A program with privileges that its
 * user lacks (setuid) ignores it.
 *
 * *@device is the caller's, for svma_close(); it is NULL when the call fails. Any
 * thread may call it at any time.
 *
 * Returns 0, or of the nearest miss (svma_explain(NULL, ...) tells which): -ENOENT
 * there is no render node; -EACCES none may be opened; -EOPNOTSUPP no driver is known;
 * -ENOSYS the kernel lacks the interface; -ENODEV the hardware cannot; -EPROTO the
 * kernel's answer makes no sense; -EINVAL unknown flags; -ENOMEM, or what opening a
 * file returns.
 */
SVMA_API int svma_open(struct svma_device **device, unsigned int flags);

/*
 * Open the render node at @path. Returns as svma_open() does, and -ENOTTY for a file
 * that is no DRM device.
 */
SVMA_API int svma_open_node(struct svma_device **device, const char *path);

/*
 * Use @fd, which is open for reading and writing already, as a driver of OpenCL has it.
 * It stays the caller's: it must stay open for as long as the device does, and
 * svma_close() leaves it open. Returns as svma_open_node() does, and -EBADF.
 */
SVMA_API int svma_open_fd(struct svma_device **device, int fd);

/*
 * Close @device, which may be NULL. The device's pages go back to the CPU when the last
 * descriptor of the file is closed. No other call on @device may run, or follow.
 */
SVMA_API void svma_close(struct svma_device *device);

/* The file descriptor, for poll(2) and mmap(2). It stays the device's: do not close it. */
SVMA_API int svma_fd(const struct svma_device *device);

/* The driver's name, such as "nouveau" or "vsvm". Valid until svma_close(). */
SVMA_API const char *svma_driver(const struct svma_device *device);

/* What there is to say about a render node. */
struct svma_report {
	char node[128];	   /* its path, cut off where it is longer; "" for none */
	char driver[32];   /* the driver's name, or "" when it is not known */
	int32_t error;	   /* 0 when it can be used, or what opening it returns */
	uint32_t reason;   /* why it cannot: an enum svma_reason */
	uint32_t version;  /* of the kernel's interface, 0 when it has none */
	uint32_t features; /* SVMA_FEATURE_* */
	uint32_t flags;	   /* SVMA_OPEN_HARDWARE or SVMA_OPEN_VIRTUAL; 0 when not known */
	uint32_t reserved;
	char text[256]; /* one line for people: what is wrong, and the remedy */
};

/*
 * Say whether the render node @node can be used and, if not, why. With NULL: the node
 * that svma_open() with no flags opens or, when it fails, the one that came nearest.
 * @report is filled whatever is returned. Nothing stays open.
 *
 * Returns 0, or what opening it returns.
 */
SVMA_API int svma_explain(const char *node, struct svma_report *report);

/*
 * Fill up to @count of @reports, one for each render node, by number. @reports may be
 * NULL when @count is 0.
 *
 * Returns how many render nodes there are, which may be more than @count, or a
 * negative errno: -EACCES /dev/dri may not be read. A system without it has 0 nodes.
 */
SVMA_API int svma_survey(struct svma_report *reports, size_t count);

/* -- Binding -- */

/*
 * Bind the device to the address space of the calling process, but for the cutout: the
 * @size bytes from @cutout on are not shared with the device. @size may be 0. All
 * calls below are this process's from then on, and fail in others (-ESRCH), such as
 * children that inherit the file. It cannot be undone, but by svma_close().
 *
 * A caller who uses svma_open_fd() and has bound the file by the driver's own ioctl
 * must not call it.
 *
 * Returns 0; -EBUSY it is bound already; -EDEADLK this process is an engine of a virtual
 * device (SVMA_REASON_ROLE); -EINVAL the cutout is misaligned, wraps, or is not
 * all below the end of the addresses that a process can have;
 * -ENOSYS the driver was built without shared virtual memory; -ENODEV the hardware
 * cannot, or is gone; -ENOMEM; or what else the driver returns.
 */
SVMA_API int svma_bind(struct svma_device *device, const void *cutout, size_t size);

/* -- Ranges -- */

/*
 * Make the range exclusive and map it on the device. @outcome may be NULL.
 *
 * Pages behind one that is refused are still taken, and @outcome->pages counts all that
 * the device has. A range that is not all shared with the device (-ERANGE) is refused as a
 * whole. Pages with data in them keep it; those that were never touched are allocated. The
 * CPU may take them back at any time, hold times apart.
 *
 * A signal, the loss of the device and want of memory end the call, whatever was refused
 * before: from @outcome->next on, nothing was looked at. The call is not restarted, as the
 * library does not know what the signal was for: to go on, call it again from
 * @outcome->next.
 *
 * Returns 0 when the device got all, else the errno of @outcome->reason: see enum
 * svma_reason; -EINVAL for a range that is empty, misaligned or wraps.
 */
SVMA_API int svma_acquire(struct svma_device *device, const void *address, size_t length,
			  struct svma_outcome *outcome);

/*
 * Give the range back to the CPU. @outcome may be NULL; its @pages counts those that
 * were exclusive. What is not exclusive is left alone, and no error.
 *
 * Returns 0; -EINVAL as svma_acquire() does; -ENXIO, -ESRCH, -ENODEV, -ERANGE, -EINTR.
 */
SVMA_API int svma_release(struct svma_device *device, const void *address, size_t length,
			  struct svma_outcome *outcome);

/* What the device may do with a range. */
enum svma_mode {
	/* No policy: take pages on a fault, hold them for the device's default time. */
	SVMA_MODE_DEFAULT = 0,
	/* Take pages on a fault, and hold them for a time that is given. */
	SVMA_MODE_HOLD = 1,
	/* Do not take pages. Atomic operations by the device fail there. */
	SVMA_MODE_DENY = 2,
};

/*
 * Say what the device may do with the range. @hold_ns is for SVMA_MODE_HOLD: how long the
 * device keeps a page at least, 0 being not at all, at most max_hold_ns of struct
 * svma_capabilities. It is 0 for the other modes. @outcome may be NULL.
 *
 * A policy belongs to addresses, not to mappings: munmap() leaves it. It holds from the
 * next time a page is taken.
 *
 * Returns 0; -EINVAL for the range, the mode or the time; -ENOSPC there are too many
 * ranges with policies; -ENOMEM, -ENXIO, -ESRCH, -ENODEV, -ERANGE, -EINTR.
 */
SVMA_API int svma_set_policy(struct svma_device *device, const void *address, size_t length,
			     enum svma_mode mode, uint64_t hold_ns, struct svma_outcome *outcome);

/* What the device may do with a range, in sum. */
struct svma_policy {
	uint32_t modes; /* a bit (1 << mode) for each enum svma_mode that a page has */
	uint32_t reserved;
	uint64_t min_hold_ns; /* the shortest time that a page of it would be held */
	uint64_t max_hold_ns; /* the longest */
};

/*
 * Tell what the device may do with the range. @policy is all 0 when the call fails.
 * @outcome may be NULL. Returns 0; -EINVAL, -ENXIO, -ESRCH, -ENODEV, -ERANGE, -EINTR.
 */
SVMA_API int svma_get_policy(struct svma_device *device, const void *address, size_t length,
			     struct svma_policy *policy, struct svma_outcome *outcome);

/* -- What there is, and what happened -- */

/* A device fault takes pages by itself. */
#define SVMA_FEATURE_FAULT  (1u << 0)
/* The device agrees to fault-around by the CPU. */
#define SVMA_FEATURE_AROUND (1u << 1)
/* Events can be had: svma_subscribe(). */
#define SVMA_FEATURE_EVENTS (1u << 2)
/* Holds and turns are kept: each side makes progress in bounded time. */
#define SVMA_FEATURE_HOLD   (1u << 3)

/*
 * What there is. From @start to @cutout_end, and @policies, are for the process that called
 * svma_bind(), and all 0 for others.
 */
struct svma_capabilities {
	uint32_t version;	  /* of the kernel's interface */
	uint32_t features;	  /* SVMA_FEATURE_* */
	uint32_t absent;	  /* why it cannot be used now: an enum svma_reason */
	uint32_t page_size;	  /* in bytes: what ranges are multiples of */
	uint64_t start;		  /* the first address that is shared with the device */
	uint64_t end;		  /* the address behind the last */
	uint64_t cutout_start;	  /* the first in between that is not */
	uint64_t cutout_end;	  /* the address behind the last; cutout_start for none */
	uint64_t default_hold_ns; /* how long pages without a policy are held; 0 if not bound */
	uint64_t max_hold_ns;	  /* how long a policy may ask for */
	uint32_t max_policies;	  /* how many ranges may have policies */
	uint32_t policies;	  /* how many have */
	uint64_t reserved[4];
};

/*
 * Tell what there is. Works for every process, bound or not: @absent is
 * SVMA_REASON_NO_CLIENT before svma_bind(), and SVMA_REASON_FOREIGN in another process.
 *
 * Returns 0; -ENODEV the device is gone; -EPROTO the kernel's answer makes no sense;
 * -ENOSYS the driver no longer knows the call; or what else ioctl() returns.
 * @capabilities is then all 0 but for @absent, which says so.
 */
SVMA_API int svma_query(struct svma_device *device, struct svma_capabilities *capabilities);

/* What took a page away from the device. */
enum svma_cause {
	/* A CPU accessed it. */
	SVMA_BY_CPU = 0,
	/* Another device took it. */
	SVMA_BY_DEVICE = 1,
	/* svma_release() gave it back. */
	SVMA_BY_RELEASE = 2,
	/* Its mapping went: munmap(), mremap(), exec or exit. */
	SVMA_BY_UNMAP = 3,
	/* Anything else: reclaim, migration, mprotect(), fork(). */
	SVMA_BY_KERNEL = 4,
	/* The kernel gave a cause that cannot be one. */
	SVMA_BY_UNKNOWN = 0x100,
};

/* What happened since the device was bound. */
struct svma_counters {
	uint64_t acquisitions; /* runs of pages that were taken, by calls and by faults */
	uint64_t acquired;     /* pages that the device got */
	uint64_t revoked[8];   /* pages that it lost, by enum svma_cause */
	uint64_t refused[32];  /* pages that it was refused, by enum svma_reason */
	uint64_t retries;      /* runs that had to be taken again: others were faster */
	uint64_t waits_cpu;    /* a CPU, or another device, waited for a hold to end */
	uint64_t waits_device; /* the device waited for a CPU's turn to end */
	uint64_t events_lost;  /* events that were not sent for want of room */
	/*
	 * For pages that were lost and that the device had under a hold, how long it had
	 * them: held[i] counts those of 2^i to 2^(i+1) - 1 nanoseconds, the first and the
	 * last what is beyond.
	 */
	uint64_t held[32];
	uint64_t reserved[4];
};

/*
 * Tell what happened. All 0 when the call fails, before svma_bind(), and in other
 * processes. Returns as svma_query() does.
 */
SVMA_API int svma_counters(struct svma_device *device, struct svma_counters *counters);

/* -- Events -- */

/* What svma_subscribe() asks for, and the type of an event. */
#define SVMA_EVENT_REVOKED (1u << 0) /* pages were taken away from the device */
#define SVMA_EVENT_REFUSED (1u << 1) /* a device fault did not get pages */

/* Something that happened to a range. */
struct svma_event {
	uint32_t type;	  /* SVMA_EVENT_REVOKED or SVMA_EVENT_REFUSED */
	uint32_t why;	  /* an enum svma_cause, or an enum svma_reason */
	uint64_t time_ns; /* when */
	uint64_t address; /* the first address */
	uint64_t length;  /* how long the range is */
	uint32_t lost;	  /* how many events were lost before this one */
	uint32_t reserved;
};

/*
 * Say which events are wanted: SVMA_EVENT_*, or 0 for none. It replaces what was wanted
 * before. The file has room for a few dozen; further ones are lost, and counted.
 *
 * Returns 0; -EINVAL unknown events; -ENXIO, -ESRCH, -ENODEV; or what a driver without
 * SVMA_FEATURE_EVENTS returns.
 */
SVMA_API int svma_subscribe(struct svma_device *device, unsigned int events);

/*
 * Read up to @count events, oldest first. It never waits: poll() svma_fd() for POLLIN.
 * It may return fewer than there are. Other kinds of DRM events are dropped, so nobody
 * else may read the file for its events.
 *
 * Returns how many, at least 1; -EAGAIN there are none; -EINVAL @count is 0; -EPROTO the
 * kernel sent something that is not an event; -EINTR, or what else read() returns.
 */
SVMA_API int svma_read_events(struct svma_device *device, struct svma_event *events, size_t count);

/* -- Words -- */

/* What an enum svma_reason means, in English. Never NULL. */
SVMA_API const char *svma_strreason(uint32_t reason);

/* What an enum svma_cause means, in English. Never NULL. */
SVMA_API const char *svma_strcause(uint32_t cause);

/* The version of the library that runs, as "0.1.0"; SVMA_VERSION_* is the header's. */
SVMA_API const char *svma_version(void);

#if defined(__cplusplus)
}
#endif

#endif
