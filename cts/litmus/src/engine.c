/* SPDX-License-Identifier: MIT */
/*
 * Opening and closing: devices, what they can do, the crew, areas of memory, kernels.
 */
#include "engine.h"

#include "clock.h"
#include "engine_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const fault_words[FAULT_COUNT] = { "none", "sc", "acq_rel", "fence", "rmw" };

/* The probe's flags. How long it waits for somebody, who may have to be woken up. */
#define PROBE_BYTES 1024
#define PROBE_NS    30000000u

/* --- devices ---------------------------------------------------------------- */

/*
 * Threads of the device for each thread of a test, even on a machine with fewer CPUs: PoCL and
 * llvmpipe read these when they start.
 */
static void enough_device_threads(unsigned threads)
{
	char text[16];

	if (sysconf(_SC_NPROCESSORS_ONLN) >= (long)threads)
		return;
	snprintf(text, sizeof(text), "%u", threads);
	setenv("POCL_MAX_PTHREAD_COUNT", text, 0);
	setenv("LP_NUM_THREADS", text, 0);
}

static bool shares_svm(const struct cts_device *device, char *why, size_t size)
{
	if (!(device->svm & CL_DEVICE_SVM_ATOMICS))
		snprintf(why, size,
			 "the device does not claim SVM atomics "
			 "(CL_DEVICE_SVM_CAPABILITIES)");
	else if (!(device->atomic_memory & CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES))
		snprintf(why, size,
			 "the device does not claim the scope of all devices "
			 "(CL_DEVICE_ATOMIC_MEMORY_CAPABILITIES)");
	else
		return true;
	return false;
}

/* One context for both: SVM is shared within a context. */
static bool open_pair(struct engine *engine, struct error *err)
{
	cl_device_id ids[MAX_DEVICES];
	cl_context context;
	cl_int code;

	for (unsigned i = 0; i < engine->devices; i++)
		ids[i] = engine->device[i].id;
	context = clCreateContext(NULL, engine->devices, ids, NULL, NULL, &code);
	if (!context)
		return cts_fail(err, code, &engine->device[0], "creating a context");
	for (unsigned i = 0; i < engine->devices; i++) {
		struct cts_device *device = &engine->device[i];

		if (i)
			clRetainContext(context);
		device->context = context;
		device->queue =
			clCreateCommandQueueWithProperties(context, device->id, NULL, &code);
		if (!device->queue)
			return cts_fail(err, code, device, "creating a queue");
	}
	return true;
}

static void find_second(struct engine *engine, const struct cts_devices *list)
{
	char why[160];

	for (size_t i = 0; i < list->count && engine->devices < MAX_DEVICES; i++) {
		const struct cts_device *other = &list->at[i];

		if (other->platform == engine->device[0].platform &&
		    other->id != engine->device[0].id && other->compiler &&
		    shares_svm(other, why, sizeof(why)))
			engine->device[engine->devices++] = *other;
	}
}

static bool open_devices(struct engine *engine, const char *platform, const char *device,
			 bool second, struct error *err)
{
	const struct cts_device *chosen;
	struct cts_devices list;

	if (!cts_list(&list, err))
		return false;
	chosen = cts_choose(&list, platform, device, err);
	if (chosen) {
		engine->device[engine->devices++] = *chosen;
		engine->svm = shares_svm(chosen, engine->no_svm, sizeof(engine->no_svm));
		if (second && engine->svm)
			find_second(engine, &list);
	}
	cts_list_free(&list);
	if (!chosen)
		return false;
	if (!engine->device[0].compiler)
		return fail(err, EXIT_UNAVAILABLE, "%s has no compiler for OpenCL C",
			    engine->device[0].name);
	return engine->devices > 1 ? open_pair(engine, err)
				   : cts_open_device(&engine->device[0], err);
}

const char *engine_lacks(const struct engine *engine, const struct program *program)
{
	const struct cts_device *device = &engine->device[0];

	/* Before 3.0 there is nothing to ask, and everything is mandatory. */
	if (device->cl_version < 30)
		return "";
	for (unsigned t = 0; t < program->threads; t++) {
		for (unsigned i = 0; i < program->thread[t].count; i++) {
			const struct access *access = &program->thread[t].accesses[i];
			const cl_device_atomic_capabilities have = access->op == OP_FENCE
									   ? device->atomic_fence
									   : device->atomic_memory;

			if (program->thread[t].place.host || access->order == ORDER_PLAIN)
				continue;
			if (access->order == ORDER_SC && !(have & CL_DEVICE_ATOMIC_ORDER_SEQ_CST))
				return "the device does not claim order seq_cst";
			if (access->order >= ORDER_ACQ && access->order < ORDER_SC &&
			    !(have & CL_DEVICE_ATOMIC_ORDER_ACQ_REL))
				return "the device does not claim acquire and release";
			if (access->scope == SCOPE_DEV && !(have & CL_DEVICE_ATOMIC_SCOPE_DEVICE))
				return "the device does not claim device scope";
			if (access->scope == SCOPE_ALL &&
			    !(have & CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES))
				return "the device does not claim the scope of all devices";
		}
	}
	return "";
}

