// SPDX-License-Identifier: MIT
//
// Data structures with pointers in them, which host and device both follow, and words that
// are reached in more than one way.

// A list whose nodes lie anywhere; structures.c has the same.
struct node {
	ulong next; // an address; 0 ends the list
	uint value;
	uint seen; // set by the kernel
};

typedef __global struct node *node_pointer;

// The sum of a list's values, and how many there are; marks each.
__kernel void sum_list(ulong head, __global uint *out, uint most)
{
	uint sum = 0;
	uint count = 0;

	for (ulong at = head; at && count < most; count++) {
		node_pointer node = (node_pointer)(uintptr_t)at;

		sum += node->value;
		node->seen = 1;
		at = node->next;
	}
	out[0] = sum;
	out[1] = count;
}

// One item links @count nodes of @nodes, from the last to the first.
__kernel void make_list(__global struct node *nodes, __global ulong *head, uint count)
{
	ulong next = 0;

	for (uint i = 0; i < count; i++) {
		nodes[i].value = i * 3;
		nodes[i].next = next;
		next = (ulong)(uintptr_t)(nodes + i);
	}
	*head = next;
}

// A binary search tree; structures.c has the same.
struct tree {
	ulong left;
	ulong right;
	uint key;
	uint value;
};

// Every item looks up its index, which is a key of the tree or is not.
__kernel void look_up(ulong root, __global uint *found)
{
	const uint key = (uint)get_global_id(0);
	uint value = UINT_MAX;

	for (ulong at = root; at;) {
		__global struct tree *tree = (__global struct tree *)(uintptr_t)at;

		if (tree->key == key) {
			value = tree->value;
			break;
		}
		at = key < tree->key ? tree->left : tree->right;
	}
	found[key] = value;
}

#ifdef SCOPE

// A word at the end of @first, at index @last, and the first word of @second.
__kernel void count_borders(__global uint *first, __global uint *second, uint last,
			    __global uint *gate, uint rounds)
{
	volatile __global atomic_uint *before = (volatile __global atomic_uint *)(first + last);
	volatile __global atomic_uint *behind = (volatile __global atomic_uint *)second;

	gate_enter((gate_words)gate);
	for (uint i = 0; i < rounds; i++) {
		atomic_fetch_add_explicit(before, 1u, memory_order_relaxed, SCOPE);
		atomic_fetch_add_explicit(behind, 1u, memory_order_relaxed, SCOPE);
	}
	gate_leave((gate_words)gate);
}

// @first begins with the address of a word in @second, which is there to be an argument.
__kernel void count_through(__global ulong *first, __global uint *second, __global uint *gate,
			    uint rounds)
{
	volatile __global atomic_uint *word = (volatile __global atomic_uint *)(uintptr_t)*first;

	gate_enter((gate_words)gate);
	for (uint i = 0; i < rounds; i++)
		atomic_fetch_add_explicit(word, 1u, memory_order_relaxed, SCOPE);
	gate_leave((gate_words)gate);
}

// Three ways to one word; each item has one of them.
__kernel void count_aliases(__global uint *buffer, uint index, __global uint *sub,
			    __global uint *svm, __global uint *gate, uint rounds)
{
	const uint way = (uint)get_global_id(0) % 3;
	__global uint *plain = way == 0 ? buffer + index : way == 1 ? sub : svm;
	volatile __global atomic_uint *word = (volatile __global atomic_uint *)plain;

	gate_enter((gate_words)gate);
	for (uint i = 0; i < rounds; i++)
		atomic_fetch_add_explicit(word, 1u, memory_order_relaxed, SCOPE);
	gate_leave((gate_words)gate);
}

// One word counted by all.
__kernel void count(__global uint *plain, __global uint *gate, uint rounds)
{
	volatile __global atomic_uint *word = (volatile __global atomic_uint *)plain;

	gate_enter((gate_words)gate);
	for (uint i = 0; i < rounds; i++)
		atomic_fetch_add_explicit(word, 1u, memory_order_relaxed, SCOPE);
	gate_leave((gate_words)gate);
}

#ifdef WIDE
// Every item puts nodes of its own in front of a list that the host adds to as well.
// @nodes has room for @rounds of each item.
__kernel void push(__global ulong *head, __global struct node *nodes, __global uint *gate,
		   uint rounds)
{
	volatile __global atomic_ulong *top = (volatile __global atomic_ulong *)head;
	__global struct node *mine = nodes + get_global_id(0) * rounds;

	gate_enter((gate_words)gate);
	for (uint i = 0; i < rounds; i++) {
		ulong next = atomic_load_explicit(top, memory_order_relaxed, SCOPE);

		mine[i].value = (uint)get_global_id(0) * rounds + i;
		do
			mine[i].next = next;
		while (!atomic_compare_exchange_strong_explicit(top, &next,
								(ulong)(uintptr_t)(mine + i),
								memory_order_release,
								memory_order_relaxed, SCOPE));
	}
	gate_leave((gate_words)gate);
}
#endif

#endif
