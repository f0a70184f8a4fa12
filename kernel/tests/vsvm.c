// SPDX-License-Identifier: MIT
/*
 * The ioctls of svm_atomic.h, as vsvm has them, and its engines: what is refused and
 * why, that no addition by a CPU or a device is lost, and that each side makes progress.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <drm/vsvm_drm.h>

#include "kselftest_harness.h"

#define PAGE	    4096UL
#define NPAGES	    64UL
#define AREA_SIZE   (NPAGES * PAGE)
#define CUTOUT	    0x600000000000UL
#define CUTOUT_SIZE 0x400000UL

#define IOCTL(name) DRM_IOCTL_SVM_ATOMIC_##name(DRM_VSVM_SVM_ATOMIC_BASE)

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static int call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

/* --- The calls --- */

static int open_device(int i)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/dri/renderD%d", 128 + i);
	return open(path, O_RDWR | O_CLOEXEC);
}

static int bind_file(int fd)
{
	struct drm_vsvm_init args = { CUTOUT, CUTOUT_SIZE };

	return call(fd, DRM_IOCTL_VSVM_INIT, &args);
}

static struct drm_svm_atomic_acquire acquired;

static int acquire(int fd, void *start, uint64_t length)
{
	acquired = (struct drm_svm_atomic_acquire){ .start = (uintptr_t)start, .length = length };
	return call(fd, IOCTL(ACQUIRE), &acquired);
}

static struct drm_svm_atomic_release released;

static int release(int fd, void *start, uint64_t length)
{
	released = (struct drm_svm_atomic_release){ .start = (uintptr_t)start, .length = length };
	return call(fd, IOCTL(RELEASE), &released);
}

static int set_policy(int fd, void *start, uint64_t length, uint32_t mode, uint64_t hold_ns)
{
	struct drm_svm_atomic_set_policy args = {
		.start = (uintptr_t)start, .length = length, .mode = mode, .hold_ns = hold_ns
	};

	return call(fd, IOCTL(SET_POLICY), &args);
}

static struct drm_svm_atomic_get_policy policy;

static int get_policy(int fd, void *start, uint64_t length)
{
	policy = (struct drm_svm_atomic_get_policy){ .start = (uintptr_t)start, .length = length };
	return call(fd, IOCTL(GET_POLICY), &policy);
}

static struct drm_svm_atomic_query query;

static int do_query(int fd)
{
	query = (struct drm_svm_atomic_query){ 0 };
	return call(fd, IOCTL(QUERY), &query);
}

static int subscribe(int fd, uint32_t events)
{
	struct drm_svm_atomic_subscribe args = { .events = events };

	return call(fd, IOCTL(SUBSCRIBE), &args);
}

/* --- Engines --- */

enum command {
	IDLE,
	ADD,	   /* count times one to a word, atomically */
	ADD_UNTIL, /* as long as stop is not set */
	PLAIN_ADD, /* one to a word, by an instruction that reads and then writes */
	READ,	   /* a word */
	QUIT,
};

struct control {
	atomic_int ready;
	atomic_int command;
	atomic_int stop;
	size_t offset;
	uint64_t count;
	uint64_t value;
	atomic_ullong done;
	atomic_ullong worst_ns;
};

struct engine {
	pid_t pid;
	struct control *control;
};

/* Add one, count it, and remember the longest that took. */
static void add_one(_Atomic uint64_t *word, atomic_ullong *done, atomic_ullong *worst_ns)
{
	uint64_t began = now_ns(), took;

	atomic_fetch_add(word, 1);
	took = now_ns() - began;
	if (took > *worst_ns)
		*worst_ns = took;
	++*done;
}

static void obey(struct control *control, char *area)
{
	_Atomic uint64_t *word = (void *)(area + control->offset);
	uint64_t i;

	switch (control->command) {
	case ADD:
		for (i = 0; i < control->count; i++)
			atomic_fetch_add(word, 1);
		break;
	case ADD_UNTIL:
		while (!control->stop)
			add_one(word, &control->done, &control->worst_ns);
		break;
	case PLAIN_ADD:
		__asm__ volatile("incq %0" : "+m"(*(uint64_t *)word));
		break;
	case READ:
		control->value = atomic_load(word);
		break;
	case QUIT:
		_exit(0);
	}
}

