/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which process, which boot: names that are not used twice. A pid comes back;
 * a pid with its start time does not.
 */
#include "base/process.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define PROC_FILE_MAX 4096
#define BOOT_ID_SIZE 36

#define FLAG_EXITING 0x4 /* PF_EXITING of the kernel's task flags */
#define SIGNAL_OF(exit_code) ((exit_code)&0x7f)

struct process_stat {
	char state;
	unsigned flags;
	uint64_t start;
	int exit_code; /* known before the process ends, once its end is decided */
};

static int read_stat(pid_t pid, struct process_stat *ret, struct error *err)
{
	char path[32];
	auto_free char *stat = NULL;
	size_t size;
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	int r = file_read(path, PROC_FILE_MAX, &stat, &size, err);
	if (r < 0)
		return r == -ENOENT || r == -ESRCH ? error_set(err, ESRCH, "no process %d", pid)
						   : r;
	/* The name in field 2 may hold blanks and brackets: fields count from its last one. */
	const char *rest = strrchr(stat, ')');
	if (!rest || sscanf(rest + 1,
			    " %c %*d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d"
			    " %*d %*d %" SCNu64,
			    &ret->state, &ret->flags, &ret->start) != 3)
		return error_set(err, EIO, "%s has an unknown form", path);
	ret->exit_code = (int)strtol(strrchr(stat, ' '), NULL, 10); /* the last field */
	return 0;
}

int process_identify(pid_t pid, struct process_identity *ret, struct error *err)
{
	struct process_stat stat;
	int r = read_stat(pid, &stat, err);
	if (r < 0)
		return r;
	*ret = (struct process_identity){ .pid = pid, .start_time = stat.start };
	return 0;
}

bool process_is_alive(struct process_identity identity)
{
	struct process_stat stat;
	struct error ignored;
	if (identity.pid <= 0 || read_stat(identity.pid, &stat, &ignored) < 0 ||
	    stat.start != identity.start_time)
		return false;
	/* A zombie does nothing any more, whoever forgot to reap it. */
	if (stat.state == 'Z' || stat.state == 'X' || stat.flags & FLAG_EXITING)
		return false;
	/* kill(2) returns before its victim has run, which on a busy machine may take long. */
	return SIGNAL_OF(stat.exit_code) != SIGKILL;
}

void process_name(pid_t pid, char *ret_name, size_t size)
{
	char path[32];
	auto_free char *name = NULL;
	size_t name_size;
	struct error ignored;
	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	if (file_read(path, PROC_FILE_MAX, &name, &name_size, &ignored) < 0) {
		snprintf(ret_name, size, "?");
		return;
	}
	name[strcspn(name, "\n")] = '\0';
	snprintf(ret_name, size, "%s", name);
}

int boot_id(char ret_id[37], struct error *err)
{
	auto_free char *id = NULL;
	size_t size;
	int r = file_read("/proc/sys/kernel/random/boot_id", PROC_FILE_MAX, &id, &size, err);
	if (r < 0)
		return r;
	if (size < BOOT_ID_SIZE)
		return error_set(err, EIO, "the kernel's boot_id is too short");
	memcpy(ret_id, id, BOOT_ID_SIZE);
	ret_id[BOOT_ID_SIZE] = '\0';
	return 0;
}
