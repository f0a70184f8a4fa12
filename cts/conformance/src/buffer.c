/* SPDX-License-Identifier: MIT */
/*
 * Buffer objects and sub-buffers whose storage is SVM.
 */
#include "tests.h"

#include "overlap.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE ((size_t)65536)

static cl_mem buffer_of(struct trial *t, cl_mem_flags flags, size_t size, void *pointer)
{
	cl_int code;
	cl_mem buffer =
		clCreateBuffer(t->dev.context, CL_MEM_READ_WRITE | flags, size, pointer, &code);

	must(code, "clCreateBuffer");
	return buffer;
}

static cl_mem svm_buffer(struct trial *t, void *memory)
{
	return buffer_of(t, CL_MEM_USE_HOST_PTR, SIZE, memory);
}

/* Where a sub-buffer may begin. */
static size_t base_alignment(const struct trial *t)
{
	cl_uint bits = 0;

	must(clGetDeviceInfo(t->dev.id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof(bits), &bits, NULL),
	     "clGetDeviceInfo");
	return bits / 8;
}

static cl_mem sub_buffer(cl_mem buffer, size_t origin, size_t size)
{
	const cl_buffer_region region = { origin, size };
	cl_int code;
	cl_mem sub = clCreateSubBuffer(buffer, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);

	must(code, "clCreateSubBuffer");
	return sub;
}

/* --- creation ------------------------------------------------------------------------- */

static void storage(struct trial *t)
{
	unsigned char *memory = svm_best(t, SIZE);
	unsigned char byte = 0;
	cl_mem buffer;

	put_bytes(t, memory, 0x21, SIZE);
	buffer = svm_buffer(t, memory);
	must(clEnqueueReadBuffer(t->dev.queue, buffer, CL_TRUE, 99, 1, &byte, 0, NULL, NULL),
	     "clEnqueueReadBuffer");
	CHECK(byte == 0x21, "the buffer begins with 0x%02x, not with what was in the SVM", byte);
	byte = 0x22;
	must(clEnqueueFillBuffer(t->dev.queue, buffer, &byte, 1, 0, SIZE, 0, NULL, NULL),
	     "clEnqueueFillBuffer");
	CHECK(differs_from(t, memory, 0x22, SIZE) == SIZE,
	      "what is written to the buffer is not in the SVM");
	put_bytes(t, memory, 0x23, SIZE);
	must(clEnqueueReadBuffer(t->dev.queue, buffer, CL_TRUE, SIZE - 1, 1, &byte, 0, NULL, NULL),
	     "clEnqueueReadBuffer");
	CHECK(byte == 0x23, "what is written to the SVM is not in the buffer");
}

static void smaller(struct trial *t)
{
	cl_int code;

	clCreateBuffer(t->dev.context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, SIZE / 2,
		       svm_alloc(t, CL_MEM_READ_WRITE, SIZE), &code);
	expect_code(code, CL_SUCCESS, "clCreateBuffer of half an allocation");
}

static void larger(struct trial *t)
{
	const cl_mem_flags flags = t->test->variant ? CL_MEM_COPY_HOST_PTR : CL_MEM_USE_HOST_PTR;
	cl_int code;

	clCreateBuffer(t->dev.context, CL_MEM_READ_WRITE | flags, SIZE + 1,
		       svm_alloc(t, CL_MEM_READ_WRITE, SIZE), &code);
	expect_code(code, CL_INVALID_BUFFER_SIZE, "clCreateBuffer of one byte more than allocated");
}

/* --- queries --------------------------------------------------------------------------- */

static bool uses_svm(cl_mem object)
{
	cl_bool uses = 2;

	must(clGetMemObjectInfo(object, CL_MEM_USES_SVM_POINTER, sizeof(uses), &uses, NULL),
	     "clGetMemObjectInfo");
	CHECK(uses == CL_TRUE || uses == CL_FALSE, "CL_MEM_USES_SVM_POINTER is %u", uses);
	return uses;
}

static void uses_buffer(struct trial *t)
{
	cl_mem buffer = svm_buffer(t, svm_alloc(t, CL_MEM_READ_WRITE, SIZE));

	CHECK(uses_svm(buffer), "CL_MEM_USES_SVM_POINTER is CL_FALSE");
}

