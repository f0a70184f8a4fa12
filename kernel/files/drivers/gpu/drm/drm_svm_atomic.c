// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Exclusive access by a device to pages of a process, for atomic operations on
 * shared virtual memory: what all drivers that have it share.
 */
#include <linux/device_exclusive.h>
#include <linux/export.h>
#include <linux/hrtimer.h>
#include <linux/hugetlb_inline.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_svm_atomic.h>

#define CREATE_TRACE_POINTS
#include "drm_svm_atomic_trace.h"

/**
 * DOC: Overview
 *
 * A client (struct drm_svm_atomic) is an address space that a device shares. When
 * the device wants to do atomic operations on a page, its driver calls
 * drm_svm_atomic_take(), which makes the page device-exclusive and has the driver
 * map it (&drm_svm_atomic_ops.map). Whoever wants it next, a CPU, another device
 * or the kernel, takes it back through an MMU notifier, which has the driver unmap
 * it (&drm_svm_atomic_ops.unmap). The loop of Documentation/mm/hmm.rst is in here,
 * once, and so are the ioctls of include/uapi/drm/svm_atomic.h.
 *
 * The address space is divided into chunks of 2 MiB, made when the device first
 * touches them. Each has a notifier of its own, so that what happens elsewhere in
 * the address space makes nobody retry, and a stamp per page: since when the
 * device has had it, or since when somebody else has.
 *
 * **Progress.** A page that a CPU and a device both want could change hands without
 * either getting anything done: it is taken away again before the access that it
 * was wanted for. So who has it, has it for a while. Until a page's hold has
 * ended, a CPU that faults on it waits, in the notifier; and after a CPU took it,
 * the device waits for as long, its turn, before it takes the page again. Both waits
 * are bounded by the policy of the range, and killable. Reclaim, migration, munmap()
 * and the like never wait.
 *
 * **Policy.** Ranges of addresses may have a hold of their own, or deny exclusive
 * access. They are kept in a maple tree of pages, apart from the mappings they
 * are about.
 */

/**
 * DOC: Locking
 *
 * From the outside in: mmap_lock of the client; the notifiers; &drm_svm_atomic.lock;
 * what &drm_svm_atomic_ops.unmap takes. As notifiers take &drm_svm_atomic.lock, and
 * reclaim calls notifiers, nothing that may reclaim is allocated under it.
 *
 * Nobody sleeps for a hold or a turn with &drm_svm_atomic.lock held: the device
 * goes on with other pages meanwhile. Who waits for a hold has the mmap_lock or the
 * lock of the VMA, for reading, as any page fault that sleeps has.
 *
 * A device fault that is handled on behalf of another address space, whose mmap_lock
 * is held, passes DRM_SVM_ATOMIC_TAKE_NOWAIT, which only tries the client's, and
 * DRM_SVM_ATOMIC_TAKE_NESTED. What then returns EWOULDBLOCK is made and waited for by
 * drm_svm_atomic_wait_turn(), without that mmap_lock.
 */

/**
 * DOC: Example
 *
 * A driver's fault handler, its page table being protected by &drm_svm_atomic.lock::
 *
 *      static int driver_map(struct drm_svm_atomic *sa, unsigned long start,
 *                            struct page **pages, unsigned long npages, void *fault)
 *      {
 *              write_entries(to_client(sa), start, pages, npages, ATOMIC);
 *              return 0;
 *      }
 *
 *      static void driver_unmap(struct drm_svm_atomic *sa, unsigned long start,
 *                               unsigned long end)
 *      {
 *              clear_entries(to_client(sa), start, end);
 *              flush_device_tlb(to_client(sa));
 *      }
 *
 *      static void driver_atomic_fault(struct client *client, unsigned long addr)
 *      {
 *              struct drm_svm_atomic_outcome outcome;
 *
 *              if (drm_svm_atomic_take(&client->sa, addr, addr + PAGE_SIZE,
 *                                      DRM_SVM_ATOMIC_TAKE_FAULT, NULL, &outcome))
 *                      cancel_fault(client, addr);
 *              else
 *                      replay_fault(client, addr);
 *      }
 */

#define CHUNK_PAGES	512UL
#define CHUNK_SIZE	(CHUNK_PAGES * PAGE_SIZE)

#define MAX_POLICIES	65536U
/*
 * About what a virtual device and a CPU need to change sides and back, at an
 * instruction per nanosecond: half of the time or more is of use then.
 */
#define DEFAULT_HOLD_NS	(20ULL * NSEC_PER_USEC)
/* What a CPU may have to wait for a page, so not much. */
#define MAX_HOLD_NS	(10ULL * NSEC_PER_MSEC)

/*
 * @stamp: since when the device has had the page, in nanoseconds; negative, since
 * when somebody else has had it after the device; 0, of no interest.
 */
struct drm_svm_atomic_chunk {
	struct mmu_interval_notifier notifier;
	struct drm_svm_atomic *sa;
	s64 stamp[CHUNK_PAGES];
};

static_assert(DRM_SVM_ATOMIC_OK == (int)DEVICE_EXCLUSIVE_OK);
static_assert(DRM_SVM_ATOMIC_UNMAPPED == (int)DEVICE_EXCLUSIVE_UNMAPPED);
static_assert(DRM_SVM_ATOMIC_READONLY == (int)DEVICE_EXCLUSIVE_READONLY);
static_assert(DRM_SVM_ATOMIC_FILE == (int)DEVICE_EXCLUSIVE_FILE);
static_assert(DRM_SVM_ATOMIC_SHMEM == (int)DEVICE_EXCLUSIVE_SHMEM);
static_assert(DRM_SVM_ATOMIC_HUGETLB == (int)DEVICE_EXCLUSIVE_HUGETLB);
static_assert(DRM_SVM_ATOMIC_SPECIAL == (int)DEVICE_EXCLUSIVE_SPECIAL);
static_assert(DRM_SVM_ATOMIC_USERFAULT == (int)DEVICE_EXCLUSIVE_USERFAULT);
static_assert(DRM_SVM_ATOMIC_CONTENDED == (int)DEVICE_EXCLUSIVE_CONTENDED);
static_assert(DRM_SVM_ATOMIC_NOMEM == (int)DEVICE_EXCLUSIVE_NOMEM);
static_assert(DRM_SVM_ATOMIC_HWPOISON == (int)DEVICE_EXCLUSIVE_HWPOISON);

