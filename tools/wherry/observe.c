/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe.h"

#include <errno.h>
#include <netinet/in.h>

#include "dataplane/inventory.h"
#include "observe_names.h"

#define ID_SHOWN 12 /* characters of a container's id, as Docker shows it */

/* What a walk carries. */
struct walk {
	struct listing *listing;
	struct store *store;
};

static int take_first_name(const struct endpoint_info *info, void *context, struct error *err)
{
	(void)err;
	if (!info->names.count)
		return 0;
	snprintf(context, CONTAINER_ID_MAX, "%s", info->names.items[0]);
	return 1;
}

/* The container's name where it has one, else the beginning of its id. */
static void listing_container(const struct walk *walk, const char *container_id)
{
	char name[CONTAINER_ID_MAX] = "";
	struct error ignored;
	if (container_id[0] && walk->store &&
	    endpoint_each(walk->store, container_id, NULL, take_first_name, name, &ignored) == 1)
		listing_text(walk->listing, "%s", name);
	else
		listing_text(walk->listing, "%.*s", ID_SHOWN, container_id);
}

/* --- ports -------------------------------------------------------------------- */

static void listing_range(struct listing *listing, unsigned first, unsigned count)
{
	if (count > 1)
		listing_text(listing, "%u-%u", first, first + count - 1);
	else
		listing_text(listing, "%u", first);
}

static int list_port(const struct port_row *row, void *context, struct error *err)
{
	struct walk *walk = context;
	(void)err;
	listing_text(walk->listing, "%s", ip_format(row->host_ip).text);
	listing_range(walk->listing, row->host_port, row->count);
	listing_text(walk->listing, "%s", protocol_text(row->protocol));
	listing_container(walk, row->container_id);
	listing_text(walk->listing, "%s", row->container_id);
	listing_text(walk->listing, "%s", row->network);
	listing_text(walk->listing, "%s", ip_format(row->container_ip).text);
	listing_range(walk->listing, row->container_port, row->count);
	return 0;
}

int observe_ports(struct store *store, enum listing_format format, FILE *file, struct error *err)
{
	static const struct listing_column columns[] = {
		{ "ADDRESS", "hostIp" },     { "PORT", "hostPort" },
		{ "PROTOCOL", "protocol" },  { "CONTAINER", "container" },
		{ NULL, "containerId" },     { "NETWORK", "network" },
		{ "TARGET", "containerIp" }, { "TARGET PORT", "containerPort" },
	};
	AUTO(listing) listing = NULL;
	int r = listing_create(format, columns, ARRAY_SIZE(columns), &listing, err);
	if (r < 0)
		return r;
	struct walk walk = { .listing = listing, .store = store };
	r = ports_each(store, list_port, &walk, err);
	return r < 0 ? r : listing_print(listing, file, err);
}

/* Who may come from outside the host; the host itself and the port's own network always may. */
static void list_clients(struct listing *listing, const struct port_row *row)
{
	const char *firewall = row->respects ? ", as far as the host's forward rules allow" : "";
	auto_text clients = { 0 };
	for (size_t i = 0; i < row->publish_from_count; i++)
		if (ip_is_v4(row->publish_from[i].ip) == (row->family == PUBLISH_IPV4))
			text_append(&clients, "%s%s", clients.size ? "," : "",
				    prefix_format(row->publish_from[i]).text);
	if (ip_is_loopback(row->host_ip)) {
		listing_text(listing, "host");
		listing_text(listing, "published at a loopback address");
	} else if (row->publish_from_count > 0 && !clients.size) {
		listing_text(listing, "host");
		listing_text(listing, "--publish-from names no client of IPv%u", row->family);
	} else if (row->publish_from_count > 0) {
		listing_text(listing, "%s", clients.data);
		listing_text(listing, "--publish-from, or publishFrom of the configuration%s",
			     firewall);
	} else if (ip_is_unset(row->host_ip)) {
		listing_text(listing, "world");
		listing_text(listing, "published at every address of the host, for everybody%s",
			     firewall);
	} else {
		listing_text(listing, "world");
		listing_text(listing, "published for everybody who reaches this address%s",
			     firewall);
	}
}

