/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * floor - the least that a bridge plugin can do, as a CNI plugin: the floor
 * that cni-add and cni-del are compared with.
 *
 * ADD makes one veth pair whose far end is born inside the container with its
 * MAC, puts the near end on the bridge, brings both up with lo, and sets one
 * address and the default route: one process, no lock, no file, no firewall,
 * no result beyond the address.  DEL deletes the pair.  The address comes
 * from NB_INDEX in CNI_ARGS, so there is no allocator.  The bridge (FLOOR_BR
 * in this file) exists already.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FLOOR_BR "nbr0"
#define FLOOR_GATEWAY "10.88.0.1"
#define FLOOR_FIRST 0x0a580100u /* 10.88.1.0, host order */
#define PREFIX_LENGTH 16

struct request {
	struct nlmsghdr header;
	char body[1024];
};

static _Noreturn void fail(const char *what, int error)
{
	printf("{\"cniVersion\":\"1.0.0\",\"code\":100,\"msg\":\"floor: %s: %s\"}\n", what,
	       strerror(error));
	exit(1);
}

static void *put(struct request *r, size_t size)
{
	void *at = (char *)r + NLMSG_ALIGN(r->header.nlmsg_len);

	memset(at, 0, size);
	r->header.nlmsg_len = NLMSG_ALIGN(r->header.nlmsg_len) + (__u32)size;
	return at;
}

static struct rtattr *attribute(struct request *r, int type, const void *data, size_t size)
{
	struct rtattr *a = put(r, RTA_LENGTH(size));

	a->rta_type = (unsigned short)type;
	a->rta_len = (unsigned short)RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(a), data, size);
	return a;
}

static void end(struct request *r, struct rtattr *nest)
{
	nest->rta_len =
		(unsigned short)((char *)r + NLMSG_ALIGN(r->header.nlmsg_len) - (char *)nest);
}

static void begin(struct request *r, int type, int flags)
{
	memset(r, 0, sizeof *r);
	r->header.nlmsg_len = NLMSG_HDRLEN;
	r->header.nlmsg_type = (__u16)type;
	r->header.nlmsg_flags = (__u16)(NLM_F_REQUEST | NLM_F_ACK | flags);
}

static int ask(int fd, const struct request *r)
{
	char buffer[4096];
	const struct nlmsghdr *h = (const struct nlmsghdr *)buffer;

	if (send(fd, r, r->header.nlmsg_len, 0) < 0 || recv(fd, buffer, sizeof buffer, 0) < 0)
		return errno;
	if (h->nlmsg_type != NLMSG_ERROR)
		return EPROTO;
	return -((const struct nlmsgerr *)NLMSG_DATA(h))->error;
}

static void must(int fd, const struct request *r, const char *what)
{
	int error = ask(fd, r);

	if (error)
		fail(what, error);
}

static int open_netlink(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		fail("netlink", errno);
	return fd;
}

static unsigned container_index(void)
{
	const char *args = getenv("CNI_ARGS");
	const char *at = args ? strstr(args, "NB_INDEX=") : NULL;

	if (!at)
		fail("CNI_ARGS has no NB_INDEX", EINVAL);
	return (unsigned)strtoul(at + 9, NULL, 10);
}

