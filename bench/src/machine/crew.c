/* SPDX-License-Identifier: MIT */
/*
 * Host threads that stay alive from leg to leg, so that no leg pays for their
 * creation or binding.
 */
#include "crew.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct member {
	struct crew *crew;
	unsigned number;
	pthread_t thread;
	hwloc_const_cpuset_t cpus;
	bool bound;
};

struct crew {
	hwloc_topology_t topology;
	pthread_mutex_t lock;
	pthread_cond_t work_there;
	pthread_cond_t work_done;
	unsigned count;
	unsigned busy;
	uint64_t job; /* counts jobs; a member runs each number once */
	bool quit;
	crew_work *work;
	void *context;
	struct member members[];
};

static void member_done(struct crew *crew)
{
	if (--crew->busy == 0)
		pthread_cond_signal(&crew->work_done);
}

static void *member_main(void *data)
{
	struct member *member = data;
	struct crew *crew = member->crew;
	uint64_t seen = 0;

	member->bound = !member->cpus ||
			!hwloc_set_cpubind(crew->topology, member->cpus, HWLOC_CPUBIND_THREAD);
	pthread_mutex_lock(&crew->lock);
	member_done(crew);
	for (;;) {
		while (crew->job == seen && !crew->quit)
			pthread_cond_wait(&crew->work_there, &crew->lock);
		if (crew->quit)
			break;
		seen = crew->job;
		pthread_mutex_unlock(&crew->lock);
		crew->work(crew->context, member->number);
		pthread_mutex_lock(&crew->lock);
		member_done(crew);
	}
	pthread_mutex_unlock(&crew->lock);
	return NULL;
}

static bool start_members(struct crew *crew, const hwloc_const_cpuset_t *cpus, unsigned count,
			  struct error *err)
{
	for (unsigned i = 0; i < count; i++) {
		struct member *member = &crew->members[i];
		int code;

		*member =
			(struct member){ .crew = crew, .number = i, .cpus = cpus ? cpus[i] : NULL };
		crew->busy++;
		code = pthread_create(&member->thread, NULL, member_main, member);
		if (code) {
			crew->busy--;
			return fail(err, EXIT_NO_MEMORY,
				    "cannot start CPU thread %u: %s; use fewer cpu_threads", i,
				    strerror(code));
		}
		crew->count++;
	}
	return true;
}

static bool all_bound(struct crew *crew, struct error *err)
{
	for (unsigned i = 0; i < crew->count; i++)
		if (!crew->members[i].bound)
			return fail(err, EXIT_UNAVAILABLE,
				    "the kernel refuses to bind CPU thread %u to its CPU; check "
				    "this process's cpuset (taskset -p, cgroup)",
				    i);
	return true;
}

struct crew *crew_create(hwloc_topology_t topology, const hwloc_const_cpuset_t *cpus,
			 unsigned count, struct error *err)
{
	struct crew *crew = calloc(1, sizeof(*crew) + count * sizeof(crew->members[0]));
	bool ok;

	if (!crew) {
		fail(err, EXIT_NO_MEMORY, "out of memory");
		return NULL;
	}
	crew->topology = topology;
	pthread_mutex_init(&crew->lock, NULL);
	pthread_cond_init(&crew->work_there, NULL);
	pthread_cond_init(&crew->work_done, NULL);
	pthread_mutex_lock(&crew->lock);
	ok = start_members(crew, cpus, count, err);
	pthread_mutex_unlock(&crew->lock);
	crew_join(crew);
	if (ok && all_bound(crew, err))
		return crew;
	crew_destroy(crew);
	return NULL;
}

void crew_destroy(struct crew *crew)
{
	if (!crew)
		return;
	pthread_mutex_lock(&crew->lock);
	crew->quit = true;
	pthread_cond_broadcast(&crew->work_there);
	pthread_mutex_unlock(&crew->lock);
	for (unsigned i = 0; i < crew->count; i++)
		pthread_join(crew->members[i].thread, NULL);
	pthread_cond_destroy(&crew->work_done);
	pthread_cond_destroy(&crew->work_there);
	pthread_mutex_destroy(&crew->lock);
	free(crew);
}

void crew_start(struct crew *crew, crew_work *work, void *context)
{
	pthread_mutex_lock(&crew->lock);
	crew->work = work;
	crew->context = context;
	crew->busy = crew->count;
	crew->job++;
	pthread_cond_broadcast(&crew->work_there);
	pthread_mutex_unlock(&crew->lock);
}

void crew_join(struct crew *crew)
{
	pthread_mutex_lock(&crew->lock);
	while (crew->busy)
		pthread_cond_wait(&crew->work_done, &crew->lock);
	pthread_mutex_unlock(&crew->lock);
}
