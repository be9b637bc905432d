/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "link/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "link/netlink.h"

struct walk {
	int (*visit)(const struct nft_chain *chain, void *context, struct error *err);
	void *context;
};

const char *nft_family_name(uint8_t family)
{
	switch (family) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_BRIDGE:
		return "bridge";
	case NFPROTO_ARP:
		return "arp";
	default:
		return "netdev";
	}
}

static void take_name(const struct nlattr *attribute, char ret_name[NFT_NAME_MAX])
{
	if (attribute)
		nla_strlcpy(ret_name, attribute, NFT_NAME_MAX);
}

static void take_hook(struct nlattr *attribute, struct nft_chain *chain)
{
	struct nlattr *parts[NFTA_HOOK_MAX + 1];
	if (!attribute || nla_parse_nested(parts, NFTA_HOOK_MAX, attribute, NULL) < 0 ||
	    !parts[NFTA_HOOK_HOOKNUM] || nla_len(parts[NFTA_HOOK_HOOKNUM]) < 4)
		return;
	chain->is_base = true;
	chain->hook = ntohl(nla_get_u32(parts[NFTA_HOOK_HOOKNUM]));
}

static int visit_message(const struct nlmsghdr *header, void *context, struct error *err)
{
	const struct walk *walk = context;
	struct nlattr *attributes[NFTA_CHAIN_MAX + 1];
	struct nft_chain chain = { .family = 0 };
	if (nlmsg_parse((struct nlmsghdr *)header, sizeof(struct nfgenmsg), attributes,
			NFTA_CHAIN_MAX, NULL) < 0)
		return 0;
	chain.family = ((const struct nfgenmsg *)nlmsg_data(header))->nfgen_family;
	take_name(attributes[NFTA_CHAIN_TABLE], chain.table);
	take_name(attributes[NFTA_CHAIN_NAME], chain.name);
	take_hook(attributes[NFTA_CHAIN_HOOK], &chain);
	if (attributes[NFTA_CHAIN_POLICY] && nla_len(attributes[NFTA_CHAIN_POLICY]) >= 4)
		chain.drops = ntohl(nla_get_u32(attributes[NFTA_CHAIN_POLICY])) == NF_DROP;
	return walk->visit(&chain, walk->context, err);
}

int nft_chain_each(int (*visit)(const struct nft_chain *chain, void *context, struct error *err),
		   void *context, struct error *err)
{
	struct walk walk = { .visit = visit, .context = context };
	struct nfgenmsg header = { .nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0 };
	AUTO(netlink) netlink = NULL;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (fd < 0)
		return errno == EPROTONOSUPPORT
			       ? 0
			       : error_set_errno(err, errno, "cannot open a netlink socket");
	int r = netlink_open(fd, &netlink, err);
	if (r < 0)
		return r;
	struct nl_msg *message = netlink_message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN,
						 NLM_F_DUMP, &header, sizeof header);
	r = netlink_ask(netlink, message, visit_message, &walk, err);
	return r == -EINVAL || r == -EOPNOTSUPP || r == -ENOENT ? 0 : r;
}
