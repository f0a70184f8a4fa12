/* SPDX-License-Identifier: MIT */
/*
 * Clients are killed at random moments, from their first instruction to kernels that run: each
 * ends, its engine too, and the device is as good as before. OpenCL's take seconds to start; those
 * of the library alone, milliseconds, and are killed more often. killed [OPENCL [LIBRARY]]
 */
#include "stack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svmatomic-engine.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* The first client of all compiles the library of OpenCL C. */
enum { ITEMS = 16, TIMES = 20000, PATIENCE_MS = 30000, START_US = 300000000 };

extern char **environ;

/* A kernel and the CPU on one word, both to the end. */
static void sum_once(cl_kernel add, atomic_uint *word)
{
	const unsigned before = atomic_load(word);
	cl_command_queue queue = new_queue();
	cl_event event = launch(queue, add, ITEMS, 1);

	for (int i = 0; i < TIMES; i++)
		atomic_fetch_add(word, 1);
	must(ended(event), "a kernel");
	clReleaseCommandQueue(queue);
	CHECK(atomic_load(word) - before == (ITEMS + 1) * TIMES, "a sum of %u, not %u",
	      atomic_load(word) - before, (ITEMS + 1) * TIMES);
}

/* Standard input is a pipe. */
static void say_that_it_runs(void)
{
	CHECK(write(STDIN_FILENO, "", 1) == 1, "nobody listens");
}

/* What is killed. */
_Noreturn static void opencl_client(void)
{
	atomic_uint *word = shared(PAGE);
	cl_kernel add = adding(word, TIMES);

	sum_once(add, word);
	say_that_it_runs();
	for (;;)
		sum_once(add, word);
}

static void add_there(void *word, unsigned int thread)
{
	(void)thread;
	for (int i = 0; i < TIMES; i++)
		atomic_fetch_add((atomic_uint *)word, 1);
}

static void library_sum_once(struct svma_engine *engine, atomic_uint *word)
{
	atomic_store(word, 0);
	CHECK(!svma_engine_launch(engine, add_there, word), "no launch");
	add_there(word, 0);
	CHECK(!svma_engine_wait(engine, -1, NULL), "the engine failed");
	CHECK(atomic_load(word) == 3 * TIMES, "a sum of %u, not %u", atomic_load(word), 3 * TIMES);
}

_Noreturn static void library_client(void)
{
	static _Alignas(PAGE) atomic_uint word[PAGE / sizeof(atomic_uint)];
	struct svma_device *device;
	struct svma_engine *engine;

	CHECK(!svma_open(&device, SVMA_OPEN_VIRTUAL), "no virtual device");
	CHECK(!svma_engine_start(&engine, device, 2, NULL, NULL), "no engine");
	library_sum_once(engine, word);
	say_that_it_runs();
	for (;;)
		library_sum_once(engine, word);
}

/* Returns the end of the pipe on which it says that it runs. */
static int start_client(char *self, char *kind, pid_t *pid)
{
	char *const arguments[] = { self, kind, NULL };
	posix_spawn_file_actions_t files;
	int ends[2];

	CHECK(!pipe2(ends, O_CLOEXEC | O_NONBLOCK), "no pipe: %s", strerror(errno));
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, ends[1], STDIN_FILENO);
	CHECK(!posix_spawn(pid, self, &files, NULL, arguments, environ), "no %s", self);
	posix_spawn_file_actions_destroy(&files);
	close(ends[1]);
	return ends[0];
}

static bool runs(int pipe)
{
	char byte;

	return read(pipe, &byte, 1) == 1;
}

/* The client's engine is handed on to us, its subreaper, and is to end as well. */
static void all_end(pid_t client)
{
	int status;

	for (int i = 0; i < PATIENCE_MS; i++) {
		const pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid < 0)
			return;
		CHECK(pid != client || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL),
		      "a client ended by itself, with %#x", status);
		if (pid == 0)
			usleep(1000);
	}
	broken("SIGKILL does not end a client, or not its engine");
}

static void await_running(int pipe)
{
	const unsigned from = now_us();

	while (!runs(pipe)) {
		CHECK(now_us() - from < START_US, "a client does not get to run a kernel");
		usleep(1000);
	}
}

static void kill_now(pid_t pid, int pipe)
{
	kill(pid, SIGKILL);
	all_end(pid);
	close(pipe);
}

/* How long it takes until the first kernel has run, in microseconds. */
static unsigned usual_us(char *self, char *kind)
{
	const unsigned from = now_us();
	unsigned took;
	pid_t pid;
	const int pipe = start_client(self, kind, &pid);

	await_running(pipe);
	took = now_us() - from;
	kill_now(pid, pipe);
	return took;
}

/* Some time after it was started, or after it had run a kernel. */
static void kill_once(char *self, char *kind, bool running, unsigned within_us)
{
	pid_t pid;
	const int pipe = start_client(self, kind, &pid);

	if (running)
		await_running(pipe);
	usleep(random_below(within_us));
	kill_now(pid, pipe);
}

/* Half of them while they start. */
static void kill_clients(char *self, char *kind, unsigned times)
{
	unsigned within_us;

	usual_us(self, kind); /* fills caches */
	within_us = usual_us(self, kind);
	for (unsigned i = 1; i <= times; i++) {
		kill_once(self, kind, i % 2, within_us);
		if (i % 100 && i < times)
			continue;
		printf("%u clients of %s killed, every other one while it ran kernels\n", i, kind);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	char opencl[] = "OpenCL";
	char library[] = "libsvmatomic";
	atomic_uint *word;

	if (argc > 1 && !strcmp(argv[1], opencl))
		opencl_client();
	if (argc > 1 && !strcmp(argv[1], library))
		library_client();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	kill_clients(argv[0], library, argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 100);
	kill_clients(argv[0], opencl, argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10);
	vsvm();
	word = shared(PAGE);
	sum_once(adding(word, TIMES), word);
	return 0;
}
