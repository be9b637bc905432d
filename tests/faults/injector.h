/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Runs a program under ptrace and lets one of its system calls fail, or kills
 * it before that call. Calls are counted from the first read of standard input
 * on: what comes before is the program's loader, not its work. Calls on memory
 * and signals are not counted where a sanitizer's runtime makes them too.
 */
#include <sys/types.h>

enum fault_mode {
	FAULT_NONE,  /* only count */
	FAULT_ERROR, /* the call is not made, and gives -error */
	FAULT_KILL,  /* SIGKILL before the call is made */
};
struct fault {
	enum fault_mode mode;
	int number; /* of the call, from 0 */
	int error;
};
struct fault_program {
	const char *path;
	char *const *environment; /* all of it, ends with NULL */
	const char *input;        /* file for its standard input */
};
struct fault_outcome {
	int status; /* exit code, or 128 + signal */
	int calls;  /* counted */
	long call;  /* number (SYS_…) of the call that the fault struck; -1: none */
};

/** Runs it to its end; output goes to /dev/null. 0 or -errno. */
int fault_run(const struct fault_program *program, const struct fault *fault,
	      struct fault_outcome *ret);
