// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * KUnit tests of what drm_svm_atomic.c decides by itself, without a device or a
 * process: policies and how they aggregate, holds and turns, what is shared, what is
 * lost. Included there, as all of it is static.
 */
#include <kunit/test.h>
#include <linux/mman.h>
#include <linux/workqueue.h>

#define PAGES(n) ((n) * PAGE_SIZE)

static unsigned long unmapped_start, unmapped_end;

static void fake_unmap(struct drm_svm_atomic *sa, unsigned long start, unsigned long end)
{
	unmapped_start = start;
	unmapped_end = end;
}

static const struct drm_svm_atomic_ops fake_ops = {
	.unmap = fake_unmap,
};

static int svm_atomic_test_init(struct kunit *test)
{
	struct drm_svm_atomic *sa = kunit_kzalloc(test, sizeof(*sa), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sa);
	/* For the address space that comes with it. */
	KUNIT_ASSERT_NE(test, 0, kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ,
					       MAP_PRIVATE | MAP_ANONYMOUS, 0));
	KUNIT_ASSERT_EQ(test, 0, drm_svm_atomic_init(sa, NULL, NULL, current->mm,
						     PAGES(100), PAGES(10), &fake_ops));
	test->priv = sa;
	return 0;
}

static void svm_atomic_test_exit(struct kunit *test)
{
	drm_svm_atomic_fini(test->priv);
}

static struct drm_svm_atomic_chunk *fake_chunk(struct kunit *test)
{
	struct drm_svm_atomic_chunk *chunk =
		kunit_kzalloc(test, sizeof(*chunk), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, chunk);
	chunk->sa = test->priv;
	return chunk;
}

static struct drm_svm_atomic_get_policy aggregate(struct kunit *test, unsigned long first,
						  unsigned long behind)
{
	struct drm_svm_atomic_get_policy args = {};

	get_policy(test->priv, PAGES(first), PAGES(behind), &args);
	return args;
}

static void set(struct kunit *test, unsigned long first, unsigned long behind,
		enum drm_svm_atomic_mode mode, u64 hold_ns, unsigned int nranges)
{
	struct drm_svm_atomic *sa = test->priv;

	KUNIT_EXPECT_EQ(test, 0, set_policy(sa, PAGES(first), PAGES(behind), mode, hold_ns));
	KUNIT_EXPECT_EQ(test, nranges, sa->npolicies);
}

static void policy_default(struct kunit *test)
{
	struct drm_svm_atomic_get_policy got = aggregate(test, 0, 1UL << 35);

	KUNIT_EXPECT_EQ(test, got.modes, 1 << DRM_SVM_ATOMIC_MODE_DEFAULT);
	KUNIT_EXPECT_EQ(test, got.min_hold_ns, DEFAULT_HOLD_NS);
	KUNIT_EXPECT_EQ(test, got.max_hold_ns, DEFAULT_HOLD_NS);
}

static void policy_default_of_driver(struct kunit *test)
{
	static const struct drm_svm_atomic_ops patient = { .hold_ns = 12345 };
	struct drm_svm_atomic *sa = test->priv;
	struct drm_svm_atomic_get_policy got;

	sa->ops = &patient;
	set(test, 10, 20, DRM_SVM_ATOMIC_MODE_HOLD, 5, 1);
	got = aggregate(test, 0, 30);
	KUNIT_EXPECT_EQ(test, got.min_hold_ns, 5);
	KUNIT_EXPECT_EQ(test, got.max_hold_ns, 12345);
}

