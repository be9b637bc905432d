/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * Onto the link of an endpoint: into its namespace past every queue, unless its
 * bandwidth is limited, which the queue of its host end does. The mark tells the
 * program there that the packet was judged and counted; it ends there.
 */
#include "lib/packet.h"

#define MARK_QUEUED 0x57481001u

inline_always int onto_endpoint(struct packet *packet, __u32 ifindex, bool queued)
{
	if (!queued)
		return bpf_redirect_peer(ifindex, 0);
	packet->skb->mark = MARK_QUEUED;
	return bpf_redirect(ifindex, 0);
}
