/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define REQUEST_MAX 1024
#define ANSWER_MAX 65536

/* A message that grows; far larger than any request here. */
struct request {
	struct nlmsghdr header;
	char body[REQUEST_MAX];
};

static void *append(struct request *request, const void *data, size_t size)
{
	char *at = (char *)request + NLMSG_ALIGN(request->header.nlmsg_len);
	if (data)
		memcpy(at, data, size);
	request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + (uint32_t)size;
	return at;
}

static struct rtattr *append_attribute(struct request *request, unsigned short type,
				       const void *data, size_t size)
{
	struct rtattr attribute = { .rta_type = type, .rta_len = (unsigned short)RTA_LENGTH(size) };
	struct rtattr *at = append(request, &attribute, sizeof attribute);
	if (size > 0)
		append(request, data, size);
	return at;
}

static struct rtattr *nest(struct request *request, unsigned short type)
{
	return append_attribute(request, type, NULL, 0);
}

static void unnest(struct request *request, struct rtattr *start)
{
	char *end = (char *)request + NLMSG_ALIGN(request->header.nlmsg_len);
	start->rta_len = (unsigned short)(end - (char *)start);
}

static struct request new_request(unsigned short type, unsigned short flags)
{
	return (struct request){
		.header = { .nlmsg_len = NLMSG_HDRLEN,
			    .nlmsg_type = type,
			    .nlmsg_flags = (unsigned short)(NLM_F_REQUEST | flags) },
	};
}

/* Sends and waits for the acknowledgement. */
static int send_request(struct request *request, const char *what, struct error *err)
{
	auto_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[REQUEST_MAX];
	} answer;
	request->header.nlmsg_flags |= NLM_F_ACK;
	if (fd < 0 || send(fd, request, request->header.nlmsg_len, 0) < 0 ||
	    recv(fd, &answer, sizeof answer, 0) < (ssize_t)NLMSG_LENGTH(sizeof answer.error))
		return error_set_errno(err, errno, "%s", what);
	if (answer.header.nlmsg_type != NLMSG_ERROR)
		return error_set(err, EPROTO, "%s: no acknowledgement", what);
	return answer.error.error ? error_set_errno(err, -answer.error.error, "%s", what) : 0;
}

static void append_end(struct request *request, const struct cable_end *end)
{
	append_attribute(request, IFLA_IFNAME, end->device, strlen(end->device) + 1);
	append_attribute(request, IFLA_NET_NS_FD, &end->netns_fd, sizeof end->netns_fd);
}

int netlink_add_cable(const struct cable_end ends[2], struct error *err)
{
	struct request request = new_request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct ifinfomsg message = { 0 };
	append(&request, &message, sizeof message);
	append_end(&request, &ends[0]);
	struct rtattr *info = nest(&request, IFLA_LINKINFO);
	append_attribute(&request, IFLA_INFO_KIND, "veth", sizeof "veth");
	struct rtattr *data = nest(&request, IFLA_INFO_DATA);
	struct rtattr *peer = nest(&request, VETH_INFO_PEER);
	append(&request, &message, sizeof message);
	append_end(&request, &ends[1]);
	unnest(&request, peer);
	unnest(&request, data);
	unnest(&request, info);
	return send_request(&request, "cannot add a veth pair", err);
}

int netlink_set_up(const char *device, struct error *err)
{
	struct request request = new_request(RTM_NEWLINK, 0);
	struct ifinfomsg up = { .ifi_flags = IFF_UP,
				.ifi_change = IFF_UP,
				.ifi_index = (int)if_nametoindex(device) };
	append(&request, &up, sizeof up);
	return send_request(&request, "cannot bring a device up", err);
}

/* The bytes of an address in its own family. */
static const uint8_t *family_bytes(const struct ip *ip, size_t *ret_size)
{
	*ret_size = ip_is_v4(*ip) ? 4 : 16;
	return ip->bytes + sizeof ip->bytes - *ret_size;
}

static void append_ip(struct request *request, unsigned short type, struct ip ip)
{
	size_t size;
	const uint8_t *bytes = family_bytes(&ip, &size);
	append_attribute(request, type, bytes, size);
}

int netlink_add_address(const char *device, struct prefix address, struct error *err)
{
	struct request request = new_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	struct ifaddrmsg message = {
		.ifa_family = ip_is_v4(address.ip) ? AF_INET : AF_INET6,
		.ifa_prefixlen = address.length,
		.ifa_index = if_nametoindex(device),
		.ifa_flags = IFA_F_NODAD, /* usable at once */
	};
	append(&request, &message, sizeof message);
	append_ip(&request, IFA_LOCAL, address.ip);
	append_ip(&request, IFA_ADDRESS, address.ip);
	return send_request(&request, prefix_format(address).text, err);
}

int netlink_add_route(struct prefix prefix, struct ip via, struct error *err)
{
	struct request request = new_request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	struct rtmsg message = {
		.rtm_family = ip_is_v4(prefix.ip) ? AF_INET : AF_INET6,
		.rtm_dst_len = prefix.length,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	append(&request, &message, sizeof message);
	if (prefix.length > 0)
		append_ip(&request, RTA_DST, prefix_network(prefix).ip);
	append_ip(&request, RTA_GATEWAY, via);
	return send_request(&request, prefix_format(prefix).text, err);
}

static void visit_qdisc(struct nlmsghdr *message,
			void (*visit)(const char *device, const char *kind, void *context),
			void *context)
{
	struct tcmsg *body = NLMSG_DATA(message);
	int size = (int)(message->nlmsg_len - NLMSG_LENGTH(sizeof *body));
	char device[IF_NAMESIZE];
	if (!if_indextoname((unsigned)body->tcm_ifindex, device))
		snprintf(device, sizeof device, "%d", body->tcm_ifindex);
	for (struct rtattr *at = TCA_RTA(body); RTA_OK(at, size); at = RTA_NEXT(at, size))
		if (at->rta_type == TCA_KIND && strcmp(RTA_DATA(at), "noqueue") != 0)
			visit(device, RTA_DATA(at), context);
}

int netlink_each_qdisc(void (*visit)(const char *device, const char *kind, void *context),
		       void *context, struct error *err)
{
	struct request request = new_request(RTM_GETQDISC, NLM_F_DUMP);
	struct tcmsg body = { .tcm_family = AF_UNSPEC };
	append(&request, &body, sizeof body);
	auto_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	auto_free char *answer = malloc(ANSWER_MAX);
	if (fd < 0 || !answer || send(fd, &request, request.header.nlmsg_len, 0) < 0)
		return error_set_errno(err, errno, "cannot list queues");
	for (;;) {
		ssize_t got = recv(fd, answer, ANSWER_MAX, 0);
		if (got < 0)
			return error_set_errno(err, errno, "cannot list queues");
		size_t size = (size_t)got;
		for (struct nlmsghdr *at = (struct nlmsghdr *)answer; NLMSG_OK(at, size);
		     at = NLMSG_NEXT(at, size)) {
			if (at->nlmsg_type == NLMSG_DONE || at->nlmsg_type == NLMSG_ERROR)
				return 0;
			visit_qdisc(at, visit, context);
		}
	}
}
