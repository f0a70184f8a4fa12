/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Tracepoints of drm_svm_atomic: what is taken, refused and taken away. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM drm_svm_atomic

#if !defined(_DRM_SVM_ATOMIC_TRACE_H_) || defined(TRACE_HEADER_MULTI_READ)
#define _DRM_SVM_ATOMIC_TRACE_H_

#include <linux/tracepoint.h>
#include <linux/types.h>

struct drm_svm_atomic;
struct drm_svm_atomic_outcome;

TRACE_EVENT(drm_svm_atomic_take,
	TP_PROTO(struct drm_svm_atomic *sa, unsigned long start, unsigned long end,
		 struct drm_svm_atomic_outcome *outcome),
	TP_ARGS(sa, start, end, outcome),
	TP_STRUCT__entry(
		__field(void *, sa)
		__field(unsigned long, start)
		__field(unsigned long, end)
		__field(unsigned long, pages)
		__field(unsigned long, failed)
		__field(u32, reason)
	),
	TP_fast_assign(
		__entry->sa = sa;
		__entry->start = start;
		__entry->end = end;
		__entry->pages = outcome->pages;
		__entry->failed = outcome->failed;
		__entry->reason = outcome->reason;
	),
	TP_printk("client=%p [%lx, %lx) pages=%lu failed=%lx reason=%u",
		  __entry->sa, __entry->start, __entry->end, __entry->pages,
		  __entry->failed, __entry->reason)
);

TRACE_EVENT(drm_svm_atomic_refuse,
	TP_PROTO(struct drm_svm_atomic *sa, unsigned long start, unsigned long end,
		 u32 reason),
	TP_ARGS(sa, start, end, reason),
	TP_STRUCT__entry(
		__field(void *, sa)
		__field(unsigned long, start)
		__field(unsigned long, end)
		__field(u32, reason)
	),
	TP_fast_assign(
		__entry->sa = sa;
		__entry->start = start;
		__entry->end = end;
		__entry->reason = reason;
	),
	TP_printk("client=%p [%lx, %lx) reason=%u", __entry->sa, __entry->start,
		  __entry->end, __entry->reason)
);

TRACE_EVENT(drm_svm_atomic_revoke,
	TP_PROTO(struct drm_svm_atomic *sa, unsigned long start, unsigned long end,
		 unsigned long pages, u32 cause),
	TP_ARGS(sa, start, end, pages, cause),
	TP_STRUCT__entry(
		__field(void *, sa)
		__field(unsigned long, start)
		__field(unsigned long, end)
		__field(unsigned long, pages)
		__field(u32, cause)
	),
	TP_fast_assign(
		__entry->sa = sa;
		__entry->start = start;
		__entry->end = end;
		__entry->pages = pages;
		__entry->cause = cause;
	),
	TP_printk("client=%p [%lx, %lx) pages=%lu cause=%u", __entry->sa,
		  __entry->start, __entry->end, __entry->pages, __entry->cause)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH ../../drivers/gpu/drm
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE drm_svm_atomic_trace
#include <trace/define_trace.h>
