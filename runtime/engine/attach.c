/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "attach.h"

#include <errno.h>
#include <string.h>

#include "attach_lease.h"
#include "attach_route.h"
#include "publish.h"

#define NAMES_MAX ENDPOINT_NAMES_MAX
#define LINKS_MAX 64

/* Texts and lists that an endpoint_spec points into. */
struct endpoint_draft {
	struct words names;
	struct endpoint_link links[LINKS_MAX];
	size_t link_count;
	struct publish_list publish;
	struct prefix publish_from[PUBLISH_FROM_MAX];
	size_t publish_from_count;
	enum host_firewall host_firewall;
	struct ip servers[ENDPOINT_SERVERS_MAX];
	size_t server_count;
};

static void endpoint_draft_release(struct endpoint_draft *draft)
{
	words_free(&draft->names);
	publish_list_release(&draft->publish);
}

void attachments_release(struct attachments *attachments)
{
	for (size_t i = 0; i < attachments->count; i++)
		engine_network_free(attachments->items[i].network);
	attachments->count = 0;
}

/* Row `index` of the record's networks. */
static int network_row(const struct container *container, size_t index, struct json_at *list,
		       struct json_at *ret_row, struct json_at *root, struct error *err)
{
	*root = container_root(container);
	int r = json_get_array(root, "networks", JSON_REQUIRED, list, err);
	if (r == 0)
		*ret_row = json_element(list, index);
	return r;
}

static size_t network_count(const struct container *container)
{
	struct error ignored;
	struct json_at list, root = container_root(container);
	if (!text_equal(container->network_mode, "networks") ||
	    json_get_array(&root, "networks", JSON_OPTIONAL, &list, &ignored) < 0)
		return 0;
	return json_count(&list);
}

static int prepare(struct engine *engine, const struct container *container, size_t index,
		   struct attachment *ret, struct error *err)
{
	struct json_at list, row, root;
	const char *name = NULL, *interface = NULL;
	struct dataplane *dataplane;
	AUTO(engine_network) network = NULL;
	int r = network_row(container, index, &list, &row, &root, err);
	if (r == 0)
		r = json_get_string(&row, "network", JSON_REQUIRED, &name, err);
	if (r == 0)
		r = json_get_string(&row, "interface", JSON_REQUIRED, &interface, err);
	if (r == 0)
		r = engine_network_find(engine, name, &network, err);
	if (r == 0)
		r = engine_dataplane(engine, &dataplane, err);
	if (r == 0)
		r = engine_network_ensure(engine, network, err);
	if (r < 0)
		return r;
	snprintf(ret->interface, sizeof ret->interface, "%s", interface);
	ret->network = network;
	r = attachment_take_lease(engine, container, &row, ret, err);
	if (r < 0) {
		ret->network = NULL;
		return r;
	}
	network = NULL;
	return 0;
}

int attachments_lease(struct engine *engine, const struct container *container,
		      struct attachments *ret_attachments, struct error *err)
{
	struct error ignored;
	size_t count = network_count(container);
	*ret_attachments = (struct attachments){ 0 };
	if (count > ATTACHMENTS_MAX)
		return error_set(err, E2BIG, "over %d networks", ATTACHMENTS_MAX);
	for (size_t i = 0; i < count; i++) {
		int r = prepare(engine, container, i, &ret_attachments->items[i], err);
		if (r < 0) {
			attachments_release(ret_attachments);
			(void)attachments_remove(engine, container, ENDPOINT_DELETE_LINK, &ignored);
			return r;
		}
		ret_attachments->count++;
	}
	return 0;
}

static int append_list(const struct json_at *row, const char *key, struct words *ret,
		       struct error *err)
{
	struct json_at list;
	int r = json_get_array(row, key, JSON_OPTIONAL, &list, err);
	for (size_t i = 0; r == 0 && i < json_count(&list); i++) {
		struct json_at element = json_element(&list, i);
		const char *text;
		r = json_as_string(&element, &text, err);
		if (r == 0)
			r = words_append(ret, text, err);
	}
	return r;
}

