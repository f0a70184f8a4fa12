/* SPDX-License-Identifier: MIT */
/*
 * An LD_PRELOAD library that makes any OpenCL implementation break rules of SVM, so that each
 * test can be seen to fail. SVMATOMIC_BROKEN=NAME chooses how; see the table of names below.
 */
#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const names[] = {
	"lenient",	  /* what is to be refused is accepted, and nothing is done */
	"strict",	  /* what is to be accepted is refused */
	"noop",		  /* commands are accepted and have no effect */
	"misaligned",	  /* clSVMAlloc: 8 bytes off any alignment */
	"same",		  /* clSVMAlloc: the same memory again */
	"short",	  /* clSVMAlloc: a page's end is the memory's */
	"leak",		  /* what is freed is not */
	"free-spoils",	  /* clSVMFree: writes to the last allocation but one */
	"shifted",	  /* clSetKernelArgSVMPointer: 4 bytes on */
	"argument-first", /* clSetKernelArgSVMPointer: only the first value counts */
	"argument-once",  /* a launch forgets the first argument */
	"clone-bare",	  /* clCloneKernel: without arguments */
	"base-only",	  /* clSetKernelExecInfo: refuses pointers into an allocation */
	"overlap",	  /* clEnqueueSVMMemcpy: copies overlapping ranges */
	"beside",	  /* copies and fills write one byte too many */
	"late",		  /* copies that are to be complete are done later */
	"pattern-late",	  /* clEnqueueSVMMemFill: reads the pattern when it is executed */
	"no-wait",	  /* wait lists are ignored */
	"list-late",	  /* wait lists are read when the command is executed */
	"status-early",	  /* a command is complete as soon as it is enqueued */
	"undead",	  /* a command whose wait failed is complete */
	"event-type",	  /* every event is a marker's */
	"event-owner",	  /* no event has a queue or a context */
	"profile",	  /* times go backwards */
	"unmap-loses",	  /* what the host wrote while it was mapped is lost */
	"map-spoils",	  /* clEnqueueSVMMap: what is mapped is zeroed */
	"migrate-clears", /* clEnqueueSVMMigrateMem: zeroes */
	"writeback",	  /* at its end, a kernel's first argument is as it was at its start */
	"callback-twice", /* clEnqueueSVMFree: calls twice */
	"callback-data",  /* clEnqueueSVMFree: with other user data */
	"callback-list",  /* clEnqueueSVMFree: with the caller's list */
	"callback-early", /* clEnqueueSVMFree: at once */
	"buffer-copies",  /* clCreateBuffer: a copy of the host's memory */
	"uses-inverted",  /* CL_MEM_USES_SVM_POINTER: the opposite */
	"release-frees",  /* clReleaseMemObject: frees the SVM below */
	"no-svm",	  /* says that there is no SVM */
	"no-fine",	  /* says that there is no fine-grained SVM */
	"no-svm-atomics", /* says that there are no SVM atomics */
	"no-system",	  /* says that there is no fine-grained system SVM, and has it */
	"no-coarse",	  /* says that there is no coarse-grained SVM */
	"old",		  /* says that it is OpenCL 2.0, and has no SVM */
	"memory-none",	  /* CL_DEVICE_ATOMIC_MEMORY_CAPABILITIES: 0 */
	"memory-gap",	  /* the same: without what others include */
	"fence-none",	  /* CL_DEVICE_ATOMIC_FENCE_CAPABILITIES: 0 */
	"fence-gap",	  /* the same: without what others include */
	"no-all-devices", /* the same two without the scope of all devices */
	"no-features",	  /* CL_DEVICE_OPENCL_C_FEATURES: empty */
	"non-atomic",	  /* kernels: no operation is atomic */
	"new-value",	  /* kernels: operations return the value that they leave */
	"lower-half",	  /* kernels: operations leave the upper half of 64 bits as it was */
	"unsigned",	  /* kernels: minimum and maximum compare without signs */
	"spurious",	  /* kernels: compare_exchange_strong fails now and then */
	"early-flag",	  /* kernels: stores are one ahead of what is to be stored */
	"serial",	  /* a launch returns when the kernel has ended */
	"crash",	  /* clSVMAlloc: ends the process */
	"hang",		  /* clSVMAlloc: never returns */
	"lost",		  /* launches: the device is gone */
};

static const char *fault;

