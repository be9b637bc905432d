/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The engine's networks: what was asked for stays in engine.mdb; the data path
 * gets its network when a container joins one after a boot. The network
 * "bridge" is there without being made.
 */
#include "internal.h"
#include "ipam/ipam.h"

#define NETWORK_DEFAULT "bridge"
#define TABLE_NETWORKS "networks" /* of engine.mdb: name -> record */

struct engine_network {
	struct json_t *document; /* owns the texts */
	const char *id, *name;
	struct network_spec spec;
	struct prefix ip_range, ip_range6; /* unset: the whole subnet */
	bool want_v4, want_v6; /* while it is made: a subnet is chosen if none is named */
	struct ip aux[IPAM_EXCLUDES_MAX];
	size_t aux_count;
	int64_t created_ns;
};
void engine_network_free(struct engine_network *network);
DEFINE_FREEP(engine_network)

/** Gate: a record of the store. */
int engine_network_read(struct bytes value, struct engine_network **ret_network, struct error *err);
/** The same, to be written; the caller owns it. */
struct json_t *engine_network_document(const struct engine_network *network, const char *id,
				       const struct words *labels);
/* One subnet or gateway, or one of each family with "and" between. */
struct network_text {
	char text[2 * PREFIX_TEXT_MAX + 8];
};
struct network_text engine_network_subnets(const struct network_spec *spec);
struct network_text engine_network_gateways(const struct network_spec *spec);
/** By name, or id or its beginning. -ENOENT with a text. The default one is made if it is not
 * there. */
int engine_network_find(struct engine *engine, const char *reference,
			struct engine_network **ret_network, struct error *err);
/** Makes the data path's network, if it is not there. */
int engine_network_ensure(struct engine *engine, const struct engine_network *network,
			  struct error *err);
/**
 * Gate: --ip and --ip6 of a container (NULL: not given) are addresses of its families, inside
 * its subnets.
 */
int engine_network_check_ips(const struct engine_network *network, const char *ip, const char *ip6,
			     struct error *err);
/** The allocator's configuration of it; large: on the heap, freed by the caller. */
int engine_network_ipam(const struct engine_network *network, struct ipam_config **ret_config,
			struct error *err);
/** Starts wherryd if it does not run; a failure is a warning. */
void engine_start_names(struct engine *engine);
