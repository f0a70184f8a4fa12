// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What device-exclusive memory costs in the kernel itself: a driver with nothing behind
 * it, no page tables and no device, whose ioctls call the core and count instructions.
 * For measuring only; see exclusive_bench.h. Builds against Linux 6.12 with the series
 * and without.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/timex.h>
#include <linux/uaccess.h>

#ifdef HAVE_DEVICE_EXCLUSIVE_RANGE
#include <linux/device_exclusive.h>
#define HAVE_SERIES 1
#define RUN_PAGES   DEVICE_EXCLUSIVE_MAX_PAGES
#else
#define HAVE_SERIES 0
/* As many as test_hmm asks for at a time. */
#define RUN_PAGES   64
#endif

#include "exclusive_bench.h"

/* An open file, which is also the owner of what it takes. */
struct bench {
	struct mm_struct *mm;
	struct mutex ioctl;  /* one at a time */
	struct mutex device; /* what guards a driver's device page tables */
	struct mmu_interval_notifier notifier;
	bool watching;
	bool fault_around;
	atomic64_t own;
	atomic64_t others;
	struct page *pages[RUN_PAGES];
};

/* What reading the counter twice takes, the least of several times. */
static u64 counter_cost;

static void measure_counter(void)
{
	int i;

	counter_cost = U64_MAX;
	for (i = 0; i < 16; i++) {
		u64 began = get_cycles();
		u64 took = get_cycles() - began;

		counter_cost = min(counter_cost, took);
	}
}

static u64 counted_since(u64 began)
{
	return get_cycles() - began - counter_cost;
}

/*
 * Take the first pages of [@start, @end) and return how many, or a negative errno. They
 * come locked, in @b->pages, for drop_run().
 */
#ifdef HAVE_DEVICE_EXCLUSIVE_RANGE
static long take_run(struct bench *b, unsigned long start, unsigned long end)
{
	struct device_exclusive_range range = {
		.mm = b->mm,
		.start = start,
		.end = end,
		.owner = b,
		.pages = b->pages,
	};
	int err = make_device_exclusive_range(&range);

	if (!err)
		err = device_exclusive_errno(range.reason);
	return err ? err : range.npages;
}

static void drop_run(struct bench *b, long npages)
{
	struct device_exclusive_range range = {
		.pages = b->pages,
		.npages = npages,
		.reason = DEVICE_EXCLUSIVE_OK,
	};

	device_exclusive_range_unlock(&range);
}
#else
static void drop_run(struct bench *b, long npages)
{
	long i;

	for (i = 0; i < npages; i++) {
		if (!b->pages[i])
			continue;
		unlock_page(b->pages[i]);
		put_page(b->pages[i]);
	}
}

static long take_run(struct bench *b, unsigned long start, unsigned long end)
{
	long npages, i;

	end = min(end, start + RUN_PAGES * PAGE_SIZE);
	npages = make_device_exclusive_range(b->mm, start, end, b->pages, b);
	if (npages < 0)
		return npages;
	for (i = 0; i < npages; i++) {
		if (!b->pages[i]) {
			drop_run(b, npages);
			return -EBUSY;
		}
	}
	return npages ? npages : -EBUSY;
}
#endif

static bool range_valid(u64 addr, u64 npages)
{
	u64 end;

	return npages && PAGE_ALIGNED(addr) && npages <= ULONG_MAX >> PAGE_SHIFT &&
	       !check_add_overflow(addr, npages << PAGE_SHIFT, &end) && end <= TASK_SIZE;
}

static long bench_take(struct bench *b, struct exclusive_bench_range *cmd)
{
	unsigned long start = cmd->addr, end = start + (cmd->npages << PAGE_SHIFT);
	long run = 0;
	u64 began;

	if (!range_valid(cmd->addr, cmd->npages))
		return -EINVAL;

	mmap_read_lock(b->mm);
	began = get_cycles();
	while (start < end) {
		run = take_run(b, start, end);
		if (run < 0)
			break;
		drop_run(b, run);
		start += run << PAGE_SHIFT;
	}
	cmd->instructions = counted_since(began);
	mmap_read_unlock(b->mm);
	cmd->done = (start - cmd->addr) >> PAGE_SHIFT;
	return min(run, 0L);
}

static long bench_restore(struct bench *b, struct exclusive_bench_range *cmd)
{
#ifdef HAVE_DEVICE_EXCLUSIVE_RANGE
	unsigned long start = cmd->addr, end = start + (cmd->npages << PAGE_SHIFT);
	u64 began;

	if (!range_valid(cmd->addr, cmd->npages))
		return -EINVAL;

	mmap_read_lock(b->mm);
	began = get_cycles();
	cmd->done = restore_device_exclusive_range(b->mm, start, end, b);
	cmd->instructions = counted_since(began);
	mmap_read_unlock(b->mm);
	return 0;
#else
	return -EOPNOTSUPP;
#endif
}

static bool bench_invalidate(struct mmu_interval_notifier *notifier,
			     const struct mmu_notifier_range *range, unsigned long seq)
{
	struct bench *b = container_of(notifier, struct bench, notifier);

	/* What a driver does itself is no collision with anybody. */
	if (range->event == MMU_NOTIFY_EXCLUSIVE && range->owner == b) {
		atomic64_inc(&b->own);
		return true;
	}

	if (mmu_notifier_range_blockable(range))
		mutex_lock(&b->device);
	else if (!mutex_trylock(&b->device))
		return false;
	mmu_interval_set_seq(notifier, seq);
	mutex_unlock(&b->device);
	atomic64_inc(&b->others);
	return true;
}

