/* SPDX-License-Identifier: MIT */
/*
 * Every atomic operation on every type, in every order and scope, on SVM: by work-items of one
 * work-group, of several, and together with host threads. A test is an operation on a type; its
 * variant says which.
 *
 * Actions that share a word have the same scope, as they may race otherwise (API 3.3,
 * "inclusive scope"); so host threads take part where the scope includes them.
 */
#include "history.h"
#include "overlap.h"
#include "tests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS	       3
#define GROUP	       8
#define ITEMS	       (GROUPS * GROUP)
#define PARTICIPANTS   (ITEMS + OVERLAP_THREADS)

/* Enough for groups and threads to be at it at the same time; more, where they do not meet. */
#define ROUNDS	       4096
#define MOST_ROUNDS    16384

/* Runs of a form in a second of --time, without and with the host. */
#define RUNS	       4
#define RUNS_WITH_HOST 16

enum kind { SUM, BITS, RANK, SWAP, COMPARE, STORE, LOAD, ELECT, CLEAR };

static const char *const kind_names[] = {
	[SUM] = "SUM",	 [BITS] = "BITS",	[RANK] = "RANK",
	[SWAP] = "SWAP", [COMPARE] = "COMPARE", [STORE] = "STORE",
	[LOAD] = "LOAD", [ELECT] = "ELECT",	[CLEAR] = "CLEAR",
};

struct operation {
	const char *name;
	enum kind kind;
	const char *options;
	bool down;
};

enum {
	OP_LOAD,
	OP_STORE,
	OP_EXCHANGE,
	OP_STRONG,
	OP_WEAK,
	OP_ADD,
	OP_SUB,
	OP_OR,
	OP_XOR,
	OP_AND,
	OP_MIN,
	OP_MAX,
	OP_SET,
	OP_CLEAR
};

static const struct operation operations[] = {
	[OP_LOAD] = { "load", LOAD, "", false },
	[OP_STORE] = { "store", STORE, "", false },
	[OP_EXCHANGE] = { "exchange", SWAP, "", false },
	[OP_STRONG] = { "compare_exchange_strong", COMPARE, "-DSTRONG", false },
	[OP_WEAK] = { "compare_exchange_weak", COMPARE, "", false },
	[OP_ADD] = { "fetch_add", SUM, "", false },
	[OP_SUB] = { "fetch_sub", SUM, "-DDOWN", true },
	[OP_OR] = { "fetch_or", BITS, "-DOPERATION_OR", false },
	[OP_XOR] = { "fetch_xor", BITS, "-DOPERATION_XOR", false },
	[OP_AND] = { "fetch_and", BITS, "-DOPERATION_AND", false },
	[OP_MIN] = { "fetch_min", RANK, "-DDOWN", true },
	[OP_MAX] = { "fetch_max", RANK, "", false },
	[OP_SET] = { "flag_test_and_set", ELECT, "", false },
	[OP_CLEAR] = { "flag_clear", CLEAR, "", false },
};

enum {
	T_INT,
	T_UINT,
	T_LONG,
	T_ULONG,
	T_FLOAT,
	T_DOUBLE,
	T_SIZE,
	T_PTRDIFF,
	T_INTPTR,
	T_UINTPTR,
	T_FLAG
};

struct type {
	struct value_type value; /* bits are 0 where they are those of an address */
	const char *atomic;
	const char *from_bits; /* of 32; "as_int" */
	const char *from_long; /* of 64 */
};

static const struct type types[] = {
	[T_INT] = { { "int", 32, true, false }, "atomic_int", "as_int", NULL },
	[T_UINT] = { { "uint", 32, false, false }, "atomic_uint", "as_uint", NULL },
	[T_LONG] = { { "long", 64, true, false }, "atomic_long", NULL, "as_long" },
	[T_ULONG] = { { "ulong", 64, false, false }, "atomic_ulong", NULL, "as_ulong" },
	[T_FLOAT] = { { "float", 32, true, true }, "atomic_float", "as_float", NULL },
	[T_DOUBLE] = { { "double", 64, true, true }, "atomic_double", NULL, "as_double" },
	[T_SIZE] = { { "size_t", 0, false, false }, "atomic_size_t", "as_uint", "as_ulong" },
	[T_PTRDIFF] = { { "ptrdiff_t", 0, true, false }, "atomic_ptrdiff_t", "as_int", "as_long" },
	[T_INTPTR] = { { "intptr_t", 0, true, false }, "atomic_intptr_t", "as_int", "as_long" },
	[T_UINTPTR] = { { "uintptr_t", 0, false, false },
			"atomic_uintptr_t",
			"as_uint",
			"as_ulong" },
	[T_FLAG] = { { "uint", 32, false, false }, "atomic_flag", "as_uint", NULL },
};

