/* SPDX-License-Identifier: MIT */
/*
 * Fine-grained system SVM: a kernel on any memory of the process, without clSVMAlloc(); and
 * where the device does not claim it, that such memory is refused.
 */
#include "overlap.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS	  4096
#define BYTES	  (WORDS * sizeof(cl_uint))
#define HUGE_PAGE ((size_t)2 << 20)

static void fill(cl_uint *words, size_t count, cl_uint value)
{
	for (size_t i = 0; i < count; i++)
		words[i] = (cl_uint)i + value;
}

static void check(const cl_uint *words, size_t count, cl_uint value, const char *when)
{
	for (size_t i = 0; i < count; i++)
		CHECK(words[i] == (cl_uint)i + value, "%s: word %zu is %u, %u is due", when, i,
		      words[i], (cl_uint)i + value);
}

static void add(struct trial *t, cl_uint *words, size_t count, cl_uint value)
{
	cl_kernel kernel = simple(t, "add");

	set_svm(kernel, 0, words);
	set_uint(kernel, 1, value);
	run_kernel(t, kernel, count, 1);
	clReleaseKernel(kernel);
}

/* Host and device in turn. */
static void exercise(struct trial *t, cl_uint *words, size_t count)
{
	fill(words, count, 1);
	add(t, words, count, 10);
	check(words, count, 11, "after a kernel");
	fill(words, count, 100);
	add(t, words, count, 10);
	check(words, count, 110, "after the host wrote again, and another kernel");
}

/* --- memory of many kinds --------------------------------------------------------------------- */

static void *mapping(size_t size, int flags, int file)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, file, 0);

	CHECK(memory != MAP_FAILED, "mmap: %s", strerror(errno));
	return memory;
}

/* A file of @size bytes that has no name. */
static int temporary_file(size_t size)
{
	FILE *file = tmpfile();

	CHECK(file, "a temporary file cannot be created: %s", strerror(errno));
	CHECK(!ftruncate(fileno(file), (off_t)size), "ftruncate: %s", strerror(errno));
	return fileno(file);
}

static void of_malloc(struct trial *t)
{
	enum { COUNT = 32 };
	cl_uint *words[COUNT];

	for (size_t i = 0; i < COUNT; i++) {
		words[i] = malloc((i + 1) * sizeof(cl_uint));
		CHECK(words[i], "out of memory");
		exercise(t, words[i], i + 1);
	}
	for (size_t i = 0; i < COUNT; i++)
		check(words[i], i + 1, 110, "after kernels on other allocations");
}

static void of_malloc_large(struct trial *t)
{
	const size_t count = (size_t)2 << 20;
	cl_uint *words = malloc(count * sizeof(*words));

	CHECK(words, "out of memory");
	exercise(t, words, count);
}

static void offset(struct trial *t)
{
	cl_uint *words = malloc(4 * BYTES);

	CHECK(words, "out of memory");
	fill(words, 4 * WORDS, 7);
	add(t, words + 1021, 2 * WORDS, 10);
	check(words, 1021, 7, "before the pointer");
	check(words + 1021, 2 * WORDS, 7 + 1021 + 10, "from the pointer on");
	check(words + 1021 + 2 * WORDS, 100, 7 + 1021 + 2 * WORDS, "behind what the kernel has");
}

/* Pages that do not exist yet: the device is the first to touch them. */
static void untouched(struct trial *t)
{
	cl_uint *words = mapping(16 * BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	add(t, words, 16 * WORDS, 3);
	for (size_t i = 0; i < 16 * WORDS; i++)
		CHECK(words[i] == 3, "word %zu of fresh memory is %u after 3 was added", i,
		      words[i]);
}

static void stack(struct trial *t)
{
	cl_uint words[WORDS];

	exercise(t, words, WORDS);
}

static void *stack_of_thread(void *context)
{
	cl_uint words[WORDS];

	exercise(context, words, WORDS);
	return NULL;
}

static void thread_stack(struct trial *t)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, stack_of_thread, t), "a thread cannot be started");
	pthread_join(thread, NULL);
}