/* --- areas -------------------------------------------------------------------- */

static void area_free(struct engine *engine, struct area *area)
{
	if (area->allocation)
		clSVMFree(engine->device[0].context, area->allocation);
	if (area->buffer) {
		clReleaseMemObject(area->buffer);
		free(area->host);
	}
	*area = (struct area){ 0 };
}

/* Aligned to a page by hand: PoCL refuses alignments beyond the largest data type. */
static bool area_svm(struct engine *engine, struct area *area)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	area->allocation =
		clSVMAlloc(engine->device[0].context,
			   CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER | CL_MEM_SVM_ATOMICS,
			   area->size + page, 0);
	area->host = (void *)(((uintptr_t)area->allocation + page - 1) & ~(page - 1));
	return area->allocation;
}

static bool area_buffer(struct engine *engine, struct area *area)
{
	area->host = calloc(1, area->size);
	area->buffer = area->host ? clCreateBuffer(engine->device[0].context, CL_MEM_READ_WRITE,
						   area->size, NULL, NULL)
				  : NULL;
	if (!area->buffer)
		free(area->host);
	return area->buffer;
}

static void areas_clear(struct engine *engine)
{
	for (int i = 0; i < AREAS; i++)
		area_free(engine, &engine->area[i]);
}

bool areas_for(struct engine *engine, bool svm, struct error *err)
{
	static const size_t sizes[AREAS] = {
		[AREA_MEMORY] = INSTANCES * MAX_INSTANCE_WORDS * sizeof(uint32_t),
		[AREA_MEET] = INSTANCES * MEET_WORDS * sizeof(uint32_t),
		[AREA_RESULTS] = INSTANCES * MAX_THREADS * sizeof(uint32_t),
		[AREA_CODES] = MAX_THREADS * sizeof(uint32_t),
		[AREA_NOISE] = 16384 * sizeof(uint32_t),
		[AREA_ROLES] = MAX_THREADS * MAX_THREADS * sizeof(uint32_t),
		[AREA_ROLES_OF_SECOND] = MAX_THREADS * MAX_THREADS * sizeof(uint32_t),
	};

	if (engine->area[0].size && engine->in_svm == svm)
		return true;
	areas_clear(engine);
	engine->in_svm = svm;
	for (int i = 0; i < AREAS; i++) {
		struct area *area = &engine->area[i];

		area->size = sizes[i];
		if (svm ? !area_svm(engine, area) : !area_buffer(engine, area)) {
			areas_clear(engine);
			return fail(err, EXIT_NO_MEMORY, "%s: cannot allocate %zu KiB of %s",
				    engine->device[0].name, sizes[i] >> 10,
				    svm ? "SVM with atomics" : "a buffer");
		}
	}
	return true;
}

bool area_to_device(struct engine *engine, unsigned device, enum area_name name, size_t size,
		    struct error *err)
{
	struct area *area = &engine->area[name];
	cl_int code;

	if (!area->buffer || !size)
		return true;
	code = clEnqueueWriteBuffer(engine->device[device].queue, area->buffer, CL_FALSE, 0, size,
				    area->host, 0, NULL, NULL);
	return code == CL_SUCCESS
		       ? true
		       : cts_fail(err, code, &engine->device[device], "writing a buffer");
}

bool area_from_device(struct engine *engine, unsigned device, enum area_name name, size_t size,
		      struct error *err)
{
	struct area *area = &engine->area[name];
	cl_int code;

	if (!area->buffer)
		return true;
	code = clEnqueueReadBuffer(engine->device[device].queue, area->buffer, CL_TRUE, 0, size,
				   area->host, 0, NULL, NULL);
	return code == CL_SUCCESS
		       ? true
		       : cts_fail(err, code, &engine->device[device], "reading a buffer");
}

cl_int area_argument(const struct area *area, cl_kernel kernel, cl_uint index)
{
	if (area->buffer)
		return clSetKernelArg(kernel, index, sizeof(area->buffer), &area->buffer);
	return clSetKernelArgSVMPointer(kernel, index, area->host);
}

/* --- kernels -------------------------------------------------------------------- */

