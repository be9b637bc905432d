/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Published ports as the kernel's side sees them: an entry for each, put and taken in bulk. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "publish.h"

/* Of both families the highest address, which is nobody's. */
static struct ip marker(enum publish_family family)
{
	struct ip marker;
	if (family == PUBLISH_IPV4)
		return ip_from_v4((struct in_addr){ PORT_SOMEWHERE });
	memset(marker.bytes, 0xff, sizeof marker.bytes);
	return marker;
}

static uint16_t flags_of(const struct endpoint_info *info)
{
	return (uint16_t)((info->publish_from_count ? PUBLICATION_RESTRICTED : 0) |
			  (info->publish_reserves ? PUBLICATION_RESERVED : 0) |
			  (info->publish_respects ? PUBLICATION_RESPECT : 0));
}

/* One range at one address of the host, and what it leads to. */
struct range {
	const struct publish_spec *publish;
	struct ip address, target;
};
#define RANGES_MAX 4 /* of one publication: for each family, at its address and at the marker */

/* Whether programs that bind everywhere must meet it though it is at one address. */
static bool has_marker(const struct endpoint_info *info, const struct publish_spec *publish)
{
	return info->publish_reserves && !ip_is_unset(publish->host_ip);
}

/* Those at real addresses first; returns how many. */
static size_t ranges_of(const struct endpoint_info *info, const struct publish_spec *publish,
			struct range ranges[RANGES_MAX])
{
	size_t count = 0, rounds = has_marker(info, publish) ? 2 : 1;
	for (size_t marked = 0; marked < rounds; marked++)
		for (size_t i = 0; i < ARRAY_SIZE(publish_families); i++) {
			enum publish_family family = publish_families[i];
			if (publish_has(info, publish, family))
				ranges[count++] = (struct range){
					.publish = publish,
					.address = marked ? marker(family)
							  : publish_address(publish, family),
					.target = publish_target(info, family),
				};
		}
	return count;
}

/* The map's key and value for port number `index` of the range. */
static void entry_of(const struct endpoint_info *info, const struct range *range, uint32_t index,
		     struct port_key *ret_key, struct publication *ret_value)
{
	const struct publish_spec *publish = range->publish;
	*ret_key = (struct port_key){
		.address = abi_addr_of(range->address),
		.port = htons((uint16_t)(publish->host_port + index)),
		.protocol = publish->protocol,
	};
	*ret_value = (struct publication){
		.address = abi_addr_of(range->target),
		.slot = info->slot,
		.generation = info->generation,
		.ifindex = info->host_ifindex,
		.network = info->network_id,
		.port = htons((uint16_t)(publish->container_port + index)),
		.flags = flags_of(info),
	};
}

/* Entries on their way: a call for each would make 1,000 publications cost 1,000 calls. */
#define BATCH_MAX 8192
struct batch {
	struct dataplane *dataplane;
	const struct endpoint_info *info;
	bool deletes;
	uint32_t count;
	struct port_key *keys;
	struct publication *values;
};
static void batch_release(struct batch *batch)
{
	free(batch->keys);
	free(batch->values);
}

static int batch_begin(struct batch *batch, struct error *err)
{
	batch->keys = calloc(BATCH_MAX, sizeof *batch->keys);
	batch->values = calloc(BATCH_MAX, sizeof *batch->values);
	if (!batch->keys || !batch->values)
		return error_set(err, ENOMEM, "no memory for ports");
	return 0;
}

static int batch_flush(struct batch *batch, struct error *err)
{
	uint32_t count = batch->count;
	struct maps *maps = &batch->dataplane->maps;
	batch->count = 0;
	if (count == 0)
		return 0;
	if (batch->deletes)
		return map_delete_many(maps, MAP_PORTS, batch->keys, sizeof *batch->keys, count,
				       err);
	return map_put_many(maps, MAP_PORTS, batch->keys, batch->values, count, err);
}

static int batch_add(struct batch *batch, const struct range *range, struct error *err)
{
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < range->publish->count; i++) {
		entry_of(batch->info, range, i, &batch->keys[batch->count],
			 &batch->values[batch->count]);
		if (++batch->count == BATCH_MAX)
			r = batch_flush(batch, err);
	}
	return r < 0 ? r : 0;
}

static struct allowed_key allowed_key_of(const struct endpoint_info *info, struct prefix prefix)
{
	uint32_t length = prefix.length + (ip_is_v4(prefix.ip) ? 96u : 0u);
	return (struct allowed_key){ .prefix_length = 32 + length,
				     .generation = info->generation,
				     .address = abi_addr_of(prefix.ip) };
}

