/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/text.h"

#define SOCKET_NAME "wherryd.sock"
#define CONNECTIONS_WAITING 64
#define RETRY_MS 5 /* until a daemon that starts has its socket */

struct control {
	int run_fd; /* the run directory */
	int fd;
	struct loop_source *source;
	void (*refresh)(void *context);
	void *context;
};

/*
 * The address of the socket by way of a descriptor of its directory: a path under
 * a long root does not fit into sockaddr_un.
 */
static int open_run(const struct instance *instance, int *ret_fd, struct sockaddr_un *ret_address,
		    struct error *err)
{
	auto_fd fd = open(instance->run, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "%s", instance->run);
	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(ret_address->sun_path, sizeof ret_address->sun_path, "/proc/self/fd/%d/%s", fd,
		 SOCKET_NAME);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static void on_connection(struct loop *loop, int fd, unsigned events, void *context)
{
	struct control *control = context;
	(void)loop;
	(void)events;
	auto_fd peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (peer < 0)
		return;
	char answer[64];
	int size = snprintf(answer, sizeof answer, "ready %ld", (long)getpid());
	control->refresh(control->context);
	(void)send(peer, answer, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int listen_at(struct control *control, const struct sockaddr_un *address, struct error *err)
{
	(void)unlinkat(control->run_fd, SOCKET_NAME, 0);
	control->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->fd < 0)
		return error_set_errno(err, errno, "control socket");
	mode_t before = umask(077);
	int r = bind(control->fd, (const struct sockaddr *)address, sizeof *address);
	umask(before);
	if (r < 0 || listen(control->fd, CONNECTIONS_WAITING) < 0)
		return error_set_errno(err, errno, "control socket");
	return 0;
}

int control_create(struct loop *loop, const struct instance *instance,
		   void (*refresh)(void *context), void *context, struct control **ret_control,
		   struct error *err)
{
	struct sockaddr_un address;
	AUTO(control) control = calloc(1, sizeof *control);
	if (!control)
		return error_set(err, ENOMEM, "no memory for the control socket");
	control->run_fd = control->fd = -1;
	control->refresh = refresh;
	control->context = context;
	int r = open_run(instance, &control->run_fd, &address, err);
	if (r == 0)
		r = listen_at(control, &address, err);
	if (r == 0)
		r = loop_add_fd(loop, control->fd, LOOP_READ, on_connection, control,
				&control->source, err);
	if (r < 0)
		return r;
	*ret_control = TAKE(control);
	return 0;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	loop_source_free(control->source);
	if (control->fd >= 0)
		(void)unlinkat(control->run_fd, SOCKET_NAME, 0);
	cleanup_fd(&control->fd);
	cleanup_fd(&control->run_fd);
	free(control);
}

/* One try: 1 and the process, or 0 if nobody is there or it went away. */
static int try_once(const struct sockaddr_un *address, int timeout_ms, pid_t *ret_pid)
{
	char answer[64];
	uint64_t pid;
	auto_fd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof *address) < 0)
		return 0;
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	if (poll(&wait, 1, timeout_ms) <= 0)
		return 0;
	ssize_t size = recv(fd, answer, sizeof answer - 1, 0);
	if (size <= 0)
		return 0;
	answer[size] = '\0';
	if (!text_starts_with(answer, "ready ") ||
	    text_to_unsigned(answer + 6, 1, INT32_MAX, &pid) < 0)
		return 0;
	*ret_pid = (pid_t)pid;
	return 1;
}

int control_ask(const struct instance *instance, int timeout_ms, pid_t *ret_pid, struct error *err)
{
	struct sockaddr_un address;
	auto_fd run_fd = -1;
	uint64_t end_ms = clock_monotonic_ms() + (uint64_t)timeout_ms;
	int r = open_run(instance, &run_fd, &address, err);
	if (r < 0)
		return r;
	for (;;) {
		uint64_t now_ms = clock_monotonic_ms();
		if (now_ms >= end_ms)
			return error_set(err, ETIMEDOUT,
					 "wherryd runs, but does not answer at %s/%s",
					 instance->run, SOCKET_NAME);
		if (try_once(&address, (int)(end_ms - now_ms), ret_pid) == 1)
			return 0;
		poll(NULL, 0, RETRY_MS);
	}
}