static bool broken(const char *name)
{
	return !strcmp(fault, name);
}

/* The loader's own entry points. */
#define FUNCTIONS(F)                                                                               \
	F(clSVMAlloc)                                                                              \
	F(clSVMFree)                                                                               \
	F(clSetKernelArgSVMPointer)                                                                \
	F(clSetKernelExecInfo)                                                                     \
	F(clCloneKernel)                                                                           \
	F(clEnqueueSVMFree)                                                                        \
	F(clEnqueueSVMMemcpy)                                                                      \
	F(clEnqueueSVMMemFill)                                                                     \
	F(clEnqueueSVMMap)                                                                         \
	F(clEnqueueSVMUnmap)                                                                       \
	F(clEnqueueSVMMigrateMem)                                                                  \
	F(clEnqueueNDRangeKernel)                                                                  \
	F(clCreateBuffer)                                                                          \
	F(clReleaseMemObject)                                                                      \
	F(clGetMemObjectInfo)                                                                      \
	F(clGetDeviceInfo)                                                                         \
	F(clGetEventInfo)                                                                          \
	F(clGetEventProfilingInfo)                                                                 \
	F(clCreateProgramWithSource)

#define DECLARE(name) __typeof__(name) *name;
static struct {
	FUNCTIONS(DECLARE)
} next;

/* What faults have to remember; one test at a time, mostly from one thread. */
static struct {
	unsigned char *last_but_one;
	unsigned char *last;
	size_t size;
	void *first_argument;
	void *mapped;
	void *snapshot;
	size_t snapshot_size;
	void *written;
} state;

__attribute__((constructor)) static void begin(void)
{
	fault = getenv("SVMATOMIC_BROKEN");
	/* The programs that an implementation's compiler runs are to work. */
	unsetenv("LD_PRELOAD");
	/* ISO C has no cast from an object pointer to a function pointer. */
#define RESOLVE(name)                                                                              \
	{                                                                                          \
		void *symbol = dlsym(RTLD_NEXT, #name);                                            \
		memcpy(&next.name, &symbol, sizeof(symbol));                                       \
	}
	FUNCTIONS(RESOLVE)
	for (size_t i = 0; fault && i < sizeof(names) / sizeof(*names); i++)
		if (broken(names[i]))
			return;
	/* A misspelt fault would make a test that tests nothing. */
	fprintf(stderr, "broken: SVMATOMIC_BROKEN names no fault; see broken.c\n");
	_Exit(70);
}

/* An event that is complete, for a command that was not executed. */
static cl_int pretend(cl_command_queue queue, cl_event *event)
{
	if (!event || !queue)
		return CL_SUCCESS;
	return clEnqueueMarkerWithWaitList(queue, 0, NULL, event);
}

/* What a command's own code becomes; @event is that of the call. */
static cl_int judged(cl_int code, cl_command_queue queue, cl_event *event)
{
	if (code != CL_SUCCESS && broken("lenient"))
		return pretend(queue, event);
	return code;
}

/* The wait list as a fault has it: for use once. */
static void waits(cl_uint *count, const cl_event **list)
{
	if (broken("no-wait")) {
		*count = 0;
		*list = NULL;
	}
}

/* A list that is still the caller's when it is read: as if it had been overwritten by then. */
static cl_int list_late(cl_uint count)
{
	return count && broken("list-late") ? CL_INVALID_EVENT_WAIT_LIST : CL_SUCCESS;
}

/* --- memory ------------------------------------------------------------------ */

/* All but the last 8 bytes: there is nothing behind them. */
static void *short_memory(size_t size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t room = (size + page - 1) / page * page;
	unsigned char *memory =
		mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(memory + room, page, PROT_NONE);
	return memory + room - size + 8;
}

static void *alloc_broken(cl_context context, cl_svm_mem_flags flags, size_t size,
			  cl_uint alignment)
{
	unsigned char *memory;

	if (broken("strict"))
		return NULL;
	if (broken("crash") && context)
		abort();
	while (broken("hang") && context)
		pause();
	if (broken("same") && state.last && size <= state.size)
		return state.last;
	if (broken("short"))
		return short_memory(size);
	if (broken("misaligned")) {
		memory = next.clSVMAlloc(context, flags, size + 256, 0);
		return memory ? memory + 8 : NULL;
	}
	memory = next.clSVMAlloc(context, flags, size, alignment);
	if (!memory && broken("lenient"))
		memory = malloc(size ? (size < 4096 ? size : 4096) : 1);
	return memory;
}

void *clSVMAlloc(cl_context context, cl_svm_mem_flags flags, size_t size, cl_uint alignment)
{
	unsigned char *memory = alloc_broken(context, flags, size, alignment);

	state.last_but_one = state.last;
	state.last = memory;
	state.size = size;
	return memory;
}

void clSVMFree(cl_context context, void *memory)
{
	if (broken("leak") || broken("misaligned") || broken("same"))
		return;
	if (broken("free-spoils") && state.last_but_one)
		memset(state.last_but_one, 0x55, 16);
	if (broken("no-svm") || broken("old"))
		/* As if it were an allocation, and its memory somebody else's from now on. */
		abort();
	next.clSVMFree(context, memory);
}

/* --- kernels' arguments ------------------------------------------------------- */

cl_int clSetKernelArgSVMPointer(cl_kernel kernel, cl_uint index, const void *value)
{
	cl_int code;

	if (broken("strict"))
		return CL_INVALID_ARG_VALUE;
	if (broken("argument-first") && index == 0) {
		if (state.first_argument)
			value = state.first_argument;
		state.first_argument = (void *)(uintptr_t)value;
	}
	if (index == 0)
		state.written = (void *)(uintptr_t)value;
	if (broken("shifted"))
		value = (const unsigned char *)value + 4;
	code = next.clSetKernelArgSVMPointer(kernel, index, value);
	return broken("lenient") || broken("no-system") ? CL_SUCCESS : code;
}

cl_int clSetKernelExecInfo(cl_kernel kernel, cl_kernel_exec_info name, size_t size,
			   const void *value)
{
	void *const *pointers = value;
	cl_int code;

	if (broken("strict"))
		return CL_INVALID_VALUE;
	if (broken("base-only") && name == CL_KERNEL_EXEC_INFO_SVM_PTRS && size &&
	    (uintptr_t)pointers[0] % 128)
		return CL_INVALID_VALUE;
	code = next.clSetKernelExecInfo(kernel, name, size, value);
	return broken("lenient") || broken("no-system") ? CL_SUCCESS : code;
}

static cl_kernel bare_copy(cl_kernel kernel, cl_int *code)
{
	cl_program program;
	char name[256] = "";

	clGetKernelInfo(kernel, CL_KERNEL_PROGRAM, sizeof(program), &program, NULL);
	clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof(name), name, NULL);
	return clCreateKernel(program, name, code);
}

