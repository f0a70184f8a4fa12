// SPDX-License-Identifier: MIT
//
// Kernels that the host watches, and talks to, while they run.
//
// The host defines SCOPE, the scope that has the host in it; RELEASE and ACQUIRE, the orders of
// stores and loads; and FENCES to have the order in fences, and the words relaxed.

#ifdef SCOPE

#ifdef FENCES
#define PUBLISH(p, v)                                                                              \
	(atomic_work_item_fence(CLK_GLOBAL_MEM_FENCE, RELEASE, SCOPE),                             \
	 atomic_store_explicit(p, v, memory_order_relaxed, SCOPE))
#define LOOK(p) atomic_load_explicit(p, memory_order_relaxed, SCOPE)
#else
#define PUBLISH(p, v) atomic_store_explicit(p, v, RELEASE, SCOPE)
#define LOOK(p) atomic_load_explicit(p, ACQUIRE, SCOPE)
#endif

// Wait until *@word is at least @wanted, for @looks at most; what it is.
uint await(volatile __global atomic_uint *word, uint wanted, ulong looks)
{
	uint seen = 0;

	for (ulong i = 0; i < looks && seen < wanted; i++)
		seen = LOOK(word);
#ifdef FENCES
	atomic_work_item_fence(CLK_GLOBAL_MEM_FENCE, ACQUIRE, SCOPE);
#endif
	return seen;
}

// Host and one item by turns: the host fills @payload with the turn's number and raises `to`; the
// item checks it, fills it with the complement and raises `from`. UINT_MAX ends it.
// result[0]: turns that went by; result[1]: words that were not as the turn has them.
__kernel void turns(__global uint *to_plain, __global uint *from_plain, __global uint *payload,
		    uint words, ulong looks, __global uint *result)
{
	volatile __global atomic_uint *to = (volatile __global atomic_uint *)to_plain;
	volatile __global atomic_uint *from = (volatile __global atomic_uint *)from_plain;
	uint wrong = 0;
	uint turn = 1;

	PUBLISH(from, 1u);
	for (;;) {
		const uint seen = await(to, turn + 1, looks);

		if (seen == UINT_MAX || seen < turn + 1)
			break;
		turn++;
		for (uint i = 0; i < words; i++) {
			wrong += payload[i] != turn + i;
			payload[i] = ~(turn + i);
		}
		PUBLISH(from, turn);
	}
	result[0] = turn - 1;
	result[1] = wrong;
}

#endif

// Every item writes its byte, @rounds times, with another value every time; the bytes between
// them are the host's.
__kernel void own_bytes(volatile __global uchar *bytes, uint stride, uint rounds)
{
	volatile __global uchar *mine = bytes + get_global_id(0) * stride;

	for (uint i = 1; i <= rounds; i++)
		*mine = (uchar)(i * 7 + get_global_id(0));
}