/**
 * drm_svm_atomic_errno() - the error that a reason is told by
 * @reason: the reason
 *
 * Return: 0 or a negative errno.
 */
int drm_svm_atomic_errno(enum drm_svm_atomic_reason reason)
{
	switch (reason) {
	case DRM_SVM_ATOMIC_DENIED:
		return -EPERM;
	case DRM_SVM_ATOMIC_OUTSIDE:
		return -ERANGE;
	case DRM_SVM_ATOMIC_INTERRUPTED:
		return -EINTR;
	case DRM_SVM_ATOMIC_DEVICE_LOST:
	case DRM_SVM_ATOMIC_HARDWARE:
		return -ENODEV;
	case DRM_SVM_ATOMIC_NO_CLIENT:
		return -ENXIO;
	case DRM_SVM_ATOMIC_FOREIGN:
		return -ESRCH;
	default:
		return device_exclusive_errno((enum device_exclusive_reason)reason);
	}
}
EXPORT_SYMBOL_GPL(drm_svm_atomic_errno);

/* --- Policy --- */

struct policy {
	enum drm_svm_atomic_mode mode;
	u64 hold_ns;
};

static void *policy_entry(enum drm_svm_atomic_mode mode, u64 hold_ns)
{
	if (mode == DRM_SVM_ATOMIC_MODE_DEFAULT)
		return NULL;
	return xa_mk_value(hold_ns << 2 | mode);
}

static u64 default_hold_ns(struct drm_svm_atomic *sa)
{
	return sa->ops->hold_ns ?: DEFAULT_HOLD_NS;
}

static struct policy policy_of(struct drm_svm_atomic *sa, void *entry)
{
	unsigned long value = xa_to_value(entry);

	if (!entry)
		return (struct policy){ DRM_SVM_ATOMIC_MODE_DEFAULT, default_hold_ns(sa) };
	return (struct policy){ value & 3, value >> 2 };
}

/* The policy of a page, and the last page up to which it holds. */
static struct policy policy_at(struct drm_svm_atomic *sa, unsigned long page,
			       unsigned long *last)
{
	MA_STATE(mas, &sa->policies, page, page);
	void *entry;

	rcu_read_lock();
	entry = mas_walk(&mas);
	*last = mas.last;
	rcu_read_unlock();
	return policy_of(sa, entry);
}

/* How many ranges there would be if pages @first to @last became one. */
static unsigned int policies_left(struct drm_svm_atomic *sa, unsigned long first,
				  unsigned long last)
{
	MA_STATE(mas, &sa->policies, first, first);
	unsigned int n = sa->npolicies;
	void *entry;

	rcu_read_lock();
	mas_for_each(&mas, entry, last) {
		n += (mas.index < first) + (mas.last > last);
		n--;
	}
	rcu_read_unlock();
	return n;
}

static int set_policy(struct drm_svm_atomic *sa, unsigned long start,
		      unsigned long end, enum drm_svm_atomic_mode mode, u64 hold_ns)
{
	unsigned long first = start >> PAGE_SHIFT, last = (end >> PAGE_SHIFT) - 1;
	unsigned int n;
	int err;

	mutex_lock(&sa->policy_lock);
	n = policies_left(sa, first, last) + (mode != DRM_SVM_ATOMIC_MODE_DEFAULT);
	if (n > MAX_POLICIES)
		err = -ENOSPC;
	else
		err = mtree_store_range(&sa->policies, first, last,
					policy_entry(mode, hold_ns),
					GFP_KERNEL_ACCOUNT);
	if (!err)
		sa->npolicies = n;
	mutex_unlock(&sa->policy_lock);
	return err;
}

static void get_policy(struct drm_svm_atomic *sa, unsigned long start,
		       unsigned long end, struct drm_svm_atomic_get_policy *args)
{
	unsigned long page = start >> PAGE_SHIFT, last = (end >> PAGE_SHIFT) - 1;
	unsigned long until;

	args->modes = 0;
	args->min_hold_ns = U64_MAX;
	args->max_hold_ns = 0;
	mutex_lock(&sa->policy_lock);
	do {
		struct policy policy = policy_at(sa, page, &until);

		args->modes |= 1 << policy.mode;
		page = until + 1;
		if (policy.mode == DRM_SVM_ATOMIC_MODE_DENY)
			continue;
		args->min_hold_ns = min(args->min_hold_ns, policy.hold_ns);
		args->max_hold_ns = max(args->max_hold_ns, policy.hold_ns);
	} while (until < last);
	mutex_unlock(&sa->policy_lock);
	if (args->min_hold_ns > args->max_hold_ns)
		args->min_hold_ns = 0;
}

/* --- Events --- */

struct pending_event {
	struct drm_pending_event base;
	struct drm_svm_atomic_event event;
};

static int send_event(struct drm_svm_atomic *sa, struct drm_svm_atomic_event event)
{
	struct pending_event *p = kzalloc(sizeof(*p), GFP_NOWAIT | __GFP_NOWARN);
	int err;

	if (!p)
		return -ENOMEM;
	p->event = event;
	err = drm_event_reserve_init(sa->dev, sa->file, &p->base, &p->event.base);
	if (err) {
		kfree(p);
		return err;
	}
	drm_send_event(sa->dev, &p->base);
	return 0;
}

static void tell(struct drm_svm_atomic *sa, u32 type, u32 why, unsigned long start,
		 unsigned long end)
{
	struct drm_svm_atomic_event event = {
		.base = { .type = type, .length = sizeof(event) },
		.time_ns = ktime_get_ns(),
		.start = start,
		.length = end - start,
		.why = why,
		.lost = sa->events_lost,
	};
	u32 want = type == DRM_SVM_ATOMIC_EVENT_REVOKED ? DRM_SVM_ATOMIC_WANT_REVOKED :
							  DRM_SVM_ATOMIC_WANT_REFUSED;

	lockdep_assert_held(&sa->lock);
	if (!(sa->events & want) || !sa->file)
		return;
	if (!send_event(sa, event)) {
		sa->events_lost = 0;
		return;
	}
	sa->events_lost++;
	sa->counters.events_lost++;
}

