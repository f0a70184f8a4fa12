/* SPDX-License-Identifier: MIT */
/*
 * The generic address space: which of global, local and private memory a pointer points to is
 * mostly not known before the kernel runs here, as it depends on an argument.
 */
#include "cltest.h"

enum { ITEMS = 64, GROUP = 16, GROUPS = ITEMS / GROUP };

/* Bits that kernels set where something is wrong. */
static const char common[] =
	"#ifndef __opencl_c_generic_address_space\n"
	"#error there is no macro\n"
	"#endif\n"
	"#define BAD(bit, what) do { if (!(what)) bad |= 1u << (bit); } while (0)\n"
	/* Pointers to the three kinds in turn, differently for work-items of a work-group. */
	"#define PICK(g, l, p) (which % 3 == 0 ? (int *)(g) : which % 3 == 1 ? (int *)(l) : (int "
	"*)(p))\n"
	"#define ID (int)get_global_id(0)\n"
	"#define LID (int)get_local_id(0)\n";

static const char functions[] =
	"int sum(const int *p, int n)\n"
	"{\n"
	"	int s = 0;\n"
	"	for (int i = 0; i < n; i++)\n"
	"		s += p[i];\n"
	"	return s;\n"
	"}\n"
	"void fill(int *p, int n, int first)\n"
	"{\n"
	"	for (int i = 0; i < n; i++)\n"
	"		p[i] = first + i;\n"
	"}\n"
	"kernel void test(global uint *result, global int *memory, local int *arg0,\n"
	"		 local int *arg1, int turn)\n"
	"{\n"
	"	local int fixed[16 * 4];\n"
	"	int private0[4], private1[4];\n"
	"	int which = turn + LID;\n"
	"	uint bad = 0;\n"
	"	global int *g = memory + 4 * ID;\n"
	"	local int *l = fixed + 4 * LID;\n"
	"	fill(private0, 4, 1);\n"
	"	fill(private1, 4, 1);\n"
	"	fill(g, 4, 1);\n"
	"	fill(l, 4, 1);\n"
	"	fill(arg0 + 4 * LID, 4, 1);\n"
	"	fill(arg1 + 4 * LID, 4, 1);\n"
	"	int *p = PICK(g, l, private0);\n"
	"	int *q = PICK(arg0 + 4 * LID, private1, arg1 + 4 * LID);\n"
	"	fill(p, 4, 100 * ID);\n"
	"	fill(q, 4, 1000 * ID);\n"
	"	BAD(0, sum(p, 4) == 400 * ID + 6);\n"
	"	BAD(1, sum(q, 4) == 4000 * ID + 6);\n"
	"	BAD(2, sum(g, 4) == (which % 3 == 0 ? 400 * ID + 6 : 10));\n"
	"	BAD(3, sum(l, 4) == (which % 3 == 1 ? 400 * ID + 6 : 10));\n"
	"	BAD(4, sum(private0, 4) == (which % 3 == 2 ? 400 * ID + 6 : 10));\n"
	"	BAD(5, sum(arg0 + 4 * LID, 4) == (which % 3 == 0 ? 4000 * ID + 6 : 10));\n"
	"	BAD(6, sum(private1, 4) == (which % 3 == 1 ? 4000 * ID + 6 : 10));\n"
	"	BAD(7, sum(arg1 + 4 * LID, 4) == (which % 3 == 2 ? 4000 * ID + 6 : 10));\n"
	"	barrier(CLK_LOCAL_MEM_FENCE);\n"
	/* What others wrote, and by whole vectors and bytes. */
	"	int other = LID ^ 5;\n"
	"	int *r = PICK(fixed, arg0, arg1);\n"
	"	int s = sum(which % 3 == 0 ? fixed + 4 * other : which % 3 == 1 ? arg0 + 4 * other "
	": arg1 + 4 * other, 4);\n"
	"	BAD(8, sum(r + 4 * other, 4) == s);\n"
	"	int4 v = *(int4 *)(r + 4 * other);\n"
	"	BAD(9, v.x + v.y + v.z + v.w == s);\n"
	"	barrier(CLK_LOCAL_MEM_FENCE);\n"
	"	long *w = (long *)p;\n"
	"	w[1] = 0x0102030405060708;\n"
	"	uchar *c = (uchar *)p + 8;\n"
	"	for (int i = 0; i < 8; i++)\n"
	"		BAD(10, c[i] == 8 - i);\n"
	"	c[3] = 0x55;\n"
	"	BAD(11, w[1] == 0x0102030455060708 && p[3] == 0x01020304);\n"
	"	result[ID] = bad;\n"
	"}\n";

