/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/directory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ID_SHOWN 12

struct directory {
	struct directory_entry *entries; /* by slot */
	size_t count, capacity;
};

static int make_room(struct directory *directory, struct error *err)
{
	if (directory->count < directory->capacity)
		return 0;
	size_t capacity = directory->capacity ? directory->capacity * 2 : 16;
	struct directory_entry *entries = realloc(directory->entries, capacity * sizeof *entries);
	if (!entries)
		return error_set(err, ENOMEM, "no memory for a list of endpoints");
	directory->entries = entries;
	directory->capacity = capacity;
	return 0;
}

static int keep(const struct endpoint_info *info, void *context, struct error *err)
{
	struct directory *directory = context;
	if (info->state != ENDPOINT_READY)
		return 0;
	int r = make_room(directory, err);
	if (r < 0)
		return r;
	struct directory_entry *entry = &directory->entries[directory->count++];
	*entry = (struct directory_entry){ .address = prefix_is_unset(info->address)
							      ? info->address6.ip
							      : info->address.ip,
					   .address6 = info->address6.ip,
					   .host_ifindex = info->host_ifindex,
					   .slot = info->slot,
					   .generation = info->generation,
					   .network_id = info->network_id };
	snprintf(entry->container_id, sizeof entry->container_id, "%s", info->container_id);
	snprintf(entry->interface, sizeof entry->interface, "%s", info->interface);
	snprintf(entry->network, sizeof entry->network, "%s", info->network);
	snprintf(entry->host_device, sizeof entry->host_device, "%s", info->host_device);
	if (info->names.count)
		snprintf(entry->name, sizeof entry->name, "%s", info->names.items[0]);
	else
		snprintf(entry->name, sizeof entry->name, "%.*s", ID_SHOWN, info->container_id);
	return 0;
}

static int compare_slots(const void *a, const void *b)
{
	const struct directory_entry *x = a, *y = b;
	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

int directory_load(struct store *store, struct directory **ret_directory, struct error *err)
{
	AUTO(directory) directory = calloc(1, sizeof *directory);
	if (!directory)
		return error_set(err, ENOMEM, "no memory for a list of endpoints");
	int r = endpoint_each(store, NULL, NULL, keep, directory, err);
	if (r < 0)
		return r;
	if (directory->count)
		qsort(directory->entries, directory->count, sizeof directory->entries[0],
		      compare_slots);
	*ret_directory = TAKE(directory);
	return 0;
}

void directory_free(struct directory *directory)
{
	if (!directory)
		return;
	free(directory->entries);
	free(directory);
}

const struct directory_entry *directory_by_slot(const struct directory *directory, uint32_t slot,
						uint32_t generation)
{
	struct directory_entry wanted = { .slot = slot };
	if (slot == 0 || directory->count == 0)
		return NULL;
	const struct directory_entry *found = bsearch(&wanted, directory->entries, directory->count,
						      sizeof wanted, compare_slots);
	return found && (generation == 0 || found->generation == generation) ? found : NULL;
}

static bool is_in(const struct directory_entry *entry, const char *network)
{
	return !network || text_equal(entry->network, network);
}

const struct directory_entry *directory_by_word(const struct directory *directory, const char *word,
						const char *network)
{
	for (size_t i = 0; i < directory->count; i++)
		if (text_equal(directory->entries[i].name, word) &&
		    is_in(&directory->entries[i], network))
			return &directory->entries[i];
	for (size_t i = 0; i < directory->count; i++)
		if (*word && text_starts_with(directory->entries[i].container_id, word) &&
		    is_in(&directory->entries[i], network))
			return &directory->entries[i];
	return NULL;
}

const struct directory_entry *directory_by_address(const struct directory *directory,
						   struct ip address, const char *network)
{
	for (size_t i = 0; i < directory->count && !ip_is_unset(address); i++)
		if ((ip_equal(directory->entries[i].address, address) ||
		     ip_equal(directory->entries[i].address6, address)) &&
		    is_in(&directory->entries[i], network))
			return &directory->entries[i];
	return NULL;
}

const struct directory_entry *directory_at(const struct directory *directory, size_t index)
{
	return index < directory->count ? &directory->entries[index] : NULL;
}
