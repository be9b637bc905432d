/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "link/neighbour.h"

#include <linux/neighbour.h>
#include <sys/socket.h>

int neighbour_queue_add(struct netlink *netlink, uint32_t ifindex, struct ip ip, struct mac mac,
			struct error *err)
{
	bool v4 = ip_is_v4(ip);
	struct ndmsg header = { .ndm_family = v4 ? AF_INET : AF_INET6,
				.ndm_ifindex = (int)ifindex,
				.ndm_state = NUD_PERMANENT };
	struct nl_msg *message =
		netlink_message(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header);
	if (message) {
		nla_put(message, NDA_DST, v4 ? 4 : 16, ip.bytes + (v4 ? 12 : 0));
		nla_put(message, NDA_LLADDR, MAC_SIZE, mac.bytes);
	}
	return netlink_queue(netlink, message, NETLINK_STRICT, err, "add the neighbour %s",
			     ip_format(ip).text);
}
