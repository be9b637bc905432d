/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Just enough rtnetlink to lay cables: the harness must not stand on the
 * library that it tests. All calls act in the calling thread's namespace.
 */
#include "base/error.h"
#include "base/ip.h"

/** A veth pair, each end born in its namespace; down, since neither can be up without the other. */
struct cable_end {
	const char *device;
	int netns_fd;
};
int netlink_add_cable(const struct cable_end ends[2], struct error *err);
int netlink_set_up(const char *device, struct error *err);
int netlink_add_address(const char *device, struct prefix address, struct error *err);
int netlink_add_route(struct prefix prefix, struct ip via, struct error *err);
/** Calls visit with the device and kind of each qdisc that is not the device's default. */
int netlink_each_qdisc(void (*visit)(const char *device, const char *kind, void *context),
		       void *context, struct error *err);
