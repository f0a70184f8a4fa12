/* SPDX-License-Identifier: MIT */
/*
 * Each test in a process of its own.
 *
 * The processes are forked and not executed anew, so that what this program was started
 * with, a preloaded library or another ld.so, is theirs as well. Hence this process never
 * calls OpenCL: implementations do not survive a fork.
 */
#include "supervise.h"

#include "clock.h"
#include "progress.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A test ends itself at its limit; this much later it is ended. */
#define GRACE_S 5.0

static const char *const outcome_words[OUTCOME_COUNT] = {
	[OUTCOME_PASS] = "pass",
	[OUTCOME_PARTIAL] = "partial",
	[OUTCOME_NOT_APPLICABLE] = "not applicable",
	[OUTCOME_FAIL] = "fail",
};

static const int outcome_statuses[OUTCOME_COUNT] = {
	[OUTCOME_PASS] = 0,
	[OUTCOME_PARTIAL] = 78,
	[OUTCOME_NOT_APPLICABLE] = 77,
	[OUTCOME_FAIL] = 1,
};

/* A signal handler has nothing but this to leave word in. */
static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* What a child has written so far. The end is what matters: a verdict is the last line. */
struct output {
	char text[16384];
	size_t size;
};

static void output_add(struct output *output, const char *data, size_t size)
{
	const size_t room = sizeof(output->text) - 1;

	if (output->size + size > room) {
		const size_t drop = output->size + size - room;

		output->size -= drop;
		memmove(output->text, output->text + drop, output->size);
	}
	memcpy(output->text + output->size, data, size);
	output->size += size;
	output->text[output->size] = '\0';
}

/* --- verdicts ---------------------------------------------------------------- */

static bool line_is_verdict(const char *line, struct verdict *verdict)
{
	for (int i = 0; i < OUTCOME_COUNT; i++) {
		const size_t length = strlen(outcome_words[i]);
		const char *rest = line + length;

		if (strncmp(line, outcome_words[i], length))
			continue;
		if (i == OUTCOME_PASS ? *rest : strncmp(rest, ": ", 2) != 0)
			continue;
		verdict->outcome = i;
		snprintf(verdict->reason, sizeof(verdict->reason), "%s", *rest ? rest + 2 : "");
		return true;
	}
	return false;
}

static bool last_line_is_verdict(const char *output, struct verdict *verdict)
{
	char text[sizeof((struct output *)0)->text];
	size_t length;
	char *line;

	snprintf(text, sizeof(text), "%s", output);
	length = strlen(text);
	while (length && text[length - 1] == '\n')
		text[--length] = '\0';
	line = strrchr(text, '\n');
	return line_is_verdict(line ? line + 1 : text, verdict);
}

void verdict_read(struct verdict *verdict, const char *output, int status)
{
	verdict->outcome = OUTCOME_FAIL;
	verdict->reason[0] = '\0';
	if (WIFSIGNALED(status)) {
		snprintf(verdict->reason, sizeof(verdict->reason), "crashed: SIG%s (%s)",
			 sigabbrev_np(WTERMSIG(status)), strsignal(WTERMSIG(status)));
		return;
	}
	if (last_line_is_verdict(output, verdict) &&
	    WEXITSTATUS(status) == outcome_statuses[verdict->outcome])
		return;
	verdict->outcome = OUTCOME_FAIL;
	snprintf(verdict->reason, sizeof(verdict->reason),
		 "ended with status %d and no verdict that goes with it", WEXITSTATUS(status));
}

/* --- one child ---------------------------------------------------------------- */

bool run_here(const struct settings *settings, const struct test *test, struct error *err)
{
	static struct trial trial;

	trial = (struct trial){ .test = test,
				.seconds = settings->seconds,
				.limit = settings->limit };
	if (!cts_open(settings->platform, settings->device, &trial.dev, err))
		return false;
	run_trial(&trial);
}

/* What a child does with the device. */
typedef void child_work(const struct settings *settings, const struct test *test);

_Noreturn static void child_test(const struct settings *settings, const struct test *test)
{
	struct error err = { 0 };

	run_here(settings, test, &err);
	printf("fail: %s\n", err.text);
	fflush(stdout);
	_exit(1);
}

/* Two lines about the device, or one about why there is none. */
_Noreturn static void child_describe(const struct settings *settings, const struct test *test)
{
	struct cts_devices list;
	const struct cts_device *dev;
	struct error err = { 0 };

	(void)test;
	if (cts_list(&list, &err) &&
	    (dev = cts_choose(&list, settings->platform, settings->device, &err)))
		printf("%s of %s\n%s, driver %s, %s\n", dev->name, dev->platform_name, dev->version,
		       dev->driver, dev->platform_version);
	else
		printf("%s\n", err.text);
	fflush(stdout);
	_exit(err.code);
}

static pid_t child_start(child_work *work, const struct settings *settings, const struct test *test,
			 int *out)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		return -1;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		/* A group of its own, for what it starts to be ended with it. */
		setpgid(0, 0);
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		dup2(ends[1], STDOUT_FILENO);
		/* What drivers say there is for --run to show: here it would bury the table. */
		if (!freopen("/dev/null", "w", stderr))
			_exit(EXIT_INTERNAL);
		close(ends[0]);
		close(ends[1]);
		work(settings, test);
	}
	if (pid > 0)
		setpgid(pid, pid);
	close(ends[1]);
	if (pid < 0)
		close(ends[0]);
	*out = ends[0];
	return pid;
}

