/* SPDX-License-Identifier: MIT */
/*
 * Store buffering and message passing between a host thread and a kernel: what the orders forbid.
 */
#include "cltest.h"

#include <sched.h>

enum { ROUNDS = 20000 };

/* The kernel's and the host's words are in different cache lines. */
struct shared {
	_Alignas(128) int device_turn;
	_Alignas(128) int host_turn;
	_Alignas(128) int x;
	_Alignas(128) int y;
	_Alignas(128) int seen[ROUNDS];
};

static const char source[] =
	"#define ALL memory_scope_all_svm_devices\n"
	"typedef volatile global atomic_int A;\n"
	"void meet(A *mine, A *theirs, int turn)\n"
	"{\n"
	"	atomic_store_explicit(mine, turn, memory_order_release, ALL);\n"
	"	while (atomic_load_explicit(theirs, memory_order_acquire, ALL) < turn)\n"
	"		;\n"
	"}\n"
	"kernel void accesses(A *mine, A *theirs, A *x, A *y, global int *seen, int rounds)\n"
	"{\n"
	"	for (int i = 0; i < rounds; i++) {\n"
	"		meet(mine, theirs, 2 * i + 1);\n"
	"		atomic_store_explicit(x, i + 1, memory_order_seq_cst, ALL);\n"
	"		seen[i] = atomic_load_explicit(y, memory_order_seq_cst, ALL);\n"
	"		meet(mine, theirs, 2 * i + 2);\n"
	"	}\n"
	"}\n"
	"kernel void fence(A *mine, A *theirs, A *x, A *y, global int *seen, int rounds)\n"
	"{\n"
	"	for (int i = 0; i < rounds; i++) {\n"
	"		meet(mine, theirs, 2 * i + 1);\n"
	"		atomic_store_explicit(x, i + 1, memory_order_relaxed, ALL);\n"
	"		atomic_work_item_fence(CLK_GLOBAL_MEM_FENCE, memory_order_seq_cst, ALL);\n"
	"		seen[i] = atomic_load_explicit(y, memory_order_relaxed, ALL);\n"
	"		meet(mine, theirs, 2 * i + 2);\n"
	"	}\n"
	"}\n"
	/* The host sends i + 1 in y, and says so in x. */
	"kernel void message(A *mine, A *theirs, A *x, A *y, global int *seen, int rounds)\n"
	"{\n"
	"	for (int i = 0; i < rounds; i++) {\n"
	"		while (atomic_load_explicit(x, memory_order_acquire, ALL) <= i)\n"
	"			;\n"
	"		seen[i] = *(volatile global int *)y;\n"
	"		atomic_store_explicit(mine, i + 1, memory_order_release, ALL);\n"
	"	}\n"
	"}\n";

static struct shared *shared;
static int seen[ROUNDS];

/* Spin, to be as close as possible, but let the device run where it has no core of its own. */
static void wait_for_device(int turn)
{
	for (int i = 1; __atomic_load_n(&shared->device_turn, __ATOMIC_ACQUIRE) < turn; i++)
		if (i % 2000 == 0)
			sched_yield();
}

static void meet(int turn)
{
	__atomic_store_n(&shared->host_turn, turn, __ATOMIC_RELEASE);
	wait_for_device(turn);
}

static void start(cl_program program, const char *name)
{
	cl_kernel k = kernel(program, name);
	cl_int rounds = ROUNDS;

	memset(shared, 0, sizeof(*shared));
	CHECK(clSetKernelArgSVMPointer(k, 0, &shared->device_turn));
	CHECK(clSetKernelArgSVMPointer(k, 1, &shared->host_turn));
	CHECK(clSetKernelArgSVMPointer(k, 2, &shared->x));
	CHECK(clSetKernelArgSVMPointer(k, 3, &shared->y));
	CHECK(clSetKernelArgSVMPointer(k, 4, shared->seen));
	CHECK(clSetKernelArg(k, 5, sizeof(rounds), &rounds));
	launch(k, 1, 1);
}

/* Both store, then both load: at least one of them sees the other's store. */
static void store_buffering(cl_program program, const char *name)
{
	start(program, name);
	for (int i = 0; i < ROUNDS; i++) {
		meet(2 * i + 1);
		__atomic_store_n(&shared->y, i + 1, __ATOMIC_SEQ_CST);
		seen[i] = __atomic_load_n(&shared->x, __ATOMIC_SEQ_CST);
		meet(2 * i + 2);
	}
	CHECK(clFinish(queue));
	for (int i = 0; i < ROUNDS; i++)
		if (seen[i] == i && shared->seen[i] == i)
			fail("%s: in round %d neither saw the other's store", name, i);
}

static void message_passing(cl_program program)
{
	start(program, "message");
	for (int i = 0; i < ROUNDS; i++) {
		shared->y = i + 1;
		__atomic_store_n(&shared->x, i + 1, __ATOMIC_RELEASE);
		wait_for_device(i + 1);
	}
	CHECK(clFinish(queue));
	for (int i = 0; i < ROUNDS; i++)
		if (shared->seen[i] != i + 1)
			fail("message %d arrived as %d", i + 1, shared->seen[i]);
}

int main(void)
{
	cl_program program;

	open_device();
	shared = alloc_for_atomics(sizeof(*shared));
	program = build(source, "-cl-std=CL3.0");
	alarm(300);
	store_buffering(program, "accesses");
	store_buffering(program, "fence");
	message_passing(program);
	clSVMFree(context, shared);
	return 0;
}
