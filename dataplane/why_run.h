/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* One question of `wherry why` or `trace` while it is worked on. */
#include "craft.h"
#include "dataplane/why.h"
#include "simulate.h"
#include "why_place.h"

struct inquiry {
	struct dataplane *dataplane; /* lent */
	struct directory *directory;
	struct simulator *simulator; /* from the first run on: the tables of that moment */
	struct place from;
	struct goal to;
	struct simulation run; /* in: the packet and where it is; then the program that ran last */
	struct why_answer *answer; /* lent */
};
/** The caller owns *ret_inquiry. */
int inquiry_create(struct dataplane *dataplane, struct why_answer *answer,
		   struct inquiry **ret_inquiry, struct error *err);
void inquiry_free(struct inquiry *inquiry);
DEFINE_FREEP(inquiry)
/** Puts the packet of `run` before a program, follows it to its end, and fills the answer. */
int inquiry_run(struct inquiry *inquiry, const char *program, struct error *err);
/** Adds a step to the answer. */
void inquiry_tell(struct inquiry *inquiry, const char *stage, const char *text);

struct network_search {
	struct ip address;
	struct network_info info;
	bool found;
};
/** The network that the address is in, gateways left out. */
int inquiry_find_network(struct inquiry *inquiry, struct ip address,
			 struct network_search *ret_search, struct error *err);