cl_kernel clCloneKernel(cl_kernel kernel, cl_int *code)
{
	return broken("clone-bare") ? bare_copy(kernel, code) : next.clCloneKernel(kernel, code);
}

/*
 * What kernels call instead of atomic functions: each of these is a broken_ function for one of
 * them, and the others stay as they are.
 */
static const char prelude_non_atomic[] =
	"#if defined(TYPE) || defined(SCOPE)\n"
	"#if !defined(TYPE) && defined(WIDE)\n#define TYPE ulong\n#endif\n"
	"#ifndef TYPE\n#define TYPE uint\n#endif\n"
	"typedef volatile __global TYPE *broken_pointer;\n"
	"TYPE broken_swap(broken_pointer p, TYPE was, TYPE v) { *p = v; return was; }\n"
	"#define BROKEN(p) ((broken_pointer)(p))\n"
	"#define broken_fetch_add_explicit(p, v, ...) "
	"broken_swap(BROKEN(p), *BROKEN(p), *BROKEN(p) + (v))\n"
	"#define broken_fetch_sub_explicit(p, v, ...) "
	"broken_swap(BROKEN(p), *BROKEN(p), *BROKEN(p) - (v))\n"
	"#define broken_fetch_or_explicit(p, v, ...) "
	"broken_swap(BROKEN(p), *BROKEN(p), *BROKEN(p) | (v))\n"
	"#define broken_fetch_xor_explicit(p, v, ...) "
	"broken_swap(BROKEN(p), *BROKEN(p), *BROKEN(p) ^ (v))\n"
	"#define broken_fetch_and_explicit(p, v, ...) "
	"broken_swap(BROKEN(p), *BROKEN(p), *BROKEN(p) & (v))\n"
	"#define broken_fetch_min_explicit(p, v, ...) "
	"broken_swap(BROKEN(p), *BROKEN(p), *BROKEN(p) < (v) ? *BROKEN(p) : (v))\n"
	"#define broken_fetch_max_explicit(p, v, ...) "
	"broken_swap(BROKEN(p), *BROKEN(p), *BROKEN(p) > (v) ? *BROKEN(p) : (v))\n"
	"#define broken_exchange_explicit(p, v, ...) broken_swap(BROKEN(p), *BROKEN(p), v)\n"
	"bool broken_compare(volatile __global TYPE *p, TYPE *expected, TYPE v)\n"
	"{\n"
	"	const TYPE was = *p;\n"
	"	if (was == *expected) { *p = v; return true; }\n"
	"	*expected = was;\n"
	"	return false;\n"
	"}\n"
	"#define broken_compare_exchange_strong_explicit(p, e, v, ...) "
	"broken_compare(BROKEN(p), e, v)\n"
	"#define broken_compare_exchange_weak_explicit(p, e, v, ...) "
	"broken_compare(BROKEN(p), e, v)\n"
	"uint broken_flag(volatile __global uint *p) { const uint was = *p; *p = 1; return was; }\n"
	"#define broken_flag_test_and_set_explicit(p, ...) "
	"(broken_flag((volatile __global uint *)(p)) != 0)\n"
	"#define broken_flag_clear_explicit(p, ...) ((void)(p))\n"
	/* Byte by byte, with some time between them. */
	"#define broken_store_explicit(p, v, ...) broken_bytes(BROKEN(p), v)\n"
	"void broken_bytes(broken_pointer p, TYPE v)\n"
	"{\n"
	"	volatile __global uchar *to = (volatile __global uchar *)p;\n"
	"	TYPE copy = v;\n"
	"	uchar *from = (uchar *)&copy;\n"
	"	uint waste = 0;\n"
	"	for (uint i = 0; i < sizeof(TYPE); i++) {\n"
	"		to[i] = from[i];\n"
	"		for (uint j = 0; j < 20; j++)\n"
	"			waste += to[i];\n"
	"	}\n"
	"}\n"
	"#endif\n";

