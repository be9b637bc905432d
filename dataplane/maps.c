/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nft/mirror.h"

static const char *const names[] = {
	[MAP_SOURCES] = ABI_MAP("sources"),   [MAP_ENDPOINTS] = ABI_MAP("endpoints"),
	[MAP_SLOTS] = ABI_MAP("slots"),       [MAP_SLOT_STATS] = ABI_MAP("slot_stats"),
	[MAP_NETWORKS] = ABI_MAP("networks"), [MAP_GATEWAYS] = ABI_MAP("gateways"),
	[MAP_SUBNETS] = ABI_MAP("subnets"),   [MAP_UPLINKS] = ABI_MAP("uplinks"),
	[MAP_LOCALS] = ABI_MAP("locals"),     [MAP_NETNS] = ABI_MAP("netns"),
	[MAP_PORTS] = ABI_MAP("ports"),       [MAP_FLOWS] = ABI_MAP("flows"),
	[MAP_OPENING] = ABI_MAP("opening"),   [MAP_SEATS] = ABI_MAP("seats"),
	[MAP_FLOW_USE] = ABI_MAP("flow_use"), [MAP_SOCKETS] = ABI_MAP("sockets"),
	[MAP_DROPS] = ABI_MAP("drops"),       [MAP_SWITCHES] = ABI_MAP("switches"),
	[MAP_EVENTS] = ABI_MAP("events"),     [MAP_LATENCY] = ABI_MAP("latency"),
	[MAP_ALLOWED] = ABI_MAP("allowed"),   [MAP_NOTICES] = ABI_MAP("notices"),
	[MAP_EXCEPTS] = ABI_MAP("excepts"),   [MAP_MASQUERADE] = ABI_MAP("masquerade"),
	[MAP_MAPPINGS] = ABI_MAP("mappings"),
};
_Static_assert(sizeof names / sizeof names[0] == MAP_COUNT, "every map has a name");

void maps_init(struct maps *maps, const char *directory)
{
	maps->mirror = NULL;
	snprintf(maps->directory, sizeof maps->directory, "%s", directory);
	for (int i = 0; i < MAP_COUNT; i++)
		maps->fds[i] = -1;
}

void maps_close(struct maps *maps)
{
	nft_mirror_free(TAKE(maps->mirror));
	for (int i = 0; i < MAP_COUNT; i++) {
		if (maps->fds[i] >= 0)
			close(maps->fds[i]);
		maps->fds[i] = -1;
	}
}

const char *map_name(enum map_id id)
{
	return names[id];
}

int map_open(struct maps *maps, enum map_id id, int *ret_fd, struct error *err)
{
	if (maps->mirror)
		return error_set(err, EOPNOTSUPP, "%s: the nft back end has no such table",
				 names[id]);
	if (maps->fds[id] < 0) {
		char path[INSTANCE_PATH_MAX + 32];
		snprintf(path, sizeof path, "%s/maps/%s", maps->directory, names[id]);
		int fd = bpf_obj_get(path);
		if (fd < 0)
			return error_set_errno(err, errno, "cannot open the map %s", path);
		maps->fds[id] = fd;
	}
	*ret_fd = maps->fds[id];
	return 0;
}

static int put_failure(enum map_id id, int code, struct error *err)
{
	if (code == E2BIG)
		return error_set(err, ENOSPC, "the table %s is full", names[id]);
	return error_set_errno(err, code, "cannot write to the map %s", names[id]);
}

int map_put(struct maps *maps, enum map_id id, const void *key, const void *value,
	    struct error *err)
{
	if (maps->mirror)
		return nft_map_put(maps->mirror, id, key, value, err);
	int fd, r = map_open(maps, id, &fd, err);
	if (r < 0)
		return r;
	if (bpf_map_update_elem(fd, key, value, BPF_ANY) < 0)
		return put_failure(id, errno, err);
	return 0;
}

int map_put_many(struct maps *maps, enum map_id id, const void *keys, const void *values,
		 uint32_t count, struct error *err)
{
	if (maps->mirror)
		return nft_map_put_many(maps->mirror, id,
					&(struct map_entries){ keys, values, count }, err);
	int fd, r = map_open(maps, id, &fd, err);
	if (r < 0)
		return r;
	if (count && bpf_map_update_batch(fd, keys, values, &count, NULL) < 0)
		return put_failure(id, errno, err);
	return 0;
}

int map_get(struct maps *maps, enum map_id id, const void *key, void *ret_value, struct error *err)
{
	if (maps->mirror)
		return nft_map_get(maps->mirror, id, key, ret_value, err);
	int fd, r = map_open(maps, id, &fd, err);
	if (r < 0)
		return r;
	if (bpf_map_lookup_elem(fd, key, ret_value) == 0)
		return 1;
	return errno == ENOENT ? 0 : error_set_errno(err, errno, "cannot read %s", names[id]);
}

int map_delete(struct maps *maps, enum map_id id, const void *key, struct error *err)
{
	if (maps->mirror)
		return nft_map_delete(maps->mirror, id, key, err);
	int fd, r = map_open(maps, id, &fd, err);
	if (r < 0)
		return r;
	if (bpf_map_delete_elem(fd, key) == 0)
		return 1;
	return errno == ENOENT ? 0
			       : error_set_errno(err, errno, "cannot delete from %s", names[id]);
}

/* A batch stops at a key that is not there: then that one is stepped over. */
int map_delete_many(struct maps *maps, enum map_id id, const void *keys, size_t key_size,
		    uint32_t count, struct error *err)
{
	if (maps->mirror)
		return nft_map_delete_many(maps->mirror, id, keys, count, err);
	int fd, r = map_open(maps, id, &fd, err);
	if (r < 0)
		return r;
	for (uint32_t done = 0; done < count;) {
		uint32_t part = count - done;
		if (bpf_map_delete_batch(fd, (const char *)keys + done * key_size, &part, NULL) ==
		    0)
			return 0;
		if (errno != ENOENT)
			return error_set_errno(err, errno, "cannot delete from %s", names[id]);
		done += part + 1;
	}
	return 0;
}

int map_next(struct maps *maps, enum map_id id, const void *key, void *ret_key, struct error *err)
{
	if (maps->mirror)
		return nft_map_next(maps->mirror, id, key, ret_key, err);
	int fd, r = map_open(maps, id, &fd, err);
	if (r < 0)
		return r;
	if (bpf_map_get_next_key(fd, key, ret_key) == 0)
		return 1;
	return errno == ENOENT ? 0 : error_set_errno(err, errno, "cannot walk %s", names[id]);
}

int map_capacity(struct maps *maps, enum map_id id, uint32_t *ret_entries, struct error *err)
{
	if (maps->mirror) {
		*ret_entries = nft_map_capacity(id);
		return 0;
	}
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof info;
	int fd, r = map_open(maps, id, &fd, err);
	if (r < 0)
		return r;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return error_set_errno(err, errno, "cannot ask about %s", names[id]);
	*ret_entries = info.max_entries;
	return 0;
}

struct abi_addr abi_addr_of(struct ip ip)
{
	struct abi_addr address;
	memcpy(address.bytes, ip.bytes, sizeof address.bytes);
	return address;
}

struct ip ip_of_abi(struct abi_addr address)
{
	struct ip ip;
	memcpy(ip.bytes, address.bytes, sizeof ip.bytes);
	return ip;
}
