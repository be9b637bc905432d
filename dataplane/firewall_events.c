/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Generations of nftables: each change of its rules is told to all by one message at its end. */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "dataplane/firewall.h"
#include "handle.h"

#define READS_MAX 256 /* datagrams a call: rules come one in a message */
#define TYPE_NEW_GENERATION (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN)

int firewall_judge_again(struct dataplane *dataplane, struct error *err)
{
	uint32_t key = SWITCH_ROUND, round = 0;
	if (dataplane->maps.mirror)
		return 0;
	int r = map_get(&dataplane->maps, MAP_SWITCHES, &key, &round, err);
	if (r < 0)
		return r;
	round++;
	return map_put(&dataplane->maps, MAP_SWITCHES, &key, &round, err);
}

int firewall_events_open(int *ret_fd, struct error *err)
{
	int group = NFNLGRP_NFTABLES;
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	auto_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	if (fd < 0)
		return error_set_errno(err, errno == EPROTONOSUPPORT ? EOPNOTSUPP : errno,
				       "cannot make a netfilter socket");
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
		return error_set_errno(err, errno, "cannot listen to changes of nftables");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static bool tells_generation(const void *data, size_t size)
{
	for (size_t at = 0; size - at >= sizeof(struct nlmsghdr);) {
		const struct nlmsghdr *message = (const void *)((const char *)data + at);
		if (message->nlmsg_len < sizeof *message || message->nlmsg_len > size - at)
			return false;
		if (message->nlmsg_type == TYPE_NEW_GENERATION)
			return true;
		size_t step = NLMSG_ALIGN(message->nlmsg_len);
		at = step > size - at ? size : at + step;
	}
	return false;
}

bool firewall_events_read(int fd)
{
	struct nlmsghdr buffer[32768 / sizeof(struct nlmsghdr)];
	bool changed = false;
	for (int i = 0; i < READS_MAX; i++) {
		ssize_t size = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
		if (size < 0 && errno == ENOBUFS)
			return true; /* the kernel dropped some */
		if (size <= 0)
			return changed;
		changed |= tells_generation(buffer, (size_t)size);
	}
	return changed;
}