static const char prelude_new_value[] = "#define broken_fetch_add_explicit(p, v, ...) "
					"(atomic_fetch_add_explicit(p, v, __VA_ARGS__) + (v))\n"
					"#define broken_fetch_max_explicit(p, v, ...) "
					"max(atomic_fetch_max_explicit(p, v, __VA_ARGS__), v)\n"
					"#define broken_exchange_explicit(p, v, ...) "
					"(atomic_exchange_explicit(p, v, __VA_ARGS__), v)\n";

/* Little-endian. */
static const char prelude_lower_half[] =
	"#if defined(BITS) && BITS == 64\n"
	"#define HALF(p) ((volatile __global atomic_uint *)(p))\n"
	"#define broken_fetch_add_explicit(p, v, ...) "
	"((TYPE)atomic_fetch_add_explicit(HALF(p), (uint)(v), __VA_ARGS__))\n"
	"#define broken_exchange_explicit(p, v, ...) "
	"(AS_TYPE((ulong)atomic_exchange_explicit(HALF(p), (uint)TO_BITS(v), __VA_ARGS__)))\n"
	"#define broken_fetch_min_explicit(p, v, ...) "
	"((TYPE)atomic_fetch_min_explicit(HALF(p), (uint)(v), __VA_ARGS__))\n"
	"#endif\n";

static const char prelude_unsigned[] =
	"#if defined(BITS) && BITS == 64\n"
	"#define WITHOUT_SIGN(p) ((volatile __global atomic_ulong *)(p))\n"
	"#elif defined(BITS)\n"
	"#define WITHOUT_SIGN(p) ((volatile __global atomic_uint *)(p))\n"
	"#endif\n"
	"#ifdef BITS\n"
	"#define broken_fetch_min_explicit(p, v, ...) "
	"((TYPE)atomic_fetch_min_explicit(WITHOUT_SIGN(p), v, __VA_ARGS__))\n"
	"#define broken_fetch_max_explicit(p, v, ...) "
	"((TYPE)atomic_fetch_max_explicit(WITHOUT_SIGN(p), v, __VA_ARGS__))\n"
	"#endif\n";

