/* SPDX-License-Identifier: MIT */
/*
 * The device that tests have: see fixture.h.
 */
#include "fixture.h"

#include <unistd.h>

struct fake_node *node;
struct svma_device *device;
size_t page;

int fixture_setup(void **state)
{
	(void)state;
	page = (size_t)sysconf(_SC_PAGESIZE);
	fake_reset();
	node = fake_add("renderD128", "vsvm");
	return svma_open(&device, 0);
}

int fixture_teardown(void **state)
{
	(void)state;
	svma_close(device);
	return fake_open_count() ? -1 : 0;
}
