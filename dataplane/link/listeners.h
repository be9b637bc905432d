/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Sockets of the namespace that wait for whoever comes, by the kernel's socket diagnosis. */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"

struct listener {
	struct ip address; /* all zero or 0.0.0.0: every address */
	uint16_t port;
	bool v6_only; /* an IPv6 socket that takes no IPv4 */
	unsigned long inode;
};
/**
 * Visits the TCP sockets that listen, or the UDP sockets without a peer; a
 * non-zero result of visit ends the walk and is returned. -ENOENT and the like:
 * this kernel lacks the module (tcp_diag, udp_diag).
 */
int listener_each(uint8_t protocol,
		  int (*visit)(const struct listener *listener, void *context, struct error *err),
		  void *context, struct error *err);
