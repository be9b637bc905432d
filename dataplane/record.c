/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record.h"

#include <errno.h>
#include <string.h>

#define NETWORK_VERSION 2
#define ENDPOINT_VERSION 3
#define ENDPOINT_VERSION_OLDEST 2 /* knew ports of IPv4 only */

static void put_bytes(struct text *text, const void *data, size_t size)
{
	text_append_bytes(text, data, size);
}

static void put_number(struct text *text, uint64_t number, size_t size)
{
	uint8_t bytes[8];
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(number >> (8 * i));
	put_bytes(text, bytes, size);
}

static void put_string(struct text *text, const char *string)
{
	put_number(text, strlen(string), 2);
	put_bytes(text, string, strlen(string));
}

static void put_prefix(struct text *text, struct prefix prefix)
{
	put_bytes(text, prefix.ip.bytes, sizeof prefix.ip.bytes);
	put_number(text, prefix.length, 1);
}

struct reader {
	const uint8_t *data;
	size_t size;
	bool failed; /* ran over the end, or a text does not fit: all later reads give nothing */
};

static void get_bytes(struct reader *reader, void *to, size_t size)
{
	if (reader->failed || reader->size < size) {
		reader->failed = true;
		memset(to, 0, size);
		return;
	}
	memcpy(to, reader->data, size);
	reader->data += size;
	reader->size -= size;
}

static uint64_t get_number(struct reader *reader, size_t size)
{
	uint8_t bytes[8] = { 0 };
	uint64_t number = 0;
	get_bytes(reader, bytes, size);
	for (size_t i = 0; i < size; i++)
		number |= (uint64_t)bytes[i] << (8 * i);
	return number;
}

static void get_string(struct reader *reader, char *to, size_t size)
{
	size_t length = get_number(reader, 2);
	to[0] = '\0';
	if (length >= size) {
		reader->failed = true;
		return;
	}
	get_bytes(reader, to, length);
	to[length] = '\0';
}

static struct prefix get_prefix(struct reader *reader)
{
	struct prefix prefix = { 0 };
	get_bytes(reader, prefix.ip.bytes, sizeof prefix.ip.bytes);
	prefix.length = (uint8_t)get_number(reader, 1);
	return prefix;
}

enum {
	FLAG_MASQUERADE = 1,
	FLAG_INTERNAL = 2,
	FLAG_ROUTED = 4,
	FLAG_NO_ICC = 8,
	FLAG_DNS = 16,
	FLAG_MULTICAST = 32,
	FLAG_BIG_TCP_ON = 64,
	FLAG_BIG_TCP_OFF = 128
};

static uint8_t spec_flags(const struct network_spec *spec)
{
	return (uint8_t)((spec->masquerade ? FLAG_MASQUERADE : 0) |
			 (spec->internal ? FLAG_INTERNAL : 0) | (spec->routed ? FLAG_ROUTED : 0) |
			 (spec->no_icc ? FLAG_NO_ICC : 0) | (spec->dns ? FLAG_DNS : 0) |
			 (spec->multicast ? FLAG_MULTICAST : 0) |
			 (spec->big_tcp == BIG_TCP_ON ? FLAG_BIG_TCP_ON : 0) |
			 (spec->big_tcp == BIG_TCP_OFF ? FLAG_BIG_TCP_OFF : 0));
}

static int check_whole(const struct text *text, struct error *err)
{
	return text->failed ? error_set(err, ENOMEM, "no memory for a record") : 0;
}

enum { OPTION_INDEPENDENT = 1, OPTION_OPEN = 2 };

static void put_options(struct text *text, const struct masquerade_options *options)
{
	put_number(text,
		   (options->endpoint_independent ? OPTION_INDEPENDENT : 0u) |
			   (options->open ? OPTION_OPEN : 0u),
		   1);
	put_bytes(text, options->source.bytes, sizeof options->source.bytes);
	put_bytes(text, options->source6.bytes, sizeof options->source6.bytes);
	put_number(text, options->except_count, 1);
	for (size_t i = 0; i < options->except_count; i++)
		put_prefix(text, options->except[i]);
}

/* Behind all else, so that versions without them read the record, and this one theirs. */
static void get_options(struct reader *reader, struct masquerade_options *options)
{
	if (reader->size == 0)
		return;
	uint64_t flags = get_number(reader, 1);
	options->endpoint_independent = flags & OPTION_INDEPENDENT;
	options->open = flags & OPTION_OPEN;
	get_bytes(reader, options->source.bytes, sizeof options->source.bytes);
	get_bytes(reader, options->source6.bytes, sizeof options->source6.bytes);
	options->except_count = get_number(reader, 1);
	if (options->except_count > MASQUERADE_EXCEPTS_MAX) {
		reader->failed = true;
		return;
	}
	for (size_t i = 0; i < options->except_count; i++)
		options->except[i] = get_prefix(reader);
}

