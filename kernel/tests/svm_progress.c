// SPDX-License-Identifier: MIT
/*
 * Two devices and two CPUs add to one word without pause: each gets something done in
 * bounded time, a device keeps a page for its hold, and no addition is lost.
 *
 *	svm_progress [SECONDS [HOLD DEVICES CPUS]]
 *
 * SECONDS is how long each case takes at least. With a hold, in nanoseconds, only that
 * case is run, with so many devices and CPUs.
 *
 * How long a party may take is said in holds and in schedulings. Where the machine is
 * slow, emulated or busy, the scheduler's part outweighs all holds; so before and after
 * each case, the same parties have pages of their own and need nobody: the longest that
 * one of them is kept from running is what a scheduling takes here and now. As a machine
 * can be kept from running itself, a witness on each CPU, which sleeps most of the time,
 * says how long it was during the case.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <drm/vsvm_drm.h>

#include "kselftest.h"

#define MAX_DEVICES   8
#define MAX_CPUS      8
#define MAX_WITNESSES 64
#define MAX_PARTIES   (MAX_DEVICES + MAX_CPUS)
/* Apart is further than a CPU's fault looks around. */
#define APART	      (32 * 4096UL)
#define AREA_SIZE     (MAX_PARTIES * APART)
#define SECONDS	      4
#define MOST_SECONDS  30
#define HUNG_SECONDS  120

/*
 * What may pass until a party that wants the word has added to it. A device waits for
 * its turn to end and for the holds of the other devices, a CPU for all their holds. It
 * can lose the page again before it has used it, to a device that has waited as well, or
 * since it was not scheduled meanwhile. That is improbable to happen many times in a row.
 */
#define ROUNDS	      8
/* How often it, and those that it waits for, have to be woken up and scheduled by then. */
#define SCHEDULINGS   16

#define IOCTL(name)   DRM_IOCTL_SVM_ATOMIC_##name(DRM_VSVM_SVM_ATOMIC_BASE)
#define HOLD_DEFAULT  UINT64_MAX

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* --- Parties --- */

/* Of 2^i to 2^(i+1) nanoseconds there are four counters. */
#define STEPS	 4
#define BUCKETS	 (40 * STEPS)
/* A fault takes longer than that, and an addition without one hardly ever. */
#define SHORT_NS 2000

/*
 * A CPU thread or an engine. @waits are the times between two additions in which it
 * faulted, and @robbed counts those in which it had to fault again.
 */
struct party {
	uint64_t done;
	uint64_t longest_ns;
	uint64_t most_faults;
	uint64_t nwaits;
	uint64_t robbed;
	uint64_t waits[BUCKETS];
} __attribute__((aligned(64)));

struct shared {
	atomic_int ready;
	atomic_int go;
	atomic_int stop;
	uint64_t began_ns;
	uint64_t took_ns;
	struct party parties[MAX_PARTIES];
};

static struct shared *shared;

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int log = ns < STEPS ? 2 : 63 - __builtin_clzll(ns);
	unsigned int bucket = log * STEPS + (ns >> (log - 2)) % STEPS;

	return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static uint64_t bucket_ns(unsigned int bucket)
{
	return (uint64_t)(STEPS + bucket % STEPS) << (bucket / STEPS - 2);
}

static uint64_t faults_of_thread(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

/* An addition took long: was that for the want of the page? */
static void note_wait(struct party *party, uint64_t ns, uint64_t *faults)
{
	uint64_t before = *faults, n;

	*faults = faults_of_thread();
	n = *faults - before;
	if (!n)
		return;
	if (n > party->most_faults)
		party->most_faults = n;
	party->nwaits++;
	party->robbed += n > 1;
	party->waits[bucket_of(ns)]++;
}

static void add_until_stopped(struct party *party, _Atomic uint64_t *word)
{
	uint64_t last, now, faults = faults_of_thread();

	shared->ready++;
	while (!shared->go)
		sched_yield();
	last = shared->began_ns;
	while (!shared->stop) {
		atomic_fetch_add(word, 1);
		now = now_ns();
		if (now - last > party->longest_ns)
			party->longest_ns = now - last;
		if (now - last > SHORT_NS) {
			note_wait(party, now - last, &faults);
			now = now_ns();
		}
		last = now;
		party->done++;
	}
}

/* The wait that @part of all waits do not exceed. */
static uint64_t wait_of(const struct party *party, double part)
{
	uint64_t n = 0;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++) {
		n += party->waits[i];
		if (n && n >= part * party->nwaits)
			return bucket_ns(i);
	}
	return 0;
}

