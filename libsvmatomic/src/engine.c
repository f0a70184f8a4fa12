/* SPDX-License-Identifier: MIT */
/*
 * Engines, as their client has them: started, given work, waited for, stopped. What runs
 * in their process is in engine_child.c.
 */
#include "engine.h"
#include "device.h"

#include <errno.h>
#include <string.h>

static int result(struct svma_engine_status *status, int err, uint32_t reason)
{
	if (status)
		status->reason = reason;
	return err;
}

#ifdef ENGINE_HERE

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Room for a frame with all of the registers that there are. */
#define SIGNAL_STACK 65536

struct svma_engine {
	struct engine_control *control; /* the beginning of the cutout */
	size_t size;			/* of the cutout */
	pid_t client;
	unsigned int parked; /* how many of @threads there are */
	bool monitored;
	pthread_t monitor;
	pthread_mutex_t lock; /* of @pid */
	pid_t pid;	      /* 0 once it was reaped */
	int wait_status;
	_Atomic uint32_t dead; /* @wait_status is valid */
	int clone_error;
	pthread_t threads[SVMA_ENGINE_MAX_THREADS];
};

/* glibc has them since 2.35. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

static uint64_t round_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

static struct engine_thread *thread_at(const struct engine_control *control, uint32_t i)
{
	return (void *)((char *)control->first + i * control->thread_size);
}

/* -- Threads of the client -- */

static uint64_t own_tls(void)
{
	uint64_t tls;

	__asm__("mov %%fs:0, %0" : "=r"(tls));
	return tls;
}

/*
 * A thread that lends its thread-local storage to one of the engine. From when it says so,
 * it touches none of it.
 */
static void *park(void *argument)
{
	struct engine_control *control = argument;
	const uint32_t place = atomic_load(&control->parking.rings);

	atomic_store(&control->tls[place], own_tls());
	engine_ring(&control->parking);
	while (!atomic_load(&control->release))
		engine_syscall(SYS_futex, (unsigned long)&control->release, 0 /* FUTEX_WAIT */, 0,
			       0, 0, 0);
	return NULL;
}

static void describe_monitor(struct engine_control *control)
{
	control->monitor = (int32_t)syscall(SYS_gettid);
	if (!&__rseq_offset || !&__rseq_size)
		return;
	control->rseq = own_tls() + (uint64_t)__rseq_offset;
	/* What it registered is no less than the first version had. */
	control->rseq_sizes[0] = 32;
	control->rseq_sizes[1] = __rseq_size == 32 ? 0 : __rseq_size;
}

/*
 * The thread that the engine is a child of: its end would be the engine's. It waits for the
 * engine's.
 */
static void *monitor(void *argument)
{
	struct svma_engine *engine = argument;
	struct engine_control *control = engine->control;
	struct engine_thread *thread = control->first;
	const char *code = (const char *)control + round_up(sizeof(*control), ENGINE_PAGE);
	const char *entry = code + ((const char *)(uintptr_t)engine_main - engine_code);
	siginfo_t info;
	long pid;
	int err;

	describe_monitor(control);
	/* Whoever knows of the engine finds its number. */
	pthread_mutex_lock(&engine->lock);
	pid = engine_fork(thread, entry, (char *)thread + control->thread_size);
	if (pid > 0)
		engine->pid = (pid_t)pid;
	pthread_mutex_unlock(&engine->lock);
	if (pid < 0) {
		engine->clone_error = (int)pid;
	} else {
		do
			err = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | __WALL);
		while (err && errno == EINTR);
		pthread_mutex_lock(&engine->lock);
		/* Somebody else may have waited for all children. */
		if (waitpid((pid_t)pid, &engine->wait_status, __WALL) != pid)
			engine->wait_status = 0;
		engine->pid = 0;
		pthread_mutex_unlock(&engine->lock);
	}
	atomic_store(&engine->dead, 1);
	engine_ring(&control->ends);
	return NULL;
}

