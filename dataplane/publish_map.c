/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Published ports as the kernel's side sees them: an entry for each, put and taken in bulk. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "publish.h"

static struct ip marker(void)
{
	return ip_from_v4((struct in_addr){ PORT_SOMEWHERE });
}

/* The map's keys and values of one range; the caller frees both. */
struct range_entries {
	struct port_key *keys;
	struct publication *values;
};
static void range_entries_release(struct range_entries *entries)
{
	free(entries->keys);
	free(entries->values);
}

static uint16_t flags_of(const struct endpoint_info *info)
{
	return (uint16_t)((info->publish_from_count ? PUBLICATION_RESTRICTED : 0) |
			  (info->publish_reserves ? PUBLICATION_RESERVED : 0));
}

/* The entries of one range at one address. */
static int expand(const struct endpoint_info *info, const struct publish_spec *publish,
		  struct ip address, struct range_entries *ret, struct error *err)
{
	ret->keys = calloc(publish->count, sizeof *ret->keys);
	ret->values = calloc(publish->count, sizeof *ret->values);
	if (!ret->keys || !ret->values)
		return error_set(err, ENOMEM, "no memory for %u ports", publish->count);
	for (uint32_t i = 0; i < publish->count; i++) {
		ret->keys[i] = (struct port_key){
			.address = abi_addr_of(address),
			.port = htons((uint16_t)(publish->host_port + i)),
			.protocol = publish->protocol,
		};
		ret->values[i] = (struct publication){
			.address = abi_addr_of(info->address.ip),
			.slot = info->slot,
			.generation = info->generation,
			.ifindex = info->host_ifindex,
			.network = info->network_id,
			.port = htons((uint16_t)(publish->container_port + i)),
			.flags = flags_of(info),
		};
	}
	return 0;
}

static struct allowed_key allowed_key_of(const struct endpoint_info *info, struct prefix prefix)
{
	uint32_t length = prefix.length + (ip_is_v4(prefix.ip) ? 96u : 0u);
	return (struct allowed_key){ .prefix_length = 32 + length,
				     .generation = info->generation,
				     .address = abi_addr_of(prefix.ip) };
}

static int put_allowed(struct dataplane *dataplane, const struct endpoint_info *info,
		       struct error *err)
{
	struct allowed allowed = { .slot = info->slot, .generation = info->generation };
	int r = 0;
	if (info->publish_from_count && dataplane->maps.mirror)
		return error_set(err, EOPNOTSUPP,
				 "publish-from: the nft back end does not tell clients apart");
	for (size_t i = 0; r == 0 && i < info->publish_from_count; i++) {
		struct allowed_key key = allowed_key_of(info, info->publish_from[i]);
		r = map_put(&dataplane->maps, MAP_ALLOWED, &key, &allowed, err);
	}
	return r;
}

static int put_range(struct dataplane *dataplane, const struct endpoint_info *info,
		     const struct publish_spec *publish, struct ip address, struct error *err)
{
	struct range_entries entries __attribute__((cleanup(range_entries_release))) = { 0 };
	int r = expand(info, publish, address, &entries, err);
	return r < 0 ? r
		     : map_put_many(&dataplane->maps, MAP_PORTS, entries.keys, entries.values,
				    publish->count, err);
}

/* Whether programs that bind everywhere must meet it though it is at one address. */
static bool has_marker(const struct endpoint_info *info, const struct publish_spec *publish)
{
	return info->publish_reserves &&
	       !ip_equal(publish_address(publish), ip_from_v4((struct in_addr){ 0 }));
}

static int put_everywhere(struct dataplane *dataplane, const struct endpoint_info *info,
			  const struct publish_spec *publish, struct error *err)
{
	int r = put_range(dataplane, info, publish, publish_address(publish), err);
	if (r == 0 && has_marker(info, publish))
		r = put_range(dataplane, info, publish, marker(), err);
	return r;
}

int publish_put(struct dataplane *dataplane, const struct endpoint_info *info, struct error *err)
{
	/* Who may reach a port is known before the port leads anywhere. */
	int done = put_allowed(dataplane, info, err);
	if (done < 0)
		return done;
	for (size_t i = 0; i < info->publish_count; i++) {
		int r = put_everywhere(dataplane, info, &info->publish[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int delete_allowed(struct dataplane *dataplane, const struct endpoint_info *info,
			  struct error *err)
{
	int r = 0;
	for (size_t i = 0; r >= 0 && i < info->publish_from_count; i++) {
		struct allowed_key key = allowed_key_of(info, info->publish_from[i]);
		r = map_delete(&dataplane->maps, MAP_ALLOWED, &key, err);
	}
	return r < 0 ? r : 0;
}

/* Unless it is another endpoint's by now, which the first port tells. */
static int delete_range(struct dataplane *dataplane, const struct endpoint_info *info,
			const struct publish_spec *publish, struct ip address, struct error *err)
{
	struct range_entries entries __attribute__((cleanup(range_entries_release))) = { 0 };
	struct publication found = { 0 };
	int r = expand(info, publish, address, &entries, err);
	if (r == 0)
		r = map_get(&dataplane->maps, MAP_PORTS, &entries.keys[0], &found, err);
	if (r < 0 || (r == 1 && found.generation != info->generation))
		return r < 0 ? r : 0;
	r = map_delete_many(&dataplane->maps, MAP_PORTS, entries.keys, sizeof entries.keys[0],
			    publish->count, err);
	return r < 0 ? r : 0;
}

static int delete_ports(struct dataplane *dataplane, const struct endpoint_info *info,
			struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < info->publish_count; i++) {
		const struct publish_spec *publish = &info->publish[i];
		if (publish->host_port == 0)
			continue;
		r = delete_range(dataplane, info, publish, publish_address(publish), err);
		if (r == 0 && has_marker(info, publish))
			r = delete_range(dataplane, info, publish, marker(), err);
	}
	return r;
}

int publish_delete(struct dataplane *dataplane, const struct endpoint_info *info, struct error *err)
{
	int r = delete_ports(dataplane, info, err);
	return r < 0 ? r : delete_allowed(dataplane, info, err);
}

int publish_verify(struct dataplane *dataplane, const struct endpoint_info *info,
		   uint16_t *ret_port, struct error *err)
{
	for (size_t i = 0; i < info->publish_count; i++) {
		struct range_entries entries
			__attribute__((cleanup(range_entries_release))) = { 0 };
		int r = expand(info, &info->publish[i], publish_address(&info->publish[i]),
			       &entries, err);
		for (uint32_t k = 0; r >= 0 && k < info->publish[i].count; k++) {
			struct publication found;
			*ret_port = (uint16_t)(info->publish[i].host_port + k);
			r = map_get(&dataplane->maps, MAP_PORTS, &entries.keys[k], &found, err);
			if (r == 0 || (r == 1 && memcmp(&found, &entries.values[k], sizeof found)))
				return 0;
		}
		if (r < 0)
			return r;
	}
	return 1;
}
