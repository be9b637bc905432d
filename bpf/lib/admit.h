/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * Whether a first packet begins a flow at a publication: the client is one of
 * those that it is for, and no socket of the host talks to this client from the
 * published port, as may be inside a range. Asked once a flow.
 */
#include "lib/publish.h"

#define TCP_STATE_TIME_WAIT 6
#define TCP_STATE_LISTEN 10

inline_always bool publication_allows(const struct publication *publication,
				      const struct abi_addr *client)
{
	struct allowed_key key = { .prefix_length = 32 + 128,
				   .generation = publication->generation,
				   .address = *client };

	return !(publication->flags & PUBLICATION_RESTRICTED) ||
	       bpf_map_lookup_elem(&wh1_allowed, &key);
}

/*
 * A listener does not count: the publication wins over it. TIME_WAIT neither,
 * since the port has changed hands.
 */
inline_always bool tcp_socket_talks(struct __sk_buff *skb, struct bpf_sock_tuple *tuple, __u32 size)
{
	struct bpf_sock *socket = bpf_skc_lookup_tcp(skb, tuple, size, BPF_F_CURRENT_NETNS, 0);

	if (!socket)
		return false;
	bool talks = socket->state != TCP_STATE_LISTEN && socket->state != TCP_STATE_TIME_WAIT;
	bpf_sk_release(socket);
	return talks;
}

/* Nor does a socket that has no peer. */
inline_always bool udp_socket_talks(struct __sk_buff *skb, struct bpf_sock_tuple *tuple, __u32 size)
{
	struct bpf_sock *socket = bpf_sk_lookup_udp(skb, tuple, size, BPF_F_CURRENT_NETNS, 0);

	if (!socket)
		return false;
	bool talks = socket->dst_port != 0;
	bpf_sk_release(socket);
	return talks;
}

noinline_static bool host_talks(struct __sk_buff *skb, const struct flow_key *key)
{
	struct bpf_sock_tuple tuple = { 0 };
	__u32 size = socket_tuple(&tuple, key);

	if (key->protocol == IPPROTO_TCP)
		return tcp_socket_talks(skb, &tuple, size);
	return key->protocol == IPPROTO_UDP && udp_socket_talks(skb, &tuple, size);
}
