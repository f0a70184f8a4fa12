#!/bin/sh
# SPDX-License-Identifier: MIT
#
# OpenCL C kernels for nouveau's compiler: one for each atomic operation, type, order and
# scope, on global memory. atomics.sh TYPE..., on standard output.
#
# A kernel's name says what is in it: operation, type, order, scope.
set -eu

# kernel NAME TYPE BODY: p is where the atomic is, r where results go.
kernel()
{
	printf 'kernel void %s(global atomic_%s *p, global %s *r)\n{\n\t%s\n}\n' \
		"$1" "$2" "$2" "$3"
}

each_scope()
{
	for scope in work_group device all_svm_devices; do
		"$@" "$scope"
	done
}

load()
{
	kernel "load_$1_$2_$3" "$1" "*r = atomic_load_explicit(p, memory_order_$2, memory_scope_$3);"
}

store()
{
	kernel "store_$1_$2_$3" "$1" \
		"atomic_store_explicit(p, *r, memory_order_$2, memory_scope_$3);"
}

# rmw TYPE OPERATION ORDER SCOPE
rmw()
{
	kernel "$2_$1_$3_$4" "$1" \
		"*r = atomic_$2_explicit(p, *r, memory_order_$3, memory_scope_$4);"
}

unused()
{
	kernel "$2_unused_$1_$3_$4" "$1" \
		"atomic_$2_explicit(p, *r, memory_order_$3, memory_scope_$4);"
}

cas()
{
	case $2 in
	acq_rel) failure=acquire ;;
	release) failure=relaxed ;;
	*) failure=$2 ;;
	esac
	kernel "cas_$1_$2_$3" "$1" "$1 e = r[1];
	r[2] = atomic_compare_exchange_strong_explicit(p, &e, *r, memory_order_$2,
						       memory_order_$failure,
						       memory_scope_$3);
	r[1] = e;"
}

operations()
{
	case $1 in
	float | double) echo exchange ;;
	*) echo exchange fetch_add fetch_sub fetch_or fetch_xor fetch_and fetch_min fetch_max ;;
	esac
}

fence()
{
	kernel "fence_$1_$2" int \
		"r[0] = 1; atomic_work_item_fence(CLK_GLOBAL_MEM_FENCE, memory_order_$1, memory_scope_$2); r[64] = 2;"
}

printf '#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable\n'
printf '#pragma OPENCL EXTENSION cl_khr_int64_extended_atomics : enable\n'
for type; do
	for order in relaxed acquire seq_cst; do
		each_scope load "$type" "$order"
	done
	for order in relaxed release seq_cst; do
		each_scope store "$type" "$order"
	done
	for order in relaxed acquire release acq_rel seq_cst; do
		for operation in $(operations "$type"); do
			each_scope rmw "$type" "$operation" "$order"
			[ "$operation" = exchange ] || each_scope unused "$type" "$operation" "$order"
		done
		each_scope cas "$type" "$order"
	done
done
for order in acquire release acq_rel seq_cst; do
	each_scope fence "$order"
done
cat <<EOF
/* A host that stores to p ends it. Whoever merges the loads never ends. */
kernel void spin(global atomic_int *p, global int *r)
{
	int v = atomic_load_explicit(p, memory_order_relaxed, memory_scope_all_svm_devices);

	while (!v)
		v = atomic_load_explicit(p, memory_order_relaxed, memory_scope_all_svm_devices);
	*r = v;
}
EOF
