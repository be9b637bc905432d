/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft/table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/icmp6.h>
#include <string.h>

#include "bpf/abi.h"
#include "nft/rule.h"

#define KEPT(name, key, value)                               \
	{                                                    \
		ABI_MAP(name), sizeof(key), 0, sizeof(value) \
	}

const struct nft_set_shape nft_sets[NFT_SET_COUNT] = {
	[NFT_DEVICES] = { "devices", 4, 4, 0 },
	[NFT_SOURCES] = { "sources", 28, 0, 0 },
	[NFT_OWN] = { "own", 8, 0, 0 },
	[NFT_NEIGHBOURS] = { "neighbours", 8, 0, 0 },
	[NFT_OUTWARD] = { "outward", 4, 0, 0 },
	[NFT_ROUTED] = { "routed", 4, 0, 0 },
	[NFT_MASQUERADED] = { "masqueraded", 16, 0, 0 },
	[NFT_HAIRPINS] = { "hairpins", 32, 0, 0 },
	[NFT_GATEWAYS4] = { "gateways4", 4, 16, 0 },
	[NFT_GATEWAYS6] = { "gateways6", 4, 16, 0 },
	[NFT_DROPPED] = { "dropped", 8, 0, 0 },
	[NFT_PORTS] = { "ports", 24, 20, sizeof(struct publication) },
	[NFT_KEPT_SOURCES] = KEPT("sources", uint32_t, struct source),
	[NFT_KEPT_ENDPOINTS] = KEPT("endpoints", struct endpoint_key, struct endpoint),
	[NFT_KEPT_SLOTS] = KEPT("slots", uint32_t, struct slot),
	[NFT_KEPT_NETWORKS] = KEPT("networks", uint32_t, struct network),
	[NFT_KEPT_GATEWAYS] = KEPT("gateways", uint32_t, uint32_t),
	[NFT_KEPT_SUBNETS] = KEPT("subnets", struct subnet_key, uint32_t),
	[NFT_KEPT_UPLINKS] = KEPT("uplinks", uint32_t, struct uplink),
	[NFT_KEPT_LOCALS] = KEPT("locals", struct abi_addr, uint32_t),
	[NFT_KEPT_NETNS] = KEPT("netns", uint64_t, struct netns),
};

/* Chains with a hook, and `publish`, which two of them jump to. */
#define CHAIN_ENTER "enter"
#define CHAIN_PUBLISH "publish"
#define CHAIN_INCOMING "incoming"
#define CHAIN_LOCAL "local"
#define CHAIN_FORWARD "forward"
#define CHAIN_LEAVE "leave"

