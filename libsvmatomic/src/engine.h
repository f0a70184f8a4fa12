/* SPDX-License-Identifier: MIT */
/*
 * What an engine and its client have in common: the cutout. That is memory which both
 * have at the same address, and all of the engine that is not its client's:
 *
 *	struct engine_control, in pages of its own
 *	the code of engine_child.c, copied
 *	for each thread: struct engine_thread in a page, a stack for signals, a page
 *	that cannot be accessed, and its stack
 */
#ifndef SVMATOMIC_ENGINE_INTERNAL_H
#define SVMATOMIC_ENGINE_INTERNAL_H

#include "svmatomic-engine.h"

#include <stdatomic.h>
#include <stdbool.h>

/* How far an engine has come. */
enum engine_state {
	ENGINE_STARTING,
	ENGINE_READY,
	ENGINE_FAILED, /* to start, see @error */
};

/* A futex that counts what others may be waiting for. */
struct engine_bell {
	_Atomic uint32_t rings;
	_Atomic uint32_t sleepers;
};

/* A part of the address space. */
struct engine_range {
	uint64_t start;
	uint64_t end;
};

struct engine_control {
	/* For each launch, the engine's threads wait here; for each end, the client. */
	_Alignas(64) struct engine_bell launches;
	_Alignas(64) struct engine_bell ends;
	_Atomic uint32_t running; /* threads that have not ended */
	_Atomic uint32_t state;	  /* an enum engine_state */
	int32_t error;		  /* a negative errno value */
	bool shadow_stack;	  /* that was what failed */

	/* What was launched: from one launch to the next, the engine is what orders them. */
	_Atomic svma_engine_function function;
	void *_Atomic argument;

	/* The first fault. */
	_Atomic uint32_t faults;
	int32_t signal;
	uint32_t thread;
	uint64_t address;
	uint64_t instruction;

	/* What the client says before there is an engine. */
	int32_t fd;
	int32_t client;	 /* its process */
	int32_t monitor; /* its thread that started the engine */
	uint32_t threads;
	uint64_t rseq; /* where the monitor has its restartable sequences */
	uint64_t rseq_sizes[2];
	uint64_t end;		     /* of the addresses that are shared */
	struct engine_range kept[2]; /* what the engine keeps: the cutout, the vDSO; sorted */
	struct engine_thread *first; /* the first thread's */
	uint64_t thread_size;	     /* from there to the next */
	uint64_t signal_stack_size;
	char name[16];

	/* The client's threads whose thread-local storage the engine's threads have. */
	struct engine_bell parking;
	_Atomic uint32_t release;
	_Atomic uint64_t tls[SVMA_ENGINE_MAX_THREADS];
};

/* A thread of the engine, at the beginning of its part of the cutout. */
struct engine_thread {
	struct engine_control *control;
	uint64_t tls;
	uint64_t signal_stack;
	uint32_t index;
};

#if defined(__x86_64__) && defined(__linux__)
#define ENGINE_HERE 1

/* x86-64 has no others. */
#define ENGINE_PAGE 4096ul

/*
 * What runs in the engine. It is copied, so it may refer to nothing outside of its section:
 * no data, no functions, nothing that a compiler adds of its own.
 */
#ifdef __has_attribute
#if __has_attribute(no_stack_protector)
#define ENGINE_UNPROTECTED __attribute__((no_stack_protector))
#endif
/* clang's no_sanitize leaves atomic operations, and calls, to the thread sanitizer. */
#if __has_attribute(disable_sanitizer_instrumentation)
#define ENGINE_UNSANITIZED __attribute__((disable_sanitizer_instrumentation))
#endif
#if __has_attribute(no_profile_instrument_function)
#define ENGINE_UNPROFILED __attribute__((no_profile_instrument_function))
#endif
#endif
#ifndef ENGINE_UNPROTECTED
#define ENGINE_UNPROTECTED __attribute__((optimize("no-stack-protector")))
#endif
#ifndef ENGINE_UNSANITIZED
#define ENGINE_UNSANITIZED
#endif
#ifndef ENGINE_UNPROFILED
#define ENGINE_UNPROFILED
#endif
#define ENGINE_CODE                                                                                \
	__attribute__((section("svma_engine"), noinline, used, no_instrument_function,             \
		       no_sanitize("address", "undefined", "thread")))                             \
	ENGINE_UNPROTECTED ENGINE_UNSANITIZED ENGINE_UNPROFILED

extern const char engine_code[] __asm__("__start_svma_engine")
	__attribute__((visibility("hidden")));
extern const char engine_code_end[] __asm__("__stop_svma_engine")
	__attribute__((visibility("hidden")));

/* A system call that leaves errno, and with it thread-local storage, alone. */
long engine_syscall(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d,
		    unsigned long e, unsigned long f);

/* Tell whoever waits for @bell. */
void engine_ring(struct engine_bell *bell);

/*
 * Wait until @bell has rung since it had rung @seen times. @timeout is a struct timespec,
 * how long at most, or 0. Returns 0 or a negative errno value; it may return for nothing.
 */
long engine_listen(struct engine_bell *bell, uint32_t seen, const void *timeout);

/*
 * Make the engine's process: a child of this thread that calls @entry(@thread) on @stack,
 * both in the cutout, as nothing else will be left. Returns its number, or a negative
 * errno value.
 */
long engine_fork(struct engine_thread *thread, const void *entry, const void *stack);

/*
 * The engine's process: never returns. It is called in the copy, on the stack of the
 * first thread.
 */
void engine_main(struct engine_thread *thread);

#endif

#endif