static const char atomics[] =
	"int count(volatile atomic_int *p)\n"
	"{\n"
	"	return atomic_fetch_add_explicit(p, 1, memory_order_relaxed, "
	"memory_scope_work_group);\n"
	"}\n"
	"kernel void test(global uint *result, global int *memory, local int *arg0,\n"
	"		 local int *arg1, int turn)\n"
	"{\n"
	"	local atomic_int l, lmax;\n"
	"	local atomic_flag flag;\n"
	"	local long l64;\n"
	"	global atomic_int *g = (global atomic_int *)memory + 16 * get_group_id(0);\n"
	"	uint bad = 0;\n"
	"	int which = turn + LID;\n"
	"	if (LID == 0) {\n"
	"		atomic_init(&l, 0);\n"
	"		atomic_init(&lmax, 0);\n"
	"		atomic_init(g, 0);\n"
	"		atomic_init(g + 1, 0);\n"
	"		atomic_flag_clear(&flag);\n"
	"	}\n"
	"	barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);\n"
	"	atomic_int *p = which % 2 ? (atomic_int *)g : (atomic_int *)&l;\n"
	"	int old = count(p);\n"
	"	BAD(0, old >= 0 && old < 16);\n"
	"	atomic_int *m = which % 2 ? (atomic_int *)&lmax : (atomic_int *)(g + 1);\n"
	"	atomic_fetch_max(m, LID + 1);\n"
	"	barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);\n"
	"	BAD(1, atomic_load(p) == 8 && atomic_load(&l) == 8 && atomic_load(g) == 8);\n"
	"	BAD(2, atomic_load(&lmax) + atomic_load(g + 1) == 31);\n"
	"	barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);\n"
	/* The value that was expected is private, global or local. */
	"	int mine;\n"
	"	int *expected = PICK(memory + 4096 + ID, arg0 + LID, &mine);\n"
	"	*expected = atomic_load(p);\n"
	"	while (!atomic_compare_exchange_weak(p, expected, *expected * 2))\n"
	"		;\n"
	"	barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);\n"
	"	BAD(3, atomic_load(&l) == 8 << 8 && atomic_load(g) == 8 << 8);\n"
	"	BAD(4, *expected >= 8 && *expected < 8 << 8 && !(*expected & *expected - 1));\n"
	"	int no = -1;\n"
	"	BAD(5, !atomic_compare_exchange_strong(p, &no, 1) && no == 8 << 8);\n"
	"	barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);\n"
	"	atomic_store_explicit(p, 77, memory_order_seq_cst, memory_scope_device);\n"
	"	BAD(6, atomic_exchange(p, 77) == 77);\n"
	/* One of the group gets the flag. */
	"	atomic_flag *f = turn < 100 ? (atomic_flag *)&flag : (atomic_flag *)memory;\n"
	"	if (!atomic_flag_test_and_set(f))\n"
	"		*(turn < 100 ? (int *)arg1 : (int *)memory) = 1000 + LID;\n"
	"	barrier(CLK_LOCAL_MEM_FENCE);\n"
	"	BAD(7, *arg1 >= 1000 && *arg1 < 1016);\n"
	/* Private memory: undefined if it were run. */
	"	if (turn > 100) {\n"
	"		atomic_int own;\n"
	"		atomic_fetch_add(&own, 1);\n"
	"		result[ID] = atomic_load(&own);\n"
	"	}\n"
	"	result[ID] = bad;\n"
	"}\n";