static void uses_sub_buffer(struct trial *t)
{
	cl_mem buffer = svm_buffer(t, svm_alloc(t, CL_MEM_READ_WRITE, SIZE));

	CHECK(uses_svm(sub_buffer(buffer, base_alignment(t), 256)),
	      "CL_MEM_USES_SVM_POINTER is CL_FALSE");
}

static void uses_not(struct trial *t)
{
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);

	CHECK(!uses_svm(buffer_of(t, 0, SIZE, NULL)),
	      "CL_MEM_USES_SVM_POINTER is CL_TRUE for a buffer of its own");
	put_bytes(t, memory, 0, SIZE);
	CHECK(!uses_svm(buffer_of(t, CL_MEM_COPY_HOST_PTR, SIZE, memory)),
	      "CL_MEM_USES_SVM_POINTER is CL_TRUE for a copy of SVM");
}

static void uses_not_host(struct trial *t)
{
	void *memory = calloc(1, SIZE);

	CHECK(memory, "out of memory");
	CHECK(!uses_svm(buffer_of(t, CL_MEM_USE_HOST_PTR, SIZE, memory)),
	      "CL_MEM_USES_SVM_POINTER is CL_TRUE for memory of malloc()");
}

static void host_pointer(struct trial *t)
{
	unsigned char *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);
	cl_mem buffer = svm_buffer(t, memory);
	const size_t origin = base_alignment(t);
	cl_mem sub = sub_buffer(buffer, origin, 256);
	void *pointer = NULL;

	must(clGetMemObjectInfo(buffer, CL_MEM_HOST_PTR, sizeof(pointer), &pointer, NULL),
	     "clGetMemObjectInfo");
	CHECK(pointer == memory, "CL_MEM_HOST_PTR of the buffer is %p, %p is due", pointer,
	      (void *)memory);
	must(clGetMemObjectInfo(sub, CL_MEM_HOST_PTR, sizeof(pointer), &pointer, NULL),
	     "clGetMemObjectInfo");
	CHECK(pointer == memory + origin, "CL_MEM_HOST_PTR of the sub-buffer is %p, %p is due",
	      pointer, (void *)(memory + origin));
}

static void map_buffer(struct trial *t)
{
	unsigned char *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);
	cl_mem buffer;
	void *mapped;
	cl_int code;

	put_bytes(t, memory, 0x61, SIZE);
	buffer = svm_buffer(t, memory);
	mapped = clEnqueueMapBuffer(t->dev.queue, buffer, CL_TRUE, CL_MAP_READ, 512, 64, 0, NULL,
				    NULL, &code);
	must(code, "clEnqueueMapBuffer");
	CHECK(mapped == memory + 512, "clEnqueueMapBuffer returns %p, %p is due", mapped,
	      (void *)(memory + 512));
	CHECK(memory[512] == 0x61, "what was written to the SVM is not there");
	must(clEnqueueUnmapMemObject(t->dev.queue, buffer, mapped, 0, NULL, NULL),
	     "clEnqueueUnmapMemObject");
	must(clFinish(t->dev.queue), "clFinish");
}

static void released(struct trial *t)
{
	unsigned char *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);
	cl_mem buffer = svm_buffer(t, memory);

	must(clReleaseMemObject(buffer), "clReleaseMemObject");
	/* The SVM is the application's, and stays. */
	put_bytes(t, memory, 0x71, SIZE);
	CHECK(differs_from(t, memory, 0x71, SIZE) == SIZE,
	      "the SVM went away with a buffer on top of it");
	clSVMFree(t->dev.context, memory);
}

/* --- sub-buffers in kernels --------------------------------------------------------------- */

static void set_buffer(cl_kernel kernel, cl_uint index, cl_mem buffer)
{
	must(clSetKernelArg(kernel, index, sizeof(buffer), &buffer), "clSetKernelArg");
}

static void sub_shares(struct trial *t)
{
	enum { WORDS = 64 };
	unsigned char *memory = svm_best(t, SIZE);
	const size_t origin = base_alignment(t) * 2;
	cl_kernel kernel = simple(t, "fill");
	cl_uint words[WORDS];

	put_bytes(t, memory, 0, SIZE);
	set_buffer(kernel, 0, sub_buffer(svm_buffer(t, memory), origin, sizeof(words)));
	set_uint(kernel, 1, 50);
	run_kernel(t, kernel, WORDS, 1);
	get(t, words, memory + origin, sizeof(words));
	for (cl_uint i = 0; i < WORDS; i++)
		CHECK(words[i] == i + 50, "word %u of the sub-buffer's part of the SVM is %u", i,
		      words[i]);
	CHECK(differs_from(t, memory, 0, SIZE) == origin,
	      "the SVM beside the sub-buffer was written");
}

