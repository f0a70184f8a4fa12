/* SPDX-License-Identifier: MIT */
/*
 * clEnqueueSVMMemFill(): patterns, sizes, alignment.
 */
#include "tests.h"

#include <string.h>

#define LARGEST 128
#define SIZE	((size_t)4096)

static cl_int fill(struct trial *t, void *memory, const void *pattern, size_t pattern_size,
		   size_t size)
{
	return clEnqueueSVMMemFill(t->dev.queue, memory, pattern, pattern_size, size, 0, NULL,
				   NULL);
}

static void make_pattern(unsigned char *pattern, size_t size)
{
	for (size_t i = 0; i < size; i++)
		pattern[i] = (unsigned char)(i * 5 + size);
}

static void check_pattern(struct trial *t, void *memory, const unsigned char *pattern,
			  size_t pattern_size, size_t size)
{
	unsigned char bytes[SIZE];

	get(t, bytes, memory, size);
	for (size_t i = 0; i < size; i++)
		CHECK(bytes[i] == pattern[i % pattern_size],
		      "pattern of %zu bytes: byte %zu is 0x%02x, 0x%02x is due", pattern_size, i,
		      bytes[i], pattern[i % pattern_size]);
}

static void sizes(struct trial *t)
{
	unsigned char pattern[LARGEST];
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);

	for (size_t size = 1; size <= LARGEST; size *= 2) {
		put_bytes(t, memory, 0xff, SIZE);
		make_pattern(pattern, size);
		must(fill(t, memory, pattern, size, SIZE), "clEnqueueSVMMemFill");
		check_pattern(t, memory, pattern, size, SIZE);
	}
}

static void aligned_offset(struct trial *t)
{
	unsigned char pattern[LARGEST];
	unsigned char *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);

	for (size_t size = 1; size <= LARGEST; size *= 2) {
		const size_t end = size * 6;

		put_bytes(t, memory, 0xee, SIZE);
		make_pattern(pattern, size);
		must(fill(t, memory + size, pattern, size, size * 5), "clEnqueueSVMMemFill");
		check_pattern(t, memory + size, pattern, size, size * 5);
		CHECK(differs_from(t, memory, 0xee, size) == size,
		      "pattern of %zu bytes: what is before the region was written", size);
		CHECK(differs_from(t, memory + end, 0xee, SIZE - end) == SIZE - end,
		      "pattern of %zu bytes: what is behind the region was written", size);
	}
}

static void reused(struct trial *t)
{
	unsigned char pattern[16];
	unsigned char kept[16];
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);
	cl_event gate = user_event(t->dev.context);
	cl_event event;

	make_pattern(pattern, sizeof(pattern));
	memcpy(kept, pattern, sizeof(kept));
	must(clEnqueueSVMMemFill(t->dev.queue, memory, pattern, sizeof(pattern), SIZE, 1, &gate,
				 &event),
	     "clEnqueueSVMMemFill");
	memset(pattern, 0, sizeof(pattern));
	set_event(gate, CL_COMPLETE);
	finish(t, event);
	check_pattern(t, memory, kept, sizeof(kept), SIZE);
}

static void pointer_null(struct trial *t)
{
	const cl_uint pattern = 1;

	expect_code(fill(t, NULL, &pattern, 4, 64), CL_INVALID_VALUE, "svm_ptr NULL");
}

static void pattern_null(struct trial *t)
{
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);

	expect_code(fill(t, memory, NULL, 4, 64), CL_INVALID_VALUE, "pattern NULL");
}

static void size_zero(struct trial *t)
{
	const cl_uint pattern = 1;
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);

	expect_code(fill(t, memory, &pattern, 0, 64), CL_INVALID_VALUE, "pattern_size 0");
}

static void size_odd(struct trial *t)
{
	static const size_t odd[] = { 3, 5, 6, 7, 12, 24, 48, 96, 127, 256 };
	unsigned char pattern[256] = { 0 };
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, 1 << 16);

	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		const cl_int code = fill(t, memory, pattern, odd[i], odd[i] * 4);

		CHECK(code == CL_INVALID_VALUE,
		      "pattern_size %zu: %s (%d), CL_INVALID_VALUE is due", odd[i],
		      opencl_error_name(code), code);
	}
}

static void not_multiple(struct trial *t)
{
	unsigned char pattern[LARGEST] = { 0 };
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);

	for (size_t size = 2; size <= LARGEST; size *= 2) {
		const cl_int code = fill(t, memory, pattern, size, size * 3 + size / 2);

		CHECK(code == CL_INVALID_VALUE,
		      "size %zu, pattern_size %zu: %s (%d), CL_INVALID_VALUE is due",
		      size * 3 + size / 2, size, opencl_error_name(code), code);
	}
}

static void misaligned(struct trial *t)
{
	unsigned char pattern[LARGEST] = { 0 };
	unsigned char *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);

	for (size_t size = 2; size <= LARGEST; size *= 2) {
		const cl_int code = fill(t, memory + size / 2, pattern, size, size * 4);

		CHECK(code == CL_INVALID_VALUE,
		      "svm_ptr %zu bytes off a multiple of pattern_size %zu: %s (%d), "
		      "CL_INVALID_VALUE is due",
		      size / 2, size, opencl_error_name(code), code);
	}
}

#define FILL "API 5.6.1, clEnqueueSVMMemFill"

const struct test fill_tests[] = {
	{ "memfill.pattern-sizes", FILL, "patterns of 1, 2, 4, 8, 16, 32, 64 and 128 bytes",
	  NEED_BUFFER, sizes, 0 },
	{ "memfill.region", FILL, "fills the region \"starting at svm_ptr\" and nothing beside it",
	  NEED_BUFFER, aligned_offset, 0 },
	{ "memfill.pattern-reused", FILL,
	  "\"The memory associated with pattern can be reused or freed after the function "
	  "returns\"",
	  NEED_BUFFER, reused, 0 },
	{ "memfill.pointer-null", FILL, "CL_INVALID_VALUE \"if svm_ptr is NULL\"", NEED_BUFFER,
	  pointer_null, 0 },
	{ "memfill.pattern-null", FILL, "CL_INVALID_VALUE \"if pattern is NULL\"", NEED_BUFFER,
	  pattern_null, 0 },
	{ "memfill.pattern-size-zero", FILL, "CL_INVALID_VALUE \"if pattern_size is 0\"",
	  NEED_BUFFER, size_zero, 0 },
	{ "memfill.pattern-size-invalid", FILL,
	  "CL_INVALID_VALUE \"if pattern_size is not one of {1, 2, 4, 8, 16, 32, 64, 128}\"",
	  NEED_BUFFER, size_odd, 0 },
	{ "memfill.size-not-multiple", FILL,
	  "CL_INVALID_VALUE \"if size is not a multiple of pattern_size\"", NEED_BUFFER,
	  not_multiple, 0 },
	{ "memfill.misaligned", FILL,
	  "CL_INVALID_VALUE \"if svm_ptr is not aligned to pattern_size bytes\"", NEED_BUFFER,
	  misaligned, 0 },
	{ 0 },
};
