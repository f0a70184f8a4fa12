/* SPDX-License-Identifier: MIT */
/*
 * What runs in an engine's process, from a copy in the cutout: it gives up all memory that
 * it was forked with, has its client's memory through the device instead, and then runs
 * functions of its client. There is no C library here.
 */
#include "engine.h"

#ifdef ENGINE_HERE

#include <asm/prctl.h>
#include <errno.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

/* About 10 us: a launch that soon follows another costs no system call. */
#define SPINS		    200

/* As glibc has it, and others after it. */
#define RSEQ_SIGNATURE	    0x53053053
#define RSEQ_UNREGISTER	    1
#define SHADOW_STACK_STATUS 0x5005
#define SHADOW_STACK_OFF    0x5002
#define SHADOW_STACK	    1

/* Below, no process can map anything; how much that is, the system says. */
#define LOWEST		    (UINT64_C(1) << 16)
#define LOWEST_MAX	    (UINT64_C(1) << 24)

/* The kernel's, which is not the C library's. */
struct kernel_sigaction {
	void (*handler)(int signal, siginfo_t *info, void *context);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

#define SA_KERNEL_RESTORER 0x04000000ul

ENGINE_CODE long engine_syscall(long number, unsigned long a, unsigned long b, unsigned long c,
				unsigned long d, unsigned long e, unsigned long f)
{
	register unsigned long r10 __asm__("r10") = d;
	register unsigned long r8 __asm__("r8") = e;
	register unsigned long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

ENGINE_CODE void engine_ring(struct engine_bell *bell)
{
	atomic_fetch_add(&bell->rings, 1);
	if (atomic_load(&bell->sleepers))
		engine_syscall(SYS_futex, (unsigned long)&bell->rings, FUTEX_WAKE, INT32_MAX, 0, 0,
			       0);
}

ENGINE_CODE long engine_listen(struct engine_bell *bell, uint32_t seen, const void *timeout)
{
	long ret;

	for (int i = 0; i < SPINS; i++) {
		if (atomic_load(&bell->rings) != seen)
			return 0;
		__asm__ volatile("pause");
	}
	/* Whoever rings sees a sleeper, or the sleeper sees that it rang. */
	atomic_fetch_add(&bell->sleepers, 1);
	ret = engine_syscall(SYS_futex, (unsigned long)&bell->rings, FUTEX_WAIT, seen,
			     (unsigned long)timeout, 0, 0);
	atomic_fetch_sub(&bell->sleepers, 1);
	return ret;
}

static ENGINE_CODE __attribute__((noreturn)) void leave(void)
{
	for (;;)
		engine_syscall(SYS_exit_group, 1, 0, 0, 0, 0, 0);
}

static ENGINE_CODE __attribute__((noreturn)) void fail(struct engine_control *control, long err)
{
	control->error = (int32_t)err;
	atomic_store(&control->state, ENGINE_FAILED);
	engine_ring(&control->ends);
	leave();
}

static ENGINE_CODE void check(struct engine_control *control, long ret)
{
	if (ret < 0)
		fail(control, ret);
}

/* The client may be gone already, and then nothing tells us. */
static ENGINE_CODE void follow(const struct engine_control *control)
{
	engine_syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
	if (engine_syscall(SYS_getppid, 0, 0, 0, 0, 0, 0) != control->client ||
	    engine_syscall(SYS_tgkill, (unsigned long)control->client,
			   (unsigned long)control->monitor, 0, 0, 0, 0))
		leave();
	engine_syscall(SYS_prctl, PR_SET_NAME, (unsigned long)control->name, 0, 0, 0, 0);
}

/*
 * What the kernel would do to memory that is no longer ours: write down the CPU for
 * restartable sequences, and push addresses to a shadow stack.
 */
static ENGINE_CODE void forget(struct engine_control *control)
{
	uint64_t features = 0;

	for (int i = 0; i < 2; i++)
		if (control->rseq && control->rseq_sizes[i])
			engine_syscall(SYS_rseq, control->rseq, control->rseq_sizes[i],
				       RSEQ_UNREGISTER, RSEQ_SIGNATURE, 0, 0);
	engine_syscall(SYS_arch_prctl, SHADOW_STACK_OFF, SHADOW_STACK, 0, 0, 0, 0);
	if (!engine_syscall(SYS_arch_prctl, SHADOW_STACK_STATUS, (unsigned long)&features, 0, 0, 0,
			    0) &&
	    features & SHADOW_STACK) {
		control->shadow_stack = true;
		fail(control, -EOPNOTSUPP);
	}
}

static ENGINE_CODE void close_but(unsigned int fd)
{
	if (fd)
		engine_syscall(SYS_close_range, 0, fd - 1, 0, 0, 0, 0);
	engine_syscall(SYS_close_range, fd + 1, UINT32_MAX, 0, 0, 0, 0);
}

/* The client's memory from @start to @end instead of what was forked. */
static ENGINE_CODE void become(struct engine_control *control, uint64_t start, uint64_t end)
{
	const unsigned long prot = PROT_READ | PROT_WRITE | PROT_EXEC;
	long ret;

	if (start >= end)
		return;
	check(control, engine_syscall(SYS_munmap, start, end - start, 0, 0, 0, 0));
	if (!start)
		start = LOWEST;
	do
		ret = engine_syscall(SYS_mmap, start, end - start, prot, MAP_SHARED | MAP_FIXED,
				     (unsigned long)control->fd, start);
	while (ret == -EPERM && start < LOWEST_MAX && (start *= 2) < end && start < LOWEST_MAX);
	if (ret < 0)
		fail(control, ret);
}

static ENGINE_CODE void on_fault(int signal, siginfo_t *info, void *context)
{
	const ucontext_t *user = context;
	/* The one thing that is known here: the stack that we are on. */
	const struct engine_thread *thread;
	struct engine_control *control;
	uint32_t none = 0;

	thread = (const void *)((uintptr_t)user->uc_stack.ss_sp - ENGINE_PAGE);
	control = thread->control;
	if (atomic_compare_exchange_strong(&control->faults, &none, 1)) {
		control->signal = signal;
		control->thread = thread->index;
		control->instruction = (uint64_t)user->uc_mcontext.gregs[REG_RIP];
		/* As far as it was an access, and no kill(). */
		if (info->si_code > 0 && (signal == SIGSEGV || signal == SIGBUS))
			control->address = (uintptr_t)info->si_addr;
		atomic_store(&control->faults, 2);
		leave();
	}
	/* Another thread is at it, and ends us all. */
	for (;;)
		engine_syscall(SYS_pause, 0, 0, 0, 0, 0, 0);
}

static ENGINE_CODE void catch_fault(struct engine_control *control, int signal, uint64_t *caught)
{
	struct kernel_sigaction action;

	action.handler = on_fault;
	action.flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_KERNEL_RESTORER;
	/* It never returns, but there has to be one. */
	action.restorer = leave;
	action.mask = 0;
	check(control, engine_syscall(SYS_rt_sigaction, (unsigned long)signal,
				      (unsigned long)&action, 0, sizeof(action.mask), 0, 0));
	*caught |= UINT64_C(1) << (signal - 1);
}

/* All other signals stay blocked: they are meant for the client, as are their handlers. */
static ENGINE_CODE void catch_faults(struct engine_control *control)
{
	uint64_t caught = 0;

	catch_fault(control, SIGSEGV, &caught);
	catch_fault(control, SIGBUS, &caught);
	catch_fault(control, SIGILL, &caught);
	catch_fault(control, SIGFPE, &caught);
	catch_fault(control, SIGTRAP, &caught);
	catch_fault(control, SIGSYS, &caught);
	check(control, engine_syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, (unsigned long)&caught, 0,
				      sizeof(caught), 0, 0));
}

static ENGINE_CODE __attribute__((noreturn)) void obey(struct engine_thread *thread)
{
	struct engine_control *control = thread->control;
	stack_t stack;
	uint32_t seen = 0;

	stack.ss_sp = (void *)thread->signal_stack;
	stack.ss_flags = 0;
	stack.ss_size = control->signal_stack_size;
	check(control, engine_syscall(SYS_sigaltstack, (unsigned long)&stack, 0, 0, 0, 0, 0));
	/* The last one that comes here is what makes the engine ready. */
	if (atomic_fetch_sub(&control->running, 1) == 1) {
		atomic_store(&control->state, ENGINE_READY);
		engine_ring(&control->ends);
	}
	for (;;) {
		while (atomic_load(&control->launches.rings) == seen)
			engine_listen(&control->launches, seen, 0);
		seen++;
		control->function(control->argument, thread->index);
		if (atomic_fetch_sub(&control->running, 1) == 1)
			engine_ring(&control->ends);
	}
}

/* A thread begins on a stack with nothing on it, so it must not return there. */
static ENGINE_CODE long begin(struct engine_thread *thread, void *stack)
{
	const unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
				    CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS;
	register unsigned long tid __asm__("r10") = 0;
	register unsigned long tls __asm__("r8") = thread->tls;
	register struct engine_thread *self __asm__("r12") = thread;
	register void (*entry)(struct engine_thread *) __asm__("r13") = obey;
	long ret;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r12, %%rdi\n\t"
			 "call *%%r13\n\t"
			 "ud2\n"
			 "1:"
			 : "=a"(ret)
			 : "a"((long)SYS_clone), "D"(flags), "S"(stack), "d"(0l), "r"(tid),
			   "r"(tls), "r"(self), "r"(entry)
			 : "rcx", "r11", "memory");
	return ret;
}

