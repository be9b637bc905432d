/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "publish.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* Ports for `-p 80`: below the host's own ephemeral ports. */
#define CHOICE_FIRST 20000
#define CHOICE_COUNT 10000

const char *publish_protocol_name(uint8_t protocol)
{
	if (protocol == PROTOCOL_SCTP)
		return "sctp";
	return protocol == PROTOCOL_UDP ? "udp" : "tcp";
}

int publish_protocol_parse(const char *text, uint8_t *ret_protocol)
{
	static const uint8_t protocols[] = { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP };
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (!text_equal(text, publish_protocol_name(protocols[i])))
			continue;
		*ret_protocol = protocols[i];
		return 1;
	}
	return 0;
}

int publish_check(const struct publish_spec *publish, size_t count, struct error *err)
{
	if (count > ENDPOINT_PORTS_MAX)
		return error_set(err, E2BIG, "more than %d ports are published",
				 ENDPOINT_PORTS_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct publish_spec *p = &publish[i];
		if (p->protocol != PROTOCOL_TCP && p->protocol != PROTOCOL_UDP &&
		    p->protocol != PROTOCOL_SCTP)
			return error_set(
				err, EPROTONOSUPPORT,
				"port %u: protocol %u cannot be published: use tcp, udp or sctp",
				p->host_port, p->protocol);
		if (p->count == 0 || p->container_port == 0 || p->host_port + p->count > 65536u ||
		    p->container_port + p->count > 65536u)
			return error_set(err, EINVAL, "ports %u:%u (%u of them) are not in 1-65535",
					 p->host_port, p->container_port, p->count);
		if (p->host_port == 0 && p->count != 1)
			return error_set(err, EINVAL, "a range of ports needs a host port");
		if (!ip_is_unset(p->host_ip) && !ip_is_v4(p->host_ip))
			return error_set(err, EAFNOSUPPORT, "port %u: host address %s: only IPv4",
					 p->host_port, ip_format(p->host_ip).text);
	}
	return 0;
}

/* All-zero bytes and 0.0.0.0 mean the same: every IPv4 address. */
static struct ip wildcard_or(struct ip ip)
{
	return ip_is_unset(ip) ? ip_from_v4((struct in_addr){ 0 }) : ip;
}

struct ip publish_address(const struct publish_spec *publish)
{
	return wildcard_or(publish->host_ip);
}

static struct key port_key_of(uint8_t protocol, struct ip ip, uint16_t port)
{
	struct key key = { .size = 0 };
	key_put_number(&key, protocol, 1);
	key_put(&key, ip.bytes, sizeof ip.bytes);
	key_put_number(&key, port, 2);
	return key;
}

#define PORT_KEY_HEAD 17u /* protocol and address */

static uint16_t port_of(struct bytes key)
{
	const uint8_t *data = key.data;
	return (uint16_t)(data[PORT_KEY_HEAD] << 8 | data[PORT_KEY_HEAD + 1]);
}

/* The value: how many ports, then the endpoint's key. 1 if the range holds one of wanted's. */
static int meets(struct bytes key, struct bytes value, const struct publish_spec *wanted,
		 struct key *ret_holder)
{
	uint16_t count;
	memcpy(&count, value.data, sizeof count);
	uint32_t first = port_of(key), last = first + count - 1u;
	if (last < wanted->host_port || first > wanted->host_port + wanted->count - 1u)
		return 0;
	ret_holder->size = 0;
	key_put(ret_holder, (const char *)value.data + sizeof count, value.size - sizeof count);
	return 1;
}

/* Ranges of one address never overlap, so the last that begins before wanted's end decides. */
static int find_at(struct store_txn *txn, struct ip ip, const struct publish_spec *wanted,
		   struct key *ret_holder, struct error *err)
{
	struct key end = { .size = 0 };
	struct bytes key, value;
	uint32_t after = (uint32_t)wanted->host_port + wanted->count;
	end = port_key_of(wanted->protocol, ip,
			  (uint16_t)(after > UINT16_MAX ? UINT16_MAX : after));
	if (after > UINT16_MAX)
		key_put_number(&end, 0, 1);
	int r = store_seek_before(txn, TABLE_PORTS, key_bytes(&end), &key, &value, err);
	if (r <= 0)
		return r;
	if (key.size != PORT_KEY_HEAD + 2 || memcmp(key.data, end.bytes, PORT_KEY_HEAD) != 0)
		return 0;
	return meets(key, value, wanted, ret_holder);
}

