/* SPDX-License-Identifier: MIT */
/*
 * Kernels reach memory through the device's page table and in no other way: what a policy denies,
 * they cannot have; each page that they write to changes hands; and while one has a page, the
 * process's own page table has none.
 */
#include "stack.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PAGES	64u
#define COUNTED 16u

static const char source[] =
	"kernel void add(global atomic_uint *words, uint stride)\n"
	"{\n"
	"    atomic_fetch_add_explicit(&words[get_global_id(0) * stride], 1,\n"
	"                              memory_order_relaxed, memory_scope_all_svm_devices);\n"
	"}\n"
	"kernel void hold(global atomic_uint *word, global atomic_uint *gate)\n"
	"{\n"
	"    atomic_fetch_add_explicit(word, 1, memory_order_relaxed, "
	"memory_scope_all_svm_devices);\n"
	"    atomic_store_explicit(&gate[0], 1, memory_order_release, "
	"memory_scope_all_svm_devices);\n"
	"    while (!atomic_load_explicit(&gate[1024], memory_order_acquire,\n"
	"                                 memory_scope_all_svm_devices))\n"
	"        ;\n"
	"}\n";

static void set_policy(struct svma_device *device, void *memory, size_t size, enum svma_mode mode)
{
	const int err = svma_set_policy(device, memory, size, mode, 0, NULL);

	CHECK(!err, "a policy: %s", strerror(-err));
}

static struct svma_counters counters(struct svma_device *device)
{
	struct svma_counters now;

	CHECK(!svma_counters(device, &now), "no counters");
	return now;
}

/* The kernel of it fails, others go on, and the range is of use once more after that. */
static void denied(struct svma_device *device)
{
	cl_kernel add = kernel(source, "add");
	cl_command_queue queue = new_queue();
	cl_uint *memory = shared(PAGES * PAGE);
	cl_uint *other = shared(PAGES * PAGE);
	const uint64_t before = counters(device).refused[SVMA_REASON_DENIED];
	cl_int code;

	set_policy(device, memory, PAGES * PAGE, SVMA_MODE_DENY);
	set_pointer(add, 0, memory);
	set_uint(add, 1, PAGE / 4);
	code = ended(launch(queue, add, PAGES, 1));
	CHECK(code == CL_OUT_OF_RESOURCES, "on denied memory, a kernel is %s",
	      opencl_error_name(code));
	CHECK(counters(device).refused[SVMA_REASON_DENIED] > before,
	      "nobody counted a page that was denied");
	for (unsigned i = 0; i < PAGES; i++)
		CHECK(!memory[i * PAGE / 4], "page %u was denied, and written to", i);

	set_pointer(add, 0, other);
	run(add, PAGES, 1);
	set_policy(device, memory, PAGES * PAGE, SVMA_MODE_DEFAULT);
	set_pointer(add, 0, memory);
	run(add, PAGES, 1);
	for (unsigned i = 0; i < PAGES; i++)
		CHECK(memory[i * PAGE / 4] == 1 && other[i * PAGE / 4] == 1, "page %u: %u, %u", i,
		      memory[i * PAGE / 4], other[i * PAGE / 4]);
	printf("denied: refused, and nothing written\n");
}

/* --- the process's page table, as /proc/self/pagemap has it --- */

#define PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define PAGEMAP_SWAP	(UINT64_C(1) << 62)

static uint64_t entry_of(const void *address)
{
	const int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	CHECK(pread(file, &entry, 8, (off_t)((uintptr_t)address / PAGE * 8)) == 8,
	      "/proc/self/pagemap cannot be read");
	close(file);
	return entry;
}

/* What an entry has in place of a page frame that says what it is; 0 for pages that are there. */
static unsigned type_of(const void *address)
{
	const uint64_t entry = entry_of(address);

	return entry & PAGEMAP_PRESENT || !(entry & PAGEMAP_SWAP) ? 0 : (unsigned)(entry & 31);
}

/* That of device-exclusive entries, from a page that is made one. */
static unsigned exclusive_type(struct svma_device *device)
{
	static unsigned type;
	char *page;

	if (type)
		return type;
	page = shared(PAGE);
	CHECK(!svma_acquire(device, page, PAGE, NULL), "a page cannot be had");
	type = type_of(page);
	CHECK(type, "a page that was acquired is still in the page table");
	page[0] = 1;
	CHECK(!type_of(page), "a page that the CPU wrote to is not in the page table");
	return type;
}

