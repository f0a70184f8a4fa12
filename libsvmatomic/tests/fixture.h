/* SPDX-License-Identifier: MIT */
/*
 * What most unit tests begin with: a vsvm that works, and the device that was opened of it.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "fake.h"

#include <svmatomic.h>

extern struct fake_node *node;
extern struct svma_device *device;
extern size_t page; /* in bytes */

/* For cmocka: before and after each test. A descriptor that is left open fails it. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