static void kernels_clear(struct engine *engine)
{
	for (unsigned d = 0; d < MAX_DEVICES; d++) {
		for (unsigned i = 0; i < KERNELS; i++) {
			if (engine->kernel[d][i])
				clReleaseKernel(engine->kernel[d][i]);
			engine->kernel[d][i] = NULL;
		}
		if (engine->program[d])
			clReleaseProgram(engine->program[d]);
		engine->program[d] = NULL;
	}
}

static const char *file_of(const char *name)
{
	for (const struct litmus_file *file = litmus_kernels; file->name; file++)
		if (!strcmp(file->name, name))
			return file->text;
	return "";
}

/* One program with every kernel: what a build costs, it mostly costs once. */
static cl_program build(struct engine *engine, unsigned device, struct error *err)
{
	static const char *const faults[FAULT_COUNT] = {
		"",
		" -DSVMATOMIC_LITMUS_BROKEN_SC",
		" -DSVMATOMIC_LITMUS_BROKEN_ACQ_REL",
		" -DSVMATOMIC_LITMUS_BROKEN_FENCE",
		" -DSVMATOMIC_LITMUS_BROKEN_RMW",
	};
	const char *texts[] = {
		file_of("prelude"),
		file_of("concurrency"),
		engine->source,
		"#define LITMUS_KERNEL litmus_apart\n",
		file_of("litmus"),
		"#undef LITMUS_KERNEL\n#define LITMUS_KERNEL litmus_together\n#define TOGETHER\n",
		file_of("litmus"),
	};
	char options[160];

	snprintf(options, sizeof(options), "-DMEET_SCOPE=%s%s",
		 engine->svm ? "SCOPE_all" : "SCOPE_dev", faults[engine->fault]);
	return cts_build(&engine->device[device], options, sizeof(texts) / sizeof(texts[0]), texts,
			 NULL, err);
}

cl_kernel engine_kernel(struct engine *engine, unsigned device, enum kernel_name name,
			struct error *err)
{
	static const char *const names[KERNELS] = { "litmus_apart", "litmus_together",
						    "concurrency" };
	cl_kernel *kernel = &engine->kernel[device][name];
	cl_int code;

	if (*kernel)
		return *kernel;
	if (!engine->program[device])
		engine->program[device] = build(engine, device, err);
	if (!engine->program[device])
		return NULL;
	*kernel = clCreateKernel(engine->program[device], names[name], &code);
	if (!*kernel)
		cts_fail(err, code, &engine->device[device], "creating a kernel");
	return *kernel;
}

/* --- what runs at once ------------------------------------------------------------ */

/* What one launch of the probe is told, and tells. */
struct probe {
	unsigned groups; /* launched */
	unsigned items;	 /* of each */
	cl_uint wanted;	 /* how many groups each waits for */
	cl_uint looks;	 /* at most */
	bool met;
	uint64_t ns;
};

static cl_int launch_probe(struct engine *engine, cl_kernel kernel, const struct probe *probe)
{
	static const enum area_name areas[] = { AREA_MEET, AREA_CODES, AREA_NOISE };
	const size_t local = probe->items;
	const size_t global = (size_t)probe->groups * probe->items;
	cl_int code = CL_SUCCESS;

	for (cl_uint i = 0; !code && i < 3; i++)
		code = area_argument(&engine->area[areas[i]], kernel, i);
	code = code ? code : clSetKernelArg(kernel, 3, sizeof(cl_uint), &probe->wanted);
	code = code ? code : clSetKernelArg(kernel, 4, sizeof(cl_uint), &probe->looks);
	code = code ? code
		    : clEnqueueNDRangeKernel(engine->device[0].queue, kernel, 1, NULL, &global,
					     &local, 0, NULL, NULL);
	return code ? code : clFinish(engine->device[0].queue);
}

static bool run_probe(struct engine *engine, struct probe *probe, struct error *err)
{
	cl_kernel kernel = engine_kernel(engine, 0, KERNEL_CONCURRENCY, err);
	uint32_t *outcome = engine->area[AREA_CODES].host;
	cl_int code;

	if (!kernel)
		return false;
	cores_bind(&engine->cores, 0, engine->cpu_device ? probe->groups : 0);
	memset(engine->area[AREA_MEET].host, 0, PROBE_BYTES);
	*outcome = 0;
	if (!area_to_device(engine, 0, AREA_MEET, PROBE_BYTES, err) ||
	    !area_to_device(engine, 0, AREA_CODES, sizeof(*outcome), err))
		return false;
	probe->ns = clock_ns();
	code = launch_probe(engine, kernel, probe);
	probe->ns = clock_ns() - probe->ns;
	if (code)
		return cts_fail(err, code, &engine->device[0], "looking for concurrency");
	if (!area_from_device(engine, 0, AREA_CODES, sizeof(*outcome), err))
		return false;
	probe->met = *outcome == probe->groups * probe->items;
	return true;
}

