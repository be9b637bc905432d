/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "names.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SHORT_ID 12 /* what Docker's users type for a container id */

static struct key name_key(uint16_t network_id, const char *name)
{
	struct key key = { .size = 0 };
	char lower[CONTAINER_ID_MAX];
	size_t i = 0;
	for (; i < sizeof lower - 1 && name[i]; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	lower[i] = '\0';
	key_put_number(&key, network_id, 2);
	key_put(&key, lower, i + 1);
	return key;
}

enum change { CHANGE_PUT, CHANGE_TAKE };

static int change_one(struct store_txn *txn, const struct endpoint_info *info, const char *name,
		      enum change change, struct error *err)
{
	if (!name[0])
		return 0;
	struct key key = name_key(info->network_id, name);
	struct prefix addresses[ENDPOINT_ADDRESSES_MAX];
	struct ip ips[ENDPOINT_ADDRESSES_MAX];
	size_t count = endpoint_addresses(info, addresses);
	key_put_number(&key, info->slot, 4);
	for (size_t i = 0; i < count; i++)
		ips[i] = addresses[i].ip;
	if (change == CHANGE_PUT)
		return store_put(txn, TABLE_NAMES, key_bytes(&key),
				 bytes_of(ips, count * sizeof ips[0]), err);
	int r = store_delete(txn, TABLE_NAMES, key_bytes(&key), err);
	return r < 0 ? r : 0;
}

static int change_all(struct store_txn *txn, const struct endpoint_info *info, enum change change,
		      struct error *err)
{
	char short_id[SHORT_ID + 1];
	snprintf(short_id, sizeof short_id, "%.*s", SHORT_ID, info->container_id);
	int r = change_one(txn, info, info->container_id, change, err);
	if (r == 0)
		r = change_one(txn, info, short_id, change, err);
	if (r == 0)
		r = change_one(txn, info, info->hostname, change, err);
	for (size_t i = 0; r == 0 && i < info->names.count; i++)
		r = change_one(txn, info, info->names.items[i], change, err);
	return r;
}

int names_index(struct store_txn *txn, const struct endpoint_info *info, struct error *err)
{
	return change_all(txn, info, CHANGE_PUT, err);
}

int names_unindex(struct store_txn *txn, const struct endpoint_info *info, struct error *err)
{
	return change_all(txn, info, CHANGE_TAKE, err);
}

struct answer {
	struct ip *ips;
	size_t max, count;
};

/* One endpoint may have the name twice over, as name and alias. */
static void keep_one(struct answer *answer, const struct ip *ip)
{
	for (size_t i = 0; i < answer->count && i < answer->max; i++)
		if (ip_equal(answer->ips[i], *ip))
			return;
	if (answer->count < answer->max)
		answer->ips[answer->count] = *ip;
	answer->count++;
}

static int keep_addresses(struct bytes key, struct bytes value, void *context, struct error *err)
{
	const uint8_t *data = value.data;
	struct ip ip;
	(void)key;
	(void)err;
	for (size_t at = 0; at + sizeof ip <= value.size; at += sizeof ip) {
		memcpy(&ip, data + at, sizeof ip);
		keep_one(context, &ip);
	}
	return 0;
}

static int resolve_name(struct store_txn *txn, uint16_t network_id, const char *name,
			struct answer *answer, struct error *err)
{
	struct key prefix = name_key(network_id, name);
	return store_each(txn, TABLE_NAMES, key_bytes(&prefix), keep_addresses, answer, err);
}

static int load_by_address(struct store_txn *txn, uint16_t network_id, struct ip address,
			   struct endpoint_info *ret_info, struct error *err)
{
	struct key key = address_key_of(network_id, address);
	struct bytes value;
	int r = store_get(txn, TABLE_ADDRESSES, key_bytes(&key), &value, err);
	return r <= 0 ? r : endpoint_load(txn, value, ret_info, err);
}

/* A client's own links come first: they may say otherwise than the network. */
static int resolve_beside(struct store_txn *txn, const struct endpoint_info *client,
			  const char *name, struct answer *answer, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < client->link_count; i++)
		if (strcasecmp(client->links[i].name, name) == 0)
			r = resolve_name(txn, client->network_id, client->links[i].target, answer,
					 err);
	if (r == 0 && answer->count == 0)
		r = resolve_name(txn, client->network_id, name, answer, err);
	return r;
}