static void be_engine(struct control *control, int fd, void *client, size_t size)
{
	char *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)client);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (area == MAP_FAILED)
		_exit(100 + errno);
	control->ready = 1;
	for (;;) {
		while (control->command == IDLE)
			sched_yield();
		obey(control, area);
		control->command = IDLE;
	}
}

static int start_engine(struct engine *engine, int fd, void *client, size_t size)
{
	int status;

	engine->control =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (engine->control == MAP_FAILED)
		return -errno;
	engine->pid = fork();
	if (!engine->pid)
		be_engine(engine->control, fd, client, size);
	while (!engine->control->ready) {
		if (waitpid(engine->pid, &status, WNOHANG) == engine->pid)
			return WIFEXITED(status) ? 100 - WEXITSTATUS(status) : -EIO;
		sched_yield();
	}
	return 0;
}

static void tell(struct engine *engine, enum command command, size_t offset, uint64_t count)
{
	engine->control->offset = offset;
	engine->control->count = count;
	engine->control->command = command;
}

/* Return: 0 once the engine has obeyed, or the signal that it died of. */
static int await(struct engine *engine)
{
	int status;

	while (engine->control->command != IDLE) {
		if (waitpid(engine->pid, &status, WNOHANG) == engine->pid) {
			engine->pid = 0;
			return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
		}
		sched_yield();
	}
	return 0;
}

static int engine_add(struct engine *engine, size_t offset, uint64_t count)
{
	tell(engine, ADD, offset, count);
	return await(engine);
}

static void stop_engine(struct engine *engine)
{
	if (engine->pid > 0) {
		kill(engine->pid, SIGKILL);
		waitpid(engine->pid, NULL, 0);
	}
	munmap(engine->control, PAGE);
}

/* --- Fixture --- */

FIXTURE(vsvm)
{
	int fd;
	char *area;
	struct engine engine;
};

/*
 * Aligned to its size, so that it never lies in two of the blocks of 2 MiB that a
 * range is worked through by: what is counted per mapping is counted per block.
 */
static char *map_area(void)
{
	char *map = mmap(NULL, 2 * AREA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	size_t before = -(uintptr_t)map % AREA_SIZE;
	char *area = map + before;

	munmap(map, before);
	munmap(area + AREA_SIZE, AREA_SIZE - before);
	/* An engine is a child, and is to have no part in its client's pages. */
	madvise(area, AREA_SIZE, MADV_DONTFORK);
	memset(area, 0, AREA_SIZE);
	return area;
}

FIXTURE_SETUP(vsvm)
{
	self->fd = open_device(0);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, bind_file(self->fd));
	self->area = map_area();
	ASSERT_EQ(0, start_engine(&self->engine, self->fd, self->area, AREA_SIZE));
}

FIXTURE_TEARDOWN(vsvm)
{
	stop_engine(&self->engine);
	munmap(self->area, AREA_SIZE);
	close(self->fd);
}

static uint64_t word_at(char *area, size_t offset)
{
	return *(volatile uint64_t *)(area + offset);
}

/* --- Clients --- */

TEST(unbound)
{
	int fd = open_device(0);
	char *area = map_area();

	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENXIO, acquire(fd, area, PAGE));
	EXPECT_EQ(DRM_SVM_ATOMIC_NO_CLIENT, acquired.reason);
	EXPECT_EQ(-ENXIO, release(fd, area, PAGE));
	EXPECT_EQ(-ENXIO, set_policy(fd, area, PAGE, DRM_SVM_ATOMIC_MODE_DENY, 0));
	EXPECT_EQ(-ENXIO, get_policy(fd, area, PAGE));
	EXPECT_EQ(-ENXIO, subscribe(fd, DRM_SVM_ATOMIC_WANT_REVOKED));
	EXPECT_EQ(0, do_query(fd));
	EXPECT_EQ(DRM_SVM_ATOMIC_VERSION, query.version);
	EXPECT_EQ(DRM_SVM_ATOMIC_NO_CLIENT, query.absent);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, (off_t)area));
	EXPECT_EQ(ENXIO, errno);
	close(fd);
}

