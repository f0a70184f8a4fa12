/* SPDX-License-Identifier: MIT */
/*
 * Starting, signalling and reaping the process of a test.
 */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

extern char **environ;

static bool fail_program(struct error *err, const char *program, int reason)
{
	switch (reason) {
	case ENOENT:
	case ENOTDIR:
		return fail(err, EXIT_NO_INPUT, "there is no program %s", program);
	case ENOEXEC:
	case ELIBBAD:
		return fail(err, EXIT_BAD_DATA,
			    "%s is no program for this machine; is it built for another "
			    "architecture?",
			    program);
	default:
		return fail(err, EXIT_NO_INPUT, "cannot start %s: %s", program, strerror(reason));
	}
}

/* A terminal that leaves bytes as they are; -1 where there is none (no /dev/pts). */
static int open_terminal(int *child)
{
	const int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios settings;
	char name[64];

	if (fd < 0)
		return -1;
	*child = -1;
	if (!grantpt(fd) && !unlockpt(fd) && !ptsname_r(fd, name, sizeof(name)))
		*child = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*child < 0 || tcgetattr(*child, &settings)) {
		if (*child >= 0)
			close(*child);
		close(fd);
		return -1;
	}
	cfmakeraw(&settings);
	tcsetattr(*child, TCSANOW, &settings);
	return fd;
}

static int open_output(int *child)
{
	int ends[2];
	int fd = open_terminal(child);

	if (fd < 0 && pipe2(ends, O_CLOEXEC) == 0) {
		fd = ends[0];
		*child = ends[1];
	}
	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return fd;
}

static int spawn(pid_t *pid, const char *const *argv, int output)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none;
	sigset_t all;
	int reason;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
						      POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
	reason = posix_spawnp(pid, argv[0], &files, &attributes, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return reason;
}

bool launch_start(struct launch *launch, const char *const *argv, struct error *err)
{
	int child;
	int reason;

	launch->output = open_output(&child);
	if (launch->output < 0)
		return fail(err, EXIT_NO_MEMORY, "cannot start %s: %s", argv[0], strerror(errno));
	reason = spawn(&launch->pid, argv, child);
	close(child);
	if (reason == 0)
		return true;
	close(launch->output);
	return fail_program(err, argv[0], reason);
}

void launch_signal(const struct launch *launch, int number)
{
	kill(-launch->pid, number);
}

bool launch_ended(const struct launch *launch)
{
	siginfo_t info = { 0 };

	/* Not reaped, so that the number of the process and of its group stay its own. */
	return waitid(P_PID, (id_t)launch->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == launch->pid;
}

ssize_t launch_read(const struct launch *launch, char *bytes, size_t size)
{
	const ssize_t got = read(launch->output, bytes, size);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/* A terminal that nobody holds any more answers with an error, a pipe with nothing. */
	return got > 0 ? got : -1;
}

int launch_reap(struct launch *launch)
{
	int status = 0;

	kill(-launch->pid, SIGKILL);
	while (waitpid(launch->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}
