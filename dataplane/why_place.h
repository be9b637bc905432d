/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Who and where the words of `wherry why` mean. */
#include "dataplane/directory.h"
#include "handle.h"

enum place_kind { PLACE_CONTAINER, PLACE_HOST, PLACE_OUTSIDE };
struct place {
	enum place_kind kind;
	struct ip address;                   /* unset for a bare "host" or "outside" */
	const struct directory_entry *entry; /* of PLACE_CONTAINER; lent by the directory */
};
/* What a packet goes to. */
struct goal {
	struct place place;
	uint16_t port; /* 0: none */
	uint8_t protocol;
};
/** Reads a container's name or id, an address, "host" or "outside". -ENOENT, -EINVAL. */
int place_parse(struct dataplane *dataplane, const struct directory *directory, const char *word,
		struct place *ret_place, struct error *err);
/** Reads PLACE[:PORT][/PROTOCOL]; an IPv6 address with a port stands in brackets. */
int goal_parse(struct dataplane *dataplane, const struct directory *directory, const char *text,
	       struct goal *ret_goal, struct error *err);
/** Reads ADDRESS:PORT. */
int end_parse(const char *text, struct ip *ret_address, uint16_t *ret_port, struct error *err);

struct uplink_choice {
	uint32_t ifindex;
	struct ip address; /* of the host there */
	struct mac mac;
};
/** The uplink that has this address, or any one. -ENOENT: the host has none. */
int uplink_choose(struct dataplane *dataplane, struct ip address, struct uplink_choice *ret_uplink,
		  struct error *err);
