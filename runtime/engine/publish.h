/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Docker's forms of -p: [[HOST_IP:][HOST_PORT[-END]]:]PORT[-END][/tcp|/udp].
 * Without a host port a free one is chosen; an IPv6 address stands in brackets.
 * 0.0.0.0 is all of IPv4, [::] all of IPv6, and no address all of both.
 */
#include "base/error.h"
#include "base/text.h"
#include "dataplane/dataplane.h"

struct publish_list {
	struct publish_spec *items;
	size_t count;
};
void publish_list_release(struct publish_list *list); /* frees items */
#define auto_publish_list __attribute__((cleanup(publish_list_release))) struct publish_list

/** Gate: reads one -p and adds what it means. -EINVAL names the text and what would be right. */
int publish_list_add(struct publish_list *list, const char *text, struct error *err);
/** Gate: reads one --publish-from, prefixes or addresses with commas between. */
int publish_from_add(struct words *list, const char *text, struct error *err);
/** The host's addresses that it is at, 0.0.0.0 and :: for all of a family. Returns 1 or 2. */
size_t publish_hosts(const struct publish_spec *spec, struct ip ret_ips[2]);
/** As Docker's ps shows it: "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp". */
void publish_format(const struct publish_spec *spec, struct text *ret_text);
