/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/verify.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach.h"
#include "base/file.h"
#include "endpoint.h"
#include "link/device.h"
#include "load.h"
#include "network.h"
#include "uplinks.h"

struct walk {
	struct dataplane *dataplane;
	int (*visit)(const char *finding, void *context, struct error *err);
	void *context;
	int found;
};

static int tell(struct walk *walk, struct error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int tell(struct walk *walk, struct error *err, const char *format, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list list;
	va_start(list, format);
	vsnprintf(text, sizeof text, format, list);
	va_end(list);
	walk->found++;
	return walk->visit(text, walk->context, err);
}

/* A pin that is no object of the kernel's any more, or was taken away. */
static int verify_pin(struct walk *walk, const char *part, const char *name, struct error *err)
{
	char path[INSTANCE_PATH_MAX + 128];
	snprintf(path, sizeof path, "%s/%s/%s", walk->dataplane->instance.bpf, part, name);
	auto_fd fd = bpf_obj_get(path);
	return fd >= 0 ? 0 : tell(walk, err, "%s is not pinned any more", path);
}

static int verify_pins(struct walk *walk, struct error *err)
{
	static const char *const programs[] = { PROGRAM_FROM_CONTAINER, PROGRAM_FROM_UPLINK,
						PROGRAM_FROM_BARE_UPLINK, PROGRAM_TO_CONTAINER };
	int r = 0;
	for (int id = 0; r == 0 && id < MAP_COUNT; id++)
		r = verify_pin(walk, "maps", map_name((enum map_id)id), err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(programs); i++)
		r = verify_pin(walk, "programs", programs[i], err);
	return r;
}

static int verify_socket(const char *program, void *context, struct error *err)
{
	struct walk *walk = context;
	return attach_socket_check(&walk->dataplane->instance, program)
		       ? 0
		       : tell(walk, err, "the socket program %s is attached to no cgroup", program);
}

static int verify_uplink(const struct device *device, void *context, struct error *err)
{
	struct walk *walk = context;
	struct uplink uplink;
	int r = map_get(&walk->dataplane->maps, MAP_UPLINKS, &device->ifindex, &uplink, err);
	if (r == 0 || (r == 1 && memcmp(uplink.mac, device->mac.bytes, MAC_SIZE) != 0))
		return tell(walk, err, "uplink %s: it is not in the kernel's table of uplinks",
			    device->name);
	if (r > 0)
		r = attach_device_check(walk->dataplane,
					uplink_is_bare(device) ? PROGRAM_FROM_BARE_UPLINK
							       : PROGRAM_FROM_UPLINK,
					FILTER_INGRESS, device->ifindex, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return tell(walk, err, "uplink %s: no program is attached to it", device->name);
}

/* What is being made or taken away is somebody else's business, also if that began just now. */
static int verify_network(const struct network_info *info, void *context, struct error *err)
{
	struct walk *walk = context;
	struct error why = { 0 };
	struct network_info now;
	if (info->device_ifindex == 0 || network_check(walk->dataplane, info, &why) == 0)
		return 0;
	int r = network_find(walk->dataplane->store, info->spec.name, &now, err);
	if (r < 0)
		return r;
	if (r == 0 || now.device_ifindex != info->device_ifindex)
		return 0;
	return tell(walk, err, "%s", why.text);
}

static int verify_endpoint(const struct endpoint_info *info, void *context, struct error *err)
{
	struct endpoint_info now __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct walk *walk = context;
	struct error why = { 0 };
	if (info->state != ENDPOINT_READY || endpoint_check_host(walk->dataplane, info, &why) == 0)
		return 0;
	int r = endpoint_find(walk->dataplane->store, info->container_id, info->interface, &now,
			      err);
	if (r < 0)
		return r;
	if (r == 0 || now.state != ENDPOINT_READY || now.generation != info->generation)
		return 0;
	return tell(walk, err, "%s", why.text);
}

int dataplane_verify(struct dataplane *dataplane, enum verify_depth depth,
		     int (*visit)(const char *finding, void *context, struct error *err),
		     void *context, struct error *err)
{
	struct walk walk = { dataplane, visit, context, 0 };
	/* What a newer version has put to work is not ours to judge. */
	int r = load_check(&dataplane->instance, err);
	if (r >= 0)
		r = verify_pins(&walk, err);
	/* What cannot be opened cannot be compared. */
	if (r != 0 || walk.found)
		return r != 0 ? r : walk.found;
	r = attach_sockets_each(&dataplane->instance, verify_socket, &walk, err);
	if (r == 0)
		r = uplinks_each(dataplane, verify_uplink, &walk, err);
	if (r == 0)
		r = network_each(dataplane->store, verify_network, &walk, err);
	if (r == 0 && depth == VERIFY_ALL)
		r = endpoint_each(dataplane->store, NULL, NULL, verify_endpoint, &walk, err);
	return r != 0 ? r : walk.found;
}