/* Until it has ended, the time is up or somebody wants to stop: false for these two. */
static bool child_listen(int in, double seconds, struct output *output)
{
	const uint64_t deadline = clock_ns() + (uint64_t)(seconds * 1e9);
	struct pollfd wait = { .fd = in, .events = POLLIN };

	while (!interrupted && clock_ns() < deadline) {
		char data[4096];
		ssize_t size;

		if (poll(&wait, 1, 100) <= 0)
			continue;
		size = read(in, data, sizeof(data));
		if (size > 0)
			output_add(output, data, (size_t)size);
		else if (size == 0 || errno != EINTR)
			return true;
	}
	return false;
}

/* False where it had to be ended. */
static bool child_end(pid_t pid, int in, double seconds, struct output *output, int *status)
{
	const bool ended = child_listen(in, seconds, output);

	/* Its descendants too; what has ended by itself is still there to be waited for. */
	if (!ended)
		kill(-pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	kill(-pid, SIGKILL);
	close(in);
	return ended;
}

static bool describe(const struct settings *settings, struct error *err)
{
	struct output output = { 0 };
	int status;
	int in;
	const pid_t pid = child_start(child_describe, settings, NULL, &in);

	if (pid < 0)
		return fail(err, EXIT_INTERNAL, "cannot start a process: %s", strerror(errno));
	if (!child_end(pid, in, settings->limit + GRACE_S, &output, &status))
		return interrupted ? fail(err, EXIT_INTERRUPTED, "interrupted")
				   : fail(err, EXIT_DEVICE_LOST,
					  "no answer to what devices there are within %g s",
					  settings->limit);
	if (WIFSIGNALED(status))
		return fail(err, EXIT_DEVICE_LOST, "asking for the devices crashed: SIG%s",
			    sigabbrev_np(WTERMSIG(status)));
	output.text[strcspn(output.text, "\n")] = WEXITSTATUS(status) ? '\0' : '\n';
	if (WEXITSTATUS(status))
		return fail(err, WEXITSTATUS(status), "%s", output.text);
	fputs(output.text, stdout);
	return true;
}

static bool run_one(const struct settings *settings, struct verdict *verdict)
{
	struct output output = { 0 };
	int status = 0;
	int in;
	const pid_t pid = child_start(child_test, settings, verdict->test, &in);

	if (pid < 0) {
		verdict->outcome = OUTCOME_FAIL;
		snprintf(verdict->reason, sizeof(verdict->reason), "cannot start a process: %s",
			 strerror(errno));
		return true;
	}
	if (child_end(pid, in, settings->limit + GRACE_S, &output, &status)) {
		verdict_read(verdict, output.text, status);
		return true;
	}
	verdict->outcome = OUTCOME_FAIL;
	snprintf(verdict->reason, sizeof(verdict->reason), "ended after %g s without an answer",
		 settings->limit + GRACE_S);
	return !interrupted;
}

/* --- the table ----------------------------------------------------------------- */

static bool add_line(struct libscols_table *table, const struct verdict *verdict)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);

	return line && !scols_line_set_data(line, 0, verdict->test->name) &&
	       !scols_line_set_data(line, 1, outcome_words[verdict->outcome]) &&
	       !scols_line_set_data(line, 2, verdict->reason);
}

static bool print_table(const struct verdict *verdicts, size_t count)
{
	struct libscols_table *table = scols_new_table();
	bool ok = table && scols_table_new_column(table, "TEST", 0, 0) &&
		  scols_table_new_column(table, "VERDICT", 0, 0) &&
		  scols_table_new_column(table, "REASON", 0, SCOLS_FL_WRAP);

	for (size_t i = 0; ok && i < count; i++)
		ok = add_line(table, &verdicts[i]);
	ok = ok && !scols_print_table(table);
	scols_unref_table(table);
	return ok;
}

static size_t print_counts(const struct verdict *verdicts, size_t count)
{
	size_t counts[OUTCOME_COUNT] = { 0 };

	for (size_t i = 0; i < count; i++)
		counts[verdicts[i].outcome]++;
	printf("\n%zu tests: %zu pass, %zu fail, %zu partial, %zu not applicable\n", count,
	       counts[OUTCOME_PASS], counts[OUTCOME_FAIL], counts[OUTCOME_PARTIAL],
	       counts[OUTCOME_NOT_APPLICABLE]);
	return counts[OUTCOME_FAIL];
}

bool run_all(const struct settings *settings, const struct test *const *tests, size_t count,
	     size_t *failed, struct error *err)
{
	struct verdict *verdicts = calloc(count, sizeof(*verdicts));
	const struct sigaction stop = { .sa_handler = interrupt };
	struct progress progress;
	size_t done = 0;
	bool ok;

	scols_init_debug(0);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	if (!verdicts)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	if (!describe(settings, err)) {
		free(verdicts);
		return false;
	}
	fflush(stdout);
	progress_begin(&progress, count, settings->quiet);
	for (; done < count && !interrupted; done++) {
		verdicts[done].test = tests[done];
		progress_point(&progress, done, tests[done]->name);
		if (!run_one(settings, &verdicts[done]))
			break;
	}
	progress_end(&progress);
	ok = print_table(verdicts, done);
	*failed = print_counts(verdicts, done);
	free(verdicts);
	if (!ok)
		return fail(err, EXIT_NO_MEMORY, "out of memory");
	if (interrupted)
		return fail(err, EXIT_INTERRUPTED, "interrupted after %zu of %zu tests", done,
			    count);
	return true;
}