/* Forms of an operation are numbered as in atomics.cl. */
enum { WORK_GROUP, DEVICE, ALL_DEVICES, SUB_GROUP, SCOPES };
enum { FORM_WITHOUT_SCOPE = 40, FORM_PLAIN = 48, FORMS };

static const char *const orders[] = { "relaxed", "acquire", "release", "acq_rel", "seq_cst" };
static const char *const scopes[] = { "work_group", "device", "all_svm_devices", "sub_group" };

/* A test at work. */
struct work {
	struct trial *t;
	const struct operation *operation;
	struct value_type type;
	bool have_acq_rel;
	bool have_seq_cst;
	bool have_scope[SCOPES];
	const char *all_devices; /* the name of that scope */
	bool host;		 /* host threads may take part */

	/* SVM: one word per slot, or one per slot and round; what each step saw; see atomics.cl. */
	unsigned char *words;
	cl_ulong *log;
	cl_uint *slots;
	cl_uint *wrong;
	uint64_t start; /* of ranks */

	/* Copies that the host looks at. */
	cl_ulong *saw;
	cl_uint slot_of[PARTICIPANTS];
	cl_uint wrong_of[PARTICIPANTS];
	cl_uint host_wrong[OVERLAP_THREADS];
};

/* --- what applies --------------------------------------------------------------------- */

static bool feature(const struct trial *t, cl_device_atomic_capabilities bit, const char *name)
{
	return t->dev.cl_version < 30 ||
	       ((t->dev.atomic_memory & bit) && cts_has_feature(&t->dev, name));
}

static void choose_capabilities(struct work *work)
{
	struct trial *t = work->t;
	const bool claimed = t->dev.cl_version < 30 ||
			     (t->dev.atomic_memory & CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES);

	work->have_acq_rel =
		feature(t, CL_DEVICE_ATOMIC_ORDER_ACQ_REL, "__opencl_c_atomic_order_acq_rel");
	work->have_seq_cst =
		feature(t, CL_DEVICE_ATOMIC_ORDER_SEQ_CST, "__opencl_c_atomic_order_seq_cst");
	work->have_scope[WORK_GROUP] = true;
	work->have_scope[DEVICE] =
		feature(t, CL_DEVICE_ATOMIC_SCOPE_DEVICE, "__opencl_c_atomic_scope_device");
	work->have_scope[SUB_GROUP] = cts_has_feature(&t->dev, "__opencl_c_subgroups");
	if (claimed) {
		work->all_devices = host_scope(t);
		work->have_scope[ALL_DEVICES] = true;
	}
	work->host = claimed && (t->dev.svm & CL_DEVICE_SVM_ATOMICS) &&
		     (t->dev.svm & CL_DEVICE_SVM_FINE_GRAIN_BUFFER);
	if (!work->host)
		left_out(t, "without the host: %s",
			 claimed ? "no CL_DEVICE_SVM_ATOMICS"
				 : "no CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES");
	if (!work->have_acq_rel)
		left_out(t, "without acquire and release: no CL_DEVICE_ATOMIC_ORDER_ACQ_REL");
	if (!work->have_seq_cst)
		left_out(t, "without seq_cst: no CL_DEVICE_ATOMIC_ORDER_SEQ_CST");
	if (!work->have_scope[DEVICE])
		left_out(t, "in work-groups only: no CL_DEVICE_ATOMIC_SCOPE_DEVICE");
}

