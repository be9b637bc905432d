/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor_host.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/directory.h"
#include "link/address.h"
#include "link/device.h"
#include "link/nft.h"
#include "link/sysctl.h"
#include "map_walk.h"

struct host {
	struct dataplane *dataplane;
	const struct doctor_ear *ear;
	struct directory *directory;
	char first_device[DEVICE_NAME_MAX]; /* of some network, for a mend's example */
	size_t networks;
	bool ufw, firewalld;
};

static int tell(const struct host *host, struct error *err, const char *subject, const char *format,
		...) __attribute__((format(printf, 4, 5)));
static int tell(const struct host *host, struct error *err, const char *subject, const char *format,
		...)
{
	char finding[ERROR_TEXT_MAX];
	va_list list;
	va_start(list, format);
	vsnprintf(finding, sizeof finding, format, list);
	va_end(list);
	return host->ear->visit(DOCTOR_WARNING, subject, finding, host->ear->context, err);
}

/* --- devices ------------------------------------------------------------------------ */

static int setting(const char *family, const char *device, const char *key)
{
	struct error ignored;
	int value = -1;
	return sysctl_device_get(family, device, key, &value, &ignored) < 0 ? -1 : value;
}

static int examine_device(const struct host *host, const struct network_info *info,
			  struct error *err)
{
	const char *device = info->spec.device;
	int r = 0;
	if (setting("ipv4", device, "forwarding") == 0)
		r = tell(host, err, "forwarding",
			 "%s does not forward: containers of %s do not get outside: "
			 "sysctl -w net.ipv4.conf.%s.forwarding=1",
			 device, info->spec.name, device);
	if (r == 0 && setting("ipv4", device, "rp_filter") == 1 &&
	    setting("ipv4", "all", "rp_filter") == 1)
		r = tell(host, err, "rp_filter",
			 "strict on %s: what containers of %s send to the host from allowed extra "
			 "addresses is dropped: sysctl -w net.ipv4.conf.%s.rp_filter=2",
			 device, info->spec.name, device);
	return r;
}

/* --- MTU ---------------------------------------------------------------------------- */

struct mtu_walk {
	const struct host *host;
	const struct network_info *info;
};

static int examine_uplink(const void *key, const void *value, void *context, struct error *err)
{
	const struct mtu_walk *walk = context;
	struct device device;
	uint32_t ifindex;
	(void)value;
	memcpy(&ifindex, key, sizeof ifindex);
	int r = device_get(walk->host->dataplane->netlink, ifindex, &device, err);
	if (r <= 0 || device.mtu >= walk->info->spec.mtu)
		return r < 0 ? r : 0;
	return tell(walk->host, err, "mtu",
		    "network %s has %u, the uplink %s only %u: larger packets are answered with "
		    "\"too big\", which some servers lose: make the network with --mtu %u",
		    walk->info->spec.name, walk->info->spec.mtu, device.name, device.mtu,
		    device.mtu);
}

/* --- routes -------------------------------------------------------------------------- */

struct route_walk {
	const struct host *host;
	const struct network_info *info;
};

/* Some containers have a route by their own link. */
static bool is_host_end(const struct host *host, uint32_t ifindex)
{
	const struct directory_entry *entry;
	for (size_t i = 0; (entry = directory_at(host->directory, i)); i++)
		if (entry->host_ifindex == ifindex)
			return true;
	return false;
}

static int examine_route(const struct route *route, void *context, struct error *err)
{
	const struct route_walk *walk = context;
	char device[IF_NAMESIZE] = "?";
	if (route->destination.length == 0 || route->ifindex == walk->info->device_ifindex ||
	    route->table != RT_TABLE_MAIN || route->type != RTN_UNICAST ||
	    !prefix_overlaps(route->destination, walk->info->spec.subnet) ||
	    is_host_end(walk->host, route->ifindex))
		return 0;
	if_indextoname(route->ifindex, device);
	return tell(walk->host, err, "subnets",
		    "the host's route to %s by %s overlaps network %s (%s): one of them is out of "
		    "reach: make the network with another --subnet",
		    prefix_format(route->destination).text, device, walk->info->spec.name,
		    prefix_format(walk->info->spec.subnet).text);
}

static int examine_network(const struct network_info *info, void *context, struct error *err)
{
	struct host *host = context;
	struct mtu_walk mtu = { host, info };
	struct route_walk routes = { host, info };
	if (host->networks++ == 0)
		snprintf(host->first_device, sizeof host->first_device, "%s", info->spec.device);
	int r = examine_device(host, info, err);
	if (r == 0 && info->spec.mtu)
		r = map_walk(&host->dataplane->maps, MAP_UPLINKS, examine_uplink, &mtu, err);
	if (r == 0)
		r = route_each(host->dataplane->netlink, examine_route, &routes, err);
	return r;
}

/* --- foreign firewalls ------------------------------------------------------------------ */

/*
 * Packets between containers and outside are redirected, and meet no rule. What containers send to
 * the host meets its input rules, by the gateway device; what the host sends to them, its output.
 */
static int examine_chain(const struct nft_chain *chain, void *context, struct error *err)
{
	struct host *host = context;
	host->ufw |= text_starts_with(chain->name, "ufw-");
	host->firewalld |= text_equal(chain->table, "firewalld");
	if (!chain->is_base || !chain->drops)
		return 0;
	if (chain->hook == NF_INET_LOCAL_IN)
		return tell(host, err, "firewall",
			    "%s %s %s drops what no rule accepts, also from containers to this "
			    "host and its names: nft insert rule %s %s %s iifname \"%s\" accept",
			    nft_family_name(chain->family), chain->table, chain->name,
			    nft_family_name(chain->family), chain->table, chain->name,
			    host->first_device[0] ? host->first_device : "br-NETWORK");
	if (chain->hook == NF_INET_LOCAL_OUT)
		return tell(host, err, "firewall",
			    "%s %s %s drops what no rule accepts, also from this host to "
			    "containers: nft insert rule %s %s %s oifname \"%s\" accept",
			    nft_family_name(chain->family), chain->table, chain->name,
			    nft_family_name(chain->family), chain->table, chain->name,
			    host->first_device[0] ? host->first_device : "br-NETWORK");
	return 0;
}

struct ports_seen {
	unsigned port;
	size_t count;
};

static int see_port(const struct port_row *row, void *context, struct error *err)
{
	struct ports_seen *seen = context;
	(void)err;
	if (seen->count++ == 0)
		seen->port = row->host_port;
	return 0;
}

static int examine_firewalls(struct host *host, struct error *err)
{
	struct ports_seen seen = { 0 };
	int r = nft_chain_each(examine_chain, host, err);
	if (r == 0)
		r = ports_each(dataplane_store(host->dataplane), see_port, &seen, err);
	if (r < 0 || !seen.count || (!host->ufw && !host->firewalld))
		return r;
	return tell(host, err, host->ufw ? "ufw" : "firewalld",
		    "its input rules do not see packets to published ports (%u%s): who may come is "
		    "said by --publish-from PREFIX, or \"publishFrom\" of config.json",
		    seen.port, seen.count > 1 ? " and others" : "");
}

int doctor_host(struct dataplane *dataplane, const struct doctor_ear *ear, struct error *err)
{
	struct host host = { .dataplane = dataplane, .ear = ear };
	AUTO(directory) directory = NULL;
	int r = directory_load(dataplane_store(dataplane), &directory, err);
	host.directory = directory;
	if (r == 0)
		r = network_each(dataplane_store(dataplane), examine_network, &host, err);
	return r < 0 ? r : examine_firewalls(&host, err);
}
