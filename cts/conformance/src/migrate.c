/* SPDX-License-Identifier: MIT */
/*
 * clEnqueueSVMMigrateMem(). Migration is a hint: contents stay, whatever is migrated.
 */
#include "tests.h"

#define SIZE ((size_t)16384)

static cl_int migrate(struct trial *t, cl_uint count, const void **pointers, const size_t *sizes,
		      cl_mem_migration_flags flags)
{
	if (t->dev.cl_version < 21)
		not_applicable("clEnqueueSVMMigrateMem came with OpenCL 2.1; the device is %s",
			       t->dev.version);
	return clEnqueueSVMMigrateMem(t->dev.queue, count, pointers, sizes, flags, 0, NULL, NULL);
}

enum { WITHOUT_SIZES, SIZE_ZERO, RANGE, MIDDLE, TO_HOST };

static void kept(struct trial *t)
{
	unsigned char *memory[2] = { svm_alloc(t, CL_MEM_READ_WRITE, SIZE),
				     svm_alloc(t, CL_MEM_READ_WRITE, SIZE) };
	const void *pointers[2] = { memory[0], memory[1] };
	size_t sizes[2] = { 0, 0 };
	cl_mem_migration_flags flags = 0;

	put_bytes(t, memory[0], 0x31, SIZE);
	put_bytes(t, memory[1], 0x32, SIZE);
	if (t->test->variant == RANGE)
		sizes[0] = SIZE, sizes[1] = 100;
	if (t->test->variant == MIDDLE) {
		pointers[0] = memory[0] + 4096;
		sizes[0] = SIZE - 4096;
		pointers[1] = memory[1] + 77;
	}
	if (t->test->variant == TO_HOST)
		flags = CL_MIGRATE_MEM_OBJECT_HOST;
	must(migrate(t, 2, pointers, t->test->variant == WITHOUT_SIZES ? NULL : sizes, flags),
	     "clEnqueueSVMMigrateMem");
	for (int i = 0; i < 2; i++)
		CHECK(differs_from(t, memory[i], 0x31 + i, SIZE) == SIZE,
		      "migration changed what is in allocation %d", i);
}

/* Contents may go, memory may not. */
static void undefined_contents(struct trial *t)
{
	static const cl_mem_migration_flags flags[] = { CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED,
							CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED |
								CL_MIGRATE_MEM_OBJECT_HOST };
	unsigned char *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);
	const void *pointer = memory;

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		must(migrate(t, 1, &pointer, NULL, flags[i]), "clEnqueueSVMMigrateMem");
		put_bytes(t, memory, 0x44, SIZE);
		CHECK(differs_from(t, memory, 0x44, SIZE) == SIZE,
		      "the memory does not keep what is written after the migration");
	}
}

static void then_kernel(struct trial *t)
{
	enum { WORDS = 256 };
	cl_uint words[WORDS];
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, sizeof(words));
	const void *pointer = memory;
	cl_kernel kernel = simple(t, "add");

	put_bytes(t, memory, 0, sizeof(words));
	set_svm(kernel, 0, memory);
	set_uint(kernel, 1, 1);
	for (int i = 0; i < 4; i++) {
		must(migrate(t, 1, &pointer, NULL, i & 1 ? CL_MIGRATE_MEM_OBJECT_HOST : 0),
		     "clEnqueueSVMMigrateMem");
		run_kernel(t, kernel, WORDS, 1);
	}
	get(t, words, memory, sizeof(words));
	for (int i = 0; i < WORDS; i++)
		CHECK(words[i] == 4, "word %d is %u after 4 kernels that each add 1", i, words[i]);
}

static void none(struct trial *t)
{
	const void *pointer = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);

	expect_code(migrate(t, 0, &pointer, NULL, 0), CL_INVALID_VALUE, "num_svm_pointers 0");
}

static void null(struct trial *t)
{
	expect_code(migrate(t, 1, NULL, NULL, 0), CL_INVALID_VALUE, "svm_pointers NULL");
}

static void beyond(struct trial *t)
{
	unsigned char *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);
	const void *pointer = memory;
	size_t size = SIZE * 1024;

	expect_code(migrate(t, 1, &pointer, &size, 0), CL_INVALID_VALUE,
		    "a range that ends behind its allocation");
	pointer = memory + 64;
	size = SIZE;
	expect_code(migrate(t, 1, &pointer, &size, 0), CL_INVALID_VALUE,
		    "a range that begins inside and ends behind its allocation");
}

static void foreign(struct trial *t)
{
	static unsigned char memory[SIZE];
	const void *pointers[2] = { svm_alloc(t, CL_MEM_READ_WRITE, SIZE), memory };
	const size_t sizes[2] = { SIZE, SIZE };

	expect_code(migrate(t, 2, pointers, sizes, 0), CL_INVALID_VALUE,
		    "the second range is of no clSVMAlloc allocation");
}

#define MIGRATE "API 5.6.1, clEnqueueSVMMigrateMem"

const struct test migrate_tests[] = {
	{ "migrate.without-sizes", MIGRATE,
	  "\"sizes may be NULL\": whole allocations; contents stay", NEED_BUFFER, kept,
	  WITHOUT_SIZES },
	{ "migrate.size-zero", MIGRATE, "\"if sizes[i] is zero, then the entire allocation\"",
	  NEED_BUFFER, kept, SIZE_ZERO },
	{ "migrate.range", MIGRATE,
	  "pointers and sizes \"define the starting address and number of "
	  "bytes\"",
	  NEED_BUFFER, kept, RANGE },
	{ "migrate.middle", MIGRATE, "pointers \"within an allocation\"", NEED_BUFFER, kept,
	  MIDDLE },
	{ "migrate.to-host", "API 5.5, Memory Migration Flags", "CL_MIGRATE_MEM_OBJECT_HOST",
	  NEED_BUFFER, kept, TO_HOST },
	{ "migrate.content-undefined", "API 5.5, Memory Migration Flags",
	  "CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED: the memory is usable afterwards", NEED_BUFFER,
	  undefined_contents, 0 },
	{ "migrate.then-kernel", MIGRATE, "a kernel uses what was migrated, to and fro",
	  NEED_BUFFER | NEED_COMPILER, then_kernel, 0 },
	{ "migrate.none", MIGRATE, "CL_INVALID_VALUE \"if num_svm_pointers is zero\"", NEED_BUFFER,
	  none, 0 },
	{ "migrate.null", MIGRATE, "CL_INVALID_VALUE if \"svm_pointers is NULL\"", NEED_SVM, null,
	  0 },
	{ "migrate.beyond", MIGRATE,
	  "CL_INVALID_VALUE if a range \"is not contained within an existing clSVMAlloc "
	  "allocation\": too long",
	  NEED_BUFFER, beyond, 0 },
	{ "migrate.foreign", MIGRATE,
	  "CL_INVALID_VALUE if a range \"is not contained within an existing clSVMAlloc "
	  "allocation\": host memory",
	  NEED_BUFFER, foreign, 0 },
	{ 0 },
};
