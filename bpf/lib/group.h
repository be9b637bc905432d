/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * Multicast and broadcast in networks that carry them: a copy for each link of
 * the network, up to a number, at a bounded rate for each sender. No groups are
 * kept: who has not joined one drops its copy at the door.
 */
#include "lib/count.h"
#include "lib/endpoint.h"
#include "lib/rate.h"

#define GROUP_RECEIVERS_MAX 512

struct group_copy {
	struct __sk_buff *skb;
	__u32 slot; /* the sender's, which gets none */
	__u32 network;
	__u32 family; /* NETWORK_IPV4 or NETWORK_IPV6 */
	__u32 left;
};

static long group_visit(void *map, __u32 *ifindex, struct source *source, struct group_copy *copy)
{
	if (source->network != copy->network || source->slot == copy->slot ||
	    !(source->flags & copy->family))
		return 0;
	if (!copy->left)
		return 1;
	copy->left--;
	bpf_clone_redirect(copy->skb, *ifindex, 0);
	return 0;
}

/* The packet itself is left to the caller, its pointers are dead. */
inline_always void group_send(const struct packet *packet)
{
	struct group_copy copy = {
		.skb = packet->skb,
		.slot = packet->slot,
		.network = packet->network,
		.family = packet->v6 ? NETWORK_IPV6 : NETWORK_IPV4,
		.left = GROUP_RECEIVERS_MAX,
	};

	bpf_for_each_map_elem(&wh1_sources, group_visit, &copy, 0);
}
