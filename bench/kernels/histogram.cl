// SPDX-License-Identifier: MIT
//
// The device's half of the histogram: groups take chunks of pixels from a
// cursor, count them in local memory, and add what they have to the shared bins.
// The CPU's half, and the numbers below once more, are in src/apps/histogram.c.

#define BINS 1024u
#define CHUNK 2048u
#define WORD_CURSOR 0u
#define WORD_BINS 32u

// Luma of 10 bits for each of red, green and blue (ITU-R BT.601 weights).
static uint bin_of(uint pixel)
{
	return (306 * (pixel >> 20) + 601 * (pixel >> 10 & 1023) + 117 * (pixel & 1023)) >> 10;
}

__kernel void histogram(__global const uint *pixels, uint count,
			volatile __global atomic_word *words)
{
	__local uint own[BINS];
	__local uint chunk;
	const uint me = get_local_id(0);
	const uint group = get_local_size(0);

	for (uint bin = me; bin < BINS; bin += group)
		own[bin] = 0;
	for (;;) {
		barrier(CLK_LOCAL_MEM_FENCE);
		if (me == 0)
			chunk = WORD_ADD(&words[WORD_CURSOR], CHUNK);
		barrier(CLK_LOCAL_MEM_FENCE);
		if (chunk >= count)
			break;
		const uint end = min(chunk + CHUNK, count);

		// A group of one, good for a CPU, is alone with its local memory.
		if (group == 1)
			for (uint i = chunk; i < end; i++)
				own[bin_of(pixels[i])]++;
		else
			for (uint i = chunk + me; i < end; i += group)
				atomic_inc(&own[bin_of(pixels[i])]);
	}
	for (uint bin = me; bin < BINS; bin += group)
		if (own[bin])
			WORD_ADD(&words[WORD_BINS + bin], own[bin]);
}
