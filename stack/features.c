/* SPDX-License-Identifier: MIT */
/*
 * What else kernels use works on the device as it does elsewhere: local memory and barriers, large
 * private arrays, work-groups at the same time, images and samplers, printf.
 */
#include "stack.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GROUP = 64, GROUPS = 24, WIDTH = 8, HEIGHT = 4 };

static const char source[] =
	"kernel void reduce(global uint *sums, local uint *part)\n"
	"{\n"
	"    uint me = get_local_id(0);\n"
	"    part[me] = get_global_id(0);\n"
	"    for (uint half_of = get_local_size(0) / 2; half_of; half_of /= 2) {\n"
	"        barrier(CLK_LOCAL_MEM_FENCE);\n"
	"        if (me < half_of)\n"
	"            part[me] += part[me + half_of];\n"
	"    }\n"
	"    if (!me)\n"
	"        sums[get_group_id(0)] = part[0];\n"
	"}\n"
	"kernel void private_array(global uint *out, uint seed)\n"
	"{\n"
	"    uint array[1024];\n"
	"    for (uint i = 0; i < 1024; i++)\n"
	"        array[i] = seed * i + get_global_id(0);\n"
	"    barrier(CLK_GLOBAL_MEM_FENCE);\n"
	"    out[get_global_id(0)] = array[(seed * 37) % 1024];\n"
	"}\n"
	"kernel void meet(global atomic_uint *arrived)\n"
	"{\n"
	"    atomic_fetch_add_explicit(arrived, 1, memory_order_relaxed,\n"
	"                              memory_scope_all_svm_devices);\n"
	"    while (atomic_load_explicit(arrived, memory_order_relaxed,\n"
	"                                memory_scope_all_svm_devices) < 2)\n"
	"        ;\n"
	"}\n"
	"kernel void say(uint n)\n"
	"{\n"
	"    printf(\"said %u of %s\\n\", n, \"vsvm\");\n"
	"}\n"
	"kernel void texels(read_only image2d_t image, sampler_t sampler, global float4 *out)\n"
	"{\n"
	"    int2 at = (int2)(get_global_id(0) % 8, get_global_id(0) / 8);\n"
	"    out[get_global_id(0)] = read_imagef(image, sampler, convert_float2(at) + 0.5f);\n"
	"}\n";

static void local_memory(void)
{
	cl_kernel reduce = kernel(source, "reduce");
	cl_uint *sums = shared(GROUPS * sizeof(*sums));

	set_pointer(reduce, 0, sums);
	must(clSetKernelArg(reduce, 1, GROUP * sizeof(cl_uint), NULL), "clSetKernelArg");
	run(reduce, GROUP * GROUPS, GROUP);
	for (unsigned i = 0; i < GROUPS; i++)
		CHECK(sums[i] == GROUP * (i * GROUP) + GROUP * (GROUP - 1) / 2,
		      "group %u: a sum of %u", i, sums[i]);
	puts("local memory and barriers");
}

/* 4 KiB for each of 1536: megabytes of frames, and more than an engine has. */
static void private_arrays(void)
{
	cl_kernel fill = kernel(source, "private_array");
	cl_uint *out = shared(GROUP * GROUPS * sizeof(*out));

	set_pointer(fill, 0, out);
	set_uint(fill, 1, 5);
	run(fill, GROUP * GROUPS, GROUP);
	for (unsigned i = 0; i < GROUP * GROUPS; i++)
		CHECK(out[i] == 5 * (5 * 37 % 1024) + i, "item %u: %u", i, out[i]);
	puts("private arrays");
}

static void at_once(void)
{
	cl_kernel meet = kernel(source, "meet");
	atomic_uint *arrived = shared(PAGE);

	set_pointer(meet, 0, arrived);
	run(meet, 2, 1);
	puts("two work-groups at once");
}

static void print(void)
{
	const int saved = dup(STDOUT_FILENO);
	cl_kernel say = kernel(source, "say");
	char path[] = "/tmp/said.XXXXXX";
	char text[64] = "";
	const int file = mkstemp(path);

	unlink(path);
	CHECK(file >= 0 && saved >= 0, "no file in /tmp");
	fflush(stdout);
	dup2(file, STDOUT_FILENO);
	set_uint(say, 0, 42);
	run(say, 1, 1);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	CHECK(pread(file, text, sizeof(text) - 1, 0) > 0, "printf() said nothing");
	CHECK(!strcmp(text, "said 42 of vsvm\n"), "printf() said '%s'", text);
	close(file);
	puts("printf");
}

static void images(void)
{
	const cl_image_format format = { CL_RGBA, CL_FLOAT };
	const cl_image_desc shape = { .image_type = CL_MEM_OBJECT_IMAGE2D,
				      .image_width = WIDTH,
				      .image_height = HEIGHT };
	const cl_sampler_properties nearest[] = { CL_SAMPLER_NORMALIZED_COORDS,
						  CL_FALSE,
						  CL_SAMPLER_ADDRESSING_MODE,
						  CL_ADDRESS_CLAMP,
						  CL_SAMPLER_FILTER_MODE,
						  CL_FILTER_NEAREST,
						  0 };
	cl_float texels[WIDTH * HEIGHT * 4];
	cl_kernel read = kernel(source, "texels");
	cl_float *out = shared(sizeof(texels));
	cl_sampler sampler;
	cl_mem image;
	cl_int code;

	for (unsigned i = 0; i < WIDTH * HEIGHT * 4; i++)
		texels[i] = (cl_float)i;
	image = clCreateImage(vsvm()->context, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, &format,
			      &shape, texels, &code);
	must(code, "clCreateImage");
	sampler = clCreateSamplerWithProperties(vsvm()->context, nearest, &code);
	must(code, "clCreateSamplerWithProperties");
	must(clSetKernelArg(read, 0, sizeof(image), &image), "clSetKernelArg");
	must(clSetKernelArg(read, 1, sizeof(sampler), &sampler), "clSetKernelArg");
	set_pointer(read, 2, out);
	run(read, WIDTH * HEIGHT, WIDTH);
	CHECK(!memcmp(out, texels, sizeof(texels)), "texels are not those of the image");
	puts("images and samplers");
}

int main(void)
{
	vsvm();
	local_memory();
	private_arrays();
	at_once();
	print();
	images();
	return 0;
}
