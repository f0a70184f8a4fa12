/* SPDX-License-Identifier: MIT */
/*
 * A /dev/dri that is not there. The linker (--wrap) puts these functions between the
 * library, which knows nothing of it, and the C library: nodes can be opened, answer
 * ioctls as a test says, and have events to be read as DRM's files have.
 */
#ifndef FAKE_H
#define FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <svm_atomic.h>

/* How much of the argument of any ioctl goes in and comes back as it was: a range. */
#define FAKE_IN 16

struct fake_node {
	char name[32];	    /* such as "renderD128" */
	const char *driver; /* NULL: not a DRM device */
	int open_errno;
	int version_errno;
	int query_errno;
	struct drm_svm_atomic_query query;

	/* What other ioctls return, and leave in their argument unless @silent. */
	int reply_errno;
	bool silent;
	unsigned char reply[128];

	/* Threads use it at the same time: nothing is written down, and there are no events. */
	bool crowded;

	/* What came last that was neither a version nor a query. */
	unsigned long request;
	unsigned char sent[128];
	unsigned int calls;

	/* Events, one behind the other. */
	unsigned char stream[16384];
	size_t stream_length;
	bool raw; /* give bytes, not whole events */
	int read_errno;
	int interruptions; /* how many ioctls are still to end with EINTR */
	unsigned int reads;
	size_t read_most; /* the most bytes that were asked for */
	unsigned int polls;
};

/* Begin again with an empty /dev/dri, and none that is open. */
void fake_reset(void);

/* /dev/dri itself cannot be read. */
void fake_no_dri(int err);

/* Add a node, which works. */
struct fake_node *fake_add(const char *name, const char *driver);

/* A descriptor of @node that the caller closes. */
int fake_fd(struct fake_node *node);

/* How many descriptors of nodes are open. */
unsigned int fake_open_count(void);

/* Flags of the last open(). */
int fake_open_flags(void);

/* Add an event to @node. Of @length only so much is written as an event has. */
void fake_event(struct fake_node *node, uint32_t type, uint32_t length,
		const struct drm_svm_atomic_event *event);

#endif
