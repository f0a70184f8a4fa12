// SPDX-License-Identifier: MIT
//
// Runs the threads of one program over many instances of it. Behind the generated function
// perform(), which has a case for each thing that threads do. Compiled twice: as LITMUS_KERNEL
// litmus_apart, for groups of one thread, and with TOGETHER as litmus_together.
//
// A thread is a work-item. Instance after instance, the threads meet (a counter for each
// instance, looked at only so often: nobody waits for what may never run), then do their part.

// memory: the instances; meet: a counter for each; results: what each thread saw.
// roles[group * size + item]: a thread's number, or -1; codes[thread]: its case in perform().
__kernel void LITMUS_KERNEL(__global atomic_int *memory, __global atomic_int *meet,
		     __global uint *results, __global const int *roles, __global const int *codes,
		     __global uint *noise, uint instances, uint meet_words, uint instance_words,
		     uint stride, uint multiplier, uint threads, uint team_groups, uint teams,
		     uint patience, uint first_patience, uint budget, uint skew_mask, uint pause_share,
		     uint pause_mask, uint pause_scale, uint seed)
{
	const uint group = get_group_id(0);
	const uint team = group / team_groups;
	uint sink = seed ^ get_global_id(0);

	// Groups beyond the teams are there to disturb.
	if (team >= teams) {
		for (uint i = 0; i < instances * 4; i++) {
			sink = dawdle(1, sink);
			noise[sink & 16383] = sink;
		}
		return;
	}

	const int thread = roles[(group % team_groups) * get_local_size(0) + get_local_id(0)];
	const int code = thread < 0 ? -1 : codes[thread];

	for (uint turn = team; turn < instances; turn += teams) {
		const uint number = (turn * multiplier) & (instances - 1);
		__global atomic_int *const instance = memory + number * instance_words;
		__global atomic_int *const counter = meet + number * meet_words;
		const uint random = mix(seed ^ mix(turn * 4 + (uint)thread));
		const uint pauses = mix(random);
		int there = 0;
		uint seen;

		if (thread >= 0)
			there = atomic_fetch_add_explicit(counter, 1, memory_order_relaxed,
							  MEET_SCOPE) + 1;
#ifdef TOGETHER
		barrier(CLK_LOCAL_MEM_FENCE);
#endif
		if (thread < 0)
			continue;
		for (uint looks = turn == team ? first_patience : min(patience, budget);
		     there < (int)threads && looks; looks--) {
			budget -= turn != team;
			sink = dawdle(LOOK_STEPS, sink);
			there = atomic_load_explicit(counter, memory_order_relaxed, MEET_SCOPE);
		}
		sink = dawdle(random & skew_mask, sink);
		seen = perform(code, instance, stride, (random >> 24) % 16 < pause_share, pauses,
			       pause_mask, pause_scale, &sink);
		results[(uint)thread * instances + number] =
			seen | (there >= (int)threads ? MET : 0);
	}
	noise[get_global_id(0) & 16383] = sink;
}
