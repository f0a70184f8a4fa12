/* SPDX-License-Identifier: MIT */
/*
 * Deciding whether a point needs another sample.
 */
#include "sampler.h"

#include "clock.h"

void sampler_begin(struct sampler *sampler, const struct session *session)
{
	*sampler = (struct sampler){
		.session = session,
		.started_ns = clock_ns(),
	};
	device_counters(session->device, &sampler->counters);
}

static bool is_narrow(const struct samples *set, const struct session *session)
{
	const struct interval interval =
		stats_bootstrap_median(set->values, set->count, session->seed);
	const double median = stats_median(set->values, set->count);

	return stats_relative_width(interval, median) <= session->effort.width;
}

static bool all_narrow(const struct samples *const *watched, size_t count,
		       const struct session *session)
{
	/* Counting comes first: it is cheap, and few samples agree by chance. */
	for (size_t i = 0; i < count; i++) {
		if (watched[i]->count < session->effort.min_samples || watched[i]->count < 2)
			return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (!is_narrow(watched[i], session))
			return false;
	}
	return count > 0;
}

/* On a busy machine samples are hard to come by: a few are worth waiting for. */
static bool budget_spent(const struct sampler *sampler)
{
	const double elapsed_s = (double)(clock_ns() - sampler->started_ns) * 1e-9;
	const double budget_s = sampler->session->effort.budget_s;

	return elapsed_s >= (sampler->taken < SAMPLER_ENOUGH ? 2.0 * budget_s : budget_s);
}

static const char *reason_to_stop(const struct sampler *sampler,
				  const struct samples *const *watched, size_t count)
{
	const struct session *session = sampler->session;

	if (session->interrupted && session->interrupted())
		return "interrupt";
	if (sampler->taken + sampler->rejected == 0)
		return NULL;
	if (all_narrow(watched, count, session))
		return "interval";
	if (sampler->taken >= session->effort.max_samples)
		return "samples";
	return budget_spent(sampler) ? "budget" : NULL;
}

bool sampler_more(struct sampler *sampler, const struct samples *const *watched, size_t count)
{
	sampler->stopped_by = reason_to_stop(sampler, watched, count);
	return !sampler->stopped_by;
}

void sampler_describe(const struct sampler *sampler, json_t *point)
{
	if (sampler->stopped_by)
		json_object_set_new(point, "stopped_by", json_string(sampler->stopped_by));
	json_object_set_new(point, "samples_taken", json_integer(sampler->taken));
	json_object_set_new(point, "samples_rejected", json_integer(sampler->rejected));
}
