/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/* The ways onward that need no translation: to a neighbour, to the host. */
#include "lib/count.h"
#include "lib/drop.h"
#include "lib/endpoint.h"

/* From a container to one of its own network. */
inline_always int deliver_to_neighbour(struct packet *packet, const struct source *source)
{
	struct endpoint *target = endpoint_find(source->network, address4(packet->ip->daddr));

	if (!target)
		return drop(packet,
			    packet->ethernet->h_dest[0] & 1 ? DROP_MULTICAST : DROP_NO_ENDPOINT);
	if (source->flags & NETWORK_NO_ICC)
		return drop(packet, DROP_NO_ICC);
	packet_set_destination_mac(packet, target->mac);
	packet_to_me(packet->skb);
	count_sent(packet, source->slot);
	count_received(packet, target->slot);
	return bpf_redirect_peer(target->ifindex, 0);
}

/*
 * From a container to the host: seen on the gateway device, as everything of
 * this network is, so that rp_filter and the host's own rules hold.
 */
inline_always int deliver_to_host(struct packet *packet, const struct source *source)
{
	packet_set_destination_mac(packet, source->gateway_mac);
	count_sent(packet, source->slot);
	return bpf_redirect(source->gateway_ifindex, BPF_F_INGRESS);
}

/* TCP in mid-flow to the host, without the second reception on the gateway device. */
inline_always int deliver_straight(struct packet *packet, const struct source *source)
{
	if (!(source->flags & NETWORK_STRAIGHT))
		return deliver_to_host(packet, source);
	packet_to_me(packet->skb);
	count_sent(packet, source->slot);
	return VERDICT_PASS;
}
