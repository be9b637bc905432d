/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The kernel programs: loaded, pinned and attached to the host's sockets, once
 * for an instance. The skeleton is spoken to here only.
 */
#include "handle.h"

/**
 * 1 if the instance's programs are pinned and whole, 0 if not yet or of an older
 * layout, -EPROTO if those of a newer one are.
 */
int load_check(const struct instance *instance, struct error *err);
/** -ENOENT, and how to mount it, if the instance's pins have no bpffs to lie on. */
int load_check_bpffs(const struct instance *instance, struct error *err);
/**
 * Loads all programs over the maps that are pinned already, or carries the entries
 * of maps with another layout over, pins what is new, and puts the programs in the
 * place of those that run. The caller holds the instance's lock, and has chosen
 * dataplane->block.
 */
int load_programs(struct dataplane *dataplane, struct error *err);
/** True if the kernel lets programs read skb->ip_summed. */
bool load_knows_ip_summed(void);
/** CONFIG_HZ of the running kernel. */
uint32_t load_jiffies_per_second(void);

/* How many answered flows there may be, of all endpoints and of one. */
struct flow_limits {
	uint32_t flows;
	uint32_t per_endpoint;
};
/** From ROOT/etc/wherry/config.json "flows" and "flowsPerEndpoint", else by the machine's memory.
 */
int load_flow_limits(const struct instance *instance, struct flow_limits *ret_limits,
		     struct error *err);

/* Source ports that masquerading gives out. */
struct port_range {
	uint16_t first;
	uint16_t count;
};
/**
 * "publishFrom" of the instance's config: who may reach published ports where
 * nothing else is said; at most PUBLISH_FROM_MAX. *ret_count 0: everybody.
 */
int load_publish_from(const struct instance *instance, struct prefix *ret_prefixes,
		      size_t *ret_count, struct error *err);
/** "hostFirewall" of the instance's config; HOST_FIREWALL_CONFIGURED if it says nothing. */
int load_host_firewall(const struct instance *instance, enum host_firewall *ret_firewall,
		       struct error *err);
/** From ROOT/etc/wherry/config.json "masqueradePorts", else the instance's share. */
int load_masquerade_ports(const struct instance *instance, struct port_range *ret_range,
			  struct error *err);
