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
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "launch.h"
#include "sync.h"
#include "syscalls.h"

#define EXIT_NOT_STARTED 127
#define INIT_NAME "wherry-init"
#define STAT_SIZE_MAX 4096

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

/* Where the kernel shows a command line and an environment: fields of /proc/self/stat. */
struct shown {
	unsigned long arg_start, arg_end, env_start, env_end;
};

static bool find_shown(struct shown *ret)
{
	enum { FIRST = 48 - 2 }; /* arg_start is field 48; ours begin at field 3 */
	auto_free char *stat = NULL;
	size_t size;
	struct error ignored = { 0 };
	if (file_read("/proc/self/stat", STAT_SIZE_MAX, &stat, &size, &ignored) < 0)
		return false;
	char *save = NULL, *name_end = strrchr(stat, ')');
	unsigned long values[4];
	char *word = name_end ? strtok_r(name_end + 1, " ", &save) : NULL;
	for (int i = 1; word && i < FIRST + 4; i++, word = strtok_r(NULL, " ", &save))
		if (i >= FIRST)
			values[i - FIRST] = strtoul(word, NULL, 10);
	if (!name_end || !word)
		return false;
	*ret = (struct shown){ values[0], values[1], values[2], values[3] };
	return ret->arg_start && ret->arg_end > ret->arg_start && ret->env_end >= ret->env_start;
}

/* /proc/1 may be read from inside: how the runtime was called is no business of theirs. */
static void wipe_traces(void)
{
	struct shown shown;
	(void)prctl(PR_SET_NAME, INIT_NAME, 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (!find_shown(&shown))
		return; /* no /proc in there, or one without these fields: then nothing is shown */
	char *arguments = (char *)shown.arg_start;
	size_t size = shown.arg_end - shown.arg_start;
	explicit_bzero((char *)shown.env_start, shown.env_end - shown.env_start);
	explicit_bzero(arguments, size);
	snprintf(arguments, size, "%s", INIT_NAME);
}

_Noreturn void init_run(const struct launch *launch)
{
	sigset_t signals;
	sigfillset(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGTTOU, SIG_IGN);
	wipe_traces();
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
