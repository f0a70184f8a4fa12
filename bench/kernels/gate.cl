// SPDX-License-Identifier: MIT
//
// Probe: does this compiler leave a kernel that truly waits for the host?
// outcome[0]: how often it looked, outcome[1]: what it saw last.

__kernel void gate(volatile __global atomic_word *control, __global ulong *outcome, ulong limit)
{
	ulong looks = 0;
	uint seen = 0;

	(void)WORD_ADD(control + CONTROL_READY, 1u);
	while (looks < limit) {
		seen = GATE_READ(control + CONTROL_GO);
		looks++;
		if (seen)
			break;
	}
	outcome[0] = looks;
	outcome[1] = seen;
}
