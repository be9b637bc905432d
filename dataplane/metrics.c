/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "dataplane/connections.h"
#include "dataplane/inventory.h"
#include "latency.h"

#define DROP_SERIES_MAX 4096
#define LABEL_MAX (2 * CONTAINER_ID_MAX)

/* --- the text format ------------------------------------------------------------------ */

static void put_head(struct text *text, const char *name, const char *type, const char *help)
{
	text_append(text, "# HELP wherry_%s %s\n# TYPE wherry_%s %s\n", name, help, name, type);
}

/* A label's value may hold anything; three bytes are written in two. */
static const char *escape(const char *value, char ret_text[LABEL_MAX])
{
	size_t at = 0;
	for (; *value && at + 3 < LABEL_MAX; value++) {
		if (*value == '"' || *value == '\\' || *value == '\n')
			ret_text[at++] = '\\';
		ret_text[at++] = *value == '\n' ? 'n' : *value;
	}
	ret_text[at] = '\0';
	return ret_text;
}

/* --- endpoints and networks --------------------------------------------------------------- */

struct series {
	const char *container, *network; /* lent */
	struct endpoint_traffic traffic;
	uint64_t endpoints;
};
struct series_list {
	struct series *items;
	size_t count;
};

static uint64_t carried_by(const struct series *series)
{
	return series->traffic.tx_bytes + series->traffic.rx_bytes;
}

static int compare_bytes(const void *a, const void *b)
{
	uint64_t left = carried_by(a), right = carried_by(b);
	return left > right ? -1 : left < right;
}

static void add_traffic(struct series *to, const struct series *from)
{
	to->traffic.tx_packets += from->traffic.tx_packets;
	to->traffic.tx_bytes += from->traffic.tx_bytes;
	to->traffic.rx_packets += from->traffic.rx_packets;
	to->traffic.rx_bytes += from->traffic.rx_bytes;
	to->endpoints++;
}

static int read_endpoints(struct dataplane *dataplane, const struct directory *directory,
			  struct series_list *ret, struct error *err)
{
	size_t count = 0;
	int r = 0;
	while (directory_at(directory, count))
		count++;
	auto_free struct series *items = calloc(count + 1, sizeof *items);
	if (!items)
		return error_set(err, ENOMEM, "no memory for metrics");
	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct directory_entry *entry = directory_at(directory, i);
		items[i].container = entry->name;
		items[i].network = entry->network;
		r = endpoint_traffic(dataplane, entry->slot, &items[i].traffic, err);
	}
	if (r < 0)
		return r;
	*ret = (struct series_list){ TAKE(items), count };
	return 0;
}

/* The busiest stay; the rest becomes one without a name. */
static void bound_endpoints(struct series_list *list)
{
	if (list->count)
		qsort(list->items, list->count, sizeof list->items[0], compare_bytes);
	if (list->count <= METRICS_ENDPOINTS_MAX)
		return;
	struct series *rest = &list->items[METRICS_ENDPOINTS_MAX];
	for (size_t i = METRICS_ENDPOINTS_MAX + 1; i < list->count; i++)
		add_traffic(rest, &list->items[i]);
	rest->container = rest->network = "";
	list->count = METRICS_ENDPOINTS_MAX + 1;
}

static int sum_networks(const struct series_list *endpoints, struct series_list *ret,
			struct error *err)
{
	struct series *items = calloc(METRICS_NETWORKS_MAX + 1, sizeof *items);
	size_t count = 0;
	if (!items)
		return error_set(err, ENOMEM, "no memory for metrics");
	for (size_t i = 0; i < endpoints->count; i++) {
		size_t at = 0;
		while (at < count && !text_equal(items[at].network, endpoints->items[i].network))
			at++;
		if (at == count && count <= METRICS_NETWORKS_MAX) {
			bool rest = count == METRICS_NETWORKS_MAX;
			items[count++].network = rest ? "" : endpoints->items[i].network;
		}
		add_traffic(&items[at < count ? at : count - 1], &endpoints->items[i]);
	}
	*ret = (struct series_list){ items, count };
	return 0;
}

static void put_labels(struct text *text, const struct series *series)
{
	char container[LABEL_MAX], network[LABEL_MAX];
	escape(series->network, network);
	if (series->container)
		text_append(text, "{container=\"%s\",network=\"%s\"}",
			    escape(series->container, container), network);
	else
		text_append(text, "{network=\"%s\"}", network);
}

