/* SPDX-License-Identifier: MIT */
/*
 * Instances of the step loops (cpu_ops.inc) for every operand type.
 */
#include "cpu_ops.h"

#include "steps.h"

#include <stdatomic.h>
#include <string.h>

#define SUFFIX	    int_type
#define IS_FLOATING 0
#define TYPE	    int32_t
#define UTYPE	    uint32_t
#define TYPE_MAX    INT32_MAX
#define BITS	    32
#include "cpu_ops.inc"
#undef SUFFIX
#undef IS_FLOATING
#undef TYPE
#undef UTYPE
#undef TYPE_MAX
#undef BITS

#define SUFFIX	    uint_type
#define IS_FLOATING 0
#define TYPE	    uint32_t
#define UTYPE	    uint32_t
#define TYPE_MAX    UINT32_MAX
#define BITS	    32
#include "cpu_ops.inc"
#undef SUFFIX
#undef IS_FLOATING
#undef TYPE
#undef UTYPE
#undef TYPE_MAX
#undef BITS

#define SUFFIX	    long_type
#define IS_FLOATING 0
#define TYPE	    int64_t
#define UTYPE	    uint64_t
#define TYPE_MAX    INT64_MAX
#define BITS	    64
#include "cpu_ops.inc"
#undef SUFFIX
#undef IS_FLOATING
#undef TYPE
#undef UTYPE
#undef TYPE_MAX
#undef BITS

#define SUFFIX	    ulong_type
#define IS_FLOATING 0
#define TYPE	    uint64_t
#define UTYPE	    uint64_t
#define TYPE_MAX    UINT64_MAX
#define BITS	    64
#include "cpu_ops.inc"
#undef SUFFIX
#undef IS_FLOATING
#undef TYPE
#undef UTYPE
#undef TYPE_MAX
#undef BITS

#define SUFFIX	    float_type
#define TYPE	    float
#define IS_FLOATING 1
#include "cpu_ops.inc"
#undef SUFFIX
#undef IS_FLOATING
#undef TYPE

#define SUFFIX	    double_type
#define TYPE	    double
#define IS_FLOATING 1
#include "cpu_ops.inc"
#undef SUFFIX
#undef IS_FLOATING
#undef TYPE

cpu_steps *cpu_steps_for(enum op op, enum type type)
{
	static cpu_steps *const *const tables[TYPE_COUNT] = {
		[TYPE_INT] = table_int_type,	 [TYPE_UINT] = table_uint_type,
		[TYPE_LONG] = table_long_type,	 [TYPE_ULONG] = table_ulong_type,
		[TYPE_FLOAT] = table_float_type, [TYPE_DOUBLE] = table_double_type,
	};

	return tables[type][op];
}

void cpu_worker_reset(struct cpu_worker *worker)
{
	const uint64_t token = (uint64_t)worker->me + 1;
	const double number = (double)token;
	const float small = (float)token;

	worker->fresh = true;
	worker->outcome = (struct outcome){ 0 };
	if (worker->field->op != OP_EXCHANGE)
		return;
	if (worker->field->type == TYPE_DOUBLE)
		memcpy(&worker->outcome.acc, &number, sizeof(number));
	else if (worker->field->type == TYPE_FLOAT)
		memcpy(&worker->outcome.acc, &small, sizeof(small));
	else
		worker->outcome.acc = token;
}
