/* SPDX-License-Identifier: MIT */
/*
 * clEnqueueSVMMap() and clEnqueueSVMUnmap().
 */
#include "tests.h"

#include <string.h>

#define WORDS 1024
#define BYTES (WORDS * sizeof(cl_uint))

static void map(struct trial *t, void *memory, size_t size, cl_map_flags flags)
{
	must(clEnqueueSVMMap(t->dev.queue, CL_TRUE, flags, memory, size, 0, NULL, NULL),
	     "clEnqueueSVMMap");
}

static void unmap(struct trial *t, void *memory)
{
	must(clEnqueueSVMUnmap(t->dev.queue, memory, 0, NULL, NULL), "clEnqueueSVMUnmap");
}

static void add(struct trial *t, cl_uint *memory, size_t words, cl_uint value)
{
	cl_kernel kernel = simple(t, "add");

	set_svm(kernel, 0, memory);
	set_uint(kernel, 1, value);
	run_kernel(t, kernel, words, 1);
}

static const cl_svm_mem_flags kinds[] = { CL_MEM_READ_WRITE,
					  CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER };

/* Host and kernel add in turn. */
static void turns(struct trial *t)
{
	cl_uint *memory = svm_alloc(t, kinds[t->test->variant], BYTES);

	map(t, memory, BYTES, CL_MAP_WRITE_INVALIDATE_REGION);
	for (cl_uint i = 0; i < WORDS; i++)
		memory[i] = i;
	unmap(t, memory);
	for (cl_uint turn = 0; turn < 5; turn++) {
		add(t, memory, WORDS, 1000);
		map(t, memory, BYTES, CL_MAP_READ | CL_MAP_WRITE);
		for (cl_uint i = 0; i < WORDS; i++) {
			const cl_uint due = i + turn * 1001 + 1000;

			CHECK(memory[i] == due, "turn %u: word %u is %u, %u is due", turn, i,
			      memory[i], due);
			memory[i]++;
		}
		unmap(t, memory);
	}
	must(clFinish(t->dev.queue), "clFinish");
}

static void region(struct trial *t)
{
	cl_uint *memory = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);

	put_bytes(t, memory, 0, BYTES);
	map(t, memory + 100, 50 * sizeof(*memory), CL_MAP_WRITE);
	for (int i = 100; i < 150; i++)
		memory[i] = 5;
	unmap(t, memory + 100);
	add(t, memory, WORDS, 10);
	map(t, memory, BYTES, CL_MAP_READ);
	for (int i = 0; i < WORDS; i++)
		CHECK(memory[i] == (i >= 100 && i < 150 ? 15u : 10u), "word %d is %u", i,
		      memory[i]);
	unmap(t, memory);
}

static void two_regions(struct trial *t)
{
	cl_uint *memory = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);

	put_bytes(t, memory, 0, BYTES);
	map(t, memory, BYTES / 2, CL_MAP_WRITE);
	map(t, memory + WORDS / 2, BYTES / 2, CL_MAP_WRITE);
	memory[0] = 1;
	memory[WORDS - 1] = 2;
	unmap(t, memory);
	unmap(t, memory + WORDS / 2);
	add(t, memory, WORDS, 10);
	map(t, memory, BYTES, CL_MAP_READ);
	CHECK(memory[0] == 11 && memory[WORDS - 1] == 12,
	      "the ends are %u and %u, 11 and 12 are due", memory[0], memory[WORDS - 1]);
	unmap(t, memory);
}

static void nonblocking(struct trial *t)
{
	cl_uint *memory = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);
	cl_event gate = user_event(t->dev.context);
	cl_event event;

	put_bytes(t, memory, 0, BYTES);
	must(clEnqueueSVMMap(t->dev.queue, CL_FALSE, CL_MAP_READ, memory, BYTES, 1, &gate, &event),
	     "clEnqueueSVMMap");
	must(clFlush(t->dev.queue), "clFlush");
	doze(0.05);
	CHECK(event_status(event) > CL_COMPLETE, "it is complete before what it waits for");
	set_event(gate, CL_COMPLETE);
	finish(t, event);
	CHECK(memory[0] == 0, "the region is not there when the command is complete");
	unmap(t, memory);
	must(clFinish(t->dev.queue), "clFinish");
}

/* The kernel is still queued when a blocking map is asked for. */
static void blocking(struct trial *t)
{
	cl_uint *memory = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);
	cl_kernel kernel = simple(t, "add");
	const size_t global = WORDS;

	put_bytes(t, memory, 0, BYTES);
	set_svm(kernel, 0, memory);
	set_uint(kernel, 1, 1);
	for (int i = 0; i < 20; i++)
		must(clEnqueueNDRangeKernel(t->dev.queue, kernel, 1, NULL, &global, NULL, 0, NULL,
					    NULL),
		     "clEnqueueNDRangeKernel");
	map(t, memory, BYTES, CL_MAP_READ);
	for (int i = 0; i < WORDS; i++)
		CHECK(memory[i] == 20, "word %d is %u after 20 kernels that each add 1", i,
		      memory[i]);
	unmap(t, memory);
}

