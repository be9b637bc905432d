/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "attach.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "link/device.h"
#include "uplink_rules.h"

/* <linux/bpf.h> of Debian 12 is older than tcx. */
#define TCX_INGRESS 46
#define TCX_EGRESS 47

#define BLOCK_FIRST 0x57000000u  /* far above the small numbers that people give */
#define BLOCK_EGRESS 0x01000000u /* from the ingress block's number to the egress block's */
#define BLOCK_MASK 0xffffffu
#define BLOCK_TRIES 64
#define LINK_PATH_MAX (INSTANCE_PATH_MAX + 300) /* with any file name */

static uint32_t own_handle(const struct instance *instance)
{
	uint32_t handle = hash_text(instance->tag) & 0x7fffffff;
	return handle ? handle : 1;
}

enum attach_kind attach_probe(int program_fd)
{
	/* No device has this ifindex: who knows tcx says ENODEV, who does not EINVAL. */
	int fd = bpf_link_create(program_fd, 0x7fffffff, TCX_INGRESS, NULL);
	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == ENODEV ? ATTACH_TCX : ATTACH_CLSACT;
}

const char *attach_kind_name(enum attach_kind kind)
{
	static const char *const names[] = {
		[ATTACH_TCX] = "tcx",
		[ATTACH_CLSACT] = "clsact",
		[ATTACH_NFT] = "none: rules of nf_tables",
	};
	return names[kind];
}

static struct filter_spec block_filter(const struct instance *instance, uint32_t block,
				       const char *program, int fd)
{
	return (struct filter_spec){ .place = FILTER_BLOCK,
				     .target = block,
				     .handle = own_handle(instance),
				     .name = program,
				     .program_fd = fd };
}

static struct filter_spec ingress_filter(const struct dataplane *dataplane, int fd)
{
	return block_filter(&dataplane->instance, dataplane->block, PROGRAM_FROM_CONTAINER, fd);
}

static struct filter_spec egress_filter(const struct dataplane *dataplane, int fd)
{
	return block_filter(&dataplane->instance, dataplane->block + BLOCK_EGRESS,
			    PROGRAM_ONTO_LINK, fd);
}

/* 1 if nobody else has a filter in the block, 0 if somebody has. */
static int block_is_free(struct netlink *netlink, const struct filter_spec *spec, struct error *err)
{
	bool ours;
	unsigned foreign;
	int r = filter_look(netlink, spec, &ours, &foreign, err);
	return r < 0 ? r : foreign == 0;
}

int attach_choose_block(struct netlink *netlink, const struct instance *instance,
			uint32_t *ret_block, struct error *err)
{
	for (uint32_t i = 0; i < BLOCK_TRIES; i++) {
		uint32_t block = BLOCK_FIRST + ((hash_text(instance->tag) + i) & BLOCK_MASK);
		struct filter_spec in = block_filter(instance, block, PROGRAM_FROM_CONTAINER, -1);
		struct filter_spec out =
			block_filter(instance, block + BLOCK_EGRESS, PROGRAM_ONTO_LINK, -1);
		int r = block_is_free(netlink, &in, err);
		if (r == 1)
			r = block_is_free(netlink, &out, err);
		if (r < 0)
			return r;
		if (r == 1) {
			*ret_block = block;
			return 0;
		}
	}
	return error_set(err, EBUSY, "other tools use all %d tc blocks that wherry tried",
			 BLOCK_TRIES);
}

int host_end_programs_open(const struct instance *instance, struct host_end_programs *ret,
			   struct error *err)
{
	*ret = (struct host_end_programs){ -1, -1 };
	int r = program_open(instance, PROGRAM_FROM_CONTAINER, &ret->from_container, err);
	return r < 0 ? r : program_open(instance, PROGRAM_ONTO_LINK, &ret->onto_link, err);
}

void host_end_programs_close(struct host_end_programs *programs)
{
	cleanup_fd(&programs->from_container);
	cleanup_fd(&programs->onto_link);
}

int attach_queue_host_end(struct dataplane *dataplane, uint32_t ifindex,
			  const struct host_end_programs *programs, struct error *err)
{
	struct netlink *netlink = dataplane->netlink;
	struct filter_spec in = ingress_filter(dataplane, programs->from_container);
	struct filter_spec out = egress_filter(dataplane, programs->onto_link);
	int r = clsact_queue_add(netlink, ifindex, (struct clsact_blocks){ in.target, out.target },
				 err);
	/* A block ends with its last member, so every ADD puts the filters. */
	if (r == 0)
		r = filter_queue_add(netlink, &in, err);
	return r < 0 ? r : filter_queue_add(netlink, &out, err);
}

