/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft/entries.h"

#include <string.h>

_Static_assert(sizeof(struct port_element) == 24, "the key of the set of ports");
_Static_assert(sizeof(struct port_target) == 20, "the value of the set of ports");
_Static_assert(sizeof(struct source) <= ENTRY_VALUE_MAX - 1, "a note holds 255 bytes");

struct port_element port_element_of(const struct port_key *key)
{
	return (struct port_element){ .address = key->address,
				      .port = key->port,
				      .protocol = key->protocol };
}

struct port_key port_key_of_element(const struct port_element *element)
{
	return (struct port_key){ .address = element->address,
				  .port = element->port,
				  .protocol = element->protocol };
}

struct port_target port_target_of(const struct publication *publication)
{
	return (struct port_target){ .address = publication->address, .port = publication->port };
}

static struct derived_element *add(struct derived *derived, enum nft_set_id set, const void *key,
				   size_t size)
{
	struct derived_element *element = &derived->items[derived->count++];
	*element = (struct derived_element){ .set = set };
	memcpy(element->key, key, size);
	return element;
}

struct source_element {
	uint32_t ifindex;
	uint8_t mac[8];
	struct abi_addr address;
};
_Static_assert(sizeof(struct source_element) == 28, "the key of the set of sources");

/* What an endpoint has of one family. */
struct side {
	bool v4;
	const struct abi_addr *address, *gateway;
};

static void derive_side(uint32_t ifindex, const struct source *source, struct side side,
			struct derived *derived)
{
	struct source_element element = { .ifindex = ifindex, .address = *side.address };
	struct abi_addr twice[] = { *side.address, *side.address };
	memcpy(element.mac, source->mac, sizeof source->mac);
	add(derived, NFT_SOURCES, &element, sizeof element);
	add(derived, NFT_HAIRPINS, twice, sizeof twice);
	struct derived_element *gateway =
		add(derived, side.v4 ? NFT_GATEWAYS4 : NFT_GATEWAYS6, &ifindex, sizeof ifindex);
	memcpy(gateway->value, side.gateway, sizeof *side.gateway);
	if (source->flags & NETWORK_MASQUERADE)
		add(derived, NFT_MASQUERADED, side.address, sizeof *side.address);
}

static void derive_source(uint32_t ifindex, const struct source *source, struct derived *derived)
{
	uint32_t network = source->network;
	struct derived_element *device = add(derived, NFT_DEVICES, &ifindex, sizeof ifindex);
	memcpy(device->value, &network, sizeof network);
	const struct source_family *v4 = &source->v4, *v6 = &source->v6;
	if (source->flags & NETWORK_IPV4)
		derive_side(ifindex, source, (struct side){ true, &v4->address, &v4->gateway },
			    derived);
	if (source->flags & NETWORK_IPV6)
		derive_side(ifindex, source, (struct side){ false, &v6->address, &v6->gateway },
			    derived);
}

static void derive_network(uint32_t id, const struct network *network, struct derived *derived)
{
	uint32_t pair[] = { id, id };
	if (network->generation == 0)
		return;
	add(derived, NFT_OWN, pair, sizeof pair);
	if (!(network->flags & NETWORK_NO_ICC))
		add(derived, NFT_NEIGHBOURS, pair, sizeof pair);
	if (!(network->flags & NETWORK_INTERNAL))
		add(derived, NFT_OUTWARD, &id, sizeof id);
	if (network->flags & NETWORK_ROUTED)
		add(derived, NFT_ROUTED, &id, sizeof id);
}

bool derives(enum map_id id)
{
	return id == MAP_SOURCES || id == MAP_NETWORKS;
}

void derive(enum map_id id, const void *key, const void *value, struct derived *derived)
{
	if (id == MAP_SOURCES)
		derive_source(*(const uint32_t *)key, value, derived);
	else if (id == MAP_NETWORKS)
		derive_network(*(const uint32_t *)key, value, derived);
}