/*
 * Two sub-buffers that touch: the last word of one and the first of the other, each counted
 * up by the device through its sub-buffer and by the host through the SVM pointer.
 */
struct border {
	_Atomic cl_uint *words[2];
};

static void count_borders(void *context, unsigned thread, unsigned rounds)
{
	struct border *border = context;

	(void)thread;
	for (unsigned i = 0; i < rounds; i++) {
		atomic_fetch_add(border->words[0], 1);
		atomic_fetch_add(border->words[1], 1);
	}
}

static void check_border(const struct border *border, unsigned total)
{
	for (int i = 0; i < 2; i++)
		CHECK(*border->words[i] == total,
		      "the word %s the border is %u after %u additions of 1",
		      i ? "behind" : "before", *border->words[i], total);
}

static cl_kernel border_kernel(struct trial *t, const char *name)
{
	char options[64];

	snprintf(options, sizeof(options), "-DSCOPE=%s", host_scope(t));
	return build(t, structures_cl, name, options);
}

/* A shared allocation, its first @origin bytes and the next as sub-buffers. */
static void make_border(struct trial *t, struct border *border, cl_mem subs[2], size_t *origin)
{
	unsigned char *memory = svm_alloc(t, SVM_SHARED, SIZE);
	cl_mem buffer;

	*origin = base_alignment(t) > 64 ? base_alignment(t) : 64;
	memset(memory, 0, SIZE);
	buffer = svm_buffer(t, memory);
	subs[0] = sub_buffer(buffer, 0, *origin);
	subs[1] = sub_buffer(buffer, *origin, *origin);
	border->words[0] = (void *)(memory + *origin - sizeof(cl_uint));
	border->words[1] = (void *)(memory + *origin);
}

static void sub_borders(struct trial *t)
{
	enum { ITEMS = 16 };
	struct border border;
	struct overlap overlap;
	cl_mem subs[2];
	size_t origin;
	cl_kernel kernel = border_kernel(t, "count_borders");

	make_border(t, &border, subs, &origin);
	set_buffer(kernel, 0, subs[0]);
	set_buffer(kernel, 1, subs[1]);
	set_uint(kernel, 2, (cl_uint)(origin / sizeof(cl_uint)) - 1);
	overlap_begin(&overlap, t, kernel, 3, ITEMS, 4);
	while (overlap_next(&overlap)) {
		*border.words[0] = *border.words[1] = 0;
		overlap_run(&overlap, count_borders, &border);
		check_border(&border, overlap.rounds * (ITEMS + overlap.threads));
	}
	overlap_end(&overlap);
}

/* A pointer, kept in one sub-buffer, to a word in the other. */
static void sub_pointer(struct trial *t)
{
	enum { ITEMS = 16 };
	struct border border;
	struct overlap overlap;
	cl_mem subs[2];
	size_t origin;
	cl_kernel kernel = border_kernel(t, "count_through");

	make_border(t, &border, subs, &origin);
	set_buffer(kernel, 0, subs[0]);
	set_buffer(kernel, 1, subs[1]);
	*(cl_ulong *)((unsigned char *)border.words[1] - origin) = (uintptr_t)border.words[1];
	overlap_begin(&overlap, t, kernel, 2, ITEMS, 4);
	while (overlap_next(&overlap)) {
		*border.words[0] = *border.words[1] = 0;
		overlap_run(&overlap, count_borders, &border);
		CHECK(*border.words[1] == overlap.rounds * (ITEMS + overlap.threads),
		      "a word of the second sub-buffer, reached through a pointer in the first, is "
		      "%u after %u additions of 1",
		      *border.words[1], overlap.rounds * (ITEMS + overlap.threads));
	}
	overlap_end(&overlap);
}

