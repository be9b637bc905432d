/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usage: test-without CALL ERROR PROGRAM [ARGUMENT…]
 *
 * Runs a program on a kernel that lacks a system call: each use of it fails
 * with ERROR.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct named {
	const char *name;
	uint32_t number;
};
static const struct named calls[] = {
	{ "bpf", SYS_bpf },
	{ "openat2", SYS_openat2 },
	{ "pidfd_open", SYS_pidfd_open },
	{ "pivot_root", SYS_pivot_root },
	{ "seccomp", SYS_seccomp },
	{ NULL, 0 },
};
static const struct named errors[] = { { "ENOSYS", ENOSYS }, { "EPERM", EPERM }, { NULL, 0 } };

static uint32_t find(const struct named *table, const char *name)
{
	while (table->name && strcmp(table->name, name) != 0)
		table++;
	if (!table->name) {
		fprintf(stderr, "test-without: %s: unknown\n", name);
		_exit(2);
	}
	return table->number;
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, find(calls, argv[1]), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | find(errors, argv[2])),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof filter / sizeof filter[0], .filter = filter };
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		perror("test-without");
		return 77;
	}
	execvp(argv[3], argv + 3);
	perror(argv[3]);
	return 127;
}
