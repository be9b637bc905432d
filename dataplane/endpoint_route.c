/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "endpoint_route.h"

#include "firewall.h"
#include "link/address.h"
#include "link/rule.h"
#include "link/sysctl.h"
#include "publish.h"

static bool publishes_in(const struct endpoint_info *info, enum publish_family family)
{
	for (size_t i = 0; i < info->publish_count; i++)
		if (publish_has(info, &info->publish[i], family))
			return true;
	return false;
}

/* What the host forwards goes by the gateway device, which its firewall's rules name. */
bool endpoint_has_link6(const struct endpoint_info *info)
{
	return publishes_in(info, PUBLISH_IPV6) && !info->publish_respects;
}

static bool has_route(const struct endpoint_info *info, enum publish_family family)
{
	return family == PUBLISH_IPV4 ? publishes_in(info, family) : endpoint_has_link6(info);
}

/* A link that comes up with IPv6 walks all routes of the host: only where it is of use. */
int endpoint_prepare_link(const struct endpoint_info *info, int tree_fd, struct error *err)
{
	static const struct sysctl_setting with[] = {
		{ "ipv6", "addr_gen_mode", "1" }, /* both ends have one MAC */
		{ "ipv6", "accept_ra", "0" },
		{ "ipv6", "disable_ipv6", "0" },
	};
	static const struct sysctl_setting without[] = { { "ipv6", "disable_ipv6", "1" } };
	bool has = endpoint_has_link6(info);
	const struct sysctl_setting *settings = has ? with : without;
	size_t count = has ? ARRAY_SIZE(with) : ARRAY_SIZE(without);
	for (size_t i = 0; i < count; i++) {
		int r = sysctl_device_set_at(tree_fd, settings[i].family, info->host_device,
					     settings[i].key, settings[i].value, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Where the host's firewall decides, the route is for the host's own sockets alone. */
static int queue_v4(struct dataplane *dataplane, const struct endpoint_info *info,
		    const struct network_info *network, struct error *err)
{
	struct host_route route = { .address = info->address.ip,
				    .link = info->host_ifindex,
				    .source = network->spec.gateway };
	/* For clients of the host that bound themselves to 127.0.0.1 before they connect. */
	int r = sysctl_device_set("ipv4", info->host_device, "route_localnet", "1", err);
	if (r >= 0 && info->publish_respects) {
		route.table = firewall_table(&dataplane->instance);
		r = rule_queue_add(dataplane->netlink, route.table, err);
	}
	return r < 0 ? r : host_route_queue_add(dataplane->netlink, &route, err);
}

static int queue_v6(struct dataplane *dataplane, const struct endpoint_info *info,
		    const struct network_info *network, struct error *err)
{
	const struct host_route route = { .address = info->address6.ip,
					  .link = info->host_ifindex,
					  .source = network->spec.gateway6 };
	int off = 0;
	int r = sysctl_device_get("ipv6", info->host_device, "disable_ipv6", &off, err);
	/* Made before it published: these ports were another endpoint's (endpoint_pass_on). */
	if (r == 0 && off)
		r = endpoint_prepare_link(info, -1, err);
	return r < 0 ? r : host_route_queue_add(dataplane->netlink, &route, err);
}

int endpoint_queue_route(struct dataplane *dataplane, const struct endpoint_info *info,
			 const struct network_info *network, struct error *err)
{
	int r = 0;
	if (has_route(info, PUBLISH_IPV4))
		r = queue_v4(dataplane, info, network, err);
	if (r == 0 && has_route(info, PUBLISH_IPV6))
		r = queue_v6(dataplane, info, network, err);
	return r;
}

int endpoint_look_route(struct dataplane *dataplane, const struct endpoint_info *info,
			struct error *err)
{
	int r = 1;
	for (size_t i = 0; r == 1 && i < ARRAY_SIZE(publish_families); i++)
		if (has_route(info, publish_families[i]))
			r = host_route_look(dataplane->netlink,
					    publish_target(info, publish_families[i]), err);
	return r;
}
