/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last step: exec. The search is the container's own: its PATH, its files,
 * its user's rights. The texts hold the phrases by which engines tell "not
 * found" (127) from "not executable" (126).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "launch.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *find_path(const struct words *env)
{
	for (size_t i = 0; i < env->count; i++)
		if (text_starts_with(env->items[i], "PATH="))
			return env->items[i] + 5;
	return DEFAULT_PATH;
}

static int report(const char *name, int code, struct error *err)
{
	switch (code) {
	case ENOENT:
		return error_set(err, ENOENT, "exec: \"%s\": no such file or directory", name);
	case EACCES:
	case EPERM:
	case EISDIR:
		return error_set(err, EACCES, "exec: \"%s\": permission denied", name);
	case ENOEXEC:
		return error_set(err, ENOEXEC, "exec: \"%s\": exec format error", name);
	default:
		return error_set_errno(err, code, "exec: \"%s\"", name);
	}
}

/* What to do with a file that may be the program; an errno if it is not to be had. */
typedef int (*attempt_function)(const struct oci_process *process, const char *file);

static int try_execute(const struct oci_process *process, const char *file)
{
	static char *const no_env[] = { NULL };
	execve(file, process->args.items, process->env.count ? process->env.items : no_env);
	return errno;
}

static int try_access(const struct oci_process *process, const char *file)
{
	struct stat status;
	(void)process;
	if (stat(file, &status) < 0)
		return errno;
	if (!S_ISREG(status.st_mode))
		return EACCES;
	return faccessat(AT_FDCWD, file, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

/* What is not there goes on to the next place; what is there but not allowed is remembered. */
static int search(const struct oci_process *process, attempt_function attempt, struct error *err)
{
	const char *name = process->args.items[0];
	int code = ENOENT;
	for (const char *at = find_path(&process->env); at;) {
		size_t length = strcspn(at, ":");
		char file[PATH_MAX];
		int size = snprintf(file, sizeof file, "%.*s/%s", length ? (int)length : 1,
				    length ? at : ".", name);
		if (size > 0 && (size_t)size < sizeof file) {
			int result = attempt(process, file);
			if (result == 0)
				return 0;
			if (result != ENOENT && result != ENOTDIR)
				code = result;
			if (code != ENOENT && code != EACCES)
				break;
		}
		at = at[length] ? at + length + 1 : NULL;
	}
	if (code == ENOENT)
		return error_set(err, ENOENT, "exec: \"%s\": executable file not found in $PATH",
				 name);
	return report(name, code, err);
}

static int find(const struct oci_process *process, attempt_function attempt, struct error *err)
{
	if (process->args.count == 0 || !process->args.items[0][0])
		return error_set(err, ENOENT,
				 "exec: \"\": no such file or directory: no command given");
	const char *name = process->args.items[0];
	if (!strchr(name, '/'))
		return search(process, attempt, err);
	int code = attempt(process, name);
	return code == 0 ? 0 : report(name, code == ENOTDIR ? ENOENT : code, err);
}

int program_check(const struct oci_process *process, struct error *err)
{
	return find(process, try_access, err);
}

int program_execute(const struct oci_process *process, struct error *err)
{
	return find(process, try_execute, err);
}
