/* SPDX-License-Identifier: MIT */
/*
 * clSVMAlloc() and clSVMFree(): flags, sizes, alignments.
 */
#include "tests.h"

#include <stdlib.h>
#include <string.h>

#define SIZE	  ((size_t)4096)
#define LARGEST	  ((cl_uint)128) /* sizeof(long16), the largest type of the full profile */
#define FINE	  CL_MEM_SVM_FINE_GRAIN_BUFFER
#define ATOMICS	  CL_MEM_SVM_ATOMICS
#define UNDEFINED ((cl_svm_mem_flags)1 << 62)

static void refuse(struct trial *t, cl_svm_mem_flags flags, size_t size, cl_uint alignment)
{
	void *memory = clSVMAlloc(t->dev.context, flags, size, alignment);

	CHECK(!memory,
	      "clSVMAlloc with flags 0x%llx, size %zu and alignment %u returns memory, NULL is due",
	      (unsigned long long)flags, size, alignment);
}

static void accept(struct trial *t, cl_svm_mem_flags flags)
{
	unsigned char *memory = svm_alloc(t, flags, SIZE);

	put_bytes(t, memory, 0x5a, SIZE);
	CHECK(differs_from(t, memory, 0x5a, SIZE) == SIZE,
	      "the memory does not keep what is put in");
	clSVMFree(t->dev.context, memory);
}

/* --- flags --------------------------------------------------------------------- */

static void flags_default(struct trial *t)
{
	unsigned words[64];
	void *memory = svm_alloc(t, 0, sizeof(words));
	cl_kernel kernel = simple(t, "add");

	/* Read and written by a kernel. */
	put_bytes(t, memory, 0, sizeof(words));
	set_svm(kernel, 0, memory);
	set_uint(kernel, 1, 3);
	run_kernel(t, kernel, 64, 1);
	get(t, words, memory, sizeof(words));
	for (int i = 0; i < 64; i++)
		CHECK(words[i] == 3, "word %d is %u after a kernel added 3 to 0", i, words[i]);
}

static const cl_svm_mem_flags good_flags[] = { CL_MEM_READ_WRITE, CL_MEM_WRITE_ONLY,
					       CL_MEM_READ_ONLY,  FINE,
					       FINE | ATOMICS,	  CL_MEM_READ_ONLY | FINE };

static void flags_good(struct trial *t)
{
	accept(t, good_flags[t->test->variant]);
}

static void access_exclusive(struct trial *t)
{
	static const cl_svm_mem_flags pairs[] = { CL_MEM_READ_WRITE | CL_MEM_WRITE_ONLY,
						  CL_MEM_READ_WRITE | CL_MEM_READ_ONLY,
						  CL_MEM_WRITE_ONLY | CL_MEM_READ_ONLY };

	refuse(t, pairs[t->test->variant], SIZE, 0);
}

static void atomics_alone(struct trial *t)
{
	refuse(t, CL_MEM_READ_WRITE | ATOMICS, SIZE, 0);
}