/* --- Witnesses --- */

#define WITNESS_SLEEP_NS 1000000

struct witness {
	pthread_t thread;
	uint64_t latest_ns;
};

static struct witness witnesses[MAX_WITNESSES];
static int nwitnesses;

static void *be_witness(void *arg)
{
	static const struct timespec nap = { .tv_nsec = WITNESS_SLEEP_NS };
	struct witness *witness = arg;
	uint64_t late, last = now_ns();

	while (!shared->stop) {
		nanosleep(&nap, NULL);
		late = now_ns() - last - WITNESS_SLEEP_NS;
		if (late > witness->latest_ns)
			witness->latest_ns = late;
		last = now_ns();
	}
	return NULL;
}

static void start_witness(int cpu)
{
	struct witness *witness = &witnesses[nwitnesses++];
	pthread_attr_t attributes;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	witness->latest_ns = 0;
	pthread_attr_init(&attributes);
	pthread_attr_setaffinity_np(&attributes, sizeof(set), &set);
	if (pthread_create(&witness->thread, &attributes, be_witness, witness))
		ksft_exit_fail_msg("cannot start a thread on CPU %d\n", cpu);
	pthread_attr_destroy(&attributes);
}

static void start_witnesses(void)
{
	cpu_set_t set;
	int cpu;

	nwitnesses = 0;
	if (sched_getaffinity(0, sizeof(set), &set))
		ksft_exit_fail_perror("sched_getaffinity");
	for (cpu = 0; cpu < CPU_SETSIZE && nwitnesses < MAX_WITNESSES; cpu++)
		if (CPU_ISSET(cpu, &set))
			start_witness(cpu);
}

/* How long the machine did not run, at the longest. */
static uint64_t join_witnesses(void)
{
	uint64_t latest = 0;
	int i;

	for (i = 0; i < nwitnesses; i++) {
		pthread_join(witnesses[i].thread, NULL);
		if (witnesses[i].latest_ns > latest)
			latest = witnesses[i].latest_ns;
	}
	return latest;
}

/* --- A run --- */

struct setup {
	const char *name;
	uint64_t hold_ns; /* or HOLD_DEFAULT */
	int ndevices;
	int ncpus;
	bool apart;
};

struct device {
	int fd;
	pid_t engine;
	struct drm_svm_atomic_query query;
};

struct cpu {
	pthread_t thread;
	struct party *party;
	void *word;
};

static char *area;
static struct device devices[MAX_DEVICES];
static struct cpu cpus[MAX_CPUS];

static void *be_cpu(void *arg)
{
	struct cpu *cpu = arg;

	add_until_stopped(cpu->party, cpu->word);
	return NULL;
}

static void be_engine(int fd, struct party *party, size_t offset)
{
	char *mine = mmap(NULL, AREA_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)area);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mine == MAP_FAILED)
		_exit(1);
	add_until_stopped(party, (void *)(mine + offset));
	_exit(0);
}

static int open_device(int i)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/dri/renderD%d", 128 + i);
	return open(path, O_RDWR | O_CLOEXEC);
}

static size_t offset_of(const struct setup *setup, int party)
{
	return setup->apart ? party * APART : 0;
}