TEST(bind)
{
	struct drm_vsvm_init bad[] = {
		{ CUTOUT + 1, CUTOUT_SIZE },
		{ CUTOUT, CUTOUT_SIZE + 1 },
		{ -PAGE, 2 * PAGE },
	};
	int fd = open_device(0);
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		EXPECT_EQ(-EINVAL, call(fd, DRM_IOCTL_VSVM_INIT, &bad[i]));
	EXPECT_EQ(0, bind_file(fd));
	EXPECT_EQ(-EBUSY, bind_file(fd));
	EXPECT_EQ(0, do_query(fd));
	EXPECT_EQ(DRM_SVM_ATOMIC_OK, query.absent);
	EXPECT_EQ(CUTOUT, query.cutout_start);
	EXPECT_EQ(CUTOUT + CUTOUT_SIZE, query.cutout_end);
	EXPECT_LT(0, query.default_hold_ns);
	EXPECT_LE(query.default_hold_ns, query.max_hold_ns);
	close(fd);
}

/* Another process with the same file is not the client, and learns nothing of it. */
TEST_F(vsvm, foreign)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (acquire(self->fd, self->area, PAGE) != -ESRCH ||
		    acquired.reason != DRM_SVM_ATOMIC_FOREIGN)
			_exit(1);
		if (release(self->fd, self->area, PAGE) != -ESRCH ||
		    subscribe(self->fd, 0) != -ESRCH)
			_exit(2);
		if (do_query(self->fd) || query.absent != DRM_SVM_ATOMIC_FOREIGN || query.end)
			_exit(3);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* Whether a process that is an engine of @fd can still be a client, itself or its child. */
static int engine_binds(int fd, void *area)
{
	int other = open_device(0), status;
	pid_t pid;

	if (mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, (off_t)area) == MAP_FAILED)
		return 1;
	if (bind_file(other) != -EDEADLK)
		return 2;
	pid = fork();
	if (!pid)
		_exit(bind_file(other) ? 3 : 0);
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

TEST_F(vsvm, client_or_engine)
{
	int status, fd;
	pid_t pid = fork();

	if (!pid)
		_exit(engine_binds(self->fd, self->area));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);

	/* Of another file, that a child has bound, this process may not be an engine. */
	fd = open_device(0);
	ASSERT_LE(0, fd);
	pid = fork();
	if (!pid) {
		status = bind_file(fd);
		raise(SIGSTOP);
		_exit(status ? 1 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, (off_t)self->area));
	EXPECT_EQ(EDEADLK, errno);
	ASSERT_EQ(0, kill(pid, SIGCONT));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(fd);
}

TEST_F(vsvm, mmap_rules)
{
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->fd, (off_t)self->area));
	EXPECT_EQ(EDEADLK, errno);
	if (!fork()) {
		off_t end = 0x7ffffffff000;
		bool ok;

		ok = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, self->fd, (off_t)self->area) ==
			     MAP_FAILED &&
		     errno == EINVAL;
		ok = ok &&
		     mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->fd, CUTOUT) == MAP_FAILED &&
		     errno == ERANGE;
		ok = ok &&
		     mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, self->fd, CUTOUT - PAGE) ==
			     MAP_FAILED &&
		     errno == ERANGE;
		ok = ok && mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->fd, end) == MAP_FAILED &&
		     errno == ERANGE;
		_exit(ok ? 0 : 1);
	} else {
		int status;

		wait(&status);
		EXPECT_EQ(0, status);
	}
}

/* --- Ranges --- */

