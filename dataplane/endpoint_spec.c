/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "endpoint_spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bandwidth.h"
#include "base/process.h"
#include "publish.h"

static int check_text(const char *what, const char *text, size_t max, struct error *err)
{
	if (!text || !text_is_name(text, max - 1))
		return error_set(err, EINVAL, "%s \"%s\" must be 1 to %zu letters, digits, _ . -",
				 what, text ? text : "", max - 1);
	return 0;
}

int endpoint_check_key(const char *container_id, const char *interface, struct error *err)
{
	int r = check_text("container id", container_id, CONTAINER_ID_MAX, err);
	return r < 0 ? r : check_text("interface", interface, DEVICE_NAME_MAX, err);
}

static int check_addresses(const struct endpoint_spec *spec, struct error *err)
{
	bool has_v4 = !prefix_is_unset(spec->address), has_v6 = !prefix_is_unset(spec->address6);
	if (!has_v4 && !has_v6)
		return error_set(err, EINVAL, "container %s has no address", spec->container_id);
	if (has_v4 && !ip_is_v4(spec->address.ip))
		return error_set(err, EINVAL, "address %s is not IPv4",
				 prefix_format(spec->address).text);
	if (has_v6 && ip_is_v4(spec->address6.ip))
		return error_set(err, EINVAL, "address %s is not IPv6",
				 prefix_format(spec->address6).text);
	for (size_t i = 0; i < spec->publish_count; i++) {
		enum publish_family family = publish_family(&spec->publish[i]);
		if ((family == PUBLISH_IPV4 && !has_v4) || (family == PUBLISH_IPV6 && !has_v6))
			return error_set(
				err, EAFNOSUPPORT,
				"port %u is published on IPv%u, but container %s has no IPv%u "
				"address",
				spec->publish[i].host_port, family, spec->container_id, family);
	}
	if (spec->extra_count > ENDPOINT_EXTRA_MAX)
		return error_set(err, E2BIG, "container %s has over %d addresses",
				 spec->container_id, ENDPOINT_ADDRESSES_MAX);
	return 0;
}

int endpoint_check_spec(const struct endpoint_spec *spec, struct error *err)
{
	int r = endpoint_check_key(spec->container_id, spec->interface, err);
	if (r == 0)
		r = check_text("network", spec->network, NETWORK_NAME_MAX, err);
	if (r == 0)
		r = publish_check(spec->publish, spec->publish_count, err);
	if (r == 0)
		r = bandwidth_check(spec, err);
	if (r < 0)
		return r;
	if (netns_is_own(spec->netns_fd))
		return error_set(err, EINVAL,
				 "network namespace %s is the host's own, not a container's",
				 spec->netns_path);
	return check_addresses(spec, err);
}

static int copy_publish(const struct endpoint_spec *spec, struct endpoint_info *info,
			struct error *err)
{
	if (spec->publish_count == 0)
		return 0;
	info->publish = calloc(spec->publish_count, sizeof *info->publish);
	if (!info->publish)
		return error_set(err, ENOMEM, "no memory for ports");
	memcpy(info->publish, spec->publish, spec->publish_count * sizeof *info->publish);
	info->publish_count = spec->publish_count;
	/* What one address was enough for stays so if another endpoint takes it over. */
	for (size_t i = 0; i < spec->publish_count; i++) {
		uint8_t *family = &info->publish[i].family;
		*family = (uint8_t)publish_family(&spec->publish[i]);
		if (*family == PUBLISH_BOTH && prefix_is_unset(spec->address6))
			*family = PUBLISH_IPV4;
		if (*family == PUBLISH_BOTH && prefix_is_unset(spec->address))
			*family = PUBLISH_IPV6;
	}
	return 0;
}

