/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/connections.h"

#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "handle.h"
#include "map_walk.h"

static const char *const kinds[] = { "masqueraded", "published", "routed" };
static const char *const states[] = { "opening", "established", "closing",
				      "closed",  "reset",       "host-firewall" };

const char *connection_kind_name(enum connection_kind kind)
{
	return kinds[kind];
}

const char *connection_state_name(enum connection_state state)
{
	return states[state];
}

int connection_state_parse(const char *text, enum connection_state *ret_state, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		if (!text_equal(text, states[i]))
			continue;
		*ret_state = (enum connection_state)i;
		return 0;
	}
	return error_set(
		err, EINVAL,
		"%s is none of opening, established, closing, closed, reset, host-firewall", text);
}

struct walk {
	struct dataplane *dataplane;
	const struct connection_filter *filter;
	struct directory *directory;
	uint32_t now_s;
	int (*visit)(const struct connection_row *row, void *context, struct error *err);
	void *context;
};

static struct flow_key peer_key(const struct flow *flow, uint8_t protocol)
{
	return (struct flow_key){ .source = flow->new_destination,
				  .destination = flow->new_source,
				  .source_port = flow->new_destination_port,
				  .destination_port = flow->new_source_port,
				  .zone = flow->peer_zone,
				  .protocol = protocol };
}

static enum connection_state state_of(const struct flow *flow, uint8_t protocol)
{
	if (protocol == IPPROTO_TCP && (flow->state & (FLOW_SEEN_RST | FLOW_PEER_RST)))
		return CONNECTION_RESET;
	bool fin = flow->state & FLOW_SEEN_FIN, peer_fin = flow->state & FLOW_PEER_FIN;
	if (fin && peer_fin)
		return CONNECTION_CLOSED;
	if (fin || peer_fin)
		return CONNECTION_CLOSING;
	return flow->state & FLOW_ANSWERED ? CONNECTION_ESTABLISHED : CONNECTION_OPENING;
}

static uint32_t life_of(enum connection_state state, uint8_t protocol)
{
	static const uint32_t lives[] = {
		[CONNECTION_OPENING] = FLOW_LIFE_TCP_OPENING,
		[CONNECTION_ESTABLISHED] = FLOW_LIFE_TCP,
		[CONNECTION_CLOSING] = FLOW_LIFE_TCP,
		[CONNECTION_CLOSED] = FLOW_LIFE_TCP_CLOSING,
		[CONNECTION_RESET] = FLOW_LIFE_TCP_RESET,
	};
	if (protocol == IPPROTO_TCP)
		return lives[state];
	return protocol == IPPROTO_UDP ? FLOW_LIFE_UDP : FLOW_LIFE_ICMP;
}

static struct connection_end end_of(struct abi_addr address, __be16 port)
{
	return (struct connection_end){ .address = ip_of_abi(address), .port = ntohs(port) };
}

static uint32_t idle_of(const struct walk *walk, const struct flow *flow)
{
	return walk->now_s > flow->seen ? walk->now_s - flow->seen : 0;
}

static struct connection_row row_of(const struct walk *walk, const struct flow_key *key,
				    const struct flow *flow, const struct flow *reply)
{
	struct connection_row row = {
		.protocol = key->protocol,
		.kind = flow->action == FLOW_TO_UPLINK ? CONNECTION_MASQUERADED
						       : CONNECTION_PUBLISHED,
		.state = state_of(flow, key->protocol),
		.client = end_of(key->source, key->source_port),
		.server = end_of(key->destination, key->destination_port),
		.from = end_of(flow->new_source, flow->new_source_port),
		.to = end_of(flow->new_destination, flow->new_destination_port),
		.packets = flow->packets,
		.bytes = flow->bytes,
		.reply_packets = reply->packets,
		.reply_bytes = reply->bytes,
		.idle_s = idle_of(walk, flow),
		.answer_us = flow->state & FLOW_ANSWERED ? flow->answer_us : 0,
	};
	const struct directory_entry *owner =
		directory_by_slot(walk->directory, flow->slot, flow->generation);
	const struct directory_entry *peer =
		directory_by_slot(walk->directory, flow->peer_slot, flow->peer_generation);
	bool published = row.kind == CONNECTION_PUBLISHED;
	row.client.container = row.from.container = published ? peer : owner;
	row.server.container = row.to.container = published ? owner : peer;
	if (reply->packets && idle_of(walk, reply) < row.idle_s)
		row.idle_s = idle_of(walk, reply);
	if (memcmp(&flow->new_source, &key->source, sizeof key->source) == 0 &&
	    memcmp(&flow->new_destination, &key->destination, sizeof key->source) == 0)
		row.kind = CONNECTION_ROUTED;
	return row;
}

