/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The caller's side: it clones the process that becomes the container, does
 * what only the host can do for it, and hears whether all went well.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "hooks.h"
#include "launch.h"
#include "namespaces.h"
#include "protect.h"
#include "runtime/oci.h"
#include "sync.h"
#include "syscalls.h"

static const struct oci_container no_container = {
	.pidfd = -1, .start_fd = -1, .status_fd = -1, .terminal_fd = -1
};

/* Between these two our memory is not to be read by a container that we enter. */
static int clone_hidden(struct launch *launch, uint64_t flags, int *ret_pidfd, struct error *err)
{
	auto_fd group = -1;
	int r = cgroup_unified_open(&launch->layout, launch->spec->cgroup_path, &group, err);
	if (r < 0)
		return r;
	int was_dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
	if (launch->init_pidfd >= 0)
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD | (group >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)ret_pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)(group >= 0 ? group : 0),
	};
	pid_t pid = sys_clone3(&args);
	if (pid == 0) {
		if (launch->init_pidfd >= 0)
			child_join(launch);
		child_create(launch);
	}
	int code = errno;
	if (launch->init_pidfd >= 0)
		(void)prctl(PR_SET_DUMPABLE, was_dumpable == 1, 0, 0, 0);
	return pid < 0 ? error_set_errno(err, code, "new namespaces") : pid;
}

/* The pid namespace to be born in, if it is neither ours nor a new one. */
static int open_pid_namespace(const struct launch *launch, int *ret_fd, struct error *err)
{
	const struct oci_spec *spec = launch->spec;
	if (launch->init_pidfd >= 0) {
		if (spec->namespaces[OCI_NS_PID].use == OCI_NS_HOST)
			return 0;
		*ret_fd = fcntl(launch->init_pidfd, F_DUPFD_CLOEXEC, 3);
	} else if (spec->namespaces[OCI_NS_PID].use == OCI_NS_PATH) {
		*ret_fd = open(spec->namespaces[OCI_NS_PID].path, O_RDONLY | O_CLOEXEC);
	} else {
		return 0;
	}
	return *ret_fd < 0 ? error_set_errno(err, errno, "pid namespace") : 0;
}

static int clone_child(struct launch *launch, uint64_t flags, int *ret_pidfd, struct error *err)
{
	auto_fd pid_namespace = -1;
	int r = open_pid_namespace(launch, &pid_namespace, err);
	if (r == 0 && pid_namespace >= 0)
		r = namespaces_set_pid_for_children(pid_namespace, err);
	if (r < 0)
		return r;
	int pid = clone_hidden(launch, flags, ret_pidfd, err);
	struct error back = { 0 };
	if (pid_namespace >= 0 && namespaces_set_pid_for_children(-1, &back) < 0)
		abort(); /* every later child would be born in the container */
	return pid;
}

static int write_map(pid_t pid, const char *file, const struct oci_id_map *map, size_t count,
		     struct error *err)
{
	static const struct oci_id_map whole = { 0, 0, UINT32_MAX };
	auto_free char *path = NULL;
	auto_text lines = { 0 };
	if (count == 0) {
		map = &whole;
		count = 1;
	}
	for (size_t i = 0; i < count; i++)
		text_append(&lines, "%" PRIu32 " %" PRIu32 " %" PRIu32 "\n", map[i].inside,
			    map[i].outside, map[i].count);
	auto_free char *text = NULL;
	int r = text_take(&lines, &text, err);
	if (r == 0)
		r = text_format(&path, err, "/proc/%d/%s", (int)pid, file);
	return r < 0 ? r : file_write_existing(path, text, err);
}

/* What the child waits for: maps, cgroups and hooks of the old kind. */
static int serve_child(const struct launch *launch, pid_t pid, struct error *err)
{
	const struct oci_spec *spec = launch->spec;
	int r = 0;
	if (spec->namespaces[OCI_NS_USER].use == OCI_NS_NEW) {
		r = write_map(pid, "uid_map", spec->uid_map, spec->uid_map_count, err);
		if (r == 0)
			r = write_map(pid, "gid_map", spec->gid_map, spec->gid_map_count, err);
	}
	if (r == 0 && spec->namespaces[OCI_NS_USER].use != OCI_NS_HOST)
		r = cgroup_enter(&launch->layout, spec->cgroup_path, pid, err);
	if (r == 0)
		r = hooks_run(spec, OCI_HOOK_PRESTART, pid, err);
	if (r == 0)
		r = hooks_run(spec, OCI_HOOK_CREATE_RUNTIME, pid, err);
	return r;
}

/* How a child died that has said nothing. */
static int describe_end(struct oci_container *container, struct error *err)
{
	int status = 0;
	if (waitpid(container->pid, &status, 0) != container->pid)
		return error_set(err, EIO, "the container's first process ended");
	container->pid = 0;
	if (WIFSIGNALED(status))
		return error_set(err, EIO, "the container's first process was killed by signal %d",
				 WTERMSIG(status));
	return error_set(err, EIO, "the container's first process ended with %d",
			 WEXITSTATUS(status));
}

