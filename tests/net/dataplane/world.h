/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Words of the data path for scenes: a network and containers in it, in one
 * call each. Whatever fails here fails the test, with the library's text.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "dataplane/dataplane.h"
#include "scene/scene.h"

/* The same tests for each of what can carry packets. */
#ifndef WORLD_BACKEND
#define WORLD_BACKEND "bpf"
#endif

struct world {
	struct scene *scene;
	struct dataplane *dataplane;
};
/** setup and teardown: a scene with "client" behind an uplink: 10.99.0.2 and 10.99.0.1. */
int world_set_up(void **state);
/** The same with IPv6 beside: fd99::2 and fd99::1. */
int world_set_up_dual(void **state);
int world_tear_down(void **state);

/** A masqueraded network without names; subnet may be of IPv6, or "10.1.0.0/24,fd01::/64". */
void world_network(struct world *world, const char *name, const char *subnet);
/** A network as spec says; name and subnet are filled in. */
void world_network_as(struct world *world, const char *name, const char *subnet,
		      struct network_spec spec);
/** A new container with an interface eth0 ("10.1.0.2/24", "fd01::2/64", or both with a comma) in
 * the network. */
void world_container(struct world *world, const char *name, const char *network,
		     const char *address);
/** As above, with publications "8080:80", "8080:80/udp", "10.99.0.1:8080:80", "[::]:8080:80",
 * "9000:90+10"…, NULL at the end. */
void world_publish(struct world *world, const char *name, const char *network, const char *address,
		   ...) __attribute__((sentinel));
/** The same without a claim: the result of endpoint_add on an existing namespace. */
int world_try(struct world *world, const char *name, const char *network, const char *address,
	      const char *publication, enum publish_policy policy, struct error *err);
/** Of "10.1.0.0/24", "fd01::/64" or "10.1.0.0/24,fd01::/64". */
void world_read_pair(const char *text, struct prefix *ret_v4, struct prefix *ret_v6);
void world_delete(struct world *world, const char *name);
/** Packets dropped for this reason, of this container (NULL: of any). */
uint64_t world_drops(struct world *world, const char *reason, const char *container);
/** Fails with the error's text unless r is 0 or more. */
#define world_claim(r, err) world_claim_at(r, err, __FILE__, __LINE__)
void world_claim_at(int r, const struct error *err, const char *file, int line);
