/* SPDX-License-Identifier: MIT */
/*
 * What an OpenCL implementation takes for kernels without atomics: to build them
 * (`without_atomics build`) and to run them (`without_atomics`). A line for each, NAME WALL CPU:
 * the shortest of several times, by the clock and of all threads on CPUs, in microseconds. The
 * results are checked. `./run mesa bench` runs it with two implementations in turn.
 */
#include "cltest.h"

#include <math.h>
#include <stdbool.h>
#include <time.h>

#define ITEMS  (1 << 16)
#define LOCAL  64
#define ROUNDS 7

static const char source[] =
	"#define TIMES8(x) x x x x x x x x\n"
	"kernel void compute(global float *a, uint n)\n"
	"{\n"
	"	const size_t i = get_global_id(0);\n"
	"	float x = a[i], y = x * 0.5f + 1.0f;\n"
	"	for (uint k = 0; k < n; k++) {\n"
	"		TIMES8(x = fma(x, 0.999f, y); y = y * 0.998f - x * 0.001f;)\n"
	"	}\n"
	"	a[i] = x + y;\n"
	"}\n"
	"kernel void integer(global uint *a, uint n)\n"
	"{\n"
	"	const size_t i = get_global_id(0);\n"
	"	uint x = a[i] | 1;\n"
	"	for (uint k = 0; k < n; k++) {\n"
	"		if (x & 1)\n"
	"			x = x * 3 + 1;\n"
	"		else\n"
	"			x >>= 1;\n"
	"		x ^= x << 5;\n"
	"	}\n"
	"	a[i] = x;\n"
	"}\n"
	"kernel void memory(global const float4 *a, global float4 *b, uint n)\n"
	"{\n"
	"	const size_t i = get_global_id(0);\n"
	"	const size_t size = get_global_size(0);\n"
	"	for (uint k = 0; k < n; k++)\n"
	"		b[i + k * size] = a[i + k * size] * 2.0f + b[i + k * size];\n"
	"}\n"
	"kernel void barriers(global float *a, local float *row, uint n)\n"
	"{\n"
	"	const size_t me = get_local_id(0), size = get_local_size(0);\n"
	"	row[me] = a[get_global_id(0)];\n"
	"	for (uint k = 0; k < n; k++) {\n"
	"		barrier(CLK_LOCAL_MEM_FENCE);\n"
	"		const float next = row[(me + 1) % size] * 0.5f + row[me] * 0.5f;\n"
	"		barrier(CLK_LOCAL_MEM_FENCE);\n"
	"		row[me] = next;\n"
	"	}\n"
	"	a[get_global_id(0)] = row[me];\n"
	"}\n"
	"kernel void single(global float *a, uint count, uint n)\n"
	"{\n"
	"	for (uint k = 0; k < n; k++)\n"
	"		for (uint i = 1; i < count; i++)\n"
	"			a[i] = a[i - 1] * 0.25f + a[i] * 0.5f;\n"
	"}\n";

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec * 1e-3;
}

/* CPU time of all threads, which a busy machine changes less than the clock's. */
static double used(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec * 1e-3;
}

static void report(const char *name, double wall, double cpu)
{
	printf("%s %.1f %.1f\n", name, wall, cpu);
}

static void run(cl_kernel k, size_t global, size_t local)
{
	clReleaseEvent(launch(k, global, local));
	CHECK(clFinish(queue));
}

static void fill(float *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		values[i] = (float)(i % 1000) * 0.001f;
}

/* The first launch compiles, and is not one of the times. */
static void time_kernel(const char *name, cl_kernel k, size_t global, size_t local, float *values,
			size_t count)
{
	double wall = INFINITY;
	double cpu = INFINITY;

	for (int round = -1; round < ROUNDS; round++) {
		double began;
		double had;

		fill(values, count);
		began = now();
		had = used();
		run(k, global, local);
		had = used() - had;
		began = now() - began;
		if (round >= 0) {
			wall = fmin(wall, began);
			cpu = fmin(cpu, had);
		}
	}
	for (size_t i = 0; i < count; i += 997)
		if (isnan(values[i]))
			fail("%s: value %zu is none", name, i);
	report(name, wall, cpu);
}

