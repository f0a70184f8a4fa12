/* SPDX-License-Identifier: MIT */
/*
 * Profiles and the points they stand for.
 */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AXES_PER_SET 4

const struct workload *const workloads[] = {
	&workload_contend, &workload_handoff, &workload_histogram, &workload_queue,
	&workload_hash,	   &workload_bfs,     &workload_steal,	   NULL,
};

const struct workload *workload_find(const char *name)
{
	for (size_t i = 0; workloads[i]; i++)
		if (!strcmp(workloads[i]->name, name))
			return workloads[i];
	return NULL;
}

const struct profile profiles[] = {
	{ "quick",
	  "every workload in at most 90 s on 2 cores with PoCL",
	  { .window_ns = 10000000,
	    .min_samples = 5,
	    .max_samples = 100,
	    .width = 0.05,
	    .budget_s = 0.8,
	    .rounds = 20000,
	    .app_scale = 0 } },
	{ "full",
	  "more points, longer legs, narrower intervals; tens of minutes",
	  { .window_ns = 50000000,
	    .min_samples = 11,
	    .max_samples = 1000,
	    .width = 0.02,
	    .budget_s = 6.0,
	    .rounds = 200000,
	    .app_scale = 2 } },
	{ NULL, NULL, { 0 } },
};

const struct profile *profile_find(const char *name)
{
	for (const struct profile *profile = profiles; profile->name; profile++)
		if (!strcmp(profile->name, name))
			return profile;
	return NULL;
}

/*
 * Sets of points: each is a cross product. "*" in a list stands for a ladder
 * that depends on the machine: 1, 2, 4 … all host threads, or work-items from
 * one group to four times the default.
 */
struct point_set {
	const char *profile;
	const struct workload *workload;
	const char *axes[AXES_PER_SET];
};

static const struct point_set point_sets[] = {
	{ "quick",
	  &workload_contend,
	  { "op=fetch_add,exchange,compare_exchange",
	    "layout=word,line,line-per-worker,page-per-worker,random" } },
	{ "quick", &workload_contend, { "op=fetch_max,load,store" } },
	{ "quick",
	  &workload_contend,
	  { "layout=word,line-per-worker", "think_ns=0,100,1000,10000" } },
	{ "quick", &workload_contend, { "cpu_threads=*", "work_items=*" } },
	{ "quick", &workload_handoff, { "order=relaxed,acq_rel,seq_cst" } },
	{ "full",
	  &workload_contend,
	  { "layout=word,line,line-per-worker,page-per-worker,random",
	    "op=fetch_add,exchange,compare_exchange,fetch_max,load,store" } },
	{ "full",
	  &workload_contend,
	  { "op=fetch_sub,fetch_min,fetch_and,fetch_or,fetch_xor", "type=uint,ulong" } },
	{ "full", &workload_contend, { "type=int,long,ulong,float,double", "layout=word,line" } },
	{ "full", &workload_contend, { "op=flag", "type=int", "order=acquire,seq_cst" } },
	{ "full", &workload_contend, { "order=acq_rel,seq_cst", "op=fetch_add,compare_exchange" } },
	{ "full", &workload_contend, { "scope=device,all_devices" } },
	{ "full",
	  &workload_contend,
	  { "layout=random", "working_set=4K,64K,1M,16M", "distribution=uniform,zipf" } },
	{ "full",
	  &workload_contend,
	  { "layout=word,line-per-worker,page-per-worker",
	    "think_ns=30,100,300,1000,3000,10000" } },
	{ "full", &workload_contend, { "cpu_threads=*", "work_items=*", "layout=word,random" } },
	{ "full", &workload_handoff, { "order=relaxed,acq_rel,seq_cst" } },
};

/* "1,2,4,…,@most", without repeating @most. */
static void ladder(char *out, size_t size, unsigned least, unsigned most, unsigned factor)
{
	size_t used = 0;

	for (unsigned step = least; step < most && used < size; step *= factor)
		used += (size_t)snprintf(out + used, size - used, "%u,", step);
	if (used < size)
		snprintf(out + used, size - used, "%u", most);
}

static void expand(const char *axis, const struct device *dev, unsigned cpus, unsigned cpu_threads,
		   char *out, size_t size)
{
	const char *star = strchr(axis, '*');
	const size_t head = star ? (size_t)(star - axis) : strlen(axis);

	snprintf(out, size, "%.*s", (int)head, axis);
	if (!star)
		return;
	if (!strncmp(axis, "cpu_threads", 11))
		ladder(out + head, size - head, 1, cpu_threads, 2);
	else if (device_is_on_cpus(dev))
		/* It gets the CPUs that the threads leave, whatever it says it has. */
		ladder(out + head, size - head, 1, cpus > cpu_threads ? cpus - cpu_threads : 1, 2);
	else
		ladder(out + head, size - head, 64, dev->units * 1024, 8);
}