static void start_device(const struct setup *setup, int i)
{
	struct drm_svm_atomic_set_policy policy = {
		.start = (uintptr_t)area,
		.length = AREA_SIZE,
		.mode = DRM_SVM_ATOMIC_MODE_HOLD,
		.hold_ns = setup->hold_ns,
	};
	struct drm_vsvm_init init = { 0 };
	struct device *device = &devices[i];

	device->fd = open_device(i);
	if (device->fd < 0 || ioctl(device->fd, DRM_IOCTL_VSVM_INIT, &init))
		ksft_exit_fail_perror("cannot bind a device");
	if (setup->hold_ns != HOLD_DEFAULT && ioctl(device->fd, IOCTL(SET_POLICY), &policy))
		ksft_exit_fail_perror("cannot set a policy");
	device->engine = fork();
	if (!device->engine)
		be_engine(device->fd, &shared->parties[i], offset_of(setup, i));
}

static void start_cpu(const struct setup *setup, int i)
{
	int party = setup->ndevices + i;

	cpus[i].party = &shared->parties[party];
	cpus[i].word = area + offset_of(setup, party);
	if (pthread_create(&cpus[i].thread, NULL, be_cpu, &cpus[i]))
		ksft_exit_fail_msg("cannot start a thread\n");
}

static void await_ready(int nparties)
{
	while (shared->ready < nparties) {
		if (waitpid(-1, NULL, WNOHANG) > 0)
			ksft_exit_fail_msg("an engine died\n");
		usleep(1000);
	}
}

static void stop_device(struct device *device)
{
	int status;

	if (waitpid(device->engine, &status, 0) != device->engine || status)
		ksft_exit_fail_msg("an engine ended with status %#x\n", status);
	device->query = (struct drm_svm_atomic_query){ 0 };
	if (ioctl(device->fd, IOCTL(QUERY), &device->query))
		ksft_exit_fail_perror("cannot query a device");
	close(device->fd);
}

/*
 * Have all parties add for a while; what came of it is in shared and devices. An
 * addition that is under way at the end is completed, and timed as any other. Returns
 * how long the machine did not run meanwhile.
 */
static uint64_t run(const struct setup *setup, double seconds)
{
	uint64_t stalled;
	int i;

	memset(shared, 0, sizeof(*shared));
	memset(area, 0, AREA_SIZE);
	for (i = 0; i < setup->ndevices; i++)
		start_device(setup, i);
	for (i = 0; i < setup->ncpus; i++)
		start_cpu(setup, i);
	await_ready(setup->ndevices + setup->ncpus);
	start_witnesses();
	alarm(seconds + HUNG_SECONDS);
	shared->began_ns = now_ns();
	shared->go = 1;
	usleep(seconds * 1e6);
	shared->stop = 1;
	for (i = 0; i < setup->ncpus; i++)
		pthread_join(cpus[i].thread, NULL);
	for (i = 0; i < setup->ndevices; i++)
		stop_device(&devices[i]);
	shared->took_ns = now_ns() - shared->began_ns;
	stalled = join_witnesses();
	alarm(0);
	return stalled;
}

/* --- What came of it --- */

static uint64_t longest_of_all(const struct setup *setup)
{
	uint64_t longest = 0;
	int i;

	for (i = 0; i < setup->ndevices + setup->ncpus; i++)
		if (shared->parties[i].longest_ns > longest)
			longest = shared->parties[i].longest_ns;
	return longest;
}

static void print_party(const struct party *party, const char *what, int i, double seconds)
{
	ksft_print_msg("%s %d: %lu additions, %.0f/s; longest gap %.1f ms; %lu waits, "
		       "%lu of them robbed, at most %lu faults; half of them up to %.1f us, 90%% "
		       "%.1f us\n",
		       what, i, (unsigned long)party->done, party->done / seconds,
		       party->longest_ns / 1e6, (unsigned long)party->nwaits,
		       (unsigned long)party->robbed, (unsigned long)party->most_faults,
		       wait_of(party, .5) / 1e3, wait_of(party, .9) / 1e3);
}

static void print_device(int i)
{
	const struct drm_svm_atomic_counters *counters = &devices[i].query.counters;

	ksft_print_msg("device %d: got %lu pages, lost %lu to a CPU and %lu to a device; "
		       "%lu waits for its hold, %lu for its turn, %lu retries\n",
		       i, (unsigned long)counters->acquired,
		       (unsigned long)counters->revoked[DRM_SVM_ATOMIC_BY_CPU],
		       (unsigned long)counters->revoked[DRM_SVM_ATOMIC_BY_DEVICE],
		       (unsigned long)counters->waits_cpu, (unsigned long)counters->waits_device,
		       (unsigned long)counters->retries);
}

