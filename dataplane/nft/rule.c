/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft/rule.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/rtnetlink.h>
#include <string.h>

struct expression {
	struct nlattr *element, *data;
};

static void put32(struct nl_msg *message, int attribute, uint32_t value)
{
	nla_put_u32(message, attribute, htonl(value));
}

static void put_value(struct nl_msg *message, int attribute, const void *data, uint32_t size)
{
	struct nlattr *nest = nla_nest_start(message, attribute | NLA_F_NESTED);
	nla_put(message, NFTA_DATA_VALUE, (int)size, data);
	if (nest)
		nla_nest_end(message, nest);
}

static struct expression begin(struct rule *rule, const char *name)
{
	struct expression expression = { 0 };
	if (!rule->message)
		return expression;
	expression.element = nla_nest_start(rule->message, NFTA_LIST_ELEM | NLA_F_NESTED);
	nla_put_string(rule->message, NFTA_EXPR_NAME, name);
	expression.data = nla_nest_start(rule->message, NFTA_EXPR_DATA | NLA_F_NESTED);
	return expression;
}

static void end(struct rule *rule, struct expression expression)
{
	if (expression.data)
		nla_nest_end(rule->message, expression.data);
	if (expression.element)
		nla_nest_end(rule->message, expression.element);
}

struct rule rule_begin(struct nft_batch *batch, const char *chain)
{
	struct rule rule = { .message = nft_batch_add(batch, NFT_MSG_NEWRULE,
						      NLM_F_CREATE | NLM_F_APPEND) };
	if (!rule.message)
		return rule;
	nft_put_table(batch, rule.message, NFTA_RULE_TABLE);
	nla_put_string(rule.message, NFTA_RULE_CHAIN, chain);
	rule.list = nla_nest_start(rule.message, NFTA_RULE_EXPRESSIONS | NLA_F_NESTED);
	return rule;
}

void rule_end(struct rule *rule)
{
	if (rule->list)
		nla_nest_end(rule->message, rule->list);
}

void rule_meta(struct rule *rule, enum nft_meta_keys key, uint32_t target)
{
	struct expression expression = begin(rule, "meta");
	if (!expression.data)
		return;
	put32(rule->message, NFTA_META_KEY, key);
	put32(rule->message, NFTA_META_DREG, target);
	end(rule, expression);
}

void rule_payload(struct rule *rule, enum nft_payload_bases base, const uint32_t at[2],
		  uint32_t target)
{
	struct expression expression = begin(rule, "payload");
	if (!expression.data)
		return;
	put32(rule->message, NFTA_PAYLOAD_DREG, target);
	put32(rule->message, NFTA_PAYLOAD_BASE, base);
	put32(rule->message, NFTA_PAYLOAD_OFFSET, at[0]);
	put32(rule->message, NFTA_PAYLOAD_LEN, at[1]);
	end(rule, expression);
}

void rule_immediate(struct rule *rule, uint32_t target, const void *data, uint32_t size)
{
	struct expression expression = begin(rule, "immediate");
	if (!expression.data)
		return;
	put32(rule->message, NFTA_IMMEDIATE_DREG, target);
	put_value(rule->message, NFTA_IMMEDIATE_DATA, data, size);
	end(rule, expression);
}

void rule_compare(struct rule *rule, enum nft_cmp_ops op, uint32_t source, const void *data,
		  uint32_t size)
{
	struct expression expression = begin(rule, "cmp");
	if (!expression.data)
		return;
	put32(rule->message, NFTA_CMP_SREG, source);
	put32(rule->message, NFTA_CMP_OP, op);
	put_value(rule->message, NFTA_CMP_DATA, data, size);
	end(rule, expression);
}

void rule_mask(struct rule *rule, uint32_t at, const void *mask, uint32_t size)
{
	static const uint8_t zeros[16];
	struct expression expression = begin(rule, "bitwise");
	if (!expression.data)
		return;
	put32(rule->message, NFTA_BITWISE_SREG, at);
	put32(rule->message, NFTA_BITWISE_DREG, at);
	put32(rule->message, NFTA_BITWISE_LEN, size);
	put_value(rule->message, NFTA_BITWISE_MASK, mask, size);
	put_value(rule->message, NFTA_BITWISE_XOR, zeros, size);
	end(rule, expression);
}

static void lookup(struct rule *rule, const char *set, const uint32_t registers[2], uint32_t flags)
{
	struct expression expression = begin(rule, "lookup");
	if (!expression.data)
		return;
	nla_put_string(rule->message, NFTA_LOOKUP_SET, set);
	put32(rule->message, NFTA_LOOKUP_SREG, registers[0]);
	if (registers[1])
		put32(rule->message, NFTA_LOOKUP_DREG, registers[1]);
	if (flags)
		put32(rule->message, NFTA_LOOKUP_FLAGS, flags);
	end(rule, expression);
}