static void set_uint(cl_kernel k, cl_uint index, cl_uint value)
{
	CHECK(clSetKernelArg(k, index, sizeof(value), &value));
}

static void time_build(float *values)
{
	double began;
	double had;
	cl_program program;
	cl_kernel k;

	build("kernel void nothing(void) {}", "-cl-std=CL3.0"); /* what is loaded only once */
	began = now();
	had = used();
	program = build(source, "-cl-std=CL3.0");
	report("build", now() - began, used() - had);

	k = kernel(program, "integer");
	CHECK(clSetKernelArgSVMPointer(k, 0, values));
	set_uint(k, 1, 1);
	began = now();
	had = used();
	run(k, LOCAL, LOCAL);
	report("first-launch", now() - began, used() - had);
	began = now();
	had = used();
	run(k, 1, 1);
	report("first-launch-of-one", now() - began, used() - had);
	k = kernel(program, "barriers");
	CHECK(clSetKernelArgSVMPointer(k, 0, values));
	CHECK(clSetKernelArg(k, 1, LOCAL * sizeof(float), NULL));
	set_uint(k, 2, 1);
	began = now();
	had = used();
	run(k, LOCAL, LOCAL);
	report("first-launch-barriers", now() - began, used() - had);
	began = now();
	had = used();
	run(k, 1, 1);
	report("first-launch-barriers-of-one", now() - began, used() - had);
}

int main(int argc, char **argv)
{
	const bool builds = argc > 1 && !strcmp(argv[1], "build");
	const size_t large = (size_t)ITEMS * 4 * 8;
	cl_program program;
	cl_kernel k;
	float *a;
	float *b;

	/* rusticl compiles for llvmpipe at every launch, unless it finds it in the cache. */
	if (builds)
		setenv("MESA_SHADER_CACHE_DISABLE", "true", 1);
	open_device();
	a = clSVMAlloc(context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER,
		       large * sizeof(*a), 0);
	b = clSVMAlloc(context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER,
		       large * sizeof(*b), 0);
	if (!a || !b)
		skip("no fine-grained SVM");
	fill(b, large);
	if (builds) {
		time_build(a);
		return 0;
	}
	program = build(source, "-cl-std=CL3.0");

	k = kernel(program, "compute");
	CHECK(clSetKernelArgSVMPointer(k, 0, a));
	set_uint(k, 1, 64);
	time_kernel("compute", k, ITEMS, LOCAL, a, ITEMS);

	k = kernel(program, "integer");
	CHECK(clSetKernelArgSVMPointer(k, 0, a));
	set_uint(k, 1, 200);
	time_kernel("integer", k, ITEMS, LOCAL, a, 0);

	k = kernel(program, "memory");
	CHECK(clSetKernelArgSVMPointer(k, 0, a));
	CHECK(clSetKernelArgSVMPointer(k, 1, b));
	set_uint(k, 2, 8);
	time_kernel("memory", k, ITEMS, LOCAL, a, large);

	k = kernel(program, "barriers");
	CHECK(clSetKernelArgSVMPointer(k, 0, a));
	CHECK(clSetKernelArg(k, 1, LOCAL * sizeof(float), NULL));
	set_uint(k, 2, 32);
	time_kernel("barriers", k, ITEMS, LOCAL, a, ITEMS);

	k = kernel(program, "integer");
	CHECK(clSetKernelArgSVMPointer(k, 0, a));
	set_uint(k, 1, 200);
	time_kernel("integer-groups-of-one", k, ITEMS / 16, 1, a, 0);

	k = kernel(program, "single");
	CHECK(clSetKernelArgSVMPointer(k, 0, a));
	set_uint(k, 1, 4096);
	set_uint(k, 2, 64);
	time_kernel("single-item", k, 1, 1, a, 4096);

	k = kernel(program, "integer");
	CHECK(clSetKernelArgSVMPointer(k, 0, a));
	set_uint(k, 1, 1);
	time_kernel("launch", k, LOCAL, LOCAL, a, 0);
	return 0;
}