int network_encode(const struct network_info *info, struct text *ret_text, struct error *err)
{
	const struct network_spec *spec = &info->spec;
	put_number(ret_text, NETWORK_VERSION, 1);
	put_string(ret_text, spec->name);
	put_string(ret_text, spec->device);
	put_prefix(ret_text, spec->subnet);
	put_bytes(ret_text, spec->gateway.bytes, sizeof spec->gateway.bytes);
	put_prefix(ret_text, spec->subnet6);
	put_bytes(ret_text, spec->gateway6.bytes, sizeof spec->gateway6.bytes);
	put_number(ret_text, spec->mtu, 4);
	put_number(ret_text, spec_flags(spec), 1);
	put_number(ret_text, info->id, 2);
	put_number(ret_text, info->device_ifindex, 4);
	put_bytes(ret_text, info->device_mac.bytes, MAC_SIZE);
	put_options(ret_text, &spec->masquerade_options);
	return check_whole(ret_text, err);
}

int network_decode(struct bytes bytes, struct network_info *ret_info, struct error *err)
{
	struct reader reader = { bytes.data, bytes.size, false };
	struct network_info info = { 0 };
	struct network_spec *spec = &info.spec;

	uint64_t version = get_number(&reader, 1);
	if (version != NETWORK_VERSION)
		return error_set(err, EBADMSG, "a network's record has version %llu, not %d",
				 (unsigned long long)version, NETWORK_VERSION);
	get_string(&reader, spec->name, sizeof spec->name);
	get_string(&reader, spec->device, sizeof spec->device);
	spec->subnet = get_prefix(&reader);
	get_bytes(&reader, spec->gateway.bytes, sizeof spec->gateway.bytes);
	spec->subnet6 = get_prefix(&reader);
	get_bytes(&reader, spec->gateway6.bytes, sizeof spec->gateway6.bytes);
	spec->mtu = (uint32_t)get_number(&reader, 4);
	uint64_t flags = get_number(&reader, 1);
	spec->masquerade = flags & FLAG_MASQUERADE;
	spec->internal = flags & FLAG_INTERNAL;
	spec->routed = flags & FLAG_ROUTED;
	spec->no_icc = flags & FLAG_NO_ICC;
	spec->dns = flags & FLAG_DNS;
	spec->multicast = flags & FLAG_MULTICAST;
	spec->big_tcp = flags & FLAG_BIG_TCP_ON    ? BIG_TCP_ON
			: flags & FLAG_BIG_TCP_OFF ? BIG_TCP_OFF
						   : BIG_TCP_AUTO;
	info.id = (uint16_t)get_number(&reader, 2);
	info.device_ifindex = (uint32_t)get_number(&reader, 4);
	get_bytes(&reader, info.device_mac.bytes, MAC_SIZE);
	get_options(&reader, &spec->masquerade_options);
	if (reader.failed)
		return error_set(err, EBADMSG, "a network's record is cut short");
	*ret_info = info;
	return 0;
}

static void put_publish(struct text *text, const struct publish_spec *publish)
{
	put_bytes(text, publish->host_ip.bytes, sizeof publish->host_ip.bytes);
	put_number(text, publish->host_port, 2);
	put_number(text, publish->container_port, 2);
	put_number(text, publish->count, 2);
	put_number(text, publish->protocol, 1);
	put_number(text, publish->family, 1);
}

/* One byte, which was of one flag alone once. */
enum { RECORD_RESERVES = 1, RECORD_RESPECTS = 2 };

static uint64_t publish_flags_of(const struct endpoint_info *info)
{
	return (info->publish_reserves ? RECORD_RESERVES : 0u) |
	       (info->publish_respects ? RECORD_RESPECTS : 0u);
}

static void put_lists(struct text *text, const struct endpoint_info *info)
{
	put_number(text, info->publish_count, 4);
	for (size_t i = 0; i < info->publish_count; i++)
		put_publish(text, &info->publish[i]);
	put_number(text, publish_flags_of(info), 1);
	put_number(text, info->publish_from_count, 2);
	for (size_t i = 0; i < info->publish_from_count; i++)
		put_prefix(text, info->publish_from[i]);
	put_number(text, info->names.count, 2);
	for (size_t i = 0; i < info->names.count; i++)
		put_string(text, info->names.items[i]);
	put_number(text, info->link_count, 2);
	for (size_t i = 0; i < info->link_count; i++) {
		put_string(text, info->links[i].name);
		put_string(text, info->links[i].target);
	}
	put_number(text, info->server_count, 2);
	for (size_t i = 0; i < info->server_count; i++)
		put_bytes(text, info->servers[i].bytes, sizeof info->servers[i].bytes);
}

