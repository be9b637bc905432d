/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The system calls that the C library has no function for. They keep the
 * kernel's convention: -1 and errno.
 */
#include <linux/sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline pid_t sys_clone3(struct clone_args *args)
{
	return (pid_t)syscall(SYS_clone3, args, sizeof *args);
}
/** Makes the working directory the root of this mount namespace; the old one is mounted over it. */
static inline int sys_pivot_root_here(void)
{
	return (int)syscall(SYS_pivot_root, ".", ".");
}
static inline int sys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}
/** Gives this process a keyring of its own, not the one of who started it. */
static inline long sys_new_session_keyring(void)
{
	enum { JOIN_SESSION_KEYRING = 1 };
	return syscall(SYS_keyctl, JOIN_SESSION_KEYRING, NULL, 0, 0, 0);
}
