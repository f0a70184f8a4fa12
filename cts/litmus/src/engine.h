/* SPDX-License-Identifier: MIT */
/*
 * Running programs: one or two devices in one context, memory, compiled kernels and a crew of
 * host threads.
 */
#ifndef CTS_LITMUS_ENGINE_H
#define CTS_LITMUS_ENGINE_H

#include "cl.h"
#include "cores.h"
#include "generate.h"
#include "litmus.h"
#include "model.h"
#include "stress.h"
#include "tally.h"

#define MAX_DEVICES 2

/* Which order or operation the kernels are to weaken, to see that it is noticed. */
enum fault { FAULT_NONE, FAULT_SC, FAULT_ACQ_REL, FAULT_FENCE, FAULT_RMW, FAULT_COUNT };
extern const char *const fault_words[FAULT_COUNT];

/* Device memory that the host reaches: SVM directly, a buffer by a copy. */
struct area {
	size_t size;
	void *allocation; /* of SVM; what is freed */
	cl_mem buffer;	  /* else NULL */
	void *host;	  /* where the host reads and writes */
};

/* Roles: one area for each device. */
enum area_name {
	AREA_MEMORY,
	AREA_MEET,
	AREA_RESULTS,
	AREA_CODES,
	AREA_NOISE,
	AREA_ROLES,
	AREA_ROLES_OF_SECOND,
	AREAS
};

/* For groups of one thread, for groups of several, a probe. */
enum kernel_name { KERNEL_APART, KERNEL_TOGETHER, KERNEL_CONCURRENCY, KERNELS };

/* What of a device is under way at the same time; probed. */
struct concurrency {
	bool known;
	unsigned groups;
	bool items;	/* of one group */
	double look_ns; /* how long a look at a word in memory takes */
};

struct engine {
	struct cts_device device[MAX_DEVICES];
	unsigned devices;
	enum total_order total;
	enum fault fault;

	bool svm;	  /* host and device together, all_svm_devices scope */
	char no_svm[160]; /* why not */
	bool cpu_device;
	bool x86;	  /* host, and the device if it is a CPU */
	unsigned threads; /* that a program has at most */
	struct concurrency concurrency;

	struct cores cores;

	bool in_svm; /* what the areas are */
	struct area area[AREAS];

	char *source; /* perform() of what is loaded */
	cl_program program[MAX_DEVICES];
	cl_kernel kernel[MAX_DEVICES][KERNELS];
};

/*
 * @platform and @device as in cts_choose(). @second: take another device of the platform along,
 * if there is one that shares memory with the first. No program will have more than @threads.
 */
bool engine_open(struct engine *engine, const char *platform, const char *device, bool second,
		 unsigned threads, enum fault fault, struct error *err);
void engine_close(struct engine *engine);

/* "" where the device has all orders and scopes of @program, else what it lacks. */
const char *engine_lacks(const struct engine *engine, const struct program *program);

/* Whether the threads of @program can be under way at the same time. */
bool engine_concurrent(const struct engine *engine, const struct program *program);

/*
 * From here on, batches are of programs whose threads are among @codes. Finds out about
 * concurrency, unless that is known.
 */
bool engine_load(struct engine *engine, const struct codes *codes, struct error *err);

/* Run every instance of @program once and add to @out what was seen. */
bool engine_batch(struct engine *engine, const struct program *program, const struct codes *codes,
		  const struct environment *environment, uint32_t seed, struct tally *out,
		  struct error *err);

#endif
