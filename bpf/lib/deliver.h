/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/* The ways onward that need no translation: to a neighbour, to the host. */
#include "lib/count.h"
#include "lib/drop.h"
#include "lib/endpoint.h"
#include "lib/onto.h"

/* From a container to one of its own network. */
inline_always int deliver_to_neighbour(struct packet *packet, const struct source *source)
{
	struct endpoint *target = endpoint_find(source->network, packet_destination(packet));

	if (!target)
		return drop(packet,
			    packet->ethernet->h_dest[0] & 1 ? DROP_MULTICAST : DROP_NO_ENDPOINT);
	if (source->flags & NETWORK_NO_ICC)
		return drop(packet, DROP_NO_ICC);
	packet_set_destination_mac(packet, target->mac);
	packet_to_me(packet->skb);
	count_sent(packet, source->slot);
	count_received(packet, target->slot);
	return onto_endpoint(packet, target->ifindex, target->flags & ENDPOINT_QUEUED);
}

/*
 * From a container to the host: received anew on the gateway device, as all of
 * this network is, since the host's rules and sockets name that.
 */
inline_always int deliver_to_host(struct packet *packet, const struct source *source)
{
	packet_set_destination_mac(packet, source->gateway_mac);
	count_sent(packet, source->slot);
	return bpf_redirect(source->gateway_ifindex, BPF_F_INGRESS);
}

inline_always bool is_served(const struct source *source, __be16 port)
{
	__u16 number = bpf_ntohs(port);

#pragma unroll
	for (int i = 0; i < SERVED_MAX; i++)
		if ((__u16)(number - source->served[i].first) <= source->served[i].more)
			return true;
	return false;
}

/*
 * TCP in mid-flow to the host. Answers of published ports are received where
 * they stand, without a second queue: the host has a route to this container by
 * this link, which is what rp_filter asks for.
 */
inline_always int deliver_answer(struct packet *packet, const struct source *source)
{
	/* IPv6 is off on most links, which keeps an ADD flat. */
	if ((packet->v6 && !(source->flags & ENDPOINT_LINK6)) ||
	    !is_served(source, packet->source_port))
		return deliver_to_host(packet, source);
	packet_to_me(packet->skb);
	count_sent(packet, source->slot);
	return VERDICT_PASS;
}