/* Setting a range splits, covers and joins others; their number is what is left. */
static void policy_ranges(struct kunit *test)
{
	unsigned long last;

	set(test, 10, 20, DRM_SVM_ATOMIC_MODE_HOLD, 5, 1);
	set(test, 12, 14, DRM_SVM_ATOMIC_MODE_DENY, 0, 3);
	set(test, 30, 40, DRM_SVM_ATOMIC_MODE_HOLD, 7, 4);
	KUNIT_EXPECT_EQ(test, policy_at(test->priv, 9, &last).mode, DRM_SVM_ATOMIC_MODE_DEFAULT);
	KUNIT_EXPECT_EQ(test, last, 9);
	KUNIT_EXPECT_EQ(test, policy_at(test->priv, 10, &last).hold_ns, 5);
	KUNIT_EXPECT_EQ(test, last, 11);
	KUNIT_EXPECT_EQ(test, policy_at(test->priv, 13, &last).mode, DRM_SVM_ATOMIC_MODE_DENY);
	KUNIT_EXPECT_EQ(test, policy_at(test->priv, 19, &last).hold_ns, 5);
	KUNIT_EXPECT_EQ(test, policy_at(test->priv, 20, &last).mode, DRM_SVM_ATOMIC_MODE_DEFAULT);
	KUNIT_EXPECT_EQ(test, last, 29);
	/* A hole across two, a cover of three. */
	set(test, 15, 35, DRM_SVM_ATOMIC_MODE_DEFAULT, 0, 4);
	KUNIT_EXPECT_EQ(test, policy_at(test->priv, 34, &last).mode, DRM_SVM_ATOMIC_MODE_DEFAULT);
	KUNIT_EXPECT_EQ(test, policy_at(test->priv, 35, &last).hold_ns, 7);
	set(test, 0, 38, DRM_SVM_ATOMIC_MODE_HOLD, 1, 2);
	set(test, 0, 1000, DRM_SVM_ATOMIC_MODE_DEFAULT, 0, 0);
}

static void policy_aggregation(struct kunit *test)
{
	struct drm_svm_atomic_get_policy got;

	set(test, 10, 20, DRM_SVM_ATOMIC_MODE_HOLD, 5, 1);
	set(test, 20, 30, DRM_SVM_ATOMIC_MODE_HOLD, MAX_HOLD_NS, 2);
	set(test, 40, 50, DRM_SVM_ATOMIC_MODE_DENY, 0, 3);
	got = aggregate(test, 15, 25);
	KUNIT_EXPECT_EQ(test, got.modes, 1 << DRM_SVM_ATOMIC_MODE_HOLD);
	KUNIT_EXPECT_EQ(test, got.min_hold_ns, 5);
	KUNIT_EXPECT_EQ(test, got.max_hold_ns, MAX_HOLD_NS);
	got = aggregate(test, 20, 41);
	KUNIT_EXPECT_EQ(test, got.modes, 1 << DRM_SVM_ATOMIC_MODE_DEFAULT |
			1 << DRM_SVM_ATOMIC_MODE_HOLD | 1 << DRM_SVM_ATOMIC_MODE_DENY);
	KUNIT_EXPECT_EQ(test, got.min_hold_ns, DEFAULT_HOLD_NS);
	/* What is denied is not held at all, and not for no time either. */
	got = aggregate(test, 42, 43);
	KUNIT_EXPECT_EQ(test, got.modes, 1 << DRM_SVM_ATOMIC_MODE_DENY);
	KUNIT_EXPECT_EQ(test, got.min_hold_ns, 0);
	KUNIT_EXPECT_EQ(test, got.max_hold_ns, 0);
}

static void policy_limit(struct kunit *test)
{
	struct drm_svm_atomic *sa = test->priv;

	set(test, 10, 20, DRM_SVM_ATOMIC_MODE_HOLD, 5, 1);
	sa->npolicies = MAX_POLICIES;
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			set_policy(sa, PAGES(30), PAGES(31), DRM_SVM_ATOMIC_MODE_DENY, 0));
	/* Another one in the midst of a range makes three of it. */
	sa->npolicies = MAX_POLICIES - 1;
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			set_policy(sa, PAGES(12), PAGES(13), DRM_SVM_ATOMIC_MODE_DENY, 0));
	KUNIT_EXPECT_EQ(test, 0,
			set_policy(sa, PAGES(10), PAGES(13), DRM_SVM_ATOMIC_MODE_DENY, 0));
	sa->npolicies = 2;
}

