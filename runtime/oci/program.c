/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last step: exec. The search is the container's own: its PATH, its files,
 * its user's rights. The texts hold the phrases by which engines tell "not
 * found" (127) from "not executable" (126).
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
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

/* -ENOENT-like failures go on to the next place; what was there but not allowed is remembered. */
static int search(const struct oci_process *process, char *const *envp, struct error *err)
{
	const char *name = process->args.items[0];
	int code = ENOENT;
	for (const char *at = find_path(&process->env); at;) {
		size_t length = strcspn(at, ":");
		char file[PATH_MAX];
		int size = snprintf(file, sizeof file, "%.*s/%s", length ? (int)length : 1,
				    length ? at : ".", name);
		if (size > 0 && (size_t)size < sizeof file) {
			execve(file, process->args.items, envp);
			if (errno != ENOENT && errno != ENOTDIR)
				code = errno;
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

int program_execute(const struct oci_process *process, struct error *err)
{
	static char *const no_env[] = { NULL };
	if (process->args.count == 0 || !process->args.items[0][0])
		return error_set(err, ENOENT,
				 "exec: \"\": no such file or directory: no command given");
	const char *name = process->args.items[0];
	char *const *envp = process->env.count ? process->env.items : no_env;
	if (!strchr(name, '/'))
		return search(process, envp, err);
	execve(name, process->args.items, envp);
	return report(name, errno == ENOTDIR ? ENOENT : errno, err);
}
