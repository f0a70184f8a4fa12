// SPDX-License-Identifier: MIT
//
// The device's half of the hash-table insert: groups take chunks of keys from a
// cursor; a slot is claimed by compare-exchange and counts by addition. The
// CPU's half, and the numbers below once more, are in src/apps/hash.c.

#define CHUNK 1024u

static uint mix(uint x)
{
	x = (x ^ (x >> 16)) * 0x7feb352du;
	x = (x ^ (x >> 15)) * 0x846ca68bu;
	return x ^ (x >> 16);
}

// Slots are pairs of words: the key, 0 while free, and its count.
static void insert(volatile __global atomic_word *table, uint mask, uint key)
{
	uint slot = mix(key) & mask;

	for (uint probe = 0; probe <= mask; probe++, slot = (slot + 1) & mask) {
		uint seen = WORD_LOAD(&table[2 * slot]);

		if (seen == 0 && WORD_CAS(&table[2 * slot], &seen, key))
			seen = key;
		if (seen == key) {
			WORD_ADD(&table[2 * slot + 1], 1u);
			return;
		}
	}
}

__kernel void hash(__global const uint *keys, uint count, volatile __global atomic_word *cursor,
		   volatile __global atomic_word *table, uint mask)
{
	__local uint chunk;
	const uint me = get_local_id(0);
	const uint group = get_local_size(0);

	for (;;) {
		barrier(CLK_LOCAL_MEM_FENCE);
		if (me == 0)
			chunk = WORD_ADD(cursor, CHUNK);
		barrier(CLK_LOCAL_MEM_FENCE);
		if (chunk >= count)
			break;
		const uint end = min(chunk + CHUNK, count);

		for (uint i = chunk + me; i < end; i += group)
			insert(table, mask, keys[i]);
	}
}
