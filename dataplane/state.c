/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "record.h"

struct bytes key_bytes(const struct key *key)
{
	return bytes_of(key->bytes, key->size);
}

void key_put(struct key *key, const void *data, size_t size)
{
	assert(key->size + size <= sizeof key->bytes);
	memcpy(key->bytes + key->size, data, size);
	key->size += size;
}

void key_put_number(struct key *key, uint64_t number, size_t size)
{
	uint8_t bytes[8];
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(number >> (8 * (size - 1 - i)));
	key_put(key, bytes, size);
}

static uint64_t number_of(struct bytes bytes)
{
	uint64_t number = 0;
	const uint8_t *data = bytes.data;
	for (size_t i = 0; i < bytes.size && i < 8; i++)
		number = number << 8 | data[i];
	return number;
}

struct key endpoint_key_of(const char *container_id, const char *interface)
{
	struct key key = { .size = 0 };
	key_put(&key, container_id, strlen(container_id) + 1);
	key_put(&key, interface, strlen(interface));
	return key;
}

struct key address_key_of(uint16_t network_id, struct ip address)
{
	struct key key = { .size = 0 };
	key_put_number(&key, network_id, 2);
	key_put(&key, address.bytes, sizeof address.bytes);
	return key;
}

int meta_get(struct store_txn *txn, const char *word, uint64_t *ret_number, struct error *err)
{
	struct bytes value;
	int r = store_get(txn, TABLE_META, bytes_of_text(word), &value, err);
	if (r == 1)
		*ret_number = number_of(value);
	return r < 0 ? r : 0;
}

int meta_put(struct store_txn *txn, const char *word, uint64_t number, struct error *err)
{
	struct key value = { .size = 0 };
	key_put_number(&value, number, 8);
	return store_put(txn, TABLE_META, bytes_of_text(word), key_bytes(&value), err);
}

/* The slot that has rested longest, unless some were never used. */
static int slot_find(struct store_txn *txn, uint32_t capacity, struct slot_grant *ret_grant,
		     struct error *err)
{
	uint64_t next = 1;
	int r = meta_get(txn, META_SLOT_NEXT, &next, err);
	if (r < 0)
		return r;
	if (next < capacity) {
		ret_grant->slot = (uint32_t)next;
		return meta_put(txn, META_SLOT_NEXT, next + 1, err);
	}
	struct bytes found, value;
	r = store_seek(txn, TABLE_RESTED, bytes_of(NULL, 0), &found, &value, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, ENOSPC, "all %u endpoints of this instance are in use",
				 capacity - 1);
	struct key key = { .size = 0 };
	ret_grant->slot = (uint32_t)number_of(value);
	ret_grant->used_before = true;
	key_put(&key, found.data, found.size);
	r = store_delete(txn, TABLE_RESTED, key_bytes(&key), err);
	return r < 0 ? r : 0;
}

int serial_take(struct store_txn *txn, uint32_t *ret_serial, struct error *err)
{
	uint64_t serial = 0;
	int r = meta_get(txn, META_SERIAL, &serial, err);
	if (r == 0)
		r = meta_put(txn, META_SERIAL, serial + 1, err);
	*ret_serial = (uint32_t)(serial + 1);
	return r;
}

int slot_take(struct store_txn *txn, uint32_t capacity, const struct key *endpoint,
	      struct slot_grant *ret_grant, struct error *err)
{
	struct slot_grant grant = { 0 };
	int r = slot_find(txn, capacity, &grant, err);
	if (r == 0)
		r = serial_take(txn, &grant.generation, err);
	struct key key = { .size = 0 };
	key_put_number(&key, grant.slot, 4);
	if (r == 0)
		r = store_put(txn, TABLE_SLOTS, key_bytes(&key), key_bytes(endpoint), err);
	if (r == 0)
		*ret_grant = grant;
	return r;
}

int slot_is_taken(struct store_txn *txn, uint32_t slot, struct error *err)
{
	struct key key = { .size = 0 };
	struct bytes owner;
	key_put_number(&key, slot, 4);
	return store_get(txn, TABLE_SLOTS, key_bytes(&key), &owner, err);
}

int slot_release(struct store_txn *txn, uint32_t slot, struct error *err)
{
	struct key key = { .size = 0 }, rested = { .size = 0 };
	uint32_t serial;
	key_put_number(&key, slot, 4);
	int r = store_delete(txn, TABLE_SLOTS, key_bytes(&key), err);
	if (r <= 0)
		return r;
	r = serial_take(txn, &serial, err);
	key_put_number(&rested, serial, 4);
	return r < 0 ? r : store_put(txn, TABLE_RESTED, key_bytes(&rested), key_bytes(&key), err);
}

int endpoint_save(struct store_txn *txn, const struct endpoint_info *info, struct error *err)
{
	auto_text text = { 0 };
	struct key key = endpoint_key_of(info->container_id, info->interface);
	int r = endpoint_encode(info, &text, err);
	return r < 0 ? r
		     : store_put(txn, TABLE_ENDPOINTS, key_bytes(&key),
				 bytes_of(text.data, text.size), err);
}

int endpoint_load(struct store_txn *txn, struct bytes key, struct endpoint_info *ret_info,
		  struct error *err)
{
	struct bytes value;
	int r = store_get(txn, TABLE_ENDPOINTS, key, &value, err);
	if (r <= 0)
		return r;
	r = endpoint_decode(value, ret_info, err);
	return r < 0 ? r : 1;
}

int network_load(struct store_txn *txn, const char *name, struct network_info *ret_info,
		 struct error *err)
{
	struct bytes value;
	int r = store_get(txn, TABLE_NETWORKS, bytes_of_text(name), &value, err);
	if (r <= 0)
		return r;
	r = network_decode(value, ret_info, err);
	return r < 0 ? r : 1;
}

int intent_put(struct store_txn *txn, const struct key *endpoint, struct error *err)
{
	struct process_identity self;
	int r = process_identify(getpid(), &self, err);
	return r < 0 ? r
		     : store_put(txn, TABLE_INTENTS, key_bytes(endpoint),
				 bytes_of(&self, sizeof self), err);
}

int intent_is_alive(struct store_txn *txn, struct bytes endpoint, struct error *err)
{
	struct bytes value;
	struct process_identity worker;
	int r = store_get(txn, TABLE_INTENTS, endpoint, &value, err);
	if (r <= 0)
		return r;
	if (value.size != sizeof worker)
		return 0;
	memcpy(&worker, value.data, sizeof worker);
	return process_is_alive(worker);
}
