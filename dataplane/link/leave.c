/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "link/leave.h"

#include <errno.h>
#include <linux/close_range.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "link/device.h"

#define WAIT_US 500000
#define STEP_US 100 /* the first; each is a quarter longer: some 30 in all */

/*
 * Between fork and _exit only system calls: the process that forked may have other
 * threads. By number, since another device may get the name while this is on its way.
 */
static void ask_and_wait(uint32_t ifindex)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} request = { .header = { .nlmsg_len = sizeof request,
				  .nlmsg_type = RTM_DELLINK,
				  .nlmsg_flags = NLM_F_REQUEST },
		      .link = { .ifi_index = (int)ifindex } };
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	prctl(PR_SET_NAME, DEVICE_LEAVING);
	syscall(SYS_close_range, 0, ~0u, 0);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	(void)!sendto(fd, &request, sizeof request, 0, (struct sockaddr *)&kernel, sizeof kernel);
}

/* Its parent is gone at once, so that nobody has to reap it. */
static int start_behind(uint32_t ifindex)
{
	pid_t between = fork();
	if (between < 0)
		return -errno;
	if (between == 0) {
		if (fork() == 0)
			ask_and_wait(ifindex);
		_exit(0);
	}
	waitpid(between, NULL, 0);
	return 0;
}

/* 1 and *ret_ifindex, or 0 if there is none; who cannot look (-errno) does not know that. */
static int find(const struct netlink *netlink, const char *name, uint32_t *ret_ifindex)
{
	struct ifreq request = { 0 };
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	if (ioctl(netlink_fd(netlink), SIOCGIFINDEX, &request) < 0)
		return errno == ENODEV ? 0 : -errno;
	*ret_ifindex = (uint32_t)request.ifr_ifindex;
	return 1;
}

static bool is_gone(const struct netlink *netlink, const char *name, uint32_t ifindex)
{
	uint32_t found = ifindex;
	int r = find(netlink, name, &found);
	return r == 0 || found != ifindex;
}

static bool wait_until_gone(const struct netlink *netlink, const char *name, uint32_t ifindex)
{
	long step_us = STEP_US;
	for (long waited_us = 0; waited_us < WAIT_US;
	     waited_us += step_us, step_us += step_us / 4) {
		struct timespec step = { .tv_nsec = step_us * 1000 };
		if (is_gone(netlink, name, ifindex))
			return true;
		nanosleep(&step, NULL);
	}
	return false;
}

int device_delete_behind(struct netlink *netlink, const char *name, struct error *err)
{
	uint32_t ifindex;
	int r = find(netlink, name, &ifindex);
	if (r == 0)
		return 0;
	/* Where nobody can be left behind, or the machine is too busy: as anybody would. */
	if (r == 1 && start_behind(ifindex) == 0 && wait_until_gone(netlink, name, ifindex))
		return 0;
	return r == 1 && is_gone(netlink, name, ifindex) ? 0 : device_delete(netlink, name, err);
}
