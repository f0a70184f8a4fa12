/* SPDX-License-Identifier: MIT */
/*
 * OpenCL: from a task to a built kernel, in the dialect that the device's
 * compiler really accepts.
 */
#include "kernel_sources.h"
#include "opencl.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct opencl_dialect dialects[] = {
	{ "OpenCL C 3.0", "CL3.0", true },
	{ "OpenCL C 2.0", "CL2.0", true },
	{ "OpenCL C 1.2 built-ins", "CL1.2", false },
};

static const char *const scope_constants[SCOPE_COUNT] = {
	[SCOPE_WORK_GROUP] = "memory_scope_work_group",
	[SCOPE_DEVICE] = "memory_scope_device",
	[SCOPE_ALL_DEVICES] = "memory_scope_all_svm_devices",
};

/* A compare-exchange that fails is a load: it keeps what of its order a load can have. */
static enum order load_part(enum order order)
{
	if (order == ORDER_ACQ_REL)
		return ORDER_ACQUIRE;
	return order == ORDER_RELEASE ? ORDER_RELAXED : order;
}

static enum order store_part(enum order order)
{
	if (order == ORDER_ACQ_REL || order == ORDER_ACQUIRE)
		return ORDER_RELEASE;
	return order;
}

/* Skip a leading "path:line:column:", which names nothing that the user has. */
static const char *without_location(const char *message)
{
	const char *at = strstr(message, ".cl:");
	int line;
	int column;
	int length = 0;

	if (at && sscanf(at, ".cl:%d:%d:%n", &line, &column, &length) == 2 && length)
		message = at + length;
	while (isspace((unsigned char)*message))
		message++;
	return message;
}

/* What a build log says first is wrong, up to the compiler's suggestions; or what CL says. */
static void complaint(cl_program program, cl_device_id id, cl_int code, char *out, size_t size)
{
	char log[8192] = "";
	const char *line;

	clGetProgramBuildInfo(program, id, CL_PROGRAM_BUILD_LOG, sizeof(log) - 1, log, NULL);
	line = strstr(log, "error:");
	if (!line) {
		snprintf(out, size, "%s", opencl_error_name(code));
		return;
	}
	line = without_location(line + strlen("error:"));
	snprintf(out, size, "%.*s", (int)strcspn(line, ";\n"), line);
}

static const char *source_of(const char *workload)
{
	for (const struct kernel_source *source = kernel_sources; source->name; source++)
		if (!strcmp(source->name, workload))
			return source->text;
	return NULL;
}

/* Whether @text builds with -cl-std=@standard; fills @why where it does not. */
static bool compiles(const struct opencl_device *cl, const char *standard, const char *text,
		     char *why, size_t size)
{
	char options[64];
	cl_int code;
	cl_program program = clCreateProgramWithSource(cl->context, 1, &text, NULL, &code);

	if (!program) {
		snprintf(why, size, "%s", opencl_error_name(code));
		return false;
	}
	snprintf(options, sizeof(options), "-cl-std=%s", standard);
	code = opencl_build_silently(program, cl->used, options);
	if (code != CL_SUCCESS)
		complaint(program, cl->used, code, why, size);
	clReleaseProgram(program);
	return code == CL_SUCCESS;
}

static bool scope_compiles(const struct opencl_device *cl, const struct opencl_dialect *dialect,
			   enum scope scope, char *why, size_t size)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "__kernel void probe(volatile __global atomic_uint *p)"
		 "{ (void)atomic_fetch_add_explicit(p, 1u, memory_order_relaxed, %s); }",
		 scope_constants[scope]);
	return compiles(cl, dialect->standard, text, why, size);
}

static void correct_scope(struct device *dev, enum capability cap, const char *why)
{
	struct capability_state *state = &dev->caps[cap];

	if (!state->have)
		return;
	state->have = false;
	snprintf(state->note, sizeof(state->note),
		 "claimed by the driver, but its compiler says: %.120s", why);
}

