/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

#define PUBLICATIONS_MAX 16

void world_claim_at(int r, const struct error *err, const char *file, int line)
{
	if (r >= 0)
		return;
	print_error("%s\n", err->text);
	_fail(file, line);
}

static void choose_backend(const struct instance *instance)
{
	static const char text[] = "{ \"backend\": \"" WORLD_BACKEND "\" }\n";
	char path[INSTANCE_PATH_MAX + 16];
	struct error err = { 0 };
	snprintf(path, sizeof path, "%s/config.json", instance->config);
	world_claim(directory_make(instance->config, 0755, &err), &err);
	world_claim(file_replace(path, text, sizeof text - 1, 0644, FILE_NO_SYNC, &err), &err);
}

int world_set_up(void **state)
{
	void *scene;
	struct error err = { 0 };
	struct world *world = calloc(1, sizeof *world);
	if (!world || scene_set_up(&scene) != 0)
		return -1;
	world->scene = scene;
	*state = world;
	scene_host(world->scene, "client");
	scene_link(world->scene, "client", "eth0", "10.99.0.2/24", "node", "up0", "10.99.0.1/24");
	choose_backend(scene_instance(world->scene));
	world_claim(dataplane_open(scene_instance(world->scene), &world->dataplane, &err), &err);
	return 0;
}

int world_set_up_dual(void **state)
{
	struct error err = { 0 };
	if (world_set_up(state) != 0)
		return -1;
	struct world *world = *state;
	scene_address(world->scene, "client", "eth0", "fd99::2/64");
	scene_address(world->scene, "node", "up0", "fd99::1/64");
	world_claim(uplinks_refresh(world->dataplane, &err), &err);
	return 0;
}

int world_tear_down(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	void *scene = world->scene;
	struct instance instance = *scene_instance(world->scene);
	dataplane_free(world->dataplane);
	world_claim(dataplane_reset(&instance, &err), &err);
	world_claim(tree_remove(instance.config, &err), &err);
	free(world);
	return scene_tear_down(&scene);
}

void world_read_pair(const char *text, struct prefix *ret_v4, struct prefix *ret_v6)
{
	struct error err = { 0 };
	char copy[128], *rest = copy;
	snprintf(copy, sizeof copy, "%s", text);
	for (char *one; (one = strsep(&rest, ","));)
		world_claim(prefix_parse(one, strchr(one, ':') ? ret_v6 : ret_v4, &err), &err);
}

void world_network_as(struct world *world, const char *name, const char *subnet,
		      struct network_spec spec)
{
	struct error err = { 0 };
	struct network_info info;
	snprintf(spec.name, sizeof spec.name, "%s", name);
	world_read_pair(subnet, &spec.subnet, &spec.subnet6);
	world_claim(network_ensure(world->dataplane, &spec, &info, &err), &err);
}

void world_network(struct world *world, const char *name, const char *subnet)
{
	world_network_as(world, name, subnet, (struct network_spec){ .masquerade = true });
}

static uint16_t read_number(const char *text)
{
	return (uint16_t)strtoul(text, NULL, 10);
}

/* [ADDRESS:]HOST:CONTAINER[+COUNT][/udp]; an address of IPv6 in brackets, [::] for all of them. */
static struct publish_spec read_publication(const char *text)
{
	struct publish_spec publish = { .count = 1, .protocol = PROTOCOL_TCP };
	struct error err = { 0 };
	char copy[64];
	snprintf(copy, sizeof copy, "%s", text);
	if (text_ends_with(copy, "/udp"))
		publish.protocol = PROTOCOL_UDP;
	char *plus = strchr(copy, '+'), *colon = strrchr(copy, ':');
	if (plus)
		publish.count = read_number(plus + 1);
	publish.container_port = read_number(colon + 1);
	*colon = '\0';
	colon = strrchr(copy, ':');
	publish.host_port = read_number(colon ? colon + 1 : copy);
	if (!colon)
		return publish;
	*colon = '\0';
	if (copy[0] != '[') {
		world_claim(ip_parse(copy, &publish.host_ip, &err), &err);
		return publish;
	}
	copy[strlen(copy) - 1] = '\0';
	publish.family = PUBLISH_IPV6;
	world_claim(ip_parse(copy + 1, &publish.host_ip, &err), &err);
	return publish;
}

static int attach(struct world *world, const char *name, const char *network, const char *address,
		  const struct publish_spec *publish, size_t count, enum publish_policy policy,
		  struct error *err)
{
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct network_info found;
	struct endpoint_spec spec = { .container_id = name,
				      .interface = "eth0",
				      .network = network,
				      .netns_path = scene_netns_path(world->scene, name),
				      .netns_fd = scene_netns_fd(world->scene, name),
				      .publish = publish,
				      .publish_count = count,
				      .publish_policy = policy,
				      .default_route = true,
				      .owner = "test" };
	int r = network_find(dataplane_store(world->dataplane), network, &found, err);
	world_claim(r, err);
	world_read_pair(address, &spec.address, &spec.address6);
	if (!prefix_is_unset(spec.address))
		spec.gateway = found.spec.gateway;
	if (!prefix_is_unset(spec.address6))
		spec.gateway6 = found.spec.gateway6;
	return endpoint_add(world->dataplane, &spec, &info, err);
}

void world_container(struct world *world, const char *name, const char *network,
		     const char *address)
{
	world_publish(world, name, network, address, NULL);
}

void world_publish(struct world *world, const char *name, const char *network, const char *address,
		   ...)
{
	struct publish_spec publish[PUBLICATIONS_MAX];
	struct error err = { 0 };
	const char *text;
	size_t count = 0;
	va_list list;
	va_start(list, address);
	while ((text = va_arg(list, const char *)) && count < PUBLICATIONS_MAX)
		publish[count++] = read_publication(text);
	va_end(list);
	scene_container(world->scene, name);
	world_claim(attach(world, name, network, address, publish, count, PUBLISH_IGNORE_LISTENERS,
			   &err),
		    &err);
}

int world_try(struct world *world, const char *name, const char *network, const char *address,
	      const char *publication, enum publish_policy policy, struct error *err)
{
	struct publish_spec publish = { 0 };
	if (publication)
		publish = read_publication(publication);
	return attach(world, name, network, address, &publish, publication ? 1 : 0, policy, err);
}

void world_delete(struct world *world, const char *name)
{
	struct error err = { 0 };
	world_claim(endpoint_delete(world->dataplane, name, "eth0", ENDPOINT_DELETE_LINK, &err),
		    &err);
}

struct tally {
	const char *reason, *container;
	uint64_t packets;
};

static int add_row(const struct drop_row *row, void *context, struct error *err)
{
	struct tally *tally = context;
	(void)err;
	if (text_equal(row->reason, tally->reason) &&
	    (!tally->container || text_equal(row->container_id, tally->container)))
		tally->packets += row->packets;
	return 0;
}

uint64_t world_drops(struct world *world, const char *reason, const char *container)
{
	struct tally tally = { .reason = reason, .container = container };
	struct error err = { 0 };
	world_claim(drops_each(world->dataplane, add_row, &tally, &err), &err);
	return tally.packets;
}
