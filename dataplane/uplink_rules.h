/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Which devices lead outside. All with a global address do, except gateway
 * devices of any instance and the bridges of other container tools: packets that
 * leave there would come into other networks. ROOT/etc/wherry/config.json says
 * more: "uplinks": {"include": ["eth*"], "exclude": ["eth7"],
 * "masqueradeSource": {"eth0": ["192.0.2.7", "2001:db8::7"]}}.
 */
#include "base/instance.h"
#include "base/text.h"
#include "dataplane/dataplane.h"
#include "link/device.h"

#define GATEWAY_ALIAS "wherry:"

#define UPLINK_SOURCES_MAX 64

/* What outside sees of what leaves by one device, if not its own first address. */
struct uplink_source {
	char device[DEVICE_NAME_MAX];
	struct ip v4, v6; /* unset: the device's own */
};

struct uplink_rules {
	struct words include; /* globs of names; empty: all but other tools' */
	struct words exclude; /* wins over include */
	struct uplink_source sources[UPLINK_SOURCES_MAX];
	size_t source_count;
};
/** Gate: reads the instance's configuration; none is fine. Release *ret_rules. */
int uplink_rules_read(const struct instance *instance, struct uplink_rules *ret_rules,
		      struct error *err);
void uplink_rules_release(struct uplink_rules *rules); /* rules itself is a value */

/* What a device is to us. */
enum uplink_kind {
	UPLINK_NONE,
	UPLINK_WITH_ETHERNET,
	UPLINK_BARE, /* its packets begin with IP: WireGuard, tun, ppp, tunnels */
};
enum uplink_kind uplink_kind_of(const struct uplink_rules *rules, const struct device *device);
/** The source that is chosen for a device in one family; unset if none is. */
struct ip uplink_source_of(const struct uplink_rules *rules, const char *device, bool v4);
/** Whether the device's packets have no Ethernet header. */
bool uplink_is_bare(const struct device *device);