static void put_limits(struct text *text, const struct endpoint_info *info)
{
	const struct rate_limit *limits[] = { &info->ingress, &info->egress };
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		put_number(text, limits[i]->rate_bit_s, 8);
		put_number(text, limits[i]->burst_bits, 8);
	}
}

int endpoint_encode(const struct endpoint_info *info, struct text *ret_text, struct error *err)
{
	put_number(ret_text, ENDPOINT_VERSION, 1);
	put_string(ret_text, info->container_id);
	put_string(ret_text, info->interface);
	put_string(ret_text, info->network);
	put_string(ret_text, info->netns_path);
	put_string(ret_text, info->owner);
	put_string(ret_text, info->hostname);
	put_string(ret_text, info->host_device);
	put_number(ret_text, info->state, 1);
	put_prefix(ret_text, info->address);
	put_bytes(ret_text, info->gateway.bytes, sizeof info->gateway.bytes);
	put_prefix(ret_text, info->address6);
	put_bytes(ret_text, info->gateway6.bytes, sizeof info->gateway6.bytes);
	put_number(ret_text, info->extra_count, 1);
	for (size_t i = 0; i < info->extra_count; i++)
		put_prefix(ret_text, info->extra[i]);
	put_bytes(ret_text, info->mac.bytes, MAC_SIZE);
	put_bytes(ret_text, info->host_mac.bytes, MAC_SIZE);
	put_number(ret_text, info->host_ifindex, 4);
	put_number(ret_text, info->mtu, 4);
	put_number(ret_text, info->slot, 4);
	put_number(ret_text, info->generation, 4);
	put_number(ret_text, info->network_id, 2);
	put_number(ret_text, info->netns_cookie, 8);
	put_lists(ret_text, info);
	put_limits(ret_text, info);
	return check_whole(ret_text, err);
}

static struct publish_spec get_publish(struct reader *reader, uint64_t version)
{
	struct publish_spec publish = { 0 };
	get_bytes(reader, publish.host_ip.bytes, sizeof publish.host_ip.bytes);
	publish.host_port = (uint16_t)get_number(reader, 2);
	publish.container_port = (uint16_t)get_number(reader, 2);
	publish.count = (uint16_t)get_number(reader, 2);
	publish.protocol = (uint8_t)get_number(reader, 1);
	publish.family =
		version > ENDPOINT_VERSION_OLDEST ? (uint8_t)get_number(reader, 1) : PUBLISH_IPV4;
	return publish;
}

static int get_publications(struct reader *reader, uint64_t version, struct endpoint_info *info,
			    struct error *err)
{
	size_t count = get_number(reader, 4);
	if (count > reader->size)
		reader->failed = true;
	if (reader->failed || count == 0)
		return 0;
	info->publish = calloc(count, sizeof *info->publish);
	if (!info->publish)
		return error_set(err, ENOMEM, "no memory for a record");
	info->publish_count = count;
	for (size_t i = 0; i < count; i++)
		info->publish[i] = get_publish(reader, version);
	return 0;
}

static int get_publish_from(struct reader *reader, struct endpoint_info *info, struct error *err)
{
	uint64_t flags = get_number(reader, 1);
	info->publish_reserves = flags & RECORD_RESERVES;
	info->publish_respects = flags & RECORD_RESPECTS;
	size_t count = get_number(reader, 2);
	if (count > PUBLISH_FROM_MAX)
		reader->failed = true;
	if (reader->failed || count == 0)
		return 0;
	info->publish_from = calloc(count, sizeof *info->publish_from);
	if (!info->publish_from)
		return error_set(err, ENOMEM, "no memory for a record");
	info->publish_from_count = count;
	for (size_t i = 0; i < count; i++)
		info->publish_from[i] = get_prefix(reader);
	return 0;
}

