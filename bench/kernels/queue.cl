// SPDX-License-Identifier: MIT
//
// The device's half of the multi-producer queue: groups take chunks of items
// from a cursor and push what the items yield, a chunk's records at once; the CPU
// consumes. Its half, and
// the numbers below once more, are in src/apps/queue.c.

#define CHUNK 256u
#define ROUNDS 8u
#define WORD_CURSOR 0u
#define WORD_TAIL 32u
#define WORD_SLOTS 64u
#define SLOT_WORDS 4u
#define MAX_RECORDS 2u

static uint mix(uint x)
{
	x = (x ^ (x >> 16)) * 0x7feb352du;
	x = (x ^ (x >> 15)) * 0x846ca68bu;
	return x ^ (x >> 16);
}

static uint produce(uint item)
{
	for (uint round = 0; round < ROUNDS; round++)
		item = mix(item + round);
	return item;
}

// The sequence word goes last: whoever sees it sees the record.
static void publish(volatile __global atomic_word *queue, uint at, uint2 record)
{
	volatile __global atomic_word *slot = &queue[WORD_SLOTS + SLOT_WORDS * at];

	WORD_STORE(&slot[1], record.x);
	WORD_STORE(&slot[2], record.y);
	WORD_STORE_RELEASE(&slot[0], at + 1);
}

__kernel void queue(__global const uint *items, uint first, uint count,
		    volatile __global atomic_word *queue, uint capacity)
{
	__local uint2 stage[MAX_RECORDS * CHUNK];
	__local uint staged;
	__local uint chunk;
	__local uint base;
	const uint me = get_local_id(0);
	const uint group = get_local_size(0);

	for (;;) {
		barrier(CLK_LOCAL_MEM_FENCE);
		if (me == 0) {
			chunk = WORD_ADD(&queue[WORD_CURSOR], CHUNK);
			staged = 0;
		}
		barrier(CLK_LOCAL_MEM_FENCE);
		if (chunk >= count)
			break;
		const uint end = min(chunk + CHUNK, count);

		for (uint i = chunk + me; i < end; i += group) {
			const uint value = produce(items[i]);
			const uint records = popcount(value & 3u);
			const uint at = records ? atomic_add(&staged, records) : 0;

			for (uint r = 0; r < records; r++)
				stage[at + r] = (uint2)(MAX_RECORDS * (first + i) + r, value + r);
		}
		barrier(CLK_LOCAL_MEM_FENCE);
		if (me == 0)
			base = WORD_ADD(&queue[WORD_TAIL], staged);
		barrier(CLK_LOCAL_MEM_FENCE);
		// The bound matters only to a queue that lost an update.
		for (uint i = me; i < staged && base + i < capacity; i += group)
			publish(queue, base + i, stage[i]);
	}
}
