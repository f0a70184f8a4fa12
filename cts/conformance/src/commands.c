/* SPDX-License-Identifier: MIT */
/*
 * What all clEnqueueSVM* commands have in common: queues, wait lists, events. A test's variant
 * is the command it is about.
 */
#include "tests.h"

#include <stdatomic.h>
#include <string.h>

#define SIZE ((size_t)4096)

enum { FREE, MEMCPY, MEMFILL, MAP, UNMAP, MIGRATE, COMMAND_COUNT };

/* Memory to have commands on: a is full of 0x0a, b of 0x0b. */
struct stage {
	void *a;
	void *b;
	atomic_int freed;
};

static void CL_CALLBACK freed(cl_command_queue queue, cl_uint count, void *pointers[],
			      void *user_data)
{
	struct stage *stage = user_data;

	(void)queue;
	(void)count;
	(void)pointers;
	atomic_fetch_add(&stage->freed, 1);
}

static void set_stage(struct trial *t, struct stage *stage)
{
	if (t->test->variant == MIGRATE && t->dev.cl_version < 21)
		not_applicable("clEnqueueSVMMigrateMem came with OpenCL 2.1; the device is %s",
			       t->dev.version);
	*stage = (struct stage){ .a = svm_alloc(t, CL_MEM_READ_WRITE, SIZE),
				 .b = svm_alloc(t, CL_MEM_READ_WRITE, SIZE) };
	put_bytes(t, stage->a, 0x0a, SIZE);
	put_bytes(t, stage->b, 0x0b, SIZE);
	if (t->test->variant == UNMAP)
		must(clEnqueueSVMMap(t->dev.queue, CL_TRUE, CL_MAP_READ, stage->a, SIZE, 0, NULL,
				     NULL),
		     "clEnqueueSVMMap");
}

/* The command: a is freed, copied to b, filled with 0x0c, mapped, unmapped or migrated. */
static cl_int enqueue_blocking(struct trial *t, cl_command_queue queue, struct stage *stage,
			       cl_bool block, cl_uint waits, const cl_event *list, cl_event *event)
{
	const unsigned char pattern = 0x0c;
	const void *pointer = stage->a;

	switch (t->test->variant) {
	case FREE:
		return clEnqueueSVMFree(queue, 1, &stage->a, freed, stage, waits, list, event);
	case MEMCPY:
		return clEnqueueSVMMemcpy(queue, block, stage->b, stage->a, SIZE, waits, list,
					  event);
	case MEMFILL:
		return clEnqueueSVMMemFill(queue, stage->a, &pattern, 1, SIZE, waits, list, event);
	case MAP:
		return clEnqueueSVMMap(queue, block, CL_MAP_READ, stage->a, SIZE, waits, list,
				       event);
	case UNMAP:
		return clEnqueueSVMUnmap(queue, stage->a, waits, list, event);
	default:
		return clEnqueueSVMMigrateMem(queue, 1, &pointer, NULL, 0, waits, list, event);
	}
}

static cl_int enqueue(struct trial *t, struct stage *stage, cl_uint waits, const cl_event *list,
		      cl_event *event)
{
	return enqueue_blocking(t, t->dev.queue, stage, CL_FALSE, waits, list, event);
}

/* --- arguments that are errors ------------------------------------------------------ */

static void queue_invalid(struct trial *t)
{
	struct stage stage;

	set_stage(t, &stage);
	expect_code(enqueue_blocking(t, NULL, &stage, CL_FALSE, 0, NULL, NULL),
		    CL_INVALID_COMMAND_QUEUE, "no queue");
}

static void list_null(struct trial *t)
{
	struct stage stage;

	set_stage(t, &stage);
	expect_code(enqueue(t, &stage, 1, NULL, NULL), CL_INVALID_EVENT_WAIT_LIST,
		    "num_events_in_wait_list 1 without a list");
}

static void list_empty(struct trial *t)
{
	cl_event event = user_event(t->dev.context);
	struct stage stage;

	set_event(event, CL_COMPLETE);
	set_stage(t, &stage);
	expect_code(enqueue(t, &stage, 0, &event, NULL), CL_INVALID_EVENT_WAIT_LIST,
		    "a list with num_events_in_wait_list 0");
}

