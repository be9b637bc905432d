/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An open data path. The usual case opens a store and a socket and reads three
 * numbers; the first of all loads the kernel programs, under the instance's lock.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "attach.h"
#include "backend.h"
#include "base/file.h"
#include "base/process.h"
#include "handle.h"
#include "load.h"
#include "nft/mirror.h"
#include "reconcile.h"
#include "state.h"
#include "upgrade.h"

#define STATE_SIZE_MAX                                                            \
	(512ul << 20) /* address space of the store; the file grows as it is used \
		       */
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

uint32_t hash_text(const char *text)
{
	uint32_t hash = 2166136261u;
	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619u;
	return hash;
}

uint32_t network_group(const struct instance *instance, uint16_t network_id)
{
	return 0x40000000u | (hash_text(instance->tag) & 0x3ffff) << 12 | network_id;
}

int socket_cookie(int socket_fd, uint64_t *ret_cookie, struct error *err)
{
	socklen_t size = sizeof *ret_cookie;
	if (getsockopt(socket_fd, SOL_SOCKET, SO_NETNS_COOKIE, ret_cookie, &size) < 0)
		return error_set_errno(err, errno, "this kernel has no SO_NETNS_COOKIE");
	return 0;
}

int program_open(const struct instance *instance, const char *program, int *ret_fd,
		 struct error *err)
{
	char path[INSTANCE_PATH_MAX + 64];
	snprintf(path, sizeof path, "%s/programs/%s", instance->bpf, program);
	int fd = bpf_obj_get(path);
	if (fd < 0)
		return error_set_errno(err, errno, "cannot open the program %s", path);
	*ret_fd = fd;
	return 0;
}

int instance_lock(const struct instance *instance, const char *name, int *ret_fd, struct error *err)
{
	char path[INSTANCE_PATH_MAX + 32];
	snprintf(path, sizeof path, "%s/%s", instance->run, name);
	return lock_take(path, -1, ret_fd, err);
}

static int check_privileges(struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	static const unsigned needed[] = { CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_BPF };

	if (syscall(SYS_capget, &header, data) < 0)
		return error_set_errno(err, errno, "cannot read own capabilities");
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!(data[needed[i] / 32].effective & 1u << needed[i] % 32))
			return error_set(err, EPERM, "wherry needs root (CAP_BPF, CAP_NET_ADMIN)");
	return 0;
}

/* A root that is no tmpfs keeps its files over a reboot; what they tell of is gone. */
static int drop_state_of_another_boot(const struct instance *instance, struct error *err)
{
	char path[INSTANCE_PATH_MAX + 16], state[INSTANCE_PATH_MAX + 16], own[37];
	auto_free char *written = NULL;
	size_t size = 0;
	struct error ignored = { 0 };
	int r = boot_id(own, err);
	if (r < 0)
		return r;
	snprintf(path, sizeof path, "%s/boot", instance->run);
	if (file_read(path, 64, &written, &size, &ignored) == 0 && strcmp(written, own) == 0)
		return 0;
	auto_fd lock = -1;
	r = instance_lock(instance, "lock", &lock, err);
	if (r < 0)
		return r;
	free(TAKE(written));
	if (file_read(path, 64, &written, &size, &ignored) == 0 && strcmp(written, own) == 0)
		return 0;
	snprintf(state, sizeof state, "%s/state.mdb", instance->run);
	unlink(state);
	snprintf(state, sizeof state, "%s/state.mdb-lock", instance->run);
	unlink(state);
	return file_replace(path, own, strlen(own), 0644, FILE_NO_SYNC, err);
}

int dataplane_open_store(const struct instance *instance, struct store **ret_store,
			 struct error *err)
{
	char path[INSTANCE_PATH_MAX + 16];
	snprintf(path, sizeof path, "%s/state.mdb", instance->run);
	int r = directory_make(instance->run, 0755, err);
	if (r == 0)
		r = drop_state_of_another_boot(instance, err);
	return r < 0 ? r : store_open(path, STORE_NO_SYNC, STATE_SIZE_MAX, ret_store, err);
}

static int read_meta(struct dataplane *dataplane, uint64_t *ret_cookie, struct error *err)
{
	uint64_t block = 0, attach = 0;
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane->store, STORE_READ, &txn, err);
	if (r == 0)
		r = meta_get(txn, META_HOST, ret_cookie, err);
	if (r == 0)
		r = meta_get(txn, META_BLOCK, &block, err);
	if (r == 0)
		r = meta_get(txn, META_ATTACH, &attach, err);
	dataplane->block = (uint32_t)block;
	dataplane->attach = (enum attach_kind)attach;
	return r;
}

static int write_meta(struct dataplane *dataplane, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane->store, STORE_WRITE, &txn, err);
	if (r == 0)
		r = meta_put(txn, META_HOST, dataplane->host_cookie, err);
	if (r == 0)
		r = meta_put(txn, META_BLOCK, dataplane->block, err);
	if (r == 0)
		r = meta_put(txn, META_ATTACH, dataplane->attach, err);
	return r < 0 ? r : store_commit(&txn, err);
}

static int check_host(const struct dataplane *dataplane, uint64_t cookie, struct error *err)
{
	if (cookie == 0 || cookie == dataplane->host_cookie)
		return 0;
	return error_set(err, EINVAL,
			 "the instance at %s serves another network namespace: go there, or use "
			 "another root",
			 dataplane->instance.root[0] ? dataplane->instance.root : "/");
}