static cl_int try_map(struct trial *t, cl_map_flags flags, void *memory, size_t size)
{
	return clEnqueueSVMMap(t->dev.queue, CL_TRUE, flags, memory, size, 0, NULL, NULL);
}

static void null(struct trial *t)
{
	expect_code(try_map(t, CL_MAP_READ, NULL, BYTES), CL_INVALID_VALUE, "svm_ptr NULL");
}

static void size_zero(struct trial *t)
{
	expect_code(try_map(t, CL_MAP_READ, svm_alloc(t, CL_MEM_READ_WRITE, BYTES), 0),
		    CL_INVALID_VALUE, "size 0");
}

static void flags_invalid(struct trial *t)
{
	expect_code(
		try_map(t, (cl_map_flags)1 << 62, svm_alloc(t, CL_MEM_READ_WRITE, BYTES), BYTES),
		CL_INVALID_VALUE, "map_flags with a bit that no flag has");
}

static void flags_exclusive(struct trial *t)
{
	void *memory = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);

	expect_code(try_map(t, CL_MAP_READ | CL_MAP_WRITE_INVALIDATE_REGION, memory, BYTES),
		    CL_INVALID_VALUE, "CL_MAP_READ with CL_MAP_WRITE_INVALIDATE_REGION");
	expect_code(try_map(t, CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION, memory, BYTES),
		    CL_INVALID_VALUE, "CL_MAP_WRITE with CL_MAP_WRITE_INVALIDATE_REGION");
}

static void unmap_null(struct trial *t)
{
	expect_code(clEnqueueSVMUnmap(t->dev.queue, NULL, 0, NULL, NULL), CL_INVALID_VALUE,
		    "svm_ptr NULL");
}

/* Fine-grained memory needs no mapping: synchronisation points are enough. */
static void without(struct trial *t)
{
	cl_uint *memory = svm_alloc(t, kinds[1], BYTES);

	for (cl_uint turn = 0; turn < 20; turn++) {
		for (cl_uint i = 0; i < WORDS; i++)
			memory[i] = i * turn;
		add(t, memory, WORDS, 3);
		for (cl_uint i = 0; i < WORDS; i++)
			CHECK(memory[i] == i * turn + 3, "turn %u: word %u is %u, %u is due", turn,
			      i, memory[i], i * turn + 3);
	}
}

#define MAP   "API 5.6.1, clEnqueueSVMMap"
#define UNMAP "API 5.6.1, clEnqueueSVMUnmap"
#define NEEDS (NEED_BUFFER | NEED_COMPILER)

const struct test map_tests[] = {
	{ "map.turns", UNMAP,
	  "both \"act as synchronization points for the region\": host and "
	  "kernel take turns, in coarse-grained memory",
	  NEEDS, turns, 0 },
	{ "map.turns-fine-grain", UNMAP, "the same with fine-grained memory",
	  NEED_FINE | NEED_COMPILER, turns, 1 },
	{ "map.region", MAP, "a region in the middle", NEEDS, region, 0 },
	{ "map.two-regions", UNMAP, "\"one or more active mappings\" of one buffer", NEEDS,
	  two_regions, 0 },
	{ "map.blocking", MAP, "\"does not return until the application can access the contents\"",
	  NEEDS, blocking, 0 },
	{ "map.non-blocking", MAP, "a non-blocking map returns before it is complete", NEED_BUFFER,
	  nonblocking, 0 },
	{ "map.null", MAP, "CL_INVALID_VALUE \"if svm_ptr is NULL\"", NEED_SVM, null, 0 },
	{ "map.size-zero", MAP, "CL_INVALID_VALUE \"if size is 0\"", NEED_BUFFER, size_zero, 0 },
	{ "map.flags-invalid", MAP,
	  "CL_INVALID_VALUE \"if values specified in map_flags are not valid\"", NEED_BUFFER,
	  flags_invalid, 0 },
	{ "map.flags-exclusive", "API 5.2.4, Memory Map Flags",
	  "CL_MAP_READ or CL_MAP_WRITE and CL_MAP_WRITE_INVALIDATE_REGION \"are mutually "
	  "exclusive\": CL_INVALID_VALUE",
	  NEED_BUFFER, flags_exclusive, 0 },
	{ "unmap.null", UNMAP, "CL_INVALID_VALUE \"if svm_ptr is NULL\"", NEED_SVM, unmap_null, 0 },
	{ "map.without", "API 5.6.1",
	  "fine-grained: consistent at synchronization points \"without the need for explicit "
	  "calls to clEnqueueSVMMap and clEnqueueSVMUnmap\"",
	  NEED_FINE | NEED_COMPILER, without, 0 },
	{ 0 },
};