ENGINE_CODE long engine_fork(struct engine_thread *thread, const void *entry, const void *stack)
{
	/* No signal tells of its end: the client may have a use for SIGCHLD of its own. */
	const long pid = engine_syscall(SYS_clone, 0, 0, 0, 0, 0, 0);

	if (!pid)
		__asm__ volatile("mov %1, %%rsp\n\t"
				 "xor %%ebp, %%ebp\n\t"
				 "call *%2\n\t"
				 "ud2"
				 :
				 : "D"(thread), "r"(stack), "r"(entry)
				 : "memory");
	return pid;
}

ENGINE_CODE void engine_main(struct engine_thread *thread)
{
	struct engine_control *control = thread->control;
	const struct engine_range *kept = control->kept;
	struct engine_thread *other = thread;

	follow(control);
	close_but((unsigned int)control->fd);
	forget(control);
	become(control, 0, kept[0].start);
	become(control, kept[0].end, kept[1].start);
	become(control, kept[1].end, control->end);
	/* The mappings have the file. */
	engine_syscall(SYS_close, (unsigned long)control->fd, 0, 0, 0, 0, 0);
	catch_faults(control);
	for (uint32_t i = 1; i < control->threads; i++) {
		other = (void *)((char *)other + control->thread_size);
		check(control, begin(other, (char *)other + control->thread_size));
	}
	check(control, engine_syscall(SYS_arch_prctl, ARCH_SET_FS, thread->tls, 0, 0, 0, 0));
	obey(thread);
}

#endif
