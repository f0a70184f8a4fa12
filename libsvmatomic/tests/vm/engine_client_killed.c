// SPDX-License-Identifier: MIT
/*
 * An engine ends with its client: when that exits, is killed, or executes something else,
 * whether the engine works or not. It does not end with the thread that started it; and a
 * child of the client has no part in it.
 */
#include "vm.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

enum how { BY_EXIT, BY_KILL, BY_EXEC, BY_SEGV, HOWS };

static void hang(void *argument, unsigned int thread)
{
	(void)argument;
	(void)thread;
	for (;;)
		;
}

static void count(void *argument, unsigned int thread)
{
	(void)thread;
	atomic_fetch_add((_Atomic int *)argument, 1);
}

static void be_client(enum how how, int tell, int works)
{
	struct svma_engine *engine = start_engine(open_vsvm(), 2);
	const int pid = pid_of(engine);

	if (works)
		equal(svma_engine_launch(engine, hang, NULL), 0);
	if (write(tell, &pid, sizeof(pid)) != sizeof(pid))
		_exit(1);
	switch (how) {
	case BY_EXIT:
		exit(0);
	case BY_KILL:
		kill(getpid(), SIGKILL);
		break;
	case BY_EXEC:
		execl("/proc/self/exe", "engine_client_killed", "sleep", NULL);
		break;
	case BY_SEGV:
		signal(SIGSEGV, SIG_DFL);
		raise(SIGSEGV);
		break;
	case HOWS:
		break;
	}
	_exit(1);
}

/* Whether the process ends within 10 s; one that only waits to be reaped has ended. */
static int ends(int pid)
{
	char path[64], line[256], *state;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int i = 0; i < 1000; i++) {
		file = fopen(path, "re");
		if (!file)
			return 1;
		state = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
		fclose(file);
		if (!state || state[2] == 'Z' || state[2] == 'X')
			return 1;
		usleep(10000);
	}
	return 0;
}

static void try(enum how how, int works)
{
	int pipes[2], engine, status;
	pid_t client;

	check(!pipe(pipes));
	client = fork();
	if (!client)
		be_client(how, pipes[1], works);
	close(pipes[1]);
	if (read(pipes[0], &engine, sizeof(engine)) != sizeof(engine))
		fail("the client has no engine");
	/* The engine has nothing of this open: this is the end of the pipe. */
	if (how != BY_EXEC)
		equal(read(pipes[0], &status, sizeof(status)), 0);
	if (!ends(engine))
		fail("an engine outlives its client (%d, %d)", how, works);
	close(pipes[0]);
	kill(client, SIGKILL);
	waitpid(client, &status, 0);
}

static struct svma_device *device;

static void *start_it(void *argument)
{
	*(struct svma_engine **)argument = start_engine(device, 1);
	return NULL;
}

static void outlives_thread(void)
{
	_Atomic int counter = 0;
	struct svma_engine *engine;
	pthread_t thread;
	int status;
	pid_t pid;

	device = open_vsvm();
	check(!pthread_create(&thread, NULL, start_it, &engine));
	pthread_join(thread, NULL);
	usleep(50000);
	run_engine(engine, count, (void *)&counter);
	equal(counter, 1);

	pid = fork();
	if (!pid) {
		struct svma_engine_status foreign;

		equal(svma_engine_launch(engine, count, (void *)&counter), -ESRCH);
		equal(svma_engine_wait(engine, 0, &foreign), -ESRCH);
		equal(foreign.reason, SVMA_REASON_FOREIGN);
		equal(svma_engine_run(engine, count, (void *)&counter, &foreign), -ESRCH);
		svma_engine_stop(engine);
		svma_close(device);
		exit(0);
	}
	run_engine(engine, count, (void *)&counter);
	check(waitpid(pid, &status, 0) == pid);
	equal(status, 0);
	run_engine(engine, count, (void *)&counter);
	equal(counter, 3);
	svma_engine_stop(engine);
	svma_close(device);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "sleep"))
		return (int)sleep(30);
	svma_close(open_vsvm());
	for (int how = BY_EXIT; how < HOWS; how++)
		for (int works = 0; works < 2; works++)
			try((enum how)how, works);
	outlives_thread();
	return 0;
}