TEST_F(vsvm, arguments)
{
	struct drm_svm_atomic_acquire with_flags = { .start = (uintptr_t)self->area,
						     .length = PAGE,
						     .flags = 1 };
	char *area = self->area;

	EXPECT_EQ(-EINVAL, acquire(self->fd, area, 0));
	EXPECT_EQ(-EINVAL, acquire(self->fd, area + 1, PAGE));
	EXPECT_EQ(-EINVAL, acquire(self->fd, area, PAGE + 1));
	EXPECT_EQ(-EINVAL, acquire(self->fd, area, -PAGE));
	EXPECT_EQ(-EINVAL, acquire(self->fd, (void *)-PAGE, PAGE));
	EXPECT_EQ(-EINVAL, call(self->fd, IOCTL(ACQUIRE), &with_flags));
	EXPECT_EQ(-ERANGE, acquire(self->fd, area, 1UL << 63));
	EXPECT_EQ(DRM_SVM_ATOMIC_OUTSIDE, acquired.reason);
	EXPECT_EQ(CUTOUT < (uintptr_t)area ? 0x7ffffffff000 : CUTOUT, acquired.failed);
	EXPECT_EQ(-ERANGE, acquire(self->fd, (void *)(CUTOUT + PAGE), PAGE));
	EXPECT_EQ(CUTOUT + PAGE, acquired.failed);
	EXPECT_EQ(-ERANGE, acquire(self->fd, (void *)(CUTOUT - PAGE), 2 * PAGE));
	EXPECT_EQ(CUTOUT, acquired.failed);
	EXPECT_EQ(-ERANGE, acquire(self->fd, (void *)0xffff800000000000, PAGE));
	EXPECT_EQ(-EINVAL, release(self->fd, area, 0));
	EXPECT_EQ(-ERANGE, release(self->fd, (void *)CUTOUT, PAGE));
	EXPECT_EQ(-EFAULT, call(self->fd, IOCTL(ACQUIRE), (void *)8));
}

/* A caller that knows less, or more, of a structure than the kernel. */
TEST_F(vsvm, sizes)
{
	struct drm_svm_atomic_acquire args = { .start = (uintptr_t)self->area, .length = PAGE };
	unsigned long code = IOCTL(ACQUIRE);
	uint64_t longer[8] = { (uintptr_t)self->area, PAGE };

	code = _IOC(_IOC_READ | _IOC_WRITE, _IOC_TYPE(code), _IOC_NR(code), 16);
	EXPECT_EQ(0, call(self->fd, code, &args));
	EXPECT_EQ(0, args.pages);
	code = _IOC(_IOC_READ | _IOC_WRITE, _IOC_TYPE(code), _IOC_NR(code), sizeof(longer));
	EXPECT_EQ(0, call(self->fd, code, longer));
	EXPECT_EQ(1, longer[4]);
	EXPECT_EQ(-EINVAL, call(self->fd, DRM_IO(DRM_COMMAND_BASE + 0x30), NULL));
}

TEST_F(vsvm, acquire_release)
{
	EXPECT_EQ(0, acquire(self->fd, self->area, AREA_SIZE));
	EXPECT_EQ(NPAGES, acquired.pages);
	EXPECT_EQ(DRM_SVM_ATOMIC_OK, acquired.reason);
	EXPECT_EQ((uintptr_t)self->area + AREA_SIZE, acquired.failed);
	EXPECT_EQ(0, engine_add(&self->engine, 3 * PAGE, 5));
	EXPECT_EQ(0, release(self->fd, self->area, AREA_SIZE));
	EXPECT_EQ(NPAGES, released.pages);
	EXPECT_EQ(5, word_at(self->area, 3 * PAGE));
	EXPECT_EQ(0, release(self->fd, self->area, AREA_SIZE));
	EXPECT_EQ(0, released.pages);
	/* What was given back, the device takes by a fault. */
	EXPECT_EQ(0, engine_add(&self->engine, 3 * PAGE, 5));
	EXPECT_EQ(10, word_at(self->area, 3 * PAGE));
	ASSERT_EQ(0, do_query(self->fd));
	EXPECT_EQ(NPAGES + 1, query.counters.acquired);
	EXPECT_EQ(NPAGES, query.counters.revoked[DRM_SVM_ATOMIC_BY_RELEASE]);
	EXPECT_EQ(1, query.counters.revoked[DRM_SVM_ATOMIC_BY_CPU]);
}