/* --link NAME[:ALIAS]. */
static int draft_link(struct engine *engine, struct endpoint_draft *draft, const char *text,
		      struct error *err)
{
	AUTO(container) target = NULL;
	const char *colon = strchr(text, ':');
	auto_free char *name = strndup(text, colon ? (size_t)(colon - text) : strlen(text));
	if (!name || draft->link_count == LINKS_MAX)
		return error_set(err, E2BIG, "--link: at most %d", LINKS_MAX);
	int r = container_find(engine, name, &target, err);
	if (r < 0)
		return error_wrap(err, "--link %s", text);
	struct endpoint_link *link = &draft->links[draft->link_count++];
	snprintf(link->name, sizeof link->name, "%s", colon ? colon + 1 : name);
	snprintf(link->target, sizeof link->target, "%s", target->id);
	return 0;
}

/* --dns: asked by our resolver, so that the neighbours' names still are known. */
static int draft_servers(const struct container *container, struct endpoint_draft *draft,
			 struct error *err)
{
	auto_words servers = { 0 };
	int r = container_words(container, "dns", &servers, err);
	if (r == 0 && servers.count > ENDPOINT_SERVERS_MAX)
		return error_set(err, E2BIG, "--dns: at most %d", ENDPOINT_SERVERS_MAX);
	for (size_t i = 0; r == 0 && i < servers.count; i++)
		r = ip_parse(servers.items[i], &draft->servers[draft->server_count++], err);
	return r;
}

/* --host-firewall. */
static int draft_firewall(const struct container *container, struct endpoint_draft *draft,
			  struct error *err)
{
	struct json_at root = container_root(container);
	const char *text = NULL;
	int r = json_get_string(&root, "hostFirewall", JSON_OPTIONAL, &text, err);
	return r < 0 || !text ? r : host_firewall_parse(text, &draft->host_firewall, err);
}

/* --publish-from; a record of old may have none. */
static int draft_clients(const struct container *container, struct endpoint_draft *draft,
			 struct error *err)
{
	auto_words clients = { 0 };
	int r = container_words(container, "publishFrom", &clients, err);
	if (r == 0 && clients.count > PUBLISH_FROM_MAX)
		return error_set(err, E2BIG, "--publish-from: at most %d", PUBLISH_FROM_MAX);
	for (size_t i = 0; r == 0 && i < clients.count; i++)
		r = publish_from_parse(clients.items[i],
				       &draft->publish_from[draft->publish_from_count++], err);
	return r < 0 ? r : draft_firewall(container, draft, err);
}

static int draft_endpoint(struct engine *engine, const struct container *container, size_t index,
			  const struct json_at *row, struct endpoint_draft *draft,
			  struct error *err)
{
	auto_words links = { 0 }, ports = { 0 };
	int r = words_append(&draft->names, container->name, err);
	if (r == 0)
		r = append_list(row, "aliases", &draft->names, err);
	if (r == 0 && draft->names.count >= NAMES_MAX)
		r = error_set(err, E2BIG, "--network-alias: at most %d", NAMES_MAX - 1);
	if (r == 0)
		r = append_list(row, "links", &links, err);
	for (size_t i = 0; r == 0 && i < links.count; i++)
		r = draft_link(engine, draft, links.items[i], err);
	if (r == 0)
		r = draft_servers(container, draft, err);
	if (r == 0)
		r = draft_clients(container, draft, err);
	if (r == 0 && index == 0) /* ports lead to the first network */
		r = container_words(container, "publish", &ports, err);
	for (size_t i = 0; r == 0 && i < ports.count; i++)
		r = publish_list_add(&draft->publish, ports.items[i], err);
	return r;
}

static void tell_address(struct engine *engine, const char *command,
			 const struct endpoint_info *info, struct prefix address, struct ip gateway)
{
	if (prefix_is_unset(address))
		return;
	if (ip_is_unset(gateway))
		engine_step(engine, command, "%s has %s", info->interface,
			    prefix_format(address).text);
	else
		engine_step(engine, command, "%s has %s, default route via %s", info->interface,
			    prefix_format(address).text, ip_format(gateway).text);
}

