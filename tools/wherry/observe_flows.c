/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wherry flows` and `wherry ct`: connections as people see them, and as the table holds them. */
#include "observe_traffic.h"

#include <netinet/in.h>

#include "observe_names.h"

static void list_end(struct listing *listing, const struct connection_end *end)
{
	listing_text(listing, "%s", ip_format(end->address).text);
	listing_number(listing, end->port);
	listing_text(listing, "%s", end->container ? end->container->name : "");
	listing_text(listing, "%s", end->container ? end->container->container_id : "");
}

/* The container by its name, others by their address. */
static struct where_text name_end(const struct connection_end *end, struct ip asked)
{
	struct where_text text;
	if (!end->container || !ip_equal(end->address, asked))
		return where_format(asked, end->port);
	snprintf(text.text, sizeof text.text, "%.48s:%u", end->container->name, end->port);
	return text;
}

static struct where_text describe_translation(const struct connection_row *row)
{
	struct where_text text = { "" };
	struct where_text target = name_end(&row->to, row->to.address);
	if (row->kind == CONNECTION_MASQUERADED)
		return where_format(row->from.address, row->from.port);
	if (row->kind == CONNECTION_PUBLISHED)
		snprintf(text.text, sizeof text.text, "%s", target.text);
	return text;
}

static const char *network_of(const struct connection_row *row)
{
	if (row->kind == CONNECTION_PUBLISHED && row->to.container)
		return row->to.container->network;
	return row->client.container ? row->client.container->network : "";
}

static int list_connection(const struct connection_row *row, void *context, struct error *err)
{
	struct listing *listing = context;
	(void)err;
	listing_text(listing, "%s", protocol_text(row->protocol));
	listing_text(listing, "%s", name_end(&row->client, row->client.address).text);
	listing_text(listing, "%s", where_format(row->server.address, row->server.port).text);
	listing_text(listing, "%s", connection_kind_name(row->kind));
	listing_text(listing, "%s", describe_translation(row).text);
	listing_text(listing, "%s", connection_state_name(row->state));
	listing_text(listing, "%s", size_format(row->bytes).text);
	listing_text(listing, "%s", size_format(row->reply_bytes).text);
	listing_text(listing, "%s", row->answer_us ? time_us_format(row->answer_us).text : "");
	listing_number(listing, row->idle_s);
	listing_text(listing, "%s", network_of(row));
	list_end(listing, &row->client);
	list_end(listing, &row->server);
	list_end(listing, &row->from);
	list_end(listing, &row->to);
	listing_number(listing, row->packets);
	listing_number(listing, row->bytes);
	listing_number(listing, row->reply_packets);
	listing_number(listing, row->reply_bytes);
	listing_number(listing, row->answer_us);
	return 0;
}

#define END_COLUMNS(name)                                                       \
	{ NULL, name "Ip" }, { NULL, name "Port" }, { NULL, name "Container" }, \
	{                                                                       \
		NULL, name "ContainerId"                                        \
	}

int observe_connections(struct dataplane *dataplane, const struct connection_filter *filter,
			enum listing_format format, FILE *file, struct error *err)
{
	static const struct listing_column columns[] = {
		{ "PROTOCOL", "protocol" },
		{ "CLIENT", NULL },
		{ "SERVER", NULL },
		{ "KIND", "kind" },
		{ "AS", NULL },
		{ "STATE", "state" },
		{ "SENT", NULL },
		{ "RECEIVED", NULL },
		{ "ANSWER", NULL },
		{ "IDLE", "idleSeconds" },
		{ NULL, "network" },
		END_COLUMNS("client"),
		END_COLUMNS("server"),
		END_COLUMNS("translatedClient"),
		END_COLUMNS("translatedServer"),
		{ NULL, "packets" },
		{ NULL, "bytes" },
		{ NULL, "replyPackets" },
		{ NULL, "replyBytes" },
		{ NULL, "answerMicroseconds" },
	};
	AUTO(listing) listing = NULL;
	int r = listing_create(format, columns, ARRAY_SIZE(columns), &listing, err);
	if (r == 0)
		r = connections_each(dataplane, filter, list_connection, listing, err);
	return r < 0 ? r : listing_print(listing, file, err);
}

static int list_entry(const struct flow_row *row, void *context, struct error *err)
{
	struct listing *listing = context;
	(void)err;
	listing_text(listing, "%s", protocol_text(row->protocol));
	listing_number(listing, row->zone);
	listing_text(listing, "%s", where_format(row->source, row->source_port).text);
	listing_text(listing, "%s", where_format(row->destination, row->destination_port).text);
	listing_text(listing, "%s", where_format(row->new_source, row->new_source_port).text);
	listing_text(listing, "%s",
		     where_format(row->new_destination, row->new_destination_port).text);
	listing_text(listing, "%s", row->state);
	listing_number(listing, row->slot);
	listing_number(listing, row->packets);
	listing_number(listing, row->bytes);
	listing_number(listing, row->idle_s);
	return 0;
}

int observe_entries(struct dataplane *dataplane, enum listing_format format, FILE *file,
		    struct error *err)
{
	static const struct listing_column columns[] = {
		{ "PROTOCOL", "protocol" },
		{ "ZONE", "zone" },
		{ "SOURCE", "source" },
		{ "DESTINATION", "destination" },
		{ "SOURCE BEHIND", "newSource" },
		{ "DESTINATION BEHIND", "newDestination" },
		{ "STATE", "state" },
		{ "SLOT", "slot" },
		{ "PACKETS", "packets" },
		{ "BYTES", "bytes" },
		{ "IDLE", "idleSeconds" },
	};
	AUTO(listing) listing = NULL;
	int r = listing_create(format, columns, ARRAY_SIZE(columns), &listing, err);
	if (r == 0)
		r = flows_each(dataplane, list_entry, listing, err);
	return r < 0 ? r : listing_print(listing, file, err);
}
