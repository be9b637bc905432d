/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft/conntrack.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "nft/batch.h"

#define NFGEN_HEADER 4 /* struct nfgenmsg in front of the attributes */
#define TUPLE_MAX 256  /* bytes of a flow's first direction */

/* First directions of the flows to end, side by side. */
struct ending {
	struct ip address;
	uint8_t family;
	uint8_t (*tuples)[TUPLE_MAX];
	uint16_t *sizes;
	size_t count, capacity;
};

static void ending_release(struct ending *ending)
{
	free(ending->tuples);
	free(ending->sizes);
}

static bool is_address(const struct nlattr *attribute, const struct ending *ending)
{
	size_t size = ending->family == AF_INET ? 4 : 16;
	return attribute && (size_t)nla_len(attribute) == size &&
	       memcmp(nla_data(attribute), ending->address.bytes + 16 - size, size) == 0;
}

static bool tuple_has(struct nlattr *tuple, const struct ending *ending)
{
	struct nlattr *ip = tuple ? nla_find(nla_data(tuple), nla_len(tuple), CTA_TUPLE_IP) : NULL;
	bool v4 = ending->family == AF_INET;
	if (!ip)
		return false;
	return is_address(nla_find(nla_data(ip), nla_len(ip), v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC),
			  ending) ||
	       is_address(nla_find(nla_data(ip), nla_len(ip), v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST),
			  ending);
}

static int grow(struct ending *ending, struct error *err)
{
	size_t capacity = ending->capacity ? ending->capacity * 2 : 32;
	void *tuples = realloc(ending->tuples, capacity * sizeof *ending->tuples);
	if (tuples)
		ending->tuples = tuples;
	void *sizes = realloc(ending->sizes, capacity * sizeof *ending->sizes);
	if (sizes)
		ending->sizes = sizes;
	if (!tuples || !sizes)
		return error_set(err, ENOMEM, "no memory for a list of flows");
	ending->capacity = capacity;
	return 0;
}

static int keep_flow(const struct nlmsghdr *header, void *context, struct error *err)
{
	struct ending *ending = context;
	struct nlmsghdr *message = (struct nlmsghdr *)(uintptr_t)header;
	struct nlattr *first = nlmsg_find_attr(message, NFGEN_HEADER, CTA_TUPLE_ORIG);
	struct nlattr *second = nlmsg_find_attr(message, NFGEN_HEADER, CTA_TUPLE_REPLY);
	if (!first || nla_len(first) > TUPLE_MAX ||
	    (!tuple_has(first, ending) && !tuple_has(second, ending)))
		return 0;
	int r = ending->count == ending->capacity ? grow(ending, err) : 0;
	if (r < 0)
		return r;
	memcpy(ending->tuples[ending->count], nla_data(first), (size_t)nla_len(first));
	ending->sizes[ending->count++] = (uint16_t)nla_len(first);
	return 0;
}

static int end_flow(int fd, const struct ending *ending, size_t index, struct error *err)
{
	struct error why = { 0 };
	struct nl_msg *message =
		netfilter_question(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE, 0, ending->family);
	if (message)
		nla_put(message, CTA_TUPLE_ORIG | NLA_F_NESTED, ending->sizes[index],
			ending->tuples[index]);
	int r = nft_ask(fd, message, NULL, NULL, &why);
	if (r < 0 && r != -ENOENT) {
		*err = why;
		return r;
	}
	return 0;
}

int conntrack_end(struct ip address, struct error *err)
{
	struct ending ending __attribute__((cleanup(ending_release))) = {
		.address = address,
		.family = ip_is_v4(address) ? AF_INET : AF_INET6,
	};
	auto_fd fd = -1;
	int r = nft_socket(&fd, err);
	if (r == 0)
		r = nft_ask(fd,
			    netfilter_question(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, NLM_F_DUMP,
					       ending.family),
			    keep_flow, &ending, err);
	for (size_t i = 0; r == 0 && i < ending.count; i++)
		r = end_flow(fd, &ending, i, err);
	return r;
}
