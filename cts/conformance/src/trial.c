/* SPDX-License-Identifier: MIT */
/*
 * How a test comes to its verdict, and what tests have in common.
 */
#include "trial.h"

#include "clock.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Statuses of the process; documented in svmatomic-conformance(1). */
enum { STATUS_PASS = 0, STATUS_FAIL = 1, STATUS_NOT_APPLICABLE = 77, STATUS_PARTIAL = 78 };

/* --- verdicts ---------------------------------------------------------------- */

/*
 * Drivers may hang in their exit handlers, or still run a kernel: the verdict is out, so
 * nothing but the end of the process matters any more.
 */
_Noreturn static void end(int status)
{
	fflush(stdout);
	_exit(status);
}

_Noreturn static void verdict(int status, const char *word, const char *format, va_list args)
{
	char text[480];

	vsnprintf(text, sizeof(text), format, args);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	printf("%s: %s\n", word, text);
	end(status);
}

_Noreturn void fail_test(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	verdict(STATUS_FAIL, "fail", format, args);
}

_Noreturn void not_applicable(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	verdict(STATUS_NOT_APPLICABLE, "not applicable", format, args);
}

void left_out(struct trial *t, const char *format, ...)
{
	const size_t used = strlen(t->left_out);
	char reason[300];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	if (!strstr(t->left_out, reason))
		snprintf(t->left_out + used, sizeof(t->left_out) - used, "%s%s", used ? "; " : "",
			 reason);
}

static void out_of_time(int number)
{
	static const char text[] = "\nfail: no answer within the time limit\n";

	(void)number;
	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		_exit(STATUS_FAIL);
	_exit(STATUS_FAIL);
}