TEST_F(vsvm, refused)
{
	char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *huge = mmap(NULL, 1 << 21, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	char *area = self->area;

	EXPECT_EQ(-EOPNOTSUPP, acquire(self->fd, shared, PAGE));
	EXPECT_EQ(DRM_SVM_ATOMIC_SHMEM, acquired.reason);
	if (huge != MAP_FAILED) {
		EXPECT_EQ(-EOPNOTSUPP, acquire(self->fd, huge, 1 << 21));
		EXPECT_EQ(DRM_SVM_ATOMIC_HUGETLB, acquired.reason);
	}
	/* Two holes: the first is told, what is between and behind is taken. */
	munmap(area + 4 * PAGE, PAGE);
	mprotect(area + 8 * PAGE, 2 * PAGE, PROT_READ);
	EXPECT_EQ(-EFAULT, acquire(self->fd, area, AREA_SIZE));
	EXPECT_EQ(DRM_SVM_ATOMIC_UNMAPPED, acquired.reason);
	EXPECT_EQ((uintptr_t)area + 4 * PAGE, acquired.failed);
	EXPECT_EQ(NPAGES - 3, acquired.pages);
	EXPECT_EQ(-EACCES, acquire(self->fd, area + 5 * PAGE, 4 * PAGE));
	EXPECT_EQ(DRM_SVM_ATOMIC_READONLY, acquired.reason);
	ASSERT_EQ(0, do_query(self->fd));
	EXPECT_EQ(1, query.counters.refused[DRM_SVM_ATOMIC_UNMAPPED]);
	EXPECT_EQ(2, query.counters.refused[DRM_SVM_ATOMIC_READONLY]);
	EXPECT_EQ(1, query.counters.refused[DRM_SVM_ATOMIC_SHMEM]);
}

/* However large a range is, what cannot be had costs neither time nor memory. */
TEST_F(vsvm, vast)
{
	uint64_t size = 1UL << 44, refusals = 0;
	char *vast =
		mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int i;

	ASSERT_NE(MAP_FAILED, vast);
	EXPECT_EQ(-EACCES, acquire(self->fd, vast, size));
	EXPECT_EQ(0, acquired.pages);
	EXPECT_EQ((uintptr_t)vast + size, acquired.next);
	EXPECT_NE(0, acquire(self->fd, (void *)PAGE, 1UL << 45));
	EXPECT_EQ(PAGE + (1UL << 45), acquired.next);
	ASSERT_EQ(0, do_query(self->fd));
	for (i = 0; i < 32; i++)
		refusals += query.counters.refused[i];
	EXPECT_GT(100, refusals);
}

/* --- Device faults --- */

TEST_F(vsvm, read_shared)
{
	*(volatile uint64_t *)self->area = 42;
	tell(&self->engine, READ, 0, 0);
	EXPECT_EQ(0, await(&self->engine));
	EXPECT_EQ(42, self->engine.control->value);
	ASSERT_EQ(0, do_query(self->fd));
	EXPECT_EQ(0, query.counters.acquired);
	/* A write by the device after it has read takes the page. */
	EXPECT_EQ(0, engine_add(&self->engine, 0, 1));
	ASSERT_EQ(0, do_query(self->fd));
	EXPECT_EQ(1, query.counters.acquired);
	EXPECT_EQ(43, word_at(self->area, 0));
	/* And what the CPU writes, the device reads. */
	*(volatile uint64_t *)self->area = 44;
	tell(&self->engine, READ, 0, 0);
	EXPECT_EQ(0, await(&self->engine));
	EXPECT_EQ(44, self->engine.control->value);
}

/* Not atomic, and so a read fault first, and a write fault in the same instruction. */
TEST_F(vsvm, plain_write)
{
	*(volatile uint64_t *)self->area = 41;
	tell(&self->engine, PLAIN_ADD, 0, 0);
	EXPECT_EQ(0, await(&self->engine));
	EXPECT_EQ(42, word_at(self->area, 0));
}

TEST_F(vsvm, coherent)
{
	char *shared = mmap(self->area, PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	ASSERT_EQ(self->area, shared);
	EXPECT_EQ(0, engine_add(&self->engine, 0, 7));
	EXPECT_EQ(7, word_at(shared, 0));
	ASSERT_EQ(0, do_query(self->fd));
	EXPECT_EQ(0, query.counters.acquired);
}

TEST_F(vsvm, bad_access)
{
	munmap(self->area + PAGE, PAGE);
	EXPECT_EQ(SIGSEGV, engine_add(&self->engine, PAGE, 1));
}

TEST_F(vsvm, readonly_access)
{
	mprotect(self->area, PAGE, PROT_READ);
	EXPECT_EQ(SIGSEGV, engine_add(&self->engine, 0, 1));
}

/* --- Policy --- */

TEST_F(vsvm, policy)
{
	char *area = self->area;

	EXPECT_EQ(0, get_policy(self->fd, area, AREA_SIZE));
	EXPECT_EQ(1 << DRM_SVM_ATOMIC_MODE_DEFAULT, policy.modes);
	EXPECT_EQ(0, set_policy(self->fd, area + 8 * PAGE, 8 * PAGE, DRM_SVM_ATOMIC_MODE_HOLD,
				100000));
	EXPECT_EQ(0, set_policy(self->fd, area + 10 * PAGE, PAGE, DRM_SVM_ATOMIC_MODE_HOLD, 0));
	EXPECT_EQ(0, set_policy(self->fd, area + 12 * PAGE, PAGE, DRM_SVM_ATOMIC_MODE_DENY, 0));
	ASSERT_EQ(0, do_query(self->fd));
	EXPECT_EQ(5, query.policies);
	EXPECT_EQ(0, get_policy(self->fd, area + 8 * PAGE, 8 * PAGE));
	EXPECT_EQ(1 << DRM_SVM_ATOMIC_MODE_HOLD | 1 << DRM_SVM_ATOMIC_MODE_DENY, policy.modes);
	EXPECT_EQ(0, policy.min_hold_ns);
	EXPECT_EQ(100000, policy.max_hold_ns);
	EXPECT_EQ(-EPERM, acquire(self->fd, area, AREA_SIZE));
	EXPECT_EQ(DRM_SVM_ATOMIC_DENIED, acquired.reason);
	EXPECT_EQ((uintptr_t)area + 12 * PAGE, acquired.failed);
	EXPECT_EQ(NPAGES - 1, acquired.pages);
	EXPECT_EQ(0, set_policy(self->fd, area, AREA_SIZE, DRM_SVM_ATOMIC_MODE_DEFAULT, 0));
	ASSERT_EQ(0, do_query(self->fd));
	EXPECT_EQ(0, query.policies);
	EXPECT_EQ(0, acquire(self->fd, area, AREA_SIZE));

	EXPECT_EQ(-EINVAL, set_policy(self->fd, area, PAGE, 3, 0));
	EXPECT_EQ(-EINVAL, set_policy(self->fd, area, PAGE, DRM_SVM_ATOMIC_MODE_DENY, 1));
	EXPECT_EQ(-EINVAL, set_policy(self->fd, area, PAGE, DRM_SVM_ATOMIC_MODE_HOLD,
				      query.max_hold_ns + 1));
}

TEST_F(vsvm, denied_access)
{
	EXPECT_EQ(0, set_policy(self->fd, self->area, PAGE, DRM_SVM_ATOMIC_MODE_DENY, 0));
	EXPECT_EQ(SIGSEGV, engine_add(&self->engine, 0, 1));
}

/*
 * The device keeps a page for as long as was asked for. Times are from before it had it,
 * so that a busy machine makes them longer only.
 */
TEST_F(vsvm, hold)
{
	uint64_t hold = 10000000, began = now_ns(), waits;

	EXPECT_EQ(0, set_policy(self->fd, self->area, PAGE, DRM_SVM_ATOMIC_MODE_HOLD, hold));
	EXPECT_EQ(0, acquire(self->fd, self->area, PAGE));
	word_at(self->area, 0);
	EXPECT_LE(hold, now_ns() - began);
	/* The device waits for the CPU's turn in turn. */
	EXPECT_EQ(0, engine_add(&self->engine, 0, 1));
	EXPECT_LE(2 * hold, now_ns() - began);
	ASSERT_EQ(0, do_query(self->fd));
	waits = query.counters.waits_cpu;
	EXPECT_GE(1, waits);
	/* Its mapping going away waits for nothing. */
	munmap(self->area, PAGE);
	ASSERT_EQ(0, do_query(self->fd));
	EXPECT_EQ(waits, query.counters.waits_cpu);
	EXPECT_EQ(1, query.counters.revoked[DRM_SVM_ATOMIC_BY_UNMAP]);
}

/* --- Events --- */

static int read_event(int fd, struct drm_svm_atomic_event *event)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	if (poll(&wait, 1, 10000) != 1)
		return -ETIMEDOUT;
	return read(fd, event, sizeof(*event)) == sizeof(*event) ? 0 : -EIO;
}

TEST_F(vsvm, events)
{
	struct drm_svm_atomic_event event;
	uint64_t before = now_ns();
	int i;

	EXPECT_EQ(-EINVAL, subscribe(self->fd, 4));
	ASSERT_EQ(0,
		  subscribe(self->fd, DRM_SVM_ATOMIC_WANT_REVOKED | DRM_SVM_ATOMIC_WANT_REFUSED));
	ASSERT_EQ(0, acquire(self->fd, self->area, 2 * PAGE));
	word_at(self->area, PAGE);
	ASSERT_EQ(0, read_event(self->fd, &event));
	EXPECT_EQ(DRM_SVM_ATOMIC_EVENT_REVOKED, event.base.type);
	EXPECT_EQ(DRM_SVM_ATOMIC_BY_CPU, event.why);
	EXPECT_LE((uintptr_t)self->area, event.start);
	EXPECT_LE((uintptr_t)self->area + 2 * PAGE, event.start + event.length);
	EXPECT_LE(before, event.time_ns);
	EXPECT_LE(event.time_ns, now_ns());

	munmap(self->area + 9 * PAGE, PAGE);
	EXPECT_EQ(SIGSEGV, engine_add(&self->engine, 9 * PAGE, 1));
	ASSERT_EQ(0, read_event(self->fd, &event));
	EXPECT_EQ(DRM_SVM_ATOMIC_EVENT_REFUSED, event.base.type);
	EXPECT_EQ(DRM_SVM_ATOMIC_UNMAPPED, event.why);
	EXPECT_EQ((uintptr_t)self->area + 9 * PAGE, event.start);

	/* More than there is room for: what is lost is counted. */
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, acquire(self->fd, self->area, PAGE));
		ASSERT_EQ(0, release(self->fd, self->area, PAGE));
	}
	for (i = 0; i < 200; i++) {
		struct pollfd wait = { .fd = self->fd, .events = POLLIN };

		if (poll(&wait, 1, 0) != 1)
			break;
		ASSERT_EQ(0, read_event(self->fd, &event));
	}
	EXPECT_LT(8, i);
	ASSERT_EQ(0, do_query(self->fd));
	EXPECT_EQ(200 - i, query.counters.events_lost);
	ASSERT_EQ(0, acquire(self->fd, self->area, PAGE));
	ASSERT_EQ(0, release(self->fd, self->area, PAGE));
	ASSERT_EQ(0, read_event(self->fd, &event));
	EXPECT_EQ(200 - i, event.lost);
}

