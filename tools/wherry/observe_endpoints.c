/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wherry endpoints` and `wherry top`: who is attached, and what each carries. */
#include "observe_traffic.h"

#include <errno.h>
#include <stdlib.h>

#include "base/loop.h"
#include "observe_names.h"

struct walk {
	struct dataplane *dataplane;
	struct listing *listing;
};

static void list_addresses(struct listing *listing, const struct endpoint_info *info)
{
	struct prefix addresses[ENDPOINT_ADDRESSES_MAX];
	size_t count = endpoint_addresses(info, addresses);
	auto_text text = { 0 };
	for (size_t i = 0; i < count; i++)
		text_append(&text, "%s%s", i ? "," : "", prefix_format(addresses[i]).text);
	listing_text(listing, "%s", text.data ? text.data : "");
}

static int list_endpoint(const struct endpoint_info *info, void *context, struct error *err)
{
	static const char *const states[] = { "intent", "ready" };
	struct walk *walk = context;
	struct listing *listing = walk->listing;
	struct endpoint_traffic traffic = { 0 };
	int r = endpoint_traffic(walk->dataplane, info->slot, &traffic, err);
	if (r < 0)
		return r;
	listing_text(listing, "%.48s", info->names.count ? info->names.items[0] : "");
	listing_text(listing, "%s", info->container_id);
	listing_text(listing, "%.12s", info->container_id);
	listing_text(listing, "%s", info->network);
	listing_text(listing, "%s", info->interface);
	list_addresses(listing, info);
	listing_text(listing, "%s", mac_format(info->mac).text);
	listing_text(listing, "%s", info->host_device);
	listing_number(listing, info->host_ifindex);
	listing_number(listing, info->slot);
	listing_number(listing, info->generation);
	listing_text(listing, "%s", info->owner);
	listing_text(listing, "%s", states[info->state]);
	listing_text(listing, "%s", size_format(traffic.tx_bytes).text);
	listing_text(listing, "%s", size_format(traffic.rx_bytes).text);
	listing_number(listing, traffic.tx_packets);
	listing_number(listing, traffic.tx_bytes);
	listing_number(listing, traffic.rx_packets);
	listing_number(listing, traffic.rx_bytes);
	return 0;
}

int observe_endpoints(struct dataplane *dataplane, enum listing_format format, FILE *file,
		      struct error *err)
{
	static const struct listing_column columns[] = {
		{ "CONTAINER", "container" },
		{ NULL, "containerId" },
		{ "ID", NULL },
		{ "NETWORK", "network" },
		{ "INTERFACE", "interface" },
		{ "ADDRESS", "address" },
		{ "MAC", "mac" },
		{ "DEVICE", "hostDevice" },
		{ NULL, "hostIfindex" },
		{ "SLOT", "slot" },
		{ NULL, "generation" },
		{ "OWNER", "owner" },
		{ "STATE", "state" },
		{ "SENT", NULL },
		{ "RECEIVED", NULL },
		{ NULL, "sentPackets" },
		{ NULL, "sentBytes" },
		{ NULL, "receivedPackets" },
		{ NULL, "receivedBytes" },
	};
	AUTO(listing) listing = NULL;
	int r = listing_create(format, columns, ARRAY_SIZE(columns), &listing, err);
	if (r < 0)
		return r;
	struct walk walk = { .dataplane = dataplane, .listing = listing };
	r = endpoint_each(dataplane_store(dataplane), NULL, NULL, list_endpoint, &walk, err);
	return r < 0 ? r : listing_print(listing, file, err);
}

/* --- rates ------------------------------------------------------------------- */

struct sample {
	struct directory_entry who;
	struct endpoint_traffic traffic;
	struct endpoint_traffic rate; /* a second, since the sample before */
};
struct samples {
	struct sample *items;
	size_t count;
	uint64_t at_ms;
};
struct rates {
	struct dataplane *dataplane; /* lent */
	struct samples last;
};

static int take_samples(struct dataplane *dataplane, struct samples *ret, struct error *err)
{
	AUTO(directory) directory = NULL;
	size_t count = 0;
	int r = directory_load(dataplane_store(dataplane), &directory, err);
	if (r < 0)
		return r;
	while (directory_at(directory, count))
		count++;
	auto_free struct sample *items = calloc(count + 1, sizeof *items);
	if (!items)
		return error_set(err, ENOMEM, "no memory for rates");
	for (size_t i = 0; r == 0 && i < count; i++) {
		items[i].who = *directory_at(directory, i);
		r = endpoint_traffic(dataplane, items[i].who.slot, &items[i].traffic, err);
	}
	if (r < 0)
		return r;
	*ret = (struct samples){ TAKE(items), count, clock_monotonic_ms() };
	return 0;
}

static const struct sample *find_sample(const struct samples *samples, const struct sample *wanted)
{
	for (size_t i = 0; i < samples->count; i++)
		if (samples->items[i].who.slot == wanted->who.slot &&
		    samples->items[i].who.generation == wanted->who.generation)
			return &samples->items[i];
	return NULL;
}

static uint64_t per_second(uint64_t now, uint64_t before, uint64_t ms)
{
	return now > before && ms ? (now - before) * 1000 / ms : 0;
}

static void fill_rates(struct samples *now, const struct samples *before)
{
	uint64_t ms = now->at_ms - before->at_ms;
	for (size_t i = 0; i < now->count; i++) {
		struct sample *sample = &now->items[i];
		const struct sample *old = find_sample(before, sample);
		struct endpoint_traffic zero = { 0 };
		const struct endpoint_traffic *then = old ? &old->traffic : &zero;
		const struct endpoint_traffic *t = &sample->traffic;
		sample->rate = (struct endpoint_traffic){
			.tx_packets = per_second(t->tx_packets, then->tx_packets, ms),
			.tx_bytes = per_second(t->tx_bytes, then->tx_bytes, ms),
			.rx_packets = per_second(t->rx_packets, then->rx_packets, ms),
			.rx_bytes = per_second(t->rx_bytes, then->rx_bytes, ms),
		};
	}
}

static int compare_rates(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;
	uint64_t left = x->rate.tx_bytes + x->rate.rx_bytes;
	uint64_t right = y->rate.tx_bytes + y->rate.rx_bytes;
	return left > right ? -1 : left < right;
}

static void list_rate(struct listing *listing, const struct sample *sample)
{
	listing_text(listing, "%.48s", sample->who.name);
	listing_text(listing, "%s", sample->who.container_id);
	listing_text(listing, "%s", sample->who.network);
	listing_text(listing, "%s", size_format(sample->rate.tx_bytes).text);
	listing_text(listing, "%s", size_format(sample->rate.rx_bytes).text);
	listing_number(listing, sample->rate.tx_packets);
	listing_number(listing, sample->rate.rx_packets);
	listing_number(listing, sample->rate.tx_bytes);
	listing_number(listing, sample->rate.rx_bytes);
}

int rates_create(struct dataplane *dataplane, struct rates **ret_rates, struct error *err)
{
	AUTO(rates) rates = calloc(1, sizeof *rates);
	if (!rates)
		return error_set(err, ENOMEM, "no memory for rates");
	rates->dataplane = dataplane;
	int r = take_samples(dataplane, &rates->last, err);
	if (r < 0)
		return r;
	*ret_rates = TAKE(rates);
	return 0;
}

void rates_free(struct rates *rates)
{
	if (!rates)
		return;
	free(rates->last.items);
	free(rates);
}

int observe_rates(struct rates *rates, enum listing_format format, FILE *file, struct error *err)
{
	static const struct listing_column columns[] = {
		{ "CONTAINER", "container" },
		{ NULL, "containerId" },
		{ "NETWORK", "network" },
		{ "SENT/S", NULL },
		{ "RECEIVED/S", NULL },
		{ "PACKETS SENT/S", "sentPacketsPerSecond" },
		{ "PACKETS RECEIVED/S", "receivedPacketsPerSecond" },
		{ NULL, "sentBytesPerSecond" },
		{ NULL, "receivedBytesPerSecond" },
	};
	struct samples now;
	AUTO(listing) listing = NULL;
	int r = listing_create(format, columns, ARRAY_SIZE(columns), &listing, err);
	if (r == 0)
		r = take_samples(rates->dataplane, &now, err);
	if (r < 0)
		return r;
	fill_rates(&now, &rates->last);
	free(rates->last.items);
	rates->last = now;
	if (now.count)
		qsort(now.items, now.count, sizeof now.items[0], compare_rates);
	for (size_t i = 0; i < now.count; i++)
		list_rate(listing, &now.items[i]);
	return listing_print(listing, file, err);
}
