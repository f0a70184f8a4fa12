/* SPDX-License-Identifier: MIT */
/*
 * What the programs here have in common.
 */
#include "stack.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void broken(const char *format, ...)
{
	va_list args;

	fputs("broken: ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	/* A driver may hang in its exit handlers. */
	_exit(1);
}

void must(cl_int code, const char *call)
{
	CHECK(code == CL_SUCCESS, "%s: %s", call, opencl_error_name(code));
}

const struct cts_device *vsvm(void)
{
	static struct cts_device device;
	struct error err = { 0 };

	if (device.context)
		return &device;
	if (!cts_open(NULL, "vsvm", &device, &err)) {
		printf("skipped: %s\n", err.text);
		exit(77);
	}
	return &device;
}

cl_command_queue new_queue(void)
{
	cl_int code;
	cl_command_queue queue =
		clCreateCommandQueueWithProperties(vsvm()->context, vsvm()->id, NULL, &code);

	must(code, "clCreateCommandQueueWithProperties");
	return queue;
}

void *shared(size_t size)
{
	void *memory = clSVMAlloc(
		vsvm()->context,
		CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER | CL_MEM_SVM_ATOMICS, size, 0);

	CHECK(memory, "no %zu bytes of SVM", size);
	memset(memory, 0, size);
	return memory;
}

cl_kernel kernel(const char *source, const char *name)
{
	struct error err = { 0 };
	cl_kernel made = cts_build_kernel(vsvm(), NULL, source, name, &err);

	CHECK(made, "%s", err.text);
	return made;
}

cl_kernel adding(const void *word, cl_uint times)
{
	static const char source[] =
		"kernel void add(global atomic_uint *word, uint times)\n"
		"{\n"
		"    for (uint i = 0; i < times; i++)\n"
		"        atomic_fetch_add_explicit(word, 1, memory_order_relaxed,\n"
		"                                  memory_scope_all_svm_devices);\n"
		"}\n";
	cl_kernel add = kernel(source, "add");

	set_pointer(add, 0, word);
	set_uint(add, 1, times);
	return add;
}

void set_pointer(cl_kernel kernel, cl_uint index, const void *pointer)
{
	must(clSetKernelArgSVMPointer(kernel, index, pointer), "clSetKernelArgSVMPointer");
}

void set_uint(cl_kernel kernel, cl_uint index, cl_uint value)
{
	must(clSetKernelArg(kernel, index, sizeof(value), &value), "clSetKernelArg");
}

cl_event launch(cl_command_queue queue, cl_kernel kernel, size_t items, size_t group)
{
	cl_event event;

	must(clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &items, &group, 0, NULL, &event),
	     "clEnqueueNDRangeKernel");
	must(clFlush(queue), "clFlush");
	return event;
}

cl_int ended(cl_event event)
{
	cl_int status = CL_QUEUED;

	for (int i = 0; i < 60000 && status > CL_COMPLETE; i++) {
		must(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(status),
				    &status, NULL),
		     "clGetEventInfo");
		if (status > CL_COMPLETE)
			usleep(1000);
	}
	CHECK(status <= CL_COMPLETE, "a kernel does not end");
	clReleaseEvent(event);
	return status;
}

void run(cl_kernel kernel, size_t items, size_t group)
{
	cl_command_queue queue = new_queue();

	must(ended(launch(queue, kernel, items, group)), "a kernel");
	clReleaseCommandQueue(queue);
}

struct svma_device *behind(void)
{
	struct svma_capabilities can;
	struct svma_device *device = NULL;
	struct dirent *entry;
	DIR *files = opendir("/proc/self/fd");

	CHECK(files, "/proc/self/fd cannot be read");
	while (!device && (entry = readdir(files))) {
		if (*entry->d_name == '.' || svma_open_fd(&device, atoi(entry->d_name)))
			continue;
		if (!svma_query(device, &can) && !can.absent)
			break;
		svma_close(device);
		device = NULL;
	}
	closedir(files);
	CHECK(device, "the driver has no device open that is bound to this process");
	return device;
}

/* Whether /proc/@pid is a child of ours that says it is an engine. */
static bool is_engine(const char *pid)
{
	char path[300];
	char text[256] = "";
	char state;
	int parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return strstr(text, "(svma-engine)") &&
	       sscanf(strrchr(text, ')') + 1, " %c %d", &state, &parent) == 2 &&
	       parent == getpid() && state != 'Z';
}

pid_t engine_pid(void)
{
	struct dirent *entry;
	pid_t found = 0;
	DIR *processes = opendir("/proc");

	CHECK(processes, "/proc cannot be read");
	while (!found && (entry = readdir(processes)))
		if (*entry->d_name >= '1' && *entry->d_name <= '9' && is_engine(entry->d_name))
			found = atoi(entry->d_name);
	closedir(processes);
	return found;
}

unsigned now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned)(now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

unsigned random_below(unsigned bound)
{
	static uint64_t state = 88172645463325252u; /* xorshift, Marsaglia 2003 */

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 32) % bound;
}
