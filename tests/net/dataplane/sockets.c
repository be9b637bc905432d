/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/process.h"

struct sockaddr_storage socket_address(const char *text, uint16_t port)
{
	struct sockaddr_storage out = { 0 };
	struct sockaddr_in *v4 = (void *)&out;
	struct sockaddr_in6 *v6 = (void *)&out;
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return out;
	}
	assert_int_equal(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	return out;
}

int socket_of(struct world *world, const char *host, int family, int type)
{
	struct error err = { 0 };
	int fd = -1;
	world_claim(netns_socket(scene_netns_fd(world->scene, host), family, type, 0, &fd, &err),
		    &err);
	return fd;
}

static int bind_socket(int fd, const struct sockaddr_storage *own)
{
	return bind(fd, (const struct sockaddr *)own, sizeof *own) < 0 ? -errno : 0;
}

int bind_at(struct world *world, const char *host, const char *address, uint16_t port, int type)
{
	struct sockaddr_storage own = socket_address(address, port);
	auto_fd fd = socket_of(world, host, own.ss_family, type);
	return bind_socket(fd, &own);
}

int bind_v6_only(struct world *world, const char *host, const char *address, uint16_t port,
		 int type)
{
	struct sockaddr_storage own = socket_address(address, port);
	auto_fd fd = socket_of(world, host, AF_INET6, type);
	const int on = 1;
	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), 0);
	return bind_socket(fd, &own);
}
