/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flow table for people: each entry is one direction of a flow. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "handle.h"
#include "map_walk.h"

static void format_state(const struct flow *flow, uint8_t protocol, char *ret_text, size_t size)
{
	const char *state =
		flow->state & FLOW_ANSWERED || flow->flags & FLOW_REPLY ? "answered" : "opening";
	if (protocol == IPPROTO_TCP && flow->state & FLOW_SEEN_RST)
		state = "reset";
	else if (protocol == IPPROTO_TCP && flow->state & FLOW_SEEN_FIN)
		state = "closing";
	else if (protocol == IPPROTO_TCP && flow->state & FLOW_ANSWERED)
		state = "established";
	snprintf(ret_text, size, "%s%s", state, flow->flags & FLOW_REPLY ? " (reply)" : "");
}

static struct flow_row row_of(const struct flow_key *key, const struct flow *flow, uint32_t now_s)
{
	struct flow_row row = {
		.source = ip_of_abi(key->source),
		.destination = ip_of_abi(key->destination),
		.source_port = ntohs(key->source_port),
		.destination_port = ntohs(key->destination_port),
		.new_source = ip_of_abi(flow->new_source),
		.new_destination = ip_of_abi(flow->new_destination),
		.new_source_port = ntohs(flow->new_source_port),
		.new_destination_port = ntohs(flow->new_destination_port),
		.protocol = key->protocol,
		.slot = flow->slot,
		.zone = key->zone,
		.packets = flow->packets,
		.bytes = flow->bytes,
		.idle_s = now_s > flow->seen ? now_s - flow->seen : 0,
	};
	format_state(flow, key->protocol, row.state, sizeof row.state);
	return row;
}

/* 1 if the endpoint of this generation is there; its flows are dead otherwise. */
static int is_alive(struct dataplane *dataplane, const struct flow *flow, struct error *err)
{
	struct slot slot;
	if (flow->slot == 0)
		return 1;
	int r = map_get(&dataplane->maps, MAP_SLOTS, &flow->slot, &slot, err);
	return r <= 0 ? r : slot.generation == flow->generation;
}

struct walk {
	struct dataplane *dataplane;
	uint32_t now_s;
	int (*visit)(const struct flow_row *row, void *context, struct error *err);
	void *context;
};

static int visit_entry(const void *key, const void *value, void *context, struct error *err)
{
	const struct walk *walk = context;
	const struct flow *flow = value;
	int r = is_alive(walk->dataplane, flow, err);
	if (r <= 0)
		return r;
	struct flow_row row = row_of(key, flow, walk->now_s);
	return walk->visit(&row, walk->context, err);
}

int flows_each(struct dataplane *dataplane,
	       int (*visit)(const struct flow_row *row, void *context, struct error *err),
	       void *context, struct error *err)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	struct walk walk = { .dataplane = dataplane,
			     .now_s = (uint32_t)now.tv_sec,
			     .visit = visit,
			     .context = context };
	int r = map_walk(&dataplane->maps, MAP_FLOWS, visit_entry, &walk, err);
	return r ? r : map_walk(&dataplane->maps, MAP_OPENING, visit_entry, &walk, err);
}