int publish_from_parse(const char *text, struct prefix *ret_prefix, struct error *err)
{
	struct prefix prefix = { 0 };
	struct error ignored = { 0 };
	if (strchr(text, '/')) {
		int r = prefix_parse(text, &prefix, err);
		if (r < 0)
			return r;
	} else {
		if (ip_parse(text, &prefix.ip, &ignored) < 0)
			return error_set(err, EINVAL, "\"%s\" is no address or prefix", text);
		prefix.length = ip_is_v4(prefix.ip) ? 32 : 128;
	}
	*ret_prefix = prefix_network(prefix);
	return 0;
}

static int copy_publish_from(const struct endpoint_spec *spec, struct endpoint_info *info,
			     struct error *err)
{
	size_t count = spec->publish_from_count;
	if (count > PUBLISH_FROM_MAX)
		return error_set(err, E2BIG, "at most %d prefixes may reach published ports",
				 PUBLISH_FROM_MAX);
	if (count == 0 || spec->publish_count == 0)
		return 0;
	info->publish_from = calloc(count, sizeof *info->publish_from);
	if (!info->publish_from)
		return error_set(err, ENOMEM, "no memory for prefixes");
	memcpy(info->publish_from, spec->publish_from, count * sizeof *info->publish_from);
	info->publish_from_count = count;
	return 0;
}

static int copy_names(const struct endpoint_spec *spec, struct endpoint_info *info,
		      struct error *err)
{
	for (size_t i = 0; spec->names && spec->names[i]; i++) {
		int r = words_append(&info->names, spec->names[i], err);
		if (r < 0)
			return r;
	}
	if (spec->link_count == 0)
		return 0;
	info->links = calloc(spec->link_count, sizeof *info->links);
	if (!info->links)
		return error_set(err, ENOMEM, "no memory for links");
	memcpy(info->links, spec->links, spec->link_count * sizeof *info->links);
	info->link_count = spec->link_count;
	return 0;
}

static struct mac mac_for(struct ip ip)
{
	struct mac mac = { { 0x02, 0x42 } };
	memcpy(mac.bytes + 2, ip.bytes + 12, 4);
	return mac;
}

int endpoint_fill(const struct endpoint_spec *spec, struct endpoint_info *info, struct error *err)
{
	*info = (struct endpoint_info){ .state = ENDPOINT_INTENT,
					.address = spec->address,
					.gateway = spec->gateway,
					.address6 = spec->address6,
					.gateway6 = spec->gateway6,
					.extra_count = spec->extra_count,
					.mac = spec->mac,
					.mtu = spec->mtu,
					.ingress = spec->ingress,
					.egress = spec->egress };
	if (spec->extra_count > 0)
		memcpy(info->extra, spec->extra, spec->extra_count * sizeof info->extra[0]);
	snprintf(info->container_id, sizeof info->container_id, "%s", spec->container_id);
	snprintf(info->interface, sizeof info->interface, "%s", spec->interface);
	snprintf(info->network, sizeof info->network, "%s", spec->network);
	snprintf(info->netns_path, sizeof info->netns_path, "%s",
		 spec->netns_path ? spec->netns_path : "");
	snprintf(info->owner, sizeof info->owner, "%s", spec->owner ? spec->owner : "");
	snprintf(info->hostname, sizeof info->hostname, "%s", spec->hostname ? spec->hostname : "");
	if (mac_is_unset(spec->mac))
		info->mac = mac_for(prefix_is_unset(spec->address) ? spec->address6.ip
								   : spec->address.ip);
	if (spec->server_count > ENDPOINT_SERVERS_MAX)
		return error_set(err, E2BIG, "at most %d DNS servers", ENDPOINT_SERVERS_MAX);
	info->server_count = spec->server_count;
	for (size_t i = 0; i < spec->server_count; i++)
		info->servers[i] = spec->servers[i];
	info->publish_reserves = spec->publish_policy == PUBLISH_REFUSE_LISTENERS;
	int r = copy_publish(spec, info, err);
	if (r == 0)
		r = copy_publish_from(spec, info, err);
	return r < 0 ? r : copy_names(spec, info, err);
}