#ifdef HAVE_DEVICE_EXCLUSIVE_RANGE
static bool bench_window(struct mmu_interval_notifier *notifier, unsigned long address,
			 unsigned long *start, unsigned long *end)
{
	struct bench *b = container_of(notifier, struct bench, notifier);

	return b->fault_around;
}
#endif

static const struct mmu_interval_notifier_ops bench_notifier_ops = {
	.invalidate = bench_invalidate,
#ifdef HAVE_DEVICE_EXCLUSIVE_RANGE
	.exclusive_window = bench_window,
#endif
};

static void bench_unwatch(struct bench *b)
{
	if (b->watching)
		mmu_interval_notifier_remove(&b->notifier);
	b->watching = false;
}

static long bench_watch(struct bench *b, u64 addr, u64 npages)
{
	long err;

	bench_unwatch(b);
	atomic64_set(&b->own, 0);
	atomic64_set(&b->others, 0);
	if (!npages)
		return 0;
	if (!range_valid(addr, npages))
		return -EINVAL;
	err = mmu_interval_notifier_insert(&b->notifier, b->mm, addr, npages << PAGE_SHIFT,
					   &bench_notifier_ops);
	b->watching = !err;
	return err;
}

static long bench_ioctl_watch(struct bench *b, struct exclusive_bench_watch *cmd)
{
	cmd->own = atomic64_read(&b->own);
	cmd->others = atomic64_read(&b->others);
	b->fault_around = cmd->fault_around;
	return bench_watch(b, cmd->addr, cmd->npages);
}

/* One attempt: 1 if the page is ours and may be mapped, 0 if something got in between. */
static long loop_attempt(struct bench *b, unsigned long addr, bool lose)
{
	unsigned long seq;
	bool collided;
	long run;

	seq = mmu_interval_read_begin(&b->notifier);
	mmap_read_lock(b->mm);
	run = take_run(b, addr, addr + PAGE_SIZE);
	mmap_read_unlock(b->mm);
	if (run < 0)
		return run;

	mutex_lock(&b->device);
	collided = mmu_interval_read_retry(&b->notifier, seq) || lose;
	/* Here a driver would map the page, if nothing collided. */
	mutex_unlock(&b->device);
	drop_run(b, run);
	return !collided;
}

static long bench_loop(struct bench *b, struct exclusive_bench_loop *cmd)
{
	long ret;

	cmd->attempts = 0;
	cmd->lost = 0;
	cmd->taken = 0;
	ret = bench_watch(b, cmd->addr, 1);
	while (!ret && cmd->attempts < EXCLUSIVE_BENCH_ATTEMPTS) {
		ret = loop_attempt(b, cmd->addr, !cmd->attempts);
		if (!ret && cmd->attempts)
			cmd->lost++;
		cmd->attempts++;
	}
	bench_unwatch(b);
	if (ret < 0)
		return ret;
	cmd->taken = ret;
	return 0;
}

static long bench_command(struct bench *b, unsigned int command, void *arg)
{
	switch (command) {
	case EXCLUSIVE_BENCH_SERIES:
		return HAVE_SERIES;
	case EXCLUSIVE_BENCH_TAKE:
		return bench_take(b, arg);
	case EXCLUSIVE_BENCH_RESTORE:
		return bench_restore(b, arg);
	case EXCLUSIVE_BENCH_WATCH:
		return bench_ioctl_watch(b, arg);
	case EXCLUSIVE_BENCH_LOOP:
		return bench_loop(b, arg);
	}
	return -ENOTTY;
}

static long bench_ioctl(struct file *file, unsigned int command, unsigned long arg)
{
	struct bench *b = file->private_data;
	void __user *user = (void __user *)arg;
	union {
		struct exclusive_bench_range range;
		struct exclusive_bench_watch watch;
		struct exclusive_bench_loop loop;
	} cmd;
	long ret;

	if (_IOC_SIZE(command) > sizeof(cmd))
		return -ENOTTY;
	/* The file may have been inherited; the notifier was not. */
	if (current->mm != b->mm)
		return -EINVAL;
	if (copy_from_user(&cmd, user, _IOC_SIZE(command)))
		return -EFAULT;

	mutex_lock(&b->ioctl);
	ret = bench_command(b, command, &cmd);
	mutex_unlock(&b->ioctl);

	/* What was done before a failure is told, too. */
	if (ret != -ENOTTY && copy_to_user(user, &cmd, _IOC_SIZE(command)))
		return -EFAULT;
	return ret;
}

static int bench_open(struct inode *inode, struct file *file)
{
	struct bench *b = kvzalloc(sizeof(*b), GFP_KERNEL);

	if (!b)
		return -ENOMEM;
	mutex_init(&b->ioctl);
	mutex_init(&b->device);
	b->mm = current->mm;
	mmgrab(b->mm);
	file->private_data = b;
	return 0;
}

static int bench_release(struct inode *inode, struct file *file)
{
	struct bench *b = file->private_data;

	bench_unwatch(b);
	mmdrop(b->mm);
	kvfree(b);
	return 0;
}

static const struct file_operations bench_fops = {
	.owner = THIS_MODULE,
	.open = bench_open,
	.release = bench_release,
	.unlocked_ioctl = bench_ioctl,
};

static struct miscdevice bench_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "exclusive_bench",
	.fops = &bench_fops,
	/* It can hold folio locks for long and serves to measure: for root. */
	.mode = 0600,
};

static int __init bench_init(void)
{
	measure_counter();
	return misc_register(&bench_device);
}

static void __exit bench_exit(void)
{
	misc_deregister(&bench_device);
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("Measure device-exclusive memory");
MODULE_LICENSE("Dual MIT/GPL");
