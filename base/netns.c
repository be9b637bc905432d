/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network namespaces: opened, compared, visited. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/process.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

int netns_open(const char *path, int *ret_fd, struct error *err)
{
	struct statfs file_system;
	/* O_NONBLOCK: a hostile path may be a FIFO, which would wait for a writer. */
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_set_errno(err, errno, "network namespace %s", path);
	if (fstatfs(fd, &file_system) < 0 || file_system.f_type != NSFS_MAGIC ||
	    ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return error_set(err, EINVAL, "%s is no network namespace", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

bool netns_is_own(int fd)
{
	struct stat own, other;
	return stat("/proc/thread-self/ns/net", &own) == 0 && fstat(fd, &other) == 0 &&
	       own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

int netns_run(int netns_fd, int (*work)(void *context, struct error *err), void *context,
	      struct error *err)
{
	auto_fd home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return error_set_errno(err, errno, "own network namespace");
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return error_set_errno(err, errno, "cannot enter the network namespace");
	int r = work(context, err);
	if (setns(home, CLONE_NEWNET) < 0)
		abort(); /* nothing may go on in the wrong place */
	return r;
}

struct socket_request {
	int domain, type, protocol, fd;
};

static int make_socket(void *context, struct error *err)
{
	struct socket_request *request = context;
	request->fd = socket(request->domain, request->type | SOCK_CLOEXEC, request->protocol);
	return request->fd < 0 ? error_set_errno(err, errno, "no socket in the namespace") : 0;
}

int netns_socket(int netns_fd, int domain, int type, int protocol, int *ret_fd, struct error *err)
{
	struct socket_request request = { domain, type, protocol, -1 };
	int r = netns_run(netns_fd, make_socket, &request, err);
	if (r == 0)
		*ret_fd = request.fd;
	return r;
}

int netns_cookie(int netns_fd, uint64_t *ret_cookie, struct error *err)
{
	auto_fd fd = -1;
	socklen_t size = sizeof *ret_cookie;
	int r = netns_socket(netns_fd, AF_INET, SOCK_DGRAM, 0, &fd, err);
	if (r < 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret_cookie, &size) < 0)
		return error_set_errno(err, errno, "no cookie of the network namespace");
	return 0;
}