/* --- Holds and turns --- */

/*
 * When the last hold ends (@device: true), or the last turn of somebody else, of the
 * pages in [start, end) of a chunk; 0 when there is none.
 */
static u64 deadline_of(struct drm_svm_atomic_chunk *chunk, unsigned long start,
		       unsigned long end, bool device)
{
	unsigned long addr, last = 0;
	struct policy policy = {};
	u64 deadline = 0;

	lockdep_assert_held(&chunk->sa->lock);
	for (addr = start; addr < end; addr += PAGE_SIZE) {
		unsigned long page = addr >> PAGE_SHIFT;
		s64 stamp = chunk->stamp[page % CHUNK_PAGES];
		u64 since = device ? stamp : -stamp;

		if (device ? stamp <= 0 : stamp >= 0)
			continue;
		if (!last || page > last)
			policy = policy_at(chunk->sa, page, &last);
		deadline = max(deadline, since + policy.hold_ns);
	}
	return deadline;
}

/* Return: 0 when it is that late, or -EINTR. */
static int sleep_until(u64 deadline, unsigned int state)
{
	ktime_t expires = ns_to_ktime(deadline);

	while (ktime_get_ns() < deadline) {
		if (signal_pending_state(state, current))
			return -EINTR;
		set_current_state(state);
		schedule_hrtimeout_range(&expires, 0, HRTIMER_MODE_ABS);
	}
	return 0;
}

/* A fault cannot be left for a signal to be handled: the kernel may have made it. */
static unsigned int task_state(unsigned int flags)
{
	return flags & DRM_SVM_ATOMIC_TAKE_FAULT ? TASK_KILLABLE : TASK_INTERRUPTIBLE;
}

static bool is_interrupted(unsigned int flags)
{
	return signal_pending_state(task_state(flags), current);
}

/*
 * Somebody wants pages that the device holds: not before the hold has ended. Returns
 * with the lock held since that was seen, or the device could get the pages in between
 * and lose them at once. It does not get them time and again while this sleeps: having
 * lost them once, it waits for the invalidation that this is part of to end.
 */
static void wait_for_hold(struct drm_svm_atomic_chunk *chunk, unsigned long start,
			  unsigned long end)
{
	struct drm_svm_atomic *sa = chunk->sa;
	u64 deadline;
	int err = 0;

	/* Who gets killed has no use for the page, but takes it all the same. */
	while (!err && (deadline = deadline_of(chunk, start, end, true)) > ktime_get_ns()) {
		sa->counters.waits_cpu++;
		mutex_unlock(&sa->lock);
		err = sleep_until(deadline, TASK_KILLABLE);
		mutex_lock(&sa->lock);
	}
}

/* The device wants pages that somebody else has got since. */
static int wait_for_turn(struct drm_svm_atomic_chunk *chunk, unsigned long start,
			 unsigned long end, unsigned int flags)
{
	struct drm_svm_atomic *sa = chunk->sa;
	bool early;
	u64 deadline;

	mutex_lock(&sa->lock);
	deadline = deadline_of(chunk, start, end, false);
	early = deadline > ktime_get_ns();
	if (early)
		sa->counters.waits_device++;
	mutex_unlock(&sa->lock);
	if (!early)
		return 0;
	if (flags & DRM_SVM_ATOMIC_TAKE_NOWAIT)
		return -EWOULDBLOCK;
	return sleep_until(deadline, task_state(flags));
}

/* --- Pages that are taken away --- */

static enum drm_svm_atomic_cause cause_of(struct drm_svm_atomic *sa,
					  const struct mmu_notifier_range *range)
{
	switch (range->event) {
	case MMU_NOTIFY_EXCLUSIVE:
		if (!range->owner)
			return DRM_SVM_ATOMIC_BY_CPU;
		return range->owner == &sa->chunks ? DRM_SVM_ATOMIC_BY_RELEASE :
						     DRM_SVM_ATOMIC_BY_DEVICE;
	case MMU_NOTIFY_UNMAP:
	case MMU_NOTIFY_RELEASE:
		return DRM_SVM_ATOMIC_BY_UNMAP;
	default:
		return DRM_SVM_ATOMIC_BY_KERNEL;
	}
}

/* Account for what the device loses in [start, end) of a chunk. */
static void lose_pages(struct drm_svm_atomic_chunk *chunk, unsigned long start,
		       unsigned long end, enum drm_svm_atomic_cause cause)
{
	struct drm_svm_atomic_counters *counters = &chunk->sa->counters;
	bool turn = cause == DRM_SVM_ATOMIC_BY_CPU || cause == DRM_SVM_ATOMIC_BY_DEVICE;
	u64 now = ktime_get_ns();
	unsigned long addr, n = 0;

	for (addr = start; addr < end; addr += PAGE_SIZE) {
		s64 *stamp = &chunk->stamp[(addr >> PAGE_SHIFT) % CHUNK_PAGES];
		u64 held = now - *stamp;

		if (*stamp <= 0)
			continue;
		n++;
		counters->held[min_t(int, held ? ilog2(held) : 0,
				     ARRAY_SIZE(counters->held) - 1)]++;
		WRITE_ONCE(*stamp, turn ? -(s64)now : 0);
	}
	if (!n)
		return;
	counters->revoked[cause] += n;
	trace_drm_svm_atomic_revoke(chunk->sa, start, end, n, cause);
	tell(chunk->sa, DRM_SVM_ATOMIC_EVENT_REVOKED, cause, start, end);
}