/* First use, or the first after the store or bpffs was emptied. The lock is held. */
static int load_under_lock(struct dataplane *dataplane, struct error *err)
{
	uint64_t cookie = 0;
	int loaded = load_check(&dataplane->instance, err);
	if (loaded < 0)
		return loaded;
	int r = read_meta(dataplane, &cookie, err);
	if (r < 0)
		return r;
	if (loaded && dataplane->block)
		return check_host(dataplane, cookie, err);
	bool had_programs = upgrade_version(&dataplane->instance) != 0;
	r = dataplane->block ? 0
			     : attach_choose_block(dataplane->netlink, &dataplane->instance,
						   &dataplane->block, err);
	if (r == 0)
		r = load_programs(dataplane, err);
	/* What a failed upgrade leaves is the old version, at work. */
	if (r < 0 && !had_programs) {
		struct error ignored = { 0 };
		tree_remove(dataplane->instance.bpf, &ignored);
	}
	if (r == 0)
		r = write_meta(dataplane, err);
	return r < 0 ? r : reconcile_all(dataplane, err);
}

/* The table of nf_tables in the place of programs. The lock is held. */
static int load_table(struct dataplane *dataplane, struct error *err)
{
	int r = nft_mirror_load(dataplane->maps.mirror, err);
	dataplane->attach = ATTACH_NFT;
	dataplane->block = 0;
	if (r == 0)
		r = write_meta(dataplane, err);
	return r < 0 ? r : reconcile_all(dataplane, err);
}

/* 1 if what carries packets is there, 0 if it has to be loaded. */
static int is_loaded(struct dataplane *dataplane, struct error *err)
{
	if (dataplane->maps.mirror && dataplane->attach != ATTACH_NFT)
		return 0;
	if (dataplane->maps.mirror)
		return nft_mirror_check(dataplane->maps.mirror, err);
	int r = load_check(&dataplane->instance, err);
	return r == 1 ? dataplane->block != 0 : r;
}

static int load_first(struct dataplane *dataplane, struct error *err)
{
	auto_fd lock = -1;
	int r = instance_lock(&dataplane->instance, "lock", &lock, err);
	if (r < 0)
		return r;
	return dataplane->maps.mirror ? load_table(dataplane, err)
				      : load_under_lock(dataplane, err);
}

/* Where nothing can be loaded, no file is made either. */
static int choose_backend(const struct instance *instance, struct backend_choice *ret_choice,
			  struct error *err)
{
	*ret_choice = (struct backend_choice){ BACKEND_BPF, false };
	int r = load_check(instance, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = backend_choose(instance, ret_choice, err);
	if (r < 0 || ret_choice->backend == BACKEND_NFT)
		return r;
	return load_check_bpffs(instance, err);
}

/* What began with nf_tables goes on so until its end, whatever the kernel can by now. */
static int stay_with_nft(struct dataplane *dataplane, const struct backend_choice *choice,
			 struct error *err)
{
	if (choice->configured)
		return error_set(err, EBUSY,
				 "backend \"bpf\": this instance runs on nft until the next boot, "
				 "or wherry system reset");
	return nft_mirror_open(&dataplane->instance, &dataplane->maps.mirror, err);
}

int dataplane_open(const struct instance *instance, struct dataplane **ret_dataplane,
		   struct error *err)
{
	uint64_t cookie = 0;
	struct backend_choice choice;
	int r = check_privileges(err);
	if (r == 0)
		r = choose_backend(instance, &choice, err);
	if (r < 0)
		return r;
	AUTO(dataplane) dataplane = calloc(1, sizeof *dataplane);
	if (!dataplane)
		return error_set(err, ENOMEM, "no memory for the data path");
	dataplane->instance = *instance;
	maps_init(&dataplane->maps, instance->bpf);
	if (choice.backend == BACKEND_NFT)
		r = nft_mirror_open(instance, &dataplane->maps.mirror, err);
	if (r == 0)
		r = dataplane_open_store(instance, &dataplane->store, err);
	if (r == 0)
		r = netlink_open(-1, &dataplane->netlink, err);
	if (r == 0)
		r = socket_cookie(netlink_fd(dataplane->netlink), &dataplane->host_cookie, err);
	if (r == 0)
		r = read_meta(dataplane, &cookie, err);
	if (r == 0 && dataplane->attach == ATTACH_NFT && !dataplane->maps.mirror)
		r = stay_with_nft(dataplane, &choice, err);
	if (r == 0)
		r = is_loaded(dataplane, err);
	if (r == 0)
		r = load_first(dataplane, err);
	else if (r > 0)
		r = check_host(dataplane, cookie, err);
	if (r < 0)
		return r;
	*ret_dataplane = TAKE(dataplane);
	return 0;
}

void dataplane_free(struct dataplane *dataplane)
{
	if (!dataplane)
		return;
	maps_close(&dataplane->maps);
	netlink_free(dataplane->netlink);
	store_free(dataplane->store);
	free(dataplane);
}

struct ip dataplane_resolver(const struct dataplane *dataplane, struct ip gateway)
{
	const struct in_addr docker = { htonl(0x7f00000b) };
	return dataplane->attach == ATTACH_NFT ? gateway : ip_from_v4(docker);
}

struct store *dataplane_store(struct dataplane *dataplane)
{
	return dataplane->store;
}