void rule_lookup(struct rule *rule, const char *set, uint32_t source, uint32_t target)
{
	lookup(rule, set, (uint32_t[]){ source, target }, 0);
}

void rule_lookup_not(struct rule *rule, const char *set, uint32_t source)
{
	lookup(rule, set, (uint32_t[]){ source, 0 }, NFT_LOOKUP_F_INV);
}

void rule_destination_is_local(struct rule *rule)
{
	const uint32_t local = RTN_LOCAL;
	struct expression expression = begin(rule, "fib");
	if (!expression.data)
		return;
	put32(rule->message, NFTA_FIB_DREG, WORD(0));
	put32(rule->message, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	put32(rule->message, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	end(rule, expression);
	rule_compare(rule, NFT_CMP_EQ, WORD(0), &local, sizeof local);
}

void rule_conntrack(struct rule *rule, enum nft_ct_keys key, uint32_t target)
{
	struct expression expression = begin(rule, "ct");
	if (!expression.data)
		return;
	put32(rule->message, NFTA_CT_DREG, target);
	put32(rule->message, NFTA_CT_KEY, key);
	end(rule, expression);
}

void rule_any_bit(struct rule *rule, uint32_t at, uint32_t bits)
{
	const uint32_t none = 0;
	rule_mask(rule, at, &bits, sizeof bits);
	rule_compare(rule, NFT_CMP_NEQ, at, &none, sizeof none);
}

void rule_count(struct rule *rule, const char *set, uint32_t source)
{
	struct expression expression = begin(rule, "dynset");
	if (!expression.data)
		return;
	nla_put_string(rule->message, NFTA_DYNSET_SET_NAME, set);
	put32(rule->message, NFTA_DYNSET_OP, NFT_DYNSET_OP_ADD);
	put32(rule->message, NFTA_DYNSET_SREG_KEY, source);
	struct nlattr *counter = nla_nest_start(rule->message, NFTA_DYNSET_EXPR | NLA_F_NESTED);
	nla_put_string(rule->message, NFTA_EXPR_NAME, "counter");
	if (counter)
		nla_nest_end(rule->message, counter);
	end(rule, expression);
}

void rule_verdict(struct rule *rule, int verdict, const char *chain)
{
	struct expression expression = begin(rule, "immediate");
	if (!expression.data)
		return;
	put32(rule->message, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	struct nlattr *data = nla_nest_start(rule->message, NFTA_IMMEDIATE_DATA | NLA_F_NESTED);
	struct nlattr *code = nla_nest_start(rule->message, NFTA_DATA_VERDICT | NLA_F_NESTED);
	put32(rule->message, NFTA_VERDICT_CODE, (uint32_t)verdict);
	if (chain)
		nla_put_string(rule->message, NFTA_VERDICT_CHAIN, chain);
	if (code)
		nla_nest_end(rule->message, code);
	if (data)
		nla_nest_end(rule->message, data);
	end(rule, expression);
}

void rule_translate(struct rule *rule, enum nft_nat_types type, uint8_t family,
		    const uint32_t address_and_port[2])
{
	struct expression expression = begin(rule, "nat");
	if (!expression.data)
		return;
	put32(rule->message, NFTA_NAT_TYPE, type);
	put32(rule->message, NFTA_NAT_FAMILY, family);
	put32(rule->message, NFTA_NAT_REG_ADDR_MIN, address_and_port[0]);
	if (address_and_port[1])
		put32(rule->message, NFTA_NAT_REG_PROTO_MIN, address_and_port[1]);
	end(rule, expression);
}

void rule_masquerade(struct rule *rule)
{
	end(rule, begin(rule, "masq"));
}

void rule_address(struct rule *rule, uint8_t family, enum rule_end_of_packet which, uint32_t target)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t nfproto = family;
	bool v4 = family == NFPROTO_IPV4;
	uint32_t length = v4 ? 4 : 16, offset = v4 ? 12 : 8;
	if (which == RULE_DESTINATION)
		offset += length;
	/* In a table of both families every rule says which it means. */
	rule_meta(rule, NFT_META_NFPROTO, target);
	rule_compare(rule, NFT_CMP_EQ, target, &nfproto, sizeof nfproto);
	if (v4)
		rule_immediate(rule, target, mapped, sizeof mapped);
	rule_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, (uint32_t[]){ offset, length },
		     v4 ? target + 3 : target);
}