static bool probe_c11(struct device *dev, const struct opencl_dialect *dialect)
{
	struct opencl_device *cl = opencl_of(dev);
	char why[160];

	if (scope_compiles(cl, dialect, SCOPE_ALL_DEVICES, why, sizeof(why))) {
		dev->widest_scope = SCOPE_ALL_DEVICES;
	} else if (scope_compiles(cl, dialect, SCOPE_DEVICE, why, sizeof(why))) {
		correct_scope(dev, CAP_SCOPE_ALL_DEVICES, why);
		dev->widest_scope = SCOPE_DEVICE;
	} else if (scope_compiles(cl, dialect, SCOPE_WORK_GROUP, why, sizeof(why))) {
		correct_scope(dev, CAP_SCOPE_ALL_DEVICES, why);
		correct_scope(dev, CAP_SCOPE_DEVICE, why);
		dev->widest_scope = SCOPE_WORK_GROUP;
	} else {
		return false;
	}
	cl->dialect = dialect;
	return true;
}

void opencl_probe_compiler(struct device *dev)
{
	struct opencl_device *cl = opencl_of(dev);
	struct capability_state *compiler = &dev->caps[CAP_COMPILER];
	const struct opencl_dialect *legacy = &dialects[2];
	char why[160] = "";

	if (!compiler->have)
		return;
	/*
	 * An OpenCL C 3.0 compiler without device scope still has work-group
	 * scope, which is of no use here: the 1.x built-ins reach further.
	 */
	for (const struct opencl_dialect *dialect = dialects; dialect->c11; dialect++)
		if (probe_c11(dev, dialect) && dev->widest_scope != SCOPE_WORK_GROUP)
			break;
	if (!cl->dialect || dev->widest_scope == SCOPE_WORK_GROUP) {
		if (compiles(cl, legacy->standard,
			     "__kernel void probe(volatile __global uint *p)"
			     "{ (void)atomic_add(p, 1u); }",
			     why, sizeof(why))) {
			cl->dialect = legacy;
			dev->widest_scope = SCOPE_DEVICE;
		}
	}
	if (!cl->dialect) {
		compiler->have = false;
		snprintf(compiler->note, sizeof(compiler->note),
			 "its compiler accepts no atomics: %.120s", why);
		return;
	}
	snprintf(dev->dialect, sizeof(dev->dialect), "%s, scopes up to %s", cl->dialect->name,
		 scope_names[dev->widest_scope]);
}

/* Appends to a fixed buffer; the options below fit with room to spare. */
__attribute__((format(printf, 3, 4))) static void add(char *out, size_t size, const char *format,
						      ...)
{
	size_t used = strlen(out);
	va_list args;

	va_start(args, format);
	vsnprintf(out + used, size - used, format, args);
	va_end(args);
}

static void type_options(char *out, size_t size, const struct device *dev, enum type type)
{
	static const char *const maxima[TYPE_COUNT] = { "INT_MAX",   "UINT_MAX", "LONG_MAX",
							"ULONG_MAX", "FLT_MAX",	 "DBL_MAX" };
	const char *name = type_names[type];

	add(out, size, " -DTYPE=%s -DTYPE_MAX=%s -DBITS=%zu", name, maxima[type],
	    8 * type_size(type));
	add(out, size, " -DATOMIC=%s%s", opencl_of(dev)->dialect->c11 ? "atomic_" : "", name);
	if (type_size(type) == 8)
		add(out, size, " -DWIDE");
	add(out, size, " -DIS_FLOATING=%d", type_is_float(type));
	if (!type_is_float(type))
		add(out, size, " -DUTYPE=%s", type_size(type) == 8 ? "ulong" : "uint");
}

static void order_options(char *out, size_t size, const struct device *dev, enum order order)
{
	add(out, size, " -DORDER=memory_order_%s", order_names[order]);
	add(out, size, " -DLOAD_ORDER=memory_order_%s -DFAILURE_ORDER=memory_order_%s",
	    order_names[load_part(order)], order_names[load_part(order)]);
	add(out, size, " -DSTORE_ORDER=memory_order_%s", order_names[store_part(order)]);
	if (order != ORDER_RELAXED)
		add(out, size, " -DCARRIES_DATA");
	/* Before 3.0 the query does not exist and every order is mandatory. */
	if (dev->caps[CAP_ORDER_ACQ_REL].have ||
	    !strcmp(opencl_of(dev)->dialect->standard, "CL2.0"))
		add(out, size, " -DHAVE_ACQ_REL");
}

