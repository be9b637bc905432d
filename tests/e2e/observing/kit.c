/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kit.h"

#define assert_done(call, err)                                 \
	do {                                                   \
		if ((call) < 0)                                \
			fail_msg("%s: %s", #call, (err).text); \
	} while (0)

static void make_network(struct dataplane *dataplane, const char *name, const char *subnet)
{
	struct network_spec spec = { .masquerade = true };
	struct network_info info;
	struct error err;
	snprintf(spec.name, sizeof spec.name, "%s", name);
	assert_done(prefix_parse(subnet, &spec.subnet, &err), err);
	assert_done(network_ensure(dataplane, &spec, &info, &err), err);
}

struct member {
	const char *name, *id, *network, *address, *gateway;
	const struct publish_spec *publish;
};

static void add(struct scene *scene, struct dataplane *dataplane, const struct member *member)
{
	const char *const names[] = { member->name, NULL };
	struct endpoint_info info;
	struct error err;
	scene_container(scene, member->name);
	struct endpoint_spec spec = { .container_id = member->id,
				      .interface = "eth0",
				      .network = member->network,
				      .netns_path = scene_netns_path(scene, member->name),
				      .netns_fd = scene_netns_fd(scene, member->name),
				      .default_route = true,
				      .publish = member->publish,
				      .publish_count = member->publish != NULL,
				      .names = names,
				      .owner = "cni" };
	assert_done(prefix_parse(member->address, &spec.address, &err), err);
	assert_done(ip_parse(member->gateway, &spec.gateway, &err), err);
	assert_done(endpoint_add(dataplane, &spec, &info, &err), err);
	endpoint_info_release(&info);
}

void kit_build(struct scene *scene)
{
	static const struct publish_spec publish = {
		.host_port = 8080, .container_port = 80, .count = 1, .protocol = PROTOCOL_TCP
	};
	static const struct member members[] = {
		{ "web", WEB_ID, "front", "10.21.0.2/24", "10.21.0.1", &publish },
		{ "shop", SHOP_ID, "front", "10.21.0.3/24", "10.21.0.1", NULL },
		{ "store", STORE_ID, "back", "10.22.0.2/24", "10.22.0.1", NULL },
	};
	AUTO(dataplane) dataplane = NULL;
	struct error err;
	scene_host(scene, "client");
	scene_link(scene, "client", "eth0", "10.99.0.2/24", "node", "up0", "10.99.0.1/24");
	scene_route(scene, "node", "0.0.0.0/0", "10.99.0.2");
	assert_done(dataplane_open(scene_instance(scene), &dataplane, &err), err);
	make_network(dataplane, "front", "10.21.0.0/24");
	make_network(dataplane, "back", "10.22.0.0/24");
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		add(scene, dataplane, &members[i]);
}

void kit_assert_told(struct scene *scene, const char *text)
{
	if (!strstr(scene_output(scene), text))
		fail_msg("\"%s\" is not in:\n%s%s", text, scene_output(scene), scene_errors(scene));
}

void kit_assert_not_told(struct scene *scene, const char *text)
{
	if (strstr(scene_output(scene), text))
		fail_msg("\"%s\" is in:\n%s", text, scene_output(scene));
}

void kit_host_device(struct scene *scene, const char *id, char ret_device[DEVICE_NAME_MAX])
{
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	AUTO(store) store = NULL;
	struct error err;
	assert_done(dataplane_open_store(scene_instance(scene), &store, &err), err);
	assert_int_equal(endpoint_find(store, id, "eth0", &info, &err), 1);
	snprintf(ret_device, DEVICE_NAME_MAX, "%s", info.host_device);
}
