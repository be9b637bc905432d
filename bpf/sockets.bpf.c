/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * Sockets that connect: the host's own to a published port are led to the
 * container once, at connect, and cost nothing for each packet; those of
 * containers to 127.0.0.11 port 53 are led to their network's gateway. The
 * hooks see every process of the machine, so each acts by netns cookie alone.
 */
#include "lib/publish.h"

#define ALLOW 1
#define RESOLVER bpf_htonl(0x7f00000b)
#define DNS_PORT bpf_htons(53)

struct target {
	struct abi_addr address;
	__be16 port;
};

inline_always __be16 context_port(const struct bpf_sock_addr *context)
{
	return (__be16)context->user_port;
}

/* The host's own address, as bind and connect mean it. */
inline_always bool is_own(__be32 address)
{
	struct abi_addr key = address4(address);

	return address_is_loopback(&key) || bpf_map_lookup_elem(&wh1_locals, &key);
}

inline_always bool target_of_host(const struct bpf_sock_addr *context, struct target *target)
{
	if (!is_own(context->user_ip4))
		return false;
	struct publication *publication = publication_find(
		address4(context->user_ip4), context_port(context), context->protocol);
	if (!publication)
		return false;
	target->address = publication->address;
	target->port = publication->port;
	return true;
}

inline_always bool target_of_container(const struct bpf_sock_addr *context, __u64 cookie,
				       struct target *target)
{
	if (context->user_ip4 != RESOLVER || context_port(context) != DNS_PORT)
		return false;
	struct netns *netns = bpf_map_lookup_elem(&wh1_netns, &cookie);
	if (!netns || !netns->resolver.words[3])
		return false;
	target->address = netns->resolver;
	target->port = DNS_PORT;
	return true;
}

inline_always bool target_find(struct bpf_sock_addr *context, struct target *target)
{
	if (context->protocol != IPPROTO_TCP && context->protocol != IPPROTO_UDP)
		return false;
	__u64 cookie = bpf_get_netns_cookie(context);
	return cookie == host_netns_cookie ? target_of_host(context, target)
					   : target_of_container(context, cookie, target);
}

inline_always struct socket_key socket_key_of(struct bpf_sock_addr *context,
					      struct abi_addr address, __be16 port)
{
	return (struct socket_key){
		.cookie = bpf_get_socket_cookie(context),
		.address = address,
		.port = port,
		.protocol = context->protocol,
	};
}

/* Leads the socket to its target, and remembers what it asked for. */
inline_always int lead(struct bpf_sock_addr *context)
{
	struct target target;

	if (!target_find(context, &target))
		return ALLOW;
	struct socket_key key = socket_key_of(context, target.address, target.port);
	struct socket_origin origin = {
		.address = address4(context->user_ip4),
		.port = context_port(context),
	};
	bpf_map_update_elem(&wh1_sockets, &key, &origin, BPF_ANY);
	context->user_ip4 = target.address.words[3];
	context->user_port = target.port;
	return ALLOW;
}

/* Tells the socket that its peer is whom it asked for. */
inline_always int disguise(struct bpf_sock_addr *context)
{
	if (context->protocol != IPPROTO_TCP && context->protocol != IPPROTO_UDP)
		return ALLOW;
	struct socket_key key =
		socket_key_of(context, address4(context->user_ip4), context_port(context));
	struct socket_origin *origin = bpf_map_lookup_elem(&wh1_sockets, &key);
	if (!origin)
		return ALLOW;
	context->user_ip4 = origin->address.words[3];
	context->user_port = origin->port;
	return ALLOW;
}

SEC("cgroup/connect4") int socket_connect4(struct bpf_sock_addr *context)
{
	return lead(context);
}

SEC("cgroup/sendmsg4") int socket_sendmsg4(struct bpf_sock_addr *context)
{
	return lead(context);
}

SEC("cgroup/recvmsg4") int socket_recvmsg4(struct bpf_sock_addr *context)
{
	return disguise(context);
}

SEC("cgroup/getpeername4") int socket_getpeername4(struct bpf_sock_addr *context)
{
	return disguise(context);
}