static void deadlines(struct kunit *test)
{
	struct drm_svm_atomic_chunk *chunk = fake_chunk(test);
	struct drm_svm_atomic *sa = test->priv;

	set(test, 2, 3, DRM_SVM_ATOMIC_MODE_HOLD, 1000, 1);
	chunk->stamp[1] = 100;
	chunk->stamp[2] = 200;
	chunk->stamp[3] = -5000;
	mutex_lock(&sa->lock);
	KUNIT_EXPECT_EQ(test, deadline_of(chunk, 0, PAGES(1), true), 0);
	KUNIT_EXPECT_EQ(test, deadline_of(chunk, 0, PAGES(2), true), 100 + DEFAULT_HOLD_NS);
	KUNIT_EXPECT_EQ(test, deadline_of(chunk, PAGES(2), PAGES(3), true), 1200);
	KUNIT_EXPECT_EQ(test, deadline_of(chunk, 0, PAGES(4), true), 100 + DEFAULT_HOLD_NS);
	KUNIT_EXPECT_EQ(test, deadline_of(chunk, 0, PAGES(4), false), 5000 + DEFAULT_HOLD_NS);
	KUNIT_EXPECT_EQ(test, deadline_of(chunk, 0, PAGES(3), false), 0);
	mutex_unlock(&sa->lock);
}

static void losses(struct kunit *test)
{
	struct drm_svm_atomic_chunk *chunk = fake_chunk(test);
	struct drm_svm_atomic *sa = test->priv;
	u64 now = ktime_get_ns();

	chunk->stamp[1] = now;
	chunk->stamp[2] = 1;
	chunk->stamp[3] = -7;
	chunk->stamp[9] = now;
	mutex_lock(&sa->lock);
	lose_pages(chunk, PAGES(0), PAGES(9), DRM_SVM_ATOMIC_BY_CPU);
	KUNIT_EXPECT_EQ(test, sa->counters.revoked[DRM_SVM_ATOMIC_BY_CPU], 2);
	KUNIT_EXPECT_EQ(test, sa->counters.held[min(ilog2(now), 31)], 1);
	KUNIT_EXPECT_LE(test, chunk->stamp[1], -(s64)now);
	KUNIT_EXPECT_EQ(test, chunk->stamp[3], -7);
	KUNIT_EXPECT_EQ(test, chunk->stamp[9], now);
	lose_pages(chunk, PAGES(9), PAGES(10), DRM_SVM_ATOMIC_BY_KERNEL);
	KUNIT_EXPECT_EQ(test, chunk->stamp[9], 0);
	KUNIT_EXPECT_EQ(test, sa->counters.revoked[DRM_SVM_ATOMIC_BY_KERNEL], 1);
	mutex_unlock(&sa->lock);
}

/* Another thread's device, which gets a page that somebody waits for. */
struct getting {
	struct work_struct work;
	struct drm_svm_atomic_chunk *chunk;
	s64 stamp;
};

static void get_again(struct work_struct *work)
{
	struct getting *getting = container_of(work, struct getting, work);

	mutex_lock(&getting->chunk->sa->lock);
	getting->chunk->stamp[1] = getting->stamp;
	mutex_unlock(&getting->chunk->sa->lock);
}

/* Whoever waited for one hold does not end the next. */
static void hold_begun_anew(struct kunit *test)
{
	struct drm_svm_atomic *sa = test->priv;
	struct getting getting = { .chunk = fake_chunk(test) };
	s64 now = ktime_get_ns();

	INIT_WORK_ONSTACK(&getting.work, get_again);
	set(test, 1, 2, DRM_SVM_ATOMIC_MODE_HOLD, MAX_HOLD_NS, 1);
	getting.chunk->stamp[1] = now;
	getting.stamp = now + MAX_HOLD_NS / 2;
	mutex_lock(&sa->lock);
	schedule_work(&getting.work);
	wait_for_hold(getting.chunk, PAGES(1), PAGES(2));
	lockdep_assert_held(&sa->lock);
	KUNIT_EXPECT_LE(test, deadline_of(getting.chunk, PAGES(1), PAGES(2), true),
			ktime_get_ns());
	mutex_unlock(&sa->lock);
	flush_work(&getting.work);
	destroy_work_on_stack(&getting.work);
}

static void windows(struct kunit *test)
{
	struct drm_svm_atomic_chunk *chunk = fake_chunk(test);
	unsigned long start = 0, end = PAGES(16);

	KUNIT_EXPECT_FALSE(test, chunk_window(&chunk->notifier, PAGES(5), &start, &end));
	chunk->stamp[3] = 1;
	chunk->stamp[4] = 1;
	chunk->stamp[5] = ktime_get_ns();
	chunk->stamp[6] = ktime_get_ns() + NSEC_PER_SEC;
	KUNIT_EXPECT_TRUE(test, chunk_window(&chunk->notifier, PAGES(5), &start, &end));
	KUNIT_EXPECT_EQ(test, start, PAGES(3));
	KUNIT_EXPECT_EQ(test, end, PAGES(6));
}

