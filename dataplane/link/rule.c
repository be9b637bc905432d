/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "link/rule.h"

#include <linux/fib_rules.h>
#include <sys/socket.h>

#define PRIORITY 32000 /* behind the local table, before what others choose by default */

/* The loopback device is where the kernel says that its own packets come in by. */
static struct nl_msg *message(int type, int flags, uint32_t table)
{
	struct fib_rule_hdr header = { .family = AF_INET,
				       .table = RT_TABLE_UNSPEC,
				       .action = FR_ACT_TO_TBL };
	struct nl_msg *message = netlink_message(type, flags, &header, sizeof header);
	if (message) {
		nla_put_u32(message, FRA_PRIORITY, PRIORITY);
		nla_put_string(message, FRA_IIFNAME, "lo");
		nla_put_u32(message, FRA_TABLE, table);
	}
	return message;
}

int rule_queue_add(struct netlink *netlink, uint32_t table, struct error *err)
{
	return netlink_queue(netlink, message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, table),
			     NETLINK_MAY_EXIST, err, "add the rule for table %u", table);
}

int rule_queue_delete(struct netlink *netlink, uint32_t table, struct error *err)
{
	return netlink_queue(netlink, message(RTM_DELRULE, 0, table), NETLINK_MAY_LACK, err,
			     "remove the rule for table %u", table);
}
