/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/* A packet gets its new addresses and ports, whatever its protocol. */
#include "lib/sctp.h"

/* A later fragment has no checksum that would undo the change of its addresses. */
inline_always void translate_later(struct packet *packet, const struct translation *to)
{
	struct sum_change change = translate_ip(packet, to);

	if (packet->v6)
		bpf_csum_update(packet->skb, sum_fold(change.addresses));
}

inline_always void translate_summed(struct packet *packet, const struct translation *to)
{
	bool udp = packet->protocol == IPPROTO_UDP;
	struct sum_change change = translate_ip(packet, to);

	__be16 *ports = packet->transport;
	__u16 *check = packet->transport + (udp ? 6 : 16);
	__u32 summed = summed_of(packet->skb);
	ports[0] = to->source_port;
	ports[1] = to->destination_port;
	if ((void *)(check + 1) > packet->end)
		return;
	if (sum_is_by_hand(packet, summed))
		sum_by_hand(check, summed, udp, change);
	else
		sum_by_helper(packet, (void *)check - (void *)packet->ethernet, udp, change);
}

/* Why a packet cannot be translated so; DROP_NONE if it can. */
inline_always enum drop_reason translation_refusal(const struct packet *packet,
						   const struct translation *to)
{
	return sctp_refusal(packet, to);
}

/* The packet's pointers are dead afterwards. */
inline_always void translate(struct packet *packet, const struct translation *to)
{
	if (packet->later) {
		translate_later(packet, to);
	} else if (packet->protocol == IPPROTO_SCTP) {
		sctp_translate(packet, to);
		translate_ip(packet, to);
	} else if (protocol_is_echo(packet->protocol)) {
		struct sum_change change = translate_ip(packet, to);

		translate_echo(packet, change, to->source_port);
	} else {
		translate_summed(packet, to);
	}
}
