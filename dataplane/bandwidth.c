/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bandwidth.h"

#include <errno.h>

#include "base/process.h"
#include "link/device.h"
#include "link/queue.h"

#define RATE_MIN 8000 /* bit/s: a packet of 1,500 bytes takes 1.5 s */

static struct queue_limit limit_of(const struct endpoint_info *info, const struct rate_limit *rate)
{
	return (struct queue_limit){ .rate_bit_s = rate->rate_bit_s,
				     .burst_bits = rate->burst_bits,
				     .mtu = info->mtu };
}

static int check_direction(const char *name, const struct rate_limit *rate, struct error *err)
{
	if (rate->rate_bit_s == 0 && rate->burst_bits != 0)
		return error_set(err, EINVAL, "%s: a burst needs a rate", name);
	if (rate->rate_bit_s != 0 && rate->rate_bit_s < RATE_MIN)
		return error_set(err, EINVAL, "%s: %llu bit/s is less than the least, %d", name,
				 (unsigned long long)rate->rate_bit_s, RATE_MIN);
	return 0;
}

int bandwidth_check(const struct endpoint_spec *spec, struct error *err)
{
	int r = check_direction("ingress limit", &spec->ingress, err);
	return r < 0 ? r : check_direction("egress limit", &spec->egress, err);
}

uint16_t bandwidth_flags(const struct endpoint_info *info)
{
	return info->ingress.rate_bit_s ? ENDPOINT_QUEUED : 0;
}

int bandwidth_queue_host(struct dataplane *dataplane, const struct endpoint_info *info,
			 struct error *err)
{
	struct queue_limit limit = limit_of(info, &info->ingress);
	if (!info->ingress.rate_bit_s)
		return 0;
	return queue_limit_put(dataplane->netlink, info->host_ifindex, &limit, err);
}

int bandwidth_queue_inside(struct netlink *netlink, const struct endpoint_info *info,
			   uint32_t ifindex, struct error *err)
{
	struct queue_limit limit = limit_of(info, &info->egress);
	return info->egress.rate_bit_s ? queue_limit_put(netlink, ifindex, &limit, err) : 0;
}

int bandwidth_look_host(struct dataplane *dataplane, const struct endpoint_info *info,
			struct error *err)
{
	struct queue_limit limit = limit_of(info, &info->ingress);
	if (!info->ingress.rate_bit_s)
		return 1;
	return queue_limit_look(dataplane->netlink, info->host_ifindex, &limit, err);
}

int bandwidth_look_inside(struct netlink *netlink, const struct endpoint_info *info,
			  uint32_t ifindex, struct error *err)
{
	struct queue_limit limit = limit_of(info, &info->egress);
	return info->egress.rate_bit_s ? queue_limit_look(netlink, ifindex, &limit, err) : 1;
}

static int open_inside(void *context, struct error *err)
{
	return netlink_open(-1, context, err);
}

int bandwidth_repair_inside(const struct endpoint_info *info, struct error *err)
{
	struct error ignored = { 0 };
	AUTO(netlink) netlink = NULL;
	auto_fd fd = -1;
	if (!info->egress.rate_bit_s || !info->netns_path[0] ||
	    netns_open(info->netns_path, &fd, &ignored) < 0)
		return 0;
	int r = netns_run(fd, open_inside, &netlink, err);
	uint32_t ifindex = r < 0 ? 0 : device_index(netlink, info->interface);
	if (r < 0 || ifindex == 0)
		return r;
	r = bandwidth_look_inside(netlink, info, ifindex, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = bandwidth_queue_inside(netlink, info, ifindex, err);
	return r < 0 ? r : netlink_flush(netlink, err);
}