static void put_traffic(struct text *text, const struct series_list *list, const char *of)
{
	static const struct {
		const char *name, *help;
		size_t offset;
	} kinds[] = {
		{ "transmit_packets_total", "Packets sent by containers.",
		  offsetof(struct endpoint_traffic, tx_packets) },
		{ "transmit_bytes_total", "Bytes sent by containers.",
		  offsetof(struct endpoint_traffic, tx_bytes) },
		{ "receive_packets_total", "Packets delivered to containers.",
		  offsetof(struct endpoint_traffic, rx_packets) },
		{ "receive_bytes_total", "Bytes delivered to containers.",
		  offsetof(struct endpoint_traffic, rx_bytes) },
	};
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		char name[64];
		snprintf(name, sizeof name, "%s_%s", of, kinds[k].name);
		put_head(text, name, "counter", kinds[k].help);
		for (size_t i = 0; i < list->count; i++) {
			uint64_t value;
			memcpy(&value, (const char *)&list->items[i].traffic + kinds[k].offset,
			       sizeof value);
			text_append(text, "wherry_%s", name);
			put_labels(text, &list->items[i]);
			text_append(text, " %llu\n", (unsigned long long)value);
		}
	}
}

static int put_endpoints(struct dataplane *dataplane, const struct directory *directory,
			 struct text *text, struct error *err)
{
	struct series_list endpoints = { 0 }, networks = { 0 };
	int r = read_endpoints(dataplane, directory, &endpoints, err);
	if (r == 0)
		r = sum_networks(&endpoints, &networks, err);
	if (r == 0) {
		put_head(text, "network_endpoints", "gauge", "Endpoints of a network.");
		for (size_t i = 0; i < networks.count; i++) {
			text_append(text, "wherry_network_endpoints");
			put_labels(text, &networks.items[i]);
			text_append(text, " %llu\n",
				    (unsigned long long)networks.items[i].endpoints);
		}
		put_traffic(text, &networks, "network");
		bound_endpoints(&endpoints);
		put_traffic(text, &endpoints, "endpoint");
	}
	free(endpoints.items);
	free(networks.items);
	return r;
}

/* --- drops ------------------------------------------------------------------------------- */

struct drop_series {
	const char *reason;
	char network[NETWORK_NAME_MAX];
	uint64_t packets, bytes;
};
struct drop_list {
	struct drop_series *items;
	size_t count;
};

static int add_drop(const struct drop_row *row, void *context, struct error *err)
{
	struct drop_list *list = context;
	size_t at = 0;
	(void)err;
	while (at < list->count && !(text_equal(list->items[at].reason, row->reason) &&
				     text_equal(list->items[at].network, row->network)))
		at++;
	if (at == DROP_SERIES_MAX)
		at--;
	if (at == list->count) {
		list->count++;
		list->items[at].reason = row->reason;
		snprintf(list->items[at].network, NETWORK_NAME_MAX, "%s", row->network);
	}
	list->items[at].packets += row->packets;
	list->items[at].bytes += row->bytes;
	return 0;
}

static void put_drop_kind(struct text *text, const struct drop_list *list, const char *name,
			  bool bytes)
{
	char network[LABEL_MAX];
	for (size_t i = 0; i < list->count; i++)
		text_append(text, "wherry_%s{reason=\"%s\",network=\"%s\"} %llu\n", name,
			    list->items[i].reason, escape(list->items[i].network, network),
			    (unsigned long long)(bytes ? list->items[i].bytes
						       : list->items[i].packets));
}

static int put_drops(struct dataplane *dataplane, struct text *text, struct error *err)
{
	auto_free struct drop_series *items = calloc(DROP_SERIES_MAX, sizeof *items);
	struct drop_list list = { .items = items };
	if (!items)
		return error_set(err, ENOMEM, "no memory for metrics");
	int r = drops_each(dataplane, add_drop, &list, err);
	if (r < 0)
		return r;
	put_head(text, "dropped_packets_total", "counter",
		 "Packets dropped, by reason and network of the endpoint.");
	put_drop_kind(text, &list, "dropped_packets_total", false);
	put_head(text, "dropped_bytes_total", "counter",
		 "Bytes dropped, by reason and network of the endpoint.");
	put_drop_kind(text, &list, "dropped_bytes_total", true);
	return 0;
}

/* --- tables and ADD ----------------------------------------------------------------------- */

