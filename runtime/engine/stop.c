/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways to a container's end: stop, kill, wait, rm; and what its monitor has done by verbs. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach.h"
#include "base/loop.h"
#include "cleanup.h"
#include "control.h"
#include "events.h"
#include "names.h"
#include "runtime/frame.h"
#include "runtime/oci.h"

#define STOP_TIMEOUT_S 10
#define KILL_TIMEOUT_MS 30000 /* a process in an uninterruptible sleep outlives SIGKILL */
#define ATTACH_LEASES_MAX 16

/* A running container that a verb is about to end. */
struct target {
	struct container *container;
	struct container_now now;
	int socket_fd; /* of its monitor; closed by it when all is cleared up */
	int pidfd;
};

static void target_release(struct target *target)
{
	container_free(target->container);
	cleanup_fd(&target->socket_fd);
	cleanup_fd(&target->pidfd);
}
#define auto_target __attribute__((cleanup(target_release))) struct target

/* 1: it runs, and its monitor hears us; 0: it does not run. */
static int target_open(struct engine *engine, const char *reference, struct target *target,
		       struct error *err)
{
	struct path run_dir;
	*target = (struct target){ .socket_fd = -1, .pidfd = -1 };
	int r = container_find_now(engine, reference, &target->container, &target->now, err);
	if (r < 0 || !target->now.state.monitor.pid)
		return r;
	run_dir = container_run_dir(engine, target->container->id);
	r = frame_connect(run_dir.text, MONITOR_SOCKET, &target->socket_fd, err);
	if (r == -ENOENT || r == -ECONNREFUSED)
		return 0;
	if (r < 0)
		return r;
	if (target->now.state.process.pid > 0)
		target->pidfd = (int)syscall(SYS_pidfd_open, target->now.state.process.pid, 0);
	return 1;
}

static void target_signal(const struct target *target, int signal)
{
	if (target->pidfd >= 0)
		(void)syscall(SYS_pidfd_send_signal, target->pidfd, signal, NULL, 0);
}

/* Waits for the monitor to be done. 1: it is; *ret_status is the exit code if it was told. */
static int await_end(const struct target *target, int64_t timeout_ms, int *ret_status,
		     struct error *err)
{
	uint64_t end = clock_monotonic_ms() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0);
	auto_free struct frame *frame = malloc(sizeof *frame);
	if (!frame)
		return error_set(err, ENOMEM, "no memory for a monitor's messages");
	for (;;) {
		struct pollfd fd = { .fd = target->socket_fd, .events = POLLIN };
		uint64_t now = clock_monotonic_ms();
		int wait_ms = timeout_ms < 0 ? -1 : now >= end ? 0 : (int)(end - now);
		int count = poll(&fd, 1, wait_ms);
		if (count < 0 && errno == EINTR)
			continue;
		if (count == 0)
			return 0;
		int r = frame_receive(target->socket_fd, frame);
		if (r <= 0)
			return 1; /* also when it was killed: the next look finds that out */
		if (ret_status && frame->type == FRAME_EXIT)
			*ret_status = frame_number(frame);
	}
}

static int own_stop_signal(const struct container *container)
{
	int signal = SIGTERM;
	struct error ignored;
	if (container->stop_signal)
		(void)signal_parse(container->stop_signal, &signal, &ignored);
	return signal;
}

/* A paused or stopped one (SIGSTOP) would not hear. */
static void ask_to_end(const struct target *target, int signal)
{
	(void)frame_send(target->socket_fd, FRAME_STOP, NULL, 0);
	target_signal(target, signal);
	target_signal(target, SIGCONT);
}

/* A frozen process hears nothing, on cgroup v1 not even SIGKILL. */
static void thaw(struct engine *engine, struct target *target)
{
	struct error err;
	if (target->now.paused && container_thaw(engine, target->container, &err) < 0)
		engine_warn(engine, "container %s stays paused: %s", target->container->name,
			    err.text);
}

static int end_target(struct engine *engine, struct target *target, int signal, int64_t timeout_ms,
		      struct error *err)
{
	ask_to_end(target, signal);
	thaw(engine, target);
	int r = await_end(target, timeout_ms, NULL, err);
	if (r == 0) {
		target_signal(target, SIGKILL);
		r = await_end(target, KILL_TIMEOUT_MS, NULL, err);
	}
	if (r == 0)
		return error_set(err, ETIMEDOUT, "process %d of container %s does not end",
				 (int)target->now.state.process.pid, target->container->name);
	return r < 0 ? r : 0;
}

static void tell_signal(struct engine *engine, const struct container *container, int signal)
{
	char number[16];
	snprintf(number, sizeof number, "%d", signal);
	event_container(engine, container, "kill", "signal", number);
}

int container_stop(struct engine *engine, const char *reference, int64_t timeout_s,
		   struct error *err)
{
	auto_target target;
	int r = target_open(engine, reference, &target, err);
	if (r != 1)
		return r;
	if (timeout_s < 0)
		timeout_s = target.container->stop_timeout_s;
	if (timeout_s < 0)
		timeout_s = STOP_TIMEOUT_S;
	int signal = own_stop_signal(target.container);
	tell_signal(engine, target.container, signal);
	r = end_target(engine, &target, signal, timeout_s * 1000, err);
	if (r == 0)
		event_container(engine, target.container, "stop", NULL, NULL);
	return r;
}