static void flags_of_buffers(struct trial *t)
{
	static const cl_svm_mem_flags flags[] = {
		CL_MEM_USE_HOST_PTR,	CL_MEM_ALLOC_HOST_PTR, CL_MEM_COPY_HOST_PTR,
		CL_MEM_HOST_WRITE_ONLY, CL_MEM_HOST_READ_ONLY, CL_MEM_HOST_NO_ACCESS,
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		refuse(t, CL_MEM_READ_WRITE | flags[i], SIZE, 0);
}

static void flags_undefined(struct trial *t)
{
	refuse(t, CL_MEM_READ_WRITE | UNDEFINED, SIZE, 0);
}

static void fine_unsupported(struct trial *t)
{
	if (t->dev.svm & CL_DEVICE_SVM_FINE_GRAIN_BUFFER)
		not_applicable("the device has CL_DEVICE_SVM_FINE_GRAIN_BUFFER");
	refuse(t, CL_MEM_READ_WRITE | FINE, SIZE, 0);
}

static void atomics_unsupported(struct trial *t)
{
	if (t->dev.svm & CL_DEVICE_SVM_ATOMICS)
		not_applicable("the device has CL_DEVICE_SVM_ATOMICS");
	refuse(t, CL_MEM_READ_WRITE | FINE | ATOMICS, SIZE, 0);
}

/* --- sizes ---------------------------------------------------------------------- */

static void size_zero(struct trial *t)
{
	refuse(t, CL_MEM_READ_WRITE, 0, 0);
}

static void size_beyond(struct trial *t)
{
	cl_ulong most = 0;

	must(clGetDeviceInfo(t->dev.id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof(most), &most, NULL),
	     "clGetDeviceInfo");
	if (most >= SIZE_MAX)
		not_applicable("CL_DEVICE_MAX_MEM_ALLOC_SIZE is as large as a size can be");
	refuse(t, CL_MEM_READ_WRITE, (size_t)most + 1, 0);
}

static void size_odd(struct trial *t)
{
	/* Not a multiple of anything. */
	const size_t size = 4099;
	unsigned char *memory = svm_alloc(t, CL_MEM_READ_WRITE, size);

	put_bytes(t, memory, 0xa5, size);
	CHECK(differs_from(t, memory, 0xa5, size) == size, "the last bytes are not there");
}

/* --- alignments ------------------------------------------------------------------ */

static void check_aligned(const void *memory, cl_uint alignment)
{
	CHECK((uintptr_t)memory % alignment == 0, "clSVMAlloc with alignment %u returns %p",
	      alignment, memory);
}

/* Several at once: one may be aligned by chance. */
static void align(struct trial *t, cl_uint asked, cl_uint due)
{
	for (int i = 0; i < 16; i++) {
		void *memory = clSVMAlloc(t->dev.context, CL_MEM_READ_WRITE, 24, asked);

		CHECK(memory, "clSVMAlloc with alignment %u returns NULL", asked);
		check_aligned(memory, due);
	}
}

static cl_uint largest_type(const struct trial *t)
{
	char profile[64] = "";

	must(clGetDeviceInfo(t->dev.id, CL_DEVICE_PROFILE, sizeof(profile), profile, NULL),
	     "clGetDeviceInfo");
	/* Without 64-bit integers, which this profile need not have, it is int16. */
	return strcmp(profile, "EMBEDDED_PROFILE") ? LARGEST : LARGEST / 2;
}

static void alignment_powers(struct trial *t)
{
	for (cl_uint alignment = 1; alignment <= largest_type(t); alignment *= 2)
		align(t, alignment, alignment);
}

static void alignment_default(struct trial *t)
{
	align(t, 0, largest_type(t));
}

static void alignment_odd(struct trial *t)
{
	static const cl_uint alignments[] = { 3, 5, 6, 7, 12, 24, 48, 96, 127 };

	for (size_t i = 0; i < sizeof(alignments) / sizeof(*alignments); i++)
		refuse(t, CL_MEM_READ_WRITE, SIZE, alignments[i]);
}

static void alignment_beyond(struct trial *t)
{
	for (cl_uint alignment = LARGEST * 2; alignment <= 1u << 21; alignment *= 2) {
		void *memory = clSVMAlloc(t->dev.context, CL_MEM_READ_WRITE, 24, alignment);

		if (memory)
			check_aligned(memory, alignment);
	}
}

/* --- addresses -------------------------------------------------------------------- */

static void context_invalid(struct trial *t)
{
	(void)t;
	CHECK(!clSVMAlloc(NULL, CL_MEM_READ_WRITE, SIZE, 0),
	      "clSVMAlloc without a context returns memory");
}

static void distinct(struct trial *t)
{
	enum { COUNT = 64, BYTES = 200 };
	unsigned char *memory[COUNT];

	for (int i = 0; i < COUNT; i++) {
		memory[i] = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);
		put_bytes(t, memory[i], i + 1, BYTES);
	}
	for (int i = 0; i < COUNT; i++) {
		const size_t at = differs_from(t, memory[i], i + 1, BYTES);

		CHECK(at == BYTES, "byte %zu of allocation %d was changed by writing to another",
		      at, i);
	}
}

