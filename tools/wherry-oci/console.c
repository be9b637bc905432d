/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

#define RELAY_SIZE 8192

int console_connect(const char *path, int *ret_fd, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof address.sun_path)
		return error_set(err, ENAMETOOLONG, "console socket %s: path is too long", path);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		return error_set_errno(err, errno, "console socket %s", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int console_send(int socket_fd, int master_fd, struct error *err)
{
	char name[] = "/dev/ptmx";
	struct iovec data = { name, sizeof name - 1 };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control.space,
				  .msg_controllen = sizeof control.space };
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof master_fd);
	memcpy(CMSG_DATA(&control.header), &master_fd, sizeof master_fd);
	if (sendmsg(socket_fd, &message, MSG_NOSIGNAL) < 0)
		return error_set_errno(err, errno, "console socket");
	return 0;
}

/* False: the source has ended. */
static bool pass(int from, int to)
{
	char bytes[RELAY_SIZE];
	ssize_t size = read(from, bytes, sizeof bytes);
	if (size < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	return size > 0 && fd_write_all(to, bytes, (size_t)size) == 0;
}

static void relay(int master_fd)
{
	struct pollfd fds[] = { { .fd = master_fd, .events = POLLIN },
				{ .fd = STDIN_FILENO, .events = POLLIN } };
	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[0].revents && !pass(master_fd, STDOUT_FILENO))
			return;
		if (fds[1].revents && !pass(STDIN_FILENO, master_fd))
			fds[1].fd = -1;
	}
}

int console_relay(int master_fd, struct error *err)
{
	struct termios before, raw;
	struct winsize size;
	if (tcgetattr(STDIN_FILENO, &before) < 0) {
		relay(master_fd);
		return 0;
	}
	raw = before;
	cfmakeraw(&raw);
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		(void)ioctl(master_fd, TIOCSWINSZ, &size);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return error_set_errno(err, errno, "terminal");
	relay(master_fd);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
	return 0;
}