static bool same_point(const struct plan_entry *a, const struct plan_entry *b)
{
	return a->workload == b->workload && !memcmp(&a->point, &b->point, sizeof(a->point));
}

/* Sets meet in common points: each is measured once. */
static bool append(struct plan *plan, const struct workload *workload, const struct point *point)
{
	struct plan_entry entry;
	struct plan_entry *grown;

	memset(&entry, 0, sizeof(entry));
	entry.workload = workload;
	memcpy(&entry.point, point, sizeof(*point));
	for (size_t i = 0; i < plan->count; i++)
		if (same_point(&plan->entries[i], &entry))
			return true;
	grown = realloc(plan->entries, (plan->count + 1) * sizeof(*grown));
	if (!grown)
		return false;
	plan->entries = grown;
	grown[plan->count++] = entry;
	return true;
}

static bool append_product(struct plan *plan, const struct workload *workload,
			   const struct axis_lists *lists, unsigned cpu_threads, struct error *err)
{
	struct point *points;
	size_t count;
	bool ok = true;

	if (!axis_lists_points(lists, workload->axes, cpu_threads, &points, &count, err))
		return false;
	for (size_t i = 0; ok && i < count; i++)
		ok = append(plan, workload, &points[i]);
	free(points);
	return ok ? true : fail(err, EXIT_NO_MEMORY, "out of memory");
}

static bool append_set(struct plan *plan, const struct point_set *set, const struct device *dev,
		       unsigned cpus, unsigned cpu_threads, struct error *err)
{
	struct axis_lists lists = { 0 };
	char expanded[256];
	bool is_ladder = false;
	bool climbs = false;
	bool ok = true;

	for (int i = 0; ok && i < AXES_PER_SET && set->axes[i]; i++) {
		expand(set->axes[i], dev, cpus, cpu_threads, expanded, sizeof(expanded));
		climbs |= strchr(set->axes[i], '*') && strchr(expanded, ',');
		is_ladder |= strchr(set->axes[i], '*') != NULL;
		ok = axis_lists_set(&lists, expanded, err);
	}
	/* On a small machine a ladder is one step: the point that is there anyway. */
	if (is_ladder && !climbs) {
		axis_lists_clear(&lists);
		return ok;
	}
	ok = ok && append_product(plan, set->workload, &lists, cpu_threads, err);
	axis_lists_clear(&lists);
	return ok;
}

static bool wanted(const struct request *request, size_t index)
{
	return !request->workloads || (request->workloads & (1u << index));
}

static bool append_profile(struct plan *plan, const struct request *request, size_t index,
			   const struct device *dev, unsigned cpus, unsigned cpu_threads,
			   struct error *err)
{
	const size_t sets = sizeof(point_sets) / sizeof(point_sets[0]);
	const struct workload *workload = workloads[index];
	static const struct axis_lists defaults;
	bool found = false;

	for (size_t i = 0; i < sets; i++) {
		if (strcmp(point_sets[i].profile, request->profile->name) ||
		    point_sets[i].workload != workload)
			continue;
		found = true;
		if (!append_set(plan, &point_sets[i], dev, cpus, cpu_threads, err))
			return false;
	}
	return found || append_product(plan, workload, &defaults, cpu_threads, err);
}

static bool check_axes(const struct request *request, struct error *err)
{
	for (int axis = 0; axis < AXIS_COUNT; axis++) {
		bool used = false;

		for (size_t i = 0; workloads[i]; i++)
			used |= wanted(request, i) && (workloads[i]->axes & AXIS_BIT(axis));
		if (request->lists.list[axis] && !used)
			return fail(err, EXIT_USAGE_ERROR,
				    "no workload asked for has an axis %s; `svmatomic-bench list "
				    "workloads` says which have",
				    axes[axis].name);
	}
	return true;
}

bool plan_make(struct plan *plan, const struct request *request, const struct device *dev,
	       unsigned cpus, struct error *err)
{
	/* "all" host threads: a device that runs on the CPUs keeps half of them. */
	const unsigned share = device_is_on_cpus(dev) ? cpus / 2 : cpus;
	const unsigned cpu_threads = share ? share : 1;

	*plan = (struct plan){ 0 };
	if (!check_axes(request, err))
		return false;
	for (size_t i = 0; workloads[i]; i++) {
		bool ok;

		if (!wanted(request, i))
			continue;
		ok = request->has_axes
			     ? append_product(plan, workloads[i], &request->lists, cpu_threads, err)
			     : append_profile(plan, request, i, dev, cpus, cpu_threads, err);
		if (!ok) {
			plan_clear(plan);
			return false;
		}
	}
	return true;
}

void plan_clear(struct plan *plan)
{
	free(plan->entries);
	*plan = (struct plan){ 0 };
}

unsigned plan_cpu_threads(const struct plan *plan)
{
	unsigned most = 0;

	for (size_t i = 0; i < plan->count; i++)
		if (plan->entries[i].point.cpu_threads > most)
			most = plan->entries[i].point.cpu_threads;
	return most;
}
