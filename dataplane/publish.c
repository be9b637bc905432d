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
		if (p->family != PUBLISH_BOTH && p->family != PUBLISH_IPV4 &&
		    p->family != PUBLISH_IPV6)
			return error_set(err, EINVAL, "port %u: there is no IPv%u", p->host_port,
					 p->family);
		if (p->family != PUBLISH_BOTH && p->family != publish_family(p))
			return error_set(err, EINVAL, "port %u: host address %s is not IPv%u",
					 p->host_port, ip_format(p->host_ip).text, p->family);
	}
	return 0;
}

const enum publish_family publish_families[2] = { PUBLISH_IPV4, PUBLISH_IPV6 };

enum publish_family publish_family(const struct publish_spec *publish)
{
	if (ip_is_v4(publish->host_ip))
		return PUBLISH_IPV4;
	return ip_is_unset(publish->host_ip) ? (enum publish_family)publish->family : PUBLISH_IPV6;
}

struct ip publish_target(const struct endpoint_info *info, enum publish_family family)
{
	return family == PUBLISH_IPV4 ? info->address.ip : info->address6.ip;
}

bool publish_has(const struct endpoint_info *info, const struct publish_spec *publish,
		 enum publish_family family)
{
	enum publish_family wanted = publish_family(publish);
	return (wanted == PUBLISH_BOTH || wanted == family) &&
	       !ip_is_unset(publish_target(info, family));
}

static struct ip wildcard(enum publish_family family)
{
	return family == PUBLISH_IPV4 ? ip_from_v4((struct in_addr){ 0 }) : (struct ip){ 0 };
}

struct ip publish_address(const struct publish_spec *publish, enum publish_family family)
{
	return ip_is_unset(publish->host_ip) ? wildcard(family) : publish->host_ip;
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

static struct ip last_of_v4(void)
{
	return ip_from_v4((struct in_addr){ INADDR_BROADCAST });
}

/*
 * A wildcard meets every address of its family: one look-up for each address
 * that publishes anything. IPv4 stands in the midst of IPv6, which leaps over it.
 */
static int find_anywhere(struct store_txn *txn, const struct publish_spec *wanted, bool v4,
			 struct key *ret_holder, struct error *err)
{
	struct key from =
		port_key_of(wanted->protocol, wildcard(v4 ? PUBLISH_IPV4 : PUBLISH_IPV6), 0);
	struct bytes key, value;
	int r;
	while ((r = store_seek(txn, TABLE_PORTS, key_bytes(&from), &key, &value, err)) == 1) {
		struct ip ip;
		const uint8_t *data = key.data;
		if (key.size != PORT_KEY_HEAD + 2 || data[0] != wanted->protocol)
			return 0;
		memcpy(ip.bytes, data + 1, sizeof ip.bytes);
		bool other = ip_is_v4(ip) != v4;
		if (other && v4)
			return 0;
		r = other ? 0 : find_at(txn, ip, wanted, ret_holder, err);
		if (r != 0)
			return r;
		from = port_key_of(wanted->protocol, other ? last_of_v4() : ip, UINT16_MAX);
		key_put_number(&from, 0, 1);
	}
	return r;
}

static int find_in_family(struct store_txn *txn, const struct publish_spec *wanted,
			  enum publish_family family, struct key *ret_holder, struct error *err)
{
	if (ip_is_unset(wanted->host_ip))
		return find_anywhere(txn, wanted, family == PUBLISH_IPV4, ret_holder, err);
	int r = find_at(txn, wanted->host_ip, wanted, ret_holder, err);
	return r != 0 ? r : find_at(txn, wildcard(family), wanted, ret_holder, err);
}

static int find_conflict(struct store_txn *txn, const struct endpoint_info *info,
			 const struct publish_spec *wanted, struct key *ret_holder,
			 struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(publish_families); i++)
		if (publish_has(info, wanted, publish_families[i]))
			r = find_in_family(txn, wanted, publish_families[i], ret_holder, err);
	return r;
}

static bool nobody_listens(const struct endpoint_info *info, const struct publish_spec *publish)
{
	bool absent = true;
	for (size_t i = 0; absent && i < ARRAY_SIZE(publish_families); i++)
		if (publish_has(info, publish, publish_families[i]))
			absent = listener_is_absent(publish_address(publish, publish_families[i]),
						    publish->host_port, publish->protocol);
	return absent;
}

static int choose_port(struct store_txn *txn, const struct endpoint_info *info,
		       struct publish_spec *publish, enum publish_policy policy, struct error *err)
{
	struct key holder;
	uint32_t start = hash_text(info->container_id) + publish->container_port;
	for (uint32_t i = 0; i < CHOICE_COUNT; i++) {
		publish->host_port = (uint16_t)(CHOICE_FIRST + (start + i) % CHOICE_COUNT);
		int r = find_conflict(txn, info, publish, &holder, err);
		if (r < 0)
			return r;
		if (r == 0 && (policy == PUBLISH_IGNORE_LISTENERS || nobody_listens(info, publish)))
			return 0;
	}
	return error_set(err, EADDRINUSE, "no port of %d-%d is free to publish port %u",
			 CHOICE_FIRST, CHOICE_FIRST + CHOICE_COUNT - 1, publish->container_port);
}

static struct key key_of(const struct publish_spec *publish, enum publish_family family)
{
	return port_key_of(publish->protocol, publish_address(publish, family), publish->host_port);
}

static int reserve_one(struct store_txn *txn, const struct endpoint_info *info,
		       const struct publish_spec *publish, struct error *err)
{
	struct key owner = endpoint_key_of(info->container_id, info->interface);
	struct key value = { .size = 0 };
	int r = 0;
	key_put(&value, &publish->count, sizeof publish->count);
	key_put(&value, owner.bytes, owner.size);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(publish_families); i++) {
		struct key key = key_of(publish, publish_families[i]);
		if (publish_has(info, publish, publish_families[i]))
			r = store_put(txn, TABLE_PORTS, key_bytes(&key), key_bytes(&value), err);
	}
	return r;
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
			r = find_conflict(txn, info, publish, &ret_conflict->holder, err);
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

static int unreserve_one(struct store_txn *txn, const struct key *owner, const struct key *key,
			 struct error *err)
{
	struct bytes value;
	int r = store_get(txn, TABLE_PORTS, key_bytes(key), &value, err);
	if (r == 1 && value.size == owner->size + 2 &&
	    memcmp((const char *)value.data + 2, owner->bytes, owner->size) == 0)
		r = store_delete(txn, TABLE_PORTS, key_bytes(key), err);
	return r < 0 ? r : 0;
}

int publish_unreserve(struct store_txn *txn, const struct endpoint_info *info, struct error *err)
{
	struct key owner = endpoint_key_of(info->container_id, info->interface);
	int r = 0;
	for (size_t i = 0; r == 0 && i < 2 * info->publish_count; i++) {
		const struct publish_spec *publish = &info->publish[i / 2];
		enum publish_family family = publish_families[i % 2];
		struct key key = key_of(publish, family);
		if (publish_has(info, publish, family))
			r = unreserve_one(txn, &owner, &key, err);
	}
	return r;
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
