/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One attempt to have one query answered by one upstream, over UDP or TCP, from
 * a socket, source port and id of its own. Only an answer from that server, with
 * that id and that question, counts; anything else is passed over.
 */
#include "address.h"
#include "upstreams.h"

struct dns_attempt;
/**
 * Called at most once, from the loop; the attempt may be freed inside. reply is
 * lent, NULL when the attempt has failed (refused, closed, no route).
 */
typedef void dns_attempt_handler(void *context, struct dns_attempt *attempt,
				 const struct dns_message *reply);

struct dns_attempt_spec {
	struct dns_upstream upstream;
	size_t upstream_index; /* handed back by dns_attempt_upstream */
	enum dns_transport transport;
	const struct dns_message *query; /* lent for the attempt's life */
	dns_attempt_handler *handler;
	void *context;
};
/** 0, or -errno if the query could not even be sent. */
int dns_attempt_start(struct loop *loop, const struct dns_attempt_spec *spec,
		      struct dns_attempt **ret_attempt, struct error *err);
size_t dns_attempt_upstream(const struct dns_attempt *attempt);
enum dns_transport dns_attempt_transport(const struct dns_attempt *attempt);
void dns_attempt_free(struct dns_attempt *attempt);
DEFINE_FREEP(dns_attempt)