static const char casts[] =
	"int plus(int *p) { return p ? *p : -1; }\n"
	"kernel void test(global uint *result, global int *memory, local int *arg0,\n"
	"		 local int *arg1, int turn)\n"
	"{\n"
	"	int own[2] = {7 + LID, 8};\n"
	"	int which = turn + LID;\n"
	"	uint bad = 0;\n"
	"	memory[ID] = arg0[LID] = ID;\n"
	"	int *p = PICK(memory + ID, arg0 + LID, own);\n"
	"	int *q = PICK(arg0 + LID, own, memory + ID);\n"
	"	BAD(0, (to_global(p) != NULL) == (which % 3 == 0));\n"
	"	BAD(1, (to_local(p) != NULL) == (which % 3 == 1));\n"
	"	BAD(2, (to_private(p) != NULL) == (which % 3 == 2));\n"
	"	if (to_global(p)) BAD(3, to_global(p) == memory + ID && *to_global(p) == ID);\n"
	"	if (to_local(p)) BAD(4, to_local(p) == arg0 + LID && *to_local(p) == ID);\n"
	"	if (to_private(p)) BAD(5, to_private(p) == own && *to_private(p) == 7 + LID);\n"
	"	BAD(6, p != q && !(p == q));\n"
	"	BAD(7, p == PICK(memory + ID, arg0 + LID, own));\n"
	"	BAD(8, p + 1 - p == 1 && p + 1 > p && &p[-3] + 3 == p && p + turn - turn == p);\n"
	"	int *none = turn < 100 ? NULL : p;\n"
	"	BAD(9, !none && none != p && none != q && plus(none) == -1 && plus(p) >= 0);\n"
	"	BAD(10, !to_global(none) && !to_local(none) && !to_private(none));\n"
	"	BAD(11, p && q && arg0 && arg1 && (int *)arg0 != (int *)own);\n"
	"	local int *nolocal = turn < 100 ? NULL : arg0;\n"
	"	private int *noprivate = turn < 100 ? NULL : own;\n"
	"	BAD(12, !nolocal && !noprivate && (int *)nolocal == NULL && (int *)noprivate == "
	"NULL);\n"
	"	BAD(13, (int *)nolocal == none && (int *)noprivate == none);\n"
	"	uintptr_t number = (uintptr_t)p;\n"
	"	BAD(14, number && (int *)number == p && *(int *)(number + turn - turn) == *p);\n"
	"	BAD(15, (number & 3) == 0 && (int *)(number + 4) == p + 1);\n"
	"	number = (uintptr_t)(arg0 + LID);\n"
	"	BAD(16, number && (local int *)number == arg0 + LID && *(local int *)number == "
	"ID);\n"
	"	BAD(17, *(int *)number == ID && to_local((int *)number) == arg0 + LID);\n"
	"	number = (uintptr_t)(own + turn % 2);\n"
	"	BAD(18, *(private int *)number == own[turn % 2] && *(int *)number == own[turn % "
	"2]);\n"
	"	cl_mem_fence_flags fence = get_fence(p);\n"
	"	BAD(19, which % 3 != 0 || fence == CLK_GLOBAL_MEM_FENCE);\n"
	"	BAD(20, which % 3 != 1 || fence == CLK_LOCAL_MEM_FENCE);\n"
	"	BAD(21, which % 3 != 2 || (fence & ~(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)) "
	"== 0);\n"
	"	BAD(22, get_fence(memory) == CLK_GLOBAL_MEM_FENCE && get_fence(arg0) == "
	"CLK_LOCAL_MEM_FENCE);\n"
	"	const int *c = p;\n"
	"	volatile int *v = p;\n"
	"	BAD(23, *c == *v && to_global(c) == to_global(p));\n"
	"	void *a = p;\n"
	"	BAD(24, *(int *)a == *p && to_local(a) == to_local(p));\n"
	"	result[ID] = bad;\n"
	"}\n";

