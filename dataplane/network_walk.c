/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks over networks, and the choice of a subnet that nothing overlaps. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/file.h"
#include "handle.h"
#include "link/address.h"
#include "record.h"
#include "state.h"

struct list {
	struct network_info *items;
	size_t count;
};

static void list_release(struct list *list)
{
	free(list->items);
}

static int keep_network(struct bytes key, struct bytes value, void *context, struct error *err)
{
	struct list *list = context;
	(void)key;
	struct network_info *items = realloc(list->items, (list->count + 1) * sizeof *items);
	if (!items)
		return error_set(err, ENOMEM, "no memory for a list of networks");
	list->items = items;
	int r = network_decode(value, &items[list->count], err);
	if (r == 0)
		list->count++;
	return r;
}

static int collect(struct store *store, struct list *ret_list, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store, STORE_READ, &txn, err);
	return r < 0 ? r
		     : store_each(txn, TABLE_NETWORKS, bytes_of(NULL, 0), keep_network, ret_list,
				  err);
}

/* The visitor may open transactions of its own: all is read before the first visit. */
int network_each(struct store *store,
		 int (*visit)(const struct network_info *info, void *context, struct error *err),
		 void *context, struct error *err)
{
	struct list list __attribute__((cleanup(list_release))) = { 0 };
	int r = collect(store, &list, err);
	for (size_t i = 0; r == 0 && i < list.count; i++)
		r = visit(&list.items[i], context, err);
	return r;
}

struct choice {
	struct prefix subnet;
	bool taken;
};

static int meets_network(const struct network_info *info, void *context, struct error *err)
{
	struct choice *choice = context;
	(void)err;
	if (!prefix_is_unset(info->spec.subnet) &&
	    prefix_overlaps(info->spec.subnet, choice->subnet))
		choice->taken = true;
	if (!prefix_is_unset(info->spec.subnet6) &&
	    prefix_overlaps(info->spec.subnet6, choice->subnet))
		choice->taken = true;
	return 0;
}

static int meets_route(const struct route *route, void *context, struct error *err)
{
	struct choice *choice = context;
	(void)err;
	/* The default route overlaps everything and forbids nothing. */
	if (route->destination.length > 0 && prefix_overlaps(route->destination, choice->subnet))
		choice->taken = true;
	return 0;
}

static int is_free(struct dataplane *dataplane, struct prefix subnet, struct error *err)
{
	struct choice choice = { .subnet = subnet };
	int r = network_each(dataplane->store, meets_network, &choice, err);
	if (r == 0 && !choice.taken)
		r = route_each(dataplane->netlink, meets_route, &choice, err);
	return r < 0 ? r : !choice.taken;
}

static struct prefix candidate(unsigned index)
{
	struct in_addr address;
	if (index < 15) {
		address.s_addr = htonl(0xac110000u + (index << 16)); /* 172.17.0.0/16 on */
		return (struct prefix){ ip_from_v4(address), 16 };
	}
	address.s_addr = htonl(0xc0a80000u + ((index - 15) << 12)); /* 192.168.0.0/20 on */
	return (struct prefix){ ip_from_v4(address), 20 };
}

int network_choose_subnet(struct dataplane *dataplane, struct prefix *ret_subnet, struct error *err)
{
	for (unsigned i = 0; i < 15 + 16; i++) {
		struct prefix subnet = candidate(i);
		int r = is_free(dataplane, subnet, err);
		if (r < 0)
			return r;
		if (r == 1) {
			*ret_subnet = subnet;
			return 0;
		}
	}
	return error_set(err, ENOSPC,
			 "every subnet of 172.17.0.0/16 to 172.31.0.0/16 and 192.168.0.0/16 "
			 "overlaps a route or network: give one (--subnet)");
}

/* fd, 40 bits that are this host's and instance's, and the number of the subnet. */
static int own_ula(struct dataplane *dataplane, struct ip *ret_ip, struct error *err)
{
	auto_free char *id = NULL;
	size_t size = 0;
	struct error why = { 0 };
	uint8_t random[5];
	*ret_ip = (struct ip){ { 0xfd } };
	if (file_read("/etc/machine-id", 64, &id, &size, &why) == 0 && size > 0) {
		uint32_t hash = hash_text(id) ^ hash_text(dataplane->instance.tag);
		memcpy(ret_ip->bytes + 1, &hash, sizeof hash);
		ret_ip->bytes[5] = (uint8_t)hash_text(id + size / 2);
		return 0;
	}
	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		return error_set(err, EIO, "no random bytes for a subnet of IPv6");
	memcpy(ret_ip->bytes + 1, random, sizeof random);
	return 0;
}

int network_choose_subnet6(struct dataplane *dataplane, struct prefix *ret_subnet,
			   struct error *err)
{
	struct prefix subnet = { .length = 64 };
	int r = own_ula(dataplane, &subnet.ip, err);
	for (unsigned i = 1; r >= 0 && i < NETWORK_MAX; i++) {
		subnet.ip.bytes[6] = (uint8_t)(i >> 8);
		subnet.ip.bytes[7] = (uint8_t)i;
		r = is_free(dataplane, subnet, err);
		if (r == 1) {
			*ret_subnet = subnet;
			return 0;
		}
	}
	return r < 0 ? r
		     : error_set(err, ENOSPC,
				 "every subnet of %s/48 is in use: give one (--subnet)",
				 ip_format(subnet.ip).text);
}