static int get_names(struct reader *reader, struct endpoint_info *info, struct error *err)
{
	size_t count = get_number(reader, 2);
	for (size_t i = 0; i < count && !reader->failed; i++) {
		char name[CONTAINER_ID_MAX];
		get_string(reader, name, sizeof name);
		int r = words_append(&info->names, name, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int get_links(struct reader *reader, struct endpoint_info *info, struct error *err)
{
	size_t count = get_number(reader, 2);
	if (count > reader->size)
		reader->failed = true;
	if (reader->failed || count == 0)
		return 0;
	info->links = calloc(count, sizeof *info->links);
	if (!info->links)
		return error_set(err, ENOMEM, "no memory for a record");
	info->link_count = count;
	for (size_t i = 0; i < count; i++) {
		get_string(reader, info->links[i].name, sizeof info->links[i].name);
		get_string(reader, info->links[i].target, sizeof info->links[i].target);
	}
	return 0;
}

static void get_servers(struct reader *reader, struct endpoint_info *info)
{
	size_t count = get_number(reader, 2);
	if (count > ENDPOINT_SERVERS_MAX)
		reader->failed = true;
	for (size_t i = 0; !reader->failed && i < count; i++)
		get_bytes(reader, info->servers[i].bytes, sizeof info->servers[i].bytes);
	info->server_count = reader->failed ? 0 : count;
}

static void get_limits(struct reader *reader, struct endpoint_info *info)
{
	struct rate_limit *limits[] = { &info->ingress, &info->egress };
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		limits[i]->rate_bit_s = get_number(reader, 8);
		limits[i]->burst_bits = get_number(reader, 8);
	}
}

static void get_extra(struct reader *reader, struct endpoint_info *info)
{
	info->extra_count = get_number(reader, 1);
	if (info->extra_count > ENDPOINT_EXTRA_MAX) {
		reader->failed = true;
		info->extra_count = 0;
	}
	for (size_t i = 0; i < info->extra_count; i++)
		info->extra[i] = get_prefix(reader);
}

static void get_fields(struct reader *reader, struct endpoint_info *info)
{
	get_string(reader, info->container_id, sizeof info->container_id);
	get_string(reader, info->interface, sizeof info->interface);
	get_string(reader, info->network, sizeof info->network);
	get_string(reader, info->netns_path, sizeof info->netns_path);
	get_string(reader, info->owner, sizeof info->owner);
	get_string(reader, info->hostname, sizeof info->hostname);
	get_string(reader, info->host_device, sizeof info->host_device);
	info->state = (enum endpoint_state)get_number(reader, 1);
	info->address = get_prefix(reader);
	get_bytes(reader, info->gateway.bytes, sizeof info->gateway.bytes);
	info->address6 = get_prefix(reader);
	get_bytes(reader, info->gateway6.bytes, sizeof info->gateway6.bytes);
	get_extra(reader, info);
	get_bytes(reader, info->mac.bytes, MAC_SIZE);
	get_bytes(reader, info->host_mac.bytes, MAC_SIZE);
	info->host_ifindex = (uint32_t)get_number(reader, 4);
	info->mtu = (uint32_t)get_number(reader, 4);
	info->slot = (uint32_t)get_number(reader, 4);
	info->generation = (uint32_t)get_number(reader, 4);
	info->network_id = (uint16_t)get_number(reader, 2);
	info->netns_cookie = get_number(reader, 8);
}

int endpoint_decode(struct bytes bytes, struct endpoint_info *ret_info, struct error *err)
{
	struct reader reader = { bytes.data, bytes.size, false };
	struct endpoint_info info = { 0 };

	uint64_t version = get_number(&reader, 1);
	if (version > ENDPOINT_VERSION || version < ENDPOINT_VERSION_OLDEST)
		return error_set(err, EBADMSG, "an endpoint's record has version %llu, not %d",
				 (unsigned long long)version, ENDPOINT_VERSION);
	get_fields(&reader, &info);
	int r = get_publications(&reader, version, &info, err);
	if (r == 0)
		r = get_publish_from(&reader, &info, err);
	if (r == 0)
		r = get_names(&reader, &info, err);
	if (r == 0)
		r = get_links(&reader, &info, err);
	if (r == 0)
		get_servers(&reader, &info);
	if (r == 0)
		get_limits(&reader, &info);
	if (r == 0 && reader.failed)
		r = error_set(err, EBADMSG, "an endpoint's record is cut short");
	if (r < 0) {
		endpoint_info_release(&info);
		return r;
	}
	*ret_info = info;
	return 0;
}

void endpoint_info_release(struct endpoint_info *info)
{
	free(info->publish);
	free(info->publish_from);
	free(info->links);
	words_free(&info->names);
	*info = (struct endpoint_info){ 0 };
}

size_t endpoint_addresses(const struct endpoint_info *info,
			  struct prefix ret_addresses[ENDPOINT_ADDRESSES_MAX])
{
	size_t count = 0;
	if (!prefix_is_unset(info->address))
		ret_addresses[count++] = info->address;
	if (!prefix_is_unset(info->address6))
		ret_addresses[count++] = info->address6;
	for (size_t i = 0; i < info->extra_count; i++)
		ret_addresses[count++] = info->extra[i];
	return count;
}
