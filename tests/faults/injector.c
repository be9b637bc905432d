/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injector.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define NO_CALL (-1L)

struct tracee {
	pid_t pid;
	const struct fault *fault;
	struct fault_outcome *outcome;
	bool has_begun; /* standard input was read */
	bool is_inside; /* between the entry and the exit of a call */
	bool is_struck; /* at the exit of the call its result is replaced */
};

static void start_program(const struct fault_program *program)
{
	char *argv[] = { (char *)program->path, NULL };
	int input = open(program->input, O_RDONLY);
	int null = open("/dev/null", O_RDWR);

	if (input < 0 || null < 0 || dup2(input, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		_exit(127);
	close(input);
	close(null);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(127);
	execve(program->path, argv, program->environment);
	_exit(127);
}

/* What a sanitizer's runtime does by itself, and cannot go on without. */
static bool is_runtime_call(long call)
{
	static const long calls[] = { SYS_mmap,           SYS_munmap,      SYS_mprotect,
				      SYS_madvise,        SYS_brk,         SYS_futex,
				      SYS_mremap,         SYS_sigaltstack, SYS_rt_sigaction,
				      SYS_rt_sigprocmask, SYS_exit_group,  SYS_exit,
				      SYS_rt_sigreturn };
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i] == call)
			return true;
	return false;
}

static bool is_counted(struct tracee *tracee, const struct user_regs_struct *registers)
{
	long call = (long)registers->orig_rax;
	if (!tracee->has_begun)
		tracee->has_begun = call == SYS_read && registers->rdi == 0;
	/* A close that fails has closed all the same: not to make it would be another fault. */
	return tracee->has_begun && !is_runtime_call(call) && call != SYS_close;
}

static void enter_call(struct tracee *tracee, struct user_regs_struct *registers)
{
	const struct fault *fault = tracee->fault;
	if (!is_counted(tracee, registers))
		return;
	int number = tracee->outcome->calls++;
	if (fault->mode == FAULT_NONE || number != fault->number)
		return;
	tracee->outcome->call = (long)registers->orig_rax;
	if (fault->mode == FAULT_KILL) {
		kill(tracee->pid, SIGKILL);
		return;
	}
	/* A call with no number is not made. */
	registers->orig_rax = (unsigned long)NO_CALL;
	ptrace(PTRACE_SETREGS, tracee->pid, NULL, registers);
	tracee->is_struck = true;
}

static void leave_call(struct tracee *tracee, struct user_regs_struct *registers)
{
	if (!tracee->is_struck)
		return;
	registers->rax = (unsigned long)-(long)tracee->fault->error;
	ptrace(PTRACE_SETREGS, tracee->pid, NULL, registers);
	tracee->is_struck = false;
}

static void take_stop(struct tracee *tracee)
{
	struct user_regs_struct registers;
	if (ptrace(PTRACE_GETREGS, tracee->pid, NULL, &registers) < 0)
		return;
	if (!tracee->is_inside)
		enter_call(tracee, &registers);
	else
		leave_call(tracee, &registers);
	tracee->is_inside = !tracee->is_inside;
}

static int follow(struct tracee *tracee)
{
	int status, signal = 0;
	for (;;) {
		/* -ESRCH: it was killed, and waits to be buried. */
		if (ptrace(PTRACE_SYSCALL, tracee->pid, NULL, (long)signal) < 0 && errno != ESRCH)
			return -errno;
		if (waitpid(tracee->pid, &status, 0) < 0)
			return -errno;
		if (WIFEXITED(status) || WIFSIGNALED(status))
			break;
		signal = 0;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			take_stop(tracee);
		else if (WSTOPSIG(status) != SIGTRAP)
			signal = WSTOPSIG(status);
	}
	tracee->outcome->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return 0;
}

int fault_run(const struct fault_program *program, const struct fault *fault,
	      struct fault_outcome *ret)
{
	struct tracee tracee = { .fault = fault, .outcome = ret };
	int status;

	*ret = (struct fault_outcome){ .call = NO_CALL };
	tracee.pid = fork();
	if (tracee.pid == 0)
		start_program(program);
	/* The first stop is that of execve. */
	if (tracee.pid < 0 || waitpid(tracee.pid, &status, 0) < 0)
		return -errno;
	if (!WIFSTOPPED(status))
		return -ECHILD;
	if (ptrace(PTRACE_SETOPTIONS, tracee.pid, NULL,
		   (long)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) < 0)
		return -errno;
	return follow(&tracee);
}
