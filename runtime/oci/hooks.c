/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hooks.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "spec.h"

#define HOOK_OUTPUT_MAX 4096

static const char *const status_at[OCI_HOOK_COUNT] = {
	[OCI_HOOK_PRESTART] = "created",          [OCI_HOOK_CREATE_RUNTIME] = "creating",
	[OCI_HOOK_CREATE_CONTAINER] = "creating", [OCI_HOOK_START_CONTAINER] = "created",
	[OCI_HOOK_POSTSTART] = "running",         [OCI_HOOK_POSTSTOP] = "stopped",
};

bool hooks_exist(const struct oci_spec *spec, enum oci_hook_when when)
{
	for (size_t i = 0; i < spec->hook_count; i++)
		if (spec->hooks[i].when == when)
			return true;
	return false;
}

static int run_one(const struct oci_hook *hook, const char *state, struct error *err)
{
	static char *const no_env[] = { NULL };
	char *const only_name[] = { hook->path, NULL };
	struct process_spec process = {
		.path = hook->path,
		.argv = hook->args.count ? hook->args.items : only_name,
		.envp = hook->env.count ? hook->env.items : no_env,
		.stdin_fd = -1,
		.stdout_fd = -1,
		.stderr_fd = STDERR_FILENO,
	};
	auto_free char *output = NULL;
	size_t size;
	int status;
	int timeout_ms = hook->timeout_s > 0 ? hook->timeout_s * 1000 : -1;
	int r = process_run(&process, state, strlen(state), HOOK_OUTPUT_MAX, timeout_ms, &output,
			    &size, &status, err);
	if (r == 0 && status != 0)
		r = error_set(err, ECANCELED, "ended with %d", status);
	return r < 0 ? error_wrap(err, "hook %s", hook->path) : 0;
}

int hooks_run(const struct oci_spec *spec, enum oci_hook_when when, pid_t pid, struct error *err)
{
	if (!hooks_exist(spec, when))
		return 0;
	auto_free char *state = NULL;
	int r = oci_state_format(spec, pid, status_at[when], &state, err);
	for (size_t i = 0; r == 0 && i < spec->hook_count; i++)
		if (spec->hooks[i].when == when)
			r = run_one(&spec->hooks[i], state, err);
	return r < 0 ? error_wrap(err, "%s", oci_hook_name(when)) : 0;
}

int oci_hooks_run(const struct oci_spec *spec, enum oci_hook_when when, pid_t pid,
		  struct error *err)
{
	return hooks_run(spec, when, pid, err);
}
