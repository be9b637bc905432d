/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Rules of nf_tables, expression by expression. Registers are words of four
 * bytes, 0 to 15: an address takes four of them whatever its family, IPv4 as
 * ::ffff:a.b.c.d, so that one set serves both families.
 */
#include <stdbool.h>

#include "nft/batch.h"

#define WORD(n) (NFT_REG32_00 + (n))

struct rule {
	struct nl_msg *message; /* NULL: memory ran out, the batch will say so */
	struct nlattr *list;
};

/** Begins a rule at the end of a chain. */
struct rule rule_begin(struct nft_batch *batch, const char *chain);
void rule_end(struct rule *rule);

void rule_meta(struct rule *rule, enum nft_meta_keys key, uint32_t target);
void rule_payload(struct rule *rule, enum nft_payload_bases base, const uint32_t at[2],
		  uint32_t target); /* at: offset, length */
void rule_immediate(struct rule *rule, uint32_t target, const void *data, uint32_t size);
/** Goes on only if the register has (or has not) these bytes. */
void rule_compare(struct rule *rule, enum nft_cmp_ops op, uint32_t source, const void *data,
		  uint32_t size);
/** register = register & mask. */
void rule_mask(struct rule *rule, uint32_t at, const void *mask, uint32_t size);
/** Goes on only if the set has the key; target: where a map's value goes, 0 for none. */
void rule_lookup(struct rule *rule, const char *set, uint32_t source, uint32_t target);
/** Goes on only if the set lacks the key. */
void rule_lookup_not(struct rule *rule, const char *set, uint32_t source);
/** Goes on only if the destination is an address of the host. */
void rule_destination_is_local(struct rule *rule);
void rule_conntrack(struct rule *rule, enum nft_ct_keys key, uint32_t target);
/** Goes on only if the word at `at` has one of these bits (host order). */
void rule_any_bit(struct rule *rule, uint32_t at, uint32_t bits);
/** Counts the packet in a set, at the element with the key in the register; it is made. */
void rule_count(struct rule *rule, const char *set, uint32_t source);
/** verdict: NF_ACCEPT, NF_DROP, NFT_JUMP with the chain, NFT_RETURN. */
void rule_verdict(struct rule *rule, int verdict, const char *chain);
/** Translation of destination or source to what is in these registers; port 0: it stays. */
void rule_translate(struct rule *rule, enum nft_nat_types type, uint8_t family,
		    const uint32_t address_and_port[2]);
void rule_masquerade(struct rule *rule);

/** The packet's address, as 16 bytes at `target`; the rule is of one family then. */
enum rule_end_of_packet { RULE_SOURCE, RULE_DESTINATION };
void rule_address(struct rule *rule, uint8_t family, enum rule_end_of_packet which,
		  uint32_t target);