static void link_path(char path[LINK_PATH_MAX], const struct instance *instance,
		      const char *program, uint32_t ifindex)
{
	snprintf(path, LINK_PATH_MAX, "%s/links/%s-%u", instance->bpf, program, ifindex);
}

static int pin_link(int link_fd, const char *path, struct error *err)
{
	if (bpf_obj_pin(link_fd, path) == 0 || errno == EEXIST)
		return 0;
	return error_set_errno(err, errno, "cannot pin %s", path);
}

/* A pin may outlive its link: the device went, or somebody detached it. */
static bool link_is_alive(const char *path, uint32_t ifindex)
{
	struct bpf_link_info info = { 0 };
	uint32_t size = sizeof info;
	auto_fd link = bpf_obj_get(path);
	if (link < 0 || bpf_obj_get_info_by_fd(link, &info, &size) < 0)
		return false;
	/* The device's number stands where XDP's does; headers here do not know tcx. */
	return info.xdp.ifindex == ifindex;
}

static int attach_tcx(struct dataplane *dataplane, const char *program, enum filter_place place,
		      uint32_t ifindex, struct error *err)
{
	char path[LINK_PATH_MAX];
	auto_fd fd = -1, link = -1;

	link_path(path, &dataplane->instance, program, ifindex);
	if (link_is_alive(path, ifindex))
		return 0;
	unlink(path);
	int r = program_open(&dataplane->instance, program, &fd, err);
	if (r < 0)
		return r;
	link = bpf_link_create(fd, (int)ifindex, place == FILTER_INGRESS ? TCX_INGRESS : TCX_EGRESS,
			       NULL);
	if (link < 0)
		return error_set_errno(err, errno, "cannot attach %s to device %u", program,
				       ifindex);
	return pin_link(link, path, err);
}

static struct filter_spec device_filter(const struct dataplane *dataplane, const char *program,
					enum filter_place place, uint32_t ifindex, int fd)
{
	return (struct filter_spec){ .place = place,
				     .target = ifindex,
				     .handle = own_handle(&dataplane->instance),
				     .name = program,
				     .program_fd = fd };
}

static int attach_clsact(struct dataplane *dataplane, const char *program, enum filter_place place,
			 uint32_t ifindex, struct error *err)
{
	auto_fd fd = -1;
	int r = program_open(&dataplane->instance, program, &fd, err);
	if (r < 0)
		return r;
	struct filter_spec spec = device_filter(dataplane, program, place, ifindex, fd);
	r = clsact_queue_add(dataplane->netlink, ifindex, (struct clsact_blocks){ 0 }, err);
	/* What is there may be an earlier program that no table of ours led to. */
	if (r == 0)
		r = filter_queue_replace(dataplane->netlink, &spec, err);
	return r < 0 ? r : netlink_flush(dataplane->netlink, err);
}

int attach_device(struct dataplane *dataplane, const char *program, enum filter_place place,
		  uint32_t ifindex, struct error *err)
{
	if (dataplane->attach == ATTACH_NFT)
		return 0;
	if (dataplane->attach == ATTACH_TCX)
		return attach_tcx(dataplane, program, place, ifindex, err);
	return attach_clsact(dataplane, program, place, ifindex, err);
}

int attach_device_end(struct dataplane *dataplane, const char *program, enum filter_place place,
		      uint32_t ifindex, struct error *err)
{
	if (dataplane->attach == ATTACH_NFT)
		return 0;
	if (dataplane->attach == ATTACH_TCX) {
		char path[LINK_PATH_MAX];
		link_path(path, &dataplane->instance, program, ifindex);
		if (unlink(path) < 0 && errno != ENOENT)
			return error_set_errno(err, errno, "cannot unpin %s", path);
		return 0;
	}
	struct filter_spec spec = device_filter(dataplane, program, place, ifindex, -1);
	int r = filter_queue_delete(dataplane->netlink, &spec, err);
	if (r == 0)
		r = netlink_flush(dataplane->netlink, err);
	return r < 0 ? r : clsact_delete_empty(dataplane->netlink, ifindex, err);
}

int attach_device_check(struct dataplane *dataplane, const char *program, enum filter_place place,
			uint32_t ifindex, struct error *err)
{
	if (dataplane->attach == ATTACH_NFT)
		return 1;
	if (dataplane->attach == ATTACH_TCX) {
		char path[LINK_PATH_MAX];
		link_path(path, &dataplane->instance, program, ifindex);
		return link_is_alive(path, ifindex);
	}
	struct filter_spec spec = device_filter(dataplane, program, place, ifindex, -1);
	bool ours;
	unsigned foreign;
	int r = filter_look(dataplane->netlink, &spec, &ours, &foreign, err);
	return r < 0 ? r : ours;
}