static const char prelude_spurious[] =
	"#define broken_compare_exchange_strong_explicit(p, e, v, ...) "
	"(!((uint)TO_BITS(*(e)) & 64u) && "
	"atomic_compare_exchange_strong_explicit(p, e, v, __VA_ARGS__))\n";

static const char prelude_early_flag[] = "#define broken_store_explicit(p, v, ...) "
					 "atomic_store_explicit(p, (v) + 1, __VA_ARGS__)\n";

static const char *prelude(void)
{
	static const struct {
		const char *name;
		const char *text;
	} preludes[] = {
		{ "non-atomic", prelude_non_atomic }, { "new-value", prelude_new_value },
		{ "lower-half", prelude_lower_half }, { "unsigned", prelude_unsigned },
		{ "spurious", prelude_spurious },     { "early-flag", prelude_early_flag },
	};

	for (size_t i = 0; i < sizeof(preludes) / sizeof(*preludes); i++)
		if (broken(preludes[i].name))
			return preludes[i].text;
	return "";
}

/* The functions that have no broken_ one. */
#define AS_IT_IS(name)                                                                             \
	"#ifndef broken_" name "_explicit\n"                                                       \
	"#define broken_" name "_explicit atomic_" name "_explicit\n"                              \
	"#endif\n"                                                                                 \
	"#define broken_" name " atomic_" name "\n"

static const char others[] = AS_IT_IS("load") AS_IT_IS("store") AS_IT_IS("exchange")
	AS_IT_IS("compare_exchange_strong") AS_IT_IS("compare_exchange_weak") AS_IT_IS("fetch_add")
		AS_IT_IS("fetch_sub") AS_IT_IS("fetch_or") AS_IT_IS("fetch_xor")
			AS_IT_IS("fetch_and") AS_IT_IS("fetch_min") AS_IT_IS("fetch_max")
				AS_IT_IS("flag_test_and_set") AS_IT_IS("flag_clear");

/* A copy of @text that calls broken_ functions. */
static char *renamed(const char *text)
{
	static const char *const calls[] = { "atomic_##op",	"atomic_load",	  "atomic_store",
					     "atomic_exchange", "atomic_compare", "atomic_fetch_",
					     "atomic_flag_" };
	char *copy = strdup(text);

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		for (char *at = copy; (at = strstr(at, calls[i])); at++)
			memcpy(at, "broken", strlen("broken"));
	return copy;
}

cl_program clCreateProgramWithSource(cl_context context, cl_uint count, const char **texts,
				     const size_t *lengths, cl_int *code)
{
	const char *all[8] = { prelude(), others };

	if (lengths || count > 6 || !*all[0])
		return next.clCreateProgramWithSource(context, count, texts, lengths, code);
	for (cl_uint i = 0; i < count; i++)
		all[i + 2] = renamed(texts[i]);
	return next.clCreateProgramWithSource(context, count + 2, all, NULL, code);
}

/* --- commands ------------------------------------------------------------------ */

static void take_snapshot(size_t size)
{
	if (!broken("writeback") || !state.written)
		return;
	free(state.snapshot);
	state.snapshot = malloc(size);
	state.snapshot_size = size;
	memcpy(state.snapshot, state.written, size);
}

static void write_back(void)
{
	if (!state.snapshot)
		return;
	memcpy(state.written, state.snapshot, state.snapshot_size);
	free(state.snapshot);
	state.snapshot = NULL;
}

static void forget_argument(cl_kernel kernel)
{
	cl_context context;

	clGetKernelInfo(kernel, CL_KERNEL_CONTEXT, sizeof(context), &context, NULL);
	next.clSetKernelArgSVMPointer(kernel, 0,
				      next.clSVMAlloc(context, CL_MEM_READ_WRITE, 65536, 0));
}

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions,
			      const size_t *offset, const size_t *global, const size_t *local,
			      cl_uint count, const cl_event *list, cl_event *event)
{
	cl_int code;

	if (broken("lost"))
		return CL_DEVICE_NOT_AVAILABLE;
	take_snapshot(global[0]);
	code = next.clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local, count,
					   list, event);
	if (code == CL_INVALID_OPERATION && broken("no-system"))
		return pretend(queue, event);
	if (code == CL_SUCCESS && broken("serial"))
		code = clFinish(queue);
	if (code == CL_SUCCESS && broken("argument-once"))
		forget_argument(kernel);
	return code;
}

