// SPDX-License-Identifier: MIT
/*
 * A million ioctls to vsvm that make no sense, or only half: malformed and truncated
 * structures, ranges that are being unmapped, from threads that race with each other,
 * with engines and with the memory's changes. Nothing may hang or crash, no call may
 * say that it did what it cannot have done, and what was opened must be closable.
 *
 *
 *	svm_fuzz [SEED [CALLS]]
 *
 * The seed is fixed and printed; an argument is another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <drm/vsvm_drm.h>

#define THREADS 3
#define PAGE	4096UL
#define NPAGES	32UL

static char *area;
static unsigned long wanted = 1000000;
static atomic_ulong calls;
static atomic_ulong succeeded;
static atomic_ulong by_errno[256];
static atomic_int lies;
static atomic_int fd;

struct random {
	uint64_t state;
};

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators" */
static uint64_t draw(struct random *random)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return random->state * 0x2545f4914f6cdd1dULL;
}

static uint64_t below(struct random *random, uint64_t limit)
{
	return draw(random) % limit;
}

/* --- Arguments --- */

static uint64_t a_start(struct random *random)
{
	static const uint64_t odd[] = { 0,
					1,
					PAGE,
					-PAGE,
					0x7fffffffe000,
					0x7ffffffff000,
					0x800000000000,
					1ULL << 63,
					0xffff800000000000 };

	if (below(random, 4))
		return (uintptr_t)area + below(random, NPAGES) * PAGE;
	return odd[below(random, sizeof(odd) / sizeof(*odd))];
}

static uint64_t a_length(struct random *random)
{
	static const uint64_t odd[] = { 0, 1, PAGE - 1, 1ULL << 63, -PAGE, -1ULL, 1ULL << 46 };

	if (below(random, 4))
		return (1 + below(random, 4)) * PAGE;
	return odd[below(random, sizeof(odd) / sizeof(*odd))];
}

static uint32_t a_word(struct random *random)
{
	return below(random, 3) ? below(random, 4) : draw(random);
}

union arguments {
	struct drm_svm_atomic_acquire acquire;
	struct drm_svm_atomic_release release;
	struct drm_svm_atomic_set_policy set_policy;
	struct drm_svm_atomic_get_policy get_policy;
	struct drm_svm_atomic_query query;
	struct drm_svm_atomic_subscribe subscribe;
	struct drm_vsvm_init init;
	uint64_t words[256];
};

static void fill(struct random *random, union arguments *args, unsigned int nr)
{
	memset(args, 0, sizeof(*args));
	args->words[0] = a_start(random);
	args->words[1] = a_length(random);
	args->words[2] = below(random, 4) ? 0 : draw(random);
	switch (nr) {
	case DRM_SVM_ATOMIC_SET_POLICY:
		args->set_policy.mode = a_word(random);
		args->set_policy.hold_ns = below(random, 3) ? below(random, 5000) : draw(random);
		break;
	case DRM_SVM_ATOMIC_QUERY:
		args->query.flags = below(random, 4) ? 0 : draw(random);
		break;
	case DRM_SVM_ATOMIC_SUBSCRIBE:
		args->subscribe.events = a_word(random);
		break;
	}
}

/* Its number, size and direction, most often the right ones. */
static unsigned long a_request(struct random *random, unsigned int nr)
{
	static const unsigned long requests[] = {
		DRM_IOCTL_SVM_ATOMIC_ACQUIRE(0),    DRM_IOCTL_SVM_ATOMIC_RELEASE(0),
		DRM_IOCTL_SVM_ATOMIC_SET_POLICY(0), DRM_IOCTL_SVM_ATOMIC_GET_POLICY(0),
		DRM_IOCTL_SVM_ATOMIC_QUERY(0),	    DRM_IOCTL_SVM_ATOMIC_SUBSCRIBE(0),
	};

	if (nr == DRM_VSVM_INIT)
		return DRM_IOCTL_VSVM_INIT;
	if (below(random, 8))
		return requests[nr];
	return _IOC(below(random, 4), 'd', DRM_COMMAND_BASE + below(random, 0x60),
		    below(random, 8) * 24);
}

static void check(const union arguments *before, const union arguments *after, unsigned int nr,
		  unsigned long request, int err)
{
	uint64_t pages = before->words[1] / PAGE;

	if (request != DRM_IOCTL_SVM_ATOMIC_ACQUIRE(0) || nr != DRM_SVM_ATOMIC_ACQUIRE)
		return;
	/* Those say nothing of the arguments; nor does a file that was just closed. */
	if (err == EINVAL || err == EFAULT || err == EBADF)
		return;
	if (after->acquire.pages > pages || (!err && after->acquire.pages != pages) ||
	    (!err) != (after->acquire.reason == DRM_SVM_ATOMIC_OK) ||
	    after->acquire.reason > DRM_SVM_ATOMIC_HARDWARE) {
		printf("# acquire of %lu pages: errno %d, %lu pages, reason %u\n",
		       (unsigned long)pages, err, (unsigned long)after->acquire.pages,
		       after->acquire.reason);
		lies++;
	}
}