/* Lists whose nodes are in all kinds of memory, and pointers that go by way of memory. */
static const char structs[] =
	"struct node { struct node *next; int value; };\n"
	"struct both { int *a; struct { int *b[2]; char tail; } in; };\n"
	"int total(const struct node *n)\n"
	"{\n"
	"	int s = 0;\n"
	"	for (; n; n = n->next)\n"
	"		s += n->value;\n"
	"	return s;\n"
	"}\n"
	"struct both make(int *a, int *b0, int *b1)\n"
	"{\n"
	"	struct both x = {a, {{b0, b1}, 'x'}};\n"
	"	return x;\n"
	"}\n"
	"int get(struct both x, int i) { return *x.a + *x.in.b[i]; }\n"
	"kernel void test(global uint *result, global int *memory, local int *arg0,\n"
	"		 local int *arg1, int turn)\n"
	"{\n"
	"	local struct node locals[16];\n"
	"	local int *local slot[16];\n"
	"	local int *private kept[2] = {arg0, arg1};\n"
	"	global struct node *globals = (global struct node *)memory + ID;\n"
	"	int which = turn + LID;\n"
	"	uint bad = 0;\n"
	"	struct node own[2];\n"
	"	own[0].value = 1;\n"
	"	own[1].value = 10;\n"
	"	locals[LID].value = 100;\n"
	"	globals->value = 1000;\n"
	"	struct node *head;\n"
	"	if (which & 1) {\n"
	"		own[0].next = (struct node *)globals;\n"
	"		globals->next = own + 1;\n"
	"		own[1].next = (struct node *)(locals + LID);\n"
	"		locals[LID].next = NULL;\n"
	"		head = own;\n"
	"	} else {\n"
	"		locals[LID].next = own + 1;\n"
	"		own[1].next = own;\n"
	"		own[0].next = NULL;\n"
	"		globals->next = (struct node *)(locals + LID);\n"
	"		head = (struct node *)globals;\n"
	"	}\n"
	"	BAD(0, total(head) == 1111);\n"
	"	head->next->value += 5;\n"
	"	BAD(1, total(head) == 1116);\n"
	"	BAD(2, globals->value == (which & 1 ? 1005 : 1000) && locals[LID].value == (which "
	"& 1 ? 100 : 105));\n"
	"	arg0[LID] = LID;\n"
	"	arg1[LID] = 2 * LID;\n"
	"	slot[LID] = (which % 3 ? arg1 : arg0) + LID;\n"
	"	struct both x = make(&own[1].value, &locals[LID].value, &globals->value);\n"
	"	BAD(3, get(x, turn & 1) == 10 + (turn & 1 ? globals->value : locals[LID].value));\n"
	"	x.in.b[turn & 1] = arg0 + LID;\n"
	"	BAD(4, get(x, turn & 1) == 10 + LID && x.in.tail == 'x');\n"
	"	struct both y[2] = {x, x};\n"
	"	y[which & 1].a = arg1 + LID;\n"
	"	BAD(5, get(y[which & 1], turn & 1) == 3 * LID && get(y[~which & 1], turn & 1) == "
	"10 + LID);\n"
	"	barrier(CLK_LOCAL_MEM_FENCE);\n"
	"	int theirs = LID ^ 3;\n"
	"	BAD(6, *slot[theirs] == ((turn + theirs) % 3 == 0 ? theirs : 2 * theirs));\n"
	"	BAD(7, kept[turn & 1][theirs] == (turn & 1 ? 2 * theirs : theirs));\n"
	"	struct node copy = *head;\n"
	"	BAD(8, total(&copy) == 1116);\n"
	"	*head = *head->next;\n"
	"	BAD(9, total(head) == 1116 - copy.value);\n"
	"	result[ID] = bad;\n"
	"}\n";

