/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "address.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define TCP_BACKLOG 128
#define UDP_BUFFER_BYTES (1 << 20) /* a start of hundreds of containers at once */

struct dns_address dns_address_make(struct ip ip, uint16_t port, uint32_t scope)
{
	struct dns_address address = { 0 };
	if (ip_is_v4(ip)) {
		address.size = sizeof address.v4;
		address.v4 = (struct sockaddr_in){ .sin_family = AF_INET,
						   .sin_port = htons(port),
						   .sin_addr = ip_to_v4(ip) };
		return address;
	}
	address.size = sizeof address.v6;
	address.v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
					    .sin6_port = htons(port),
					    .sin6_scope_id = scope };
	memcpy(&address.v6.sin6_addr, ip.bytes, sizeof ip.bytes);
	return address;
}

struct ip dns_address_ip(const struct dns_address *address)
{
	return address->any.sa_family == AF_INET ? ip_from_v4(address->v4.sin_addr)
						 : ip_from_v6(&address->v6.sin6_addr);
}

static int open_socket(const struct dns_address *address, enum dns_transport transport)
{
	int type = transport == DNS_TCP ? SOCK_STREAM : SOCK_DGRAM;
	return socket(address->any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int prepare(int fd, const struct dns_address *address, enum dns_transport transport)
{
	int on = 1, buffer = UDP_BUFFER_BYTES;
	bool v6 = address->any.sa_family == AF_INET6;
	/* A network's address may come after its listener. */
	if (setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_FREEBIND : IP_FREEBIND, &on,
		       sizeof on) < 0)
		return -errno;
	if (transport == DNS_TCP)
		return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ? -errno : 0;
	/* Best effort: the system may allow less. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
	return 0;
}

int dns_socket_listen(struct ip ip, enum dns_transport transport, int *ret_fd, struct error *err)
{
	struct dns_address address = dns_address_make(ip, DNS_PORT, 0);
	auto_fd fd = open_socket(&address, transport);
	if (fd < 0)
		return error_set_errno(err, errno, "dns: cannot make a socket");
	int r = prepare(fd, &address, transport);
	if (r == 0 && bind(fd, &address.any, address.size) < 0)
		r = -errno;
	if (r == 0 && transport == DNS_TCP && listen(fd, TCP_BACKLOG) < 0)
		r = -errno;
	if (r < 0)
		return error_set_errno(err, -r, "dns: cannot listen on %s port %d %s",
				       ip_format(ip).text, DNS_PORT,
				       transport == DNS_TCP ? "tcp" : "udp");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int dns_socket_connect(const struct dns_address *address, enum dns_transport transport, int *ret_fd)
{
	auto_fd fd = open_socket(address, transport);
	if (fd < 0)
		return -errno;
	/* The kernel takes the source port at random, for each socket anew. */
	if (connect(fd, &address->any, address->size) < 0 && errno != EINPROGRESS)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}
