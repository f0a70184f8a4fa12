/* SPDX-License-Identifier: MIT */
/*
 * What engine.c and batch.c share, and nobody else.
 */
#ifndef CTS_LITMUS_ENGINE_PARTS_H
#define CTS_LITMUS_ENGINE_PARTS_H

#include "engine.h"

#define INSTANCES	   4096u /* of a batch; a power of two */
#define MEET_WORDS	   16u	 /* counters have lines of their own */
#define MAX_INSTANCE_WORDS (MAX_LOCATIONS * 64u)

/* kernels/ and tests/, embedded; the last has no name. */
struct litmus_file {
	const char *name;
	const char *text;
};
extern const struct litmus_file litmus_kernels[];

/* How many looks at a word a work-item takes @ns for. */
unsigned engine_looks(const struct engine *engine, uint64_t ns);

/* Make the areas SVM, or buffers. */
bool areas_for(struct engine *engine, bool svm, struct error *err);
bool area_to_device(struct engine *engine, unsigned device, enum area_name name, size_t size,
		    struct error *err);
bool area_from_device(struct engine *engine, unsigned device, enum area_name name, size_t size,
		      struct error *err);
cl_int area_argument(const struct area *area, cl_kernel kernel, cl_uint index);

/* Built when one is first wanted. */
cl_kernel engine_kernel(struct engine *engine, unsigned device, enum kernel_name name,
			struct error *err);

#endif
