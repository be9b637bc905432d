/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets made from words: who sends them decides which program meets them first. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach.h"
#include "entry_text.h"
#include "why_run.h"

#define CLIENT_PORT 40000
/* Reserved for documentation (RFC 5737, RFC 3849): nobody's. */
#define SOMEBODY_V4 "203.0.113.1"
#define SOMEBODY_V6 "2001:db8::1"

static int somebody_outside(struct ip like, struct ip *ret_address, struct error *err)
{
	bool v4 = ip_is_unset(like) || ip_is_v4(like);
	return ip_parse(v4 ? SOMEBODY_V4 : SOMEBODY_V6, ret_address, err);
}

static struct craft_spec craft_of(const struct inquiry *inquiry)
{
	return (struct craft_spec){ .source = inquiry->from.address,
				    .destination = inquiry->to.place.address,
				    .source_port = CLIENT_PORT,
				    .destination_port = inquiry->to.port,
				    .protocol = inquiry->to.protocol,
				    .tcp_flags = CRAFT_TCP_SYN };
}

/* Who sends in the network that it shares with the target, if there is one. */
static void meet_in_a_network(struct inquiry *inquiry)
{
	const struct directory_entry *from = inquiry->from.entry, *to = inquiry->to.place.entry;
	const struct directory_entry *shared;
	for (size_t i = 0; to && (shared = directory_at(inquiry->directory, i)); i++) {
		if (!text_equal(shared->container_id, to->container_id) ||
		    !ip_equal(inquiry->to.place.address, to->address))
			continue;
		const struct directory_entry *own =
			directory_by_word(inquiry->directory, from->container_id, shared->network);
		if (!own)
			continue;
		inquiry->from.entry = own;
		inquiry->from.address = own->address;
		inquiry->to.place.entry = shared;
		inquiry->to.place.address = shared->address;
		return;
	}
}

static int macs_of(struct inquiry *inquiry, const struct directory_entry *entry,
		   struct craft_spec *spec, struct network_info *ret_network, struct error *err)
{
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct store *store = dataplane_store(inquiry->dataplane);
	int r = endpoint_find(store, entry->container_id, entry->interface, &info, err);
	if (r > 0)
		r = network_find(store, entry->network, ret_network, err);
	if (r == 0)
		return error_set(err, ENOENT, "container %s has just gone", entry->name);
	spec->source_mac = info.mac;
	spec->destination_mac = ret_network->device_mac;
	return r < 0 ? r : 0;
}

static int ask_from_container(struct inquiry *inquiry, struct error *err)
{
	struct network_info network;
	struct craft_spec macs = { .protocol = 0 };
	meet_in_a_network(inquiry);
	int r = macs_of(inquiry, inquiry->from.entry, &macs, &network, err);
	if (r == 0 && ip_is_unset(inquiry->to.place.address))
		inquiry->to.place.address = network.spec.gateway;
	if (r == 0 && inquiry->to.place.kind == PLACE_OUTSIDE &&
	    ip_equal(inquiry->to.place.address, network.spec.gateway))
		r = somebody_outside(inquiry->from.address, &inquiry->to.place.address, err);
	if (r < 0)
		return r;
	struct craft_spec spec = craft_of(inquiry);
	spec.source_mac = macs.source_mac;
	spec.destination_mac = macs.destination_mac;
	r = craft_frame(&spec, &inquiry->run.frame, err);
	inquiry->run.ifindex = inquiry->from.entry->host_ifindex;
	return r < 0 ? r : inquiry_run(inquiry, PROGRAM_FROM_CONTAINER, err);
}

static int ask_from_outside(struct inquiry *inquiry, struct error *err)
{
	struct uplink_choice uplink;
	int r = uplink_choose(inquiry->dataplane, inquiry->to.place.address, &uplink, err);
	if (r == 0 && ip_is_unset(inquiry->to.place.address))
		inquiry->to.place.address = uplink.address;
	if (r == 0 && ip_is_unset(inquiry->from.address))
		r = somebody_outside(inquiry->to.place.address, &inquiry->from.address, err);
	if (r < 0)
		return r;
	struct craft_spec spec = craft_of(inquiry);
	spec.source_mac = (struct mac){ { 2, 0, 0, 0, 0, 1 } };
	spec.destination_mac = uplink.mac;
	r = craft_frame(&spec, &inquiry->run.frame, err);
	inquiry->run.ifindex = uplink.ifindex;
	return r < 0 ? r : inquiry_run(inquiry, PROGRAM_FROM_UPLINK, err);
}

