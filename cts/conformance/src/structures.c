/* SPDX-License-Identifier: MIT */
/*
 * Data structures with pointers in them, followed and built on both sides.
 */
#include "overlap.h"
#include "tests.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* structures.cl has the same. */
struct node {
	cl_ulong next;
	cl_uint value;
	cl_uint seen;
};

struct tree {
	cl_ulong left;
	cl_ulong right;
	cl_uint key;
	cl_uint value;
};

#define NODES 500

static cl_ulong address(const void *pointer)
{
	return (uintptr_t)pointer;
}

static void *node_at(cl_ulong at)
{
	return (void *)(uintptr_t)at;
}

/* --- lists --------------------------------------------------------------------------------- */

/* Sum the list on the device and compare; @allocations are what its nodes lie in. */
static void check_sum(struct trial *t, cl_ulong head, void *const *allocations, size_t count,
		      cl_uint wanted, cl_uint nodes)
{
	void *out = svm_alloc(t, CL_MEM_READ_WRITE, 2 * sizeof(cl_uint));
	cl_kernel kernel = build(t, structures_cl, "sum_list", NULL);
	cl_uint result[2];

	set_ulong(kernel, 0, head);
	set_svm(kernel, 1, out);
	set_uint(kernel, 2, nodes * 2);
	if (count)
		set_pointers(kernel, allocations, count);
	run_kernel(t, kernel, 1, 1);
	get(t, result, out, sizeof(result));
	CHECK(result[1] == nodes, "the device finds %u nodes in a list of %u", result[1], nodes);
	CHECK(result[0] == wanted, "the device's sum of the list is %u, %u is due", result[0],
	      wanted);
}

static cl_svm_mem_flags kind_of(struct trial *t, unsigned i)
{
	if (t->test->variant == 2 && i % 2)
		return CL_MEM_READ_WRITE;
	return t->test->variant ? CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER
				: CL_MEM_READ_WRITE;
}

/* Nodes in a dozen allocations, the list going from one to another with every step. */
static void list_of_host(struct trial *t)
{
	enum { PIECES = 12 };
	void *pieces[PIECES];
	struct node *nodes[PIECES];
	cl_ulong next = 0;
	cl_uint sum = 0;

	for (unsigned i = 0; i < PIECES; i++) {
		pieces[i] = nodes[i] = svm_alloc(t, kind_of(t, i), NODES * sizeof(struct node));
		must(clEnqueueSVMMap(t->dev.queue, CL_TRUE, CL_MAP_WRITE, pieces[i],
				     NODES * sizeof(struct node), 0, NULL, NULL),
		     "clEnqueueSVMMap");
	}
	for (cl_uint i = 0; i < NODES; i++) {
		struct node *node = &nodes[i % PIECES][(i * 37) % NODES];

		*node = (struct node){ .next = next, .value = i * 11 + 1 };
		next = address(node);
		sum += node->value;
	}
	for (unsigned i = 0; i < PIECES; i++)
		must(clEnqueueSVMUnmap(t->dev.queue, pieces[i], 0, NULL, NULL),
		     "clEnqueueSVMUnmap");
	check_sum(t, next, pieces, PIECES, sum, NODES);
}

static void list_of_device(struct trial *t)
{
	const size_t size = NODES * sizeof(struct node);
	struct node *nodes = svm_alloc(t, CL_MEM_READ_WRITE, size);
	void *head = svm_alloc(t, CL_MEM_READ_WRITE, sizeof(cl_ulong));
	cl_kernel kernel = build(t, structures_cl, "make_list", NULL);
	cl_ulong at = 0;
	cl_uint count = 0;

	set_svm(kernel, 0, nodes);
	set_svm(kernel, 1, head);
	set_uint(kernel, 2, NODES);
	run_kernel(t, kernel, 1, 1);
	get(t, &at, head, sizeof(at));
	must(clEnqueueSVMMap(t->dev.queue, CL_TRUE, CL_MAP_READ, nodes, size, 0, NULL, NULL),
	     "clEnqueueSVMMap");
	for (; at && count < NODES; count++) {
		const struct node *node = node_at(at);

		CHECK(node == nodes + (NODES - 1 - count), "node %u of the device's list is at %p",
		      count, (const void *)node);
		CHECK(node->value == (NODES - 1 - count) * 3, "node %u of the device's list has %u",
		      count, node->value);
		at = node->next;
	}
	CHECK(!at && count == NODES, "the device's list has %s than %d nodes",
	      at ? "more" : "fewer", NODES);
}

/* A ring through system memory needs no naming of allocations. */
static void list_of_malloc(struct trial *t)
{
	cl_ulong next = 0;
	cl_uint sum = 0;
	struct node *first = NULL;

	for (cl_uint i = 0; i < NODES; i++) {
		struct node *node = malloc(sizeof(*node));

		CHECK(node, "out of memory");
		*node = (struct node){ .next = next, .value = i + 5 };
		next = address(node);
		sum += node->value;
		first = node;
	}
	check_sum(t, next, NULL, 0, sum, NODES);
	for (struct node *node = first; node; node = node_at(node->next))
		CHECK(node->seen, "what the device wrote into a node of malloc() is not there");
}

/* --- a tree ---------------------------------------------------------------------------------- */

enum { KEYS = 256 };

/* Halve [low, high) again and again; only even keys are in the tree. */
static cl_ulong plant(struct tree *nodes, cl_uint low, cl_uint high)
{
	const cl_uint middle = low + (high - low) / 2;
	struct tree *node = &nodes[middle];

	if (low >= high)
		return 0;
	*node = (struct tree){ .key = middle * 2, .value = middle * 5 + 1 };
	node->left = plant(nodes, low, middle);
	node->right = plant(nodes, middle + 1, high);
	return address(node);
}

