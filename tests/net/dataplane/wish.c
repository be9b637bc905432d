/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wish.h"

void world_wish(struct world *world, const struct wish *wish)
{
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct network_info network;
	struct prefix from = { 0 };
	struct error err = { 0 };
	scene_container(world->scene, wish->name);
	struct endpoint_spec spec = { .container_id = wish->name,
				      .interface = "eth0",
				      .network = "web",
				      .netns_path = scene_netns_path(world->scene, wish->name),
				      .netns_fd = scene_netns_fd(world->scene, wish->name),
				      .publish = &wish->publish,
				      .publish_count = 1,
				      .publish_policy = wish->policy,
				      .publish_from = &from,
				      .publish_from_count = wish->from ? 1 : 0,
				      .default_route = true,
				      .owner = "test" };
	world_claim(network_find(dataplane_store(world->dataplane), "web", &network, &err), &err);
	world_read_pair(wish->address, &spec.address, &spec.address6);
	if (!prefix_is_unset(spec.address))
		spec.gateway = network.spec.gateway;
	if (!prefix_is_unset(spec.address6))
		spec.gateway6 = network.spec.gateway6;
	if (wish->from)
		world_claim(publish_from_parse(wish->from, &from, &err), &err);
	world_claim(endpoint_add(world->dataplane, &spec, &info, &err), &err);
}