static void event_invalid(struct trial *t)
{
	cl_event events[2] = { user_event(t->dev.context), NULL };
	struct stage stage;

	set_event(events[0], CL_COMPLETE);
	set_stage(t, &stage);
	expect_code(enqueue(t, &stage, 2, events, NULL), CL_INVALID_EVENT_WAIT_LIST,
		    "a list with NULL in it");
}

static void event_of_other_context(struct trial *t)
{
	cl_event event = user_event(other_context(t));
	struct stage stage;

	set_event(event, CL_COMPLETE);
	set_stage(t, &stage);
	expect_code(enqueue(t, &stage, 1, &event, NULL), CL_INVALID_CONTEXT,
		    "an event of another context in the list");
}

/* --- waiting ------------------------------------------------------------------------- */

/* Whether the command has done its work, as far as that can be seen. */
static bool has_worked(struct trial *t, struct stage *stage)
{
	switch (t->test->variant) {
	case FREE:
		return atomic_load(&stage->freed);
	case MEMCPY:
		return differs_from(t, stage->b, 0x0a, SIZE) == SIZE;
	case MEMFILL:
		return differs_from(t, stage->a, 0x0c, SIZE) == SIZE;
	default:
		return true;
	}
}

static void waits(struct trial *t)
{
	cl_event gates[2] = { user_event(t->dev.context), user_event(t->dev.context) };
	struct stage stage;
	cl_event event;

	set_stage(t, &stage);
	must(enqueue(t, &stage, 2, gates, &event), "the command");
	must(clFlush(t->dev.queue), "clFlush");
	doze(0.05);
	CHECK(event_status(event) > CL_COMPLETE, "it is complete before both events it waits for");
	set_event(gates[1], CL_COMPLETE);
	doze(0.05);
	CHECK(event_status(event) > CL_COMPLETE,
	      "it is complete before the first of two events it waits for");
	set_event(gates[0], CL_COMPLETE);
	finish(t, event);
	for (int i = 0; t->test->variant == FREE && i < 1000 && !stage.freed; i++)
		doze(0.001);
	CHECK(has_worked(t, &stage), "it is complete and has done nothing");
}

static void list_reused(struct trial *t)
{
	cl_event gate = user_event(t->dev.context);
	cl_event list[1] = { gate };
	struct stage stage;
	cl_event event;

	set_stage(t, &stage);
	must(enqueue(t, &stage, 1, list, &event), "the command");
	list[0] = NULL;
	must(clFlush(t->dev.queue), "clFlush");
	doze(0.02);
	CHECK(event_status(event) > CL_COMPLETE, "it is complete before what it waits for");
	set_event(gate, CL_COMPLETE);
	finish(t, event);
}

static void terminated(struct trial *t)
{
	cl_event gate = user_event(t->dev.context);
	struct stage stage;
	cl_event event;
	cl_int status;

	set_stage(t, &stage);
	must(enqueue(t, &stage, 1, &gate, &event), "the command");
	set_event(gate, -1);
	status = final_status(t, event);
	CHECK(status < 0, "what it waits for failed, and its own status is %d", status);
	if (t->test->variant == FREE) {
		doze(0.05);
		CHECK(!stage.freed, "what it waits for failed, and it was executed");
	}
	/* The queue may be of no use any more: look with another. */
	if (t->test->variant == MEMCPY || t->test->variant == MEMFILL) {
		t->dev.queue =
			clCreateCommandQueueWithProperties(t->dev.context, t->dev.id, NULL, NULL);
		CHECK(t->dev.queue, "a second queue cannot be created");
		CHECK(!has_worked(t, &stage), "what it waits for failed, and it was executed");
	}
}

static void failed_wait(struct trial *t)
{
	cl_event gate = user_event(t->dev.context);
	struct stage stage;

	set_stage(t, &stage);
	set_event(gate, -1);
	expect_code(enqueue_blocking(t, t->dev.queue, &stage, CL_TRUE, 1, &gate, NULL),
		    CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST,
		    "blocking, with a failed event in the list");
}

/* --- the command's own event ----------------------------------------------------------- */

