/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * The way out, by the kernel's own routes: asked when a flow begins and every
 * few seconds after. The packet that asks leaves through the kernel's neighbour
 * code, which so keeps the neighbour's entry fresh; the rest fly with the MACs
 * that it told.
 */
#include "lib/count.h"
#include "lib/drop.h"
#include "lib/endpoint.h"

enum route_kind { ROUTE_LOCAL, ROUTE_OUT, ROUTE_NONE };

/* As seen by a packet that comes in by the gateway device `from`, which forwards. */
struct route {
	struct bpf_fib_lookup fib;
	long result;
};

noinline_static int route_ask(struct __sk_buff *skb, struct route *route, __u32 from, __be32 source,
			      __be32 destination)
{
	__builtin_memset(&route->fib, 0, sizeof route->fib);
	route->fib.family = AF_INET;
	route->fib.ifindex = from;
	route->fib.ipv4_src = source;
	route->fib.ipv4_dst = destination;
	route->result = bpf_fib_lookup(skb, &route->fib, sizeof route->fib, 0);
	if (route->result == BPF_FIB_LKUP_RET_NOT_FWDED)
		return ROUTE_LOCAL;
	/* FRAG_NEEDED: this one packet is too long for it. */
	if (route->result == BPF_FIB_LKUP_RET_SUCCESS ||
	    route->result == BPF_FIB_LKUP_RET_NO_NEIGH ||
	    route->result == BPF_FIB_LKUP_RET_FRAG_NEEDED)
		return ROUTE_OUT;
	return ROUTE_NONE;
}

inline_always void next_hop_keep(struct flow *flow, const struct route *route)
{
	flow->next_hop_at = now_s();
	flow->ifindex = route->fib.ifindex;
	if (route->result != BPF_FIB_LKUP_RET_SUCCESS) {
		flow->flags &= ~FLOW_HAVE_NEXT_HOP;
		return;
	}
	mac_copy(flow->source_mac, route->fib.smac);
	mac_copy(flow->destination_mac, route->fib.dmac);
	flow->flags |= FLOW_HAVE_NEXT_HOP;
}

inline_always bool next_hop_is_fresh(const struct flow *flow)
{
	return (flow->flags & FLOW_HAVE_NEXT_HOP) &&
	       now_s() - flow->next_hop_at < FLOW_NEXT_HOP_LIFE;
}

inline_always void next_hop_write(struct packet *packet, const struct flow *flow)
{
	mac_copy(packet->ethernet->h_source, flow->source_mac);
	mac_copy(packet->ethernet->h_dest, flow->destination_mac);
}

/* Asks anew for a flow from `network`; a route that is gone leaves the flow as it was. */
noinline_static int next_hop_refresh(struct __sk_buff *skb, struct flow *flow, __u32 network_id,
				     __be32 source, __be32 destination)
{
	struct network *network = network_get(network_id);
	struct route route;

	if (!network)
		return DROP_INTERNAL_ERROR;
	if (route_ask(skb, &route, network->gateway_ifindex, source, destination) != ROUTE_OUT)
		return DROP_NO_ROUTE;
	__u32 out = route.fib.ifindex;
	if (!bpf_map_lookup_elem(&wh1_uplinks, &out))
		return DROP_NO_UPLINK;
	next_hop_keep(flow, &route);
	return DROP_NONE;
}
