/* SPDX-License-Identifier: MIT */
/*
 * clEnqueueSVMFree(): callbacks, their arguments, and when they come.
 */
#include "tests.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SIZE ((size_t)4096)
#define MOST 4

/* What a callback was given; the implementation calls it from a thread of its own. */
struct call {
	cl_context context;
	atomic_int calls;
	cl_command_queue queue;
	cl_uint count;
	void *pointers[MOST];
	unsigned char first; /* what the first pointer points to */
	bool release;	     /* free with clSVMFree() */
	void *user_data;
};

static void CL_CALLBACK called(cl_command_queue queue, cl_uint count, void *pointers[],
			       void *user_data)
{
	struct call *call = user_data;

	call->queue = queue;
	call->count = count;
	for (cl_uint i = 0; i < count && i < MOST; i++)
		call->pointers[i] = pointers[i];
	call->first = *(unsigned char *)pointers[0];
	call->user_data = user_data;
	for (cl_uint i = 0; call->release && i < count; i++)
		clSVMFree(call->context, pointers[i]);
	atomic_fetch_add(&call->calls, 1);
}

static void await_call(struct trial *t, struct call *call)
{
	for (double waited = 0; !atomic_load(&call->calls); waited += 0.001) {
		CHECK(waited < t->limit / 2, "the callback is not called");
		doze(0.001);
	}
}

static void callback(struct trial *t)
{
	struct call call = { .context = t->dev.context, .release = true };
	void *pointers[MOST];
	void *kept[MOST];
	cl_event event;

	for (int i = 0; i < MOST; i++)
		kept[i] = pointers[i] = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);
	must(clEnqueueSVMFree(t->dev.queue, MOST, pointers, called, &call, 0, NULL, &event),
	     "clEnqueueSVMFree");
	finish(t, event);
	await_call(t, &call);
	doze(0.05);
	CHECK(call.calls == 1, "the callback is called %d times", call.calls);
	CHECK(call.queue == t->dev.queue, "the callback is given another queue");
	CHECK(call.count == MOST, "the callback is given %u pointers, not %d", call.count, MOST);
	CHECK(!memcmp(call.pointers, kept, sizeof(kept)), "the callback is given other pointers");
	CHECK(call.user_data == &call, "the callback is given another user_data");
}

/* Whether the one without user data was called, which has no other way to say it. */
static atomic_int calls_without_data;

static void CL_CALLBACK called_without_data(cl_command_queue queue, cl_uint count, void *pointers[],
					    void *user_data)
{
	(void)queue;
	(void)count;
	(void)pointers;
	atomic_store(&calls_without_data, user_data ? -1 : 1);
}

static void no_user_data(struct trial *t)
{
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);
	cl_event event;

	must(clEnqueueSVMFree(t->dev.queue, 1, &memory, called_without_data, NULL, 0, NULL, &event),
	     "clEnqueueSVMFree");
	finish(t, event);
	for (double waited = 0; !atomic_load(&calls_without_data); waited += 0.001) {
		CHECK(waited < t->limit / 2, "the callback is not called");
		doze(0.001);
	}
	CHECK(calls_without_data == 1, "the callback is given user_data where there was none");
}

static void without_callback(struct trial *t)
{
	enum { ROUNDS = 64 };
	const size_t size = (size_t)16 << 20;
	size_t before = 0;
	size_t after;

	for (int i = 0; i < ROUNDS + 4; i++) {
		void *memory = svm_alloc(t, CL_MEM_READ_WRITE, size);

		if (i == 4)
			before = address_space();
		must(clEnqueueSVMFree(t->dev.queue, 1, &memory, NULL, NULL, 0, NULL, NULL),
		     "clEnqueueSVMFree");
		must(clFinish(t->dev.queue), "clFinish");
	}
	after = address_space();
	CHECK(after < before + ROUNDS / 2 * size,
	      "%d allocations of %zu MiB, each freed, take %zu MiB more", ROUNDS, size >> 20,
	      (after - before) >> 20);
}

static void list_reused(struct trial *t)
{
	struct call call = { .context = t->dev.context };
	void *kept[2] = { svm_alloc(t, CL_MEM_READ_WRITE, SIZE),
			  svm_alloc(t, CL_MEM_READ_WRITE, SIZE) };
	void *list[2] = { kept[0], kept[1] };
	cl_event gate = user_event(t->dev.context);
	cl_event event;

	must(clEnqueueSVMFree(t->dev.queue, 2, list, called, &call, 1, &gate, &event),
	     "clEnqueueSVMFree");
	list[0] = list[1] = &call;
	set_event(gate, CL_COMPLETE);
	finish(t, event);
	await_call(t, &call);
	CHECK(!memcmp(call.pointers, kept, sizeof(kept)),
	      "the callback is given what was put into the list after the call");
}