/* A command that is done some time after it was said to be. */
struct later {
	void *to;
	void *from;
	size_t size;
};

static void *do_later(void *argument)
{
	struct later *later = argument;
	const struct timespec pause = { .tv_nsec = 20000000 };

	nanosleep(&pause, NULL);
	memcpy(later->to, later->from, later->size);
	return NULL;
}

static cl_int copy_later(cl_command_queue queue, void *to, const void *from, size_t size,
			 cl_event *event)
{
	struct later *later = malloc(sizeof(*later));
	pthread_t thread;

	*later = (struct later){ to, malloc(size), size };
	memcpy(later->from, from, size);
	pthread_create(&thread, NULL, do_later, later);
	pthread_detach(thread);
	return pretend(queue, event);
}

cl_int clEnqueueSVMMemcpy(cl_command_queue queue, cl_bool block, void *to, const void *from,
			  size_t size, cl_uint count, const cl_event *list, cl_event *event)
{
	cl_int code;

	waits(&count, &list);
	if (list_late(count))
		return list_late(count);
	if (broken("strict"))
		return CL_OUT_OF_RESOURCES;
	if (broken("noop"))
		return pretend(queue, event);
	if (broken("late"))
		return copy_later(queue, to, from, size, event);
	if (broken("beside"))
		size++;
	code = next.clEnqueueSVMMemcpy(queue, block, to, from, size, count, list, event);
	if (code == CL_MEM_COPY_OVERLAP && broken("overlap")) {
		memmove(to, from, size);
		return pretend(queue, event);
	}
	return judged(code, queue, event);
}

/* Fill when @event has come, with what the pattern is then. */
struct fill {
	unsigned char *to;
	const unsigned char *pattern;
	size_t pattern_size;
	size_t size;
	cl_event done;
};

static void CL_CALLBACK fill_now(cl_event event, cl_int status, void *data)
{
	struct fill *fill = data;

	(void)event;
	(void)status;
	for (size_t i = 0; i < fill->size; i++)
		fill->to[i] = fill->pattern[i % fill->pattern_size];
	clSetUserEventStatus(fill->done, CL_COMPLETE);
}

static cl_int fill_later(cl_command_queue queue, const struct fill *what, cl_uint count,
			 const cl_event *list, cl_event *event)
{
	struct fill *fill = malloc(sizeof(*fill));
	cl_context context;
	cl_event marker;

	clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof(context), &context, NULL);
	*fill = *what;
	*event = fill->done = clCreateUserEvent(context, NULL);
	clEnqueueMarkerWithWaitList(queue, count, list, &marker);
	return clSetEventCallback(marker, CL_COMPLETE, fill_now, fill);
}

cl_int clEnqueueSVMMemFill(cl_command_queue queue, void *to, const void *pattern,
			   size_t pattern_size, size_t size, cl_uint count, const cl_event *list,
			   cl_event *event)
{
	waits(&count, &list);
	if (list_late(count))
		return list_late(count);
	if (broken("strict"))
		return CL_OUT_OF_RESOURCES;
	if (broken("noop"))
		return pretend(queue, event);
	if (broken("pattern-late") && event)
		return fill_later(queue,
				  &(struct fill){ .to = to,
						  .pattern = pattern,
						  .pattern_size = pattern_size,
						  .size = size },
				  count, list, event);
	if (broken("beside"))
		size += pattern_size;
	return judged(next.clEnqueueSVMMemFill(queue, to, pattern, pattern_size, size, count, list,
					       event),
		      queue, event);
}

cl_int clEnqueueSVMMap(cl_command_queue queue, cl_bool block, cl_map_flags flags, void *memory,
		       size_t size, cl_uint count, const cl_event *list, cl_event *event)
{
	cl_int code;

	waits(&count, &list);
	if (list_late(count))
		return list_late(count);
	if (broken("strict"))
		return CL_OUT_OF_RESOURCES;
	code = next.clEnqueueSVMMap(queue, block, flags, memory, size, count, list, event);
	if (code == CL_SUCCESS && broken("map-spoils") && (flags & CL_MAP_READ))
		memset(memory, 0, size < 64 ? size : 64);
	if (code == CL_SUCCESS && broken("unmap-loses") && (flags & CL_MAP_WRITE) && block) {
		free(state.snapshot);
		state.mapped = memory;
		state.snapshot_size = size;
		state.snapshot = malloc(size);
		memcpy(state.snapshot, memory, size);
	}
	return judged(code, queue, event);
}