/* One word as part of a buffer, as part of a sub-buffer and as SVM, in one kernel. */
static void sub_aliases(struct trial *t)
{
	enum { ITEMS = 18 };
	unsigned char *memory = svm_alloc(t, SVM_SHARED, SIZE);
	const size_t origin = base_alignment(t);
	_Atomic cl_uint *word = (void *)(memory + origin);
	struct border border = { .words = { word, word } };
	struct overlap overlap;
	cl_mem buffer;
	cl_kernel kernel = border_kernel(t, "count_aliases");

	memset(memory, 0, SIZE);
	buffer = svm_buffer(t, memory);
	set_buffer(kernel, 0, buffer);
	set_uint(kernel, 1, (cl_uint)(origin / sizeof(cl_uint)));
	set_buffer(kernel, 2, sub_buffer(buffer, origin, 256));
	set_svm(kernel, 3, memory + origin);
	overlap_begin(&overlap, t, kernel, 4, ITEMS, 6);
	while (overlap_next(&overlap)) {
		const unsigned total = overlap.rounds * (ITEMS + 2 * overlap.threads);

		*word = 0;
		overlap_run(&overlap, count_borders, &border);
		CHECK(*word == total, "the word is %u after %u additions of 1", *word, total);
	}
	overlap_end(&overlap);
}

#define CREATE	"API 5.2.1, clCreateBuffer"
#define QUERY	"API 5.5, Memory Object Queries"
#define ATOMICS (NEED_FINE | NEED_ATOMICS | NEED_COMPILER)

const struct test buffer_tests[] = {
	{ "buffer.storage", CREATE,
	  "\"The new buffer object returned has the shared memory as the underlying storage\"",
	  NEED_BUFFER, storage, 0 },
	{ "buffer.smaller", CREATE,
	  "succeeds \"as long as the size argument is no larger than\" that of clSVMAlloc",
	  NEED_BUFFER, smaller, 0 },
	{ "buffer.larger", CREATE,
	  "CL_INVALID_BUFFER_SIZE if \"size is greater than the size passed to clSVMAlloc\": "
	  "CL_MEM_USE_HOST_PTR",
	  NEED_BUFFER, larger, 0 },
	{ "buffer.larger-copy", CREATE,
	  "CL_INVALID_BUFFER_SIZE if \"size is greater than the size passed to clSVMAlloc\": "
	  "CL_MEM_COPY_HOST_PTR",
	  NEED_BUFFER, larger, 1 },
	{ "buffer.released", "API 5.6.1, clSVMFree",
	  "a buffer on SVM is released first, and the SVM freed then", NEED_BUFFER, released, 0 },
	{ "buffer.uses-svm-pointer", QUERY, "CL_MEM_USES_SVM_POINTER of a buffer on SVM: CL_TRUE",
	  NEED_BUFFER, uses_buffer, 0 },
	{ "buffer.uses-svm-pointer-not", QUERY,
	  "CL_MEM_USES_SVM_POINTER \"otherwise returns CL_FALSE\": other buffers, copies",
	  NEED_BUFFER, uses_not, 0 },
	{ "buffer.uses-svm-pointer-host", QUERY,
	  "CL_MEM_USES_SVM_POINTER of a buffer on memory of malloc() where that is no SVM: "
	  "CL_FALSE",
	  NEED_NO_SYSTEM, uses_not_host, 0 },
	{ "buffer.host-pointer", QUERY,
	  "CL_MEM_HOST_PTR is the SVM pointer, plus the origin of a "
	  "sub-buffer",
	  NEED_BUFFER, host_pointer, 0 },
	{ "buffer.map", "API 5.2.4, clEnqueueMapBuffer",
	  "\"The pointer value returned ... will be derived from the host_ptr\"", NEED_BUFFER,
	  map_buffer, 0 },
	{ "subbuffer.uses-svm-pointer", QUERY,
	  "CL_MEM_USES_SVM_POINTER of a sub-buffer of a buffer on SVM: CL_TRUE", NEED_BUFFER,
	  uses_sub_buffer, 0 },
	{ "subbuffer.shares", "API 5.6.2",
	  "a kernel writes to a sub-buffer: to that part of the SVM and to no other",
	  NEED_BUFFER | NEED_COMPILER, sub_shares, 0 },
	{ "subbuffer.borders", CREATE,
	  "\"Locations in the buffers underlying shared memory can be operated on using atomic "
	  "operations\": on both sides of a border between sub-buffers, by device and host at once",
	  ATOMICS, sub_borders, 0 },
	{ "subbuffer.pointer-across", CREATE,
	  "the same through a pointer in one sub-buffer to the other", ATOMICS | NEED_INT64,
	  sub_pointer, 0 },
	{ "subbuffer.aliases", CREATE,
	  "the same on one word as part of a buffer, of a sub-buffer and as SVM", ATOMICS,
	  sub_aliases, 0 },
	{ 0 },
};
