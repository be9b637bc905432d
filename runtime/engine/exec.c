/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `exec` is one clone into existing namespaces: the verb itself is the parent,
 * and the descriptors are its own, or a terminal's that it carries for.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "events.h"
#include "names.h"
#include "saved.h"
#include "session.h"
#include "spec.h"

/* Another user than the container's: looked up in the root that is there now. */
static int set_user(struct oci_process *process, const char *user, pid_t pid, struct error *err)
{
	char path[64];
	auto_free char *home = NULL, *entry = NULL;
	snprintf(path, sizeof path, "/proc/%d/root", (int)pid);
	auto_fd root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return error_set_errno(err, errno, "%s", path);
	free(process->groups);
	process->groups = NULL;
	process->group_count = 0;
	int r = oci_user_resolve(root_fd, user, process, &home, err);
	if (r == 0)
		r = text_format(&entry, err, "HOME=%s", home && home[0] ? home : "/");
	return r < 0 ? r : env_set(&process->env, entry, err);
}

/* The container's own process, with the options' changes. */
static int make_process(struct oci_process *process, const struct exec_options *options,
			const struct words *command, pid_t pid, struct error *err)
{
	words_free(&process->args);
	process->args = (struct words){ 0 };
	int r = words_copy(command, &process->args, err);
	process->terminal = options->terminal;
	if (r == 0 && options->user)
		r = set_user(process, options->user, pid, err);
	if (r == 0 && options->privileged)
		r = capability_bits_parse("ALL", &process->capabilities, err);
	if (r == 0 && options->terminal)
		r = env_set(&process->env, "TERM=xterm", err);
	auto_words env = { 0 };
	for (size_t i = 0; r == 0 && i < options->env_files.count; i++)
		r = env_read_file(options->env_files.items[i], &env, err);
	for (size_t i = 0; r == 0 && i < options->env.count; i++)
		r = words_append(&env, options->env.items[i], err);
	for (size_t i = 0; r == 0 && i < env.count; i++) {
		const char *text = env.items[i];
		auto_free char *entry = NULL;
		if (!strchr(text, '=') && !getenv(text))
			continue;
		if (!strchr(text, '='))
			r = text_format(&entry, err, "%s=%s", text, getenv(text));
		if (r == 0)
			r = env_set(&process->env, entry ? entry : text, err);
	}
	if (r < 0 || !options->working_dir)
		return r;
	if (options->working_dir[0] != '/')
		return error_set(err, EINVAL, "--workdir %s: is not absolute",
				 options->working_dir);
	free(process->cwd);
	process->cwd = NULL;
	return text_copy(options->working_dir, &process->cwd, err);
}

static int wait_for(const struct oci_container *process, int *ret_status, struct error *err)
{
	return process_wait(process->pid, ret_status, err);
}

/* Without a terminal the descriptors are the container's own: only signals are carried. */
static int stay_plain(struct session *session, int pidfd, struct error *err)
{
	for (;;) {
		struct pollfd fds[] = { { .fd = session_signal_fd(session), .events = POLLIN },
					{ .fd = pidfd, .events = POLLIN } };
		int signal;
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return error_set_errno(err, errno, "poll");
		while (fds[0].revents && (signal = session_take_signal(session)))
			(void)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
		if (fds[1].revents)
			return 0;
	}
}

/* A terminal without a holder would hang up: a process stays that reads and forgets. */
static int hold_terminal(int terminal_fd, struct error *err)
{
	char data[4096];
	pid_t pid = fork();
	if (pid < 0)
		return error_set_errno(err, errno, "a holder of the terminal");
	if (pid > 0)
		return 0;
	setsid();
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd <= 2; fd++)
		(void)dup2(null_fd, fd);
	for (;;) {
		ssize_t n = read(terminal_fd, data, sizeof data);
		struct pollfd wait = { .fd = terminal_fd, .events = POLLIN };
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			_exit(0);
		if (n < 0)
			(void)poll(&wait, 1, -1);
	}
}

static int run(const struct oci_spec *spec, struct oci_process *process, pid_t init_pid,
	       const struct exec_options *options, int *ret_status, struct error *err)
{
	struct oci_container started = { 0 };
	auto_fd null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int outputs = options->detach ? null_fd : -1;
	int stdio[3] = { options->interactive && !options->detach ? STDIN_FILENO : null_fd,
			 outputs >= 0 ? outputs : STDOUT_FILENO,
			 outputs >= 0 ? outputs : STDERR_FILENO };
	__attribute__((cleanup(session_freep))) struct session *session = NULL;
	struct detach_keys keys;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	int r = detach_keys_parse(options->detach_keys, &keys, err);
	if (r < 0)
		return r;
	r = options->detach ? 0
			    : session_create(options->terminal ? SESSION_TERMINAL : SESSION_PLAIN,
					     &session, err);
	if (r < 0)
		return r;
	if (session)
		(void)session_size(session, &process->terminal_rows, &process->terminal_columns);
	r = oci_exec(spec, init_pid, process, stdio, &started, err);
	if (r < 0) {
		*ret_status = err->code == ENOENT                           ? 127
			      : err->code == EACCES || err->code == ENOEXEC ? 126
									    : 125;
		return r;
	}
	if (options->detach)
		*ret_status = 0;
	else if (options->terminal)
		r = session_run_pty(session,
				    &(struct session_pty){ started.terminal_fd, started.pidfd,
							   options->interactive, &keys },
				    err);
	else
		r = stay_plain(session, started.pidfd, err);
	if (r == SESSION_DETACHED) {
		*ret_status = 0;
		r = hold_terminal(started.terminal_fd, err);
	} else if (r == 0 && !options->detach) {
		r = wait_for(&started, ret_status, err);
	}
	oci_container_close(&started);
	return r;
}

int container_exec(struct engine *engine, const char *reference, const struct exec_options *options,
		   const struct words *command, int *ret_status, struct error *err)
{
	AUTO(container) container = NULL;
	struct container_now now = { 0 };
	auto_saved saved = { 0 };
	*ret_status = 125;
	int r = container_find_now(engine, reference, &container, &now, err);
	if (r == 0 && now.status != CONTAINER_RUNNING)
		r = error_set(err, EINVAL, "container %s does not run: `wherry start %s` first",
			      container->name, container->name);
	if (r == 0 && now.paused)
		r = error_set(err, EINVAL, "container %s is paused: `wherry unpause %s` first",
			      container->name, container->name);
	if (r == 0)
		r = saved_load(engine, container->id, &saved, err);
	struct oci_process *process = &saved.spec.process;
	pid_t pid = r == 0 ? now.state.process.pid : 0;
	if (r == 0)
		r = make_process(process, options, command, pid, err);
	if (r < 0)
		return r;
	event_container(engine, container, "exec_start", "command", command->items[0]);
	r = run(&saved.spec, process, pid, options, ret_status, err);
	if (r == 0 && !options->detach) {
		char code[16];
		snprintf(code, sizeof code, "%d", *ret_status);
		event_container(engine, container, "exec_die", "exitCode", code);
	}
	return r;
}
