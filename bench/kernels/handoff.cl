// SPDX-License-Identifier: MIT
//
// The device's half of a token passed back and forth: the host makes the word
// odd, the device makes it even again. Where the order carries it, the message
// (plain data) must be the one that belongs to the round.
//
// outcome[0]: rounds completed, [1]: wrong messages seen, [2]: whether messages
// were looked at.

#if defined(CARRIES_DATA) && defined(GATE_LOAD) && defined(DIALECT_C11)
#define CHECKS_MESSAGES 1
#define TOKEN_READ(p) atomic_load_explicit(p, LOAD_ORDER, SCOPE)
#else
#define CHECKS_MESSAGES 0
#define TOKEN_READ(p) GATE_READ(p)
#endif

#ifdef DIALECT_C11
#define TOKEN_WRITE(p, v) atomic_store_explicit(p, v, STORE_ORDER, SCOPE)
#else
#define TOKEN_WRITE(p, v) WORD_STORE_RELEASE(p, v)
#endif

#define TO_DEVICE 0
#define TO_HOST 32

__kernel void handoff(volatile __global atomic_word *token, volatile __global uint *message,
		      volatile __global atomic_word *control, __global ulong *outcome, uint rounds,
		      ulong limit)
{
	ulong looks = 0;
	uint round = 0;
	uint wrong = 0;

	(void)WORD_ADD(control + CONTROL_READY, 1u);
	while (round < rounds && looks < limit) {
		const uint wanted = 2u * round + 1u;

		if (TOKEN_READ(token) != wanted) {
			looks++;
			continue;
		}
#if CHECKS_MESSAGES
		wrong += message[TO_DEVICE] != ~wanted;
		message[TO_HOST] = ~(wanted + 1u);
#endif
		TOKEN_WRITE(token, wanted + 1u);
		looks = 0;
		round++;
	}
	outcome[0] = round;
	outcome[1] = wrong;
	outcome[2] = CHECKS_MESSAGES;
}
