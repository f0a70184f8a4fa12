/* SPDX-License-Identifier: MIT */
/*
 * Reasons and causes in words, and what to do about a device that cannot be used.
 */
#include "device.h"

#include <errno.h>
#include <stdio.h>

#define SAME(name) _Static_assert((int)SVMA_REASON_##name == (int)DRM_SVM_ATOMIC_##name, "reason")
SAME(OK);
SAME(UNMAPPED);
SAME(READONLY);
SAME(FILE);
SAME(SHMEM);
SAME(HUGETLB);
SAME(SPECIAL);
SAME(USERFAULT);
SAME(CONTENDED);
SAME(NOMEM);
SAME(HWPOISON);
SAME(DENIED);
SAME(OUTSIDE);
SAME(INTERRUPTED);
SAME(DEVICE_LOST);
SAME(NO_CLIENT);
SAME(FOREIGN);
SAME(HARDWARE);

uint32_t reason_from_kernel(uint32_t reason)
{
	return reason < SVMA_REASON_NO_NODES ? reason : SVMA_REASON_UNKNOWN;
}

const char *svma_strreason(uint32_t reason)
{
	switch ((enum svma_reason)reason) {
	case SVMA_REASON_OK:
		return "nothing was refused";
	case SVMA_REASON_UNMAPPED:
		return "nothing is mapped at the address";
	case SVMA_REASON_READONLY:
		return "the mapping may not be written";
	case SVMA_REASON_FILE:
		return "the mapping shares a file";
	case SVMA_REASON_SHMEM:
		return "the mapping is shared memory";
	case SVMA_REASON_HUGETLB:
		return "the mapping is hugetlb";
	case SVMA_REASON_SPECIAL:
		return "the mapping is not ordinary memory";
	case SVMA_REASON_USERFAULT:
		return "a userfaultfd has to resolve a fault first";
	case SVMA_REASON_CONTENDED:
		return "others kept changing the page";
	case SVMA_REASON_NOMEM:
		return "out of memory";
	case SVMA_REASON_HWPOISON:
		return "the page is broken";
	case SVMA_REASON_DENIED:
		return "the policy of the range denies it";
	case SVMA_REASON_OUTSIDE:
		return "the device does not share this part of the address space";
	case SVMA_REASON_INTERRUPTED:
		return "a signal came first";
	case SVMA_REASON_DEVICE_LOST:
		return "the device is gone";
	case SVMA_REASON_NO_CLIENT:
		return "the device is not bound to an address space";
	case SVMA_REASON_FOREIGN:
		return "another process bound the device";
	case SVMA_REASON_HARDWARE:
		return "the hardware, or its driver, cannot share virtual memory";
	case SVMA_REASON_NO_NODES:
		return "there is no DRM render node";
	case SVMA_REASON_NO_NODE:
		return "there is no such node";
	case SVMA_REASON_PERMISSION:
		return "permission denied";
	case SVMA_REASON_NOT_DRM:
		return "not a DRM device";
	case SVMA_REASON_UNKNOWN_DRIVER:
		return "the driver is not one that has SVM atomics";
	case SVMA_REASON_OLD_KERNEL:
		return "this kernel's driver has no SVM atomics";
	case SVMA_REASON_PROTOCOL:
		return "the kernel's answer makes no sense";
	case SVMA_REASON_INVALID:
		return "an argument is wrong";
	case SVMA_REASON_SYSTEM:
		return "a system call failed";
	case SVMA_REASON_NO_ENGINE:
		return "engines are for virtual devices";
	case SVMA_REASON_ARCHITECTURE:
		return "engines are for x86-64, in processes without shadow stacks";
	case SVMA_REASON_BOUND:
		return "the device is bound already, not as an engine needs it";
	case SVMA_REASON_ENGINE_FAULT:
		return "the function did what cannot be done on an engine";
	case SVMA_REASON_ENGINE_DEAD:
		return "the engine is gone; something killed it";
	case SVMA_REASON_ROLE:
		return "a process is a client or an engine, never both";
	case SVMA_REASON_UNKNOWN:
		break;
	}
	return "a reason that this version of libsvmatomic does not know";
}

const char *svma_strcause(uint32_t cause)
{
	switch ((enum svma_cause)cause) {
	case SVMA_BY_CPU:
		return "a CPU accessed it";
	case SVMA_BY_DEVICE:
		return "another device took it";
	case SVMA_BY_RELEASE:
		return "it was released";
	case SVMA_BY_UNMAP:
		return "its mapping went";
	case SVMA_BY_KERNEL:
		return "the kernel needed it";
	case SVMA_BY_UNKNOWN:
		break;
	}
	return "a cause that this version of libsvmatomic does not know";
}

void report_text(struct svma_report *report)
{
	const size_t size = sizeof(report->text);
	const char *driver = report->driver;
	char *text = report->text;

	switch ((enum svma_reason)report->reason) {
	case SVMA_REASON_OK:
		snprintf(text, size, "%s can do SVM atomics", driver);
		return;
	case SVMA_REASON_NO_NODES:
		snprintf(
			text, size,
			"there is no DRM render node; load the GPU's driver, or vsvm for a virtual "
			"device");
		return;
	case SVMA_REASON_NO_NODE:
		snprintf(text, size, "there is no such node; svmatomic-info lists those there are");
		return;
	case SVMA_REASON_PERMISSION:
		snprintf(text, size,
			 "permission denied; join the group that owns the node, often 'render'");
		return;
	case SVMA_REASON_NOT_DRM:
		snprintf(text, size, "not a DRM device; name a node such as /dev/dri/renderD128");
		return;
	case SVMA_REASON_UNKNOWN_DRIVER:
		snprintf(text, size,
			 "the %s driver has no SVM atomics that libsvmatomic knows; use nouveau or "
			 "vsvm",
			 driver);
		return;
	case SVMA_REASON_OLD_KERNEL:
		snprintf(text, size,
			 "this kernel's %s driver has no SVM atomics; boot a kernel with the "
			 "svmatomic series, see docs/kernel.md",
			 driver);
		return;
	case SVMA_REASON_PROTOCOL:
		snprintf(text, size,
			 "the %s driver's answer makes no sense; update libsvmatomic or the kernel",
			 driver);
		return;
	case SVMA_REASON_HARDWARE:
		snprintf(text, size,
			 "the hardware, or its driver, cannot share virtual memory; use another "
			 "GPU, "
			 "or vsvm");
		return;
	case SVMA_REASON_DEVICE_LOST:
		snprintf(text, size, "the device is gone; see the kernel's log");
		return;
	case SVMA_REASON_SYSTEM:
		/* The one way to words that is thread-safe and the same in every libc. */
		errno = -report->error;
		snprintf(text, size, "%m");
		return;
	default:
		snprintf(text, size, "%s", svma_strreason(report->reason));
		return;
	}
}
