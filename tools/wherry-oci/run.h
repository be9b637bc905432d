/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What create, run and exec have in common.
 */
#include "runtime/oci.h"

/** Writes the pid, without a newline, as engines read it. path NULL: nothing. */
int run_write_pid(const char *path, pid_t pid, struct error *err);
/** Sends the terminal to the engine, if there are both. */
int run_hand_terminal(const struct oci_process *process, const char *console_socket, int master_fd,
		      struct error *err);
/** Waits for a child; with a master, its terminal is ours meanwhile. The exit code, or -errno. */
int run_wait(pid_t pid, int master_fd, struct error *err);