static void tell(struct engine *engine, const struct endpoint_info *info, pid_t pid)
{
	char command[160];
	if (!engine->steps.step)
		return;
	snprintf(command, sizeof command, "ip -detail link show dev %s", info->host_device);
	engine_step(engine, command, "link pair: %s on the host, %s in the container, %s",
		    info->host_device, info->interface, mac_format(info->mac).text);
	snprintf(command, sizeof command, "nsenter -t %d -n ip address show dev %s", (int)pid,
		 info->interface);
	tell_address(engine, command, info, info->address, info->gateway);
	tell_address(engine, command, info, info->address6, info->gateway6);
	snprintf(command, sizeof command, "tc filter show dev %s ingress", info->host_device);
	engine_step(engine, command, "packets from the container enter the program from_container");
	struct prefix addresses[ENDPOINT_ADDRESSES_MAX];
	size_t count = endpoint_addresses(info, addresses);
	for (size_t i = 0; i < count; i++)
		engine_step(engine, "bpftool map list",
			    "map entry: network %u, %s -> endpoint slot %u, generation %u",
			    info->network_id, ip_format(addresses[i].ip).text, info->slot,
			    info->generation);
	for (size_t i = 0; i < info->publish_count; i++) {
		auto_text port = { 0 };
		publish_format(&info->publish[i], &port);
		engine_step(engine, "wherry ports", "map entry: published port %s",
			    port.data ? port.data : "");
	}
}

static int read_rate(const struct json_at *row, const char *key, struct rate_limit *ret,
		     struct error *err)
{
	struct json_at at = { 0 };
	int64_t rate = 0, burst = 0;
	int r = json_get_object(row, key, JSON_OPTIONAL, &at, err);
	if (r < 0 || !at.value)
		return r;
	r = json_get_integer(&at, "rate", JSON_REQUIRED, 1, INT64_MAX, &rate, err);
	if (r == 0)
		r = json_get_integer(&at, "burst", JSON_REQUIRED, 0, INT64_MAX, &burst, err);
	*ret = (struct rate_limit){ (uint64_t)rate, (uint64_t)burst };
	return r;
}

static int add_endpoint(struct engine *engine, const struct container *container, size_t index,
			const struct attachment *attachment, pid_t pid, struct error *err)
{
	__attribute__((cleanup(endpoint_draft_release))) struct endpoint_draft draft = { 0 };
	struct json_at list, row, root;
	char netns_path[64];
	auto_fd netns_fd = -1;
	struct endpoint_info info = { 0 };
	struct mac mac = { { 0 } };

	snprintf(netns_path, sizeof netns_path, "/proc/%d/ns/net", (int)pid);
	int r = netns_open(netns_path, &netns_fd, err);
	if (r == 0)
		r = network_row(container, index, &list, &row, &root, err);
	if (r == 0)
		r = json_get_mac(&row, "mac", JSON_OPTIONAL, &mac, err);
	if (r == 0)
		r = draft_endpoint(engine, container, index, &row, &draft, err);
	if (r < 0)
		return r;
	struct rate_limit ingress = { 0 }, egress = { 0 };
	bool internal = attachment->network->spec.internal;
	struct prefix routes[DEFAULT_ROUTES_MAX];
	size_t route_count = 0;
	r = attachment_default_routes(engine, container, attachment, routes, &route_count, err);
	if (r == 0)
		r = read_rate(&row, "ingress", &ingress, err);
	if (r == 0)
		r = read_rate(&row, "egress", &egress, err);
	if (r < 0)
		return r;
	struct endpoint_spec spec = {
		.container_id = container->id,
		.interface = attachment->interface,
		.network = attachment->network->name,
		.netns_path = netns_path,
		.netns_fd = netns_fd,
		.address = attachment->lease.address,
		.gateway = internal ? (struct ip){ { 0 } } : attachment->lease.gateway,
		.address6 = attachment->lease6.address,
		.gateway6 = internal ? (struct ip){ { 0 } } : attachment->lease6.gateway,
		.mac = mac,
		.publish = draft.publish.items,
		.publish_count = draft.publish.count,
		.publish_policy = PUBLISH_REFUSE_LISTENERS,
		.publish_from = draft.publish_from,
		.publish_from_count = draft.publish_from_count,
		.host_firewall = draft.host_firewall,
		.names = (const char *const *)draft.names.items,
		.links = draft.links,
		.link_count = draft.link_count,
		.servers = draft.servers,
		.server_count = draft.server_count,
		.hostname = container->hostname,
		.routes = routes,
		.route_count = route_count,
		.ingress = ingress,
		.egress = egress,
		.owner = "engine",
	};
	r = endpoint_add(engine->dataplane, &spec, &info, err);
	if (r < 0)
		return r;
	tell(engine, &info, pid);
	endpoint_info_release(&info);
	return 0;
}