static void print_figures(const struct setup *setup, double seconds)
{
	int i;

	for (i = 0; i < setup->ndevices; i++) {
		print_party(&shared->parties[i], "device", i, seconds);
		print_device(i);
	}
	for (i = 0; i < setup->ncpus; i++)
		print_party(&shared->parties[setup->ndevices + i], "CPU", i, seconds);
}

static bool is_sum_exact(const struct setup *setup)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < setup->ndevices + setup->ncpus; i++)
		sum += shared->parties[i].done;
	return *(volatile uint64_t *)area == sum;
}

/* Pages that were lost certainly before the hold's end: the histogram's steps are wide. */
static uint64_t lost_early(const struct setup *setup, uint64_t hold_ns)
{
	uint64_t n = 0;
	int i, log;

	for (i = 0; i < setup->ndevices; i++)
		for (log = 0; log < 31 && 2ULL << log <= hold_ns; log++)
			n += devices[i].query.counters.held[log];
	return n;
}

static uint64_t most_acquired(const struct setup *setup)
{
	uint64_t most = 0;
	int i;

	for (i = 0; i < setup->ndevices; i++)
		if (devices[i].query.counters.acquired > most)
			most = devices[i].query.counters.acquired;
	return most;
}

/* Which hold the devices of the last run had. */
static uint64_t hold_of(const struct setup *setup)
{
	if (setup->hold_ns == HOLD_DEFAULT)
		return devices[0].query.default_hold_ns;
	return setup->hold_ns;
}

/* Half of a CPU's waits take so long at most. */
static uint64_t usual_wait(const struct setup *setup)
{
	uint64_t longest = 0, ns;
	int i;

	for (i = 0; i < setup->ncpus; i++) {
		ns = wait_of(&shared->parties[setup->ndevices + i], .5);
		if (ns > longest)
			longest = ns;
	}
	return longest;
}

struct outcome {
	uint64_t longest_ns;
	uint64_t usual_wait_ns;
	uint64_t took_ns;
	uint64_t lost_early;
	uint64_t acquired;
	bool is_exact;
};

static struct outcome outcome_of(const struct setup *setup, uint64_t hold_ns)
{
	return (struct outcome){
		.longest_ns = longest_of_all(setup),
		.usual_wait_ns = usual_wait(setup),
		.took_ns = shared->took_ns,
		.lost_early = lost_early(setup, hold_ns),
		.acquired = most_acquired(setup),
		.is_exact = is_sum_exact(setup),
	};
}

/* --- Cases --- */

/* How long a party that needs nobody is kept from running. */
static uint64_t measure_scheduling(struct setup setup, double seconds)
{
	setup.apart = true;
	run(&setup, seconds);
	return longest_of_all(&setup);
}

static uint64_t bound_of(const struct setup *setup, uint64_t hold_ns, uint64_t scheduling_ns)
{
	return ROUNDS * (setup->ndevices + 1) * hold_ns + SCHEDULINGS * scheduling_ns;
}

static void check_progress(const struct setup *setup, const struct outcome *outcome,
			   uint64_t bound_ns)
{
	ksft_print_msg("%s: the longest gap is %.1f ms, the bound %.1f ms\n", setup->name,
		       outcome->longest_ns / 1e6, bound_ns / 1e6);
	if (bound_ns >= outcome->took_ns)
		ksft_test_result_skip("%s: progress, it is too slow here to tell\n", setup->name);
	else
		ksft_test_result(outcome->longest_ns <= bound_ns, "%s: progress\n", setup->name);
}