static void choose_type(struct work *work, const struct type *type)
{
	const struct cts_device *dev = &work->t->dev;
	cl_uint address_bits = 0;

	work->type = type->value;
	if (!work->type.bits) {
		must(clGetDeviceInfo(dev->id, CL_DEVICE_ADDRESS_BITS, sizeof(address_bits),
				     &address_bits, NULL),
		     "clGetDeviceInfo");
		work->type.bits = address_bits;
	}
	if (work->type.bits == 64 && !dev->atomic_int64)
		not_applicable("no cl_khr_int64_base_atomics or cl_khr_int64_extended_atomics");
	if (!strcmp(work->type.name, "double") && !dev->fp64)
		not_applicable("CL_DEVICE_DOUBLE_FP_CONFIG is 0");
}

/* Whether the operation can have order @order at all (C 6.15.12). */
static bool order_applies(const struct work *work, unsigned order)
{
	const enum kind kind = work->operation->kind;
	const bool stores = kind == STORE || kind == CLEAR;

	switch (order) {
	case 0:
		return true;
	case 1:
		return work->have_acq_rel && !stores;
	case 2:
		return work->have_acq_rel && kind != LOAD;
	case 3:
		return work->have_acq_rel && !stores && kind != LOAD;
	default:
		return work->have_seq_cst;
	}
}

static bool form_applies(const struct work *work, unsigned form)
{
	if (form == FORM_PLAIN)
		return work->have_scope[DEVICE] && work->have_seq_cst;
	if (form >= FORM_WITHOUT_SCOPE)
		return work->have_scope[DEVICE] && form - FORM_WITHOUT_SCOPE < 5 &&
		       order_applies(work, form - FORM_WITHOUT_SCOPE);
	return form % 8 < SCOPES && work->have_scope[form % 8] && order_applies(work, form / 8);
}

static unsigned scope_of(unsigned form)
{
	return form < FORM_WITHOUT_SCOPE ? form % 8 : DEVICE;
}

static const char *form_name(const struct work *work, unsigned form)
{
	static char text[128];
	const char *name = work->operation->name;

	if (form == FORM_PLAIN)
		snprintf(text, sizeof(text), "atomic_%s", name);
	else if (form >= FORM_WITHOUT_SCOPE)
		snprintf(text, sizeof(text), "atomic_%s_explicit, %s", name,
			 orders[form - FORM_WITHOUT_SCOPE]);
	else
		snprintf(text, sizeof(text), "atomic_%s_explicit, %s, %s", name, orders[form / 8],
			 scopes[form % 8]);
	return text;
}

/* --- the host's part --------------------------------------------------------------------- */

static uint64_t host_load(const struct work *work, const void *word)
{
	return work->type.bits == 64 ? __atomic_load_n((const uint64_t *)word, __ATOMIC_SEQ_CST)
				     : __atomic_load_n((const uint32_t *)word, __ATOMIC_SEQ_CST);
}

static void host_store(const struct work *work, void *word, uint64_t bits)
{
	if (work->type.bits == 64)
		__atomic_store_n((uint64_t *)word, bits, __ATOMIC_SEQ_CST);
	else
		__atomic_store_n((uint32_t *)word, (uint32_t)bits, __ATOMIC_SEQ_CST);
}

#define HOST_FETCH(name, builtin)                                                                  \
	static uint64_t name(const struct work *work, void *word, uint64_t bits)                   \
	{                                                                                          \
		if (work->type.bits == 64)                                                         \
			return builtin((uint64_t *)word, bits, __ATOMIC_SEQ_CST);                  \
		return builtin((uint32_t *)word, (uint32_t)bits, __ATOMIC_SEQ_CST);                \
	}
HOST_FETCH(host_add, __atomic_fetch_add)
HOST_FETCH(host_or, __atomic_fetch_or)
HOST_FETCH(host_and, __atomic_fetch_and)
HOST_FETCH(host_xor, __atomic_fetch_xor)
HOST_FETCH(host_exchange, __atomic_exchange_n)