/* Signals of the process are for its other threads. */
static int start_threads(struct svma_engine *engine)
{
	struct engine_control *control = engine->control;
	sigset_t all, old;
	uint32_t rings;
	int err = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (!err && engine->parked < control->threads) {
		rings = engine->parked;
		err = -pthread_create(&engine->threads[engine->parked], NULL, park, control);
		if (err)
			break;
		engine->parked++;
		while (atomic_load(&control->parking.rings) == rings)
			engine_listen(&control->parking, rings, NULL);
	}
	for (uint32_t i = 0; i < engine->parked; i++)
		thread_at(control, i)->tls = atomic_load(&control->tls[i]);
	if (!err) {
		err = -pthread_create(&engine->monitor, NULL, monitor, engine);
		engine->monitored = !err;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

/* -- The cutout -- */

/*
 * Where the vDSO and its data are: the engine keeps its own, as data of the kernel's cannot
 * be had through the device.
 */
static struct engine_range find_vdso(void)
{
	struct engine_range found = { 0 };
	unsigned long start, end;
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "re");

	while (maps && fgets(line, sizeof(line), maps)) {
		if (!strstr(line, " [vvar") && !strstr(line, " [vdso]"))
			continue;
		if (sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		/* They are side by side. */
		if (found.start && start != found.end) {
			found.start = 0;
			break;
		}
		if (!found.start)
			found.start = start;
		found.end = end;
	}
	if (maps)
		fclose(maps);
	return found.start ? found : (struct engine_range){ 0 };
}

static void describe_kept(struct engine_control *control, size_t size)
{
	const struct engine_range cutout = {
		(uintptr_t)control,
		(uintptr_t)control + size,
	};
	const struct engine_range vdso = find_vdso();
	const bool first = vdso.end && vdso.start < cutout.start;

	control->kept[first] = cutout;
	control->kept[!first] =
		vdso.end ? vdso : (struct engine_range){ control->end, control->end };
}

/* Fill the cutout, and take away what nobody may do to it. */
static int fill_cutout(struct engine_control *control, size_t page, size_t head, size_t code_size)
{
	char *code = (char *)control + round_up(sizeof(*control), ENGINE_PAGE);

	memcpy(code, engine_code, (size_t)(engine_code_end - engine_code));
	if (mprotect(code, code_size, PROT_READ | PROT_EXEC))
		return -errno;
	for (uint32_t i = 0; i < control->threads; i++) {
		struct engine_thread *thread = thread_at(control, i);

		*thread = (struct engine_thread){
			.control = control,
			.signal_stack = (uintptr_t)thread + page,
			.index = i,
		};
		if (mprotect((char *)thread + head, page, PROT_NONE))
			return -errno;
	}
	return 0;
}

/*
 * Where the device is bound already, an engine may have been there that was stopped: its
 * cutout serves again.
 */
static void *map_bound(struct svma_device *device, size_t *size)
{
	struct svma_capabilities can;
	void *cutout;

	if (svma_query(device, &can) || can.absent || can.cutout_end - can.cutout_start < *size)
		return MAP_FAILED;
	/* All of it, as nothing else can be there that is to be shared. */
	*size = can.cutout_end - can.cutout_start;
	cutout = mmap((void *)(uintptr_t)can.cutout_start, *size, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	/* A kernel, or an emulation, that does not know the flag takes it for a wish. */
	if (cutout != MAP_FAILED && (uintptr_t)cutout != can.cutout_start) {
		munmap(cutout, *size);
		return MAP_FAILED;
	}
	return cutout;
}

static void *map_cutout(struct svma_device *device, size_t *size, int *err)
{
	void *cutout = mmap(NULL, *size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (cutout == MAP_FAILED) {
		*err = -errno;
		return MAP_FAILED;
	}
	do
		*err = svma_bind(device, cutout, *size);
	while (*err == -EINTR);
	if (!*err)
		return cutout;
	munmap(cutout, *size);
	return *err == -EBUSY ? map_bound(device, size) : MAP_FAILED;
}

static int make_cutout(struct svma_engine *engine, struct svma_device *device, uint32_t threads,
		       uint64_t stack_size)
{
	const size_t page = ENGINE_PAGE;
	const size_t code_at = round_up(sizeof(struct engine_control), page);
	const size_t code_size = round_up((size_t)(engine_code_end - engine_code), page);
	const size_t head = page + SIGNAL_STACK;
	const size_t thread_size = head + page + stack_size;
	size_t size = code_at + code_size + threads * thread_size;
	struct svma_capabilities can;
	void *cutout;
	int err = 0;

	cutout = map_cutout(device, &size, &err);
	if (cutout == MAP_FAILED)
		return err;
	engine->control = cutout;
	engine->size = size;
	err = svma_query(device, &can);
	if (err || can.absent)
		return err ? err : -ENODEV;

	engine->control->threads = threads;
	engine->control->running = threads;
	engine->control->fd = device->fd;
	engine->control->client = getpid();
	engine->control->end = can.end;
	engine->control->first = (void *)((char *)cutout + code_at + code_size);
	engine->control->thread_size = thread_size;
	engine->control->signal_stack_size = SIGNAL_STACK;
	snprintf(engine->control->name, sizeof(engine->control->name), "svma-engine");
	describe_kept(engine->control, size);
	return fill_cutout(engine->control, page, head, code_size);
}

/* -- Waiting -- */

/* Until when, or NULL for ever. */
static struct timespec *deadline_of(struct timespec *deadline, int timeout_ms)
{
	if (timeout_ms < 0)
		return NULL;
	clock_gettime(CLOCK_MONOTONIC, deadline);
	deadline->tv_sec += timeout_ms / 1000;
	deadline->tv_nsec += timeout_ms % 1000 * 1000000l;
	if (deadline->tv_nsec >= 1000000000l) {
		deadline->tv_sec++;
		deadline->tv_nsec -= 1000000000l;
	}
	return deadline;
}

/* How long it is until then. Returns whether it is not over. */
static bool time_left(const struct timespec *deadline, struct timespec *left)
{
	clock_gettime(CLOCK_MONOTONIC, left);
	left->tv_sec = deadline->tv_sec - left->tv_sec;
	left->tv_nsec = deadline->tv_nsec - left->tv_nsec;
	if (left->tv_nsec < 0) {
		left->tv_sec--;
		left->tv_nsec += 1000000000l;
	}
	return left->tv_sec >= 0 && (left->tv_sec || left->tv_nsec);
}

/* What is wrong with the engine: 0 or a negative errno value. */
static int engine_error(struct svma_engine *engine, struct svma_engine_status *status)
{
	const struct engine_control *control = engine->control;

	if (!atomic_load(&engine->dead))
		return 0;
	if (status && WIFSIGNALED(engine->wait_status))
		status->signal = WTERMSIG(engine->wait_status);
	if (atomic_load(&control->faults) != 2)
		return result(status, -EIO, SVMA_REASON_ENGINE_DEAD);
	if (status) {
		status->signal = control->signal;
		status->thread = control->thread;
		status->address = control->address;
		status->instruction = control->instruction;
	}
	return result(status, -EFAULT, SVMA_REASON_ENGINE_FAULT);
}

/* Wait until nothing runs, or the engine is dead. */
static int await(struct svma_engine *engine, int timeout_ms)
{
	struct engine_control *control = engine->control;
	struct timespec deadline, left;
	const struct timespec *until = deadline_of(&deadline, timeout_ms);

	for (;;) {
		const uint32_t seen = atomic_load(&control->ends.rings);

		if (!atomic_load(&control->running) || atomic_load(&engine->dead))
			return 0;
		if (until && !time_left(until, &left))
			return -ETIMEDOUT;
		engine_listen(&control->ends, seen, until ? &left : NULL);
	}
}

static bool is_foreign(const struct svma_engine *engine)
{
	return engine->client != getpid();
}

int svma_engine_wait(struct svma_engine *engine, int timeout_ms, struct svma_engine_status *status)
{
	int err;

	if (status)
		memset(status, 0, sizeof(*status));
	if (is_foreign(engine))
		return result(status, -ESRCH, SVMA_REASON_FOREIGN);
	err = await(engine, timeout_ms);
	if (status) {
		pthread_mutex_lock(&engine->lock);
		status->pid = engine->pid;
		pthread_mutex_unlock(&engine->lock);
	}
	return err ? err : engine_error(engine, status);
}

int svma_engine_launch(struct svma_engine *engine, svma_engine_function function, void *argument)
{
	struct engine_control *control = engine->control;
	uint32_t none = 0;
	int err;

	if (is_foreign(engine))
		return -ESRCH;
	err = engine_error(engine, NULL);
	if (err)
		return err;
	if (!atomic_compare_exchange_strong(&control->running, &none, control->threads))
		return -EBUSY;
	atomic_store_explicit(&control->function, function, memory_order_relaxed);
	atomic_store_explicit(&control->argument, argument, memory_order_relaxed);
	engine_ring(&control->launches);
	return 0;
}

int svma_engine_run(struct svma_engine *engine, svma_engine_function function, void *argument,
		    struct svma_engine_status *status)
{
	int err = svma_engine_launch(engine, function, argument);

	/* What it died of, svma_engine_wait() tells. */
	if (err && err != -EBUSY)
		return svma_engine_wait(engine, 0, status);
	if (err) {
		if (status)
			memset(status, 0, sizeof(*status));
		return result(status, err, SVMA_REASON_SYSTEM);
	}
	return svma_engine_wait(engine, -1, status);
}

/* -- Beginning and end -- */

void svma_engine_stop(struct svma_engine *engine)
{
	if (!engine)
		return;
	if (is_foreign(engine)) {
		free(engine);
		return;
	}
	if (engine->monitored) {
		pthread_mutex_lock(&engine->lock);
		if (engine->pid)
			kill(engine->pid, SIGKILL);
		pthread_mutex_unlock(&engine->lock);
		pthread_join(engine->monitor, NULL);
	}
	if (engine->control) {
		atomic_store(&engine->control->release, 1);
		syscall(SYS_futex, &engine->control->release, 1 /* FUTEX_WAKE */, INT32_MAX, NULL,
			NULL, 0);
	}
	for (unsigned int i = 0; i < engine->parked; i++)
		pthread_join(engine->threads[i], NULL);
	if (engine->control)
		munmap(engine->control, engine->size);
	pthread_mutex_destroy(&engine->lock);
	free(engine);
}

/* Why the engine's process gave up. */
static uint32_t failed_reason(const struct engine_control *control)
{
	if (control->shadow_stack)
		return SVMA_REASON_ARCHITECTURE;
	return control->error == -EDEADLK ? SVMA_REASON_ROLE : SVMA_REASON_SYSTEM;
}

/* Start the threads, and wait until the engine has come up. */
static int bring_up(struct svma_engine *engine, struct svma_engine_status *status)
{
	struct engine_control *control = engine->control;
	int err = start_threads(engine);

	if (err)
		return result(status, err, SVMA_REASON_SYSTEM);
	await(engine, -1);
	if (atomic_load(&control->state) == ENGINE_READY) {
		/* A child of the client is no part of this. */
		madvise(control, engine->size, MADV_DONTFORK);
		return 0;
	}
	if (engine->clone_error)
		return result(status, engine->clone_error, SVMA_REASON_SYSTEM);
	if (atomic_load(&control->state) == ENGINE_FAILED)
		return result(status, control->error, failed_reason(control));
	return engine_error(engine, status);
}

static uint32_t bind_reason(int err)
{
	switch (err) {
	case -EBUSY:
		return SVMA_REASON_BOUND;
	case -EDEADLK:
		return SVMA_REASON_ROLE;
	case -ENODEV:
		return SVMA_REASON_DEVICE_LOST;
	case -ENOMEM:
		return SVMA_REASON_NOMEM;
	default:
		return SVMA_REASON_SYSTEM;
	}
}

static int start(struct svma_engine *engine, struct svma_device *device, unsigned int threads,
		 uint64_t stack_size, struct svma_engine_status *status)
{
	int err = make_cutout(engine, device, threads, stack_size);

	if (err)
		return result(status, err, bind_reason(err));
	return bring_up(engine, status);
}

static bool are_sound(const struct svma_device *device, unsigned int threads,
		      const struct svma_engine_options *options)
{
	if (!threads || threads > SVMA_ENGINE_MAX_THREADS)
		return false;
	for (size_t i = 0; i < sizeof(options->reserved) / sizeof(*options->reserved); i++)
		if (options->reserved[i])
			return false;
	return options->stack_size <= SVMA_ENGINE_MAX_STACK_SIZE &&
	       !(options->stack_size & (page_size(device) - 1));
}

int svma_engine_start(struct svma_engine **engine, struct svma_device *device, unsigned int threads,
		      const struct svma_engine_options *options, struct svma_engine_status *status)
{
	const struct svma_engine_options defaults = { 0 };
	struct svma_engine *made;
	uint64_t stack_size;
	int err;

	*engine = NULL;
	if (status)
		memset(status, 0, sizeof(*status));
	if (!options)
		options = &defaults;
	if (!are_sound(device, threads, options))
		return result(status, -EINVAL, SVMA_REASON_INVALID);
	if (device->driver->kind != SVMA_OPEN_VIRTUAL)
		return result(status, -EOPNOTSUPP, SVMA_REASON_NO_ENGINE);

	made = calloc(1, sizeof(*made));
	if (!made)
		return result(status, -ENOMEM, SVMA_REASON_NOMEM);
	pthread_mutex_init(&made->lock, NULL);
	made->client = getpid();
	stack_size = options->stack_size ? options->stack_size : SVMA_ENGINE_STACK_SIZE;
	err = start(made, device, threads, stack_size, status);
	if (err) {
		svma_engine_stop(made);
		return err;
	}
	svma_engine_wait(made, 0, status);
	*engine = made;
	return 0;
}

#else

int svma_engine_start(struct svma_engine **engine, struct svma_device *device, unsigned int threads,
		      const struct svma_engine_options *options, struct svma_engine_status *status)
{
	(void)device;
	(void)threads;
	(void)options;
	*engine = NULL;
	if (status)
		memset(status, 0, sizeof(*status));
	return result(status, -EOPNOTSUPP, SVMA_REASON_ARCHITECTURE);
}

int svma_engine_launch(struct svma_engine *engine, svma_engine_function function, void *argument)
{
	(void)engine;
	(void)function;
	(void)argument;
	return -EOPNOTSUPP;
}

int svma_engine_wait(struct svma_engine *engine, int timeout_ms, struct svma_engine_status *status)
{
	(void)engine;
	(void)timeout_ms;
	if (status)
		memset(status, 0, sizeof(*status));
	return result(status, -EOPNOTSUPP, SVMA_REASON_ARCHITECTURE);
}

int svma_engine_run(struct svma_engine *engine, svma_engine_function function, void *argument,
		    struct svma_engine_status *status)
{
	(void)function;
	(void)argument;
	return svma_engine_wait(engine, -1, status);
}

void svma_engine_stop(struct svma_engine *engine)
{
	(void)engine;
}

#endif
