/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks over endpoints, and changes of what is only in the store. */
#include <errno.h>
#include <string.h>

#include "names.h"
#include "publish.h"
#include "record.h"
#include "state.h"

struct list {
	struct endpoint_info *items;
	size_t count, capacity;
	struct store_txn *txn;
};

static void list_release(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		endpoint_info_release(&list->items[i]);
	free(list->items);
}

static int make_room(struct list *list, struct error *err)
{
	if (list->count < list->capacity)
		return 0;
	size_t capacity = list->capacity ? list->capacity * 2 : 16;
	struct endpoint_info *items = realloc(list->items, capacity * sizeof *items);
	if (!items)
		return error_set(err, ENOMEM, "no memory for a list of endpoints");
	list->items = items;
	list->capacity = capacity;
	return 0;
}

static int keep_record(struct bytes key, struct bytes value, void *context, struct error *err)
{
	struct list *list = context;
	(void)key;
	int r = make_room(list, err);
	if (r == 0)
		r = endpoint_decode(value, &list->items[list->count], err);
	if (r == 0)
		list->count++;
	return r;
}

/* An endpoint of several addresses is met at each: one of them counts. */
static bool is_first_address(const struct endpoint_info *info, struct bytes key)
{
	struct prefix addresses[ENDPOINT_ADDRESSES_MAX];
	if (endpoint_addresses(info, addresses) == 0)
		return false;
	struct key first = address_key_of(info->network_id, addresses[0].ip);
	return key.size == first.size && memcmp(key.data, first.bytes, key.size) == 0;
}

static int keep_member(struct bytes key, struct bytes value, void *context, struct error *err)
{
	struct list *list = context;
	int r = make_room(list, err);
	if (r == 0)
		r = endpoint_load(list->txn, value, &list->items[list->count], err);
	if (r <= 0)
		return r;
	if (is_first_address(&list->items[list->count], key))
		list->count++;
	else
		endpoint_info_release(&list->items[list->count]);
	return 0;
}

static int collect_network(struct list *list, const char *network, struct error *err)
{
	struct network_info info;
	struct key prefix = { .size = 0 };
	int r = network_load(list->txn, network, &info, err);
	if (r <= 0)
		return r;
	key_put_number(&prefix, info.id, 2);
	return store_each(list->txn, TABLE_ADDRESSES, key_bytes(&prefix), keep_member, list, err);
}

static int collect(struct store *store, const char *container_id, const char *network,
		   struct list *list, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	struct key prefix = { .size = 0 };
	int r = store_begin(store, STORE_READ, &txn, err);
	if (r < 0)
		return r;
	list->txn = txn;
	if (network)
		return collect_network(list, network, err);
	if (container_id && strlen(container_id) >= CONTAINER_ID_MAX)
		return 0;
	if (container_id)
		key_put(&prefix, container_id, strlen(container_id) + 1);
	return store_each(txn, TABLE_ENDPOINTS, key_bytes(&prefix), keep_record, list, err);
}

/* The visitor may open transactions of its own: all is read before the first visit. */
int endpoint_each(struct store *store, const char *container_id, const char *network,
		  int (*visit)(const struct endpoint_info *info, void *context, struct error *err),
		  void *context, struct error *err)
{
	struct list list __attribute__((cleanup(list_release))) = { 0 };
	int r = collect(store, container_id, network, &list, err);
	for (size_t i = 0; r == 0 && i < list.count; i++)
		if (!container_id || strcmp(list.items[i].container_id, container_id) == 0)
			r = visit(&list.items[i], context, err);
	return r;
}

int endpoint_find(struct store *store, const char *container_id, const char *interface,
		  struct endpoint_info *ret_info, struct error *err)
{
	if (strlen(container_id) >= CONTAINER_ID_MAX || strlen(interface) >= DEVICE_NAME_MAX)
		return 0;
	struct key key = endpoint_key_of(container_id, interface);
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store, STORE_READ, &txn, err);
	return r < 0 ? r : endpoint_load(txn, key_bytes(&key), ret_info, err);
}

static int replace_names(struct endpoint_info *info, const char *const *names, struct error *err)
{
	words_free(&info->names);
	info->names = (struct words){ 0 };
	for (size_t i = 0; names && names[i]; i++) {
		int r = words_append(&info->names, names[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

int endpoint_set_names(struct dataplane *dataplane, const char *container_id, const char *interface,
		       const char *const *names, struct error *err)
{
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct key key = endpoint_key_of(container_id, interface);
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane_store(dataplane), STORE_WRITE, &txn, err);
	if (r == 0)
		r = endpoint_load(txn, key_bytes(&key), &info, err);
	if (r == 0)
		return error_set(err, ENOENT, "container %s has no interface %s", container_id,
				 interface);
	if (r > 0)
		r = names_unindex(txn, &info, err);
	if (r == 0)
		r = replace_names(&info, names, err);
	if (r == 0 && info.state == ENDPOINT_READY)
		r = names_index(txn, &info, err);
	if (r == 0)
		r = endpoint_save(txn, &info, err);
	return r < 0 ? r : store_commit(&txn, err);
}

struct port_walk {
	int (*visit)(const struct port_row *row, void *context, struct error *err);
	void *context;
};

static int visit_ports(const struct endpoint_info *info, void *context, struct error *err)
{
	const struct port_walk *walk = context;
	for (size_t i = 0; i < 2 * info->publish_count; i++) {
		const struct publish_spec *publish = &info->publish[i / 2];
		enum publish_family family = publish_families[i % 2];
		if (!publish_has(info, publish, family))
			continue;
		struct port_row row = { .host_ip = publish_address(publish, family),
					.host_port = publish->host_port,
					.container_port = publish->container_port,
					.count = publish->count,
					.protocol = publish->protocol,
					.family = (uint8_t)family,
					.container_ip = publish_target(info, family),
					.respects = info->publish_respects,
					.publish_from = info->publish_from,
					.publish_from_count = info->publish_from_count };
		memcpy(row.container_id, info->container_id, sizeof row.container_id);
		memcpy(row.interface, info->interface, sizeof row.interface);
		memcpy(row.network, info->network, sizeof row.network);
		int r = walk->visit(&row, walk->context, err);
		if (r != 0)
			return r;
	}
	return 0;
}

int ports_each(struct store *store,
	       int (*visit)(const struct port_row *row, void *context, struct error *err),
	       void *context, struct error *err)
{
	struct port_walk walk = { visit, context };
	return endpoint_each(store, NULL, NULL, visit_ports, &walk, err);
}