static void sharing(struct kunit *test)
{
	struct drm_svm_atomic *sa = test->priv;
	unsigned long top = TASK_SIZE_MAX & PAGE_MASK;

	KUNIT_EXPECT_TRUE(test, drm_svm_atomic_shares(sa, 0, PAGES(100)));
	KUNIT_EXPECT_FALSE(test, drm_svm_atomic_shares(sa, 0, PAGES(101)));
	KUNIT_EXPECT_FALSE(test, drm_svm_atomic_shares(sa, PAGES(109), PAGES(111)));
	KUNIT_EXPECT_TRUE(test, drm_svm_atomic_shares(sa, PAGES(110), top));
	KUNIT_EXPECT_FALSE(test, drm_svm_atomic_shares(sa, PAGES(110), top + PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, first_outside(sa, PAGES(1)), PAGES(100));
	KUNIT_EXPECT_EQ(test, first_outside(sa, PAGES(105)), PAGES(105));
	KUNIT_EXPECT_EQ(test, first_outside(sa, PAGES(110)), top);
	KUNIT_EXPECT_EQ(test, first_outside(sa, top + PAGES(5)), top + PAGES(5));
}

static void bad_cutouts(struct kunit *test)
{
	struct drm_svm_atomic *sa = kunit_kzalloc(test, sizeof(*sa), GFP_KERNEL);
	unsigned long top = TASK_SIZE_MAX & PAGE_MASK;

	KUNIT_ASSERT_NOT_NULL(test, sa);
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_svm_atomic_init(sa, NULL, NULL, current->mm, 1,
							   PAGE_SIZE, &fake_ops));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_svm_atomic_init(sa, NULL, NULL, current->mm, 0, 1,
							   &fake_ops));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_svm_atomic_init(sa, NULL, NULL, current->mm, top,
							   PAGE_SIZE, &fake_ops));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_svm_atomic_init(sa, NULL, NULL, current->mm,
							   -PAGE_SIZE, 2 * PAGE_SIZE,
							   &fake_ops));
}

/* Each reason is told by an errno, and only success by none. */
static void errnos_of_reasons(struct kunit *test)
{
	enum drm_svm_atomic_reason reason;

	KUNIT_EXPECT_EQ(test, 0, drm_svm_atomic_errno(DRM_SVM_ATOMIC_OK));
	for (reason = 1; reason <= DRM_SVM_ATOMIC_HARDWARE; reason++) {
		KUNIT_EXPECT_LT(test, drm_svm_atomic_errno(reason), 0);
		KUNIT_EXPECT_NE(test, drm_svm_atomic_errno(reason), -EINVAL);
	}
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_svm_atomic_errno(reason));
}

static void a_lost_device(struct kunit *test)
{
	struct drm_svm_atomic *sa = test->priv;

	drm_svm_atomic_lose(sa);
	KUNIT_EXPECT_EQ(test, unmapped_start, sa->start);
	KUNIT_EXPECT_EQ(test, unmapped_end, sa->end);
	KUNIT_EXPECT_TRUE(test, sa->lost);
}

static struct kunit_case svm_atomic_cases[] = {
	KUNIT_CASE(policy_default),
	KUNIT_CASE(policy_default_of_driver),
	KUNIT_CASE(policy_ranges),
	KUNIT_CASE(policy_aggregation),
	KUNIT_CASE(policy_limit),
	KUNIT_CASE(deadlines),
	KUNIT_CASE(losses),
	KUNIT_CASE(hold_begun_anew),
	KUNIT_CASE(windows),
	KUNIT_CASE(sharing),
	KUNIT_CASE(bad_cutouts),
	KUNIT_CASE(errnos_of_reasons),
	KUNIT_CASE(a_lost_device),
	{}
};

static struct kunit_suite svm_atomic_suite = {
	.name = "drm_svm_atomic",
	.init = svm_atomic_test_init,
	.exit = svm_atomic_test_exit,
	.test_cases = svm_atomic_cases,
};

kunit_test_suite(svm_atomic_suite);
