/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * Sockets of the host that bind: a port that the engine published is in use,
 * though no process holds it. The program learns it at bind, as from a process
 * that listens there, and wherryd says which container it is.
 */
#include "lib/publish.h"

#define REFUSE 0
#define EADDRINUSE 98

/* The parts of the kernel's structures that matter; relocated by its BTF. */
struct sock_common {
	unsigned char skc_ipv6only : 1;
} __attribute__((preserve_access_index));

struct bind {
	struct abi_addr address;
	__be16 port;
	__u8 protocol;
	bool v6_only; /* :: does not stand for all of IPv4 too */
	__u32 holder; /* slot; 0: nobody */
};

inline_always void bind_try(struct bind *bind, struct abi_addr address)
{
	struct publication *found = publication_get(address, bind->port, bind->protocol);

	if (found && found->flags & PUBLICATION_RESERVED)
		bind->holder = found->slot;
}

/* What is published at all addresses of the family, and at this or, for who wants all, at any. */
inline_always void bind_try_family(struct bind *bind, bool v4)
{
	struct abi_addr any = v4 ? address4(0) : (struct abi_addr){ 0 };
	struct abi_addr somewhere = { .words = { PORT_SOMEWHERE, PORT_SOMEWHERE, PORT_SOMEWHERE,
						 PORT_SOMEWHERE } };

	if (v4)
		somewhere = address4(PORT_SOMEWHERE);
	bind_try(bind, any);
	bind_try(bind, is_everywhere(&bind->address) ? somewhere : bind->address);
}

inline_always void bind_find(struct bind *bind)
{
	bool v4 = address_is_v4(&bind->address);

	if (v4 || (address_is_zero(&bind->address) && !bind->v6_only))
		bind_try_family(bind, true);
	if (!v4)
		bind_try_family(bind, false);
}

/* IPV6_V6ONLY, or the sysctl that is its default. */
inline_always bool socket_is_v6_only(struct bpf_sock_addr *context)
{
	struct sock_common *sock;

	if (!context->sk)
		return false;
	if (context->protocol == IPPROTO_TCP)
		sock = (struct sock_common *)bpf_skc_to_tcp6_sock(context->sk);
	else
		sock = (struct sock_common *)bpf_skc_to_udp6_sock(context->sk);
	return sock && BPF_CORE_READ_BITFIELD(sock, skc_ipv6only);
}

inline_always void bind_report(const struct bind *bind)
{
	struct notice *notice = bpf_ringbuf_reserve(&wh1_notices, sizeof *notice, 0);

	if (!notice)
		return;
	__builtin_memset(notice, 0, sizeof *notice);
	notice->time_ns = bpf_ktime_get_ns();
	notice->address = bind->address;
	notice->port = bind->port;
	notice->protocol = bind->protocol;
	notice->slot = bind->holder;
	notice->pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(notice->program, sizeof notice->program);
	bpf_ringbuf_submit(notice, 0);
}

inline_always int bind_judge(struct bpf_sock_addr *context, bool v6)
{
	struct place own = place_of(context, v6);
	struct bind bind = { .address = own.address,
			     .port = own.port,
			     .protocol = context->protocol };

	if (!bind.port || (bind.protocol != IPPROTO_TCP && bind.protocol != IPPROTO_UDP) ||
	    bpf_get_netns_cookie(context) != host_netns_cookie)
		return ALLOW;
	bind.v6_only = v6 && socket_is_v6_only(context);
	bind_find(&bind);
	if (!bind.holder)
		return ALLOW;
	bind_report(&bind);
	bpf_set_retval(-EADDRINUSE);
	return REFUSE;
}

SEC("cgroup/bind4") int socket_bind4(struct bpf_sock_addr *context)
{
	return bind_judge(context, false);
}

SEC("cgroup/bind6") int socket_bind6(struct bpf_sock_addr *context)
{
	return bind_judge(context, true);
}
