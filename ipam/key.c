/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "key.h"

#include <assert.h>
#include <string.h>

void key_add(struct key *key, const void *data, size_t size)
{
	assert(key->size + size <= sizeof key->bytes);
	memcpy(key->bytes + key->size, data, size);
	key->size += size;
}

void key_add_text(struct key *key, const char *text)
{
	key_add(key, text, strlen(text) + 1);
}

struct key key_of_network(const char *network)
{
	struct key key = { .size = 0 };
	key_add_text(&key, network);
	return key;
}

struct key key_of_address(const char *network, struct ip ip)
{
	struct key key = key_of_network(network);
	key_add(&key, ip.bytes, sizeof ip.bytes);
	return key;
}

bool key_begins(const struct key *key, struct bytes found)
{
	return found.size >= key->size && memcmp(found.data, key->bytes, key->size) == 0;
}

struct ip key_last_ip(struct bytes found)
{
	struct ip ip;
	assert(found.size >= sizeof ip.bytes);
	memcpy(ip.bytes, (const uint8_t *)found.data + found.size - sizeof ip.bytes,
	       sizeof ip.bytes);
	return ip;
}
