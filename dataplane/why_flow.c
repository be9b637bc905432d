/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets of a flow that is there, and packets that were recorded. */
#include <errno.h>
#include <string.h>

#include "attach.h"
#include "dataplane/connections.h"
#include "why_run.h"

#define CRAFT_CLIENT_MAC                 \
	{                                \
		{                        \
			2, 0, 0, 0, 0, 1 \
		}                        \
	}

/* Copies: a visited row is lent. */
struct ends {
	struct connection_row row;
	struct directory_entry client, server; /* containers; slot 0: none */
	struct ip address;
	uint16_t port;
	bool found;
};

static int keep_if_it_is(const struct connection_row *row, void *context, struct error *err)
{
	struct ends *ends = context;
	(void)err;
	if (row->server.port != ends->port || !ip_equal(row->server.address, ends->address))
		return 0;
	ends->row = *row;
	if (row->client.container)
		ends->client = *row->client.container;
	if (row->to.container)
		ends->server = *row->to.container;
	ends->found = true;
	return 1;
}

static int find_flow(struct dataplane *dataplane, const char *client, const char *server,
		     struct ends *ret_ends, struct error *err)
{
	struct connection_filter filter = { 0 };
	*ret_ends = (struct ends){ 0 };
	int r = end_parse(client, &filter.address, &filter.port, err);
	if (r == 0)
		r = end_parse(server, &ret_ends->address, &ret_ends->port, err);
	if (r == 0)
		r = connections_each(dataplane, &filter, keep_if_it_is, ret_ends, err);
	if (r >= 0 && !ret_ends->found)
		return error_set(err, ENOENT,
				 "no flow from %s to %s is known: wherry flows lists them", client,
				 server);
	return r < 0 ? r : 0;
}

struct sending {
	const struct connection_end *source, *destination;
	const struct directory_entry *container; /* slot 0: outside */
	bool reply;
};

static int place_sender(struct inquiry *inquiry, const struct sending *sending,
			struct craft_spec *spec, const char **ret_program, struct error *err)
{
	struct uplink_choice uplink;
	if (sending->container->slot) {
		struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
		struct network_info network;
		struct store *store = dataplane_store(inquiry->dataplane);
		int r = endpoint_find(store, sending->container->container_id,
				      sending->container->interface, &info, err);
		if (r > 0)
			r = network_find(store, info.network, &network, err);
		if (r <= 0)
			return r < 0 ? r : error_set(err, ENOENT, "the container has just gone");
		spec->source_mac = info.mac;
		spec->destination_mac = network.device_mac;
		inquiry->run.ifindex = info.host_ifindex;
		*ret_program = PROGRAM_FROM_CONTAINER;
		return 0;
	}
	int r = uplink_choose(inquiry->dataplane, sending->destination->address, &uplink, err);
	if (r < 0)
		return r;
	spec->source_mac = (struct mac)CRAFT_CLIENT_MAC;
	spec->destination_mac = uplink.mac;
	inquiry->run.ifindex = uplink.ifindex;
	*ret_program = PROGRAM_FROM_UPLINK;
	return 0;
}

static int ask_direction(struct dataplane *dataplane, const struct sending *sending,
			 uint8_t protocol, struct why_answer *ret_answer, struct error *err)
{
	const char *program = NULL;
	AUTO(inquiry) inquiry = NULL;
	struct craft_spec spec = { .source = sending->source->address,
				   .destination = sending->destination->address,
				   .source_port = sending->source->port,
				   .destination_port = sending->destination->port,
				   .protocol = protocol,
				   .tcp_flags = CRAFT_TCP_ACK,
				   .reply = sending->reply };
	int r = inquiry_create(dataplane, ret_answer, &inquiry, err);
	if (r == 0)
		r = place_sender(inquiry, sending, &spec, &program, err);
	if (r == 0)
		r = craft_frame(&spec, &inquiry->run.frame, err);
	if (r < 0)
		return r;
	inquiry->from.kind = sending->container->slot ? PLACE_CONTAINER : PLACE_OUTSIDE;
	inquiry->to.port = spec.destination_port;
	return inquiry_run(inquiry, program, err);
}

int why_flow(struct dataplane *dataplane, const char *client, const char *server,
	     struct why_answer ret_answers[2], struct error *err)
{
	struct ends ends;
	int r = find_flow(dataplane, client, server, &ends, err);
	if (r < 0)
		return r;
	struct sending forward = { &ends.row.client, &ends.row.server, &ends.client, false };
	struct sending back = { &ends.row.to, &ends.row.from, &ends.server, true };
	r = ask_direction(dataplane, &forward, ends.row.protocol, &ret_answers[0], err);
	return r < 0 ? r : ask_direction(dataplane, &back, ends.row.protocol, &ret_answers[1], err);
}

int why_frame(struct dataplane *dataplane, const char *from, const uint8_t *bytes, size_t size,
	      struct why_answer *ret_answer, struct error *err)
{
	struct uplink_choice uplink;
	AUTO(inquiry) inquiry = NULL;
	if (size < 14 || size > SIMULATION_FRAME_MAX)
		return error_set(err, EINVAL, "a frame has 14 to %d bytes, not %zu",
				 SIMULATION_FRAME_MAX, size);
	int r = inquiry_create(dataplane, ret_answer, &inquiry, err);
	if (r == 0 && place_parse(dataplane, inquiry->directory, from, &inquiry->from, err) < 0)
		return error_wrap(err, "--from");
	if (r < 0)
		return r;
	memcpy(inquiry->run.frame.bytes, bytes, size);
	inquiry->run.frame.size = (uint32_t)size;
	struct craft_view view = craft_look(bytes, size);
	inquiry->to.port = view.destination_port;
	inquiry->to.place.address = view.destination;
	if (inquiry->from.kind == PLACE_CONTAINER) {
		inquiry->run.ifindex = inquiry->from.entry->host_ifindex;
		return inquiry_run(inquiry, PROGRAM_FROM_CONTAINER, err);
	}
	if (inquiry->from.kind == PLACE_HOST)
		return error_set(err, EINVAL, "--from: frames are of a container or outside");
	r = uplink_choose(dataplane, view.destination, &uplink, err);
	inquiry->run.ifindex = uplink.ifindex;
	return r < 0 ? r : inquiry_run(inquiry, PROGRAM_FROM_UPLINK, err);
}