static void not_before(struct trial *t)
{
	struct call call = { .context = t->dev.context };
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);
	cl_event gate = user_event(t->dev.context);
	cl_event event;

	must(clEnqueueSVMFree(t->dev.queue, 1, &memory, called, &call, 1, &gate, &event),
	     "clEnqueueSVMFree");
	must(clFlush(t->dev.queue), "clFlush");
	doze(0.1);
	CHECK(!atomic_load(&call.calls), "the callback comes before what the command waits for");
	set_event(gate, CL_COMPLETE);
	await_call(t, &call);
}

/* In an in-order queue, what was enqueued before is done, and seen, when the callback comes. */
static void after_earlier(struct trial *t)
{
	struct call call = { .context = t->dev.context };
	unsigned char *memory =
		svm_alloc(t, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, SIZE);
	void *pointer = memory;
	cl_kernel kernel = simple(t, "write_bytes");
	const size_t global = SIZE;

	memset(memory, 0, SIZE);
	set_svm(kernel, 0, memory);
	set_uint(kernel, 1, 1);
	set_uint(kernel, 2, 0x42);
	must(clEnqueueNDRangeKernel(t->dev.queue, kernel, 1, NULL, &global, NULL, 0, NULL, NULL),
	     "clEnqueueNDRangeKernel");
	must(clEnqueueSVMFree(t->dev.queue, 1, &pointer, called, &call, 0, NULL, NULL),
	     "clEnqueueSVMFree");
	must(clFlush(t->dev.queue), "clFlush");
	await_call(t, &call);
	CHECK(call.first == 0x42, "the callback sees memory as before the kernel ahead of it");
}

static void system_pointer(struct trial *t)
{
	struct call call = { .context = t->dev.context };
	void *memory = malloc(SIZE);

	CHECK(memory, "out of memory");
	must(clEnqueueSVMFree(t->dev.queue, 1, &memory, called, &call, 0, NULL, NULL),
	     "clEnqueueSVMFree of memory of malloc()");
	must(clFlush(t->dev.queue), "clFlush");
	await_call(t, &call);
	CHECK(call.pointers[0] == memory, "the callback is given another pointer");
	free(memory);
}

static void none(struct trial *t)
{
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);

	expect_code(clEnqueueSVMFree(t->dev.queue, 0, &memory, NULL, NULL, 0, NULL, NULL),
		    CL_INVALID_VALUE, "num_svm_pointers 0 with a list");
}

static void null(struct trial *t)
{
	expect_code(clEnqueueSVMFree(t->dev.queue, 1, NULL, NULL, NULL, 0, NULL, NULL),
		    CL_INVALID_VALUE, "svm_pointers NULL with num_svm_pointers 1");
}

#define FREE "API 5.6.1, clEnqueueSVMFree"

const struct test free_tests[] = {
	{ "enqueuefree.callback", FREE,
	  "the callback gets \"queue\", \"the count and list of SVM pointers to free and "
	  "user_data\", once",
	  NEED_BUFFER, callback, 0 },
	{ "enqueuefree.user-data-null", FREE, "\"user_data can be NULL\"", NEED_BUFFER,
	  no_user_data, 0 },
	{ "enqueuefree.without-callback", FREE,
	  "without a callback \"the OpenCL implementation will free these SVM pointers\"",
	  NEED_BUFFER, without_callback, 0 },
	{ "enqueuefree.list-reused", FREE,
	  "\"The memory associated with svm_pointers can be reused or freed after the function "
	  "returns\"",
	  NEED_BUFFER, list_reused, 0 },
	{ "enqueuefree.not-before", FREE,
	  "events \"need to complete before clEnqueueSVMFree can be executed\": no callback before",
	  NEED_BUFFER, not_before, 0 },
	{ "enqueuefree.after-earlier",
	  "API, Out-of-Order Execution of Kernels and Memory Object Commands",
	  "in order: the callback sees what a kernel ahead of it wrote", NEED_FINE | NEED_COMPILER,
	  after_earlier, 0 },
	{ "enqueuefree.system", FREE, "with a callback, \"a shared system memory pointer\"",
	  NEED_SYSTEM, system_pointer, 0 },
	{ "enqueuefree.none", FREE,
	  "CL_INVALID_VALUE \"if num_svm_pointers is 0 and svm_pointers is non-NULL\"", NEED_BUFFER,
	  none, 0 },
	{ "enqueuefree.null", FREE,
	  "CL_INVALID_VALUE \"if svm_pointers is NULL and num_svm_pointers is not 0\"", NEED_SVM,
	  null, 0 },
	{ 0 },
};