static bool end_matches(const struct connection_end *end, const struct connection_filter *filter)
{
	return (ip_is_unset(filter->address) || ip_equal(end->address, filter->address)) &&
	       (!filter->port || end->port == filter->port);
}

static bool is_container(const struct directory_entry *entry, const char *word)
{
	return entry &&
	       (text_equal(entry->name, word) || text_starts_with(entry->container_id, word));
}

static bool is_network(const struct directory_entry *entry, const char *network)
{
	return entry && text_equal(entry->network, network);
}

static bool is_wanted(const struct connection_row *row, const struct connection_filter *filter)
{
	const struct directory_entry *client = row->client.container, *server = row->to.container;

	if (filter->protocol && row->protocol != filter->protocol)
		return false;
	if (filter->has_state && row->state != filter->state)
		return false;
	if (filter->container && !is_container(client, filter->container) &&
	    !is_container(server, filter->container))
		return false;
	if (filter->network && !is_network(client, filter->network) &&
	    !is_network(server, filter->network))
		return false;
	return end_matches(&row->client, filter) || end_matches(&row->server, filter) ||
	       end_matches(&row->from, filter) || end_matches(&row->to, filter);
}

/* An endpoint that is gone has taken its flows with it. */
static bool has_endpoints(const struct walk *walk, const struct flow *flow)
{
	return (!flow->slot || directory_by_slot(walk->directory, flow->slot, flow->generation)) &&
	       (!flow->peer_slot ||
		directory_by_slot(walk->directory, flow->peer_slot, flow->peer_generation));
}

static int visit_flow(const void *flow_key, const void *value, void *context, struct error *err)
{
	const struct walk *walk = context;
	const struct flow_key *key = flow_key;
	const struct flow *flow = value;
	struct flow reply = { 0 };
	struct flow_key reverse = peer_key(flow, key->protocol);
	if ((flow->flags & FLOW_REPLY) || !has_endpoints(walk, flow))
		return 0;
	int r = map_get(&walk->dataplane->maps,
			flow->state & FLOW_OPENING ? MAP_OPENING : MAP_FLOWS, &reverse, &reply,
			err);
	if (r < 0)
		return r;
	struct connection_row row = row_of(walk, key, flow, &reply);
	if (row.idle_s > life_of(row.state, row.protocol))
		return 0;
	if ((flow->flags & FLOW_JUDGED) && (flow->state & FLOW_ASKED))
		row.state = CONNECTION_HOST_FIREWALL;
	if (!is_wanted(&row, walk->filter))
		return 0;
	return walk->visit(&row, walk->context, err);
}

int connections_each(struct dataplane *dataplane, const struct connection_filter *filter,
		     int (*visit)(const struct connection_row *row, void *context,
				  struct error *err),
		     void *context, struct error *err)
{
	struct timespec now;
	AUTO(directory) directory = NULL;
	int r = directory_load(dataplane->store, &directory, err);
	if (r < 0)
		return r;
	if (filter->container && !directory_by_word(directory, filter->container, NULL))
		return error_set(err, ENOENT, "no such container: %s", filter->container);
	clock_gettime(CLOCK_MONOTONIC, &now);
	struct walk walk = { .dataplane = dataplane,
			     .filter = filter,
			     .directory = directory,
			     .now_s = (uint32_t)now.tv_sec,
			     .visit = visit,
			     .context = context };
	r = map_walk(&dataplane->maps, MAP_FLOWS, visit_flow, &walk, err);
	return r ? r : map_walk(&dataplane->maps, MAP_OPENING, visit_flow, &walk, err);
}

int endpoint_traffic(struct dataplane *dataplane, uint32_t slot, struct endpoint_traffic *ret,
		     struct error *err)
{
	int cpus = libbpf_num_possible_cpus();
	if (cpus <= 0)
		return error_set(err, EIO, "cannot count the processors");
	auto_free struct slot_stats *stats = calloc((size_t)cpus, sizeof *stats);
	if (!stats)
		return error_set(err, ENOMEM, "no memory for counters");
	int r = map_get(&dataplane->maps, MAP_SLOT_STATS, &slot, stats, err);
	if (r < 0)
		return r;
	*ret = (struct endpoint_traffic){ 0 };
	for (int i = 0; i < cpus; i++) {
		ret->tx_packets += stats[i].tx_packets;
		ret->tx_bytes += stats[i].tx_bytes;
		ret->rx_packets += stats[i].rx_packets;
		ret->rx_bytes += stats[i].rx_bytes;
	}
	return 0;
}
