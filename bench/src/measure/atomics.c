/* SPDX-License-Identifier: MIT */
/*
 * Names and rules of atomic accesses.
 */
#include "atomics.h"

#include <string.h>

const char *const op_names[OP_COUNT + 1] = {
	[OP_FETCH_ADD] = "fetch_add", [OP_FETCH_SUB] = "fetch_sub",
	[OP_EXCHANGE] = "exchange",   [OP_COMPARE_EXCHANGE] = "compare_exchange",
	[OP_FETCH_MIN] = "fetch_min", [OP_FETCH_MAX] = "fetch_max",
	[OP_FETCH_AND] = "fetch_and", [OP_FETCH_OR] = "fetch_or",
	[OP_FETCH_XOR] = "fetch_xor", [OP_LOAD] = "load",
	[OP_STORE] = "store",	      [OP_FLAG] = "flag",
};

const char *const type_names[TYPE_COUNT + 1] = {
	[TYPE_INT] = "int",	[TYPE_UINT] = "uint",	[TYPE_LONG] = "long",
	[TYPE_ULONG] = "ulong", [TYPE_FLOAT] = "float", [TYPE_DOUBLE] = "double",
};

const char *const order_names[ORDER_COUNT + 1] = {
	[ORDER_RELAXED] = "relaxed", [ORDER_ACQUIRE] = "acquire", [ORDER_RELEASE] = "release",
	[ORDER_ACQ_REL] = "acq_rel", [ORDER_SEQ_CST] = "seq_cst",
};

const char *const scope_names[SCOPE_COUNT + 1] = {
	[SCOPE_WORK_GROUP] = "work_group",
	[SCOPE_DEVICE] = "device",
	[SCOPE_ALL_DEVICES] = "all_devices",
};

int name_index(const char *const *names, const char *name)
{
	for (int i = 0; names[i]; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

size_t type_size(enum type type)
{
	return type == TYPE_LONG || type == TYPE_ULONG || type == TYPE_DOUBLE ? 8 : 4;
}

bool type_is_float(enum type type)
{
	return type == TYPE_FLOAT || type == TYPE_DOUBLE;
}

static bool op_takes_floats(enum op op)
{
	switch (op) {
	case OP_FETCH_ADD:
	case OP_FETCH_SUB:
	case OP_EXCHANGE:
	case OP_COMPARE_EXCHANGE:
	case OP_LOAD:
	case OP_STORE:
		return true;
	default:
		return false;
	}
}

const char *combination_refusal(enum op op, enum type type, enum order order)
{
	if (op == OP_LOAD && (order == ORDER_RELEASE || order == ORDER_ACQ_REL))
		return "a load cannot release (OpenCL C 3.0, 6.15.12.7.2)";
	if (op == OP_STORE && (order == ORDER_ACQUIRE || order == ORDER_ACQ_REL))
		return "a store cannot acquire (OpenCL C 3.0, 6.15.12.7.1)";
	if (op == OP_FLAG && type != TYPE_INT)
		return "atomic_flag has no operand type; use type=int";
	if (op == OP_FLAG && (order == ORDER_RELAXED || order == ORDER_RELEASE))
		return "the flag protects plain data, which needs order acquire, acq_rel or "
		       "seq_cst";
	if (type_is_float(type) && !op_takes_floats(op))
		return "not defined on floating-point operands here";
	return NULL;
}