static int list_exposure(const struct port_row *row, void *context, struct error *err)
{
	struct walk *walk = context;
	(void)err;
	listing_text(walk->listing, "%s", ip_format(row->host_ip).text);
	listing_range(walk->listing, row->host_port, row->count);
	listing_text(walk->listing, "%s", protocol_text(row->protocol));
	listing_container(walk, row->container_id);
	listing_text(walk->listing, "%s", row->container_id);
	list_clients(walk->listing, row);
	return 0;
}

int observe_exposure(struct store *store, enum listing_format format, FILE *file, struct error *err)
{
	static const struct listing_column columns[] = {
		{ "ADDRESS", "hostIp" },    { "PORT", "hostPort" },
		{ "PROTOCOL", "protocol" }, { "CONTAINER", "container" },
		{ NULL, "containerId" },    { "REACHED BY", "reachedBy" },
		{ "WHY", "why" },
	};
	AUTO(listing) listing = NULL;
	int r = listing_create(format, columns, ARRAY_SIZE(columns), &listing, err);
	if (r < 0)
		return r;
	struct walk walk = { .listing = listing, .store = store };
	r = ports_each(store, list_exposure, &walk, err);
	return r < 0 ? r : listing_print(listing, file, err);
}

/* --- maps, doctor ------------------------------------------------------------------- */

static int list_map(const struct map_row *row, void *context, struct error *err)
{
	struct walk *walk = context;
	(void)err;
	listing_text(walk->listing, "%s", row->name);
	listing_text(walk->listing, "%s", row->kind);
	listing_number(walk->listing, row->entries);
	listing_number(walk->listing, row->entries_max);
	listing_number(walk->listing, row->key_size);
	listing_number(walk->listing, row->value_size);
	listing_number(walk->listing, row->id);
	return 0;
}

int observe_maps(const struct instance *instance, enum listing_format format, FILE *file,
		 struct error *err)
{
	static const struct listing_column columns[] = {
		{ "MAP", "name" },
		{ "KIND", "kind" },
		{ "ENTRIES", "entries" },
		{ "LIMIT", "entriesMax" },
		{ "KEY BYTES", "keySize" },
		{ "VALUE BYTES", "valueSize" },
		{ "ID", "id" },
	};
	AUTO(listing) listing = NULL;
	int r = listing_create(format, columns, ARRAY_SIZE(columns), &listing, err);
	if (r < 0)
		return r;
	struct walk walk = { .listing = listing };
	r = maps_each(instance, list_map, &walk, err);
	return r < 0 ? r : listing_print(listing, file, err);
}

struct examination {
	struct listing *listing;
	bool failed;
};

static int list_finding(enum doctor_level level, const char *subject, const char *finding,
			void *context, struct error *err)
{
	static const char *const words[] = { "ok", "warning", "failure" };
	struct examination *examination = context;
	(void)err;
	listing_text(examination->listing, "%s", words[level]);
	listing_text(examination->listing, "%s", subject);
	listing_text(examination->listing, "%s", finding);
	examination->failed |= level == DOCTOR_FAILURE;
	return 0;
}

int observe_doctor(const struct instance *instance, enum listing_format format, FILE *file,
		   struct error *err)
{
	static const struct listing_column columns[] = { { "RESULT", "result" },
							 { "SUBJECT", "subject" },
							 { "FINDING", "finding" } };
	AUTO(listing) listing = NULL;
	int r = listing_create(format, columns, ARRAY_SIZE(columns), &listing, err);
	if (r < 0)
		return r;
	struct examination examination = { .listing = listing };
	r = doctor_each(instance, list_finding, &examination, err);
	if (r == 0)
		r = listing_print(listing, file, err);
	return r < 0 ? r : examination.failed;
}
