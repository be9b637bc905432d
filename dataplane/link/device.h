/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Network devices: veth pairs, gateway bridges, and what a device is. */
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"
#include "link/netlink.h"

#define DEVICE_KIND_MAX 16
#define DEVICE_ALIAS_MAX 256

struct device {
	uint32_t ifindex;
	char name[IFNAMSIZ];
	char kind[DEVICE_KIND_MAX];   /* "bridge", "veth"; "" for hardware */
	char alias[DEVICE_ALIAS_MAX]; /* IFLA_IFALIAS */
	struct mac mac;
	uint32_t mtu;
	uint32_t segment_max; /* bytes of TCP that it takes at once (gso_max_size) */
	uint32_t master;      /* of which bridge it is a port; 0: none */
	uint32_t group;
	uint16_t type;  /* ARPHRD_* */
	unsigned flags; /* IFF_* */
};

/* One container's pair of devices. The peer is born in the container's namespace. */
struct veth_spec {
	const char *host_name;
	const char *peer_name;
	struct mac mac; /* of both ends */
	int peer_netns_fd;
	uint32_t mtu;
	uint32_t segment_max; /* bytes of TCP at once; 0: the kernel's 65536 */
	uint32_t group;
};
/**
 * Makes the pair with one queue each, both ends down. The host end knows no
 * ARP: what the host sends there goes to the host end's own MAC, so that is the
 * container's. -EEXIST: a name is taken.
 */
int veth_create(struct netlink *netlink, const struct veth_spec *spec, struct error *err);
/** Makes a bridge, down. -EEXIST: the name is taken. */
int bridge_create(struct netlink *netlink, const char *name, struct mac mac, uint32_t mtu,
		  struct error *err);

/** ifindex of a name in the socket's namespace; 0 if there is none. */
uint32_t device_index(const struct netlink *netlink, const char *name);
/** 1 and *ret_device if there is such a device (by ifindex), 0 if not, as there is none of 0. */
int device_get(struct netlink *netlink, uint32_t ifindex, struct device *ret_device,
	       struct error *err);
/** All devices of the namespace. */
int device_each(struct netlink *netlink,
		int (*visit)(const struct device *device, void *context, struct error *err),
		void *context, struct error *err);

/** Queued: brings it up. */
int device_queue_up(struct netlink *netlink, uint32_t ifindex, struct error *err);
/** Queued: alias and group; NULL leaves the alias. */
int device_queue_mark(struct netlink *netlink, uint32_t ifindex, const char *alias, uint32_t group,
		      struct error *err);
int device_queue_mtu(struct netlink *netlink, uint32_t ifindex, uint32_t mtu, struct error *err);
/** Gives a device another name; it is down then. */
int device_rename(struct netlink *netlink, uint32_t ifindex, const char *name, struct error *err);
/** Deletes by name; a missing device is fine. Takes some 36 ms for a veth. */
int device_delete(struct netlink *netlink, const char *name, struct error *err);
/** Deletes all devices of a group in one go; none is fine. */
int device_delete_group(struct netlink *netlink, uint32_t group, struct error *err);
/**
 * The kernel notes a carrier some time after the peer came up, and drops what
 * is sent until then: this makes it note it now.
 */
void device_wait_for_carrier(const struct netlink *netlink, const char *name);
