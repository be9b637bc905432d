/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * Sockets of the host that bind: a port that the engine published is in use,
 * though no process holds it. The program learns it at bind, as from a process
 * that listens there, and wherryd says which container it is.
 */
#include "lib/publish.h"

#define REFUSE 0
#define EADDRINUSE 98

struct bind {
	struct abi_addr address;
	__be16 port;
	__u8 protocol;
	__u32 holder; /* slot; 0: nobody */
};

inline_always void bind_try(struct bind *bind, struct abi_addr address)
{
	struct publication *found = publication_get(address, bind->port, bind->protocol);

	if (found && found->flags & PUBLICATION_RESERVED)
		bind->holder = found->slot;
}

inline_always bool is_v4(const struct abi_addr *address)
{
	return !address->words[0] && !address->words[1] && address->words[2] == bpf_htonl(0xffff);
}

inline_always bool is_everywhere(const struct abi_addr *address)
{
	return !address->words[3] && !address->words[0] && !address->words[1] &&
	       (!address->words[2] || is_v4(address));
}

/* All of IPv6 stands for all of IPv4 too, unless the socket says otherwise: rare enough. */
inline_always void bind_find(struct bind *bind)
{
	bool everywhere = is_everywhere(&bind->address);

	if (everywhere || is_v4(&bind->address))
		bind_try(bind, address4(0));
	if (everywhere || !is_v4(&bind->address))
		bind_try(bind, (struct abi_addr){ 0 });
	bind_try(bind, everywhere ? address4(PORT_SOMEWHERE) : bind->address);
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

inline_always int bind_judge(struct bpf_sock_addr *context, struct abi_addr address)
{
	struct bind bind = { .address = address,
			     .port = (__be16)context->user_port,
			     .protocol = context->protocol };

	if (!bind.port || (bind.protocol != IPPROTO_TCP && bind.protocol != IPPROTO_UDP) ||
	    bpf_get_netns_cookie(context) != host_netns_cookie)
		return ALLOW;
	bind_find(&bind);
	if (!bind.holder)
		return ALLOW;
	bind_report(&bind);
	bpf_set_retval(-EADDRINUSE);
	return REFUSE;
}

SEC("cgroup/bind4") int socket_bind4(struct bpf_sock_addr *context)
{
	return bind_judge(context, address4(context->user_ip4));
}

SEC("cgroup/bind6") int socket_bind6(struct bpf_sock_addr *context)
{
	struct abi_addr address = { .words = { context->user_ip6[0], context->user_ip6[1],
					       context->user_ip6[2], context->user_ip6[3] } };

	return bind_judge(context, address);
}