static bool chunk_invalidate(struct mmu_interval_notifier *notifier,
			     const struct mmu_notifier_range *range,
			     unsigned long cur_seq)
{
	struct drm_svm_atomic_chunk *chunk =
		container_of(notifier, struct drm_svm_atomic_chunk, notifier);
	unsigned long first = notifier->interval_tree.start;
	unsigned long start = max(range->start, first);
	unsigned long end = min(range->end, first + CHUNK_SIZE);
	struct drm_svm_atomic *sa = chunk->sa;
	enum drm_svm_atomic_cause cause;

	if (range->event == MMU_NOTIFY_EXCLUSIVE && range->owner == sa)
		return true;

	if (mmu_notifier_range_blockable(range))
		mutex_lock(&sa->lock);
	else if (!mutex_trylock(&sa->lock))
		return false;
	cause = cause_of(sa, range);
	if (cause == DRM_SVM_ATOMIC_BY_CPU || cause == DRM_SVM_ATOMIC_BY_DEVICE)
		wait_for_hold(chunk, start, end);
	mmu_interval_set_seq(notifier, cur_seq);
	sa->ops->unmap(sa, start, end);
	lose_pages(chunk, start, end, cause);
	mutex_unlock(&sa->lock);
	return true;
}

static bool is_idle(struct drm_svm_atomic_chunk *chunk, unsigned long addr, u64 now)
{
	struct drm_svm_atomic *sa = chunk->sa;
	unsigned long page = addr >> PAGE_SHIFT, last;
	s64 stamp = READ_ONCE(chunk->stamp[page % CHUNK_PAGES]);

	if (stamp <= 0 || stamp + policy_at(sa, page, &last).hold_ns > now)
		return false;
	return !sa->ops->idle || sa->ops->idle(sa, addr, addr + PAGE_SIZE);
}

static bool chunk_window(struct mmu_interval_notifier *notifier, unsigned long address,
			 unsigned long *start, unsigned long *end)
{
	struct drm_svm_atomic_chunk *chunk =
		container_of(notifier, struct drm_svm_atomic_chunk, notifier);
	unsigned long first = address, behind = address + PAGE_SIZE;
	u64 now = ktime_get_ns();

	if (READ_ONCE(chunk->stamp[(address >> PAGE_SHIFT) % CHUNK_PAGES]) <= 0)
		return false;
	while (first > *start && is_idle(chunk, first - PAGE_SIZE, now))
		first -= PAGE_SIZE;
	while (behind < *end && is_idle(chunk, behind, now))
		behind += PAGE_SIZE;
	*start = first;
	*end = behind;
	return true;
}

static const struct mmu_interval_notifier_ops chunk_ops = {
	.invalidate = chunk_invalidate,
	.exclusive_window = chunk_window,
};

/* --- Chunks --- */