static void check_needs(const struct trial *t)
{
	const struct cts_device *dev = &t->dev;
	const unsigned needs = t->test->needs;
	const cl_device_svm_capabilities buffer =
		CL_DEVICE_SVM_COARSE_GRAIN_BUFFER | CL_DEVICE_SVM_FINE_GRAIN_BUFFER;
	const struct {
		unsigned need;
		bool have;
		const char *name;
	} table[] = {
		{ NEED_SVM, dev->svm, "CL_DEVICE_SVM_CAPABILITIES is 0" },
		{ NEED_BUFFER, dev->svm & buffer, "no CL_DEVICE_SVM_COARSE_GRAIN_BUFFER" },
		{ NEED_FINE, dev->svm & CL_DEVICE_SVM_FINE_GRAIN_BUFFER,
		  "no CL_DEVICE_SVM_FINE_GRAIN_BUFFER" },
		{ NEED_SYSTEM, dev->svm & CL_DEVICE_SVM_FINE_GRAIN_SYSTEM,
		  "no CL_DEVICE_SVM_FINE_GRAIN_SYSTEM" },
		{ NEED_ATOMICS, dev->svm & CL_DEVICE_SVM_ATOMICS, "no CL_DEVICE_SVM_ATOMICS" },
		{ NEED_INT64, dev->atomic_int64,
		  "no cl_khr_int64_base_atomics or cl_khr_int64_extended_atomics" },
		{ NEED_COMPILER, dev->compiler, "CL_DEVICE_COMPILER_AVAILABLE is false" },
		{ NEED_COMPILER, dev->cl_version >= 20,
		  "the device is older than OpenCL 2.0, which brought SVM" },
		{ NEED_ACQ_REL,
		  dev->cl_version < 30 || dev->atomic_memory & CL_DEVICE_ATOMIC_ORDER_ACQ_REL,
		  "no CL_DEVICE_ATOMIC_ORDER_ACQ_REL" },
		{ NEED_NO_SVM, !dev->svm, "the device has SVM" },
		{ NEED_NO_SYSTEM, !(dev->svm & CL_DEVICE_SVM_FINE_GRAIN_SYSTEM),
		  "the device has CL_DEVICE_SVM_FINE_GRAIN_SYSTEM" },
		{ NEED_CL30, dev->cl_version >= 30, "the device is older than OpenCL 3.0" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if ((needs & table[i].need) && !table[i].have)
			not_applicable("%s", table[i].name);
}

_Noreturn void run_trial(struct trial *t)
{
	signal(SIGALRM, out_of_time);
	alarm((unsigned)t->limit + 1);
	check_needs(t);
	t->test->run(t);
	if (t->left_out[0]) {
		printf("partial: %s\n", t->left_out);
		end(STATUS_PARTIAL);
	}
	puts("pass");
	end(STATUS_PASS);
}

void expect_code(cl_int code, cl_int wanted, const char *what)
{
	CHECK(code == wanted, "%s: %s (%d), where %s (%d) is due", what, opencl_error_name(code),
	      code, opencl_error_name(wanted), wanted);
}

void must(cl_int code, const char *call)
{
	CHECK(code == CL_SUCCESS, "%s: %s (%d)", call, opencl_error_name(code), code);
}

/* --- memory ------------------------------------------------------------------ */

void *svm_alloc(struct trial *t, cl_svm_mem_flags flags, size_t size)
{
	void *memory = clSVMAlloc(t->dev.context, flags, size, 0);

	CHECK(memory, "clSVMAlloc of %zu bytes with flags 0x%llx returns NULL", size,
	      (unsigned long long)flags);
	return memory;
}

void *svm_best(struct trial *t, size_t size)
{
	cl_svm_mem_flags flags = CL_MEM_READ_WRITE;

	if (t->dev.svm & CL_DEVICE_SVM_FINE_GRAIN_BUFFER)
		flags |= CL_MEM_SVM_FINE_GRAIN_BUFFER;
	if ((flags & CL_MEM_SVM_FINE_GRAIN_BUFFER) && (t->dev.svm & CL_DEVICE_SVM_ATOMICS))
		flags |= CL_MEM_SVM_ATOMICS;
	return svm_alloc(t, flags, size);
}

static void map(struct trial *t, void *svm, size_t size, cl_map_flags flags)
{
	must(clEnqueueSVMMap(t->dev.queue, CL_TRUE, flags, svm, size, 0, NULL, NULL),
	     "clEnqueueSVMMap");
}

static void unmap(struct trial *t, void *svm)
{
	/* Without an event: with one PoCL 6.0 crashes, which is for the tests of that to find. */
	must(clEnqueueSVMUnmap(t->dev.queue, svm, 0, NULL, NULL), "clEnqueueSVMUnmap");
	must(clFinish(t->dev.queue), "clFinish");
}

void put(struct trial *t, void *svm, const void *from, size_t size)
{
	map(t, svm, size, CL_MAP_WRITE);
	memcpy(svm, from, size);
	unmap(t, svm);
}

void get(struct trial *t, void *to, void *svm, size_t size)
{
	map(t, svm, size, CL_MAP_READ);
	memcpy(to, svm, size);
	unmap(t, svm);
}

void put_bytes(struct trial *t, void *svm, int byte, size_t size)
{
	map(t, svm, size, CL_MAP_WRITE);
	memset(svm, byte, size);
	unmap(t, svm);
}

size_t differs_from(struct trial *t, void *svm, int byte, size_t size)
{
	const unsigned char *bytes = svm;
	size_t at = 0;

	map(t, svm, size, CL_MAP_READ);
	while (at < size && bytes[at] == (unsigned char)byte)
		at++;
	unmap(t, svm);
	return at;
}

size_t address_space(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	size_t pages = 0;

	if (!file || fscanf(file, "%zu", &pages) != 1)
		not_applicable("/proc/self/statm cannot be read");
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* --- kernels and commands ----------------------------------------------------- */

cl_kernel build(struct trial *t, const char *source, const char *name, const char *options)
{
	const char *const sources[] = { gate_cl, source };
	struct error err = { 0 };
	cl_program program = cts_build(&t->dev, options, 2, sources, NULL, &err);
	cl_kernel kernel;
	cl_int code;

	CHECK(program, "%s", err.text);
	kernel = clCreateKernel(program, name, &code);
	must(code, "clCreateKernel");
	return kernel;
}

cl_kernel simple(struct trial *t, const char *name)
{
	return build(t, simple_cl, name, NULL);
}

void set_svm(cl_kernel kernel, cl_uint index, const void *pointer)
{
	must(clSetKernelArgSVMPointer(kernel, index, pointer), "clSetKernelArgSVMPointer");
}

void set_uint(cl_kernel kernel, cl_uint index, cl_uint value)
{
	must(clSetKernelArg(kernel, index, sizeof(value), &value), "clSetKernelArg");
}

void set_ulong(cl_kernel kernel, cl_uint index, cl_ulong value)
{
	must(clSetKernelArg(kernel, index, sizeof(value), &value), "clSetKernelArg");
}

void set_pointers(cl_kernel kernel, void *const *pointers, size_t count)
{
	must(clSetKernelExecInfo(kernel, CL_KERNEL_EXEC_INFO_SVM_PTRS, count * sizeof(*pointers),
				 pointers),
	     "clSetKernelExecInfo with CL_KERNEL_EXEC_INFO_SVM_PTRS");
}

cl_event start_kernel(struct trial *t, cl_kernel kernel, size_t global, size_t local)
{
	cl_event event;

	must(clEnqueueNDRangeKernel(t->dev.queue, kernel, 1, NULL, &global, &local, 0, NULL,
				    &event),
	     "clEnqueueNDRangeKernel");
	must(clFlush(t->dev.queue), "clFlush");
	return event;
}

void finish(struct trial *t, cl_event event)
{
	struct error err = { 0 };

	CHECK(cts_wait(&t->dev, event, t->limit, &err), "%s", err.text);
}

void run_kernel(struct trial *t, cl_kernel kernel, size_t global, size_t local)
{
	cl_event event = start_kernel(t, kernel, global, local);

	finish(t, event);
	clReleaseEvent(event);
}

cl_int event_status(cl_event event)
{
	cl_int status = CL_QUEUED;

	must(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(status), &status,
			    NULL),
	     "clGetEventInfo");
	return status;
}

cl_event user_event(cl_context context)
{
	cl_int code;
	cl_event event = clCreateUserEvent(context, &code);

	must(code, "clCreateUserEvent");
	return event;
}

void set_event(cl_event event, cl_int status)
{
	must(clSetUserEventStatus(event, status), "clSetUserEventStatus");
}

cl_int final_status(struct trial *t, cl_event event)
{
	const uint64_t deadline = clock_ns() + (uint64_t)(t->limit * 1e9);
	cl_int status;

	clFlush(t->dev.queue);
	while ((status = event_status(event)) > CL_COMPLETE) {
		CHECK(clock_ns() < deadline, "a command did not end within %g s", t->limit);
		doze(0.0005);
	}
	return status;
}

cl_context other_context(struct trial *t)
{
	cl_int code;
	cl_context context = clCreateContext(NULL, 1, &t->dev.id, NULL, NULL, &code);

	must(code, "clCreateContext");
	return context;
}

const char *host_scope(struct trial *t)
{
	static const char *const feature = "__opencl_c_atomic_scope_all_devices";

	if (t->dev.cl_version < 30 || cts_has_feature(&t->dev, feature))
		return "memory_scope_all_svm_devices";
	if (!(t->dev.atomic_memory & CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES))
		not_applicable("no CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES");
	if (!cts_has_feature(&t->dev, "__opencl_c_atomic_scope_device"))
		not_applicable("the compiler has no %s", feature);
	left_out(t, "tried with memory_scope_device: the device claims "
		    "CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES, but its compiler has no "
		    "__opencl_c_atomic_scope_all_devices");
	return "memory_scope_device";
}

void doze(double seconds)
{
	clock_sleep_until(clock_ns() + (uint64_t)(seconds * 1e9));
}