static const char library[] =
	"#define NEAR(a, b) (fabs((a) - (b)) < 1e-5f)\n"
	"kernel void test(global uint *result, global int *memory, local int *arg0,\n"
	"		 local int *arg1, int turn)\n"
	"{\n"
	"	int which = turn + LID;\n"
	"	uint bad = 0;\n"
	"	int own[16] = {0};\n"
	"	float one = 0;\n"
	"	int *p = PICK(memory + 16 * ID, arg0 + 16 * LID, own);\n"
	"	float *f = (float *)p;\n"
	"	float x = 1.25f + ID;\n"
	"	BAD(0, fract(x, f) == 0.25f && *f == 1 + ID);\n"
	"	BAD(1, modf(-x, f) == -0.25f && *f == -1 - ID);\n"
	"	BAD(2, NEAR(sincos(x, f), sin(x)) && NEAR(*f, cos(x)));\n"
	"	BAD(3, remquo(7.0f + 10 * turn, 10.0f, p) == -3 && (*p & 7) == ((turn + 1) & 7));\n"
	"	BAD(4, frexp(8.0f, p) == 0.5f && *p == 4);\n"
	"	BAD(5, NEAR(lgamma_r(0.5f, p), 0.5723649f) && *p == 1);\n"
	"	float2 *f2 = (float2 *)p;\n"
	"	BAD(6, all(fract((float2)(1.5f, -2.25f), f2) == (float2)(0.5f, 0.75f)) && all(*f2 "
	"== (float2)(1, -3)));\n"
	"	BAD(7, all(modf((float4)(x), (float4 *)p) == 0.25f) && f[3] == 1 + ID);\n"
	"	BAD(8, fract(x, &one) == 0.25f && one == 1 + ID);\n"
	"	BAD(9, fract(x, (global float *)memory + 4096 + ID) == 0.25f && memory[4096 + ID] "
	"== as_int(1.0f + ID));\n"
	"	BAD(10, fract(x, (local float *)arg1 + LID) == 0.25f && arg1[LID] == as_int(1.0f + "
	"ID));\n"
	"	vstore4((int4)(1, 2, 3, 4) + ID, 1, p);\n"
	"	vstore3((int3)(5, 6, 7), 0, p + turn % 2);\n"
	"	int3 v = vload3(0, p + turn % 2);\n"
	"	BAD(11, all(v == (int3)(5, 6, 7)) && all(vload4(1, p) == (int4)(1, 2, 3, 4) + "
	"ID));\n"
	"	BAD(12, p[5] == 2 + ID && vload2(3, p).y == 4 + ID && p[turn % 2 + 1] == 6);\n"
	"	vstore_half(1.5f, 3, (half *)p);\n"
	"	vstore_half4((float4)(1, 2, 4, 0.5f), 2, (half *)p);\n"
	"	BAD(13, vload_half(3, (half *)p) == 1.5f && vload_half(10, (half *)p) == 4);\n"
	"	BAD(14, all(vload_half4(2, (half *)p) == (float4)(1, 2, 4, 0.5f)));\n"
	"	barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);\n"
	"	event_t event = async_work_group_copy(arg0, memory + 8192, 16, 0);\n"
	"	wait_group_events(1, &event);\n"
	"	BAD(15, arg0[LID] == 5 * LID);\n"
	"	int *copied = turn < 100 ? (int *)arg0 : memory;\n"
	"	event_t events[2] = {async_work_group_copy(arg1, memory + 8192, 8, 0),\n"
	"			     async_work_group_strided_copy(to_local(copied), memory + "
	"8192, 8, 2, 0)};\n"
	"	wait_group_events(2, events);\n"
	"	BAD(16, LID >= 8 || (arg1[LID] == 5 * LID && arg0[LID] == 10 * LID));\n"
	"	result[ID] = bad;\n"
	"}\n";

