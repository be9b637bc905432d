/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The daemon: one loop that wires DNS, the host's events and the control socket.
 * Everything that it knows is in the store; kill -9 at any time loses nothing,
 * and the data path does not notice.
 */
#include "base/instance.h"
#include "base/log.h"
#include "dns/dns.h"

struct daemon_settings {
	struct instance instance;
	struct log log;
	struct ip upstreams[DNS_UPSTREAMS_MAX]; /* none: as resolv_conf says */
	size_t upstream_count;
	const char *resolv_conf; /* lent; NULL: /etc/resolv.conf */
};
struct daemon;
/** Opens all and listens. The instance's lock must be held. The caller owns *ret_daemon. */
int daemon_create(const struct daemon_settings *settings, struct daemon **ret_daemon,
		  struct error *err);
/** Serves until SIGTERM or SIGINT. */
void daemon_run(struct daemon *daemon);
void daemon_free(struct daemon *daemon);
DEFINE_FREEP(daemon)
