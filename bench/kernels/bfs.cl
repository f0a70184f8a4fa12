// SPDX-License-Identifier: MIT
//
// The device's half of one level of the breadth-first search: groups take
// chunks of the frontier from a cursor, claim the neighbours nobody has seen,
// and append them to the next frontier. The CPU's half, and the numbers below
// once more, are in src/apps/bfs.c.

#define UNSEEN 0xffffffffu
#define CHUNK 64u
#define STAGE 1024u
#define WORD_CURSOR 0u
#define WORD_NEXT 32u

// Once the stage is full, vertices go straight to the frontier.
static void found(volatile __local uint *staged, __local uint *stage, uint vertex,
		  volatile __global atomic_word *words, __global uint *next, uint vertices)
{
	const uint at = atomic_inc(staged);

	if (at < STAGE) {
		stage[at] = vertex;
		return;
	}
	const uint to = WORD_ADD(&words[WORD_NEXT], 1u);

	// The bound matters only to a search that lost an update.
	if (to < vertices)
		next[to] = vertex;
}

__kernel void bfs(__global const uint *offsets, __global const uint *targets,
		  volatile __global atomic_word *levels, __global const uint *frontier, uint size,
		  uint level, volatile __global atomic_word *words, __global uint *next, uint vertices)
{
	__local uint stage[STAGE];
	__local uint staged;
	__local uint chunk;
	__local uint base;
	const uint me = get_local_id(0);
	const uint group = get_local_size(0);

	for (;;) {
		barrier(CLK_LOCAL_MEM_FENCE);
		if (me == 0) {
			chunk = WORD_ADD(&words[WORD_CURSOR], CHUNK);
			staged = 0;
		}
		barrier(CLK_LOCAL_MEM_FENCE);
		if (chunk >= size)
			break;
		const uint end = min(chunk + CHUNK, size);

		for (uint i = chunk + me; i < end; i += group) {
			const uint last = offsets[frontier[i] + 1];

			for (uint edge = offsets[frontier[i]]; edge < last; edge++) {
				const uint vertex = targets[edge];
				uint seen = WORD_LOAD(&levels[vertex]);

				if (seen == UNSEEN && WORD_CAS(&levels[vertex], &seen, level))
					found(&staged, stage, vertex, words, next, vertices);
			}
		}
		barrier(CLK_LOCAL_MEM_FENCE);
		if (me == 0)
			base = WORD_ADD(&words[WORD_NEXT], min(staged, STAGE));
		barrier(CLK_LOCAL_MEM_FENCE);
		for (uint i = me; i < min(staged, STAGE) && base + i < vertices; i += group)
			next[base + i] = stage[i];
	}
}
