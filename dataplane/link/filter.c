/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "link/filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <string.h>

/* One priority for all instances of Wherry, behind what administrators usually choose. */
#define FILTER_PRIORITY 0xA000u

static struct nl_msg *clsact_message(uint32_t ifindex, struct clsact_blocks blocks)
{
	struct tcmsg header = { .tcm_family = AF_UNSPEC,
				.tcm_ifindex = (int)ifindex,
				.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
				.tcm_parent = TC_H_CLSACT };
	struct nl_msg *message =
		netlink_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
	if (message) {
		nla_put_string(message, TCA_KIND, "clsact");
		if (blocks.ingress)
			nla_put_u32(message, TCA_INGRESS_BLOCK, blocks.ingress);
		if (blocks.egress)
			nla_put_u32(message, TCA_EGRESS_BLOCK, blocks.egress);
	}
	return message;
}

int clsact_queue_add(struct netlink *netlink, uint32_t ifindex, struct clsact_blocks blocks,
		     struct error *err)
{
	return netlink_queue(netlink, clsact_message(ifindex, blocks), NETLINK_MAY_EXIST, err,
			     "add clsact to device %u (module sch_ingress)", ifindex);
}

static struct tcmsg filter_header(const struct filter_spec *spec)
{
	struct tcmsg header = { .tcm_family = AF_UNSPEC,
				.tcm_handle = spec->handle,
				.tcm_info = TC_H_MAKE(FILTER_PRIORITY << 16, htons(ETH_P_ALL)) };
	if (spec->place == FILTER_BLOCK) {
		header.tcm_ifindex = (int)TCM_IFINDEX_MAGIC_BLOCK;
		header.tcm_block_index = spec->target;
	} else {
		header.tcm_ifindex = (int)spec->target;
		header.tcm_parent =
			TC_H_MAKE(TC_H_CLSACT, spec->place == FILTER_INGRESS ? TC_H_MIN_INGRESS
									     : TC_H_MIN_EGRESS);
	}
	return header;
}

static struct nl_msg *filter_message(const struct filter_spec *spec, int flags)
{
	struct tcmsg header = filter_header(spec);
	struct nl_msg *message = netlink_message(RTM_NEWTFILTER, flags, &header, sizeof header);
	if (!message)
		return NULL;
	nla_put_string(message, TCA_KIND, "bpf");
	struct nlattr *options = nla_nest_start(message, TCA_OPTIONS);
	nla_put_u32(message, TCA_BPF_FD, (uint32_t)spec->program_fd);
	nla_put_string(message, TCA_BPF_NAME, spec->name);
	nla_put_u32(message, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	nla_nest_end(message, options);
	return message;
}

int filter_queue_add(struct netlink *netlink, const struct filter_spec *spec, struct error *err)
{
	return netlink_queue(netlink, filter_message(spec, NLM_F_CREATE | NLM_F_EXCL),
			     NETLINK_MAY_EXIST, err, "attach %s (module cls_bpf)", spec->name);
}

int filter_queue_replace(struct netlink *netlink, const struct filter_spec *spec, struct error *err)
{
	/* Somebody may have taken the clsact away. */
	if (spec->place != FILTER_BLOCK) {
		struct nl_msg *message = clsact_message(spec->target, (struct clsact_blocks){ 0 });
		int r = netlink_queue(netlink, message, NETLINK_ANY_RESULT, err, "add clsact");
		if (r < 0)
			return r;
	}
	return netlink_queue(netlink, filter_message(spec, NLM_F_CREATE), NETLINK_DEVICE_MAY_LACK,
			     err, "attach %s (module cls_bpf)", spec->name);
}

int filter_queue_delete(struct netlink *netlink, const struct filter_spec *spec, struct error *err)
{
	struct tcmsg header = filter_header(spec);
	struct nl_msg *message = netlink_message(RTM_DELTFILTER, 0, &header, sizeof header);
	if (message)
		nla_put_string(message, TCA_KIND, "bpf");
	return netlink_queue(netlink, message, NETLINK_MAY_LACK, err, "detach %s", spec->name);
}

struct look {
	const struct filter_spec *spec;
	bool ours;
	unsigned foreign;
};

static int visit_filter(const struct nlmsghdr *header, void *context, struct error *err)
{
	struct nlattr *parts[TCA_MAX + 1] = { 0 }, *options[TCA_BPF_MAX + 1] = { 0 };
	const struct tcmsg *info = NLMSG_DATA(header);
	struct look *look = context;

	(void)err;
	/* Each priority is listed once without a handle, ahead of its filters. */
	if (header->nlmsg_type != RTM_NEWTFILTER || info->tcm_handle == 0)
		return 0;
	nlmsg_parse((struct nlmsghdr *)(uintptr_t)header, sizeof *info, parts, TCA_MAX, NULL);
	if (parts[TCA_OPTIONS])
		nla_parse_nested(options, TCA_BPF_MAX, parts[TCA_OPTIONS], NULL);
	struct nlattr *name = options[TCA_BPF_NAME];
	if (info->tcm_handle == look->spec->handle && name &&
	    nla_strcmp(name, look->spec->name) == 0)
		look->ours = true;
	else
		look->foreign++;
	return 0;
}

int filter_look(struct netlink *netlink, const struct filter_spec *spec, bool *ret_ours,
		unsigned *ret_foreign, struct error *err)
{
	struct look look = { .spec = spec };
	struct tcmsg header = filter_header(spec);
	struct error why = { 0 };

	header.tcm_handle = 0;
	header.tcm_info = 0;
	int r = netlink_ask(netlink,
			    netlink_message(RTM_GETTFILTER, NLM_F_DUMP, &header, sizeof header),
			    visit_filter, &look, &why);
	/* No such block or device: the kernel says so in more than one way. */
	if (r < 0 && r != -EINVAL && r != -ENOENT && r != -ENODEV) {
		*err = why;
		return r;
	}
	*ret_ours = look.ours;
	*ret_foreign = look.foreign;
	return 0;
}

static int count_filters(struct netlink *netlink, enum filter_place place, uint32_t ifindex,
			 unsigned *ret_count, struct error *err)
{
	struct filter_spec spec = { .place = place, .target = ifindex, .name = "" };
	bool ours;
	return filter_look(netlink, &spec, &ours, ret_count, err);
}

int clsact_delete_empty(struct netlink *netlink, uint32_t ifindex, struct error *err)
{
	struct tcmsg header = { .tcm_family = AF_UNSPEC,
				.tcm_ifindex = (int)ifindex,
				.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
				.tcm_parent = TC_H_CLSACT };
	unsigned incoming = 0, outgoing = 0;
	int r = count_filters(netlink, FILTER_INGRESS, ifindex, &incoming, err);
	if (r == 0)
		r = count_filters(netlink, FILTER_EGRESS, ifindex, &outgoing, err);
	if (r < 0 || incoming || outgoing)
		return r;
	r = netlink_queue(netlink, netlink_message(RTM_DELQDISC, 0, &header, sizeof header),
			  NETLINK_MAY_LACK, err, "take clsact from device %u", ifindex);
	return r < 0 ? r : netlink_flush(netlink, err);
}
