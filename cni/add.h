/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * An ADD under way: what the steps of it hand on. The address comes from
 * address.c, the endpoint and the result from add.c.
 */
#include "config.h"
#include "result.h"

struct add {
	struct cni_call *call;
	const struct cni_config *config;
	struct dataplane *dataplane;
	int netns_fd;
	struct network_info network;
	bool is_network_ours;          /* made by the configuration, not by somebody before */
	struct cni_result given;       /* what ipam said: addresses, routes, dns */
	struct json_t *given_document; /* lends the strings and the dns of `given` */
};

/** Gets addresses from ipam, in a network that it makes if it is not there. */
int add_take_addresses(struct add *add, struct error *err);
/** Gives back what add_take_addresses took: after a failure of what follows. */
void add_give_back_addresses(struct add *add);
/** Takes back what a killed ADD of the same container left: a lease or an intent. */
int add_release_leftover(struct add *add, struct error *err);
