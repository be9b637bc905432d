/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pid 1 for programs that are none: it passes signals on, reaps what nobody
 * waits for, and ends with the program's own exit code. It is a fork of the
 * runtime that has given up everything the program has given up; before the
 * program runs, what the runtime had in its environment is wiped.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"
#include "sync.h"
#include "syscalls.h"

#define EXIT_NOT_STARTED 127

static _Noreturn void become_program(const struct launch *launch, const sigset_t *signals)
{
	struct error err = { 0 };
	(void)setpgid(0, 0);
	if (launch->process->terminal)
		(void)tcsetpgrp(0, getpgrp());
	sigprocmask(SIG_UNBLOCK, signals, NULL);
	(void)signal(SIGTTOU, SIG_DFL);
	(void)program_execute(launch->process, &err);
	sync_send_error(launch->sync_fd, &err);
	_exit(EXIT_NOT_STARTED);
}

static int exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Reaps all that has ended; ends with the program. */
static void reap(pid_t program)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);
		if (pid <= 0)
			return;
		if (pid == program)
			_exit(exit_code(status));
	}
}

/* /proc/1 may be read from inside: the runtime's own environment is no business of theirs. */
static void wipe_environment(void)
{
	for (char **item = environ; item && *item; item++)
		explicit_bzero(*item, strlen(*item));
	(void)prctl(PR_SET_NAME, "wherry-init", 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

_Noreturn void init_run(const struct launch *launch)
{
	sigset_t signals;
	sigfillset(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGTTOU, SIG_IGN);
	wipe_environment();
	pid_t program = fork();
	if (program == 0)
		become_program(launch, &signals);
	if (program < 0) {
		struct error err = { 0 };
		error_set_errno(&err, errno, "starting the program");
		sync_send_error(launch->sync_fd, &err);
		_exit(EXIT_NOT_STARTED);
	}
	(void)sys_close_range(0, ~0u, 0);
	for (;;) {
		int number = sigwaitinfo(&signals, NULL);
		if (number == SIGCHLD)
			reap(program);
		else if (number > 0)
			(void)kill(program, number);
	}
}