static int put_table(const struct map_row *row, void *context, struct error *err)
{
	struct text *both = context;
	(void)err;
	text_append(&both[0], "wherry_table_entries{table=\"%s\"} %u\n", row->name, row->entries);
	text_append(&both[1], "wherry_table_entries_max{table=\"%s\"} %u\n", row->name,
		    row->entries_max);
	return 0;
}

static int put_tables(struct dataplane *dataplane, struct text *text, struct error *err)
{
	struct text both[2] = { { 0 }, { 0 } };
	int r = maps_each(&dataplane->instance, put_table, both, err);
	if (r == 0) {
		put_head(text, "table_entries", "gauge", "Entries of a kernel table.");
		text_append_bytes(text, both[0].data, both[0].size);
		put_head(text, "table_entries_max", "gauge", "Entries that the table can hold.");
		text_append_bytes(text, both[1].data, both[1].size);
	}
	text_free(&both[0]);
	text_free(&both[1]);
	return r;
}

static int put_latency(struct dataplane *dataplane, struct text *text, struct error *err)
{
	uint64_t cells[LATENCY_CELLS];
	int r = latency_read(dataplane, cells, err);
	if (r < 0)
		return r;
	put_head(text, "add_duration_seconds", "histogram",
		 "How long adding an endpoint took, until its first packet passes.");
	for (int i = 0; i < LATENCY_BUCKETS - 1; i++)
		text_append(text, "wherry_add_duration_seconds_bucket{le=\"%g\"} %llu\n",
			    LATENCY_FIRST_US * (double)(1u << i) / 1e6,
			    (unsigned long long)cells[i]);
	text_append(text, "wherry_add_duration_seconds_bucket{le=\"+Inf\"} %llu\n",
		    (unsigned long long)cells[LATENCY_BUCKETS - 1]);
	text_append(text, "wherry_add_duration_seconds_sum %.6f\n",
		    (double)cells[LATENCY_SUM_US] / 1e6);
	text_append(text, "wherry_add_duration_seconds_count %llu\n",
		    (unsigned long long)cells[LATENCY_COUNT]);
	put_head(text, "add_failures_total", "counter", "Endpoints that could not be added.");
	text_append(text, "wherry_add_failures_total %llu\n",
		    (unsigned long long)cells[LATENCY_FAILURES]);
	return 0;
}

int metrics_format(struct dataplane *dataplane, char **ret_text, struct error *err)
{
	auto_text text = { 0 };
	AUTO(directory) directory = NULL;
	int r = directory_load(dataplane->store, &directory, err);
	put_head(&text, "build_info", "gauge", "The version that answers.");
	text_append(&text, "wherry_build_info{version=\"" WHERRY_VERSION "\"} 1\n");
	if (r == 0)
		r = put_endpoints(dataplane, directory, &text, err);
	if (r == 0)
		r = put_drops(dataplane, &text, err);
	if (r == 0)
		r = put_tables(dataplane, &text, err);
	if (r == 0)
		r = put_latency(dataplane, &text, err);
	return r < 0 ? r : text_take(&text, ret_text, err);
}

int metrics_place(const struct instance *instance, struct ip *ret_address, uint16_t *ret_port,
		  struct error *err)
{
	char host[IP_TEXT_MAX + 4];
	const char *text = NULL;
	auto_config config = { 0 };
	struct error ignored;
	uint64_t port = 0;
	int r = config_read(instance, &config, err);
	if (r <= 0)
		return r;
	struct json_at root = config_root(&config);
	r = json_get_string(&root, "metrics", JSON_OPTIONAL, &text, err);
	if (r < 0 || !text)
		return r < 0 ? r : 0;
	const char *colon = strrchr(text, ':');
	size_t size = colon ? (size_t)(colon - text) : 0;
	bool bracket = size > 2 && text[0] == '[' && text[size - 1] == ']';
	if (size && size < sizeof host) {
		memcpy(host, text + bracket, size - 2 * bracket);
		host[size - 2 * bracket] = '\0';
	}
	if (!size || size >= sizeof host || ip_parse(host, ret_address, &ignored) < 0 ||
	    !ip_is_loopback(*ret_address) || text_to_unsigned(colon + 1, 1, UINT16_MAX, &port) < 0)
		return json_error(&root, err, EINVAL,
				  "metrics \"%s\" is no 127.0.0.1:PORT or [::1]:PORT", text);
	*ret_port = (uint16_t)port;
	return 1;
}