static void check_hold(const struct setup *setup, const struct outcome *outcome, uint64_t hold_ns,
		       uint64_t scheduling_ns)
{
	uint64_t usual = setup->ndevices * hold_ns + scheduling_ns;
	uint64_t most = 1 + outcome->took_ns / (2 * hold_ns);

	check_progress(setup, outcome, bound_of(setup, hold_ns, scheduling_ns));
	ksft_print_msg("%s: %lu pages were lost early, a device got %lu of %lu that it may, "
		       "half of a CPU's waits took up to %.1f ms of %.1f\n",
		       setup->name, (unsigned long)outcome->lost_early,
		       (unsigned long)outcome->acquired, (unsigned long)most,
		       outcome->usual_wait_ns / 1e6, usual / 1e6);
	ksft_test_result(!outcome->lost_early, "%s: held\n", setup->name);
	/* A device has a page for a hold, and then leaves it alone for as long. */
	ksft_test_result(outcome->acquired <= most, "%s: turns\n", setup->name);
	ksft_test_result(outcome->usual_wait_ns <= usual, "%s: waits\n", setup->name);
}

static uint64_t longer(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void test_setup(const struct setup *setup, double seconds)
{
	uint64_t scheduling = measure_scheduling(*setup, seconds / 8), after, stalled;
	uint64_t hold = hold_of(setup);
	double enough = 2 * bound_of(setup, hold, scheduling) / 1e9;
	struct outcome outcome;

	/* Long enough to see a party starve, if that is not too long. */
	if (seconds < enough)
		seconds = enough < MOST_SECONDS ? enough : MOST_SECONDS;
	stalled = run(setup, seconds);
	ksft_print_msg("%s: hold %.1f us, %.1f s\n", setup->name, hold / 1e3, seconds);
	print_figures(setup, seconds);
	outcome = outcome_of(setup, hold);

	after = measure_scheduling(*setup, seconds / 8);
	ksft_print_msg("%s: a scheduling took up to %.1f ms before, %.1f ms after; the machine "
		       "did not run for up to %.1f ms\n",
		       setup->name, scheduling / 1e6, after / 1e6, stalled / 1e6);
	scheduling = longer(scheduling, longer(after, stalled));
	/* Of no hold nothing is promised: each gets the page when the other is slow. */
	if (hold)
		check_hold(setup, &outcome, hold, scheduling);
	ksft_test_result(outcome.is_exact, "%s: sum\n", setup->name);
}

static void test_all(double seconds)
{
	static const struct setup setups[] = {
		{ "default hold", HOLD_DEFAULT, 2, 2 },
		{ "no hold", 0, 2, 2 },
		{ "1 ms", 1000000, 2, 2 },
		{ "10 ms", 10000000, 2, 2 },
	};
	size_t i;

	ksft_set_plan(16);
	for (i = 0; i < ARRAY_SIZE(setups); i++)
		test_setup(&setups[i], seconds);
}

static void test_one(char **args, double seconds)
{
	struct setup setup = { "this", strtoull(args[0], NULL, 0), atoi(args[1]), atoi(args[2]) };

	if (setup.ndevices < 1 || setup.ndevices > MAX_DEVICES || setup.ncpus < 1 ||
	    setup.ncpus > MAX_CPUS)
		ksft_exit_fail_msg("give 1 to %d devices and 1 to %d CPUs\n", MAX_DEVICES,
				   MAX_CPUS);
	ksft_set_plan(setup.hold_ns ? 5 : 1);
	test_setup(&setup, seconds);
}

static void make_memory(void)
{
	area = mmap(NULL, AREA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (area == MAP_FAILED || shared == MAP_FAILED)
		ksft_exit_fail_perror("mmap");
	/* An engine is a child, and is to have no part in its client's pages. */
	madvise(area, AREA_SIZE, MADV_DONTFORK);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : SECONDS;
	int fd;

	ksft_print_header();
	if (seconds <= 0 || (argc > 2 && argc != 5))
		ksft_exit_fail_msg("usage: svm_progress [SECONDS [HOLD DEVICES CPUS]]\n");
	fd = open_device(1);
	if (fd < 0)
		ksft_exit_skip("vsvm has one device only, or none; load it with devices=2\n");
	close(fd);
	make_memory();
	if (argc > 2)
		test_one(argv + 2, seconds);
	else
		test_all(seconds);
	ksft_finished();
}
