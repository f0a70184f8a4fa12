/* SPDX-License-Identifier: MIT */
/*
 * fork(), a temporary file for the document, a deadline.
 */
#include "clock.h"

#include "children.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_NS 5000000u

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* Ctrl-C reaches both; the parent is to clean up and report. */
static void catch_interrupts(void)
{
	const struct sigaction action = { .sa_handler = interrupt };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static int await(pid_t child, double limit, bool *late)
{
	const uint64_t deadline = clock_ns() + (uint64_t)(limit * 1e9);
	int status;

	*late = false;
	while (waitpid(child, &status, WNOHANG) == 0) {
		if (clock_ns() > deadline || interrupted) {
			*late = !interrupted;
			kill(child, SIGKILL);
			waitpid(child, &status, 0);
			break;
		}
		clock_sleep_until(clock_ns() + LOOK_NS);
	}
	return status;
}

static json_t *failed(const struct test *test, const char *format, long number)
{
	char reason[160];

	snprintf(reason, sizeof(reason), format, number);
	return json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:[], s:[]}}", "test", "name", test->name,
			 "summary", test->summary, "verdict", "fail", "reason", reason, "file",
			 test->file, "programs", "mutants");
}

static json_t *judge_child(const struct test *test, int status, bool late, double limit, FILE *out,
			   struct error *err)
{
	json_t *document;

	if (interrupted) {
		fail(err, EXIT_INTERRUPTED, "interrupted");
		return NULL;
	}
	if (late)
		return failed(test, "did not end within %ld seconds", (long)limit);
	if (WIFSIGNALED(status))
		return failed(test, "crashed with signal %ld", WTERMSIG(status));
	rewind(out);
	document = json_loadf(out, 0, NULL);
	if (document)
		return document;
	if (WEXITSTATUS(status) == EXIT_DEVICE_LOST)
		return failed(test, "the device failed, see above (exit status %ld)",
			      WEXITSTATUS(status));
	fail(err, WEXITSTATUS(status) ? (enum exit_code)WEXITSTATUS(status) : EXIT_INTERNAL, "%s",
	     "");
	return NULL;
}

json_t *child_run(const struct test *test, double limit, child_work *work, void *context,
		  struct error *err)
{
	FILE *out = tmpfile();
	json_t *document = NULL;
	pid_t child;
	bool late;
	int status;

	if (!out) {
		fail(err, EXIT_CANNOT_CREATE, "cannot create a temporary file: %s",
		     strerror(errno));
		return NULL;
	}
	catch_interrupts();
	fflush(NULL);
	child = fork();
	if (child == 0) {
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		status = (int)work(test, out, context);
		/* The driver of a lost device may hang in its exit handlers. */
		fflush(NULL);
		_exit(status);
	}
	if (child < 0) {
		fail(err, EXIT_NO_MEMORY, "cannot start a process: %s", strerror(errno));
	} else {
		status = await(child, limit, &late);
		document = judge_child(test, status, late, limit, out, err);
	}
	fclose(out);
	return document;
}
