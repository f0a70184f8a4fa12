// SPDX-License-Identifier: MIT
/*
 * Events: what took pages away, and what was refused to a fault of the device; poll() waits
 * for them, and those that are lost are counted.
 */
#include "vm.h"

#include <poll.h>

static struct svma_device *device;

static struct svma_event next_event(void)
{
	struct pollfd wait = { .fd = svma_fd(device), .events = POLLIN };
	struct svma_event event;

	equal(poll(&wait, 1, 10000), 1);
	equal(svma_read_events(device, &event, 1), 1);
	return event;
}

static void write_to(void *argument, unsigned int thread)
{
	(void)thread;
	*(volatile char *)argument = 1;
}

int main(void)
{
	struct svma_engine *engine;
	struct svma_event event, events[128];
	struct svma_counters counters;
	uint64_t before = now_ns();
	unsigned int got = 0;
	char *area;
	int count;

	device = open_vsvm();
	equal(svma_subscribe(device, SVMA_EVENT_REVOKED), -ENXIO);
	engine = start_engine(device, 1);
	area = map_pages(8);
	equal(svma_subscribe(device, 4), -EINVAL);
	equal(svma_read_events(device, &event, 1), -EAGAIN);

	/* Only what was asked for. */
	equal(svma_subscribe(device, SVMA_EVENT_REFUSED), 0);
	equal(svma_acquire(device, area, 2 * PAGE, NULL), 0);
	equal(svma_release(device, area, 2 * PAGE, NULL), 0);
	equal(svma_read_events(device, &event, 1), -EAGAIN);

	equal(svma_subscribe(device, SVMA_EVENT_REVOKED), 0);
	equal(svma_acquire(device, area, 2 * PAGE, NULL), 0);
	*(volatile char *)area = 1;
	event = next_event();
	equal(event.type, SVMA_EVENT_REVOKED);
	equal(event.why, SVMA_BY_CPU);
	equal(event.address, (uintptr_t)area);
	check(event.length == PAGE || event.length == 2 * PAGE);
	check(event.time_ns >= before && event.time_ns <= now_ns());
	equal(event.lost, 0);
	equal(svma_release(device, area, 2 * PAGE, NULL), 0);
	/* The CPU has left the second page, unless its hold had ended. */
	while (svma_read_events(device, &event, 1) == 1)
		equal(event.why, SVMA_BY_RELEASE);

	/* A function of an engine takes a page, its mapping goes. */
	run_engine(engine, write_to, area + 4 * PAGE);
	check(!munmap(area + 4 * PAGE, PAGE));
	do
		event = next_event();
	while (event.address != (uintptr_t)area + 4 * PAGE);
	equal(event.why, SVMA_BY_UNMAP);

	/* More than there is room for. */
	for (int i = 0; i < 200; i++) {
		equal(svma_acquire(device, area, PAGE, NULL), 0);
		equal(svma_release(device, area, PAGE, NULL), 0);
	}
	while ((count = svma_read_events(device, events, 128)) > 0)
		got += (unsigned int)count;
	equal(count, -EAGAIN);
	equal(svma_counters(device, &counters), 0);
	check(got > 8 && got < 200);
	check(counters.events_lost >= 200 - got);
	equal(svma_acquire(device, area, PAGE, NULL), 0);
	equal(svma_release(device, area, PAGE, NULL), 0);
	check(next_event().lost >= 200 - got);

	/* What the device does not get. */
	equal(svma_subscribe(device, SVMA_EVENT_REFUSED), 0);
	equal(svma_engine_run(engine, write_to, area + 4 * PAGE, NULL), -EFAULT);
	event = next_event();
	equal(event.type, SVMA_EVENT_REFUSED);
	equal(event.why, SVMA_REASON_UNMAPPED);
	equal(event.address, (uintptr_t)area + 4 * PAGE);
	svma_engine_stop(engine);
	svma_close(device);
	return 0;
}