/* --- All at once --- */

struct spinner {
	pthread_t thread;
	_Atomic uint64_t *word;
	atomic_int stop;
	atomic_ullong done;
	atomic_ullong worst_ns;
};

static void *spin(void *arg)
{
	struct spinner *spinner = arg;

	while (!spinner->stop)
		add_one(spinner->word, &spinner->done, &spinner->worst_ns);
	return NULL;
}

static void start_spinner(struct spinner *spinner, char *word)
{
	*spinner = (struct spinner){ .word = (void *)word };
	pthread_create(&spinner->thread, NULL, spin, spinner);
}

static void stop_spinner(struct spinner *spinner)
{
	spinner->stop = 1;
	pthread_join(spinner->thread, NULL);
}

TEST_F_TIMEOUT(vsvm, contended, 120)
{
	struct spinner spinner;
	uint64_t n;

	start_spinner(&spinner, self->area);
	tell(&self->engine, ADD_UNTIL, 0, 0);
	sleep(3);
	self->engine.control->stop = 1;
	EXPECT_EQ(0, await(&self->engine));
	stop_spinner(&spinner);
	n = self->engine.control->done;
	EXPECT_EQ(n + spinner.done, word_at(self->area, 0));
	ASSERT_EQ(0, do_query(self->fd));
	TH_LOG("device %lu, CPU %lu additions; worst wait %lu and %lu us; %lu transfers",
	       (unsigned long)n, (unsigned long)spinner.done,
	       (unsigned long)self->engine.control->worst_ns / 1000,
	       (unsigned long)spinner.worst_ns / 1000, (unsigned long)query.counters.acquired);
	EXPECT_LT(10, n);
	EXPECT_LT(10, spinner.done);
	EXPECT_LT(10, query.counters.acquired);
}