cl_int clEnqueueSVMUnmap(cl_command_queue queue, void *memory, cl_uint count, const cl_event *list,
			 cl_event *event)
{
	waits(&count, &list);
	if (list_late(count))
		return list_late(count);
	if (broken("unmap-loses") && state.snapshot && state.mapped == memory) {
		memcpy(memory, state.snapshot, state.snapshot_size);
		free(state.snapshot);
		state.snapshot = NULL;
	}
	return judged(next.clEnqueueSVMUnmap(queue, memory, count, list, event), queue, event);
}

cl_int clEnqueueSVMMigrateMem(cl_command_queue queue, cl_uint number, const void **pointers,
			      const size_t *sizes, cl_mem_migration_flags flags, cl_uint count,
			      const cl_event *list, cl_event *event)
{
	waits(&count, &list);
	if (list_late(count))
		return list_late(count);
	if (broken("strict"))
		return CL_OUT_OF_RESOURCES;
	for (cl_uint i = 0; broken("migrate-clears") && i < number; i++)
		memset((void *)(uintptr_t)pointers[i], 0, 16);
	return judged(next.clEnqueueSVMMigrateMem(queue, number, pointers, sizes, flags, count,
						  list, event),
		      queue, event);
}

typedef void CL_CALLBACK free_callback(cl_command_queue, cl_uint, void *[], void *);

/* A call of clEnqueueSVMFree on its way. */
struct freeing {
	free_callback *callback;
	void *data;
	void **list;
	cl_uint count;
};

static void CL_CALLBACK free_broken(cl_command_queue queue, cl_uint count, void *pointers[],
				    void *data)
{
	struct freeing *freeing = data;

	if (broken("callback-list"))
		pointers = freeing->list;
	if (broken("callback-data"))
		freeing->data = &freeing->data;
	freeing->callback(queue, count, pointers, freeing->data);
	if (broken("callback-twice"))
		freeing->callback(queue, count, pointers, freeing->data);
}

cl_int clEnqueueSVMFree(cl_command_queue queue, cl_uint number, void *pointers[],
			free_callback *callback, void *data, cl_uint count, const cl_event *list,
			cl_event *event)
{
	struct freeing *freeing;

	waits(&count, &list);
	if (list_late(count))
		return list_late(count);
	if (broken("strict"))
		return CL_OUT_OF_RESOURCES;
	if (broken("noop") || (broken("leak") && !callback))
		return pretend(queue, event);
	if (broken("callback-early") && callback) {
		callback(queue, number, pointers, data);
		return pretend(queue, event);
	}
	if (!callback || strncmp(fault, "callback", 8))
		return judged(next.clEnqueueSVMFree(queue, number, pointers, callback, data, count,
						    list, event),
			      queue, event);
	freeing = malloc(sizeof(*freeing));
	*freeing = (struct freeing){ callback, data, pointers, number };
	return next.clEnqueueSVMFree(queue, number, pointers, free_broken, freeing, count, list,
				     event);
}

/* --- events ---------------------------------------------------------------------- */

cl_int clGetEventInfo(cl_event event, cl_event_info name, size_t size, void *value,
		      size_t *size_out)
{
	cl_int code = next.clGetEventInfo(event, name, size, value, size_out);

	if (code != CL_SUCCESS || !value)
		return code;
	if (name == CL_EVENT_COMMAND_TYPE && broken("event-type"))
		*(cl_command_type *)value = CL_COMMAND_MARKER;
	if ((name == CL_EVENT_COMMAND_QUEUE || name == CL_EVENT_CONTEXT) && broken("event-owner"))
		memset(value, 0, size);
	if (name != CL_EVENT_COMMAND_EXECUTION_STATUS)
		return code;
	if (broken("status-early"))
		*(cl_int *)value = CL_COMPLETE;
	if (broken("undead") && *(cl_int *)value < 0)
		*(cl_int *)value = CL_COMPLETE;
	if (broken("writeback") && *(cl_int *)value == CL_COMPLETE)
		write_back();
	return code;
}

cl_int clGetEventProfilingInfo(cl_event event, cl_profiling_info name, size_t size, void *value,
			       size_t *size_out)
{
	cl_int code = next.clGetEventProfilingInfo(event, name, size, value, size_out);

	if (code == CL_SUCCESS && value && broken("profile"))
		*(cl_ulong *)value = ~*(cl_ulong *)value;
	return code;
}

