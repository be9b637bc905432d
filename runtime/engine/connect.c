/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `network connect` and `disconnect`: the record changes, and a running container at once. */
#include <errno.h>
#include <string.h>

#include "attach.h"
#include "cleanup.h"
#include "events.h"

/* The container's row for a network: its index, or -1. */
static int find_row(const struct container *container, const char *network, struct json_at *ret_row,
		    struct json_at *list, struct json_at *root)
{
	struct error ignored;
	*root = container_root(container);
	if (json_get_array(root, "networks", JSON_OPTIONAL, list, &ignored) < 0)
		return -1;
	for (size_t i = 0; i < json_count(list); i++) {
		const char *name = NULL;
		*ret_row = json_element(list, i);
		if (json_get_string(ret_row, "network", JSON_REQUIRED, &name, &ignored) == 0 &&
		    text_equal(name, network))
			return (int)i;
	}
	return -1;
}

/* The first of eth0, eth1 … that no network of the container has. */
static int choose_interface(const struct container *container, char *ret_name, size_t size,
			    struct error *err)
{
	struct json_at list, root = container_root(container);
	struct error ignored;
	if (json_get_array(&root, "networks", JSON_OPTIONAL, &list, &ignored) < 0)
		list = (struct json_at){ 0 };
	for (int number = 0; number < ATTACHMENTS_MAX; number++) {
		bool taken = false;
		snprintf(ret_name, size, "eth%d", number);
		for (size_t i = 0; i < json_count(&list); i++) {
			struct json_at row = json_element(&list, i);
			const char *name = NULL;
			(void)json_get_string(&row, "interface", JSON_OPTIONAL, &name, &ignored);
			taken |= name && text_equal(name, ret_name);
		}
		if (!taken)
			return 0;
	}
	return error_set(err, E2BIG, "container %s is in %d networks already", container->name,
			 ATTACHMENTS_MAX);
}

static struct json_t *list_json(const struct words *words)
{
	struct json_t *array = json_new_array();
	for (size_t i = 0; i < words->count; i++)
		json_append(array, json_new_string(words->items[i]));
	return array;
}

/* The networks of the record with one more, or without one. */
static struct json_t *networks_copy(const struct container *container, int without)
{
	struct error ignored;
	struct json_at list, root = container_root(container);
	struct json_t *array = json_new_array();
	if (json_get_array(&root, "networks", JSON_OPTIONAL, &list, &ignored) < 0)
		return array;
	for (size_t i = 0; i < json_count(&list); i++)
		if ((int)i != without)
			json_append(array, json_clone(json_element(&list, i).value));
	return array;
}

static int check_options(const struct network_connect_options *options, struct error *err)
{
	struct mac mac;
	if (options->mac_address && mac_parse(options->mac_address, &mac, err) < 0)
		return error_wrap(err, "--mac-address");
	return 0;
}

static int find_both(struct engine *engine, const char *network, const char *reference,
		     struct engine_network **ret_network, struct container **ret_container,
		     int *ret_lock, struct error *err)
{
	int r = engine_network_find(engine, network, ret_network, err);
	if (r == 0)
		r = container_find(engine, reference, ret_container, err);
	if (r == 0)
		r = container_lock(engine, (*ret_container)->id, ret_lock, err);
	if (r == 0 && !text_equal((*ret_container)->network_mode, "networks"))
		r = error_set(err, EINVAL, "container %s has no networks of its own (--network %s)",
			      (*ret_container)->name, (*ret_container)->network_mode);
	return r;
}

int engine_network_connect(struct engine *engine, const char *network_name, const char *reference,
			   const struct network_connect_options *options, struct error *err)
{
	AUTO(engine_network) network = NULL;
	AUTO(container) container = NULL;
	auto_fd lock_fd = -1;
	struct container_now now;
	struct json_at row, list, root;
	char interface[DEVICE_NAME_MAX];
	int r = check_options(options, err);
	if (r == 0)
		r = find_both(engine, network_name, reference, &network, &container, &lock_fd, err);
	if (r == 0)
		r = engine_network_check_ips(network, options->ip, options->ip6, err);
	if (r == 0 && find_row(container, network->name, &row, &list, &root) >= 0)
		r = error_set(err, EEXIST, "container %s is in network %s already", container->name,
			      network->name);
	if (r == 0)
		r = container_settle(engine, container, &now, err);
	if (r == 0)
		r = choose_interface(container, interface, sizeof interface, err);
	if (r < 0)
		return r;
	struct json_t *networks = networks_copy(container, -1), *added = json_new_object();
	json_put_string(added, "network", network->name);
	json_put_string(added, "interface", interface);
	if (options->ip)
		json_put_string(added, "ip", options->ip);
	if (options->ip6)
		json_put_string(added, "ip6", options->ip6);
	if (options->mac_address)
		json_put_string(added, "mac", options->mac_address);
	json_put(added, "aliases", list_json(&options->aliases));
	json_put(added, "links", list_json(&options->links));
	json_append(networks, added);
	json_put(container->document, "networks", networks);
	int index = find_row(container, network->name, &row, &list, &root);
	if (now.status == CONTAINER_RUNNING)
		r = attachment_add(engine, container, (size_t)index, now.state.process.pid, err);
	if (r == 0)
		r = container_update(engine, container, err);
	if (r == 0)
		event_network(engine, network->id, network->name, "connect", container->id);
	return r;
}

int engine_network_disconnect(struct engine *engine, const char *network_name,
			      const char *reference, struct error *err)
{
	AUTO(engine_network) network = NULL;
	AUTO(container) container = NULL;
	auto_fd lock_fd = -1;
	struct container_now now;
	struct json_at row, list, root;
	const char *interface = NULL;
	int r = find_both(engine, network_name, reference, &network, &container, &lock_fd, err);
	if (r == 0)
		r = container_settle(engine, container, &now, err);
	if (r < 0)
		return r;
	int index = find_row(container, network->name, &row, &list, &root);
	if (index < 0)
		return error_set(err, ENOENT, "container %s is not in network %s", container->name,
				 network->name);
	r = json_get_string(&row, "interface", JSON_REQUIRED, &interface, err);
	if (r == 0 && container_is_running(&now))
		r = attachment_remove(engine, container->id, network->name, interface, err);
	if (r < 0)
		return r;
	json_put(container->document, "networks", networks_copy(container, index));
	r = container_update(engine, container, err);
	if (r == 0)
		event_network(engine, network->id, network->name, "disconnect", container->id);
	return r;
}