static unsigned exclusive_pages(struct svma_device *device, const char *memory, unsigned pages)
{
	unsigned count = 0;

	for (unsigned i = 0; i < pages; i++)
		count += type_of(memory + i * PAGE) == exclusive_type(device);
	return count;
}

/* While a kernel waits at a gate, what it wrote to is the device's. */
static void exclusive(struct svma_device *device)
{
	cl_kernel hold = kernel(source, "hold");
	cl_command_queue queue = new_queue();
	atomic_uint *word = shared(PAGE);
	atomic_uint *gate = shared(2 * PAGE);
	cl_event event;

	set_pointer(hold, 0, word);
	set_pointer(hold, 1, gate);
	CHECK(!exclusive_pages(device, (char *)word, 1), "exclusive before there was a kernel");
	event = launch(queue, hold, 1, 1);
	while (!atomic_load(&gate[0]))
		usleep(1000);
	CHECK(exclusive_pages(device, (char *)word, 1) == 1,
	      "the kernel has written to a page, and this process still has it");
	CHECK(atomic_load(word) == 1, "the word is %u", atomic_load(word));
	CHECK(!exclusive_pages(device, (char *)word, 1), "exclusive, and the CPU has read it");
	atomic_store(&gate[1024], 1);
	must(ended(event), "a kernel");
	printf("exclusive: the page table had an entry of type %u\n", exclusive_type(device));
}

/* --- counting --- */

/* Pages of the range that the device lost to a CPU, of the events that there are. */
static unsigned lost_to_cpu(struct svma_device *device, const void *memory, size_t size)
{
	const uint64_t start = (uintptr_t)memory;
	struct svma_event events[64];
	unsigned pages = 0;
	int count;

	while ((count = svma_read_events(device, events, 64)) > 0)
		for (int i = 0; i < count; i++) {
			CHECK(!events[i].lost, "events were lost");
			if (events[i].type == SVMA_EVENT_REVOKED && events[i].why == SVMA_BY_CPU &&
			    events[i].address >= start && events[i].address < start + size)
				pages += (unsigned)(events[i].length / PAGE);
		}
	return pages;
}

/* A kernel that writes to so many pages has so many, and the CPU takes back as many. */
static void counted(struct svma_device *device)
{
	cl_kernel add = kernel(source, "add");
	atomic_uint *memory = shared(COUNTED * PAGE);
	const struct svma_counters before = counters(device);
	struct svma_counters after;
	unsigned lost = 0;

	set_pointer(add, 0, memory);
	set_uint(add, 1, PAGE / 4);
	run(add, COUNTED, 1);
	after = counters(device);
	CHECK(after.acquired - before.acquired >= COUNTED, "%u pages written to, %u acquired",
	      COUNTED, (unsigned)(after.acquired - before.acquired));
	CHECK(exclusive_pages(device, (char *)memory, COUNTED) == COUNTED,
	      "%u pages written to, %u exclusive", COUNTED,
	      exclusive_pages(device, (char *)memory, COUNTED));

	CHECK(!svma_subscribe(device, SVMA_EVENT_REVOKED), "no events");
	for (unsigned i = 0; i < COUNTED; i++) {
		CHECK(atomic_load(&memory[i * PAGE / 4]) == 1, "page %u: %u", i,
		      atomic_load(&memory[i * PAGE / 4]));
		lost += lost_to_cpu(device, memory, COUNTED * PAGE);
	}
	CHECK(lost == COUNTED, "%u pages read by the CPU, %u taken back", COUNTED, lost);
	CHECK(!svma_subscribe(device, 0), "no end to events");
	printf("counted: %u pages to the device, %u back\n", COUNTED, lost);
}

int main(void)
{
	struct svma_device *device;

	vsvm();
	/* The driver binds its device when there is something to run. */
	run(kernel("kernel void nothing(void) {}", "nothing"), 1, 1);
	device = behind();
	exclusive(device);
	counted(device);
	denied(device);
	return 0;
}