/* There's neither local nor private memory here that one could point to. */
static const char nothing[] =
	"int get(const int *p) { return *p; }\n"
	"kernel void test(global uint *result, global int *memory, int turn)\n"
	"{\n"
	"	uint bad = 0;\n"
	"	memory[ID] = ID;\n"
	"	int *p = memory + ID;\n"
	"	int *volatile hidden = p;\n"
	"	p = turn < 100 ? p : (int *)(uintptr_t)turn;\n"
	"	BAD(0, get(p) == ID && to_global(p) == memory + ID && !to_local(p) && "
	"!to_private(p));\n"
	"	if (turn > 100)\n"
	"		result[ID] = *to_private(p) + *to_local(p) + *(private int *)(ulong)turn;\n"
	"	if (turn > 101)\n"
	"		*to_private(p) = *to_local(p) = 1;\n"
	"	BAD(1, get(hidden) == ID);\n"
	"	global atomic_int *a = (global atomic_int *)(memory + 64 + ID);\n"
	"	atomic_int *b = turn < 100 ? (atomic_int *)a : (atomic_int *)p;\n"
	"	atomic_store(b, ID);\n"
	"	BAD(2, atomic_fetch_sub(b, 1) == ID && atomic_load(a) == ID - 1);\n"
	"	result[ID] = bad;\n"
	"}\n";

/* Pointers to private memory that isn't an array, through functions and back. */
static const char scalars[] =
	"void swap(int *a, int *b) { int t = *a; *a = *b; *b = t; }\n"
	"int *larger(int *a, int *b) { return *a > *b ? a : b; }\n"
	"kernel void test(global uint *result, global int *memory, local int *arg0,\n"
	"		 local int *arg1, int turn)\n"
	"{\n"
	"	uint bad = 0;\n"
	"	int which = turn + LID;\n"
	"	int a = ID, b = 100, c = which & 1 ? 1000 : -1000;\n"
	"	swap(&a, &b);\n"
	"	BAD(0, a == 100 && b == ID);\n"
	"	memory[ID] = 3 * ID;\n"
	"	arg0[LID] = -ID;\n"
	"	swap(memory + ID, arg0 + LID);\n"
	"	BAD(1, memory[ID] == -ID && arg0[LID] == 3 * ID);\n"
	"	swap(&a, which & 1 ? (int *)(memory + ID) : (int *)(arg0 + LID));\n"
	"	BAD(2, a == (which & 1 ? -ID : 3 * ID));\n"
	"	BAD(3, memory[ID] == (which & 1 ? 100 : -ID) && arg0[LID] == (which & 1 ? 3 * ID : "
	"100));\n"
	"	int *most = larger(larger(&a, arg0 + LID), &c);\n"
	"	int value = *most;\n"
	"	*most = -5;\n"
	"	BAD(4, which & 1 ? value == 1000 && c == -5 : c == -1000);\n"
	"	BAD(5, which & 1 || value == max(3 * ID, 100));\n"
	"	BAD(6, which & 1 || (3 * ID > 100 ? a : arg0[LID]) == -5);\n"
	"	int **pp = which & 1 ? &most : &most;\n"
	"	int *third = &b;\n"
	"	int **qq = which & 2 ? &third : pp;\n"
	"	BAD(7, **qq == (which & 2 ? ID : -5));\n"
	"	bool flags[3] = {true, false, true};\n"
	"	bool *flag = flags + which % 3;\n"
	"	*flag = !*flag;\n"
	"	BAD(8, flags[0] == (which % 3 != 0) && flags[1] == (which % 3 == 1) && flags[2] == "
	"(which % 3 != 2));\n"
	"	result[ID] = bad;\n"
	"}\n";

/* As it has always been. */
static const char old[] =
	"kernel void test(global uint *result, global int *memory, local int *arg0,\n"
	"		 local int *arg1, int turn)\n"
	"{\n"
	"	local int fixed[16];\n"
	"	int own[4];\n"
	"	uint bad = 0;\n"
	"	fixed[get_local_id(0)] = arg0[get_local_id(0)] = get_local_id(0);\n"
	"	arg1[get_local_id(0)] = 2 * get_local_id(0);\n"
	"	for (int i = 0; i < 4; i++)\n"
	"		own[i] = i;\n"
	"	barrier(CLK_LOCAL_MEM_FENCE);\n"
	"	int other = get_local_id(0) ^ 7;\n"
	"	local int *l = turn & 1 ? arg0 : fixed;\n"
	"	if (l[other] != other || arg1[other] != 2 * other || own[turn & 3] != (turn & 3))\n"
	"		bad = 1;\n"
	"	result[get_global_id(0)] = bad;\n"
	"}\n";

