/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Addresses and routes of a namespace, of both families. */
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"
#include "link/netlink.h"

struct address {
	uint32_t ifindex;
	struct prefix prefix; /* the address with its subnet's length */
	uint8_t scope;        /* RT_SCOPE_* */
	uint32_t flags;       /* IFA_F_*: a secondary address is IFA_F_SECONDARY */
};
struct route {
	struct prefix destination;
	struct ip gateway; /* unset: on the link */
	uint32_t ifindex;
	uint32_t metric;
	uint8_t type; /* RTN_* */
	uint32_t table;
};

/** Queued: an address that is there already is fine. IPv6: usable at once, without detection of
 * duplicates; give it to a device that is up. */
int address_queue_add(struct netlink *netlink, uint32_t ifindex, struct prefix prefix,
		      struct error *err);
/**
 * Waits until an address of IPv6 that was added is taken for the namespace's own: the kernel
 * enters the route for it some time later, and sees packets for it as a stranger's until then.
 * -ETIMEDOUT if it takes seconds.
 */
int address_wait(struct netlink *netlink, struct ip address, struct error *err);
/** Queued: an address that is not there is fine. */
int address_queue_delete(struct netlink *netlink, uint32_t ifindex, struct prefix prefix,
			 struct error *err);
/** Queued: replaces a route to the same destination. gateway unset: on the link. */
int route_queue_add(struct netlink *netlink, uint32_t ifindex, struct prefix destination,
		    struct ip gateway, struct error *err);
/** A route to one address, of either family. */
struct host_route {
	struct ip address;
	uint32_t link;
	struct ip source; /* of what the host sends there */
	uint32_t table;   /* 0: the main one */
};
/** Queued: replaces what route the address has. The link must be up. */
int host_route_queue_add(struct netlink *netlink, const struct host_route *route,
			 struct error *err);
/** 1 if there is a route to this one address, 0 if not. */
int host_route_look(struct netlink *netlink, struct ip address, struct error *err);
/** All addresses of the namespace. */
int address_each(struct netlink *netlink,
		 int (*visit)(const struct address *address, void *context, struct error *err),
		 void *context, struct error *err);
/** All routes of the main table. */
int route_each(struct netlink *netlink,
	       int (*visit)(const struct route *route, void *context, struct error *err),
	       void *context, struct error *err);