static void tree(struct trial *t)
{
	const size_t size = KEYS * sizeof(struct tree);
	struct tree *nodes = svm_alloc(t, CL_MEM_READ_WRITE, size);
	void *pointer = nodes;
	void *out = svm_alloc(t, CL_MEM_READ_WRITE, 2 * KEYS * sizeof(cl_uint));
	cl_kernel kernel = build(t, structures_cl, "look_up", NULL);
	cl_uint found[2 * KEYS];
	cl_ulong root;

	must(clEnqueueSVMMap(t->dev.queue, CL_TRUE, CL_MAP_WRITE, nodes, size, 0, NULL, NULL),
	     "clEnqueueSVMMap");
	root = plant(nodes, 0, KEYS);
	must(clEnqueueSVMUnmap(t->dev.queue, nodes, 0, NULL, NULL), "clEnqueueSVMUnmap");
	set_ulong(kernel, 0, root);
	set_svm(kernel, 1, out);
	set_pointers(kernel, &pointer, 1);
	run_kernel(t, kernel, 2 * KEYS, 1);
	get(t, found, out, sizeof(found));
	for (cl_uint key = 0; key < 2 * KEYS; key++) {
		const cl_uint due = key % 2 ? CL_UINT_MAX : key / 2 * 5 + 1;

		CHECK(found[key] == due, "the device finds %u for key %u, %u is due", found[key],
		      key, due);
	}
}

/* --- a list that both add to --------------------------------------------------------------------
 */

enum { ITEMS = 8, MOST = 4096 };

struct shared_list {
	_Atomic cl_ulong *head;
	struct node *nodes[OVERLAP_THREADS]; /* of the host's threads */
};

static void push(void *context, unsigned thread, unsigned rounds)
{
	struct shared_list *list = context;

	for (unsigned i = 0; i < rounds; i++) {
		struct node *node = &list->nodes[thread][i];
		cl_ulong next = atomic_load_explicit(list->head, memory_order_relaxed);

		node->value = (ITEMS + thread) * rounds + i;
		do
			node->next = next;
		while (!atomic_compare_exchange_strong_explicit(list->head, &next, address(node),
								memory_order_release,
								memory_order_relaxed));
	}
}

/* Every node is there once. */
static void check_list(const struct shared_list *list, unsigned total)
{
	unsigned char *seen = calloc(total, 1);
	unsigned count = 0;

	CHECK(seen, "out of memory");
	for (cl_ulong at = *list->head; at; count++) {
		const struct node *node = node_at(at);

		CHECK(count < total, "the list has more than %u nodes", total);
		CHECK(node->value < total, "a node has value %u, of %u", node->value, total);
		CHECK(!seen[node->value], "node %u is there twice", node->value);
		seen[node->value] = 1;
		at = node->next;
	}
	CHECK(count == total, "the list has %u nodes, %u were put there", count, total);
	free(seen);
}

static void list_of_both(struct trial *t)
{
	struct shared_list list = { .head = svm_alloc(t, SVM_SHARED, sizeof(cl_ulong)) };
	struct node *nodes =
		svm_alloc(t, SVM_SHARED, (ITEMS + OVERLAP_THREADS) * MOST * sizeof(struct node));
	struct overlap overlap;
	cl_kernel kernel;
	char options[80];

	snprintf(options, sizeof(options), "-DWIDE -DSCOPE=%s", host_scope(t));
	kernel = build(t, structures_cl, "push", options);
	set_svm(kernel, 0, (void *)list.head);
	set_svm(kernel, 1, nodes);
	for (unsigned i = 0; i < OVERLAP_THREADS; i++)
		list.nodes[i] = nodes + (ITEMS + i) * MOST;
	overlap_begin(&overlap, t, kernel, 2, ITEMS, 2);
	overlap.most_rounds = MOST;
	while (overlap_next(&overlap)) {
		*list.head = 0;
		overlap_run(&overlap, push, &list);
		check_list(&list, overlap.rounds * (ITEMS + OVERLAP_THREADS));
	}
	overlap_end(&overlap);
}

#define MODEL "API 3.3, Shared Virtual Memory"
#define NEEDS (NEED_BUFFER | NEED_COMPILER)

const struct test structure_tests[] = {
	{ "structure.list-of-host", MODEL,
	  "\"share pointer-based data structures (such as linked-lists)\": built by the host in a "
	  "dozen coarse-grained allocations, followed by the device",
	  NEEDS, list_of_host, 0 },
	{ "structure.list-fine-grain", MODEL, "the same in fine-grained allocations",
	  NEEDS | NEED_FINE, list_of_host, 1 },
	{ "structure.list-mixed", MODEL, "the same in allocations of both kinds", NEEDS | NEED_FINE,
	  list_of_host, 2 },
	{ "structure.list-of-device", MODEL, "built by the device, followed by the host", NEEDS,
	  list_of_device, 0 },
	{ "structure.list-of-malloc", MODEL,
	  "fine-grained system SVM: nodes of malloc(), none of them named", NEED_SYSTEM | NEEDS,
	  list_of_malloc, 0 },
	{ "structure.tree", MODEL, "a search tree of the host's, looked up by many work-items",
	  NEEDS, tree, 0 },
	{ "structure.list-of-both", "API 5.6.1",
	  "\"the host and devices can concurrently read and update the same memory\": both put "
	  "nodes in front of one list",
	  NEED_FINE | NEED_ATOMICS | NEED_INT64 | NEED_ACQ_REL | NEED_COMPILER, list_of_both, 0 },
	{ 0 },
};
