/* SPDX-License-Identifier: MIT */
/*
 * The vocabulary of an atomic access: operation, operand type, memory order and
 * memory scope, as the axes name them and as OpenCL C and C17 spell them.
 */
#ifndef BENCH_ATOMICS_H
#define BENCH_ATOMICS_H

#include <stdbool.h>
#include <stddef.h>

enum op {
	OP_FETCH_ADD,
	OP_FETCH_SUB,
	OP_EXCHANGE,
	OP_COMPARE_EXCHANGE,
	OP_FETCH_MIN,
	OP_FETCH_MAX,
	OP_FETCH_AND,
	OP_FETCH_OR,
	OP_FETCH_XOR,
	OP_LOAD,
	OP_STORE,
	OP_FLAG,
	OP_COUNT,
};

enum type {
	TYPE_INT,
	TYPE_UINT,
	TYPE_LONG,
	TYPE_ULONG,
	TYPE_FLOAT,
	TYPE_DOUBLE,
	TYPE_COUNT,
};

enum order {
	ORDER_RELAXED,
	ORDER_ACQUIRE,
	ORDER_RELEASE,
	ORDER_ACQ_REL,
	ORDER_SEQ_CST,
	ORDER_COUNT,
};

enum scope {
	SCOPE_WORK_GROUP,
	SCOPE_DEVICE,
	SCOPE_ALL_DEVICES,
	SCOPE_COUNT,
};

/* Names as they stand on the command line and in results; NULL past the end. */
extern const char *const op_names[OP_COUNT + 1];
extern const char *const type_names[TYPE_COUNT + 1];
extern const char *const order_names[ORDER_COUNT + 1];
extern const char *const scope_names[SCOPE_COUNT + 1];

/* Index of @name in a NULL-ended table of names, -1 where it is not. */
int name_index(const char *const *names, const char *name);

/* Size of an operand in bytes: 4 or 8. */
size_t type_size(enum type type);
bool type_is_float(enum type type);

/*
 * Why a combination has no meaning in OpenCL C 3.0 section 6.15.12 and C17
 * section 7.17 (a store that acquires, bits of a float), or NULL where it has.
 */
const char *combination_refusal(enum op op, enum type type, enum order order);

#endif
