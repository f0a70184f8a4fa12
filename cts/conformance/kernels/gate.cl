// SPDX-License-Identifier: MIT
//
// In front of every kernel: how work-items and host threads find each other (overlap.c).
//
// The host defines SCOPE, the scope that has the host in it, for kernels that use this.

#ifdef cl_khr_int64_base_atomics
#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable
#pragma OPENCL EXTENSION cl_khr_int64_extended_atomics : enable
#endif

#ifdef SCOPE

// Words of the gate, a pair of cache lines apart.
#define GATE_STARTED 0
#define GATE_GO 32
#define GATE_FINISHED 64
#define GATE_GROUPS 96

// Enough for a thread to be scheduled, and little enough to end where none comes.
#define GATE_LOOKS (1 << 20)

typedef volatile __global atomic_uint *gate_words;

// Wait for the host, and for a second work-group: one after another, they cannot race.
void gate_enter(gate_words gate)
{
	const uint wanted = get_num_groups(0) > 1 ? 2 : 1;

	atomic_fetch_add_explicit(gate + GATE_STARTED, 1u, memory_order_relaxed, SCOPE);
	if (get_local_id(0) == 0)
		atomic_fetch_add_explicit(gate + GATE_GROUPS, 1u, memory_order_relaxed, SCOPE);
	for (uint i = 0; i < GATE_LOOKS; i++)
		if (atomic_load_explicit(gate + GATE_GO, memory_order_relaxed, SCOPE) &&
		    atomic_load_explicit(gate + GATE_GROUPS, memory_order_relaxed, SCOPE) >= wanted)
			return;
}

void gate_leave(gate_words gate)
{
	atomic_fetch_add_explicit(gate + GATE_FINISHED, 1u, memory_order_relaxed, SCOPE);
}

#endif
