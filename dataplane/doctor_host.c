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
#include "masquerade.h"

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

static int examine_source(const struct host *host, const struct network_info *info,
			  struct error *err)
{
	struct error why = { 0 };
	if (masquerade_check_source(host->dataplane, &info->spec, &why) != -EADDRNOTAVAIL)
		return 0;
	return tell(host, err, "masquerade",
		    "%s: what its containers send outside is dropped (no-source) until it is",
		    why.text);
}

static int examine_network(const struct network_info *info, void *context, struct error *err)
{
	struct host *host = context;
	struct mtu_walk mtu = { host, info };
	struct route_walk routes = { host, info };
	if (host->networks++ == 0)
		snprintf(host->first_device, sizeof host->first_device, "%s", info->spec.device);
	int r = examine_device(host, info, err);
	if (r == 0)
		r = examine_source(host, info, err);
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

/* Ports that ask the host's firewall, and ports that do not: how many, and the first of each. */
struct ports_seen {
	unsigned port, target;
	size_t count;
};
struct all_ports {
	struct ports_seen asking, open;
	bool asking6; /* for IPv6 */
};

static int see_port(const struct port_row *row, void *context, struct error *err)
{
	struct all_ports *all = context;
	struct ports_seen *seen = row->respects ? &all->asking : &all->open;
	(void)err;
	all->asking6 |= row->respects && !ip_is_v4(row->container_ip);
	if (seen->count++ > 0)
		return 0;
	seen->port = row->host_port;
	seen->target = row->container_port;
	return 0;
}

static int tell_asking(const struct host *host, const struct ports_seen *seen, struct error *err)
{
	const char *device = host->first_device[0] ? host->first_device : "br-NETWORK";
	if (host->ufw)
		return tell(host, err, "ufw",
			    "its rules for incoming packets do not see those to published ports "
			    "(%u%s); its rules for routed ones do, and close what they do not "
			    "allow: ufw route allow out on %s proto tcp to any port %u",
			    seen->port, seen->count > 1 ? " and others" : "", device, seen->target);
	return tell(
		host, err, "firewalld",
		"its zones' services and ports do not open published ports (%u%s), its policies "
		"do: firewall-cmd --permanent --zone=trusted --add-interface=%s, and a policy "
		"from the uplink's zone to trusted with --add-port=%u/tcp",
		seen->port, seen->count > 1 ? " and others" : "", device, seen->target);
}

/* Where the host does not forward, its firewall cannot be asked, and nobody gets through. */
struct forwarding_walk {
	const struct host *host;
	bool v6;
};

static int examine_forwarding(const void *key, const void *value, void *context, struct error *err)
{
	const struct forwarding_walk *walk = context;
	struct device device;
	uint32_t ifindex;
	(void)value;
	memcpy(&ifindex, key, sizeof ifindex);
	int r = device_get(walk->host->dataplane->netlink, ifindex, &device, err);
	if (r <= 0)
		return r;
	r = 0;
	if (setting("ipv4", device.name, "forwarding") == 0)
		r = tell(walk->host, err, "host-firewall",
			 "%s does not forward: nobody outside reaches ports that ask the host's "
			 "firewall: wherry check --repair",
			 device.name);
	if (r == 0 && walk->v6 && setting("ipv6", "all", "forwarding") == 0 &&
	    setting("ipv6", device.name, "force_forwarding") != 1)
		r = tell(walk->host, err, "host-firewall",
			 "this host does not forward IPv6: nobody outside reaches ports of IPv6 "
			 "that "
			 "ask its firewall: sysctl -w net.ipv6.conf.%s.accept_ra=2 "
			 "net.ipv6.conf.all.forwarding=1, or publish with --host-firewall bypass",
			 device.name);
	return r;
}

static int examine_firewalls(struct host *host, struct error *err)
{
	struct all_ports all = { 0 };
	int r = nft_chain_each(examine_chain, host, err);
	if (r == 0)
		r = ports_each(dataplane_store(host->dataplane), see_port, &all, err);
	struct forwarding_walk walk = { host, all.asking6 };
	if (r == 0 && all.asking.count && !host->dataplane->maps.mirror)
		r = map_walk(&host->dataplane->maps, MAP_UPLINKS, examine_forwarding, &walk, err);
	if (r < 0 || (!host->ufw && !host->firewalld))
		return r;
	if (all.asking.count)
		r = tell_asking(host, &all.asking, err);
	if (r < 0 || !all.open.count)
		return r;
	return tell(host, err, host->ufw ? "ufw" : "firewalld",
		    "none of its rules see packets to published ports with --host-firewall bypass "
		    "(%u%s): who may come is said by --publish-from PREFIX, or \"publishFrom\" of "
		    "config.json",
		    all.open.port, all.open.count > 1 ? " and others" : "");
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
