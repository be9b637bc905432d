/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "firewall.h"

#include <errno.h>
#include <stdio.h>

#include "dataplane/firewall.h"
#include "link/rule.h"
#include "link/sysctl.h"
#include "state.h"

/* Numbers of tables that nobody writes down by hand. */
#define TABLE_FIRST 0x57480000u
#define TABLE_COUNT 0x10000u

static const char *const names[] = {
	[HOST_FIREWALL_CONFIGURED] = "configured",
	[HOST_FIREWALL_RESPECT] = "respect",
	[HOST_FIREWALL_BYPASS] = "bypass",
};

const char *host_firewall_name(enum host_firewall firewall)
{
	return names[firewall];
}

int host_firewall_parse(const char *text, enum host_firewall *ret_firewall, struct error *err)
{
	for (int i = HOST_FIREWALL_RESPECT; i <= HOST_FIREWALL_BYPASS; i++) {
		if (!text_equal(text, names[i]))
			continue;
		*ret_firewall = (enum host_firewall)i;
		return 0;
	}
	return error_set(err, EINVAL, "\"%.32s\" is none of \"respect\" and \"bypass\"", text);
}

uint32_t firewall_table(const struct instance *instance)
{
	return TABLE_FIRST + hash_text(instance->tag) % TABLE_COUNT;
}

/* --- forwarding -------------------------------------------------------------------- */

/*
 * The setting of one device that lets the host forward from it though it is no router. That of IPv6
 * is of Linux 6.17; before, there is none but the host's own, which ends its listening to routers.
 */
struct family {
	const char *name, *key;
	uint32_t index; /* enum switches: that publications of the family ask */
	uint32_t flag;  /* enum uplink_flags */
};
static const struct family families[] = {
	{ "ipv4", "forwarding", SWITCH_JUDGED, UPLINK_OPENED },
	{ "ipv6", "force_forwarding", SWITCH_JUDGED6, UPLINK_OPENED6 },
};

struct word {
	char text[32];
};

/* dp/meta: that we opened this device. */
static struct word opened_word(const struct family *family, uint32_t ifindex)
{
	struct word word;
	snprintf(word.text, sizeof word.text, "opened-%s-%u", family->name, ifindex);
	return word;
}

static int was_opened(struct dataplane *dataplane, const struct family *family, uint32_t ifindex,
		      bool *ret_opened, struct error *err)
{
	uint64_t opened = 0;
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane->store, STORE_READ, &txn, err);
	if (r == 0)
		r = meta_get(txn, opened_word(family, ifindex).text, &opened, err);
	*ret_opened = opened;
	return r < 0 ? r : 0;
}

static int note_opened(struct dataplane *dataplane, const struct family *family, uint32_t ifindex,
		       bool opened, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane->store, STORE_WRITE, &txn, err);
	if (r == 0)
		r = meta_put(txn, opened_word(family, ifindex).text, opened, err);
	return r < 0 ? r : store_commit(&txn, err);
}

/* *ret_opened: it forwards because we want it to. A host that is a router needs nothing. */
static int open_family(struct dataplane *dataplane, const struct family *family,
		       const struct device *device, bool *ret_opened, struct error *err)
{
	int all = 0, own = 0;
	*ret_opened = false;
	int r = sysctl_device_get(family->name, "all", "forwarding", &all, err);
	if (r == 0)
		r = sysctl_device_get(family->name, device->name, family->key, &own, err);
	if (r < 0 || (all && (own || family->index == SWITCH_JUDGED6)))
		return r;
	if (own)
		return was_opened(dataplane, family, device->ifindex, ret_opened, err);
	r = note_opened(dataplane, family, device->ifindex, true, err);
	if (r == 0)
		r = sysctl_device_set(family->name, device->name, family->key, "1", err);
	*ret_opened = r == 1;
	return r < 0 ? r : 0;
}

static int switch_get(struct dataplane *dataplane, uint32_t index, uint32_t *ret_value,
		      struct error *err)
{
	*ret_value = 0;
	int r = map_get(&dataplane->maps, MAP_SWITCHES, &index, ret_value, err);
	return r < 0 ? r : 0;
}