static bool host_compare(const struct work *work, void *word, uint64_t *expected, uint64_t desired)
{
	uint32_t narrow = (uint32_t)*expected;
	bool done;

	if (work->type.bits == 64)
		return __atomic_compare_exchange_n((uint64_t *)word, expected, desired, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	done = __atomic_compare_exchange_n((uint32_t *)word, &narrow, (uint32_t)desired, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	*expected = narrow;
	return done;
}

/* Whether @a is below @b in the operand's type. */
static bool below(const struct work *work, uint64_t a, uint64_t b)
{
	if (!work->type.is_signed)
		return a < b;
	if (work->type.bits == 64)
		return (int64_t)a < (int64_t)b;
	return (int32_t)a < (int32_t)b;
}

/* C has no fetch_min and fetch_max: what they do is a compare-exchange of the higher rank. */
static uint64_t host_rank(const struct work *work, void *word, uint64_t offer)
{
	uint64_t found = host_load(work, word);

	while (work->operation->down ? below(work, offer, found) : below(work, found, offer))
		if (host_compare(work, word, &found, offer))
			break;
	return found;
}

static uint64_t host_swap(const struct work *work, void *word, uint32_t number)
{
	const uint64_t token = history_token(&work->type, number);
	uint64_t found = history_token(&work->type, 0);

	if (work->operation->kind == SWAP)
		return host_exchange(work, word, token);
	for (int tries = 0; tries < 1000; tries++)
		if (host_compare(work, word, &found, token))
			return found;
	return token;
}

static uint64_t host_bits(const struct work *work, void *word, unsigned me, unsigned round,
			  cl_uint *wrong)
{
	const uint64_t mine = UINT64_C(1) << (work->type.bits == 64 ? 2 * me + 1 : me);
	const bool set = round % 2;
	uint64_t old;

	if (work->operation == &operations[OP_OR] && !set)
		old = host_or(work, word, mine);
	else if (work->operation == &operations[OP_AND] && set)
		old = host_and(work, word, ~mine);
	else
		old = host_xor(work, word, mine);
	*wrong += ((old & mine) != 0) != set;
	return old;
}

static uint64_t host_clear(const struct work *work, void *word)
{
	if (host_exchange(work, word, 1))
		return 1;
	host_store(work, word, 0);
	return 0;
}

static uint64_t host_store_load(const struct work *work, void *word, uint32_t number)
{
	host_store(work, word, history_token(&work->type, number));
	return host_load(work, word);
}

/* As step_() in atomics.cl. */
static uint64_t host_step(struct work *work, unsigned thread, unsigned round)
{
	const unsigned me = ITEMS + thread;
	const uint32_t number = round * PARTICIPANTS + me + 1;
	const uint64_t step = history_step(&work->type);
	void *word = work->words;

	switch (work->operation->kind) {
	case SUM:
		return host_add(work, word, work->operation->down ? -step : step);
	case RANK:
		return host_rank(work, word,
				 (work->operation->down ? work->start - number * step
							: work->start + number * step) &
					 history_mask(&work->type));
	case SWAP:
	case COMPARE:
		return host_swap(work, word, number);
	case STORE:
	case LOAD:
		return host_store_load(work, word, number);
	case BITS:
		return host_bits(work, word, me, round, &work->host_wrong[thread]);
	case ELECT:
		return host_exchange(work, work->words + round * sizeof(cl_uint), 1) != 0;
	default:
		return host_clear(work, word);
	}
}

static void host_work(void *context, unsigned thread, unsigned rounds)
{
	struct work *work = context;
	cl_ulong *log = work->log + (size_t)(ITEMS + thread) * rounds;

	for (unsigned i = 0; i < rounds; i++)
		log[i] = host_step(work, thread, i);
}

/* --- before and after a run ------------------------------------------------------------------ */

static uint64_t first_value(const struct work *work)
{
	switch (work->operation->kind) {
	case SUM:
		return history_sum_start(&work->type, work->operation->down);
	case RANK:
		return work->start;
	case SWAP:
	case COMPARE:
	case STORE:
	case LOAD:
		return history_token(&work->type, 0);
	default:
		return 0;
	}
}

static size_t words_size(unsigned rounds)
{
	const size_t flags = (size_t)ITEMS * rounds * sizeof(cl_uint);
	const size_t slots = ITEMS * sizeof(uint64_t);

	return flags > slots ? flags : slots;
}

static void set_words(struct work *work, unsigned rounds)
{
	const size_t size =
		work->operation->kind == ELECT ? words_size(rounds) : ITEMS * sizeof(uint64_t);
	unsigned char *words = calloc(1, size);
	const uint64_t value = first_value(work);

	CHECK(words, "out of memory");
	for (size_t i = 0; work->operation->kind != ELECT && i < ITEMS; i++)
		memcpy(words + i * sizeof(uint64_t), &value, work->type.bits / 8);
	put(work->t, work->words, words, size);
	free(words);
	memset(work->host_wrong, 0, sizeof(work->host_wrong));
}

/* What is in slot @slot's word. */
static uint64_t final_value(struct work *work, unsigned slot)
{
	uint64_t value = 0;

	get(work->t, &value, work->words + slot * sizeof(uint64_t), work->type.bits / 8);
	return value;
}

static void fetch_logs(struct work *work, const struct overlap *overlap)
{
	get(work->t, work->saw, work->log,
	    (size_t)PARTICIPANTS * overlap->rounds * sizeof(*work->saw));
	get(work->t, work->slot_of, work->slots, ITEMS * sizeof(cl_uint));
	get(work->t, work->wrong_of, work->wrong, ITEMS * sizeof(cl_uint));
	for (unsigned i = 0; i < OVERLAP_THREADS; i++) {
		/* A slot that nobody else is in, where the host took no part. */
		work->slot_of[ITEMS + i] = overlap->threads ? 0 : ITEMS;
		work->wrong_of[ITEMS + i] = work->host_wrong[i];
	}
}

/* --- judgement ---------------------------------------------------------------------------------
 */

static bool judge_bits(struct work *work, const struct history *history, unsigned slot,
		       unsigned rounds, struct error *err)
{
	for (unsigned i = 0; i < PARTICIPANTS; i++)
		if (work->slot_of[i] == slot && work->wrong_of[i])
			return fail(err, EXIT_LOST_UPDATE,
				    "a participant's own bit was not as it had left it, %u times",
				    work->wrong_of[i]);
	/* Rounds are even: every bit is cleared again. */
	if (rounds % 2 == 0 && history->final)
		return fail(err, EXIT_LOST_UPDATE, "what is left is 0x%llx, 0 is due",
			    (unsigned long long)history->final);
	return true;
}

static bool judge_compare(struct work *work, const struct history *history, unsigned slot,
			  struct error *err)
{
	for (unsigned i = 0; i < PARTICIPANTS; i++)
		if (work->slot_of[i] == slot && work->wrong_of[i])
			return fail(err, EXIT_LOST_UPDATE,
				    "it failed with the value that was expected, %u times",
				    work->wrong_of[i]);
	return history_swap(history, err);
}

static bool judge_clear(const struct history *history, struct error *err)
{
	bool had = false;

	for (size_t i = 0; i < history->count; i++)
		had |= history->saw[i] == 0;
	if (!had)
		return fail(err, EXIT_LOST_UPDATE, "nobody found the flag clear");
	if (history->final)
		return fail(err, EXIT_LOST_UPDATE,
			    "the flag is set after its last owner cleared it");
	return true;
}

static bool judge_elect(struct work *work, const struct history *history, unsigned slot,
			unsigned rounds, struct error *err)
{
	cl_uint *flags = calloc(rounds, sizeof(*flags));
	bool ok = true;

	if (!flags)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	get(work->t, flags, work->words + (size_t)slot * rounds * sizeof(*flags),
	    rounds * sizeof(*flags));
	for (unsigned i = 0; ok && i < rounds; i++)
		if (!flags[i])
			ok = fail(err, EXIT_LOST_UPDATE, "a flag is clear after it was set");
	free(flags);
	return ok && history_elect(history->saw, history->count / rounds, rounds, err);
}

static bool judge(struct work *work, const struct history *history, unsigned slot, unsigned rounds,
		  struct error *err)
{
	const bool down = work->operation->down;

	switch (work->operation->kind) {
	case SUM:
		return history_sum(history, down, err);
	case RANK:
		return history_rank(history, down, work->start, err);
	case SWAP:
		return history_swap(history, err);
	case COMPARE:
		return judge_compare(work, history, slot, err);
	case STORE:
	case LOAD:
		return history_store(history, err);
	case BITS:
		return judge_bits(work, history, slot, rounds, err);
	case ELECT:
		return judge_elect(work, history, slot, rounds, err);
	default:
		return judge_clear(history, err);
	}
}

/* Gather the steps that shared slot @slot's word. */
static size_t gather(const struct work *work, unsigned slot, unsigned rounds, uint32_t *numbers,
		     uint64_t *saw)
{
	size_t count = 0;

	for (unsigned i = 0; i < PARTICIPANTS; i++) {
		if (work->slot_of[i] != slot)
			continue;
		for (unsigned round = 0; round < rounds; round++) {
			numbers[count] = round * PARTICIPANTS + i + 1;
			saw[count++] = work->saw[(size_t)i * rounds + round];
		}
	}
	return count;
}

static void judge_run(struct work *work, const struct overlap *overlap, unsigned form)
{
	const size_t most = (size_t)PARTICIPANTS * overlap->rounds;
	uint32_t *numbers = calloc(most, sizeof(*numbers));
	uint64_t *saw = calloc(most, sizeof(*saw));
	struct error err = { 0 };

	CHECK(numbers && saw, "out of memory");
	for (unsigned i = 0; i < ITEMS; i++)
		CHECK(work->slot_of[i] < ITEMS, "%s: an item was in no group",
		      form_name(work, form));
	for (unsigned slot = 0; slot < ITEMS; slot++) {
		struct history history = { .type = &work->type,
					   .numbers = numbers,
					   .saw = saw,
					   .participants = PARTICIPANTS };

		history.count = gather(work, slot, overlap->rounds, numbers, saw);
		if (!history.count)
			continue;
		if (work->operation->kind != ELECT)
			history.final = final_value(work, slot);
		CHECK(judge(work, &history, slot, overlap->rounds, &err), "%s%s: %s",
		      form_name(work, form), overlap->threads ? ", host and device" : "", err.text);
	}
	free(numbers);
	free(saw);
}

/* --- a test --------------------------------------------------------------------------------------
 */

static void allocate(struct work *work)
{
	struct trial *t = work->t;
	const size_t logs = (size_t)PARTICIPANTS * MOST_ROUNDS;

	work->words = svm_best(t, words_size(MOST_ROUNDS));
	work->log = svm_best(t, logs * sizeof(*work->log));
	work->slots = svm_best(t, ITEMS * sizeof(*work->slots));
	work->wrong = svm_best(t, ITEMS * sizeof(*work->wrong));
	work->saw = calloc(logs, sizeof(*work->saw));
	CHECK(work->saw, "out of memory");
}

static const char *widest_scope(const struct work *work)
{
	if (work->have_scope[ALL_DEVICES])
		return work->all_devices;
	return work->have_scope[DEVICE] ? "memory_scope_device" : "memory_scope_work_group";
}

static cl_kernel build_operation(struct work *work, const struct type *type)
{
	const bool wide = work->type.bits == 64;
	char options[1024];
	size_t used;

	used = (size_t)snprintf(
		options, sizeof(options),
		"-DOP=%s -DKIND_%s %s -DTYPE=%s -DATOMIC=%s -DBITS=%u -DAS_TYPE=%s -DIS_FLOAT=%d "
		"-DSCOPE=%s%s%s%s%s",
		work->operation->name, kind_names[work->operation->kind], work->operation->options,
		work->type.name, type->atomic, work->type.bits,
		wide ? type->from_long : type->from_bits, work->type.is_float, widest_scope(work),
		work->have_acq_rel ? " -DHAVE_ACQ_REL" : "",
		work->have_seq_cst ? " -DHAVE_SEQ_CST" : "",
		work->have_scope[DEVICE] ? " -DHAVE_DEVICE" : "",
		work->have_scope[SUB_GROUP] ? " -DSUB_GROUPS" : "");
	if (work->have_scope[ALL_DEVICES])
		snprintf(options + used, sizeof(options) - used, " -DALL_DEVICES=%s",
			 work->all_devices);
	return build(work->t, atomics_cl, "atomics", options);
}

static void set_arguments(struct work *work, cl_kernel kernel, unsigned form)
{
	set_svm(kernel, 0, work->words);
	set_svm(kernel, 1, work->log);
	set_svm(kernel, 2, work->slots);
	set_svm(kernel, 3, work->wrong);
	set_uint(kernel, 4, form);
	set_uint(kernel, 5, PARTICIPANTS);
	set_ulong(kernel, 6, work->start);
}

/* False where host and device never met. */
static bool run_form(struct work *work, cl_kernel kernel, unsigned form)
{
	const bool together = work->host && scope_of(form) == ALL_DEVICES;
	struct overlap overlap;

	overlap_begin(&overlap, work->t, kernel, 7, ITEMS, GROUP);
	overlap.threads = together ? OVERLAP_THREADS : 0;
	overlap.most_rounds = MOST_ROUNDS;
	overlap.enough = 1 + (unsigned)((together ? RUNS_WITH_HOST : RUNS) * work->t->seconds);
	overlap.rounds = ROUNDS;
	while (overlap_next(&overlap)) {
		const uint32_t count = PARTICIPANTS * overlap.rounds;

		work->start = history_rank_start(&work->type, work->operation->down, count);
		set_words(work, overlap.rounds);
		set_arguments(work, kernel, form);
		overlap_run(&overlap, host_work, work);
		fetch_logs(work, &overlap);
		judge_run(work, &overlap, form);
	}
	clSVMFree(work->t->dev.context, overlap.gate);
	return !together || overlap.met;
}

static void atomic(struct trial *t)
{
	const struct type *type = &types[t->test->variant % 16];
	struct work work = { .t = t, .operation = &operations[t->test->variant / 16] };
	unsigned apart = 0;
	cl_kernel kernel;

	choose_type(&work, type);
	choose_capabilities(&work);
	allocate(&work);
	kernel = build_operation(&work, type);
	for (unsigned form = 0; form <= FORM_PLAIN; form++)
		if (form_applies(&work, form))
			apart += !run_form(&work, kernel, form);
	if (apart)
		left_out(t, "host and device never worked at the same time in %u of the orders",
			 apart);
}

#define FUNCTIONS "C 6.15.12, "
#define NEEDS	  (NEED_BUFFER | NEED_COMPILER)

#define ATOMIC(op, op_id, type, type_id)                                                           \
	{                                                                                          \
		"atomic." op "." type, FUNCTIONS "The atomic_" op " Functions",                    \
			"atomic_" op " of atomic_" type                                            \
			", by all orders and scopes that the device claims, and "                  \
			"by host and device at once where the scope includes both",                \
			NEEDS, atomic, op_id * 16 + type_id                                        \
	}

#define INTEGERS(op, id)                                                                           \
	ATOMIC(op, id, "int", T_INT), ATOMIC(op, id, "uint", T_UINT),                              \
		ATOMIC(op, id, "long", T_LONG), ATOMIC(op, id, "ulong", T_ULONG),                  \
		ATOMIC(op, id, "size_t", T_SIZE), ATOMIC(op, id, "ptrdiff_t", T_PTRDIFF),          \
		ATOMIC(op, id, "intptr_t", T_INTPTR), ATOMIC(op, id, "uintptr_t", T_UINTPTR)

#define NUMBERS(op, id)                                                                            \
	INTEGERS(op, id), ATOMIC(op, id, "float", T_FLOAT), ATOMIC(op, id, "double", T_DOUBLE)

#define FLAG(op, op_id)                                                                            \
	{                                                                                          \
		"atomic." op, FUNCTIONS "The atomic_" op " Functions",                             \
			"atomic_" op                                                               \
			", by all orders and scopes that the device claims, and by host and "      \
			"device at once where the scope includes both",                            \
			NEEDS, atomic, op_id * 16 + T_FLAG                                         \
	}

const struct test atomic_tests[] = {
	NUMBERS("load", OP_LOAD),
	NUMBERS("store", OP_STORE),
	NUMBERS("exchange", OP_EXCHANGE),
	NUMBERS("compare_exchange_strong", OP_STRONG),
	NUMBERS("compare_exchange_weak", OP_WEAK),
	INTEGERS("fetch_add", OP_ADD),
	INTEGERS("fetch_sub", OP_SUB),
	INTEGERS("fetch_or", OP_OR),
	INTEGERS("fetch_xor", OP_XOR),
	INTEGERS("fetch_and", OP_AND),
	INTEGERS("fetch_min", OP_MIN),
	INTEGERS("fetch_max", OP_MAX),
	FLAG("flag_test_and_set", OP_SET),
	FLAG("flag_clear", OP_CLEAR),
	{ 0 },
};
