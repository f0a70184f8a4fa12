/* SPDX-License-Identifier: MIT */
/*
 * clEnqueueSVMMemcpy(): what may be copied where, and overlaps.
 */
#include "tests.h"

#include <stdlib.h>
#include <string.h>

#define SIZE ((size_t)8192)

static void pattern(unsigned char *bytes, size_t size, unsigned seed)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(i * 7 + i / 251 + seed);
}

static cl_int copy(struct trial *t, void *to, const void *from, size_t size)
{
	return clEnqueueSVMMemcpy(t->dev.queue, CL_TRUE, to, from, size, 0, NULL, NULL);
}

static void check_same(const unsigned char *got, const unsigned char *wanted, size_t size)
{
	for (size_t i = 0; i < size; i++)
		CHECK(got[i] == wanted[i], "byte %zu is 0x%02x, 0x%02x is due", i, got[i],
		      wanted[i]);
}

enum { SVM_TO_SVM, HOST_TO_SVM, SVM_TO_HOST, HOST_TO_HOST };

static void kinds(struct trial *t)
{
	static unsigned char source[SIZE];
	static unsigned char result[SIZE];
	void *from = source;
	void *to = result;

	pattern(source, SIZE, t->test->variant);
	if (t->test->variant == SVM_TO_SVM || t->test->variant == SVM_TO_HOST) {
		from = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);
		put(t, from, source, SIZE);
	}
	if (t->test->variant == SVM_TO_SVM || t->test->variant == HOST_TO_SVM)
		to = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);
	must(copy(t, to, from, SIZE), "clEnqueueSVMMemcpy");
	if (to != result)
		get(t, result, to, SIZE);
	check_same(result, source, SIZE);
}

static void odd(struct trial *t)
{
	unsigned char source[600];
	unsigned char wanted[600];
	unsigned char result[600];
	unsigned char *from = svm_alloc(t, CL_MEM_READ_WRITE, sizeof(source));
	unsigned char *to = svm_alloc(t, CL_MEM_READ_WRITE, sizeof(source));

	pattern(source, sizeof(source), 3);
	put(t, from, source, sizeof(source));
	put_bytes(t, to, 0xcc, sizeof(source));
	must(copy(t, to + 13, from + 5, 257), "clEnqueueSVMMemcpy");
	get(t, result, to, sizeof(result));
	memset(wanted, 0xcc, sizeof(wanted));
	memcpy(wanted + 13, source + 5, 257);
	check_same(result, wanted, sizeof(wanted));
}

/* Large enough that it would not be there if the call did not wait. */
static void blocking(struct trial *t)
{
	const size_t size = (size_t)16 << 20;
	unsigned char *source = malloc(size);
	unsigned char *result = calloc(1, size);
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, size);

	CHECK(source && result, "out of memory");
	pattern(source, size, 1);
	put(t, memory, source, size);
	must(copy(t, result, memory, size), "clEnqueueSVMMemcpy");
	CHECK(!memcmp(source, result, size), "the copy is not there when the call returns");
}

static void nonblocking(struct trial *t)
{
	static unsigned char source[SIZE];
	static unsigned char result[SIZE];
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);
	cl_event gate = user_event(t->dev.context);
	cl_event event;

	pattern(source, SIZE, 2);
	put(t, memory, source, SIZE);
	/* A call that waited here would not come back: the time limit would tell. */
	must(clEnqueueSVMMemcpy(t->dev.queue, CL_FALSE, result, memory, SIZE, 1, &gate, &event),
	     "clEnqueueSVMMemcpy");
	must(clFlush(t->dev.queue), "clFlush");
	doze(0.05);
	CHECK(event_status(event) > CL_COMPLETE, "it is complete before what it waits for");
	set_event(gate, CL_COMPLETE);
	finish(t, event);
	check_same(result, source, SIZE);
}

static void null(struct trial *t)
{
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);

	expect_code(copy(t, NULL, memory, 16), CL_INVALID_VALUE, "dst_ptr NULL");
	expect_code(copy(t, memory, NULL, 16), CL_INVALID_VALUE, "src_ptr NULL");
}

static void overlap(struct trial *t)
{
	static const struct {
		size_t to;
		size_t from;
		size_t size;
		const char *what;
	} cases[] = {
		{ 0, 0, 1, "one byte to itself" },
		{ 64, 64, 256, "a range to itself" },
		{ 1, 0, 2, "up by one byte of two" },
		{ 0, 1, 2, "down by one byte of two" },
		{ 255, 0, 256, "up, one byte in common" },
		{ 0, 255, 256, "down, one byte in common" },
		{ 1024, 512, 4096, "up, by part of it" },
		{ 512, 1024, 4096, "down, by part of it" },
	};
	unsigned char *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_code(copy(t, memory + cases[i].to, memory + cases[i].from, cases[i].size),
			    CL_MEM_COPY_OVERLAP, cases[i].what);
}