/* --- buffers ---------------------------------------------------------------------- */

cl_mem clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *code)
{
	cl_mem buffer;

	if (broken("strict") && host) {
		if (code)
			*code = CL_INVALID_HOST_PTR;
		return NULL;
	}
	if (broken("buffer-copies") && (flags & CL_MEM_USE_HOST_PTR))
		flags ^= CL_MEM_USE_HOST_PTR | CL_MEM_COPY_HOST_PTR;
	buffer = next.clCreateBuffer(context, flags, size, host, code);
	if (!buffer && broken("lenient")) {
		*code = CL_SUCCESS;
		buffer = next.clCreateBuffer(context, CL_MEM_READ_WRITE, size, NULL, NULL);
	}
	return buffer;
}

cl_int clReleaseMemObject(cl_mem object)
{
	cl_context context;
	void *host = NULL;

	if (broken("release-frees")) {
		clGetMemObjectInfo(object, CL_MEM_CONTEXT, sizeof(context), &context, NULL);
		clGetMemObjectInfo(object, CL_MEM_HOST_PTR, sizeof(host), &host, NULL);
		next.clReleaseMemObject(object);
		next.clSVMFree(context, host);
		return CL_SUCCESS;
	}
	return next.clReleaseMemObject(object);
}

cl_int clGetMemObjectInfo(cl_mem object, cl_mem_info name, size_t size, void *value,
			  size_t *size_out)
{
	cl_int code = next.clGetMemObjectInfo(object, name, size, value, size_out);

	if (code == CL_SUCCESS && value && name == CL_MEM_USES_SVM_POINTER &&
	    (broken("uses-inverted") || broken("no-svm")))
		*(cl_bool *)value = broken("no-svm") || !*(cl_bool *)value;
	return code;
}

/* --- what is claimed ----------------------------------------------------------------- */

static void claim_svm(cl_device_svm_capabilities *svm)
{
	if (broken("no-svm") || broken("old"))
		*svm = 0;
	if (broken("no-fine"))
		*svm &= ~(cl_device_svm_capabilities)(CL_DEVICE_SVM_FINE_GRAIN_BUFFER |
						      CL_DEVICE_SVM_ATOMICS);
	if (broken("no-svm-atomics"))
		*svm &= ~(cl_device_svm_capabilities)CL_DEVICE_SVM_ATOMICS;
	if (broken("no-system"))
		*svm &= ~(cl_device_svm_capabilities)CL_DEVICE_SVM_FINE_GRAIN_SYSTEM;
	if (broken("no-coarse"))
		*svm &= ~(cl_device_svm_capabilities)CL_DEVICE_SVM_COARSE_GRAIN_BUFFER;
}

static void claim_atomics(const char *what, cl_device_atomic_capabilities *atomics)
{
	char name[32];

	snprintf(name, sizeof(name), "%s-none", what);
	if (broken(name))
		*atomics = 0;
	snprintf(name, sizeof(name), "%s-gap", what);
	if (broken(name))
		*atomics = CL_DEVICE_ATOMIC_ORDER_SEQ_CST | CL_DEVICE_ATOMIC_SCOPE_DEVICE;
	if (broken("no-all-devices"))
		*atomics &= ~(cl_device_atomic_capabilities)CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES;
}

cl_int clGetDeviceInfo(cl_device_id device, cl_device_info name, size_t size, void *value,
		       size_t *size_out)
{
	cl_int code = next.clGetDeviceInfo(device, name, size, value, size_out);

	if (code == CL_SUCCESS && name == CL_DEVICE_OPENCL_C_FEATURES && broken("no-features") &&
	    size_out)
		*size_out = 0;
	if (code != CL_SUCCESS || !value)
		return code;
	if (name == CL_DEVICE_SVM_CAPABILITIES)
		claim_svm(value);
	if (name == CL_DEVICE_ATOMIC_MEMORY_CAPABILITIES)
		claim_atomics("memory", value);
	if (name == CL_DEVICE_ATOMIC_FENCE_CAPABILITIES)
		claim_atomics("fence", value);
	if (name == CL_DEVICE_VERSION && broken("old"))
		snprintf(value, size, "OpenCL 2.0 broken");
	return code;
}