int container_kill(struct engine *engine, const char *reference, const char *name,
		   struct error *err)
{
	auto_target target = { .socket_fd = -1, .pidfd = -1 };
	int signal = SIGKILL;
	int r = name ? signal_parse(name, &signal, err) : 0;
	if (r == 0)
		r = target_open(engine, reference, &target, err);
	if (r < 0)
		return r;
	if (r == 0 || target.pidfd < 0)
		return error_set(err, EINVAL, "container %s does not run",
				 target.container ? target.container->name : reference);
	tell_signal(engine, target.container, signal);
	if (signal == SIGKILL)
		return end_target(engine, &target, SIGKILL, KILL_TIMEOUT_MS, err);
	if (signal == own_stop_signal(target.container))
		(void)frame_send(target.socket_fd, FRAME_STOP, NULL, 0);
	target_signal(&target, signal);
	return 0;
}

int container_wait(struct engine *engine, const char *reference, int *ret_status, struct error *err)
{
	auto_target target;
	int r = target_open(engine, reference, &target, err);
	if (r < 0)
		return r;
	*ret_status = target.now.exit_code;
	if (r == 0 && target.now.status == CONTAINER_CREATED)
		return error_set(err, EINVAL, "container %s has not been started",
				 target.container->name);
	if (r == 1)
		r = await_end(&target, -1, ret_status, err);
	return r < 0 ? r : 0;
}

int container_end_fd(struct engine *engine, const char *reference, int *ret_fd, struct error *err)
{
	auto_target target;
	int r = target_open(engine, reference, &target, err);
	if (r == 0)
		return error_set(err, ENOENT, "container %s does not run", target.container->name);
	if (r == 1)
		*ret_fd = TAKE_FD(target.socket_fd);
	return r < 0 ? r : 0;
}

int container_remove(struct engine *engine, const char *reference, enum container_force force,
		     bool volumes, struct error *err)
{
	auto_target target;
	auto_fd lock_fd = -1;
	struct error ignored;
	int r = target_open(engine, reference, &target, err);
	if (r < 0 && target.now.removed)
		return 0;
	if (r == 1 && force == CONTAINER_GENTLE)
		return error_set(err, EBUSY,
				 "container %s is %s: stop it first, or remove it with --force",
				 target.container->name, container_now_name(&target.now));
	if (r == 1) {
		tell_signal(engine, target.container, SIGKILL);
		r = end_target(engine, &target, SIGKILL, KILL_TIMEOUT_MS, err);
	}
	if (r < 0)
		return r;
	r = container_lock(engine, target.container->id, &lock_fd, err);
	/* With --rm the end itself has removed it. */
	if (r == -ENOENT && target.container->temporary)
		return container_delete(engine, target.container, err) < 0 ? -err->code : 0;
	if (r == 0 && container_settle(engine, target.container, &target.now, err) < 0)
		(void)container_clear(engine, target.container, CLEAR_FAILED_START, &ignored);
	return r < 0 ? r : container_erase(engine, target.container, volumes, err);
}

int container_rename(struct engine *engine, const char *reference, const char *name,
		     struct error *err)
{
	AUTO(container) container = NULL;
	if (!text_is_name(name, CONTAINER_NAME_MAX - 1))
		return error_set(err, EINVAL, "name %s: is not of [a-zA-Z0-9][a-zA-Z0-9_.-]*",
				 name);
	int r = container_find(engine, reference, &container, err);
	auto_free char *old_name = r < 0 ? NULL : strdup(container->name);
	if (r == 0)
		r = container_set_name(engine, container, name, err);
	if (r == 0 && old_name)
		event_container(engine, container, "rename", "oldName", old_name);
	return r;
}

int container_attach_network(struct engine *engine, const char *id, pid_t pid, struct error *err)
{
	AUTO(container) container = NULL;
	struct attachments attachments = { 0 };
	struct error ignored;
	int r = container_find(engine, id, &container, err);
	if (r < 0)
		return r;
	/* The links went with the namespace of the life before; the leases stay. */
	(void)attachments_forget(engine, container, &ignored);
	r = attachments_lease(engine, container, &attachments, err);
	if (r == 0)
		r = attachments_add(engine, container, &attachments, pid, err);
	attachments_release(&attachments);
	/* Its monitor begins its next life, and has no log of events of its own. */
	if (r == 0)
		event_container(engine, container, "start", "restarted", "true");
	return r;
}

int container_cleanup(struct engine *engine, const char *id, struct error *err)
{
	AUTO(container) container = NULL;
	auto_fd lock_fd = -1;
	struct container_now now;
	int r = container_find(engine, id, &container, err);
	if (r == 0)
		r = container_lock(engine, container->id, &lock_fd, err);
	if (r == 0)
		r = container_look(engine, container, &now, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return container_clear(engine, container,
			       now.state.started_ns ? CLEAR_ENDED : CLEAR_FAILED_START, err);
}
