/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "leases.h"

#include <errno.h>

#include "base/loop.h"
#include "ipam/ipam.h"

struct walk {
	struct listing *listing;
	const char *network;
};

static int list_lease(struct ip ip, const char *container_id, const char *interface,
		      int64_t taken_at_ns, void *context, struct error *err)
{
	struct walk *walk = context;
	char time[TIME_TEXT_MAX];
	(void)err;
	time_format(taken_at_ns, time);
	listing_text(walk->listing, "%s", walk->network);
	listing_text(walk->listing, "%s", ip_format(ip).text);
	listing_text(walk->listing, "%.12s", container_id);
	listing_text(walk->listing, "%s", container_id);
	listing_text(walk->listing, "%s", interface);
	listing_text(walk->listing, "%s", time);
	return 0;
}

static int remember(const struct network_info *info, void *context, struct error *err)
{
	return words_append(context, info->spec.name, err);
}

static int list_networks(struct store *store, const struct words *networks, struct listing *listing,
			 struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store, STORE_READ, &txn, err);
	for (size_t i = 0; r == 0 && i < networks->count; i++) {
		struct walk walk = { .listing = listing, .network = networks->items[i] };
		r = lease_each(txn, walk.network, list_lease, &walk, err);
	}
	return r;
}

int leases_list(struct store *store, const char *network, enum listing_format format, FILE *file,
		struct error *err)
{
	static const struct listing_column columns[] = {
		{ "NETWORK", "network" }, { "ADDRESS", "ip" },          { "CONTAINER", NULL },
		{ NULL, "containerId" },  { "INTERFACE", "interface" }, { "SINCE", "takenAt" },
	};
	auto_words networks = { 0 };
	struct network_info info;
	AUTO(listing) listing = NULL;
	int r = network ? network_find(store, network, &info, err) : 1;
	if (r == 0)
		return error_set(err, ENOENT, "no such network: %s", network);
	if (r > 0)
		r = network ? words_append(&networks, network, err)
			    : network_each(store, remember, &networks, err);
	if (r == 0)
		r = listing_create(format, columns, ARRAY_SIZE(columns), &listing, err);
	if (r == 0)
		r = list_networks(store, &networks, listing, err);
	return r < 0 ? r : listing_print(listing, file, err);
}