/* The networks in which the client is besides the one that it asks in. */
struct others {
	struct store_txn *txn;
	uint16_t asked_network;
	const char *name;
	struct answer *answer;
};

static int resolve_in_other(struct bytes key, struct bytes value, void *context, struct error *err)
{
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	const struct others *others = context;
	(void)value;
	int r = endpoint_load(others->txn, key, &info, err);
	if (r <= 0 || info.network_id == others->asked_network || others->answer->count > 0)
		return r < 0 ? r : 0;
	return resolve_beside(others->txn, &info, others->name, others->answer, err);
}

static int resolve_in_others(struct store_txn *txn, const struct endpoint_info *client,
			     const char *name, struct answer *answer, struct error *err)
{
	struct key prefix = endpoint_key_of(client->container_id, "");
	struct others others = {
		.txn = txn, .asked_network = client->network_id, .name = name, .answer = answer
	};
	return store_each(txn, TABLE_ENDPOINTS, key_bytes(&prefix), resolve_in_other, &others, err);
}

/* 1 and the client's endpoint; 0 for the host, and for who is none. */
static int load_client(struct store_txn *txn, uint16_t network_id, struct ip client,
		       struct endpoint_info *ret_info, struct error *err)
{
	return ip_is_unset(client) ? 0 : load_by_address(txn, network_id, client, ret_info, err);
}

int names_resolve(struct store *store, const char *network, struct ip client, const char *name,
		  struct ip *ret_ips, size_t max, struct error *err)
{
	struct endpoint_info asker __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct answer answer = { .ips = ret_ips, .max = max };
	struct network_info info = { 0 };
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store, STORE_READ, &txn, err);
	if (r == 0)
		r = network_load(txn, network, &info, err);
	if (r <= 0)
		return r;
	if (!name[0] || strlen(name) >= CONTAINER_ID_MAX)
		return 0;
	r = load_client(txn, info.id, client, &asker, err);
	if (r == 0)
		r = resolve_name(txn, info.id, name, &answer, err);
	else if (r > 0)
		r = resolve_beside(txn, &asker, name, &answer, err);
	if (r == 0 && answer.count == 0 && asker.container_id[0])
		r = resolve_in_others(txn, &asker, name, &answer, err);
	return r < 0 ? r : (int)answer.count;
}

int names_servers(struct store *store, const char *network, struct ip client, struct ip *ret_ips,
		  size_t max, struct error *err)
{
	struct endpoint_info asker __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct network_info info = { 0 };
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store, STORE_READ, &txn, err);
	if (r == 0)
		r = network_load(txn, network, &info, err);
	if (r == 1)
		r = load_client(txn, info.id, client, &asker, err);
	if (r != 1)
		return r;
	size_t count = asker.server_count < max ? asker.server_count : max;
	for (size_t i = 0; i < count; i++)
		ret_ips[i] = asker.servers[i];
	return (int)count;
}

int names_reverse(struct store *store, const char *network, struct ip address, char *ret_name,
		  size_t size, struct error *err)
{
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct network_info found = { 0 };
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store, STORE_READ, &txn, err);
	if (r == 0)
		r = network_load(txn, network, &found, err);
	if (r == 1)
		r = load_by_address(txn, found.id, address, &info, err);
	if (r != 1 || info.state != ENDPOINT_READY)
		return r < 0 ? r : 0;
	const char *name = info.container_id;
	if (info.hostname[0])
		name = info.hostname;
	if (info.names.count > 0)
		name = info.names.items[0];
	snprintf(ret_name, size, "%s", name);
	return 1;
}
