/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "link/queue.h"

#include <linux/pkt_sched.h>
#include <string.h>

#define HANDLE TC_H_MAKE(0x57480000u, 0) /* ours among roots */
#define BURST_MS 10                      /* what timers and other processes may be late */
#define BURST_LEAST_MS 1                 /* with less no timer keeps the rate */
#define BURST_MIN 16384                  /* bytes */
#define WAIT_MS 25                       /* what a packet waits at most in the fifo */
#define PACKET_MAX 66000                 /* with segments still together */
#define FRAME_MORE 18                    /* Ethernet and a tag */

static uint64_t rate_bytes_s(const struct queue_limit *limit)
{
	return limit->rate_bit_s < 8 ? 1 : limit->rate_bit_s / 8;
}

static uint32_t at_most_u32(uint64_t number)
{
	return number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
}

static uint32_t burst_bytes(const struct queue_limit *limit)
{
	uint64_t burst = limit->burst_bits / 8, least = rate_bytes_s(limit) * BURST_LEAST_MS / 1000;
	if (least < limit->mtu + FRAME_MORE)
		least = limit->mtu + FRAME_MORE;
	if (limit->burst_bits == 0) {
		burst = rate_bytes_s(limit) * BURST_MS / 1000;
		least = BURST_MIN > least ? BURST_MIN : least;
	}
	return at_most_u32(burst < least ? least : burst);
}

static struct nl_msg *limit_message(uint32_t ifindex, const struct queue_limit *limit)
{
	struct tcmsg header = { .tcm_ifindex = (int)ifindex,
				.tcm_handle = HANDLE,
				.tcm_parent = TC_H_ROOT };
	uint64_t rate = rate_bytes_s(limit);
	uint32_t burst = burst_bytes(limit);
	struct tc_tbf_qopt options = {
		.rate = { .linklayer = TC_LINKLAYER_ETHERNET, .rate = at_most_u32(rate) },
		.limit = at_most_u32(rate * WAIT_MS / 1000 +
				     (burst < PACKET_MAX ? burst : PACKET_MAX)),
	};
	struct nl_msg *message =
		netlink_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header);
	if (!message)
		return NULL;
	nla_put_string(message, TCA_KIND, "tbf");
	struct nlattr *nest = nla_nest_start(message, TCA_OPTIONS);
	nla_put(message, TCA_TBF_PARMS, sizeof options, &options);
	nla_put_u32(message, TCA_TBF_BURST, burst);
	if (rate > UINT32_MAX)
		nla_put_u64(message, TCA_TBF_RATE64, rate);
	nla_nest_end(message, nest);
	return message;
}

int queue_limit_put(struct netlink *netlink, uint32_t ifindex, const struct queue_limit *limit,
		    struct error *err)
{
	struct tcmsg header = { .tcm_ifindex = (int)ifindex, .tcm_parent = HANDLE | 1 };
	int r = netlink_queue(netlink, limit_message(ifindex, limit), NETLINK_STRICT, err,
			      "limit the rate of device %u (module sch_tbf)", ifindex);
	if (r < 0)
		return r;
	struct nl_msg *message =
		netlink_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header);
	if (message)
		nla_put_string(message, TCA_KIND, "fq_codel");
	return netlink_queue(netlink, message, NETLINK_ANY_RESULT, err, "add fq_codel");
}

struct look {
	uint32_t ifindex;
	uint64_t rate;
	bool found;
};

static int visit_queue(const struct nlmsghdr *header, void *context, struct error *err)
{
	struct nlattr *parts[TCA_MAX + 1] = { 0 }, *options[TCA_TBF_MAX + 1] = { 0 };
	const struct tcmsg *info = NLMSG_DATA(header);
	struct look *look = context;
	struct tc_tbf_qopt tbf;

	(void)err;
	if (header->nlmsg_type != RTM_NEWQDISC || info->tcm_ifindex != (int)look->ifindex ||
	    info->tcm_parent != TC_H_ROOT)
		return 0;
	nlmsg_parse((struct nlmsghdr *)(uintptr_t)header, sizeof *info, parts, TCA_MAX, NULL);
	if (!parts[TCA_KIND] || nla_strcmp(parts[TCA_KIND], "tbf") != 0 || !parts[TCA_OPTIONS])
		return 0;
	nla_parse_nested(options, TCA_TBF_MAX, parts[TCA_OPTIONS], NULL);
	if (!options[TCA_TBF_PARMS] || nla_len(options[TCA_TBF_PARMS]) < (int)sizeof tbf)
		return 0;
	memcpy(&tbf, nla_data(options[TCA_TBF_PARMS]), sizeof tbf);
	uint64_t rate =
		options[TCA_TBF_RATE64] ? nla_get_u64(options[TCA_TBF_RATE64]) : tbf.rate.rate;
	look->found = rate == look->rate;
	return 0;
}

int queue_limit_look(struct netlink *netlink, uint32_t ifindex, const struct queue_limit *limit,
		     struct error *err)
{
	struct tcmsg header = { .tcm_ifindex = (int)ifindex };
	struct look look = { .ifindex = ifindex, .rate = rate_bytes_s(limit) };
	int r = netlink_ask(netlink,
			    netlink_message(RTM_GETQDISC, NLM_F_DUMP, &header, sizeof header),
			    visit_queue, &look, err);
	return r < 0 ? r : look.found;
}
