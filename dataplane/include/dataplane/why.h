/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Why a packet gets where it gets: the deciding program, table entry and reason for a packet that
 * is made from words, belongs to a flow, or was recorded. The programs are run on it over copies
 * of the tables, so that nothing is sent and nothing changes.
 */
#include "dataplane/dataplane.h"

#define WHY_STEPS_MAX 96
#define WHY_TEXT_MAX 256

enum why_verdict {
	WHY_DELIVERED, /* to a container */
	WHY_LEAVES,    /* by an uplink */
	WHY_HOST,      /* to the host's own stack */
	WHY_ANSWERED,  /* sent back, as an ARP request or a packet that is too big is */
	WHY_DROPPED,
};
struct why_step {
	char stage[32]; /* the program */
	char text[WHY_TEXT_MAX];
};
struct why_answer {
	enum why_verdict verdict;
	char packet[WHY_TEXT_MAX]; /* as it arrives */
	char became[WHY_TEXT_MAX]; /* as it goes on; "" if it does not */
	char target[WHY_TEXT_MAX]; /* "container web by vethX", "the host by br-front" */
	const char *reason;        /* of a drop: "isolated"; else "" */
	const char *meaning;
	char stage[32];            /* the program that decided */
	char entry[WHY_TEXT_MAX];  /* the table entry that decided, or that is missing */
	char change[WHY_TEXT_MAX]; /* what would change the answer; "" if nothing is known */
	size_t step_count;
	struct why_step steps[WHY_STEPS_MAX];
};
const char *why_verdict_name(enum why_verdict verdict);

/*
 * `from`: a container (name or beginning of its id), an address, "host" or "outside". `to`: the
 * same, with ":PORT" and "/tcp", "/udp", "/sctp" or "/icmp" behind it (default: /tcp with a port,
 * /icmp without).
 */
struct why_request {
	const char *from, *to;
};
/** -EINVAL and -ENOENT name the word that is wrong. */
int why_ask(struct dataplane *dataplane, const struct why_request *request,
	    struct why_answer *ret_answer, struct error *err);
/**
 * The next packet of a flow that is there, from the client and from the server. client and server
 * as `wherry flows` shows them: ADDRESS:PORT. -ENOENT: no such flow.
 */
int why_flow(struct dataplane *dataplane, const char *client, const char *server,
	     struct why_answer ret_answers[2], struct error *err);
/** An Ethernet frame as a container (or "outside") sends it. */
int why_frame(struct dataplane *dataplane, const char *from, const uint8_t *bytes, size_t size,
	      struct why_answer *ret_answer, struct error *err);
