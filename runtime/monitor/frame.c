/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

#define BACKLOG 16

int frame_send(int fd, enum frame_type type, const void *data, size_t size)
{
	struct frame_header header = { .type = (uint8_t)type, .size = (uint32_t)size };
	struct iovec parts[2] = { { &header, sizeof header }, { (void *)(uintptr_t)data, size } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	while (parts[0].iov_len + parts[1].iov_len) {
		ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -errno;
		for (int i = 0; i < 2; i++) {
			size_t part =
				(size_t)sent < parts[i].iov_len ? (size_t)sent : parts[i].iov_len;
			parts[i].iov_base = (char *)parts[i].iov_base + part;
			parts[i].iov_len -= part;
			sent -= (ssize_t)part;
		}
	}
	return 0;
}

int frame_send_number(int fd, enum frame_type type, int32_t number, const char *text)
{
	char data[sizeof number + ERROR_TEXT_MAX];
	size_t size = text ? strnlen(text, ERROR_TEXT_MAX) : 0;
	memcpy(data, &number, sizeof number);
	if (size)
		memcpy(data + sizeof number, text, size);
	return frame_send(fd, type, data, sizeof number + size);
}

/* 1, or 0 when the stream ends before the first byte. */
static int receive_all(int fd, void *data, size_t size)
{
	size_t done = 0;
	while (done < size) {
		ssize_t got = read(fd, (char *)data + done, size - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == ECONNRESET ? 0 : -errno;
		if (got == 0)
			return done ? -EPROTO : 0;
		done += (size_t)got;
	}
	return 1;
}

int frame_receive(int fd, struct frame *ret_frame)
{
	struct frame_header header;
	int r = receive_all(fd, &header, sizeof header);
	if (r <= 0)
		return r;
	if (header.size > FRAME_SIZE_MAX)
		return -EPROTO;
	ret_frame->type = header.type;
	ret_frame->size = header.size;
	r = receive_all(fd, ret_frame->data, header.size);
	return r == 0 ? -EPROTO : r;
}

int32_t frame_number(const struct frame *frame)
{
	int32_t number = -1;
	if (frame->size >= sizeof number)
		memcpy(&number, frame->data, sizeof number);
	return number;
}

/* A socket's address holds 107 bytes: the directory goes in as a descriptor. */
static int make_address(const char *dir, const char *name, int *ret_dir_fd,
			struct sockaddr_un *ret_address, struct error *err)
{
	*ret_dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret_dir_fd < 0)
		return error_set_errno(err, errno, "%s", dir);
	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(ret_address->sun_path, sizeof ret_address->sun_path, "/proc/self/fd/%d/%s",
		 *ret_dir_fd, name);
	return 0;
}

int frame_listen(const char *dir, const char *name, int *ret_fd, struct error *err)
{
	struct sockaddr_un address;
	auto_fd dir_fd = -1;
	int r = make_address(dir, name, &dir_fd, &address, err);
	if (r < 0)
		return r;
	auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)unlinkat(dir_fd, name, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return error_set_errno(err, errno, "socket %s/%s", dir, name);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int frame_connect(const char *dir, const char *name, int *ret_fd, struct error *err)
{
	struct sockaddr_un address;
	auto_fd dir_fd = -1;
	int r = make_address(dir, name, &dir_fd, &address, err);
	if (r < 0)
		return r;
	auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		return error_set_errno(err, errno, "socket %s/%s", dir, name);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