int attachments_add(struct engine *engine, const struct container *container,
		    const struct attachments *attachments, pid_t pid, struct error *err)
{
	struct error ignored;
	for (size_t i = 0; i < attachments->count; i++) {
		int r = add_endpoint(engine, container, i, &attachments->items[i], pid, err);
		if (r == 0)
			continue;
		while (i-- > 0)
			(void)endpoint_delete(engine->dataplane, container->id,
					      attachments->items[i].interface, ENDPOINT_LEAVE_LINK,
					      &ignored);
		return r;
	}
	return 0;
}

/* What endpoint_each finds is copied out: deleting inside its walk is not allowed. */
struct found_endpoints {
	struct {
		char network[NETWORK_NAME_MAX];
		char interface[DEVICE_NAME_MAX];
	} rows[ATTACHMENTS_MAX];
	size_t count;
};

static int note_endpoint(const struct endpoint_info *info, void *context, struct error *err)
{
	struct found_endpoints *found = context;
	(void)err;
	if (found->count == ATTACHMENTS_MAX)
		return 0;
	snprintf(found->rows[found->count].network, NETWORK_NAME_MAX, "%s", info->network);
	snprintf(found->rows[found->count].interface, DEVICE_NAME_MAX, "%s", info->interface);
	found->count++;
	return 0;
}

int attachment_remove(struct engine *engine, const char *id, const char *network,
		      const char *interface, struct error *err)
{
	struct found_endpoints found = { 0 };
	struct dataplane *dataplane;
	int r = engine_dataplane(engine, &dataplane, err);
	if (r == 0)
		r = endpoint_each(dataplane_store(dataplane), id, NULL, note_endpoint, &found, err);
	/* Ports and the default route go to a network that stays, if the first one goes. */
	if (r == 0 && found.count > 1 && text_equal(found.rows[0].interface, interface))
		r = endpoint_pass_on(dataplane, id, interface, found.rows[1].interface, err);
	if (r == 0)
		r = endpoint_delete(dataplane, id, interface, ENDPOINT_DELETE_LINK, err);
	if (r >= 0)
		r = attachment_release_lease(engine, id, network, interface, err);
	return r;
}

static int delete_endpoints(struct engine *engine, const struct container *container,
			    enum endpoint_link_fate fate, struct error *err)
{
	struct found_endpoints found = { 0 };
	struct dataplane *dataplane;
	int result = engine_dataplane(engine, &dataplane, err);
	if (result < 0)
		return result;
	result = endpoint_each(dataplane_store(dataplane), container->id, NULL, note_endpoint,
			       &found, err);
	for (size_t i = 0; i < found.count; i++) {
		int r = endpoint_delete(dataplane, container->id, found.rows[i].interface, fate,
					err);
		if (r < 0)
			result = r;
	}
	return result < 0 ? result : 0;
}

int attachments_remove(struct engine *engine, const struct container *container,
		       enum endpoint_link_fate fate, struct error *err)
{
	size_t count = network_count(container);
	if (!count)
		return 0;
	int result = delete_endpoints(engine, container, fate, err);
	if (!engine->dataplane)
		return result;
	for (size_t i = 0; i < count; i++) {
		struct json_at list, row, root;
		const char *name = NULL, *interface = NULL;
		int r = network_row(container, i, &list, &row, &root, err);
		if (r == 0)
			r = json_get_string(&row, "network", JSON_REQUIRED, &name, err);
		if (r == 0)
			r = json_get_string(&row, "interface", JSON_REQUIRED, &interface, err);
		if (r == 0)
			r = attachment_release_lease(engine, container->id, name, interface, err);
		if (r < 0)
			result = r;
	}
	return result < 0 ? result : 0;
}

int attachments_forget(struct engine *engine, const struct container *container, struct error *err)
{
	if (!network_count(container))
		return 0;
	return delete_endpoints(engine, container, ENDPOINT_LEAVE_LINK, err);
}

int attachment_add(struct engine *engine, const struct container *container, size_t index,
		   pid_t pid, struct error *err)
{
	struct error ignored;
	struct attachment attachment = { 0 };
	int r = prepare(engine, container, index, &attachment, err);
	if (r < 0)
		return r;
	r = add_endpoint(engine, container, index, &attachment, pid, err);
	if (r < 0)
		(void)attachment_release_lease(engine, container->id, attachment.network->name,
					       attachment.interface, &ignored);
	engine_network_free(attachment.network);
	return r;
}
