/* SPDX-License-Identifier: MIT */
/*
 * A page of memory for SVM atomics holds neither heap nor other memory, whatever was freed before.
 */
#include "cltest.h"

#include <stdint.h>

enum { ROUNDS = 400, KINDS = 4 };

struct block {
	uintptr_t first, last; /* pages */
	int kind;	       /* 0: atomics */
	char *p;
};

static struct block blocks[ROUNDS * KINDS];

static struct block block(int kind, char *p, size_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	if (!p)
		fail("no memory");
	memset(p, 1, size);
	return (struct block){ (uintptr_t)p / page, ((uintptr_t)p + size - 1) / page, kind, p };
}

static int by_page(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	return x->first != y->first ? (x->first > y->first) - (x->first < y->first)
				    : (x->last > y->last) - (x->last < y->last);
}

int main(void)
{
	static const size_t sizes[] = { 4, 64, 1000, 4096, 5000, 70000 };
	int n = 0;

	open_device();
	if (!(device_bits(CL_DEVICE_SVM_CAPABILITIES) & CL_DEVICE_SVM_FINE_GRAIN_BUFFER))
		skip("no fine-grained SVM");
	if (!clSVMAlloc(context, SVM_ATOMICS, 64, 0))
		skip("no SVM atomics");

	srand(1);
	for (int i = 0; i < ROUNDS; i++) {
		size_t size = sizes[rand() % 6];

		blocks[n++] = block(0, clSVMAlloc(context, SVM_ATOMICS, size, 0), size);
		blocks[n++] = block(1, malloc(size / 3 + 24), size / 3 + 24);
		blocks[n++] = block(2, clSVMAlloc(context, 0, size, 0), size);
		/* Holes for the next ones to fall into. */
		free(malloc(size));
		if (i % 3 == 0) {
			struct block *old = &blocks[rand() % n];

			if (old->kind == 1)
				free(old->p);
			else
				clSVMFree(context, old->p);
			*old = blocks[--n];
		}
	}

	qsort(blocks, (size_t)n, sizeof(*blocks), by_page);
	for (int i = 0; i < n; i++)
		for (int j = i + 1; j < n && blocks[j].first <= blocks[i].last; j++)
			if (!blocks[i].kind != !blocks[j].kind)
				fail("%p and %p share a page", (void *)blocks[i].p,
				     (void *)blocks[j].p);
	return 0;
}
