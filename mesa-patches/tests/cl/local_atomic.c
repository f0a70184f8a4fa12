/* SPDX-License-Identifier: MIT */
/*
 * Atomic loads and stores of local memory are atomic in what llvmpipe compiles, and plain
 * ones are not. A kernel cannot tell: all of a work-group runs in one thread there.
 */
#include "cltest.h"

#include <fcntl.h>

static const char source[] = "kernel void wait(global int *seen, local VOLATILE TYPE *flag)\n"
			     "{\n"
			     "	const size_t me = get_local_id(0);\n"
			     "	if (me == 0)\n"
			     "		STORE(flag, 0);\n"
			     "	barrier(CLK_LOCAL_MEM_FENCE);\n"
			     "	int v = LOAD(flag);\n"
			     "	while (v == 0) {\n"
			     "		if (me == 1)\n"
			     "			STORE(flag, 42);\n"
			     "		v = LOAD(flag);\n"
			     "	}\n"
			     "	seen[me] = v;\n"
			     "}\n";

/* One wide, so that what a word stands for in the compiler's output is clear. */
static void run(const char *options, int *seen)
{
	cl_kernel k = kernel(build(source, options), "wait");

	memset(seen, 0, 2 * sizeof(*seen));
	CHECK(clSetKernelArgSVMPointer(k, 0, seen));
	CHECK(clSetKernelArg(k, 1, sizeof(cl_int), NULL));
	launch(k, 2, 2);
	CHECK(clFinish(queue));
	for (int i = 0; i < 2; i++)
		if (seen[i] != 42)
			fail("%s: work-item %d saw %d", options, i, seen[i]);
}

/* What the compiler says goes to stderr: to a file, for as long as @run lasts. */
static void output_of(const char *options, int *seen, char *text, size_t size)
{
	char name[] = "/tmp/local_atomic.XXXXXX";
	const int file = mkstemp(name);
	const int saved = dup(STDERR_FILENO);
	ssize_t got;

	if (file < 0 || saved < 0 || dup2(file, STDERR_FILENO) < 0)
		fail("no temporary file");
	unlink(name);
	run(options, seen);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	got = pread(file, text, size - 1, 0);
	text[got > 0 ? got : 0] = 0;
	close(file);
}

int main(void)
{
	static char text[1 << 22];
	char name[256] = "";
	int *seen;

	setenv("GALLIVM_DEBUG", "ir", 1);
	setenv("MESA_SHADER_CACHE_DISABLE", "true", 1);
	open_device();
	CHECK(clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof(name), name, NULL));
	if (strncmp(name, "llvmpipe", 8))
		skip("%s is not llvmpipe", name);
	alarm(30);
	seen = clSVMAlloc(context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, 4096, 0);
	if (!seen)
		fail("clSVMAlloc returned NULL");
	output_of("-cl-std=CL3.0 -DVOLATILE= -DTYPE=int -DLOAD(p)=(*(p)) -DSTORE(p,v)=(*(p)=(v))",
		  seen, text, sizeof(text));
	if (!strstr(text, "define "))
		skip("the driver does not print what it compiles");
	if (strstr(text, "load atomic") || strstr(text, "store atomic"))
		fail("plain accesses are atomic");
	output_of("-cl-std=CL3.0 -DVOLATILE=volatile -DTYPE=atomic_int "
		  "-DLOAD(p)=atomic_load_explicit(p,memory_order_relaxed,memory_scope_work_group) "
		  "-DSTORE(p,v)=atomic_store_explicit(p,v,memory_order_relaxed,memory_scope_work_"
		  "group)",
		  seen, text, sizeof(text));
	if (!strstr(text, "load atomic i32"))
		fail("no atomic load");
	if (!strstr(text, "store atomic i32"))
		fail("no atomic store");
	clSVMFree(context, seen);
	return 0;
}