/* One address for the host and the device: what makes the memory shared virtual memory. */
static void same_address(struct trial *t)
{
	unsigned char *memory = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);
	void *out = svm_alloc(t, CL_MEM_READ_WRITE, sizeof(cl_ulong));
	cl_kernel kernel = simple(t, "address");

	for (size_t offset = 0; offset < SIZE; offset += 1365) {
		cl_ulong address = 0;

		set_svm(kernel, 0, out);
		set_svm(kernel, 1, memory + offset);
		run_kernel(t, kernel, 1, 1);
		get(t, &address, out, sizeof(address));
		CHECK(address == (uintptr_t)(memory + offset),
		      "the device has 0x%llx for what is at %p", (unsigned long long)address,
		      (void *)(memory + offset));
	}
}

/* --- clSVMFree() ------------------------------------------------------------------- */

static void free_null(struct trial *t)
{
	accept(t, CL_MEM_READ_WRITE);
	clSVMFree(t->dev.context, NULL);
	accept(t, CL_MEM_READ_WRITE);
}

static void free_returns_memory(struct trial *t)
{
	enum { ROUNDS = 64 };
	const size_t size = (size_t)16 << 20;
	size_t before;
	size_t after;

	/* What an implementation sets aside at first is not what is being looked for. */
	for (int i = 0; i < 4; i++)
		clSVMFree(t->dev.context, svm_alloc(t, CL_MEM_READ_WRITE, size));
	before = address_space();
	for (int i = 0; i < ROUNDS; i++)
		clSVMFree(t->dev.context, svm_alloc(t, CL_MEM_READ_WRITE, size));
	after = address_space();
	CHECK(after < before + ROUNDS / 2 * size,
	      "%d allocations of %zu MiB, each freed, take %zu MiB more", ROUNDS, size >> 20,
	      (after - before) >> 20);
}

static void free_leaves_others(struct trial *t)
{
	unsigned char *kept = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);
	void *freed = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);
	void *later;

	put_bytes(t, kept, 0x11, SIZE);
	clSVMFree(t->dev.context, freed);
	later = svm_alloc(t, CL_MEM_READ_WRITE, SIZE);
	put_bytes(t, later, 0x22, SIZE);
	CHECK(differs_from(t, kept, 0x11, SIZE) == SIZE, "freeing one allocation spoils another");
}

#define ALLOC "API 5.6.1, clSVMAlloc"
#define FREE  "API 5.6.1, clSVMFree"