static int await_ready(const struct launch *launch, struct oci_container *container,
		       struct error *err)
{
	for (;;) {
		int kind = sync_receive(container->start_fd, &container->terminal_fd, err);
		if (kind < 0)
			return kind;
		if (kind == SYNC_READY)
			return 0;
		if (kind != SYNC_NAMESPACES)
			return describe_end(container, err);
		int r = serve_child(launch, container->pid, err);
		if (r < 0)
			return r;
		(void)sync_send(container->start_fd, SYNC_GO, -1);
	}
}

static void abandon(struct oci_container *container)
{
	if (container->pid > 0) {
		(void)pidfd_send_signal(container->pidfd, SIGKILL, NULL, 0);
		(void)waitpid(container->pid, NULL, 0);
	}
	oci_container_close(container);
}

/* Clones, and brings the child to where it waits for its start. */
static int launch_run(struct launch *launch, uint64_t flags, struct oci_container *ret_container,
		      struct error *err)
{
	struct oci_container container = no_container;
	int sockets[2];
	int r = sync_open(sockets, err);
	if (r < 0)
		return r;
	container.start_fd = sockets[0];
	launch->sync_fd = sockets[1];
	int pid = clone_child(launch, flags, &container.pidfd, err);
	close(sockets[1]);
	launch->sync_fd = -1;
	if (pid < 0) {
		close(sockets[0]);
		return pid;
	}
	container.pid = pid;
	r = await_ready(launch, &container, err);
	if (r < 0) {
		abandon(&container);
		return r;
	}
	*ret_container = container;
	return 0;
}

static bool needs_service(const struct oci_spec *spec)
{
	return spec->namespaces[OCI_NS_USER].use != OCI_NS_HOST ||
	       hooks_exist(spec, OCI_HOOK_PRESTART) || hooks_exist(spec, OCI_HOOK_CREATE_RUNTIME);
}

static void take_stdio(struct launch *launch, const int stdio[3])
{
	for (int i = 0; i < 3; i++)
		launch->stdio[i] = launch->process->terminal ? -1 : stdio[i];
}

static int create_in_groups(struct launch *launch, struct oci_container *ret_container,
			    struct error *err)
{
	const struct oci_spec *spec = launch->spec;
	launch->await_go = needs_service(spec);
	int r = spec->start_socket ? sync_listen(spec->start_socket, &launch->listen_fd, err) : 0;
	if (r == 0)
		r = launch_run(launch, namespaces_clone_flags(spec), ret_container, err);
	if (r < 0) {
		struct error ignored = { 0 };
		(void)cgroup_remove(&launch->layout, spec->cgroup_path, &ignored);
		if (spec->start_socket && launch->listen_fd >= 0)
			(void)unlink(spec->start_socket);
	}
	return r;
}

int oci_create(const struct oci_spec *spec, const int stdio[3], struct oci_container *ret_container,
	       struct error *err)
{
	auto_launch launch;
	int r = launch_prepare(spec, &spec->process, &launch, err);
	take_stdio(&launch, stdio);
	if (r == 0)
		r = protect_check(err);
	if (r == 0)
		r = cgroup_make(&launch.layout, spec, err);
	return r < 0 ? r : create_in_groups(&launch, ret_container, err);
}

/* The end of the stream is the success: exec has closed the other end. */
static int start_over(int socket_fd, struct error *err)
{
	int r = sync_send(socket_fd, SYNC_GO, -1);
	if (r < 0)
		return error_set_errno(err, -r, "the container waits no more");
	return sync_receive(socket_fd, NULL, err);
}

int oci_start(struct oci_container *container, struct error *err)
{
	return start_over(container->start_fd, err);
}

int oci_start_at(const char *start_socket, struct error *err)
{
	auto_fd fd = -1;
	int r = sync_connect(start_socket, &fd, err);
	return r != 0 ? r : start_over(fd, err);
}

void oci_container_close(struct oci_container *container)
{
	cleanup_fd(&container->pidfd);
	cleanup_fd(&container->start_fd);
	cleanup_fd(&container->status_fd);
	cleanup_fd(&container->terminal_fd);
	container->pidfd = container->start_fd = -1;
	container->status_fd = container->terminal_fd = -1;
}

int oci_exec(const struct oci_spec *spec, pid_t init_pid, const struct oci_process *process,
	     const int stdio[3], struct oci_container *ret_container, struct error *err)
{
	auto_launch launch;
	struct oci_container container;
	int r = launch_prepare(spec, process, &launch, err);
	take_stdio(&launch, stdio);
	if (r == 0)
		r = protect_check(err);
	/* A child would stop as it enters the groups, and we would wait for it. */
	if (r == 0 && cgroup_is_frozen(&launch.layout, spec->cgroup_path))
		r = error_set(err, EBUSY, "the container is paused");
	if (r < 0)
		return r;
	launch.init_pidfd = pidfd_open(init_pid, 0);
	if (launch.init_pidfd < 0)
		return error_set_errno(err, errno, "container's process %d", (int)init_pid);
	r = launch_run(&launch, 0, &container, err);
	if (r < 0)
		return r;
	r = oci_start(&container, err);
	if (r < 0) {
		abandon(&container);
		return r;
	}
	*ret_container = container;
	return 0;
}