static void overlap_host(struct trial *t)
{
	static unsigned char memory[SIZE];

	expect_code(copy(t, memory + 8, memory, 16), CL_MEM_COPY_OVERLAP,
		    "two overlapping ranges of host memory");
}

static void adjacent(struct trial *t)
{
	unsigned char source[512];
	unsigned char result[512];
	unsigned char *memory = svm_alloc(t, CL_MEM_READ_WRITE, sizeof(source));

	pattern(source, sizeof(source), 9);
	put(t, memory, source, sizeof(source));
	expect_code(copy(t, memory + 256, memory, 256), CL_SUCCESS, "to right behind the source");
	get(t, result, memory, sizeof(result));
	check_same(result + 256, source, 256);
	put(t, memory, source, sizeof(source));
	expect_code(copy(t, memory, memory + 256, 256), CL_SUCCESS, "to right before the source");
	get(t, result, memory, sizeof(result));
	check_same(result, source + 256, 256);
}

static void nothing(struct trial *t)
{
	unsigned char *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);
	cl_event event;

	put_bytes(t, memory, 0x77, SIZE / 2);
	put_bytes(t, memory + SIZE / 2, 0x78, SIZE / 2);
	expect_code(clEnqueueSVMMemcpy(t->dev.queue, CL_FALSE, memory, memory + SIZE / 2, 0, 0,
				       NULL, &event),
		    CL_SUCCESS, "0 bytes");
	finish(t, event);
	CHECK(differs_from(t, memory, 0x77, SIZE) == SIZE / 2, "a copy of 0 bytes changed memory");
}

static void pattern_order(struct trial *t)
{
	unsigned char result[64];
	unsigned char wanted[64];
	void *a = svm_alloc(t, CL_MEM_READ_WRITE, sizeof(result));
	void *b = svm_alloc(t, CL_MEM_READ_WRITE, sizeof(result));

	/* In order: each copy has what the one before it wrote. */
	pattern(wanted, sizeof(wanted), 5);
	memset(result, 0, sizeof(result));
	put_bytes(t, b, 0, sizeof(result));
	put(t, a, wanted, sizeof(wanted));
	must(clEnqueueSVMMemcpy(t->dev.queue, CL_FALSE, b, a, sizeof(wanted), 0, NULL, NULL),
	     "clEnqueueSVMMemcpy");
	must(clEnqueueSVMMemcpy(t->dev.queue, CL_TRUE, result, b, sizeof(wanted), 0, NULL, NULL),
	     "clEnqueueSVMMemcpy");
	check_same(result, wanted, sizeof(wanted));
}

#define COPY "API 5.6.1, clEnqueueSVMMemcpy"

const struct test copy_tests[] = {
	{ "memcpy.svm-to-svm", COPY, "from SVM to SVM", NEED_BUFFER, kinds, SVM_TO_SVM },
	{ "memcpy.host-to-svm", COPY,
	  "src_ptr is \"a pointer to a host or SVM memory allocation\": host", NEED_BUFFER, kinds,
	  HOST_TO_SVM },
	{ "memcpy.svm-to-host", COPY,
	  "dst_ptr is \"a pointer to a host or SVM memory allocation\": host", NEED_BUFFER, kinds,
	  SVM_TO_HOST },
	{ "memcpy.host-to-host", COPY, "both are host memory", NEED_SVM, kinds, HOST_TO_HOST },
	{ "memcpy.any-byte", COPY, "any address and size, and no byte beside", NEED_BUFFER, odd,
	  0 },
	{ "memcpy.blocking", COPY, "\"does not return until the buffer data has been copied\"",
	  NEED_BUFFER, blocking, 0 },
	{ "memcpy.non-blocking", COPY, "\"queues a non-blocking copy command and returns\"",
	  NEED_BUFFER, nonblocking, 0 },
	{ "memcpy.in-order", "API, Out-of-Order Execution of Kernels and Memory Object Commands",
	  "a copy sees what the one before it wrote", NEED_BUFFER, pattern_order, 0 },
	{ "memcpy.null", COPY, "CL_INVALID_VALUE \"if dst_ptr or src_ptr is NULL\"", NEED_BUFFER,
	  null, 0 },
	{ "memcpy.overlap", COPY,
	  "CL_MEM_COPY_OVERLAP if the values \"result in an overlapping copy\"", NEED_BUFFER,
	  overlap, 0 },
	{ "memcpy.overlap-host", COPY, "CL_MEM_COPY_OVERLAP, in host memory", NEED_SVM,
	  overlap_host, 0 },
	{ "memcpy.adjacent", COPY, "ranges that touch do not overlap", NEED_BUFFER, adjacent, 0 },
	{ "memcpy.nothing", "API 3.2, Execution Model",
	  "\"copy operations with zero sizes\" are commands without effect", NEED_BUFFER, nothing,
	  0 },
	{ 0 },
};