/* How long a look takes, which nobody answers: the least of some, for the machine may be busy. */
static bool time_looks(struct engine *engine, struct error *err)
{
	double least = 1e9;

	for (unsigned attempt = 0; attempt < 5; attempt++) {
		struct probe some = { .groups = 1, .items = 1, .wanted = 2, .looks = 1000 };
		struct probe more = { .groups = 1, .items = 1, .wanted = 2, .looks = 101000 };
		double ns;

		if (!run_probe(engine, &some, err) || !run_probe(engine, &more, err))
			return false;
		ns = ((double)more.ns - (double)some.ns) / 100000;
		if (ns > 0 && ns < least)
			least = ns;
	}
	engine->concurrency.look_ns = least < 0.1 ? 0.1 : least;
	return true;
}

unsigned engine_looks(const struct engine *engine, uint64_t ns)
{
	const double looks = (double)ns / engine->concurrency.look_ns;

	return looks < 1 ? 1 : looks > 4e9 ? 4000000000u : (unsigned)looks;
}

static bool meets(struct engine *engine, unsigned groups, unsigned items, bool *out,
		  struct error *err)
{
	*out = false;
	for (unsigned attempt = 0; attempt < 3 && !*out; attempt++) {
		struct probe probe = { .groups = groups,
				       .items = items,
				       .wanted = groups,
				       .looks = engine_looks(engine, PROBE_NS) };

		if (!run_probe(engine, &probe, err))
			return false;
		*out = probe.met;
	}
	return true;
}

static bool probe_concurrency(struct engine *engine, struct error *err)
{
	struct concurrency *found = &engine->concurrency;

	*found = (struct concurrency){ .known = true, .groups = 1 };
	if (!areas_for(engine, false, err) || !time_looks(engine, err) ||
	    !meets(engine, 1, 2, &found->items, err))
		return false;
	for (unsigned groups = engine->threads; groups > found->groups; groups--) {
		bool met;

		if (!meets(engine, groups, 1, &met, err))
			return false;
		if (met)
			found->groups = groups;
	}
	return true;
}

bool engine_load(struct engine *engine, const struct codes *codes, struct error *err)
{
	kernels_clear(engine);
	free(engine->source);
	engine->source = generate_perform(codes);
	if (!engine->source)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	return engine->concurrency.known || probe_concurrency(engine, err);
}

bool engine_concurrent(const struct engine *engine, const struct program *program)
{
	const unsigned cpus = engine->cores.count;
	unsigned groups[MAX_DEVICES] = { 0 };
	unsigned items[MAX_DEVICES][MAX_THREADS] = { 0 };
	unsigned hosts = 0;

	for (unsigned t = 0; t < program->threads; t++) {
		const struct place *place = &program->thread[t].place;

		hosts += place->host;
		if (place->host)
			continue;
		if (++items[place->device][place->group] > 1 && !engine->concurrency.items)
			return false;
		if (place->group >= groups[place->device])
			groups[place->device] = place->group + 1u;
	}
	if (groups[0] > engine->concurrency.groups || groups[1] > engine->concurrency.groups)
		return false;
	return hosts + (engine->cpu_device ? groups[0] + groups[1] : 0) <= cpus;
}

/* --- open and close ---------------------------------------------------------------- */

bool engine_open(struct engine *engine, const char *platform, const char *device, bool second,
		 unsigned threads, enum fault fault, struct error *err)
{
	*engine = (struct engine){ .fault = fault, .threads = threads };
	enough_device_threads(threads);
	if (!open_devices(engine, platform, device, second, err))
		return false;
	engine->total = engine->device[0].cl_version < 30 ? TOTAL_UNDER_CONDITIONS : TOTAL_ALWAYS;
	engine->cpu_device = engine->device[0].type & CL_DEVICE_TYPE_CPU;
#if defined(__x86_64__) || defined(__i386__)
	engine->x86 = engine->cpu_device;
#endif
	return cores_open(&engine->cores, engine->cpu_device, err);
}

void engine_close(struct engine *engine)
{
	cores_close(&engine->cores);
	kernels_clear(engine);
	if (engine->devices && engine->device[0].context)
		areas_clear(engine);
	free(engine->source);
	for (unsigned i = 0; i < engine->devices; i++)
		cts_close(&engine->device[i]);
	*engine = (struct engine){ 0 };
}