static void of_program(struct trial *t)
{
	static cl_uint zeroed[WORDS];
	static cl_uint initialised[4] = { 1, 2, 3, 4 };

	exercise(t, zeroed, WORDS);
	add(t, initialised, 4, 10);
	check(initialised, 4, 11, "initialised data of the program");
}

static void of_constants(struct trial *t)
{
	static const cl_uint constants[4] = { 6, 7, 8, 9 };
	cl_uint out[4] = { 0 };
	cl_kernel kernel = simple(t, "copy");

	set_svm(kernel, 0, out);
	set_svm(kernel, 1, constants);
	run_kernel(t, kernel, 4, 1);
	check(out, 4, 6, "copied from constants of the program");
}

static void file_shared(struct trial *t)
{
	const int file = temporary_file(BYTES);
	cl_uint *words = mapping(BYTES, MAP_SHARED, file);
	cl_uint read_back[WORDS];

	exercise(t, words, WORDS);
	CHECK(pread(file, read_back, BYTES, 0) == BYTES, "the file cannot be read: %s",
	      strerror(errno));
	check(read_back, WORDS, 110, "read from the file");
}

static void file_private(struct trial *t)
{
	const int file = temporary_file(BYTES);
	cl_uint start[WORDS];
	cl_uint read_back[WORDS];
	cl_uint *words;

	fill(start, WORDS, 1);
	CHECK(pwrite(file, start, BYTES, 0) == BYTES, "the file cannot be written: %s",
	      strerror(errno));
	words = mapping(BYTES, MAP_PRIVATE, file);
	add(t, words, WORDS, 10);
	check(words, WORDS, 11, "a private mapping of a file");
	CHECK(pread(file, read_back, BYTES, 0) == BYTES, "the file cannot be read: %s",
	      strerror(errno));
	check(read_back, WORDS, 1, "the file itself, which is not to change");
}

static void file_read_only(struct trial *t)
{
	const int file = temporary_file(BYTES);
	cl_uint start[WORDS];
	cl_uint out[WORDS];
	cl_kernel kernel = simple(t, "copy");
	void *words;

	fill(start, WORDS, 5);
	CHECK(pwrite(file, start, BYTES, 0) == BYTES, "the file cannot be written: %s",
	      strerror(errno));
	words = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, file, 0);
	CHECK(words != MAP_FAILED, "mmap: %s", strerror(errno));
	set_svm(kernel, 0, out);
	set_svm(kernel, 1, words);
	run_kernel(t, kernel, WORDS, 1);
	check(out, WORDS, 5, "copied from a read-only mapping");
}

