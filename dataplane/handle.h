/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What one open data path holds; every file of the folder works on it. */
#include "dataplane/dataplane.h"
#include "link/netlink.h"
#include "maps.h"

/* How programs reach uplinks and gateway devices; probed once, kept in the store. */
enum attach_kind {
	ATTACH_TCX = 1,
	ATTACH_CLSACT = 2,
	ATTACH_NFT = 3, /* no programs: the rules of nf_tables */
};

struct dataplane {
	struct instance instance;
	struct store *store;
	struct netlink *netlink; /* of the host's namespace */
	struct maps maps;
	uint64_t host_cookie; /* of that namespace */
	uint32_t block;       /* the ingress block that host ends share */
	enum attach_kind attach;
};

/** Opens a pinned program; the caller owns *ret_fd. */
int program_open(const struct instance *instance, const char *program, int *ret_fd,
		 struct error *err);
/** FNV-1a: small stable numbers (block, handle, group) are made from names by it. */
uint32_t hash_text(const char *text);
/** The link group of a network's host ends: deletes in bulk. */
uint32_t network_group(const struct instance *instance, uint16_t network_id);
/** Cookie of the namespace that a socket belongs to. */
int socket_cookie(int socket_fd, uint64_t *ret_cookie, struct error *err);
/** Takes one of the instance's locks: a file of its run directory; released when closed. */
int instance_lock(const struct instance *instance, const char *name, int *ret_fd,
		  struct error *err);