static cl_mem result, memory;

static void run(const char *name, const char *source, const char *options, int has_locals)
{
	size_t global = ITEMS, local = GROUP;
	char text[16384];
	cl_program program;
	cl_kernel k;

	snprintf(text, sizeof(text), "%s%s", strstr(options, "3.0") ? common : "", source);
	program = build(text, options);
	k = kernel(program, "test");
	for (cl_int turn = 0; turn < 6; turn++) {
		cl_int contents[16384] = { 0 };
		cl_uint bad[ITEMS];
		cl_uint arg = 0;

		for (int i = 0; i < 64; i++)
			contents[8192 + i] = 5 * i;
		CHECK(clEnqueueWriteBuffer(queue, memory, CL_TRUE, 0, sizeof(contents), contents, 0,
					   NULL, NULL));
		CHECK(clSetKernelArg(k, arg++, sizeof(result), &result));
		CHECK(clSetKernelArg(k, arg++, sizeof(memory), &memory));
		if (has_locals) {
			CHECK(clSetKernelArg(k, arg++, 16 * GROUP * sizeof(cl_int), NULL));
			CHECK(clSetKernelArg(k, arg++, 16 * GROUP * sizeof(cl_int), NULL));
		}
		CHECK(clSetKernelArg(k, arg++, sizeof(turn), &turn));
		CHECK(clEnqueueNDRangeKernel(queue, k, 1, NULL, &global, &local, 0, NULL, NULL));
		CHECK(clEnqueueReadBuffer(queue, result, CL_TRUE, 0, sizeof(bad), bad, 0, NULL,
					  NULL));
		for (int i = 0; i < ITEMS; i++)
			if (bad[i])
				fail("%s, turn %d, work-item %d: %#x", name, turn, i, bad[i]);
	}
	CHECK(clReleaseKernel(k));
	CHECK(clReleaseProgram(program));
}

static void check_feature(void)
{
	cl_name_version features[64];
	size_t size;

	CHECK(clGetDeviceInfo(device, CL_DEVICE_OPENCL_C_FEATURES, sizeof(features), features,
			      &size));
	for (size_t i = 0; i < size / sizeof(*features); i++)
		if (!strcmp(features[i].name, "__opencl_c_generic_address_space"))
			return;
	fail("supported, but not in CL_DEVICE_OPENCL_C_FEATURES");
}

int main(void)
{
	cl_bool supported = CL_FALSE;
	cl_int error;

	open_device();
	CHECK(clGetDeviceInfo(device, CL_DEVICE_GENERIC_ADDRESS_SPACE_SUPPORT, sizeof(supported),
			      &supported, NULL));
	if (!supported)
		skip("no generic address space");
	check_feature();

	result = clCreateBuffer(context, CL_MEM_READ_WRITE, ITEMS * sizeof(cl_uint), NULL, &error);
	CHECK(error);
	memory = clCreateBuffer(context, CL_MEM_READ_WRITE, 16384 * sizeof(cl_int), NULL, &error);
	CHECK(error);

	run("functions", functions, "-cl-std=CL3.0", 1);
	run("atomics", atomics, "-cl-std=CL3.0", 1);
	run("casts", casts, "-cl-std=CL3.0", 1);
	run("structs", structs, "-cl-std=CL3.0", 1);
	run("library", library, "-cl-std=CL3.0", 1);
	run("nothing", nothing, "-cl-std=CL3.0", 0);
	run("scalars", scalars, "-cl-std=CL3.0", 1);
	run("old", old, "-cl-std=CL3.0", 1);
	run("old", old, "-cl-std=CL1.2", 1);
	return 0;
}