/* A pinned link is named by its program, and for devices by "-IFINDEX" behind it. */
static int replace_link(struct dataplane *dataplane, const char *name, struct error *err)
{
	char path[LINK_PATH_MAX], program[64];
	auto_fd link = -1, fd = -1;

	snprintf(program, sizeof program, "%.*s", (int)strcspn(name, "-"), name);
	snprintf(path, sizeof path, "%s/links/%s", dataplane->instance.bpf, name);
	struct error why = { 0 };
	int r = program_open(&dataplane->instance, program, &fd, &why);
	/* This version has no such program: it ends with its pins. */
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		*err = why;
		return r;
	}
	link = bpf_obj_get(path);
	/* ENOLINK: the device went, and only the pin is left. */
	if (link < 0 || (bpf_link_update(link, fd, NULL) < 0 && errno != ENOLINK))
		return error_set_errno(err, errno, "cannot replace %s", name);
	return 0;
}

static int replace_block(struct dataplane *dataplane, const struct filter_spec *spec,
			 struct error *err)
{
	bool ours;
	unsigned foreign;
	int r = filter_look(dataplane->netlink, spec, &ours, &foreign, err);
	if (r < 0 || !ours)
		return r;
	r = filter_queue_replace(dataplane->netlink, spec, err);
	return r < 0 ? r : netlink_flush(dataplane->netlink, err);
}

static int replace_blocks(struct dataplane *dataplane, struct error *err)
{
	struct host_end_programs programs __attribute__((cleanup(host_end_programs_close)));
	int r = host_end_programs_open(&dataplane->instance, &programs, err);
	if (r < 0)
		return r;
	struct filter_spec in = ingress_filter(dataplane, programs.from_container);
	struct filter_spec out = egress_filter(dataplane, programs.onto_link);
	r = replace_block(dataplane, &in, err);
	return r < 0 ? r : replace_block(dataplane, &out, err);
}

/* Which program a device of this map has; one that went has none to be replaced. */
static const char *program_of(struct dataplane *dataplane, enum map_id devices, uint32_t ifindex)
{
	struct device device = { 0 };
	struct error ignored = { 0 };
	if (devices == MAP_GATEWAYS)
		return PROGRAM_TO_CONTAINER;
	if (device_get(dataplane->netlink, ifindex, &device, &ignored) == 1 &&
	    uplink_is_bare(&device))
		return PROGRAM_FROM_BARE_UPLINK;
	return PROGRAM_FROM_UPLINK;
}

static int replace_device_filter(struct dataplane *dataplane, const char *program,
				 enum filter_place place, uint32_t ifindex, struct error *err)
{
	auto_fd fd = -1;
	int r = program_open(&dataplane->instance, program, &fd, err);
	if (r < 0)
		return r;
	struct filter_spec spec = device_filter(dataplane, program, place, ifindex, fd);
	r = filter_queue_replace(dataplane->netlink, &spec, err);
	return r < 0 ? r : netlink_flush(dataplane->netlink, err);
}

static int replace_device_filters(struct dataplane *dataplane, enum map_id devices,
				  enum filter_place place, struct error *err)
{
	uint32_t ifindex, *previous = NULL;
	int r = 0;
	while (r >= 0 && (r = map_next(&dataplane->maps, devices, previous, &ifindex, err)) == 1) {
		previous = &ifindex;
		r = replace_device_filter(dataplane, program_of(dataplane, devices, ifindex), place,
					  ifindex, err);
	}
	return r < 0 ? r : 0;
}

int attach_replace_all(struct dataplane *dataplane, struct error *err)
{
	if (dataplane->attach == ATTACH_NFT)
		return 0;
	char path[LINK_PATH_MAX];
	int r = replace_blocks(dataplane, err);
	snprintf(path, sizeof path, "%s/links", dataplane->instance.bpf);
	auto_dir dir = opendir(path);
	if (!dir)
		return error_set_errno(err, errno, "cannot open %s", path);
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));)
		if (entry->d_name[0] != '.')
			r = replace_link(dataplane, entry->d_name, err);
	if (r < 0 || dataplane->attach == ATTACH_TCX)
		return r;
	r = replace_device_filters(dataplane, MAP_UPLINKS, FILTER_INGRESS, err);
	return r < 0 ? r : replace_device_filters(dataplane, MAP_GATEWAYS, FILTER_EGRESS, err);
}
