/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Wherry as one plugin of several in a list. What came before it is handed on:
 * if the interface was made by another plugin, only tuning's keys are done;
 * else ours joins what is there.
 */
#include "config.h"

/** Sets what tuning's keys ask for, and hands prevResult on. The caller owns *ret_document. */
int chain_pass_on(struct cni_call *call, const struct cni_config *config, int netns_fd,
		  struct json_t **ret_document, struct error *err);
/** Puts our result behind that of the plugins before, if there is one; *document is replaced. */
void chain_join(const struct cni_config *config, struct json_t **document);
/** True if CNI_IFNAME of this CHECK is another plugin's: no endpoint, no ipam, but a result. */
bool chain_is_strange(const struct cni_config *config, bool has_endpoint);
/** -ENOENT names a route of prevResult that the container has no more (check_routes.c). */
int chain_check_routes(const struct cni_config *config, int netns_fd, struct error *err);
