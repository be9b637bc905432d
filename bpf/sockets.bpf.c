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

struct place {
	struct abi_addr address;
	__be16 port;
};

/* What the socket names; one of IPv6 may name an address of IPv4. */
inline_always struct place place_of(const struct bpf_sock_addr *context, bool v6)
{
	struct place place = { .port = (__be16)context->user_port };

	if (v6)
		place.address =
			(struct abi_addr){ .words = { context->user_ip6[0], context->user_ip6[1],
						      context->user_ip6[2],
						      context->user_ip6[3] } };
	else
		place.address = address4(context->user_ip4);
	return place;
}

inline_always void place_write(struct bpf_sock_addr *context, const struct place *place, bool v6)
{
	context->user_port = place->port;
	if (!v6) {
		context->user_ip4 = place->address.words[3];
		return;
	}
	context->user_ip6[0] = place->address.words[0];
	context->user_ip6[1] = place->address.words[1];
	context->user_ip6[2] = place->address.words[2];
	context->user_ip6[3] = place->address.words[3];
}

inline_always bool is_everywhere(const struct abi_addr *address)
{
	return !address->words[3] && (address_is_zero(address) || address_is_v4(address));
}

/* The host's own address, as connect means it. */
inline_always bool is_own(const struct abi_addr *address)
{
	return address_is_loopback(address) || bpf_map_lookup_elem(&wh1_locals, address);
}

/*
 * Bound to ::1, which no other device takes an answer to (IPv6 has no
 * route_localnet): told by its own host that nobody is there, not left to wait.
 */
inline_always bool is_kept_by_loopback6(const struct bpf_sock_addr *context,
					const struct place *asked)
{
	struct bpf_sock *socket = context->sk;

	return !address_is_v4(&asked->address) && socket && !socket->src_ip6[0] &&
	       !socket->src_ip6[1] && !socket->src_ip6[2] && socket->src_ip6[3] == bpf_htonl(1);
}

inline_always bool target_of_host(const struct bpf_sock_addr *context, const struct place *asked,
				  struct place *target)
{
	if (!is_own(&asked->address) || is_kept_by_loopback6(context, asked))
		return false;
	struct publication *publication =
		publication_find(asked->address, asked->port, context->protocol);
	if (!publication)
		return false;
	target->address = publication->address;
	target->port = publication->port;
	return true;
}

inline_always bool target_of_container(const struct place *asked, __u64 cookie,
				       struct place *target)
{
	if (!address_is_v4(&asked->address) || asked->address.words[3] != RESOLVER ||
	    asked->port != DNS_PORT)
		return false;
	struct netns *netns = bpf_map_lookup_elem(&wh1_netns, &cookie);
	if (!netns || !netns->resolver.words[3])
		return false;
	target->address = netns->resolver;
	target->port = DNS_PORT;
	return true;
}

inline_always bool target_find(struct bpf_sock_addr *context, const struct place *asked,
			       struct place *target)
{
	if (context->protocol != IPPROTO_TCP && context->protocol != IPPROTO_UDP)
		return false;
	__u64 cookie = bpf_get_netns_cookie(context);
	return cookie == host_netns_cookie ? target_of_host(context, asked, target)
					   : target_of_container(asked, cookie, target);
}

inline_always struct socket_key socket_key_of(struct bpf_sock_addr *context,
					      const struct place *real)
{
	return (struct socket_key){
		.cookie = bpf_get_socket_cookie(context),
		.address = real->address,
		.port = real->port,
		.protocol = context->protocol,
	};
}

/* Leads the socket to its target, and remembers what it asked for. */
inline_always int lead(struct bpf_sock_addr *context, bool v6)
{
	struct place asked = place_of(context, v6), target;

	/* Who connects to all addresses means this host's loopback. */
	if (is_everywhere(&asked.address))
		asked.address = loopback(address_is_v4(&asked.address));
	if (!target_find(context, &asked, &target))
		return ALLOW;
	struct socket_key key = socket_key_of(context, &target);
	struct socket_origin origin = { .address = asked.address, .port = asked.port };
	bpf_map_update_elem(&wh1_sockets, &key, &origin, BPF_ANY);
	place_write(context, &target, v6);
	return ALLOW;
}

/* Tells the socket that its peer is whom it asked for. */
inline_always int disguise(struct bpf_sock_addr *context, bool v6)
{
	if (context->protocol != IPPROTO_TCP && context->protocol != IPPROTO_UDP)
		return ALLOW;
	struct place real = place_of(context, v6);
	struct socket_key key = socket_key_of(context, &real);
	struct socket_origin *origin = bpf_map_lookup_elem(&wh1_sockets, &key);
	if (!origin)
		return ALLOW;
	struct place asked = { .address = origin->address, .port = origin->port };
	place_write(context, &asked, v6);
	return ALLOW;
}

SEC("cgroup/connect4") int socket_connect4(struct bpf_sock_addr *context)
{
	return lead(context, false);
}

SEC("cgroup/connect6") int socket_connect6(struct bpf_sock_addr *context)
{
	return lead(context, true);
}

SEC("cgroup/sendmsg4") int socket_sendmsg4(struct bpf_sock_addr *context)
{
	return lead(context, false);
}

SEC("cgroup/sendmsg6") int socket_sendmsg6(struct bpf_sock_addr *context)
{
	return lead(context, true);
}

SEC("cgroup/recvmsg4") int socket_recvmsg4(struct bpf_sock_addr *context)
{
	return disguise(context, false);
}

SEC("cgroup/recvmsg6") int socket_recvmsg6(struct bpf_sock_addr *context)
{
	return disguise(context, true);
}

SEC("cgroup/getpeername4") int socket_getpeername4(struct bpf_sock_addr *context)
{
	return disguise(context, false);
}

SEC("cgroup/getpeername6") int socket_getpeername6(struct bpf_sock_addr *context)
{
	return disguise(context, true);
}
