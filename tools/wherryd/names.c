/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "names.h"

#include "dataplane/dataplane.h"

static int resolve(void *context, const char *network, struct ip client, const char *name,
		   struct ip *ret_ips, size_t max, struct error *err)
{
	return names_resolve(context, network, client, name, ret_ips, max, err);
}

static int reverse(void *context, const char *network, struct ip address, char *ret_name,
		   size_t size, struct error *err)
{
	return names_reverse(context, network, address, ret_name, size, err);
}

static int has_address(const struct network_info *info, void *context, struct error *err)
{
	const struct ip *address = context;
	struct prefix subnet = ip_is_v4(*address) ? info->spec.subnet : info->spec.subnet6;
	(void)err;
	return !prefix_is_unset(subnet) && prefix_contains(subnet, *address);
}

static int owns(void *context, struct ip address)
{
	struct error ignored;
	return network_each(context, has_address, &address, &ignored) == 1;
}

static int servers(void *context, const char *network, struct ip client, struct ip *ret_ips,
		   size_t max, struct error *err)
{
	return names_servers(context, network, client, ret_ips, max, err);
}

struct dns_source names_source(struct store *store)
{
	return (struct dns_source){ .resolve = resolve,
				    .reverse = reverse,
				    .owns = owns,
				    .servers = servers,
				    .context = store };
}
