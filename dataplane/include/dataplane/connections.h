/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Flows as people think of them: both directions in one row, with the containers'
 * names, what the translation makes of them, and what they have carried.
 */
#include "dataplane/dataplane.h"
#include "dataplane/directory.h"

enum connection_kind { CONNECTION_MASQUERADED, CONNECTION_PUBLISHED, CONNECTION_ROUTED };
enum connection_state {
	CONNECTION_OPENING,     /* not answered yet */
	CONNECTION_ESTABLISHED, /* answered */
	CONNECTION_CLOSING,     /* one side has sent FIN */
	CONNECTION_CLOSED,      /* both have */
	CONNECTION_RESET,
	CONNECTION_HOST_FIREWALL, /* the host's firewall was asked about it, and let nothing through
				   */
};

struct connection_end {
	struct ip address;
	uint16_t port;
	const struct directory_entry *container; /* lent; NULL: outside, or gone */
};
struct connection_row {
	uint8_t protocol;
	enum connection_kind kind;
	enum connection_state state;
	struct connection_end client, server; /* as the client addresses it */
	struct connection_end from, to;       /* the same after translation */
	uint64_t packets, bytes;              /* from the client */
	uint64_t reply_packets, reply_bytes;  /* to the client */
	uint32_t idle_s;                      /* since the last packet of either direction */
	uint32_t answer_us; /* until the first answer: TCP's round trip; 0: none yet */
};
/* What to show; zero or NULL members select everything. */
struct connection_filter {
	const char *container; /* a name, or the beginning of an id */
	const char *network;
	struct ip address; /* of any end */
	uint16_t port;     /* of any end */
	uint8_t protocol;  /* IPPROTO_* */
	bool has_state;
	enum connection_state state;
};
const char *connection_kind_name(enum connection_kind kind);
const char *connection_state_name(enum connection_state state);
/** Reads "established"; -EINVAL names what would be right. */
int connection_state_parse(const char *text, enum connection_state *ret_state, struct error *err);
/**
 * Visits the flows that live and pass the filter, in no order; a non-zero result of visit ends
 * the walk and is returned. -ENOENT: no endpoint is the filter's container.
 */
int connections_each(struct dataplane *dataplane, const struct connection_filter *filter,
		     int (*visit)(const struct connection_row *row, void *context,
				  struct error *err),
		     void *context, struct error *err);

/* What an endpoint has sent and received since it came. */
struct endpoint_traffic {
	uint64_t tx_packets, tx_bytes, rx_packets, rx_bytes;
};
int endpoint_traffic(struct dataplane *dataplane, uint32_t slot, struct endpoint_traffic *ret,
		     struct error *err);
