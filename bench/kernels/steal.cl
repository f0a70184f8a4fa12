// SPDX-License-Identifier: MIT
//
// The device's half of work stealing: every work-item takes tasks from its own
// side's queue, then from the other's, and leaves when it finds both empty. The
// CPU's half, and the numbers below once more, are in src/apps/steal.c.

#define GRAIN 16u
#define LONGEST_TASK 1024u
#define WORD_HEAD 0u
#define WORD_TAIL 32u
#define WORD_SLOTS 64u
#define SLOT_WORDS 4u

struct task {
	uint id;
	uint first;
	uint last;
};

// The sequence word goes last: whoever sees it sees the task.
static bool push(volatile __global atomic_word *queue, uint capacity, struct task task)
{
	const uint at = WORD_ADD(&queue[WORD_TAIL], 1u);
	volatile __global atomic_word *slot = &queue[WORD_SLOTS + SLOT_WORDS * at];

	// The bound matters only to a queue that lost an update.
	if (at >= capacity)
		return false;
	WORD_STORE(&slot[1], task.id);
	WORD_STORE(&slot[2], task.first);
	WORD_STORE(&slot[3], task.last);
	WORD_STORE_RELEASE(&slot[0], at + 1);
	return true;
}

static bool take(volatile __global atomic_word *queue, uint capacity, struct task *task)
{
	uint at = WORD_LOAD(&queue[WORD_HEAD]);

	while (at < capacity) {
		volatile __global atomic_word *slot = &queue[WORD_SLOTS + SLOT_WORDS * at];

		if (WORD_LOAD_ACQUIRE(&slot[0]) != at + 1)
			return false;
		if (WORD_CAS(&queue[WORD_HEAD], &at, at + 1)) {
			task->id = WORD_LOAD(&slot[1]);
			task->first = WORD_LOAD(&slot[2]);
			task->last = WORD_LOAD(&slot[3]);
			return true;
		}
	}
	return false;
}

static uint collatz_steps(ulong n)
{
	uint steps = 0;

	for (; n > 1; steps++)
		n = n & 1 ? 3 * n + 1 : n >> 1;
	return steps;
}

__kernel void steal(volatile __global atomic_word *own, volatile __global atomic_word *other,
		    uint capacity, volatile __global atomic_word *results)
{
	struct task task;

	while (take(own, capacity, &task) || take(other, capacity, &task)) {
		if (task.last - task.first > LONGEST_TASK)
			continue; // torn: the queue lost an update
		uint steps = 0;

		while (task.last - task.first > GRAIN) {
			struct task rest = task;

			rest.first = task.first + (task.last - task.first) / 2;
			if (!push(own, capacity, rest))
				break;
			task.last = rest.first;
		}
		for (uint n = task.first; n < task.last; n++)
			steps += collatz_steps(n);
		WORD_ADD(&results[task.id], steps);
	}
}
