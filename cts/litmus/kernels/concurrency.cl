// SPDX-License-Identifier: MIT
//
// Probe: which of a device's work-items can be under way at the same time.

static int look(__global atomic_int *at, int wanted, uint limit, uint *sink)
{
	int there = 0;

	for (uint i = 0; i < limit && there != wanted; i++) {
		*sink = dawdle(LOOK_STEPS, *sink);
		there = atomic_load_explicit(at, memory_order_relaxed, memory_scope_device);
	}
	return there == wanted;
}

// Whether @groups groups run at once, if groups are of one work-item; else, whether the two
// work-items of one group do. outcome[0]: how many saw the others.
__kernel void concurrency(__global atomic_int *flags, __global atomic_int *outcome,
			  __global uint *noise, uint groups, uint limit)
{
	uint sink = get_global_id(0);
	int seen;

	if (get_local_size(0) == 1) {
		atomic_fetch_add_explicit(flags, 1, memory_order_relaxed, memory_scope_device);
		seen = look(flags, (int)groups, limit, &sink);
	} else if (get_local_id(0) == 0) {
		// There and back, in code of their own: lanes in lockstep do not pass.
		atomic_store_explicit(flags, 1, memory_order_relaxed, memory_scope_device);
		seen = look(flags + 16, 1, limit, &sink);
	} else {
		seen = look(flags, 1, limit, &sink);
		if (seen)
			atomic_store_explicit(flags + 16, 1, memory_order_relaxed,
					      memory_scope_device);
	}
	if (seen)
		atomic_fetch_add_explicit(outcome, 1, memory_order_relaxed, memory_scope_device);
	noise[get_global_id(0)] = sink;
}