static void add_pair(int fd, unsigned index, int netns)
{
	struct ifinfomsg *link;
	struct rtattr *info, *data, *peer;
	unsigned char mac[6] = {
		0x02, 0x58, 0, 0, (unsigned char)(index >> 8), (unsigned char)index
	};
	unsigned master = if_nametoindex(FLOOR_BR);
	char name[IFNAMSIZ];
	struct request r;

	if (!master)
		fail("bridge " FLOOR_BR, errno);
	snprintf(name, sizeof name, "f%u", index);
	begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	link = put(&r, sizeof *link);
	link->ifi_flags = link->ifi_change = IFF_UP;
	attribute(&r, IFLA_IFNAME, name, strlen(name) + 1);
	attribute(&r, IFLA_MASTER, &master, sizeof master);
	info = attribute(&r, IFLA_LINKINFO, NULL, 0);
	attribute(&r, IFLA_INFO_KIND, "veth", 4);
	data = attribute(&r, IFLA_INFO_DATA, NULL, 0);
	peer = attribute(&r, VETH_INFO_PEER, NULL, 0);
	link = put(&r, sizeof *link);
	attribute(&r, IFLA_IFNAME, "eth0", 5);
	attribute(&r, IFLA_ADDRESS, mac, sizeof mac);
	attribute(&r, IFLA_NET_NS_FD, &netns, sizeof netns);
	end(&r, peer);
	end(&r, data);
	end(&r, info);
	must(fd, &r, "veth");
}

static void link_up(int fd, unsigned index)
{
	struct ifinfomsg *link;
	struct request r;

	begin(&r, RTM_NEWLINK, 0);
	link = put(&r, sizeof *link);
	link->ifi_index = (int)index;
	link->ifi_flags = link->ifi_change = IFF_UP;
	must(fd, &r, "link up");
}

static void add_address(int fd, unsigned link, __u32 address)
{
	struct ifaddrmsg *m;
	struct request r;

	begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	m = put(&r, sizeof *m);
	m->ifa_family = AF_INET;
	m->ifa_prefixlen = PREFIX_LENGTH;
	m->ifa_index = link;
	attribute(&r, IFA_LOCAL, &address, sizeof address);
	attribute(&r, IFA_ADDRESS, &address, sizeof address);
	must(fd, &r, "address");
}

static void add_route(int fd, unsigned link)
{
	__u32 gateway = inet_addr(FLOOR_GATEWAY);
	struct rtmsg *m;
	struct request r;

	begin(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	m = put(&r, sizeof *m);
	m->rtm_family = AF_INET;
	m->rtm_table = RT_TABLE_MAIN;
	m->rtm_protocol = RTPROT_STATIC;
	m->rtm_scope = RT_SCOPE_UNIVERSE;
	m->rtm_type = RTN_UNICAST;
	attribute(&r, RTA_GATEWAY, &gateway, sizeof gateway);
	attribute(&r, RTA_OIF, &link, sizeof link);
	must(fd, &r, "route");
}

static void add(void)
{
	const char *path = getenv("CNI_NETNS");
	int netns = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	unsigned index = container_index(), link;
	__u32 address = htonl(FLOOR_FIRST + index);
	char text[INET_ADDRSTRLEN];
	int fd;

	if (netns < 0)
		fail("CNI_NETNS", errno);
	add_pair(open_netlink(), index, netns);
	if (setns(netns, CLONE_NEWNET))
		fail("setns", errno);
	fd = open_netlink();
	link = if_nametoindex("eth0");
	link_up(fd, if_nametoindex("lo"));
	link_up(fd, link);
	add_address(fd, link, address);
	add_route(fd, link);
	printf("{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"%s/%d\"}]}\n",
	       inet_ntop(AF_INET, &address, text, sizeof text), PREFIX_LENGTH);
}

static void del(void)
{
	char name[IFNAMSIZ];
	struct request r;
	int error;

	snprintf(name, sizeof name, "f%u", container_index());
	begin(&r, RTM_DELLINK, 0);
	put(&r, sizeof(struct ifinfomsg));
	attribute(&r, IFLA_IFNAME, name, strlen(name) + 1);
	error = ask(open_netlink(), &r);
	if (error && error != ENODEV)
		fail("delete", error);
}

int main(void)
{
	const char *command = getenv("CNI_COMMAND");

	if (command && !strcmp(command, "ADD"))
		add();
	else if (command && !strcmp(command, "DEL"))
		del();
	else if (!command ||
		 (strcmp(command, "CHECK") && strcmp(command, "STATUS") && strcmp(command, "GC")))
		fail("CNI_COMMAND", EINVAL);
	return 0;
}
