/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `start`: addresses, then a monitor, which makes the namespaces; then the
 * network in them; then the program goes. The verb holds the container's lock
 * until that is done, and clears up when any of it fails.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach.h"
#include "base/file.h"
#include "cleanup.h"
#include "etc.h"
#include "events.h"
#include "record.h"
#include "runtime/frame.h"
#include "saved.h"
#include "session.h"

struct start {
	struct engine *engine;
	const struct container *container;
	const struct container_attach *attach;
	struct path dir, run_dir;
	int socket_fd, pidfd;
	pid_t monitor, pid;
	struct frame *frame;
	struct detach_keys keys;
	struct session *session; /* lent; NULL: the verb does not stay */
};

static void start_release(struct start *start)
{
	cleanup_fd(&start->socket_fd);
	cleanup_fd(&start->pidfd);
	free(start->frame);
}

/* --network container:NAME is a namespace only known now. */
static int resolve_shared_network(struct start *start, struct error *err)
{
	const char *mode = start->container->network_mode;
	AUTO(container) other = NULL;
	struct container_now now;
	auto_saved saved = { 0 };
	if (!text_starts_with(mode, "container:"))
		return 0;
	int r = container_find(start->engine, mode + strlen("container:"), &other, err);
	if (r == 0)
		r = container_look(start->engine, other, &now, err);
	if (r == 0 && now.status != CONTAINER_RUNNING)
		r = error_set(err, EINVAL, "--network container:%s: that container does not run",
			      other->name);
	if (r == 0)
		r = saved_load(start->engine, start->container->id, &saved, err);
	if (r < 0)
		return r;
	saved.spec.namespaces[OCI_NS_NETWORK].use = OCI_NS_PATH;
	free(TAKE(saved.spec.namespaces[OCI_NS_NETWORK].path));
	r = text_format(&saved.spec.namespaces[OCI_NS_NETWORK].path, err, "/proc/%d/ns/net",
			(int)now.state.process.pid);
	return r < 0 ? r : saved_write(start->engine, start->container->id, &saved, err);
}

static int start_monitor(struct start *start, struct error *err)
{
	struct path monitor, own;
	struct engine *engine = start->engine;
	auto_fd pidfd = -1;
	int pair[2];
	int r = program_find("wherry-monitor", &monitor, err);
	if (r == 0)
		r = program_find("wherry", &own, err);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return error_set_errno(err, errno, "a socket for the monitor");
	start->socket_fd = pair[0];
	auto_fd far_end = pair[1];
	char *argv[] = { monitor.text,
			 (char *)(uintptr_t)start->container->id,
			 start->dir.text,
			 start->run_dir.text,
			 own.text,
			 engine->instance.root[0] ? engine->instance.root : (char *)(uintptr_t) "/",
			 NULL };
	struct process_spec spec = { .path = monitor.text,
				     .argv = argv,
				     .stdin_fd = far_end,
				     .stdout_fd = -1,
				     .stderr_fd = -1 };
	r = process_start(&spec, &start->monitor, &pidfd, err);
	return r;
}

/* The next frame of a kind; FRAME_FAILED is the error that it tells. */
static int await(struct start *start, enum frame_type type, struct error *err)
{
	for (;;) {
		int r = frame_receive(start->socket_fd, start->frame);
		if (r < 0)
			return error_set_errno(err, -r, "the container's monitor");
		if (r == 0)
			return error_set(err, EPIPE, "wherry-monitor ended before the start");
		if (start->frame->type == FRAME_FAILED) {
			int code = frame_number(start->frame);
			return error_set(err, code > 0 ? code : EIO, "%.*s",
					 (int)(start->frame->size > 4 ? start->frame->size - 4 : 0),
					 (const char *)start->frame->data + 4);
		}
		if (start->frame->type == type)
			return 0;
	}
}

static void tell_created(struct start *start)
{
	char command[64];
	struct engine *engine = start->engine;
	if (!engine->steps.step)
		return;
	engine_step(engine, "pgrep -a wherry-monitor", "monitor %d holds its output and exit code",
		    (int)start->monitor);
	snprintf(command, sizeof command, "lsns -p %d", (int)start->pid);
	engine_step(engine, command, "process %d has namespaces of its own: mnt, pid, uts, ipc%s",
		    (int)start->pid,
		    text_equal(start->container->network_mode, "host") ? "" : ", net");
	snprintf(command, sizeof command, "findmnt -N %d", (int)start->pid);
	engine_step(engine, command,
		    "its root is an overlay of the layers and upper; /proc, /sys "
		    "and /dev are its own");
	snprintf(command, sizeof command, "grep -E 'Cap|Seccomp|NoNew' /proc/%d/status",
		 (int)start->pid);
	engine_step(engine, command, "capabilities dropped, system calls filtered");
	snprintf(command, sizeof command, "cat /proc/%d/cgroup", (int)start->pid);
	engine_step(engine, command, "cgroup wherry/%.12s", start->container->id);
}

static int create_process(struct start *start, struct error *err)
{
	int r = start_monitor(start, err);
	if (r == 0)
		r = await(start, FRAME_CREATED, err);
	if (r < 0)
		return r;
	start->pid = frame_number(start->frame);
	start->pidfd = (int)syscall(SYS_pidfd_open, start->pid, 0);
	if (start->pidfd < 0)
		return error_set_errno(err, errno, "process %d of the container", (int)start->pid);
	tell_created(start);
	return 0;
}

