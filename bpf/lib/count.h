/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/* Packets and bytes of an endpoint, in both directions; slot 0 counts nobody's. */
#include "lib/packet.h"

inline_always void count_sent(const struct packet *packet, __u32 slot)
{
	struct slot_stats *stats = bpf_map_lookup_elem(&wh1_slot_stats, &slot);

	if (!stats)
		return;
	stats->tx_packets++;
	stats->tx_bytes += packet->skb->len;
}

inline_always void count_received(const struct packet *packet, __u32 slot)
{
	struct slot_stats *stats = bpf_map_lookup_elem(&wh1_slot_stats, &slot);

	if (!stats)
		return;
	stats->rx_packets++;
	stats->rx_bytes += packet->skb->len;
}