static void event_type(struct trial *t)
{
	static const cl_command_type types[COMMAND_COUNT] = {
		[FREE] = CL_COMMAND_SVM_FREE,	    [MEMCPY] = CL_COMMAND_SVM_MEMCPY,
		[MEMFILL] = CL_COMMAND_SVM_MEMFILL, [MAP] = CL_COMMAND_SVM_MAP,
		[UNMAP] = CL_COMMAND_SVM_UNMAP,	    [MIGRATE] = CL_COMMAND_SVM_MIGRATE_MEM,
	};
	cl_command_type type = 0;
	struct stage stage;
	cl_event event;

	if (t->test->variant == MIGRATE && t->dev.cl_version < 30)
		not_applicable("before OpenCL 3.0 the type is the implementation's choice; the "
			       "device is %s",
			       t->dev.version);
	set_stage(t, &stage);
	must(enqueue(t, &stage, 0, NULL, &event), "the command");
	must(clGetEventInfo(event, CL_EVENT_COMMAND_TYPE, sizeof(type), &type, NULL),
	     "clGetEventInfo");
	CHECK(type == types[t->test->variant], "CL_EVENT_COMMAND_TYPE is 0x%x, 0x%x is due", type,
	      types[t->test->variant]);
	finish(t, event);
}

static void event_owner(struct trial *t)
{
	cl_command_queue queue = NULL;
	cl_context context = NULL;
	struct stage stage;
	cl_event event;

	set_stage(t, &stage);
	must(enqueue(t, &stage, 0, NULL, &event), "the command");
	must(clGetEventInfo(event, CL_EVENT_COMMAND_QUEUE, sizeof(queue), &queue, NULL),
	     "clGetEventInfo");
	must(clGetEventInfo(event, CL_EVENT_CONTEXT, sizeof(context), &context, NULL),
	     "clGetEventInfo");
	CHECK(queue == t->dev.queue, "CL_EVENT_COMMAND_QUEUE is another queue");
	CHECK(context == t->dev.context, "CL_EVENT_CONTEXT is another context");
	finish(t, event);
}

static void profile(struct trial *t)
{
	static const cl_profiling_info names[] = { CL_PROFILING_COMMAND_QUEUED,
						   CL_PROFILING_COMMAND_SUBMIT,
						   CL_PROFILING_COMMAND_START,
						   CL_PROFILING_COMMAND_END };
	cl_ulong before = 0;
	struct stage stage;
	cl_event event;

	set_stage(t, &stage);
	must(enqueue(t, &stage, 0, NULL, &event), "the command");
	finish(t, event);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		cl_ulong at = 0;
		const cl_int code = clGetEventProfilingInfo(event, names[i], sizeof(at), &at, NULL);

		if (code == CL_PROFILING_INFO_NOT_AVAILABLE && t->test->variant == FREE &&
		    t->dev.cl_version < 30)
			not_applicable("before OpenCL 3.0 clEnqueueSVMFree need not be profiled; "
				       "the device is %s",
				       t->dev.version);
		must(code, "clGetEventProfilingInfo");
		CHECK(at, "time %zu of the command is 0", i);
		CHECK(at >= before, "time %zu of the command is before the one ahead of it", i);
		before = at;
	}
}

#define NEEDS	NEED_BUFFER
#define EVENTS	"API 5.11, Event Objects"
#define PROFILE "API, Profiling Operations on Memory Objects and Kernels"

