/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic on a driver's counters.
 */
#include "counters.h"

struct counters counters_between(const struct counters *before, const struct counters *after)
{
	struct counters between = {
		.acquired = after->acquired - before->acquired,
		.revoked_cpu = after->revoked_cpu - before->revoked_cpu,
		.revoked_other = after->revoked_other - before->revoked_other,
		.refused = after->refused - before->refused,
		.retries = after->retries - before->retries,
		.waits_cpu = after->waits_cpu - before->waits_cpu,
		.waits_device = after->waits_device - before->waits_device,
	};

	for (unsigned i = 0; i < COUNTERS_HELD; i++)
		between.held[i] = after->held[i] - before->held[i];
	return between;
}

uint64_t counters_transfers(const struct counters *counters)
{
	return counters->acquired + counters->revoked_cpu;
}

void counters_held(const struct counters *counters, struct histogram *histogram)
{
	for (unsigned i = 0; i < COUNTERS_HELD; i++)
		histogram_add_many(histogram, UINT64_C(1) << i, counters->held[i]);
}

json_t *counters_json(const struct counters *counters)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "acquired",
			 (json_int_t)counters->acquired, "revoked_cpu",
			 (json_int_t)counters->revoked_cpu, "revoked_other",
			 (json_int_t)counters->revoked_other, "refused",
			 (json_int_t)counters->refused, "retries", (json_int_t)counters->retries,
			 "waits_cpu", (json_int_t)counters->waits_cpu, "waits_device",
			 (json_int_t)counters->waits_device);
}