static int go(struct start *start, struct error *err)
{
	bool attached = start->attach->output || start->attach->input;
	int r = attached ? frame_send(start->socket_fd, FRAME_ATTACH, NULL, 0) : 0;
	/* Input that is kept open waits for an `attach`, unless this verb stays without giving any.
	 */
	if (r == 0 && start->attach->wait && !start->attach->input)
		r = frame_send(start->socket_fd, FRAME_STDIN_END, NULL, 0);
	/* Before the program's first byte: many ask once, at their beginning. */
	if (r == 0 && start->session)
		session_send_size(start->session, start->socket_fd);
	if (r == 0)
		r = frame_send(start->socket_fd, FRAME_START, NULL, 0);
	if (r < 0)
		return error_set_errno(err, -r, "the container's monitor");
	return await(start, FRAME_STARTED, err);
}

/* All up to the running program. */
static int launch(struct start *start, struct error *err)
{
	struct attachments attachments = { 0 };
	int r = directory_make(start->run_dir.text, 0711, err);
	if (r == 0)
		r = attachments_lease(start->engine, start->container, &attachments, err);
	if (r == 0)
		r = etc_write(start->engine, start->container, &attachments, err);
	if (r == 0)
		r = resolve_shared_network(start, err);
	if (r == 0)
		r = create_process(start, err);
	if (r == 0)
		r = attachments_add(start->engine, start->container, &attachments, start->pid, err);
	attachments_release(&attachments);
	if (r == 0)
		r = go(start, err);
	if (r == 0)
		engine_step(start->engine, NULL, "the program runs");
	return r;
}

/* Has the monitor give up, and clears up in its stead. */
static void abandon(struct start *start)
{
	struct error ignored = { 0 };
	int status;
	if (start->socket_fd >= 0) {
		(void)frame_send(start->socket_fd, FRAME_STOP, NULL, 0);
		if (start->frame->type != FRAME_FAILED)
			(void)await(start, FRAME_EXIT, &ignored); /* or FRAME_FAILED */
	}
	if (container_clear(start->engine, start->container, CLEAR_FAILED_START, &ignored) < 0)
		engine_warn(start->engine, "what the failed start left is not all gone: %s",
			    ignored.text);
	if (start->socket_fd >= 0)
		(void)frame_send(start->socket_fd, FRAME_CLEANED, NULL, 0);
	if (start->monitor > 0)
		(void)process_wait(start->monitor, &status, &ignored);
}

static int stay(struct start *start, struct session *session, int *ret_status, struct error *err)
{
	int status;
	struct session_carry carry = { .socket_fd = start->socket_fd,
				       .pidfd = start->pidfd,
				       .input = start->attach->input,
				       .output = start->attach->output,
				       .keys = &start->keys };
	struct container_now now;
	struct error clear_error = { 0 };
	int r = session_run(session, &carry, ret_status, err);
	if (r == SESSION_DETACHED) {
		*ret_status = 0;
		return 0; /* the monitor does the rest */
	}
	if (r == -EPIPE) { /* the monitor was killed: what it held is taken away here */
		(void)process_wait(start->monitor, &status, &clear_error);
		if (container_settle(start->engine, start->container, &now, &clear_error) < 0)
			engine_warn(start->engine, "what the monitor left is not all gone: %s",
				    clear_error.text);
		return r;
	}
	/* What the container's end leaves is cleared up here, the monitor just goes. */
	int cleared = container_clear(start->engine, start->container, CLEAR_ENDED, &clear_error);
	(void)frame_send(start->socket_fd, FRAME_CLEANED, NULL, 0);
	(void)process_wait(start->monitor, &status, &(struct error){ 0 });
	if (r == 0 && cleared < 0)
		*err = clear_error;
	return r < 0 ? r : cleared;
}

static int exec_status(const struct error *err)
{
	return err->code == ENOENT ? 127 : err->code == EACCES || err->code == ENOEXEC ? 126 : 125;
}

int container_start(struct engine *engine, const char *reference,
		    const struct container_attach *attach, int *ret_status, struct error *err)
{
	AUTO(container) container = NULL;
	struct container_now now;
	auto_fd lock_fd = -1;
	__attribute__((cleanup(start_release))) struct start start = {
		.engine = engine, .attach = attach, .socket_fd = -1, .pidfd = -1
	};
	__attribute__((cleanup(session_freep))) struct session *session = NULL;
	*ret_status = 125;
	int r = detach_keys_parse(attach->detach_keys, &start.keys, err);
	if (r == 0)
		r = container_find(engine, reference, &container, err);
	if (r == 0)
		r = container_lock(engine, container->id, &lock_fd, err);
	if (r == 0)
		r = container_settle(engine, container, &now, err);
	if (r == 0 && now.removed)
		r = error_set(err, ENOENT, "no such container: %s", reference);
	if (r < 0)
		return r;
	*ret_status = 0;
	if (container_is_running(&now))
		return 0;
	start.container = container;
	start.dir = container_dir(engine, container->id);
	start.run_dir = container_run_dir(engine, container->id);
	start.frame = calloc(1, sizeof *start.frame);
	if (!start.frame)
		return error_set(err, ENOMEM, "no memory for a monitor's messages");
	if (attach->wait)
		r = session_create(container->terminal ? SESSION_TERMINAL : SESSION_PLAIN, &session,
				   err);
	start.session = session;
	if (r == 0)
		r = launch(&start, err);
	if (r < 0) {
		*ret_status = start.frame->type == FRAME_FAILED ? exec_status(err) : 125;
		abandon(&start);
		return r;
	}
	event_container(engine, container, "start", NULL, NULL);
	cleanup_fd(&lock_fd);
	lock_fd = -1;
	return attach->wait ? stay(&start, session, ret_status, err) : 0;
}