/* For those families whose publications ask. */
static int open_device(struct dataplane *dataplane, const struct device *device,
		       uint32_t *ret_flags, struct error *err)
{
	int r = 0;
	*ret_flags = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(families); i++) {
		uint32_t judged;
		bool opened = false;
		r = switch_get(dataplane, families[i].index, &judged, err);
		if (r == 0 && judged)
			r = open_family(dataplane, &families[i], device, &opened, err);
		*ret_flags |= opened ? families[i].flag : 0;
	}
	return r;
}

static int open_uplink(struct dataplane *dataplane, uint32_t ifindex, struct error *err)
{
	struct device device;
	struct uplink uplink;
	int r = device_get(dataplane->netlink, ifindex, &device, err);
	if (r == 1)
		r = map_get(&dataplane->maps, MAP_UPLINKS, &ifindex, &uplink, err);
	if (r <= 0)
		return r < 0 ? r : 0;
	r = open_device(dataplane, &device, &uplink.flags, err);
	return r < 0 ? r : map_put(&dataplane->maps, MAP_UPLINKS, &ifindex, &uplink, err);
}

static int open_uplinks(struct dataplane *dataplane, struct error *err)
{
	uint32_t ifindex, *previous = NULL;
	int r;
	while ((r = map_next(&dataplane->maps, MAP_UPLINKS, previous, &ifindex, err)) == 1) {
		previous = &ifindex;
		r = open_uplink(dataplane, ifindex, err);
		if (r < 0)
			return r;
	}
	return r;
}

int firewall_prepare(struct dataplane *dataplane, const struct network_info *network,
		     struct error *err)
{
	const bool has[] = { !prefix_is_unset(network->spec.subnet),
			     !prefix_is_unset(network->spec.subnet6) };
	bool news = false;
	int r = 0;
	if (dataplane->maps.mirror)
		return 0; /* the host forwards every packet there */
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(families); i++) {
		uint32_t index = families[i].index, judged = 0;
		if (has[i])
			r = switch_get(dataplane, index, &judged, err);
		if (r < 0 || !has[i] || judged == network->device_ifindex)
			continue;
		news |= judged == 0;
		r = map_put(&dataplane->maps, MAP_SWITCHES, &index, &network->device_ifindex, err);
	}
	return r < 0 || !news ? r : open_uplinks(dataplane, err);
}

void firewall_keep_open(struct dataplane *dataplane, const struct device *device,
			struct uplink *uplink)
{
	struct error ignored;
	if (!dataplane->maps.mirror)
		open_device(dataplane, device, &uplink->flags, &ignored);
}

static int close_family(struct dataplane *dataplane, const struct family *family,
			const struct device *device, struct error *err)
{
	bool opened;
	int all = 0;
	int r = was_opened(dataplane, family, device->ifindex, &opened, err);
	if (r < 0 || !opened)
		return r;
	if (family->index == SWITCH_JUDGED)
		r = sysctl_device_get(family->name, "all", "forwarding", &all, err);
	if (r == 0 && !all)
		r = sysctl_device_set(family->name, device->name, family->key, "0", err);
	return r < 0 ? r : note_opened(dataplane, family, device->ifindex, false, err);
}

int firewall_close(struct dataplane *dataplane, uint32_t ifindex, struct error *err)
{
	struct device device;
	int r = device_get(dataplane->netlink, ifindex, &device, err);
	if (r <= 0)
		return r;
	r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(families); i++)
		r = close_family(dataplane, &families[i], &device, err);
	return r;
}

struct device_list {
	uint32_t *items;
	size_t count, capacity;
};
static void device_list_release(struct device_list *list)
{
	free(list->items);
}

static int keep_index(const struct device *device, void *context, struct error *err)
{
	struct device_list *list = context;
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 64;
		uint32_t *items = realloc(list->items, capacity * sizeof *items);
		if (!items)
			return error_set(err, ENOMEM, "no memory for devices");
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = device->ifindex;
	return 0;
}

int firewall_close_all(struct dataplane *dataplane, struct error *err)
{
	struct device_list list __attribute__((cleanup(device_list_release))) = { 0 };
	int r = device_each(dataplane->netlink, keep_index, &list, err);
	for (size_t i = 0; r == 0 && i < list.count; i++)
		r = firewall_close(dataplane, list.items[i], err);
	if (r == 0)
		r = rule_queue_delete(dataplane->netlink, firewall_table(&dataplane->instance),
				      err);
	return r < 0 ? r : netlink_flush(dataplane->netlink, err);
}