/* Two devices and two CPUs on one word: none of them starves. */
TEST_F_TIMEOUT(vsvm, two_devices, 300)
{
	int fd = open_device(1);
	struct engine other;
	struct spinner spinners[2];
	uint64_t sum;
	int i;

	if (fd < 0)
		SKIP(return, "vsvm has one device only; load it with devices=2");
	ASSERT_EQ(0, bind_file(fd));
	ASSERT_EQ(0, start_engine(&other, fd, self->area, AREA_SIZE));
	for (i = 0; i < 2; i++)
		start_spinner(&spinners[i], self->area);
	tell(&self->engine, ADD_UNTIL, 0, 0);
	tell(&other, ADD_UNTIL, 0, 0);
	sleep(10);
	self->engine.control->stop = 1;
	other.control->stop = 1;
	EXPECT_EQ(0, await(&self->engine));
	EXPECT_EQ(0, await(&other));
	sum = self->engine.control->done + other.control->done;
	EXPECT_LT(10, self->engine.control->done);
	EXPECT_LT(10, other.control->done);
	for (i = 0; i < 2; i++) {
		stop_spinner(&spinners[i]);
		EXPECT_LT(10, spinners[i].done);
		sum += spinners[i].done;
	}
	EXPECT_EQ(sum, word_at(self->area, 0));
	TH_LOG("worst waits: devices %lu, %lu us, CPUs %lu, %lu us",
	       (unsigned long)self->engine.control->worst_ns / 1000,
	       (unsigned long)other.control->worst_ns / 1000,
	       (unsigned long)spinners[0].worst_ns / 1000,
	       (unsigned long)spinners[1].worst_ns / 1000);
	stop_engine(&other);
	close(fd);
}

