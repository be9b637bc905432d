/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec: a further process in a container.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/json.h"
#include "container.h"
#include "run.h"

#define PROCESS_SIZE_MAX (4u << 20)

struct exec_options {
	const char *process, *pid_file, *console_socket, *cwd, *user, *preserve_fds, *apparmor;
	struct words env;
	bool detach, terminal, no_new_privileges;
};

static int read_process(const char *path, struct oci_process *ret, struct error *err)
{
	auto_json document = NULL;
	int r = json_read_file(path, PROCESS_SIZE_MAX, &document, err);
	if (r < 0)
		return r;
	struct json_at root = json_root(document, path);
	return oci_process_read(&root, ret, err);
}

static int set_user(const char *user, struct oci_process *process, struct error *err)
{
	uint64_t uid, gid = 0;
	auto_words parts = { 0 };
	int r = words_split(user, ':', &parts, err);
	if (r < 0)
		return r;
	if (parts.count > 2 || text_to_unsigned(parts.items[0], 0, UINT32_MAX - 1, &uid) < 0 ||
	    (parts.count == 2 && text_to_unsigned(parts.items[1], 0, UINT32_MAX - 1, &gid) < 0))
		return error_set(err, EINVAL, "--user %s: must be UID or UID:GID", user);
	process->uid = (uint32_t)uid;
	process->gid = (uint32_t)gid;
	free(process->groups);
	process->groups = NULL;
	process->group_count = 0;
	return 0;
}

/* The container's own process with another command. */
static int derive_process(const struct container *container, const struct exec_options *options,
			  const struct words *words, struct oci_process *process, struct error *err)
{
	const struct oci_process *first = &container->spec.process;
	process->capabilities = first->capabilities;
	process->ambient = first->ambient;
	process->no_new_privileges = first->no_new_privileges || options->no_new_privileges;
	process->uid = first->uid;
	process->gid = first->gid;
	process->terminal = options->terminal;
	int r = words_copy(&first->env, &process->env, err);
	for (size_t i = 0; r == 0 && i < options->env.count; i++)
		r = words_append(&process->env, options->env.items[i], err);
	for (size_t i = 1; r == 0 && i < words->count; i++)
		r = words_append(&process->args, words->items[i], err);
	if (r == 0)
		r = text_copy(options->cwd ? options->cwd : first->cwd, &process->cwd, err);
	if (r == 0 && options->user)
		r = set_user(options->user, process, err);
	return r;
}

static int make_process(const struct container *container, const struct exec_options *options,
			const struct words *words, struct oci_process *process, struct error *err)
{
	if (options->preserve_fds && !text_equal(options->preserve_fds, "0"))
		return error_set(err, ENOTSUP, "--preserve-fds %s: only 0 is supported",
				 options->preserve_fds);
	if (!options->process && words->count < 2)
		return error_set(err, EINVAL, "exec: a command or --process is needed");
	int r = options->process ? read_process(options->process, process, err)
				 : derive_process(container, options, words, process, err);
	if (r == 0 && options->terminal)
		process->terminal = true;
	if (r == 0 && process->terminal && options->detach && !options->console_socket)
		r = error_set(err, EINVAL, "exec --detach with a terminal needs --console-socket");
	return r;
}

static int exec_in(const struct container *container, const struct exec_options *options,
		   const struct oci_process *process, struct error *err)
{
	static const int stdio[3] = { 0, 1, 2 };
	struct oci_container started;
	int r = oci_exec(&container->spec, container->process.pid, process, stdio, &started, err);
	if (r < 0)
		return r;
	r = run_hand_terminal(process, options->console_socket, started.terminal_fd, err);
	if (r == 0)
		r = run_write_pid(options->pid_file, started.pid, err);
	if (r < 0) {
		(void)pidfd_send_signal(started.pidfd, SIGKILL, NULL, 0);
		(void)waitpid(started.pid, NULL, 0);
	} else if (!options->detach) {
		r = run_wait(started.pid, options->console_socket ? -1 : started.terminal_fd, err);
	}
	oci_container_close(&started);
	return r;
}

static int verb_exec(struct cli *cli, void *target, const struct words *words, struct error *err)
{
	struct exec_options *options = target;
	auto_container container = { 0 };
	struct oci_process process = { 0 };
	int r = oci_protect_self(cli->argv, err);
	if (r == 0)
		r = container_load(cli, words->items[0], &container, err);
	if (r == 0 && !text_equal(container_status(&container), "running"))
		r = error_set(err, EINVAL, "cannot exec in a container that is %s",
			      container_status(&container));
	if (r == 0)
		r = make_process(&container, options, words, &process, err);
	if (r == 0)
		r = exec_in(&container, options, &process, err);
	oci_process_release(&process);
	words_free(&options->env);
	return r;
}

static const struct option_spec exec_table[] = {
	TEXT("process", 'p', struct exec_options, process, "FILE", "OCI process object"),
	TEXT("pid-file", 0, struct exec_options, pid_file, "FILE", "where to write the pid"),
	TEXT("console-socket", 0, struct exec_options, console_socket, "PATH",
	     "unix socket that gets the terminal"),
	TEXT("cwd", 0, struct exec_options, cwd, "DIR", "working directory"),
	TEXT("user", 'u', struct exec_options, user, "UID[:GID]", "user"),
	TEXT("preserve-fds", 0, struct exec_options, preserve_fds, "N", "only 0 is supported"),
	TEXT("apparmor", 0, struct exec_options, apparmor, "PROFILE", "taken and ignored"),
	{ "env", 'e', OPTION_LIST, offsetof(struct exec_options, env), "NAME=VALUE",
	  "environment, besides the container's" },
	FLAG("detach", 'd', struct exec_options, detach, "do not wait for the end"),
	FLAG("tty", 't', struct exec_options, terminal, "with a terminal"),
	FLAG("no-new-privs", 0, struct exec_options, no_new_privileges, "set no_new_privs"),
};

const struct verb verbs_exec[] = {
	{ { "exec", "ID [COMMAND [ARG…]]", "Run a further process in a container", NULL, exec_table,
	    ARRAY_SIZE(exec_table), OPTIONS_STOP_AT_WORD, 1, -1 },
	  sizeof(struct exec_options),
	  verb_exec },
	{ .spec.name = NULL },
};