static void huge_pages(struct trial *t)
{
	void *memory = mmap(NULL, HUGE_PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (memory == MAP_FAILED)
		not_applicable("no huge pages are reserved here (/proc/sys/vm/nr_hugepages)");
	exercise(t, memory, HUGE_PAGE / sizeof(cl_uint));
}

/* The kernel makes huge pages of it if it can; either way it is memory. */
static void transparent_huge_pages(struct trial *t)
{
	unsigned char *memory = mapping(4 * HUGE_PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	const uintptr_t aligned = ((uintptr_t)memory + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	cl_uint *words = (cl_uint *)aligned;

	if (madvise(words, 2 * HUGE_PAGE, MADV_HUGEPAGE))
		not_applicable("madvise(MADV_HUGEPAGE): %s", strerror(errno));
	exercise(t, words, 2 * HUGE_PAGE / sizeof(cl_uint));
	/* Split what may be one page. */
	CHECK(!mprotect(words, 4096, PROT_READ), "mprotect: %s", strerror(errno));
	CHECK(!mprotect(words, 4096, PROT_READ | PROT_WRITE), "mprotect: %s", strerror(errno));
	exercise(t, words, 2 * HUGE_PAGE / sizeof(cl_uint));
}

/* Half anonymous, half a file, in one range. */
static void two_mappings(struct trial *t)
{
	const size_t half = 2 * BYTES;
	unsigned char *memory = mapping(2 * half, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	CHECK(mmap(memory + half, half, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		   temporary_file(half), 0) != MAP_FAILED,
	      "mmap: %s", strerror(errno));
	exercise(t, (cl_uint *)memory, 4 * WORDS);
}

/* --- memory that changes under the device ------------------------------------------------------
 */

static void moved(struct trial *t)
{
	cl_uint *words = mapping(BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	void *elsewhere = mapping(BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	exercise(t, words, WORDS);
	words = mremap(words, BYTES, BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere);
	CHECK(words != MAP_FAILED, "mremap: %s", strerror(errno));
	add(t, words, WORDS, 10);
	check(words, WORDS, 120, "after the memory was moved to another address");
}

static void replaced(struct trial *t)
{
	cl_uint *words = mapping(BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	exercise(t, words, WORDS);
	CHECK(mmap(words, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		   -1, 0) == words,
	      "mmap: %s", strerror(errno));
	fill(words, WORDS, 1000);
	add(t, words, WORDS, 10);
	check(words, WORDS, 1010, "after other memory took the place of the first");
}

static void discarded(struct trial *t)
{
	cl_uint *words = mapping(BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	exercise(t, words, WORDS);
	CHECK(!madvise(words, BYTES, MADV_DONTNEED), "madvise: %s", strerror(errno));
	add(t, words, WORDS, 4);
	for (size_t i = 0; i < WORDS; i++)
		CHECK(words[i] == 4, "word %zu of discarded memory is %u after 4 was added", i,
		      words[i]);
}

/* A child that looks at its @words when it is told to, and says whether they have @value. */
struct child {
	pid_t pid;
	int tell;
};

static struct child child_begin(const cl_uint *words, cl_uint value)
{
	struct child child;
	int ends[2];
	char byte;

	CHECK(!pipe(ends), "pipe: %s", strerror(errno));
	child.pid = fork();
	CHECK(child.pid >= 0, "fork: %s", strerror(errno));
	child.tell = ends[1];
	if (child.pid > 0) {
		close(ends[0]);
		return child;
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 1)
		_exit(2);
	for (size_t i = 0; i < WORDS; i++)
		if (words[i] != (cl_uint)i + value)
			_exit(1);
	_exit(0);
}

static bool child_saw(const struct child *child)
{
	int status = -1;

	CHECK(write(child->tell, "", 1) == 1, "a child cannot be told to look");
	waitpid(child->pid, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) < 2, "a child ended with status 0x%x",
	      (unsigned)status);
	return WEXITSTATUS(status) == 0;
}

/* After a fork, the device writes to pages that parent and child have in common. */
static void forked_device_writes(struct trial *t)
{
	cl_uint *words = mapping(BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct child child;

	exercise(t, words, WORDS);
	child = child_begin(words, 110);
	add(t, words, WORDS, 10);
	check(words, WORDS, 120, "the parent's memory, after a fork and a kernel");
	CHECK(child_saw(&child), "the device of the parent wrote into memory of the child");
}

/* After a fork, the host's write moves the parent to pages of its own; the device has to follow. */
static void forked_host_writes(struct trial *t)
{
	cl_uint *words = mapping(BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct child child;

	exercise(t, words, WORDS);
	child = child_begin(words, 110);
	fill(words, WORDS, 500);
	add(t, words, WORDS, 10);
	check(words, WORDS, 510,
	      "the parent's memory, after a fork, the host's write and a kernel");
	CHECK(child_saw(&child), "the child's memory was changed");
}

static void forked_shared(struct trial *t)
{
	cl_uint *words = mapping(BYTES, MAP_SHARED | MAP_ANONYMOUS, -1);
	struct child child;

	exercise(t, words, WORDS);
	child = child_begin(words, 120);
	add(t, words, WORDS, 10);
	check(words, WORDS, 120, "shared memory, after a fork and a kernel");
	CHECK(child_saw(&child), "the child does not see what the device wrote to shared memory");
}

/* --- by other ways than an argument
 * ---------------------------------------------------------------- */

static void through_pointer(struct trial *t)
{
	cl_ulong *box = malloc(sizeof(*box));
	cl_uint *words = malloc(BYTES);
	cl_kernel kernel = simple(t, "fill_through");

	CHECK(box && words, "out of memory");
	*box = (uintptr_t)words;
	set_svm(kernel, 0, box);
	set_uint(kernel, 1, WORDS);
	set_uint(kernel, 2, 60);
	run_kernel(t, kernel, 1, 1);
	check(words, WORDS, 60, "memory of malloc(), reached through a pointer");
}

static void fill_command(struct trial *t)
{
	const cl_uint pattern = 0x12345678;
	cl_uint *words = aligned_alloc(64, BYTES);

	CHECK(words, "out of memory");
	must(clEnqueueSVMMemFill(t->dev.queue, words, &pattern, sizeof(pattern), BYTES, 0, NULL,
				 NULL),
	     "clEnqueueSVMMemFill of memory of malloc()");
	must(clFinish(t->dev.queue), "clFinish");
	for (size_t i = 0; i < WORDS; i++)
		CHECK(words[i] == pattern, "word %zu is 0x%x, 0x%x is due", i, words[i], pattern);
}

static void count_up(void *context, unsigned thread, unsigned rounds)
{
	_Atomic cl_uint *word = context;

	(void)thread;
	for (unsigned i = 0; i < rounds; i++)
		atomic_fetch_add(word, 1);
}

static void atomics(struct trial *t)
{
	enum { ITEMS = 16 };
	_Atomic cl_uint *word = malloc(sizeof(*word));
	struct overlap overlap;
	char options[64];
	cl_kernel kernel;

	CHECK(word, "out of memory");
	snprintf(options, sizeof(options), "-DSCOPE=%s", host_scope(t));
	kernel = build(t, structures_cl, "count", options);
	set_svm(kernel, 0, (const void *)word);
	overlap_begin(&overlap, t, kernel, 1, ITEMS, 4);
	while (overlap_next(&overlap)) {
		const unsigned total = overlap.rounds * (ITEMS + OVERLAP_THREADS);

		*word = 0;
		overlap_run(&overlap, count_up, word);
		CHECK(*word == total, "the word is %u after %u additions of 1", *word, total);
	}
	overlap_end(&overlap);
}

/* --- where it is not claimed
 * ------------------------------------------------------------------------- */

static void refused(struct trial *t)
{
	static cl_uint words[WORDS];
	const size_t global = WORDS;
	cl_kernel kernel = simple(t, "add");
	void *svm;
	cl_int code;

	set_svm(kernel, 0, svm_alloc(t, CL_MEM_READ_WRITE, BYTES));
	set_uint(kernel, 1, 1);
	code = clSetKernelArgSVMPointer(kernel, 0, words);
	/* "Not a valid value", or later, when it is known for which device: either is clean. */
	if (code != CL_SUCCESS)
		expect_code(code, CL_INVALID_ARG_VALUE,
			    "clSetKernelArgSVMPointer of memory that is no SVM");
	else
		expect_code(clEnqueueNDRangeKernel(t->dev.queue, kernel, 1, NULL, &global, NULL, 0,
						   NULL, NULL),
			    CL_INVALID_OPERATION,
			    "clEnqueueNDRangeKernel on memory that is no SVM");
	must(clFinish(t->dev.queue), "clFinish");
	for (size_t i = 0; i < WORDS; i++)
		CHECK(!words[i], "the memory was refused, and written");
	/* The refusal leaves the kernel and the queue as they were. */
	svm = svm_alloc(t, CL_MEM_READ_WRITE, BYTES);
	put_bytes(t, svm, 0, BYTES);
	set_svm(kernel, 0, svm);
	run_kernel(t, kernel, WORDS, 1);
}

#define SYSTEM	"API 3.3, Fine-Grained system SVM"
#define HOST	"\"anywhere within the host memory\": "
#define NEEDS	(NEED_SYSTEM | NEED_COMPILER)
#define ENQUEUE "API 5.10, clEnqueueNDRangeKernel"

const struct test system_tests[] = {
	{ "system.malloc", SYSTEM, HOST "malloc(), of 4 to 128 bytes", NEEDS, of_malloc, 0 },
	{ "system.malloc-large", SYSTEM, HOST "malloc(), 8 MiB", NEEDS, of_malloc_large, 0 },
	{ "system.offset", SYSTEM, HOST "into an allocation, and no byte beside", NEEDS, offset,
	  0 },
	{ "system.untouched", SYSTEM, HOST "pages that nobody has touched", NEEDS, untouched, 0 },
	{ "system.stack", SYSTEM, HOST "the stack", NEEDS, stack, 0 },
	{ "system.thread-stack", SYSTEM, HOST "another thread's stack, from that thread", NEEDS,
	  thread_stack, 0 },
	{ "system.program", SYSTEM, HOST "data of the program", NEEDS, of_program, 0 },
	{ "system.constants", SYSTEM, HOST "read-only data of the program", NEEDS, of_constants,
	  0 },
	{ "system.file-shared", SYSTEM, HOST "a file, and the file has what the device wrote",
	  NEEDS, file_shared, 0 },
	{ "system.file-private", SYSTEM, HOST "a private mapping of a file, which stays as it is",
	  NEEDS, file_private, 0 },
	{ "system.file-read-only", SYSTEM, HOST "a read-only mapping of a file", NEEDS,
	  file_read_only, 0 },
	{ "system.huge-pages", SYSTEM, HOST "huge pages", NEEDS, huge_pages, 0 },
	{ "system.transparent-huge-pages", SYSTEM,
	  HOST "transparent huge pages, and their splitting", NEEDS, transparent_huge_pages, 0 },
	{ "system.two-mappings", SYSTEM, HOST "one range across two kinds of memory", NEEDS,
	  two_mappings, 0 },
	{ "system.moved", SYSTEM, HOST "memory that was moved (mremap)", NEEDS, moved, 0 },
	{ "system.replaced", SYSTEM, HOST "other memory where memory of a kernel was", NEEDS,
	  replaced, 0 },
	{ "system.discarded", SYSTEM, HOST "memory that was discarded (MADV_DONTNEED)", NEEDS,
	  discarded, 0 },
	{ "system.fork-device-writes", SYSTEM,
	  HOST "after a fork the device writes to the parent's memory and not to the child's",
	  NEEDS, forked_device_writes, 0 },
	{ "system.fork-host-writes", SYSTEM,
	  HOST "after a fork the device follows the parent to its new pages", NEEDS,
	  forked_host_writes, 0 },
	{ "system.fork-shared", SYSTEM, HOST "a child sees what the device writes to shared memory",
	  NEEDS, forked_shared, 0 },
	{ "system.through-pointer", "API 5.9.2, CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM",
	  "\"the default value is CL_TRUE\": memory that is no argument", NEEDS, through_pointer,
	  0 },
	{ "system.memfill", "API 5.6.1, clEnqueueSVMMemFill", "of memory of malloc()", NEED_SYSTEM,
	  fill_command, 0 },
	{ "system.atomics", "API 3.3, Atomic Operations",
	  "\"fine-grained system SVM\" with atomics: a word of malloc(), counted by both at once",
	  NEEDS | NEED_ATOMICS, atomics, 0 },
	{ "system.refused", ENQUEUE,
	  "CL_INVALID_OPERATION \"if system pointers are passed as arguments to a kernel and the "
	  "device does not support fine-grain system SVM\"",
	  NEED_NO_SYSTEM | NEED_BUFFER | NEED_COMPILER, refused, 0 },
	{ 0 },
};