const struct test alloc_tests[] = {
	{ "alloc.flags-0", ALLOC, "CL_MEM_READ_WRITE \"is the default\"",
	  NEED_BUFFER | NEED_COMPILER, flags_default, 0 },
	{ "alloc.read-write", ALLOC, "CL_MEM_READ_WRITE gives memory", NEED_BUFFER, flags_good, 0 },
	{ "alloc.write-only", ALLOC, "CL_MEM_WRITE_ONLY gives memory", NEED_BUFFER, flags_good, 1 },
	{ "alloc.read-only", ALLOC, "CL_MEM_READ_ONLY gives memory", NEED_BUFFER, flags_good, 2 },
	{ "alloc.fine-grain", ALLOC, "CL_MEM_SVM_FINE_GRAIN_BUFFER gives memory", NEED_FINE,
	  flags_good, 3 },
	{ "alloc.atomics", ALLOC,
	  "CL_MEM_SVM_FINE_GRAIN_BUFFER with CL_MEM_SVM_ATOMICS gives memory",
	  NEED_FINE | NEED_ATOMICS, flags_good, 4 },
	{ "alloc.fine-grain-read-only", ALLOC, "access flags go with CL_MEM_SVM_FINE_GRAIN_BUFFER",
	  NEED_FINE, flags_good, 5 },
	{ "alloc.read-write-and-write-only", ALLOC,
	  "\"CL_MEM_READ_WRITE and CL_MEM_WRITE_ONLY are mutually exclusive\": NULL", NEED_BUFFER,
	  access_exclusive, 0 },
	{ "alloc.read-write-and-read-only", ALLOC,
	  "CL_MEM_READ_WRITE and CL_MEM_READ_ONLY \"are mutually exclusive\": NULL", NEED_BUFFER,
	  access_exclusive, 1 },
	{ "alloc.write-only-and-read-only", ALLOC,
	  "CL_MEM_WRITE_ONLY and CL_MEM_READ_ONLY \"are mutually exclusive\": NULL", NEED_BUFFER,
	  access_exclusive, 2 },
	{ "alloc.atomics-without-fine-grain", ALLOC,
	  "CL_MEM_SVM_ATOMICS \"is valid only if CL_MEM_SVM_FINE_GRAIN_BUFFER is specified\": NULL",
	  NEED_BUFFER, atomics_alone, 0 },
	{ "alloc.flags-of-buffers", ALLOC,
	  "flags that \"do not match those defined in the SVM Memory Flags table\", such as "
	  "CL_MEM_USE_HOST_PTR: NULL",
	  NEED_BUFFER, flags_of_buffers, 0 },
	{ "alloc.flags-undefined", ALLOC, "a bit that no flag has: NULL", NEED_BUFFER,
	  flags_undefined, 0 },
	{ "alloc.fine-grain-unsupported", ALLOC,
	  "CL_MEM_SVM_FINE_GRAIN_BUFFER not \"supported by at least one device in context\": NULL",
	  NEED_BUFFER, fine_unsupported, 0 },
	{ "alloc.atomics-unsupported", ALLOC,
	  "CL_MEM_SVM_ATOMICS not \"supported by at least one device in context\": NULL",
	  NEED_BUFFER, atomics_unsupported, 0 },
	{ "alloc.size-zero", ALLOC, "\"size is 0\": NULL", NEED_BUFFER, size_zero, 0 },
	{ "alloc.size-beyond-maximum", ALLOC, "size \"> CL_DEVICE_MAX_MEM_ALLOC_SIZE\": NULL",
	  NEED_BUFFER, size_beyond, 0 },
	{ "alloc.size-odd", ALLOC, "any size in between gives that many bytes", NEED_BUFFER,
	  size_odd, 0 },
	{ "alloc.alignment-powers", ALLOC,
	  "\"a power of two up to the largest data type supported\" gives memory aligned to it",
	  NEED_BUFFER, alignment_powers, 0 },
	{ "alloc.alignment-default", ALLOC,
	  "alignment 0 is \"equal to the size of largest data type supported\"", NEED_BUFFER,
	  alignment_default, 0 },
	{ "alloc.alignment-not-a-power", ALLOC, "\"alignment is not a power of two\": NULL",
	  NEED_BUFFER, alignment_odd, 0 },
	{ "alloc.alignment-beyond", ALLOC,
	  "a larger power of two is refused or kept, never ignored", NEED_BUFFER, alignment_beyond,
	  0 },
	{ "alloc.context-invalid", ALLOC, "\"context is not a valid context\": NULL", 0,
	  context_invalid, 0 },
	{ "alloc.distinct", ALLOC, "\"like malloc\": allocations share no byte", NEED_BUFFER,
	  distinct, 0 },
	{ "alloc.same-address", "API 3.3, Fundamental Memory Regions",
	  "\"SVM causes addresses to be meaningful between the host and all of the devices\"",
	  NEED_BUFFER | NEED_COMPILER, same_address, 0 },
	{ "svmfree.null", FREE, "\"If a NULL pointer is passed in svm_pointer, no action occurs\"",
	  NEED_BUFFER, free_null, 0 },
	{ "svmfree.returns-memory", FREE, "frees the buffer", NEED_BUFFER, free_returns_memory, 0 },
	{ "svmfree.leaves-others", FREE, "frees that buffer and no other", NEED_BUFFER,
	  free_leaves_others, 0 },
	{ 0 },
};