static struct drm_svm_atomic_chunk *make_chunk(struct drm_svm_atomic *sa,
					       unsigned long index)
{
	struct drm_svm_atomic_chunk *chunk, *other;
	int err;

	chunk = kvzalloc(sizeof(*chunk), GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return ERR_PTR(-ENOMEM);
	chunk->sa = sa;
	err = mmu_interval_notifier_insert(&chunk->notifier, sa->mm, index * CHUNK_SIZE,
					   CHUNK_SIZE, &chunk_ops);
	if (err) {
		kvfree(chunk);
		return ERR_PTR(err);
	}
	other = xa_cmpxchg(&sa->chunks, index, NULL, chunk, GFP_KERNEL_ACCOUNT);
	if (!other)
		return chunk;

	/* Somebody else was faster, or there was no memory. */
	mmu_interval_notifier_remove(&chunk->notifier);
	kvfree(chunk);
	return xa_is_err(other) ? ERR_PTR(xa_err(other)) : other;
}

/* Inserting a notifier may take the client's mmap_lock. */
static struct drm_svm_atomic_chunk *get_chunk(struct drm_svm_atomic *sa,
					      unsigned long addr, unsigned int flags)
{
	struct drm_svm_atomic_chunk *chunk = xa_load(&sa->chunks, addr / CHUNK_SIZE);

	if (chunk)
		return chunk;
	if (flags & DRM_SVM_ATOMIC_TAKE_NESTED)
		return ERR_PTR(-EWOULDBLOCK);
	return make_chunk(sa, addr / CHUNK_SIZE);
}

/**
 * drm_svm_atomic_notifier() - the notifier of an address
 * @sa: the client
 * @addr: the address
 * @flags: DRM_SVM_ATOMIC_TAKE_NESTED, or 0
 *
 * For ordinary mappings, which a driver makes by the same loop, with
 * hmm_range_fault() and &drm_svm_atomic.lock. It is good for the 2 MiB, aligned,
 * around the address.
 *
 * Return: the notifier, or an error pointer: ENOMEM, ESRCH once the address space is
 * gone, or EWOULDBLOCK where drm_svm_atomic_wait_turn() has to make it first.
 */
struct mmu_interval_notifier *
drm_svm_atomic_notifier(struct drm_svm_atomic *sa, unsigned long addr,
			unsigned int flags)
{
	struct drm_svm_atomic_chunk *chunk = get_chunk(sa, addr, flags);

	return IS_ERR(chunk) ? ERR_CAST(chunk) : &chunk->notifier;
}
EXPORT_SYMBOL_GPL(drm_svm_atomic_notifier);

/**
 * drm_svm_atomic_held_around() - what the device has around an address
 * @sa: the client
 * @addr: an address, page aligned
 * @start: in: how far to look; out: the first address of the pages around @addr,
 *	in the same 2 MiB, that the device has exclusively
 * @end: likewise, the address behind the last
 *
 * Empty, with @start and @end at @addr, when it has not got that page. A hint: it
 * may be outdated when the function returns.
 */
void drm_svm_atomic_held_around(struct drm_svm_atomic *sa, unsigned long addr,
				unsigned long *start, unsigned long *end)
{
	struct drm_svm_atomic_chunk *chunk = xa_load(&sa->chunks, addr / CHUNK_SIZE);
	unsigned long first = ALIGN_DOWN(addr, CHUNK_SIZE), s = addr, e = addr;

	if (chunk) {
		while (e < min(*end, first + CHUNK_SIZE) &&
		       READ_ONCE(chunk->stamp[(e - first) >> PAGE_SHIFT]) > 0)
			e += PAGE_SIZE;
		while (e > addr && s > max(*start, first) &&
		       READ_ONCE(chunk->stamp[(s - first - PAGE_SIZE) >> PAGE_SHIFT]) > 0)
			s -= PAGE_SIZE;
	}
	*start = s;
	*end = e;
}
EXPORT_SYMBOL_GPL(drm_svm_atomic_held_around);

/* --- Taking pages --- */

/**
 * drm_svm_atomic_shares() - does the device share a range?
 * @sa: the client
 * @start: first address
 * @end: address behind the last
 *
 * Return: whether all of it is shared.
 */
bool drm_svm_atomic_shares(const struct drm_svm_atomic *sa, unsigned long start,
			   unsigned long end)
{
	return start >= sa->start && end <= sa->end &&
	       (end <= sa->cutout_start || start >= sa->cutout_end);
}
EXPORT_SYMBOL_GPL(drm_svm_atomic_shares);

/* The first address of a range that is not shared, which there is. */
static unsigned long first_outside(const struct drm_svm_atomic *sa, unsigned long start)
{
	if (start < sa->start || start >= sa->end ||
	    (start >= sa->cutout_start && start < sa->cutout_end))
		return start;
	return start < sa->cutout_start && sa->cutout_start < sa->cutout_end ?
	       sa->cutout_start : sa->end;
}

static int lock_client(struct drm_svm_atomic *sa, unsigned int flags)
{
	if (flags & DRM_SVM_ATOMIC_TAKE_NOWAIT)
		return mmap_read_trylock(sa->mm) ? 0 : -EWOULDBLOCK;
	return mmap_read_lock_killable(sa->mm);
}

/* Could pages at this address ever be exclusive? */
static bool is_suitable(struct vm_area_struct *vma, unsigned long addr)
{
	return vma && vma->vm_start <= addr && !is_vm_hugetlb_page(vma) &&
	       (vma->vm_flags & (VM_WRITE | VM_SHARED | VM_PFNMAP | VM_IO)) == VM_WRITE;
}

/*
 * Have the core refuse what it refuses without looking at pages, so that there are
 * chunks only where there is memory: a range may be as large as an address space.
 */
static int refuse_unsuitable(struct drm_svm_atomic *sa,
			     struct device_exclusive_range *range, unsigned int flags)
{
	int err = lock_client(sa, flags);

	if (err)
		return err;
	if (!is_suitable(find_vma(sa->mm, range->start), range->start)) {
		err = make_device_exclusive_range(range);
		if (!err)
			device_exclusive_range_unlock(range);
	}
	mmap_read_unlock(sa->mm);
	return err;
}

/* Map a run that the core took, unless it has been taken away since. */
static int map_run(struct drm_svm_atomic_chunk *chunk,
		   struct device_exclusive_range *range, unsigned long seq,
		   void *context)
{
	struct drm_svm_atomic *sa = chunk->sa;
	unsigned long first = (range->start >> PAGE_SHIFT) % CHUNK_PAGES, i;
	u64 now = ktime_get_ns();
	int err;

	lockdep_assert_held(&sa->lock);
	if (mmu_interval_read_retry(&chunk->notifier, seq)) {
		sa->counters.retries++;
		return -EAGAIN;
	}
	err = sa->ops->map(sa, range->start, range->pages, range->npages, context);
	if (err)
		return err;
	sa->counters.acquisitions++;
	for (i = first; i < first + range->npages; i++) {
		/* A page that it has already is not held for longer. */
		if (chunk->stamp[i] > 0)
			continue;
		WRITE_ONCE(chunk->stamp[i], now);
		sa->counters.acquired++;
	}
	return 0;
}

/* Have the core decide on a run at the start of @range, and map it. */
static int take_and_map(struct drm_svm_atomic_chunk *chunk,
			struct device_exclusive_range *range, unsigned int flags,
			void *context)
{
	struct drm_svm_atomic *sa = chunk->sa;
	unsigned long seq;
	int err;

	do {
		seq = mmu_interval_read_begin(&chunk->notifier);
		err = lock_client(sa, flags);
		if (err)
			return err;
		err = make_device_exclusive_range(range);
		mmap_read_unlock(sa->mm);
		if (err || range->reason)
			return err;

		mutex_lock(&sa->lock);
		err = map_run(chunk, range, seq, context);
		mutex_unlock(&sa->lock);
		device_exclusive_range_unlock(range);
	} while (err == -EAGAIN && !is_interrupted(flags));
	return err == -EAGAIN ? -EINTR : err;
}

/*
 * Decide on a run of pages at the start of @range, all in one chunk and of one
 * policy. Return: 0 with the number of pages in @range and their reason in @reason,
 * else -EINTR or -EWOULDBLOCK.
 */
static int take_run(struct drm_svm_atomic *sa, struct device_exclusive_range *range,
		    unsigned int flags, void *context,
		    enum drm_svm_atomic_reason *reason)
{
	struct drm_svm_atomic_chunk *chunk;
	struct policy policy;
	unsigned long last;
	int err;

	policy = policy_at(sa, range->start >> PAGE_SHIFT, &last);
	if (last < (range->end - 1) >> PAGE_SHIFT)
		range->end = (last + 1) << PAGE_SHIFT;
	if (policy.mode == DRM_SVM_ATOMIC_MODE_DENY) {
		range->npages = (range->end - range->start) >> PAGE_SHIFT;
		*reason = DRM_SVM_ATOMIC_DENIED;
		return 0;
	}

	if (!xa_load(&sa->chunks, range->start / CHUNK_SIZE)) {
		err = refuse_unsuitable(sa, range, flags);
		*reason = (enum drm_svm_atomic_reason)range->reason;
		if (err || *reason)
			return err;
	}

	range->npages = 1;
	*reason = DRM_SVM_ATOMIC_NOMEM;
	range->end = min(range->end, ALIGN(range->start + 1, CHUNK_SIZE));
	chunk = get_chunk(sa, range->start, flags);
	if (IS_ERR(chunk))
		return PTR_ERR(chunk) == -ENOMEM ? 0 : PTR_ERR(chunk);

	err = wait_for_turn(chunk, range->start, range->end, flags);
	if (!err)
		err = take_and_map(chunk, range, flags, context);
	if (err == -ENOMEM)
		return 0;
	*reason = (enum drm_svm_atomic_reason)range->reason;
	return err;
}

static void refuse(struct drm_svm_atomic *sa, unsigned long start, unsigned long end,
		   enum drm_svm_atomic_reason reason, unsigned int flags,
		   struct drm_svm_atomic_outcome *outcome)
{
	if (!outcome->reason) {
		outcome->reason = reason;
		outcome->failed = start;
	}
	trace_drm_svm_atomic_refuse(sa, start, end, reason);
	mutex_lock(&sa->lock);
	sa->counters.refused[reason]++;
	if (flags & DRM_SVM_ATOMIC_TAKE_FAULT)
		tell(sa, DRM_SVM_ATOMIC_EVENT_REFUSED, reason, start, end);
	mutex_unlock(&sa->lock);
}

/* Is there no use in looking at the rest of the range? */
static bool ends_take(enum drm_svm_atomic_reason reason)
{
	return reason == DRM_SVM_ATOMIC_NOMEM || reason == DRM_SVM_ATOMIC_INTERRUPTED ||
	       reason == DRM_SVM_ATOMIC_DEVICE_LOST || reason == DRM_SVM_ATOMIC_NO_CLIENT;
}

/* An error of the run as a reason; that of the run itself, if there was none. */
static enum drm_svm_atomic_reason reason_of(int err, enum drm_svm_atomic_reason reason)
{
	switch (err) {
	case 0:
		return reason;
	case -EINTR:
		return DRM_SVM_ATOMIC_INTERRUPTED;
	case -ENODEV:
		return DRM_SVM_ATOMIC_DEVICE_LOST;
	default:
		return DRM_SVM_ATOMIC_NO_CLIENT;
	}
}

static int take_runs(struct drm_svm_atomic *sa, unsigned long addr, unsigned long end,
		     unsigned int flags, void *context, struct page **pages,
		     struct drm_svm_atomic_outcome *outcome)
{
	enum drm_svm_atomic_reason reason = DRM_SVM_ATOMIC_OK;
	int err;

	for (outcome->next = addr; addr < end; outcome->next = addr) {
		struct device_exclusive_range range = {
			.mm = sa->mm, .start = addr, .end = end,
			.owner = sa, .pages = pages, .npages = 1,
		};

		/* Some progress first, or a timer's signals could prevent any. */
		if (outcome->pages && is_interrupted(flags))
			err = -EINTR;
		else if (READ_ONCE(sa->lost))
			err = -ENODEV;
		else
			err = take_run(sa, &range, flags, context, &reason);
		if (err == -EWOULDBLOCK)
			return err;
		reason = reason_of(err, reason);
		addr += range.npages * PAGE_SIZE;
		if (reason)
			refuse(sa, outcome->next, addr, reason, flags, outcome);
		else
			outcome->pages += range.npages;
		if (ends_take(reason))
			break;
		cond_resched();
	}
	return 0;
}

/**
 * drm_svm_atomic_take() - make a range exclusive and map it on the device
 * @sa: the client
 * @start: first address, page aligned
 * @end: address behind the last page, page aligned, behind @start
 * @flags: DRM_SVM_ATOMIC_TAKE_*
 * @context: for &drm_svm_atomic_ops.map
 * @outcome: what came of it, whatever is returned
 *
 * Goes through the range in runs of pages, of one chunk each, and goes on behind
 * pages that are refused. Waits for the turns of others to end.
 *
 * Context: Process context, may sleep. Neither the mmap_lock of the client nor
 * &drm_svm_atomic.lock is held.
 * Return: 0 when the device has all of the range, else the error of the first
 * reason, see drm_svm_atomic_errno(), or EWOULDBLOCK.
 */
int drm_svm_atomic_take(struct drm_svm_atomic *sa, unsigned long start,
			unsigned long end, unsigned int flags, void *context,
			struct drm_svm_atomic_outcome *outcome)
{
	unsigned long npages = min((end - start) >> PAGE_SHIFT, CHUNK_PAGES);
	struct page *page, **pages = &page;
	int err;

	*outcome = (struct drm_svm_atomic_outcome){ .failed = end, .next = start };
	if (!drm_svm_atomic_shares(sa, start, end)) {
		refuse(sa, first_outside(sa, start), end, DRM_SVM_ATOMIC_OUTSIDE,
		       flags, outcome);
		return -ERANGE;
	}
	if (npages > 1) {
		pages = kmalloc_array(npages, sizeof(*pages), GFP_KERNEL_ACCOUNT);
		if (!pages) {
			refuse(sa, start, end, DRM_SVM_ATOMIC_NOMEM, flags, outcome);
			return -ENOMEM;
		}
	}
	if (mmget_not_zero(sa->mm)) {
		err = take_runs(sa, start, end, flags, context, pages, outcome);
		/* The last reference must not go here, under locks of a fault. */
		mmput_async(sa->mm);
	} else {
		err = 0;
		refuse(sa, start, end, DRM_SVM_ATOMIC_NO_CLIENT, flags, outcome);
	}
	if (pages != &page)
		kfree(pages);
	trace_drm_svm_atomic_take(sa, start, end, outcome);
	return err ?: drm_svm_atomic_errno(outcome->reason);
}
EXPORT_SYMBOL_GPL(drm_svm_atomic_take);

/**
 * drm_svm_atomic_wait_turn() - wait until the device may take a page
 * @sa: the client
 * @addr: an address in the page
 *
 * What drm_svm_atomic_take() or drm_svm_atomic_notifier() would have waited for, or
 * made, had they not returned EWOULDBLOCK.
 *
 * Context: Process context, may sleep. No locks are held.
 * Return: 0, ENOMEM, or EINTR when a fatal signal came first.
 */
int drm_svm_atomic_wait_turn(struct drm_svm_atomic *sa, unsigned long addr)
{
	unsigned long page = addr & PAGE_MASK;
	struct drm_svm_atomic_chunk *chunk;
	int err;

	if (!mmget_not_zero(sa->mm))
		return 0;
	chunk = get_chunk(sa, page, 0);
	err = PTR_ERR_OR_ZERO(chunk);
	if (!err)
		err = wait_for_turn(chunk, page, page + PAGE_SIZE,
				    DRM_SVM_ATOMIC_TAKE_FAULT);
	if (!err)
		err = mmap_read_lock_killable(sa->mm);
	if (!err)
		mmap_read_unlock(sa->mm);
	mmput_async(sa->mm);
	return err;
}
EXPORT_SYMBOL_GPL(drm_svm_atomic_wait_turn);

/* --- Clients --- */

/**
 * drm_svm_atomic_init() - begin to share an address space
 * @sa: the client, zeroed
 * @dev: the device
 * @file: the file, which gets the events; may be NULL
 * @mm: the address space, of the current process
 * @cutout_start: the first address of a part that is not shared
 * @cutout_size: its size, 0 for none
 * @ops: what the driver does
 *
 * Return: 0; EINVAL for a cutout that is misaligned or beyond user space; EDEADLK for
 * an address space that refuses notifiers; ENOMEM or EINTR.
 */
int drm_svm_atomic_init(struct drm_svm_atomic *sa, struct drm_device *dev,
			struct drm_file *file, struct mm_struct *mm,
			unsigned long cutout_start, unsigned long cutout_size,
			const struct drm_svm_atomic_ops *ops)
{
	int err;

	if (!PAGE_ALIGNED(cutout_start) || !PAGE_ALIGNED(cutout_size) ||
	    cutout_start + cutout_size < cutout_start ||
	    cutout_start + cutout_size > (TASK_SIZE_MAX & PAGE_MASK))
		return -EINVAL;
	/* Rather now than when the first chunk is made. */
	err = mmu_notifier_register(NULL, mm);
	if (err)
		return err;

	sa->ops = ops;
	sa->mm = mm;
	mmgrab(mm);
	sa->dev = dev;
	sa->file = file;
	sa->start = 0;
	sa->end = TASK_SIZE_MAX & PAGE_MASK;
	sa->cutout_start = cutout_start;
	sa->cutout_end = cutout_start + cutout_size;
	mutex_init(&sa->lock);
	xa_init(&sa->chunks);
	mutex_init(&sa->policy_lock);
	mt_init_flags(&sa->policies, MT_FLAGS_USE_RCU);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_svm_atomic_init);

/**
 * drm_svm_atomic_mute() - send no more events
 * @sa: the client
 *
 * For the file's release, before drm_release(), which frees what was not read.
 */
void drm_svm_atomic_mute(struct drm_svm_atomic *sa)
{
	mutex_lock(&sa->lock);
	sa->file = NULL;
	mutex_unlock(&sa->lock);
}
EXPORT_SYMBOL_GPL(drm_svm_atomic_mute);

/**
 * drm_svm_atomic_lose() - the device is gone
 * @sa: the client
 *
 * Drops all of the device's mappings and refuses everything from now on. The CPU
 * gets its pages back by its faults.
 */
void drm_svm_atomic_lose(struct drm_svm_atomic *sa)
{
	mutex_lock(&sa->lock);
	WRITE_ONCE(sa->lost, true);
	sa->ops->unmap(sa, sa->start, sa->end);
	mutex_unlock(&sa->lock);
}
EXPORT_SYMBOL_GPL(drm_svm_atomic_lose);

/**
 * drm_svm_atomic_fini() - share the address space no longer
 * @sa: the client, that nobody uses any more
 */
void drm_svm_atomic_fini(struct drm_svm_atomic *sa)
{
	struct drm_svm_atomic_chunk *chunk;
	unsigned long index;

	xa_for_each(&sa->chunks, index, chunk) {
		mmu_interval_notifier_remove(&chunk->notifier);
		kvfree(chunk);
	}
	xa_destroy(&sa->chunks);
	mtree_destroy(&sa->policies);
	mutex_destroy(&sa->policy_lock);
	mutex_destroy(&sa->lock);
	mmdrop(sa->mm);
}
EXPORT_SYMBOL_GPL(drm_svm_atomic_fini);

/* --- ioctls --- */

static enum drm_svm_atomic_reason client_reason(struct drm_svm_atomic *sa)
{
	if (!sa)
		return DRM_SVM_ATOMIC_NO_CLIENT;
	if (sa->mm != current->mm)
		return DRM_SVM_ATOMIC_FOREIGN;
	return READ_ONCE(sa->lost) ? DRM_SVM_ATOMIC_DEVICE_LOST : DRM_SVM_ATOMIC_OK;
}

static bool is_range(u64 start, u64 length)
{
	return length && PAGE_ALIGNED(start) && PAGE_ALIGNED(length) &&
	       start + length > start;
}

/* Whether a call of a range can go on: its arguments are sound, its client is. */
static int check_call(struct drm_svm_atomic *sa, u64 start, u64 length, u32 *reason)
{
	if (!is_range(start, length))
		return -EINVAL;
	*reason = client_reason(sa);
	if (!*reason && !drm_svm_atomic_shares(sa, start, start + length))
		*reason = DRM_SVM_ATOMIC_OUTSIDE;
	return drm_svm_atomic_errno(*reason);
}

/**
 * drm_svm_atomic_acquire_ioctl() - DRM_SVM_ATOMIC_ACQUIRE
 * @sa: the client, or NULL
 * @data: struct drm_svm_atomic_acquire
 *
 * Return: as the ioctl.
 */
int drm_svm_atomic_acquire_ioctl(struct drm_svm_atomic *sa, void *data)
{
	struct drm_svm_atomic_acquire *args = data;
	struct drm_svm_atomic_outcome outcome;
	int err;

	if (args->flags)
		return -EINVAL;
	args->pages = 0;
	args->failed = args->start;
	args->next = args->start;
	err = check_call(sa, args->start, args->length, &args->reason);
	if (err == -ERANGE)
		args->failed = first_outside(sa, args->start);
	if (err)
		return err;

	err = drm_svm_atomic_take(sa, args->start, args->start + args->length, 0, NULL,
				  &outcome);
	args->pages = outcome.pages;
	args->failed = outcome.failed;
	args->next = outcome.next;
	args->reason = outcome.reason;
	return err;
}
EXPORT_SYMBOL_GPL(drm_svm_atomic_acquire_ioctl);

/**
 * drm_svm_atomic_release_ioctl() - DRM_SVM_ATOMIC_RELEASE
 * @sa: the client, or NULL
 * @data: struct drm_svm_atomic_release
 *
 * Return: as the ioctl.
 */
int drm_svm_atomic_release_ioctl(struct drm_svm_atomic *sa, void *data)
{
	struct drm_svm_atomic_release *args = data;
	int err;

	if (args->flags)
		return -EINVAL;
	args->pages = 0;
	err = check_call(sa, args->start, args->length, &args->reason);
	if (err)
		return err;

	err = mmap_read_lock_killable(sa->mm);
	if (err) {
		args->reason = DRM_SVM_ATOMIC_INTERRUPTED;
		return err;
	}
	/*
	 * With an owner that is not the client: a device fault may take pages
	 * meanwhile, and our notifier must hear of them, too.
	 */
	args->pages = restore_device_exclusive_range(sa->mm, args->start,
						     args->start + args->length,
						     &sa->chunks);
	mmap_read_unlock(sa->mm);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_svm_atomic_release_ioctl);

/**
 * drm_svm_atomic_set_policy_ioctl() - DRM_SVM_ATOMIC_SET_POLICY
 * @sa: the client, or NULL
 * @data: struct drm_svm_atomic_set_policy
 *
 * Return: as the ioctl.
 */
int drm_svm_atomic_set_policy_ioctl(struct drm_svm_atomic *sa, void *data)
{
	struct drm_svm_atomic_set_policy *args = data;
	int err;

	if (args->mode > DRM_SVM_ATOMIC_MODE_DENY || args->hold_ns > MAX_HOLD_NS ||
	    (args->hold_ns && args->mode != DRM_SVM_ATOMIC_MODE_HOLD))
		return -EINVAL;
	err = check_call(sa, args->start, args->length, &args->reason);
	if (err)
		return err;
	return set_policy(sa, args->start, args->start + args->length, args->mode,
			  args->hold_ns);
}
EXPORT_SYMBOL_GPL(drm_svm_atomic_set_policy_ioctl);

/**
 * drm_svm_atomic_get_policy_ioctl() - DRM_SVM_ATOMIC_GET_POLICY
 * @sa: the client, or NULL
 * @data: struct drm_svm_atomic_get_policy
 *
 * Return: as the ioctl.
 */
int drm_svm_atomic_get_policy_ioctl(struct drm_svm_atomic *sa, void *data)
{
	struct drm_svm_atomic_get_policy *args = data;
	int err = check_call(sa, args->start, args->length, &args->reason);

	if (err)
		return err;
	get_policy(sa, args->start, args->start + args->length, args);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_svm_atomic_get_policy_ioctl);

/**
 * drm_svm_atomic_query_ioctl() - DRM_SVM_ATOMIC_QUERY
 * @sa: the client, or NULL
 * @absent: why the driver cannot have one, DRM_SVM_ATOMIC_OK if it can
 * @data: struct drm_svm_atomic_query
 *
 * Return: as the ioctl.
 */
int drm_svm_atomic_query_ioctl(struct drm_svm_atomic *sa,
			       enum drm_svm_atomic_reason absent, void *data)
{
	struct drm_svm_atomic_query *args = data;

	if (args->flags)
		return -EINVAL;
	*args = (struct drm_svm_atomic_query){
		.version = DRM_SVM_ATOMIC_VERSION,
		.absent = absent ?: client_reason(sa),
		.max_hold_ns = MAX_HOLD_NS,
		.max_policies = MAX_POLICIES,
	};
	if (!absent)
		args->features = DRM_SVM_ATOMIC_FEATURE_FAULT |
				 DRM_SVM_ATOMIC_FEATURE_AROUND |
				 DRM_SVM_ATOMIC_FEATURE_EVENTS |
				 DRM_SVM_ATOMIC_FEATURE_HOLD;
	if (sa)
		args->default_hold_ns = default_hold_ns(sa);
	/* What a process does with its memory is its own business. */
	if (!sa || sa->mm != current->mm)
		return 0;

	args->start = sa->start;
	args->end = sa->end;
	args->cutout_start = sa->cutout_start;
	args->cutout_end = sa->cutout_end;
	args->policies = READ_ONCE(sa->npolicies);
	mutex_lock(&sa->lock);
	args->counters = sa->counters;
	mutex_unlock(&sa->lock);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_svm_atomic_query_ioctl);

/**
 * drm_svm_atomic_subscribe_ioctl() - DRM_SVM_ATOMIC_SUBSCRIBE
 * @sa: the client, or NULL
 * @data: struct drm_svm_atomic_subscribe
 *
 * Return: as the ioctl.
 */
int drm_svm_atomic_subscribe_ioctl(struct drm_svm_atomic *sa, void *data)
{
	struct drm_svm_atomic_subscribe *args = data;

	if (args->events & ~(DRM_SVM_ATOMIC_WANT_REVOKED | DRM_SVM_ATOMIC_WANT_REFUSED))
		return -EINVAL;
	args->reason = client_reason(sa);
	if (args->reason)
		return drm_svm_atomic_errno(args->reason);
	mutex_lock(&sa->lock);
	sa->events = args->events;
	mutex_unlock(&sa->lock);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_svm_atomic_subscribe_ioctl);

#if IS_ENABLED(CONFIG_DRM_SVM_ATOMIC_KUNIT_TEST)
#include "tests/drm_svm_atomic_test.c"
#endif

MODULE_DESCRIPTION("Exclusive access to shared virtual memory for devices' atomics");
MODULE_LICENSE("Dual MIT/GPL");