/* The tests that there are of every command. */
#define COMMAND(name, api, id)                                                                     \
	{ name ".queue-invalid", api, "CL_INVALID_COMMAND_QUEUE", NEEDS, queue_invalid, id },      \
		{ name ".wait-list-null",                                                          \
		  api,                                                                             \
		  "CL_INVALID_EVENT_WAIT_LIST \"if event_wait_list is NULL and "                   \
		  "num_events_in_wait_list > 0\"",                                                 \
		  NEEDS,                                                                           \
		  list_null,                                                                       \
		  id },                                                                            \
		{ name ".wait-list-empty",                                                         \
		  api,                                                                             \
		  "CL_INVALID_EVENT_WAIT_LIST if \"event_wait_list is not NULL and "               \
		  "num_events_in_wait_list is 0\"",                                                \
		  NEEDS,                                                                           \
		  list_empty,                                                                      \
		  id },                                                                            \
		{ name ".wait-list-invalid",                                                       \
		  api,                                                                             \
		  "CL_INVALID_EVENT_WAIT_LIST \"if event objects in event_wait_list are not "      \
		  "valid "                                                                         \
		  "events\"",                                                                      \
		  NEEDS,                                                                           \
		  event_invalid,                                                                   \
		  id },                                                                            \
		{ name ".waits",                                                                   \
		  api,                                                                             \
		  "events \"need to complete before\" the command is executed",                    \
		  NEEDS,                                                                           \
		  waits,                                                                           \
		  id },                                                                            \
		{ name ".wait-list-reused",                                                        \
		  api,                                                                             \
		  "\"The memory associated with event_wait_list can be reused or freed after the " \
		  "function returns\"",                                                            \
		  NEEDS,                                                                           \
		  list_reused,                                                                     \
		  id },                                                                            \
		{ name ".terminated",                                                              \
		  EVENTS ", clSetUserEventStatus",                                                 \
		  "a negative status \"causes all enqueued commands that wait on this user event " \
		  "to be terminated\"",                                                            \
		  NEEDS,                                                                           \
		  terminated,                                                                      \
		  id },                                                                            \
		{ name ".event-type",                                                              \
		  EVENTS ", CL_EVENT_COMMAND_TYPE",                                                \
		  "the event has the command's type",                                              \
		  NEEDS,                                                                           \
		  event_type,                                                                      \
		  id },                                                                            \
		{ name ".event-owner",                                                             \
		  EVENTS ", clGetEventInfo",                                                       \
		  "the event has the command's queue and context",                                 \
		  NEEDS,                                                                           \
		  event_owner,                                                                     \
		  id },                                                                            \
	{                                                                                          \
		name ".profile", PROFILE, "the command's times are there, in their order", NEEDS,  \
			profile, id                                                                \
	}

#define OTHER_CONTEXT(name, api, id)                                                               \
	{                                                                                          \
		name ".other-context", api,                                                        \
			"CL_INVALID_CONTEXT if the contexts of command_queue and of events \"are " \
			"not the same\"",                                                          \
			NEEDS, event_of_other_context, id                                          \
	}

#define FAILED_WAIT(name, api, id)                                                                 \
	{                                                                                          \
		name ".failed-wait", api,                                                          \
			"CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST if it \"is blocking and "    \
			"the execution "                                                           \
			"status of any of the events in event_wait_list is a negative integer "    \
			"value\"",                                                                 \
			NEEDS, failed_wait, id                                                     \
	}

const struct test command_tests[] = {
	COMMAND("enqueuefree", "API 5.6.1, clEnqueueSVMFree", FREE),
	COMMAND("memcpy", "API 5.6.1, clEnqueueSVMMemcpy", MEMCPY),
	OTHER_CONTEXT("memcpy", "API 5.6.1, clEnqueueSVMMemcpy", MEMCPY),
	FAILED_WAIT("memcpy", "API 5.6.1, clEnqueueSVMMemcpy", MEMCPY),
	COMMAND("memfill", "API 5.6.1, clEnqueueSVMMemFill", MEMFILL),
	OTHER_CONTEXT("memfill", "API 5.6.1, clEnqueueSVMMemFill", MEMFILL),
	COMMAND("map", "API 5.6.1, clEnqueueSVMMap", MAP),
	OTHER_CONTEXT("map", "API 5.6.1, clEnqueueSVMMap", MAP),
	FAILED_WAIT("map", "API 5.6.1, clEnqueueSVMMap", MAP),
	COMMAND("unmap", "API 5.6.1, clEnqueueSVMUnmap", UNMAP),
	OTHER_CONTEXT("unmap", "API 5.6.1, clEnqueueSVMUnmap", UNMAP),
	COMMAND("migrate", "API 5.6.1, clEnqueueSVMMigrateMem", MIGRATE),
	OTHER_CONTEXT("migrate", "API 5.6.1, clEnqueueSVMMigrateMem", MIGRATE),
	{ 0 },
};