struct chain {
	const char *name, *type;
	uint32_t hook;
	int32_t priority;
};
static const struct chain chains[] = {
	{ CHAIN_ENTER, "filter", NF_INET_PRE_ROUTING, NF_IP_PRI_RAW },
	{ CHAIN_PUBLISH, NULL, 0, 0 },
	{ CHAIN_INCOMING, "nat", NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST },
	{ CHAIN_LOCAL, "nat", NF_INET_LOCAL_OUT, NF_IP_PRI_NAT_DST },
	{ CHAIN_FORWARD, "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER },
	{ CHAIN_LEAVE, "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC },
};

static const uint8_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };

static void put_u32(struct nl_msg *message, int attribute, uint32_t value)
{
	nla_put_u32(message, attribute, htonl(value));
}

static void add_table(struct nft_batch *batch)
{
	struct nl_msg *message = nft_batch_add(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
	if (!message)
		return;
	nft_put_table(batch, message, NFTA_TABLE_NAME);
	put_u32(message, NFTA_TABLE_FLAGS, 0);
}

static uint32_t set_flags(enum nft_set_id id)
{
	if (id == NFT_DROPPED)
		return NFT_SET_EVAL;
	return nft_sets[id].value_size ? NFT_SET_MAP : 0;
}

static void add_set(struct nft_batch *batch, enum nft_set_id id)
{
	const struct nft_set_shape *shape = &nft_sets[id];
	struct nl_msg *message = nft_batch_add(batch, NFT_MSG_NEWSET, NLM_F_CREATE);
	if (!message)
		return;
	nft_put_table(batch, message, NFTA_SET_TABLE);
	nla_put_string(message, NFTA_SET_NAME, shape->name);
	put_u32(message, NFTA_SET_ID, (uint32_t)id + 1);
	put_u32(message, NFTA_SET_FLAGS, set_flags(id));
	put_u32(message, NFTA_SET_KEY_TYPE, 0);
	put_u32(message, NFTA_SET_KEY_LEN, shape->key_size);
	if (shape->value_size) {
		put_u32(message, NFTA_SET_DATA_TYPE, 0);
		put_u32(message, NFTA_SET_DATA_LEN, shape->value_size);
	}
	if (id != NFT_DROPPED)
		return;
	struct nlattr *limits = nla_nest_start(message, NFTA_SET_DESC | NLA_F_NESTED);
	put_u32(message, NFTA_SET_DESC_SIZE, DROPS_MAX);
	if (limits)
		nla_nest_end(message, limits);
}

static void add_chain(struct nft_batch *batch, const struct chain *chain)
{
	struct nl_msg *message = nft_batch_add(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	if (!message)
		return;
	nft_put_table(batch, message, NFTA_CHAIN_TABLE);
	nla_put_string(message, NFTA_CHAIN_NAME, chain->name);
	if (!chain->type)
		return;
	struct nlattr *hook = nla_nest_start(message, NFTA_CHAIN_HOOK | NLA_F_NESTED);
	put_u32(message, NFTA_HOOK_HOOKNUM, chain->hook);
	put_u32(message, NFTA_HOOK_PRIORITY, (uint32_t)chain->priority);
	if (hook)
		nla_nest_end(message, hook);
	nla_put_string(message, NFTA_CHAIN_TYPE, chain->type);
	put_u32(message, NFTA_CHAIN_POLICY, NF_ACCEPT);
}

/* Network id of the device that the packet came by or leaves by; not a container's: no match. */
static void network_of(struct rule *rule, enum nft_meta_keys device, uint32_t target)
{
	rule_meta(rule, device, target);
	rule_lookup(rule, nft_sets[NFT_DEVICES].name, target, target);
}

/* Counted by reason and by the container's device. */
static void drop(struct rule *rule, enum drop_reason reason, enum nft_meta_keys device)
{
	const uint32_t number = reason;
	rule_immediate(rule, WORD(14), &number, sizeof number);
	rule_meta(rule, device, WORD(15));
	rule_count(rule, nft_sets[NFT_DROPPED].name, WORD(14));
	rule_verdict(rule, NF_DROP, NULL);
	rule_end(rule);
}

static void let_pass(struct rule *rule)
{
	rule_verdict(rule, NF_ACCEPT, NULL);
	rule_end(rule);
}

/* What a container says before it has an address, and to find its neighbours (RFC 4861). */
static void allow_discovery(struct nft_batch *batch, const uint8_t first_bytes[16],
			    const uint8_t mask[16])
{
	static const uint8_t protocol = IPPROTO_ICMPV6;
	struct rule rule = rule_begin(batch, CHAIN_ENTER);
	network_of(&rule, NFT_META_IIF, WORD(0));
	rule_meta(&rule, NFT_META_L4PROTO, WORD(1));
	rule_compare(&rule, NFT_CMP_EQ, WORD(1), &protocol, sizeof protocol);
	rule_address(&rule, NFPROTO_IPV6, RULE_SOURCE, WORD(4));
	rule_mask(&rule, WORD(4), mask, 16);
	rule_compare(&rule, NFT_CMP_EQ, WORD(4), first_bytes, 16);
	let_pass(&rule);
}

/* Whose MAC and address are not those of its device. */
static void add_enter(struct nft_batch *batch)
{
	static const uint8_t all[16] = { [0 ... 15] = 0xff }, none[16],
			     link_local[16] = { 0xfe, 0x80 }, link_mask[16] = { 0xff, 0xc0 };
	allow_discovery(batch, none, all);
	allow_discovery(batch, link_local, link_mask);
	for (size_t i = 0; i < sizeof families; i++) {
		struct rule rule = rule_begin(batch, CHAIN_ENTER);
		network_of(&rule, NFT_META_IIF, WORD(0));
		rule_meta(&rule, NFT_META_IIF, WORD(1));
		rule_payload(&rule, NFT_PAYLOAD_LL_HEADER, (uint32_t[]){ 6, 6 }, WORD(2));
		rule_address(&rule, families[i], RULE_SOURCE, WORD(4));
		rule_lookup_not(&rule, nft_sets[NFT_SOURCES].name, WORD(1));
		drop(&rule, DROP_SPOOF_ADDRESS, NFT_META_IIF);
	}
}

/* One port: by this address of the host, or by all of them. */
static void add_publish_rule(struct nft_batch *batch, uint8_t family, bool any)
{
	static const uint8_t wildcards[2][16] = { { [10] = 0xff, [11] = 0xff }, { 0 } };
	bool v4 = family == NFPROTO_IPV4;
	struct rule rule = rule_begin(batch, CHAIN_PUBLISH);
	rule_destination_is_local(&rule);
	rule_address(&rule, family, RULE_DESTINATION, WORD(0));
	if (any)
		rule_immediate(&rule, WORD(0), wildcards[v4 ? 0 : 1], 16);
	rule_payload(&rule, NFT_PAYLOAD_TRANSPORT_HEADER, (uint32_t[]){ 2, 2 }, WORD(4));
	rule_meta(&rule, NFT_META_L4PROTO, WORD(5));
	rule_lookup(&rule, nft_sets[NFT_PORTS].name, WORD(0), WORD(6));
	rule_translate(&rule, NFT_NAT_DNAT, family,
		       (uint32_t[]){ v4 ? WORD(9) : WORD(6), WORD(10) });
	rule_end(&rule);
}

/* The kernel takes no answer from outside of it for ::1 (IPv6 has no route_localnet). */
static void leave_loopback6(struct nft_batch *batch)
{
	static const uint8_t loopback[16] = { [15] = 1 };
	struct rule rule = rule_begin(batch, CHAIN_LOCAL);
	rule_address(&rule, NFPROTO_IPV6, RULE_DESTINATION, WORD(0));
	rule_compare(&rule, NFT_CMP_EQ, WORD(0), loopback, sizeof loopback);
	let_pass(&rule);
}

static void add_publish(struct nft_batch *batch)
{
	static const char *const from[] = { CHAIN_INCOMING, CHAIN_LOCAL };
	leave_loopback6(batch);
	for (size_t i = 0; i < sizeof families; i++) {
		add_publish_rule(batch, families[i], false);
		add_publish_rule(batch, families[i], true);
	}
	for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
		struct rule rule = rule_begin(batch, from[i]);
		rule_verdict(&rule, NFT_JUMP, CHAIN_PUBLISH);
		rule_end(&rule);
	}
}

static void allow_conntrack(struct nft_batch *batch, enum nft_ct_keys key, uint32_t bits)
{
	struct rule rule = rule_begin(batch, CHAIN_FORWARD);
	rule_conntrack(&rule, key, WORD(0));
	rule_any_bit(&rule, WORD(0), bits);
	let_pass(&rule);
}

/* About the networks of one end or both: those that a set has pass, or are dropped. */
struct judgement {
	enum nft_meta_keys devices[2];
	uint32_t count;
	enum nft_set_id set;     /* NFT_SET_COUNT: any */
	enum drop_reason reason; /* DROP_NONE: they pass */
};

static void add_judgement(struct nft_batch *batch, const struct judgement *judgement)
{
	struct rule rule = rule_begin(batch, CHAIN_FORWARD);
	for (uint32_t i = 0; i < judgement->count; i++)
		network_of(&rule, judgement->devices[i], WORD(i));
	if (judgement->set != NFT_SET_COUNT)
		rule_lookup(&rule, nft_sets[judgement->set].name, WORD(0), 0);
	if (judgement->reason)
		drop(&rule, judgement->reason, judgement->devices[0]);
	else
		let_pass(&rule);
}

static void add_forward(struct nft_batch *batch)
{
	static const struct judgement rows[] = {
		{ { NFT_META_IIF, NFT_META_OIF }, 2, NFT_NEIGHBOURS, DROP_NONE },
		{ { NFT_META_IIF, NFT_META_OIF }, 2, NFT_OWN, DROP_NO_ICC },
		{ { NFT_META_IIF, NFT_META_OIF }, 2, NFT_SET_COUNT, DROP_ISOLATED },
		{ { NFT_META_IIF }, 1, NFT_OUTWARD, DROP_NONE },
		{ { NFT_META_IIF }, 1, NFT_SET_COUNT, DROP_INTERNAL },
		{ { NFT_META_OIF }, 1, NFT_ROUTED, DROP_NONE },
		{ { NFT_META_OIF }, 1, NFT_SET_COUNT, DROP_DIRECT },
	};
	allow_conntrack(batch, NFT_CT_STATE,
			1u << (IP_CT_ESTABLISHED + 1) | 1u << (IP_CT_RELATED + 1));
	allow_conntrack(batch, NFT_CT_STATUS, IPS_DST_NAT);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		add_judgement(batch, &rows[i]);
}

/* From the gateway's address, so that the answers come back to the host. */
static void from_gateway(struct rule *rule, uint8_t family)
{
	bool v4 = family == NFPROTO_IPV4;
	rule_meta(rule, NFT_META_OIF, WORD(8));
	rule_lookup(rule, nft_sets[v4 ? NFT_GATEWAYS4 : NFT_GATEWAYS6].name, WORD(8), WORD(8));
	rule_translate(rule, NFT_NAT_SNAT, family, (uint32_t[]){ v4 ? WORD(11) : WORD(8), 0 });
	rule_end(rule);
}

/* What the host sends from 127.0.0.0/8 to a container. */
static void translate_loopback(struct nft_batch *batch)
{
	static const uint8_t v4[16] = { [10] = 0xff, [11] = 0xff, [12] = 127 },
			     mask[16] = { [0 ... 12] = 0xff };
	struct rule rule = rule_begin(batch, CHAIN_LEAVE);
	network_of(&rule, NFT_META_OIF, WORD(0));
	rule_address(&rule, NFPROTO_IPV4, RULE_SOURCE, WORD(4));
	rule_mask(&rule, WORD(4), mask, 16);
	rule_compare(&rule, NFT_CMP_EQ, WORD(4), v4, 16);
	from_gateway(&rule, NFPROTO_IPV4);
}

static void add_leave(struct nft_batch *batch)
{
	for (size_t i = 0; i < sizeof families; i++) {
		struct rule rule = rule_begin(batch, CHAIN_LEAVE);
		rule_address(&rule, families[i], RULE_SOURCE, WORD(0));
		rule_address(&rule, families[i], RULE_DESTINATION, WORD(4));
		rule_lookup(&rule, nft_sets[NFT_HAIRPINS].name, WORD(0), 0);
		from_gateway(&rule, families[i]);
	}
	translate_loopback(batch);
	struct rule rule = rule_begin(batch, CHAIN_LEAVE);
	network_of(&rule, NFT_META_OIF, WORD(0));
	let_pass(&rule);
	for (size_t i = 0; i < sizeof families; i++) {
		rule = rule_begin(batch, CHAIN_LEAVE);
		rule_address(&rule, families[i], RULE_SOURCE, WORD(0));
		rule_lookup(&rule, nft_sets[NFT_MASQUERADED].name, WORD(0), 0);
		rule_masquerade(&rule);
		rule_end(&rule);
	}
}

static int ignore(const struct nlmsghdr *header, void *context, struct error *err)
{
	(void)header;
	(void)context;
	(void)err;
	return 0;
}

int nft_table_exists(int fd, const char *table, struct error *err)
{
	struct error why = { 0 };
	struct nl_msg *message = nft_question(NFT_MSG_GETTABLE, 0);
	if (message)
		nla_put_string(message, NFTA_TABLE_NAME, table);
	int r = nft_ask(fd, message, ignore, NULL, &why);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		*err = why;
	return r < 0 ? r : 1;
}

int nft_table_load(int fd, const char *table, struct error *err)
{
	AUTO(nft_batch) batch = NULL;
	int r = nft_table_exists(fd, table, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = nft_batch_open(fd, table, &batch, err);
	if (r < 0)
		return r;
	add_table(batch);
	for (size_t i = 0; i < NFT_SET_COUNT; i++)
		add_set(batch, (enum nft_set_id)i);
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		add_chain(batch, &chains[i]);
	add_enter(batch);
	add_publish(batch);
	add_forward(batch);
	add_leave(batch);
	return nft_batch_send(batch, "make the table of this instance", err);
}

int nft_table_unload(int fd, const char *table, struct error *err)
{
	AUTO(nft_batch) batch = NULL;
	int r = nft_table_exists(fd, table, err);
	if (r <= 0)
		return r;
	r = nft_batch_open(fd, table, &batch, err);
	if (r < 0)
		return r;
	struct nl_msg *message = nft_batch_add(batch, NFT_MSG_DELTABLE, 0);
	if (message)
		nft_put_table(batch, message, NFTA_TABLE_NAME);
	return nft_batch_send(batch, "remove the table of this instance", err);
}