/* A wildcard meets every address: one look-up for each address that publishes anything. */
static int find_anywhere(struct store_txn *txn, const struct publish_spec *wanted,
			 struct key *ret_holder, struct error *err)
{
	struct key from = port_key_of(wanted->protocol, (struct ip){ 0 }, 0);
	struct bytes key, value;
	int r;
	while ((r = store_seek(txn, TABLE_PORTS, key_bytes(&from), &key, &value, err)) == 1) {
		struct ip ip;
		const uint8_t *data = key.data;
		if (key.size != PORT_KEY_HEAD + 2 || data[0] != wanted->protocol)
			return 0;
		memcpy(ip.bytes, data + 1, sizeof ip.bytes);
		r = find_at(txn, ip, wanted, ret_holder, err);
		if (r != 0)
			return r;
		from = port_key_of(wanted->protocol, ip, UINT16_MAX);
		key_put_number(&from, 0, 1);
	}
	return r;
}

static int find_conflict(struct store_txn *txn, const struct publish_spec *wanted,
			 struct key *ret_holder, struct error *err)
{
	struct ip any = wildcard_or((struct ip){ 0 });
	if (ip_is_unset(wanted->host_ip))
		return find_anywhere(txn, wanted, ret_holder, err);
	int r = find_at(txn, wanted->host_ip, wanted, ret_holder, err);
	return r != 0 ? r : find_at(txn, any, wanted, ret_holder, err);
}

static int choose_port(struct store_txn *txn, const struct endpoint_info *info,
		       struct publish_spec *publish, enum publish_policy policy, struct error *err)
{
	struct key holder;
	uint32_t start = hash_text(info->container_id) + publish->container_port;
	for (uint32_t i = 0; i < CHOICE_COUNT; i++) {
		publish->host_port = (uint16_t)(CHOICE_FIRST + (start + i) % CHOICE_COUNT);
		int r = find_conflict(txn, publish, &holder, err);
		if (r < 0)
			return r;
		if (r == 0 &&
		    (policy == PUBLISH_IGNORE_LISTENERS ||
		     listener_is_absent(publish->host_ip, publish->host_port, publish->protocol)))
			return 0;
	}
	return error_set(err, EADDRINUSE, "no port of %d-%d is free to publish port %u",
			 CHOICE_FIRST, CHOICE_FIRST + CHOICE_COUNT - 1, publish->container_port);
}

static int reserve_one(struct store_txn *txn, const struct endpoint_info *info,
		       const struct publish_spec *publish, struct error *err)
{
	struct key key =
		port_key_of(publish->protocol, publish_address(publish), publish->host_port);
	struct key owner = endpoint_key_of(info->container_id, info->interface);
	struct key value = { .size = 0 };
	key_put(&value, &publish->count, sizeof publish->count);
	key_put(&value, owner.bytes, owner.size);
	return store_put(txn, TABLE_PORTS, key_bytes(&key), key_bytes(&value), err);
}

int publish_reserve(struct store_txn *txn, struct endpoint_info *info, enum publish_policy policy,
		    struct publish_conflict *ret_conflict, struct error *err)
{
	for (size_t i = 0; i < info->publish_count; i++) {
		struct publish_spec *publish = &info->publish[i];
		int r;
		if (publish->host_port == 0)
			r = choose_port(txn, info, publish, policy, err);
		else
			r = find_conflict(txn, publish, &ret_conflict->holder, err);
		ret_conflict->wanted = *publish;
		if (r == 0)
			r = reserve_one(txn, info, publish, err);
		if (r != 0)
			return r;
	}
	return 0;
}

int publish_hold(struct store_txn *txn, const struct endpoint_info *info, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < info->publish_count; i++)
		r = reserve_one(txn, info, &info->publish[i], err);
	return r;
}

int publish_unreserve(struct store_txn *txn, const struct endpoint_info *info, struct error *err)
{
	struct key owner = endpoint_key_of(info->container_id, info->interface);
	for (size_t i = 0; i < info->publish_count; i++) {
		const struct publish_spec *publish = &info->publish[i];
		struct key key = port_key_of(publish->protocol, publish_address(publish),
					     publish->host_port);
		struct bytes value;
		int r = store_get(txn, TABLE_PORTS, key_bytes(&key), &value, err);
		if (r == 1 && value.size == owner.size + 2 &&
		    memcmp((const char *)value.data + 2, owner.bytes, owner.size) == 0)
			r = store_delete(txn, TABLE_PORTS, key_bytes(&key), err);
		if (r < 0)
			return r;
	}
	return 0;
}

void publish_served(const struct endpoint_info *info, struct served_ports served[SERVED_MAX])
{
	size_t used = 0;
	for (size_t i = 0; i < info->publish_count && used < SERVED_MAX; i++)
		if (info->publish[i].protocol == PROTOCOL_TCP)
			served[used++] = (struct served_ports){
				.first = info->publish[i].container_port,
				.more = (uint16_t)(info->publish[i].count - 1),
			};
}