/* --- Ends --- */

/* A client that is killed, or executes something, in the midst of it all. */
static void be_client(int how)
{
	int fd = open_device(0);
	char *area = map_area();
	struct engine engine;
	struct spinner spinner;

	if (fd < 0 || bind_file(fd) || start_engine(&engine, fd, area, AREA_SIZE))
		_exit(1);
	start_spinner(&spinner, area);
	tell(&engine, ADD_UNTIL, 0, 0);
	usleep(20000);
	if (how == 0)
		kill(getpid(), SIGKILL);
	if (how == 1)
		execl("/bin/true", "true", NULL);
	if (how == 2 && !fork())
		_exit(0);
	if (how == 3)
		kill(engine.pid, SIGKILL);
	usleep(20000);
	_exit(0);
}

TEST_F_TIMEOUT(vsvm, ends, 120)
{
	int i, status;

	for (i = 0; i < 40; i++) {
		pid_t pid = fork();

		if (!pid)
			be_client(i % 4);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(i % 4 ? 0 : SIGKILL, status);
	}
	/* And this one is none the worse for it. */
	EXPECT_EQ(0, engine_add(&self->engine, 0, 3));
	EXPECT_EQ(3, word_at(self->area, 0));
}

TEST_F(vsvm, unload_while_busy)
{
	EXPECT_EQ(-1, syscall(SYS_delete_module, "vsvm", O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
	EXPECT_EQ(0, engine_add(&self->engine, 0, 1));
}

TEST_HARNESS_MAIN
