/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `attach`: a further client of a running container's monitor. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "events.h"
#include "runtime/frame.h"
#include "session.h"

static int open_running(struct engine *engine, const char *reference,
			struct container **ret_container, struct container_now *ret_now,
			int *ret_socket_fd, struct error *err)
{
	int r = container_find_now(engine, reference, ret_container, ret_now, err);
	if (r == 0 && !container_is_running(ret_now))
		r = error_set(err, EINVAL,
			      "container %s does not run: `wherry start -a %s` does both",
			      (*ret_container)->name, (*ret_container)->name);
	if (r == 0 && ret_now->paused)
		r = error_set(err, EINVAL, "container %s is paused: `wherry unpause %s` first",
			      (*ret_container)->name, (*ret_container)->name);
	if (r < 0)
		return r;
	struct path run_dir = container_run_dir(engine, (*ret_container)->id);
	return frame_connect(run_dir.text, MONITOR_SOCKET, ret_socket_fd, err);
}

int container_join(struct engine *engine, const char *reference,
		   const struct container_attach *attach, int *ret_status, bool *ret_detached,
		   struct error *err)
{
	AUTO(container) container = NULL;
	struct container_now now;
	auto_fd socket_fd = -1, pidfd = -1;
	struct detach_keys keys;
	__attribute__((cleanup(session_freep))) struct session *session = NULL;
	int r = detach_keys_parse(attach->detach_keys, &keys, err);
	if (r == 0)
		r = open_running(engine, reference, &container, &now, &socket_fd, err);
	if (r < 0)
		return r;
	if (attach->signals)
		pidfd = (int)syscall(SYS_pidfd_open, now.state.process.pid, 0);
	bool terminal = container->terminal && attach->input;
	r = session_create(terminal ? SESSION_TERMINAL : SESSION_PLAIN, &session, err);
	if (r == 0 && frame_send(socket_fd, FRAME_ATTACH, NULL, 0) < 0)
		r = error_set(err, EPIPE, "container %s ended just now", container->name);
	if (r < 0)
		return r;
	event_container(engine, container, "attach", NULL, NULL);
	struct session_carry carry = { .socket_fd = socket_fd,
				       .pidfd = pidfd,
				       .input = attach->input && container->interactive,
				       .output = true,
				       .keys = &keys };
	r = session_run(session, &carry, ret_status, err);
	*ret_detached = r == SESSION_DETACHED;
	return r < 0 ? r : 0;
}
