/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Socket addresses of both families as one value, and the sockets of DNS.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/ip.h"
#include "plan.h"

struct dns_address {
	socklen_t size;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
};

/** scope: interface index of a link-local IPv6 address, else 0. */
struct dns_address dns_address_make(struct ip ip, uint16_t port, uint32_t scope);
struct ip dns_address_ip(const struct dns_address *address);
/**
 * A non-blocking socket bound to ip:53 whether or not a device has the address
 * (and listening, under DNS_TCP). 0 or -errno, -EADDRINUSE if another has it.
 */
int dns_socket_listen(struct ip ip, enum dns_transport transport, int *ret_fd, struct error *err);
/** A non-blocking socket on its way to address, from a random port. 0 or -errno. */
int dns_socket_connect(const struct dns_address *address, enum dns_transport transport,
		       int *ret_fd);
