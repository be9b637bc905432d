/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Sockets of a host or container of the scene that the test itself handles, of both families. */
#include <netinet/in.h>

#include "world.h"

/** An address of either family; "::ffff:127.0.0.1" is one of IPv6. */
struct sockaddr_storage socket_address(const char *text, uint16_t port);
/** In the namespace of a host or container; the caller closes it. */
int socket_of(struct world *world, const char *host, int family, int type);
/** Binds a socket for a moment: 0 or -errno. */
int bind_at(struct world *world, const char *host, const char *address, uint16_t port, int type);
/** The same by a socket of IPv6 that has IPV6_V6ONLY. */
int bind_v6_only(struct world *world, const char *host, const char *address, uint16_t port,
		 int type);