static void task_options(char *out, size_t size, const struct device *dev, const struct task *task)
{
	static const char *const gates[GATE_COUNT] = { "GATE_NONE", "GATE_LOAD", "GATE_VOLATILE",
						       "GATE_RMW" };
	const struct opencl_dialect *dialect = opencl_of(dev)->dialect;
	enum scope scope = task->scope < dev->widest_scope ? task->scope : dev->widest_scope;

	out[0] = '\0';
	add(out, size, "-cl-std=%s -D%s -DOP=%s", dialect->standard,
	    dialect->c11 ? "DIALECT_C11" : "DIALECT_LEGACY", op_names[task->op]);
	add(out, size, " -DSCOPE=%s -D%s", scope_constants[scope], gates[task->gate]);
	type_options(out, size, dev, task->type);
	order_options(out, size, dev, task->order);
	if (task->random)
		add(out, size, " -DRANDOM");
	if (task->broken)
		add(out, size, " -DBROKEN");
}

static bool same_task(const struct task *a, const struct task *b)
{
	return !strcmp(a->workload, b->workload) && !strcmp(a->entry, b->entry) && a->op == b->op &&
	       a->type == b->type && a->order == b->order && a->scope == b->scope &&
	       a->gate == b->gate && a->random == b->random && a->broken == b->broken;
}

static bool build_program(struct device *dev, const struct task *task, struct kernel *kernel,
			  struct error *err)
{
	struct opencl_device *cl = opencl_of(dev);
	const char *texts[] = { source_of("atomics"), source_of("steps"),
				source_of(task->workload) };
	char options[1024];
	char why[160];
	cl_int code;

	if (!texts[2])
		return fail(err, EXIT_INTERNAL, "no kernel source is called %s", task->workload);
	kernel->program = clCreateProgramWithSource(cl->context, 3, texts, NULL, &code);
	if (!kernel->program)
		return opencl_fail(err, code, dev, "creating a program");
	task_options(options, sizeof(options), dev, task);
	code = opencl_build_silently(kernel->program, cl->used, options);
	if (code != CL_SUCCESS) {
		complaint(kernel->program, cl->used, code, why, sizeof(why));
		return fail(err, EXIT_UNAVAILABLE, "%s: its compiler refuses kernel %s: %s",
			    dev->name, task->entry, why);
	}
	kernel->kernel = clCreateKernel(kernel->program, task->entry, &code);
	if (!kernel->kernel)
		return opencl_fail(err, code, dev, "creating a kernel");
	return true;
}

static void kernel_free(struct kernel *kernel)
{
	if (kernel->kernel)
		clReleaseKernel(kernel->kernel);
	if (kernel->program)
		clReleaseProgram(kernel->program);
	free(kernel);
}

struct kernel *opencl_build(struct device *dev, const struct task *task, struct error *err)
{
	struct opencl_device *cl = opencl_of(dev);
	struct kernel *kernel;

	for (kernel = cl->kernels; kernel; kernel = kernel->next)
		if (same_task(&kernel->task, task))
			return kernel;
	if (!dev->caps[CAP_COMPILER].have) {
		fail(err, EXIT_UNAVAILABLE, "%s cannot compile kernels: %s", dev->name,
		     dev->caps[CAP_COMPILER].note);
		return NULL;
	}
	kernel = calloc(1, sizeof(*kernel));
	if (!kernel) {
		fail(err, EXIT_NO_MEMORY, "out of memory");
		return NULL;
	}
	kernel->task = *task;
	kernel->dev = dev;
	if (!build_program(dev, task, kernel, err)) {
		kernel_free(kernel);
		return NULL;
	}
	kernel->next = cl->kernels;
	cl->kernels = kernel;
	return kernel;
}

void opencl_kernels_clear(struct opencl_device *cl)
{
	while (cl->kernels) {
		struct kernel *next = cl->kernels->next;

		kernel_free(cl->kernels);
		cl->kernels = next;
	}
}
