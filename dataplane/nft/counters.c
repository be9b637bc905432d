/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft/counters.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "nft/batch.h"
#include "nft/table.h"

#define NFGEN_HEADER 4 /* struct nfgenmsg in front of the attributes */

/* All of them, before anybody is told: who is told asks the same socket. */
struct reading {
	struct nft_count *items;
	size_t count, capacity;
};

static void reading_release(struct reading *reading)
{
	free(reading->items);
}

static int keep(struct reading *reading, const struct nft_count *count, struct error *err)
{
	if (reading->count == reading->capacity) {
		size_t capacity = reading->capacity ? reading->capacity * 2 : 32;
		void *items = realloc(reading->items, capacity * sizeof *reading->items);
		if (!items)
			return error_set(err, ENOMEM, "no memory for counts");
		reading->items = items;
		reading->capacity = capacity;
	}
	reading->items[reading->count++] = *count;
	return 0;
}

/* An attribute inside another one; NULL where either lacks. */
static struct nlattr *inside(struct nlattr *nest, int attribute)
{
	return nest ? nla_find(nla_data(nest), nla_len(nest), attribute) : NULL;
}

static uint64_t number_of(struct nlattr *nest, int attribute)
{
	uint64_t number = 0;
	struct nlattr *found = inside(nest, attribute);
	if (found && nla_len(found) >= (int)sizeof number)
		memcpy(&number, nla_data(found), sizeof number);
	return be64toh(number);
}

/* 1 if the element is a count. */
static int read_count(struct nlattr *element, struct nft_count *ret_count)
{
	struct nlattr *key = inside(inside(element, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);
	struct nlattr *data = inside(inside(element, NFTA_SET_ELEM_EXPR), NFTA_EXPR_DATA);
	uint32_t words[2];
	if (!key || !data || nla_len(key) < (int)sizeof words)
		return 0;
	memcpy(words, nla_data(key), sizeof words);
	*ret_count = (struct nft_count){ .reason = words[0],
					 .ifindex = words[1],
					 .packets = number_of(data, NFTA_COUNTER_PACKETS),
					 .bytes = number_of(data, NFTA_COUNTER_BYTES) };
	return 1;
}

static int read_counts(const struct nlmsghdr *header, void *context, struct error *err)
{
	struct nlattr *list = nlmsg_find_attr((struct nlmsghdr *)(uintptr_t)header, NFGEN_HEADER,
					      NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nft_count count;
	if (!list)
		return 0;
	int left = nla_len(list), r = 0;
	for (struct nlattr *element = nla_data(list); r == 0 && nla_ok(element, left);
	     element = nla_next(element, &left))
		if (read_count(element, &count))
			r = keep(context, &count, err);
	return r;
}

int nft_counts_each(struct nft_mirror *mirror,
		    int (*visit)(const struct nft_count *count, void *context, struct error *err),
		    void *context, struct error *err)
{
	struct reading reading __attribute__((cleanup(reading_release))) = { NULL, 0, 0 };
	struct nl_msg *message = nft_question(NFT_MSG_GETSETELEM, NLM_F_DUMP);
	if (message) {
		nla_put_string(message, NFTA_SET_ELEM_LIST_TABLE, nft_mirror_table(mirror));
		nla_put_string(message, NFTA_SET_ELEM_LIST_SET, nft_sets[NFT_DROPPED].name);
	}
	int r = nft_ask(nft_mirror_fd(mirror), message, read_counts, &reading, err);
	for (size_t i = 0; r == 0 && i < reading.count; i++)
		r = visit(&reading.items[i], context, err);
	return r;
}