static int check_backend(const struct dataplane *dataplane, const struct endpoint_info *info,
			 struct error *err)
{
	if (!dataplane->maps.mirror)
		return 0;
	if (info->publish_from_count)
		return error_set(err, EOPNOTSUPP,
				 "publish-from: the nft back end does not tell clients apart");
	for (size_t i = 0; i < info->publish_count; i++)
		if (publish_family(&info->publish[i]) == PUBLISH_IPV6 &&
		    ip_is_loopback(info->publish[i].host_ip))
			return error_set(err, EOPNOTSUPP,
					 "port %u: the nft back end cannot publish at ::1",
					 info->publish[i].host_port);
	return 0;
}

static int put_allowed(struct dataplane *dataplane, const struct endpoint_info *info,
		       struct error *err)
{
	struct allowed allowed = { .slot = info->slot, .generation = info->generation };
	int r = check_backend(dataplane, info, err);
	for (size_t i = 0; r == 0 && i < info->publish_from_count; i++) {
		struct allowed_key key = allowed_key_of(info, info->publish_from[i]);
		r = map_put(&dataplane->maps, MAP_ALLOWED, &key, &allowed, err);
	}
	return r;
}

int publish_put(struct dataplane *dataplane, const struct endpoint_info *info, struct error *err)
{
	struct batch batch
		__attribute__((cleanup(batch_release))) = { .dataplane = dataplane, .info = info };
	/* Who may reach a port is known before the port leads anywhere. */
	int r = put_allowed(dataplane, info, err);
	if (r < 0 || info->publish_count == 0)
		return r;
	r = batch_begin(&batch, err);
	for (size_t i = 0; r == 0 && i < info->publish_count; i++) {
		struct range ranges[RANGES_MAX];
		size_t count = ranges_of(info, &info->publish[i], ranges);
		for (size_t k = 0; r == 0 && k < count; k++)
			r = batch_add(&batch, &ranges[k], err);
	}
	return r < 0 ? r : batch_flush(&batch, err);
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
static int delete_range(struct batch *batch, const struct range *range, struct error *err)
{
	struct port_key key;
	struct publication ours, found = { 0 };
	entry_of(batch->info, range, 0, &key, &ours);
	int r = map_get(&batch->dataplane->maps, MAP_PORTS, &key, &found, err);
	if (r < 0 || (r == 1 && found.generation != batch->info->generation))
		return r < 0 ? r : 0;
	return batch_add(batch, range, err);
}

static int delete_ports(struct dataplane *dataplane, const struct endpoint_info *info,
			struct error *err)
{
	struct batch batch __attribute__((cleanup(batch_release))) = { .dataplane = dataplane,
								       .info = info,
								       .deletes = true };
	if (info->publish_count == 0)
		return 0;
	int r = batch_begin(&batch, err);
	for (size_t i = 0; r == 0 && i < info->publish_count; i++) {
		struct range ranges[RANGES_MAX];
		size_t count = ranges_of(info, &info->publish[i], ranges);
		if (info->publish[i].host_port == 0)
			continue;
		for (size_t k = 0; r == 0 && k < count; k++)
			r = delete_range(&batch, &ranges[k], err);
	}
	if (r == 0)
		r = batch_flush(&batch, err);
	return r < 0 ? r : 0;
}

int publish_delete(struct dataplane *dataplane, const struct endpoint_info *info, struct error *err)
{
	int r = delete_ports(dataplane, info, err);
	return r < 0 ? r : delete_allowed(dataplane, info, err);
}

/* 1 if all of it leads to info. */
static int verify_range(struct dataplane *dataplane, const struct endpoint_info *info,
			const struct range *range, uint16_t *ret_port, struct error *err)
{
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < range->publish->count; i++) {
		struct port_key key;
		struct publication wanted, found;
		entry_of(info, range, i, &key, &wanted);
		*ret_port = (uint16_t)(range->publish->host_port + i);
		r = map_get(&dataplane->maps, MAP_PORTS, &key, &found, err);
		if (r == 0 || (r == 1 && memcmp(&found, &wanted, sizeof found)))
			return 0;
	}
	return r < 0 ? r : 1;
}

int publish_verify(struct dataplane *dataplane, const struct endpoint_info *info,
		   uint16_t *ret_port, struct error *err)
{
	int r = 1;
	for (size_t i = 0; r == 1 && i < info->publish_count; i++) {
		struct range ranges[RANGES_MAX];
		size_t count = ranges_of(info, &info->publish[i], ranges);
		for (size_t k = 0; r == 1 && k < count; k++)
			r = verify_range(dataplane, info, &ranges[k], ret_port, err);
	}
	return r;
}
