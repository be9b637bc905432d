/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One message is one packet of a fixed size, so that there is nothing to parse.
 */
#include "sync.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/text.h"

struct message {
	uint32_t kind;
	int32_t code;
	char text[ERROR_TEXT_MAX];
};

int sync_open(int ret_fds[2], struct error *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0)
		return error_set_errno(err, errno, "socket to the container");
	return 0;
}

static int send_message(int socket_fd, struct message *message, size_t size, int fd)
{
	struct iovec data = { message, size };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr header = { .msg_iov = &data, .msg_iovlen = 1 };
	if (fd >= 0) {
		header.msg_control = control.space;
		header.msg_controllen = sizeof control.space;
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
	}
	return sendmsg(socket_fd, &header, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int sync_send(int socket_fd, enum sync_kind kind, int fd)
{
	struct message message = { .kind = kind };
	return send_message(socket_fd, &message, offsetof(struct message, text) + 1, fd);
}

void sync_send_error(int socket_fd, const struct error *error)
{
	struct message message = { .kind = SYNC_FAILED, .code = error->code };
	snprintf(message.text, sizeof message.text, "%s", error->text);
	(void)send_message(socket_fd, &message,
			   offsetof(struct message, text) + strlen(message.text) + 1, -1);
}

static void take_descriptor(struct msghdr *header, int *ret_fd)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
		int fd;
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS ||
		    part->cmsg_len != CMSG_LEN(sizeof fd))
			continue;
		memcpy(&fd, CMSG_DATA(part), sizeof fd);
		if (ret_fd)
			*ret_fd = fd;
		else
			close(fd);
	}
}

int sync_receive(int socket_fd, int *ret_fd, struct error *err)
{
	struct message message = { 0 };
	struct iovec data = { &message, sizeof message };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr header = { .msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control.space,
				 .msg_controllen = sizeof control.space };
	ssize_t size;
	do
		size = recvmsg(socket_fd, &header, MSG_CMSG_CLOEXEC);
	while (size < 0 && errno == EINTR);
	if (size == 0 || (size < 0 && errno == ECONNRESET))
		return 0;
	if (size < 0)
		return error_set_errno(err, errno, "hearing from the container");
	take_descriptor(&header, ret_fd);
	message.text[sizeof message.text - 1] = '\0';
	if (message.kind == SYNC_FAILED)
		return error_set(err, message.code > 0 ? message.code : EIO, "%s", message.text);
	return (int)message.kind;
}

/* A socket's path has at most 107 bytes: the directory is named by a descriptor. */
static int make_address(const char *path, struct sockaddr_un *address, int *ret_directory,
			struct error *err)
{
	const char *slash = strrchr(path, '/');
	auto_free char *directory = NULL;
	int r = text_format(&directory, err, "%.*s", slash ? (int)(slash - path + 1) : 1,
			    slash ? path : ".");
	if (r < 0)
		return r;
	auto_fd fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "%s", directory);
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	int length = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s",
			      fd, slash ? slash + 1 : path);
	if ((size_t)length >= sizeof address->sun_path)
		return error_set(err, ENAMETOOLONG, "%s: name of the socket is too long", path);
	*ret_directory = TAKE_FD(fd);
	return 0;
}

int sync_listen(const char *path, int *ret_fd, struct error *err)
{
	struct sockaddr_un address;
	auto_fd directory = -1;
	int r = make_address(path, &address, &directory, err);
	if (r < 0)
		return r;
	auto_fd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(fd, 1) < 0)
		return error_set_errno(err, errno, "socket %s", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int sync_connect(const char *path, int *ret_fd, struct error *err)
{
	struct sockaddr_un address;
	auto_fd directory = -1;
	int r = make_address(path, &address, &directory, err);
	if (r < 0)
		return r;
	auto_fd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set_errno(err, errno, "socket %s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		if (errno == ECONNREFUSED || errno == ENOENT)
			return 1;
		return error_set_errno(err, errno, "socket %s", path);
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}
