/* SPDX-License-Identifier: MIT */
/*
 * Engines: what a virtual device (vsvm) executes with. An engine is a process whose memory
 * is the device's view of the caller's: all addresses mean the same in it, functions of the
 * caller run there as they are, and each access goes through the device's page table.
 *
 * It is for x86-64 only: elsewhere svma_engine_start() returns -EOPNOTSUPP. The manners of
 * svmatomic.h hold, and:
 *
 *  - An engine is of the process that started it. In a child by fork(), calls return
 *    -ESRCH, and svma_engine_stop() frees what the child has of it. When its process
 *    exits, is killed or executes another program, the engine ends.
 *  - Calls on an engine may run at the same time in different threads, but for
 *    svma_engine_stop(), which must come after all.
 *
 * What a function may do on an engine, svma_engine_start(3) says. In short: compute, with
 * all of the memory of its process, and call functions that do the same; but make no system
 * call, which would be the engine's and not its process's. So no input and output, no
 * memory that malloc() has to get from the kernel, no waiting for locks of the process.
 */
#ifndef SVMATOMIC_ENGINE_H
#define SVMATOMIC_ENGINE_H

#include <svmatomic.h>

#if defined(__cplusplus)
extern "C" {
#endif

/* How many threads an engine can have. */
#define SVMA_ENGINE_MAX_THREADS	   256u

/* How large the stack of an engine's thread is, and how large it may be made, in bytes. */
#define SVMA_ENGINE_STACK_SIZE	   (UINT64_C(1) << 20)
#define SVMA_ENGINE_MAX_STACK_SIZE (UINT64_C(1) << 30)

/* An engine that was started. */
struct svma_engine;

/* What an engine runs: @thread counts its threads from 0 on. */
typedef void (*svma_engine_function)(void *argument, unsigned int thread);

/* How an engine is to be. 0 everywhere is the default. */
struct svma_engine_options {
	uint64_t stack_size; /* of each thread, a multiple of the page size */
	uint64_t reserved[7];
};

/* How an engine is, or what became of it. */
struct svma_engine_status {
	uint32_t reason; /* why the call failed: an enum svma_reason */
	int32_t pid;	 /* the engine's process, while there is one; else 0 */
	int32_t signal;	 /* what ended the engine; 0 for none */
	uint32_t thread; /* whose fault it was, by SVMA_REASON_ENGINE_FAULT */
	/* By the same: what could not be accessed, 0 when not known, and by which code. */
	uint64_t address;
	uint64_t instruction;
	uint64_t reserved[4];
};

/*
 * Start an engine of @threads threads for this process on @device, and bind the device,
 * which must not be bound, with a cutout that the library chooses. After the engine
 * was stopped, another can be started on the same device, if it is no larger.
 * @options and @status may be NULL.
 *
 * *@engine is the caller's, for svma_engine_stop(); it is NULL when the call fails.
 *
 * Returns 0; -EINVAL no threads, too many, or bad options; -EOPNOTSUPP the device is not
 * virtual (SVMA_REASON_NO_ENGINE), or not here (SVMA_REASON_ARCHITECTURE); -EBUSY it is
 * bound already (SVMA_REASON_BOUND); -EDEADLK this process is itself an engine, or its child
 * cannot become one (SVMA_REASON_ROLE); -ENODEV, -ENOMEM, -EAGAIN there are too many
 * processes; -EPERM the device may not be mapped for execution; -EIO the engine died; or
 * what else a system call returns.
 */
SVMA_API int svma_engine_start(struct svma_engine **engine, struct svma_device *device,
			       unsigned int threads, const struct svma_engine_options *options,
			       struct svma_engine_status *status);

/*
 * Begin to run @function(@argument, thread) on each of the engine's threads.
 *
 * Returns 0; -EBUSY what was launched before has not ended yet; -EFAULT or -EIO the engine
 * is dead, see svma_engine_wait(); -ESRCH it is another process's.
 */
SVMA_API int svma_engine_launch(struct svma_engine *engine, svma_engine_function function,
				void *argument);

/*
 * Wait until what was launched has ended on all threads, at most @timeout_ms milliseconds;
 * for as long as it takes when that is negative. @status may be NULL.
 *
 * Returns 0, also when nothing was launched; -ETIMEDOUT; -EFAULT the function made the
 * engine die of a fault, which @status tells of; -EIO the engine died of something else;
 * -ESRCH it is another process's. An engine that died stays dead: stop it.
 */
SVMA_API int svma_engine_wait(struct svma_engine *engine, int timeout_ms,
			      struct svma_engine_status *status);

/*
 * svma_engine_launch() and then svma_engine_wait(), with no limit. Returns as they do.
 * @status may be NULL.
 */
SVMA_API int svma_engine_run(struct svma_engine *engine, svma_engine_function function,
			     void *argument, struct svma_engine_status *status);

/*
 * Stop @engine, which may be NULL, whatever it is doing, and wait until it is gone. The
 * device stays bound. No other call on @engine may run, or follow.
 */
SVMA_API void svma_engine_stop(struct svma_engine *engine);

#if defined(__cplusplus)
}
#endif

#endif