/* As the socket hooks look a port up: the exact address, then any. */
static int find_publication(struct inquiry *inquiry, struct publication *ret, struct error *err)
{
	struct why_answer *answer = inquiry->answer;
	struct goal *to = &inquiry->to;
	struct ip any = to->place.address;
	memset(any.bytes + (ip_is_v4(any) ? 12 : 0), 0, ip_is_v4(any) ? 4 : 16);
	struct port_key key = { .address = abi_addr_of(to->place.address),
				.port = htons(to->port),
				.protocol = to->protocol };
	struct trace_event event = { .kind = TRACE_LOOKUP, .map = "ports" };
	int r = map_get(&inquiry->dataplane->maps, MAP_PORTS, &key, ret, err);
	if (r == 0) {
		key.address = abi_addr_of(any);
		r = map_get(&inquiry->dataplane->maps, MAP_PORTS, &key, ret, err);
	}
	if (r < 0)
		return r;
	memcpy(event.key, &key, sizeof key);
	memcpy(event.value, ret, r == 1 ? sizeof *ret : 0);
	event.has_value = r == 1;
	entry_describe(inquiry->directory, &event, answer->entry, sizeof answer->entry);
	snprintf(answer->stage, sizeof answer->stage, "socket_connect");
	inquiry_tell(inquiry, answer->stage, answer->entry);
	return r;
}

/* A socket of the host: led to the container at connect; then as any packet of the host. */
static int lead_host(struct inquiry *inquiry, struct error *err)
{
	struct publication publication = { 0 };
	struct goal *to = &inquiry->to;
	if (to->place.kind != PLACE_HOST || !to->port)
		return 0;
	int r = find_publication(inquiry, &publication, err);
	if (r <= 0)
		return r;
	to->place.address = ip_of_abi(publication.address);
	to->port = ntohs(publication.port);
	to->place.entry =
		directory_by_slot(inquiry->directory, publication.slot, publication.generation);
	to->place.kind = PLACE_CONTAINER;
	return 0;
}

static int ask_from_host(struct inquiry *inquiry, struct error *err)
{
	struct network_search search;
	struct why_answer *answer = inquiry->answer;
	if (ip_is_unset(inquiry->to.place.address) &&
	    ip_parse("127.0.0.1", &inquiry->to.place.address, err) < 0)
		return -EINVAL;
	snprintf(answer->packet, sizeof answer->packet, "of the host to %s:%u",
		 ip_format(inquiry->to.place.address).text, inquiry->to.port);
	int r = lead_host(inquiry, err);
	if (r == 0)
		r = inquiry_find_network(inquiry, inquiry->to.place.address, &search, err);
	if (r < 0)
		return r;
	if (!search.found) {
		answer->verdict = WHY_HOST;
		snprintf(answer->target, sizeof answer->target,
			 "the host's own stack: no program of wherry sees it");
		if (inquiry->to.place.kind == PLACE_HOST)
			snprintf(answer->change, sizeof answer->change,
				 "no container has published this port: wherry run -p %u:PORT …",
				 inquiry->to.port);
		return 0;
	}
	inquiry->from.address = search.info.spec.gateway;
	struct craft_spec spec = craft_of(inquiry);
	spec.source_mac = spec.destination_mac = search.info.device_mac;
	r = craft_frame(&spec, &inquiry->run.frame, err);
	inquiry->run.ifindex = search.info.device_ifindex;
	return r < 0 ? r : inquiry_run(inquiry, PROGRAM_TO_CONTAINER, err);
}

/* --- questions ----------------------------------------------------------------------------------
 */

int why_ask(struct dataplane *dataplane, const struct why_request *request,
	    struct why_answer *ret_answer, struct error *err)
{
	static int (*const asks[])(struct inquiry * inquiry, struct error * err) = {
		[PLACE_CONTAINER] = ask_from_container,
		[PLACE_HOST] = ask_from_host,
		[PLACE_OUTSIDE] = ask_from_outside,
	};
	AUTO(inquiry) inquiry = NULL;
	int r = inquiry_create(dataplane, ret_answer, &inquiry, err);
	if (r == 0 &&
	    place_parse(dataplane, inquiry->directory, request->from, &inquiry->from, err) < 0)
		return error_wrap(err, "--from");
	if (r == 0 && goal_parse(dataplane, inquiry->directory, request->to, &inquiry->to, err) < 0)
		return error_wrap(err, "--to");
	return r < 0 ? r : asks[inquiry->from.kind](inquiry, err);
}
