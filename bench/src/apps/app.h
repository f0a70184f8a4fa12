/* SPDX-License-Identifier: MIT */
/*
 * What the application workloads share: one problem solved in three variants,
 * each with the memory model it is named after, measured in turn.
 */
#ifndef BENCH_APP_H
#define BENCH_APP_H

#include "stats.h"
#include "workload.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum variant {
	VARIANT_SVM,	/* both sides at once on one structure in SVM, with atomics */
	VARIANT_COARSE, /* a structure for each side, the device's in coarse-grained SVM */
	VARIANT_PLAIN,	/* a structure for each side, the device's copied to and fro */
	VARIANT_COUNT,
};
extern const char *const variant_names[VARIANT_COUNT + 1];

#define APP_AXES                                                                                   \
	(AXIS_BIT(AXIS_WORK_ITEMS) | AXIS_BIT(AXIS_GROUP_SIZE) | AXIS_BIT(AXIS_CPU_THREADS) |      \
	 AXIS_BIT(AXIS_PLACEMENT))

/* The end of each application's description. */
#define APP_FIGURES                                                                                \
	"\n"                                                                                       \
	"\n"                                                                                       \
	"Figures: the time of each variant; speedup, the better time of coarse and plain over "    \
	"that of svm_atomics in the same turn; device_share, the device's part of the work in "    \
	"svm_atomics. What is calibrated is calibrated on the very input that is then measured, "  \
	"which is the best case for a division made beforehand."

/* Words that both sides hammer stand two cache lines apart. */
#define APP_WORD_STRIDE 32

typedef _Atomic uint32_t app_word;

struct app_run;

/* The CPU's part of a job, on every thread of the crew. */
typedef void app_cpu_work(struct app_run *run, unsigned member);

/* The device's part of a job: transfers and launches, on the thread that measures. */
typedef bool app_device_work(struct app_run *run, struct error *err);

/*
 * One application. Per sample: reset() puts the input and the empty structures
 * where the variant has them, solve() is timed, verify() compares the output
 * with a sequential reference (EXIT_LOST_UPDATE). setup() follows run->share.
 */
struct app {
	const struct workload *workload; /* the kernel and its file have the same name */
	void *(*input_create)(uint64_t seed, unsigned scale); /* NULL: out of memory */
	void (*input_destroy)(void *input);
	bool (*setup)(struct app_run *run, struct error *err);
	void (*teardown)(struct app_run *run);
	bool (*reset)(struct app_run *run, struct error *err);
	bool (*solve)(struct app_run *run, struct error *err);
	bool (*verify)(struct app_run *run, struct error *err);
	/* Leave the variant set up with the best run->share, and say so in run->remark. */
	bool (*calibrate)(struct app_run *run, struct error *err);
};

/* One variant of one application at one point. */
struct app_run {
	const struct app *app;
	enum variant variant;
	enum memory_kind memory;
	struct device *device;
	struct kernel *kernel;
	struct crew *crew; /* NULL: no CPU threads */
	size_t global;
	size_t group;
	uint64_t timeout_ns;
	const void *input;
	void *state; /* setup()'s */
	bool device_lost;
	double share; /* the device's part of the work where it is split beforehand */
	char remark[96];
	uint64_t work; /* setup() says how much there is, in units of its own */

	/* The job at hand, see app_together(). */
	app_cpu_work *cpu;
	atomic_bool device_ended;
	uint64_t began_ns;
	uint64_t device_ns;
	_Atomic uint64_t cpu_ns;
	_Atomic uint64_t cpu_work;

	struct samples samples;
};

bool app_measure(const struct app *app, const struct session *session, const struct point *point,
		 json_t **out, struct error *err);

/*
 * Run both parts at once, the device's alone where there is no crew, and wait
 * for them. The threads may wait for the device's progress as long as
 * run->device_ended is false: app_launch() bounds that.
 */
bool app_together(struct app_run *run, app_cpu_work *cpu, app_device_work *device,
		  struct error *err);

/* Run @cpu alone, on the crew. */
void app_cpu_alone(struct app_run *run, app_cpu_work *cpu);

/* Called by each thread when its own part is done: @work of run->work units were its. */
void app_cpu_finished(struct app_run *run, uint64_t work);

/* Launch the application's kernel and wait for it. */
bool app_launch(struct app_run *run, const struct argument *args, size_t nargs, struct error *err);

/* One verified sample, in seconds. */
bool app_sample(struct app_run *run, double *seconds, struct error *err);

/* Set up anew with another share. */
bool app_setup_again(struct app_run *run, double share, struct error *err);

/* The share of the input at which both sides, as fast as they were seen to be, end together. */
bool app_calibrate_split(struct app_run *run, struct error *err);

/* How much of @count the device gets by itself: all of it where the work is shared. */
uint32_t app_device_part(const struct app_run *run, uint32_t count);

/*
 * Memory of the device, with the host's view of it. Between app_to_device() and
 * app_to_host() it is the device's; @size bytes from the start matter (to a
 * variant that copies). Shared memory is always both sides'.
 */
struct app_buffer {
	struct memory memory;
	void *host;
	bool mapped;
};

bool app_buffer_create(struct app_run *run, size_t size, struct app_buffer *buffer,
		       struct error *err);
void app_buffer_destroy(struct app_run *run, struct app_buffer *buffer);
bool app_to_device(struct app_run *run, struct app_buffer *buffer, size_t size, struct error *err);
bool app_to_host(struct app_run *run, struct app_buffer *buffer, size_t size, struct error *err);

/* Let the host fill the buffer, whatever is in it: never a copy. */
bool app_take(struct app_run *run, struct app_buffer *buffer, struct error *err);

/* Zeroed, on a cache line of its own; free() it. */
void *app_alloc(size_t size);

/* Wellons' lowbias32: a full-avalanche permutation of 32 bits; the kernels have it too. */
static inline uint32_t app_mix(uint32_t x)
{
	x = (x ^ (x >> 16)) * 0x7feb352du;
	x = (x ^ (x >> 15)) * 0x846ca68bu;
	return x ^ (x >> 16);
}

/* A product of @factors uniform variates, in 32-bit fixed point: small values are frequent. */
uint32_t app_skewed(uint64_t *random, unsigned factors);

#endif
