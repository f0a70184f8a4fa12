/* SPDX-License-Identifier: MIT */
/*
 * What a litmus test is: the shape and the variants a file has (struct test), and one program
 * with every order, scope and place settled (struct program), which is what is judged, mutated,
 * compiled and run.
 */
#ifndef CTS_LITMUS_H
#define CTS_LITMUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_THREADS   4
#define MAX_ACCESSES  8 /* of one thread, fences included */
#define MAX_LOCATIONS 4
#define MAX_REGISTERS 4 /* of one thread: r0 to r3 */
#define MAX_VALUE     7
#define MAX_NODES     32
#define MAX_VARIANTS  64

enum op { OP_LOAD, OP_STORE, OP_EXCHANGE, OP_ADD, OP_CAS, OP_FENCE, OP_COUNT };

/* ABSENT: a fence that this variant leaves out. PLAIN: not atomic. */
enum order {
	ORDER_ABSENT,
	ORDER_PLAIN,
	ORDER_RLX,
	ORDER_ACQ,
	ORDER_REL,
	ORDER_ACQ_REL,
	ORDER_SC,
	ORDER_COUNT
};

/* ANY, in a test: whatever the run chooses, the same for all. */
enum scope { SCOPE_ANY, SCOPE_WG, SCOPE_DEV, SCOPE_ALL, SCOPE_COUNT };

/* UNDEFINED: some execution has a data race. */
enum verdict { VERDICT_ALLOWED, VERDICT_FORBIDDEN, VERDICT_UNDEFINED, VERDICT_COUNT };

/* As files, options and reports write them. */
extern const char *const op_words[OP_COUNT];
extern const char *const order_words[ORDER_COUNT];
extern const char *const scope_words[SCOPE_COUNT];
extern const char *const verdict_words[VERDICT_COUNT];

/* Whether OpenCL C has @op with @order (OpenCL C 3.0, "Atomic Functions"). */
bool order_fits(enum op op, enum order order);

struct access {
	enum op op;
	enum order order;
	enum scope scope;
	uint8_t location;
	uint8_t target;	  /* register that gets what was read */
	uint8_t value;	  /* to store, to add, to exchange for */
	uint8_t expected; /* by a compare-exchange */
	bool guarded;	  /* happens only if register @guard is @guard_value */
	uint8_t guard;
	uint8_t guard_value;
};

static inline bool access_reads(const struct access *access)
{
	return access->op != OP_STORE && access->op != OP_FENCE;
}

/* Where a thread is: a host thread, or a work-item of some group of some device. */
struct place {
	bool host;
	uint8_t device; /* 0, or 1: the second one */
	uint8_t group;
};

struct thread {
	struct place place;
	unsigned count;
	struct access accesses[MAX_ACCESSES];
};

/* Whether two threads execute the same, wherever they are. */
bool thread_same_code(const struct thread *a, const struct thread *b);

/*
 * Final values, three bits each: the registers of all threads, then the locations. What a
 * program does not have stays 0.
 */
typedef uint64_t outcome_t;

static inline unsigned register_slot(unsigned thread, unsigned number)
{
	return thread * MAX_REGISTERS + number;
}

static inline unsigned location_slot(unsigned location)
{
	return MAX_THREADS * MAX_REGISTERS + location;
}

static inline unsigned outcome_get(outcome_t outcome, unsigned slot)
{
	return (outcome >> (3 * slot)) & 7;
}

static inline outcome_t outcome_with(outcome_t outcome, unsigned slot, unsigned value)
{
	return (outcome & ~((outcome_t)7 << (3 * slot))) | ((outcome_t)(value & 7) << (3 * slot));
}

/* The condition after `exists`, as a tree in an array; the root is the last node. */
struct node {
	enum { NODE_EQUALS, NODE_AND, NODE_OR, NODE_NOT } kind;
	uint8_t left; /* of AND, OR and NOT */
	uint8_t right;
	uint8_t slot; /* of EQUALS */
	uint8_t value;
};

struct condition {
	unsigned count;
	struct node nodes[MAX_NODES];
};

bool condition_holds(const struct condition *condition, outcome_t outcome);

struct program {
	unsigned threads;
	struct thread thread[MAX_THREADS];
	unsigned locations;
	uint8_t initial[MAX_LOCATIONS];
	bool svm; /* in fine-grained SVM with atomics, else in an ordinary buffer */
};

/* A line of the file: an order, and perhaps a scope, for each access of the shape. */
struct variant {
	enum verdict stated;
	unsigned line;
	enum order order[MAX_THREADS][MAX_ACCESSES];
	enum scope scope[MAX_THREADS][MAX_ACCESSES];
	char placement[MAX_THREADS + 1]; /* "": any */
};

struct test {
	char name[32];
	char summary[128];
	char file[256];
	unsigned locations;
	char location_names[MAX_LOCATIONS][8];
	uint8_t initial[MAX_LOCATIONS];
	unsigned threads;
	struct thread thread[MAX_THREADS];
	struct condition condition;
	char condition_text[128];
	unsigned variants;
	struct variant variant[MAX_VARIANTS];
};

/*
 * @placement has a letter per thread: h, a host thread; a to d, a work-group of the device; A to
 * D, of the second device. Placements that differ only in the names of groups are the same; the
 * one in which they appear in order is meant. False where it is none for @threads.
 */
bool place_parse(const char *placement, unsigned threads, struct place *places);

/* Every placement of @threads, in order; @out gets at most @room. Returns how many there are. */
size_t place_all(unsigned threads, bool host, unsigned devices, char (*out)[MAX_THREADS + 1],
		 size_t room);

/*
 * Settle everything: @scope for accesses that name none. Accesses that are absent are gone from
 * @out. Host operations have SCOPE_ALL whatever is asked (OpenCL API 3.0, "Memory Ordering
 * Rules", "Atomic Operations": "the host operations will apply at all_svm_devices scope").
 */
bool test_instantiate(const struct test *test, const struct variant *variant, enum scope scope,
		      const char *placement, struct program *out);

/*
 * Every variant that has an atomic order at each place and names no scope, one after the other;
 * the first is all relaxed without fences. False after the last.
 */
void orders_first(const struct test *test, struct variant *variant);
bool orders_next(const struct test *test, struct variant *variant);

/* "rlx.rel|acq.rlx", with "@scope" where the variant has one. */
void variant_name(const struct test *test, const struct variant *variant, char *out, size_t size);

/* "1:r0=1 1:r1=0 x=2"; locations only if the condition asks for them, or @all. */
void outcome_text(const struct test *test, outcome_t outcome, bool all, char *out, size_t size);

/* Which slots of an outcome mean something in @test, as a mask of whole slots. */
outcome_t outcome_mask(const struct test *test);

#endif