static void call_once(struct random *random)
{
	static const unsigned int numbers[] = { 0, 0, 0, 1, 1, 2, 3, 4, 5, DRM_VSVM_INIT };
	unsigned int nr = numbers[below(random, sizeof(numbers) / sizeof(*numbers))];
	unsigned long request = a_request(random, nr);
	union arguments before, args;
	void *where = &args;
	int err;

	fill(random, &before, nr);
	args = before;
	if (!below(random, 64))
		where = (void *)a_start(random);
	err = ioctl(fd, request, where) ? errno : 0;
	if (where == &args)
		check(&before, &args, nr, request, err);
	by_errno[err & 255]++;
	if (!err)
		succeeded++;
	calls++;
}

/* --- What goes on meanwhile --- */

static void change_memory(struct random *random)
{
	char *at = area + below(random, NPAGES) * PAGE;

	switch (below(random, 6)) {
	case 0:
		mmap(at, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		     0);
		break;
	case 1:
		munmap(at, PAGE);
		break;
	case 2:
		mprotect(at, PAGE, below(random, 2) ? PROT_READ : PROT_READ | PROT_WRITE);
		break;
	case 3:
		madvise(at, PAGE, MADV_DONTNEED);
		break;
	case 4:
		madvise(at, PAGE, MADV_PAGEOUT);
		break;
	case 5:
		mmap(at, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1,
		     0);
		break;
	}
}

/* A process that goes where it may, until that gets it killed. */
static pid_t start_engine(uint64_t seed)
{
	struct random random = { seed };
	_Atomic uint64_t *words;
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	words = mmap(NULL, NPAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)area);
	if (words == MAP_FAILED)
		_exit(1);
	for (;;)
		atomic_fetch_add(&words[below(&random, NPAGES) * PAGE / 8], 1);
}

static void reopen(void)
{
	struct drm_vsvm_init args = { 0 };
	int old = fd, new = open("/dev/dri/renderD128", O_RDWR | O_CLOEXEC);

	if (new < 0 || ioctl(new, DRM_IOCTL_VSVM_INIT, &args))
		lies++;
	fd = new;
	if (old >= 0)
		close(old);
}

/* Engines are meant to die; the kernel need not say so each time. */
static void hush(void)
{
	int knob = open("/proc/sys/debug/exception-trace", O_WRONLY);

	if (knob < 0 || write(knob, "0", 1) != 1)
		printf("# each engine that dies will be in the log\n");
	close(knob);
}

static void *run(void *arg)
{
	struct random random = { (uintptr_t)arg };

	while (calls < wanted) {
		call_once(&random);
		if (!below(&random, 32))
			change_memory(&random);
	}
	return NULL;
}

static void disturb(struct random *random)
{
	unsigned long shown = 0;
	pid_t engine = -1;

	while (calls < wanted) {
		if (engine <= 0 || waitpid(engine, NULL, WNOHANG) == engine)
			engine = start_engine(draw(random) | 1);
		if (!below(random, 20))
			reopen();
		if (calls >= shown) {
			printf("# %lu calls\n", shown);
			shown += wanted / 10;
		}
		usleep(1000 + below(random, 20000));
	}
	kill(engine, SIGKILL);
	waitpid(engine, NULL, 0);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 20261121;
	struct random random = { seed | 1 };
	pthread_t threads[THREADS];
	int i;

	if (argc > 2)
		wanted = strtoul(argv[2], NULL, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..1\n# seed %lu\n", (unsigned long)seed);
	hush();
	fd = -1;
	reopen();
	if (fd < 0) {
		printf("not ok 1 vsvm is not there\n");
		return 1;
	}
	area = mmap(NULL, NPAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)(draw(&random) | 1));
	disturb(&random);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	close(fd);
	for (i = 0; i < 256; i++)
		if (by_errno[i])
			printf("# %s: %lu\n", i ? strerror(i) : "success",
			       (unsigned long)by_errno[i]);
	printf("%s 1 %lu calls, %lu of them successful\n", lies || !succeeded ? "not ok" : "ok",
	       (unsigned long)calls, (unsigned long)succeeded);
	return lies || !succeeded;
}
